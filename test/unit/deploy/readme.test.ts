/** README.md says what the program does: its settings, metrics, verdicts, marks, scripts and paths, and no others. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CHECKS } from '../../../src/commands/check/finding.ts';
import { readCommandLine } from '../../../src/commands/cli/command-line.ts';
import { COMMANDS } from '../../../src/commands/cli/commands.ts';
import { LOG_EVENTS } from '../../../src/log/log-events.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import * as marks from '../../../src/reconcile/evidence/marks.ts';
import { REASONS } from '../../../src/reconcile/plan/verdict.ts';
import { findGiven } from '../../../src/settings/given.ts';
import { envName, flagName, isSettingName, rowOf, settingNames } from '../../../src/settings/table.ts';
import { MACHINE_HELP, NODE_HELP } from '../../../src/status/verdict-help.ts';
import { ERAS, rowOf as eraRowOf } from '../../integration/eras.ts';
import { mistakes } from '../settings/read-settings.ts';

const root = new URL('../../../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');
const headings = [...readme.matchAll(/^#{2,3} (.+)$/gm)].map(([, title = '']) => title);

/** The one that people write, and the program only reads. */
const VETO = 'kube-register.io/keep';

/** The cells of every row of the tables that have this first heading. */
function tablesOf(firstHeading: string): string[][] {
  const rows: string[][] = [];
  let inside = false;
  for (const line of readme.split('\n')) {
    const cells = line.startsWith('| ') ? line.slice(2, -2).split(' | ') : [];
    if (cells.length === 0) inside = false;
    else if (cells[0] === firstHeading) inside = true;
    else if (inside && cells[0] !== '---') rows.push(cells.map((cell) => cell.trim()));
  }
  return rows;
}

/** Every different text that the first group of the pattern finds, in the order in which they come. */
function mentioned(pattern: RegExp, text = readme): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, found = '']) => found))];
}

function rowsOf(help: Readonly<Record<string, { readonly means: string; readonly mayDo: string }>>): string[][] {
  return Object.entries(help).map(([verdict, { means, mayDo }]) => [code(verdict), means, mayDo]);
}

function code(text: string): string {
  return `\`${text}\``;
}

