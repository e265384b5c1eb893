/** The tables of the reference pages, made of the program's own tables. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { CHECKS } from '../../src/commands/check/finding.ts';
import {
  type CommandName,
  type CommandRow,
  commandNames,
  commandRow,
  DAEMON_ROW,
} from '../../src/commands/cli/commands.ts';
import { usageOf } from '../../src/commands/cli/help.ts';
import { LOG_EVENTS } from '../../src/log/log-events.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { envName, flagName, rowOf, type SettingName, settingNames } from '../../src/settings/table.ts';
import { MACHINE_HELP, NODE_HELP } from '../../src/status/verdict-help.ts';
import { refusalOf } from '../../src/web/access/refusal.ts';
import { ERAS, rowOf as eraRowOf } from '../integration/eras.ts';
import { code, table } from './markdown.ts';

/** What writes a table: its name is the name of the generated part. */
type Writers = Readonly<Record<string, () => string>>;

const ALERT = z.object({
  alert: z.string(),
  labels: z.object({ severity: z.string() }),
  annotations: z.object({ summary: z.string() }),
});
const RULES = z.object({
  groups: z.array(z.object({ rules: z.array(z.union([ALERT, z.object({ record: z.string() })])) })),
});

/** The writers of all tables. */
export async function tableWriters(): Promise<Writers> {
  const { body } = await createMetrics('0').exposition();
  const sections = [...new Set(settingNames.map((name) => rowOf(name).section))];
  return {
    ...Object.fromEntries(sections.map((section) => [`settings ${section}`, () => settings(section)])),
    metrics: () => metrics(body),
    'metric labels': () => metricLabels(body),
    alerts,
    ci,
    refusal,
    'log events': () =>
      table(
        ['Log event', 'Level', 'What it says'],
        Object.entries(LOG_EVENTS).map(([event, [level, meaning]]) => [code(event), level, meaning]),
      ),
    'node verdicts': () => verdicts('Node verdict', NODE_HELP),
    'machine verdicts': () => verdicts('Machine verdict', MACHINE_HELP),
    commands: () =>
      table(
        ['Command', 'What it does'],
        commandNames.map((name) => [commandLink(name), commandRow(name).sentence]),
      ),
    'exit codes': exitCodes,
    ...Object.fromEntries(
      commandNames.map((name) => [`command ${name}`, () => command(`kube-register ${name}`, commandRow(name))]),
    ),
    'command daemon': () => command('kube-register', DAEMON_ROW),
    checks: () =>
      table(
        ['Check', 'What is right when it finds nothing'],
        Object.entries(CHECKS).map(([name, well]) => [code(name), well]),
      ),
    servers: () =>
      table(['Kubernetes', 'API used', 'Register', 'Adopt', 'Labels', 'Deregister', 'List'], ERAS.map(eraRowOf)),
  };
}

/** The commands of .ci/run, as they stand there. */
function ci(): string {
  const commands = readFileSync(new URL('../../.ci/run', import.meta.url), 'utf8').match(/^npm .+$/gm) ?? [];
  return `\`\`\`sh\n${commands.join('\n')}\n\`\`\`\n`;
}

/** What a client on another computer reads of /status. */
function refusal(): string {
  const [here, elsewhere] = ['10.0.0.11:10271', '10.0.0.99'];
  const place = { address: { host: '::', port: 10_271 }, scheme: 'http' } as const;
  const { body } = refusalOf({ denied: 'elsewhere', address: elsewhere }, { host: here }, place);
  return `\`\`\`console\n$ curl http://${here}/status\n${body}\`\`\`\n`;
}

function settings(section: string): string {
  const names = settingNames.filter((name) => rowOf(name).section === section);
  return table(['Variable', 'Flag', 'Default', 'Meaning'], names.map(settingRow));
}

function settingRow(name: SettingName): string[] {
  const { default: standard, help, empty } = rowOf(name);
  const meaning = empty === undefined ? help : `${help} Empty: ${empty}.`;
  const shown = standard === undefined || standard === '' ? 'not set' : code(standard);
  return [code(envName(name)), code(flagName(name)), shown, meaning];
}

