/** The alerts, their runbook and the dashboard fit the program and each other; what they say to Prometheus is in test/real/. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { LOG_EVENTS } from '../../../src/log/log-events.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { type Panel, readDashboard } from './dashboard.ts';

const root = new URL('../../../', import.meta.url);
const rulesText = read('deploy/prometheus/rules.yml');
const runbook = read('deploy/prometheus/runbook.md');

const RULE = z.union([
  z.strictObject({ record: z.string(), expr: z.string(), labels: z.record(z.string(), z.string()).optional() }),
  z.strictObject({
    alert: z.string(),
    expr: z.string(),
    for: z.string().optional(),
    labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'info']) }),
    annotations: z.strictObject({ summary: z.string(), description: z.string(), runbook_url: z.string() }),
  }),
]);
const RULES = z.object({ groups: z.array(z.object({ rules: z.array(RULE) })) });
const RULE_TESTS = z.object({
  tests: z.array(
    z.object({ alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })) }),
  ),
});

const rules = RULES.parse(parse(rulesText)).groups.flatMap((group) => group.rules);
const alerts = rules.flatMap((rule) => ('alert' in rule ? [rule] : []));
const { body } = await createMetrics('0').exposition();
/** Without the endings that Prometheus gives the parts of a histogram. */
const metrics = namesIn(body.replaceAll(/^#.*$/gm, ''));

function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}

function namesIn(text: string): Set<string> {
  const names = [...text.matchAll(/(?<![\w:])(kube_register_\w+)/g)].map(([, name = '']) => name);
  return new Set(names.map((name) => name.replace(/_(bucket|sum|count)$/, '')));
}

/** `kube_register_up{target="fleet"}`, for each value of each label that is asked for literally. */
function* literalSelectors(text: string): Iterable<string> {
  for (const [, name = '', label = '', values = ''] of text.matchAll(
    /(kube_register_\w+)(?::max)?\{(\w+)=~?"([^"$]*)"/g,
  )) {
    if (label === 'code' || label === 'job') continue;
    for (const value of values.split('|')) yield `${name}{${label}="${value}"`;
  }
}

describe('the rules', () => {
  it('ask for metrics that there are, and for values that their labels have', () => {
    const asked = namesIn(rules.map(({ expr }) => expr).join('\n'));
    expect(asked.size).toBeGreaterThan(10);
    expect([...asked].filter((name) => !metrics.has(name))).toEqual([]);
    const selectors = [...literalSelectors(rulesText)];
    expect(selectors.length).toBeGreaterThan(5);
    for (const selector of selectors) expect(body).toContain(selector);
  });

  it('judge by what they record, and record nothing in vain', () => {
    const recorded = new Set(rules.flatMap((rule) => ('record' in rule ? [rule.record] : [])));
    const used = new Set(alerts.flatMap(({ expr }) => expr.match(/\w+:\w+:\w+/g) ?? []));
    expect([...recorded].sort()).toEqual([...used].sort());
  });

  it('each lead to an entry of the runbook that says what it means, what to look at and what to do, and there is no other entry', () => {
    const entries = runbook.split(/^## /m).slice(1);
    expect(entries.map((entry) => entry.split('\n')[0])).toEqual(alerts.map(({ alert }) => alert));
    for (const entry of entries) expect(entry).toMatch(/\*\*Meaning\.\*\*.*\*\*Look at\.\*\*.*```sh\n.*\*\*Do\.\*\*/s);
    for (const { alert, annotations } of alerts) {
      expect(annotations.runbook_url).toBe(`deploy/prometheus/runbook.md#${alert.toLowerCase()}`);
    }
  });

  it('have the log searched only for events that there are', () => {
    const events = [...runbook.matchAll(/"event":"([^"]*)"/g)].map(([, event]) => event);
    expect(events.length).toBeGreaterThan(5);
    for (const event of events) expect(Object.keys(LOG_EVENTS)).toContain(event);
  });

  it('are each tried on series that make them fire, and on series that do not', () => {
    const checks = RULE_TESTS.parse(parse(read('test/real/prometheus/rules.test.yml'))).tests.flatMap(
      (test) => test.alert_rule_test,
    );
    const tried = (fires: boolean) =>
      new Set(checks.filter((check) => check.exp_alerts.length > 0 === fires).map(({ alertname }) => alertname));
    const names = alerts.map(({ alert }) => alert).sort();
    expect([...tried(true)].sort()).toEqual(names);
    expect([...tried(false)].sort()).toEqual(names);
  });
});

describe('the dashboard', async () => {
  const { panels, templating } = await readDashboard();
  const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)).join('\n');

  it('shows every metric of the program, and no other', () => {
    expect([...namesIn(queries)].sort()).toEqual([...metrics].sort());
  });

  it('asks about one job, and uses no variable that it does not have', () => {
    for (const { title, targets } of panels) {
      for (const { expr } of targets) expect(expr, title).toContain('{job="$job"');
    }
    const used = new Set([...queries.matchAll(/\$\{?(\w+)/g)].map(([, name]) => name));
    const names = templating.list.map(({ name }) => name);
    expect([...used, 'datasource'].sort()).toEqual(names.sort());
  });

  it('has panels that explain themselves, on 24 columns, and none covers another', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const panel of panels) {
      if (panel.type !== 'row') expect(panel.description, panel.title).toBeDefined();
      expect(panel.gridPos.x + panel.gridPos.w, panel.title).toBeLessThanOrEqual(24);
      expect(
        panels.filter((other) => other !== panel && overlap(panel, other)).map(({ title }) => title),
        panel.title,
      ).toEqual([]);
    }
  });
});

function overlap({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