describe('README.md on commands', () => {
  it('names no command that there is not', () => {
    const names = mentioned(/`kube-register ([a-z]+)/g);
    expect(names).toContain('explain');
    expect(names.filter((name) => !Object.hasOwn(COMMANDS, name))).toEqual([]);
  });
});

describe('README.md on checks', () => {
  it('has each, and what is well where it finds nothing', () => {
    expect(tablesOf('Check')).toEqual(Object.entries(CHECKS).map(([name, well]) => [code(name), well]));
  });
});

describe('README.md on settings', () => {
  it('has the table of --help: every setting with its variable, flag, default and meaning, and no other', () => {
    const table = settingNames.map((name) => {
      const { default: standard, help, empty } = rowOf(name);
      const meaning = empty === undefined ? help : `${help} Empty: ${empty}.`;
      const shown = standard === undefined || standard === '' ? 'not set' : code(standard);
      return [code(envName(name)), code(flagName(name)), shown, meaning.replaceAll('<', '\\<')];
    });
    expect(tablesOf('Variable')).toEqual(table);
  });

  it('names no variable that the program would refuse', () => {
    const variables = mentioned(/\b(KUBE_REGISTER_[A-Z0-9_]*[A-Z0-9])\b/g);
    expect(variables.length).toBeGreaterThan(settingNames.length);
    const env = Object.fromEntries(variables.map((name) => [name, '']));
    expect(findGiven([], env).mistakes).toEqual([]);
  });

  it('names no setting by its short name that is none', () => {
    const notSettings = [
      'HTTP_PROXY',
      'HTTPS_PROXY',
      'NO_PROXY',
      'NO_COLOR',
      'NODE_OPTIONS',
      'KUBERNETES_SERVICE_HOST',
      'KUBERNETES_SERVICE_PORT',
    ];
    const names = mentioned(/`([A-Z]+(?:_[A-Z]+)*)(?:=[^`]*)?`/g).filter(
      (name) => !name.startsWith('KUBE_REGISTER_') && !notSettings.includes(name),
    );
    expect(names).toContain('ADOPT');
    expect(names.filter((name) => !isSettingName(name))).toEqual([]);
  });

  it('gives the program no flag that it would refuse, except where it shows what is refused', () => {
    const commands = readme.replaceAll('\\\n', ' ').matchAll(/^(?!\s*\$).*node dist\/main\.js (.+)$/gm);
    const lines = [...commands].map(([, rest = '']) => rest.replace(/`.*/, '').trim().split(/\s+/));
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) {
      const { rest, mistakes } = readCommandLine(line);
      expect([...mistakes, ...findGiven(rest, {}).mistakes]).toEqual([]);
    }
  });

  it('shows the mistakes as they are said', () => {
    const { mistakes } = findGiven(['--metdata', 'x', '--policy=foo'], {});
    for (const line of mistakes) expect(readme).toContain(`\n    ${line}\n`);
  });

  it('is right about each schedule that it says is refused', () => {
    const refused = tablesOf('A schedule that is refused').map(([expression = '']) => expression.slice(1, -1));
    expect(refused).toHaveLength(6);
    for (const expression of refused) {
      expect([expression, mistakes({ SYNC_SCHEDULE: expression }).length]).toEqual([expression, 1]);
    }
  });

  it('takes every flag of the Go program that it lists', () => {
    const flags = tablesOf('Flag').map(([flag = '']) => flag.slice(1, -1));
    expect(flags).toHaveLength(7);
    const { mistakes } = findGiven(
      flags.filter((flag) => flag !== '-version').map((flag) => `${flag}=1`),
      {},
    );
    expect(mistakes).toEqual([]);
    expect(readCommandLine(['-version']).command).toEqual({ name: 'version' });
  });
});

describe('README.md on metrics', async () => {
  const { body } = await createMetrics('0').exposition();
  const types = new Map(
    [...body.matchAll(/^# TYPE (kube_register_\w+) (\w+)$/gm)].map(([, name = '', type]) => [name, type]),
  );

  function labelsOf(name: string): string[] {
    const series = body.matchAll(new RegExp(`^${name}(?:_bucket)?\\{(.*)\\} `, 'gm'));
    const labels = [...series].flatMap(([, text = '']) => mentioned(/(\w+)=/g, text));
    return [...new Set(labels)].filter((label) => label !== 'le');
  }

  it('has every metric with its type, labels and meaning, and no other', () => {
    const helps = [...body.matchAll(/^# HELP (kube_register_\w+) (.+)$/gm)];
    const table = helps.map(([, name = '', help]) => {
      return [code(name), types.get(name), labelsOf(name).map(code).join(', '), help];
    });
    expect(table.length).toBeGreaterThan(20);
    expect(tablesOf('Metric')).toEqual(table);
  });

  it('names no metric that there is not, and no value that its label does not have', () => {
    const names = mentioned(/\b(kube_register_\w+)/g);
    expect(names.filter((name) => !types.has(name))).toEqual([]);
    for (const [, name = '', label = '', values = ''] of readme.matchAll(/(kube_register_\w+)\{(\w+)=~?"([^"]*)"\}/g)) {
      for (const value of values.split('|')) expect(body).toContain(`${name}{${label}="${value}"}`);
    }
  });

  it('lists every alert that there is, and no other', () => {
    const alerts = [...readFileSync(new URL('deploy/prometheus/rules.yml', root), 'utf8').matchAll(/- alert: (\w+)/g)];
    expect(tablesOf('Alert').map(([alert]) => alert)).toEqual(alerts.map(([, name = '']) => code(name)));
  });

  it('lists the values of every label that are known from the start', () => {
    const paragraph = /The values of the labels: .*?\n\n/s.exec(readme)?.[0] ?? '';
    for (const label of ['target', 'cause', 'state', 'reason']) {
      const known = mentioned(new RegExp(`[{,]${label}="([^"]*)"`, 'g'), body);
      const clause = new RegExp(`\`${label}\` is ([^;.]*)[;.]`).exec(paragraph)?.[1] ?? '';
      expect(mentioned(/`([^`]+)`/g, clause)).toEqual(known);
    }
  });
});

describe('README.md on the log', () => {
  it('has every event with its level and meaning, and no other', () => {
    const table = Object.entries(LOG_EVENTS).map(([event, [level, meaning]]) => [code(event), level, meaning]);
    expect(tablesOf('Log event')).toEqual(table);
  });
});

describe('README.md on API servers', () => {
  it('has the table that the era story proves, and expects the rest', () => {
    const rows = tablesOf('Kubernetes');
    expect(rows.slice(0, -1)).toEqual(ERAS.map(eraRowOf));
    expect(
      rows
        .at(-1)
        ?.slice(2)
        .every((cell) => cell.includes('expected')),
    ).toBe(true);
  });
});

describe('README.md on decisions', () => {
  const firstCells = (heading: string) => tablesOf(heading).map(([first]) => first);

  it('explains every verdict of a node, and no other, as the program does', () => {
    expect(tablesOf('Node verdict')).toEqual(rowsOf(NODE_HELP));
  });

  it('explains every verdict of a machine, and no other, as the program does', () => {
    expect(tablesOf('Machine verdict')).toEqual(rowsOf(MACHINE_HELP));
  });

  it('gives every reason of a deregistration its row', () => {
    const reasons = tablesOf('A managed node that is not alive').map((cells) => cells.at(-1));
    expect(reasons.toSorted()).toEqual(REASONS.map(code).toSorted());
  });

  it('explains everything that is written on a node, and no other', () => {
    const written: string[] = Object.values(marks).filter((mark) => typeof mark === 'string');
    const keys = [...written.filter((key) => key.includes('/')), VETO];
    expect(firstCells('On the node').toSorted()).toEqual(keys.map(code).toSorted());
    const named = mentioned(/\b(kube-register\.io\/[a-z-]*[a-z])/g);
    expect(named.filter((key) => !keys.includes(key))).toEqual([]);
  });
});

describe('README.md on vetoes', () => {
  it.each(['true', 'yes', ''])('is right that keep=%j keeps a node, as an annotation and as a label', (value) => {
    const [veto, none] = [new Map([[VETO, value]]), new Map()];
    expect(marks.isKept({ annotations: veto, labels: none })).toBe(true);
    expect(marks.isKept({ annotations: none, labels: veto })).toBe(true);
  });

  it('is right that keep=false does not', () => {
    expect(marks.isKept({ annotations: new Map([[VETO, 'false']]), labels: new Map() })).toBe(false);
  });
});

describe('README.md on the project', () => {
  it('names only scripts that package.json has', () => {
    const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
    const named = mentioned(/npm run ([\w-]+)/g);
    expect(named.length).toBeGreaterThan(3);
    for (const name of named) expect(Object.keys(scripts)).toContain(name);
  });

  it('names only files and folders that are there', () => {
    const paths = mentioned(/((?:\.ci|src|test|deploy)\/[\w./-]*[\w/])/g);
    expect(paths.length).toBeGreaterThan(20);
    expect(paths.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
  });

  it('says what .ci/run does, in its order', () => {
    const commands = readFileSync(new URL('.ci/run', root), 'utf8').match(/^npm .+$/gm) ?? [];
    expect(tablesOf('Command').map(([command]) => command)).toEqual(commands.map(code));
  });

  it('links only to headings that there are', () => {
    const anchors = headings.map((title) =>
      title
        .toLowerCase()
        .replaceAll("'", '')
        .replaceAll(/[^\w-]+/g, '-'),
    );
    const links = mentioned(/\]\(#([^)]+)\)/g);
    expect(links.length).toBeGreaterThan(8);
    expect(links.filter((link) => !anchors.includes(link))).toEqual([]);
  });
});