function commandLink(name: CommandName): string {
  return `[${code(name)}](#kube-register-${name})`;
}

/** Usage, what its arguments are, flags and examples. */
function command(program: string, row: CommandRow): string {
  const flags = row.flags.map(({ long, short, value, help }) => {
    const name = short === undefined ? `--${long}` : `-${short}, --${long}`;
    return [code(value === undefined ? name : `${name} ${value}`), help];
  });
  return [
    `${row.sentence}\n`,
    `    ${usageOf(program, row)}\n`,
    ...(row.about === '' ? [] : [`${row.about}\n`]),
    ...(flags.length === 0 ? [] : [table(['Flag', 'What it does'], flags)]),
    table(
      ['Example', 'What for'],
      row.examples.map(({ purpose, command: line }) => [code(line), purpose]),
    ),
  ].join('\n');
}

/** A row for each command and code. */
function exitCodes(): string {
  const rows = [['daemon', DAEMON_ROW] as const, ...commandNames.map((name) => [name, commandRow(name)] as const)];
  const codes = [...new Set(rows.flatMap(([, row]) => row.exitCodes.map(([exitCode]) => exitCode)))].sort();
  return table(
    ['Command', ...codes.map(String)],
    rows.map(([name, row]) => {
      const meanings = new Map(row.exitCodes);
      return [code(name), ...codes.map((exitCode) => meanings.get(exitCode) ?? '')];
    }),
  );
}

function verdicts(
  heading: string,
  help: Readonly<Record<string, { readonly means: string; readonly mayDo: string }>>,
): string {
  const rows = Object.entries(help).map(([verdict, { means, mayDo }]) => [code(verdict), means, mayDo]);
  return table([heading, 'What it means', 'What you may do'], rows);
}

/** From Prometheus' text format, so that the page has what is scraped. */
function metrics(body: string): string {
  const types = new Map(
    [...body.matchAll(/^# TYPE (kube_register_\w+) (\w+)$/gm)].map(([, name, type]) => [name, type]),
  );
  const rows = [...body.matchAll(/^# HELP (kube_register_\w+) (.+)$/gm)].map(([, name = '', help = '']) => {
    return [code(name), types.get(name) ?? '', [...seriesLabels(body, name).keys()].map(code).join(', '), help];
  });
  return table(['Metric', 'Type', 'Labels', 'Meaning'], rows);
}

/** The values of each label that exist from the start. */
function metricLabels(body: string): string {
  const values = new Map<string, Set<string>>();
  for (const [label, found] of seriesLabels(body, 'kube_register_\\w+')) {
    values.set(label, new Set([...(values.get(label) ?? []), ...found]));
  }
  values.delete('version');
  const rows = [...values].map(([label, found]) => [code(label), [...found].map(code).join(', ')]);
  return table(['Label', 'Values from the start'], rows);
}

/** The labels of the series of these metrics, each with its values. The buckets of histograms are left out. */
function seriesLabels(body: string, name: string): Map<string, string[]> {
  const labels = new Map<string, string[]>();
  for (const [, text = ''] of body.matchAll(new RegExp(`^${name}(?:_bucket|_sum|_count)?\\{(.*)\\} `, 'gm'))) {
    for (const [, label = '', value = ''] of text.matchAll(/(\w+)="([^"]*)"/g)) {
      if (label !== 'le') labels.set(label, [...new Set([...(labels.get(label) ?? []), value])]);
    }
  }
  return labels;
}

function alerts(): string {
  const text = readFileSync(new URL('../../deploy/prometheus/rules.yml', import.meta.url), 'utf8');
  const rules = RULES.parse(parse(text)).groups.flatMap((group) => group.rules);
  const rows = rules.flatMap((rule) => {
    if (!('alert' in rule)) return [];
    const summary = rule.annotations.summary.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, '($1)');
    return [
      [`[${code(rule.alert)}](../prometheus/runbook.md#${rule.alert.toLowerCase()})`, rule.labels.severity, summary],
    ];
  });
  return table(['Alert', 'Severity', 'What it says'], rows);
}
