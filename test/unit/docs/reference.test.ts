/** The pages name what there is: settings, commands, flags, metrics, verdicts, annotations, Events, and no others. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readCommandLine } from '../../../src/commands/cli/command-line.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import * as marks from '../../../src/reconcile/evidence/marks.ts';
import { REASONS } from '../../../src/reconcile/plan/verdict.ts';
import { findGiven } from '../../../src/settings/given.ts';
import { isSettingName, settingNames } from '../../../src/settings/table.ts';
import { MACHINE_HELP, NODE_HELP } from '../../../src/status/verdict-help.ts';
import { operatorPages, ROOT, readDocument } from '../../docs/documents.ts';
import { MACHINE_STEPS, NODE_STEPS } from '../../docs/pictures.ts';
import { mistakes } from '../settings/read-settings.ts';

const pages = operatorPages();
const all = pages.map(({ text }) => text).join('\n');

/** The one that people write, and the program only reads. */
const VETO = 'kube-register.io/keep';

/** The cells of every row of the tables of a page that have this first heading. */
function tablesOf(path: string, firstHeading: string): string[][] {
  const rows: string[][] = [];
  let inside = false;
  for (const line of readDocument(path).text.split('\n')) {
    const cells = line.startsWith('| ') ? line.slice(2, -2).split(' | ') : [];
    if (cells.length === 0) inside = false;
    else if (cells[0] === firstHeading) inside = true;
    else if (inside && cells[0] !== '---') rows.push(cells.map((cell) => cell.trim()));
  }
  return rows;
}

/** Every different text that the first group of the pattern finds, in the order in which they come. */
function mentioned(pattern: RegExp, text = all): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, found = '']) => found))];
}

function code(text: string): string {
  return `\`${text}\``;
}

describe('the pages on commands', () => {
  it('show no command line that the program would refuse, and name no command that there is not', () => {
    const blocks = [...all.matchAll(/```(?:sh|console)\n(.*?)```/gs)].flatMap(([, block = '']) => block.split('\n'));
    const spans = mentioned(/`(kube-register [^`\n]+)`/g);
    const lines = [...blocks, ...spans].flatMap((line) => /^(?:\$ )?kube-register (.*)$/.exec(line)?.[1] ?? []);
    expect(lines.length).toBeGreaterThan(20);
    for (const line of lines) {
      const words = line
        .replace(/ +#.*| +[|>\\].*$/, '')
        .replaceAll(/\[.*?\] ?/g, '')
        .trim()
        .split(/\s+/);
      const { rest, mistakes: wrong } = readCommandLine(words);
      expect([line, ...wrong, ...findGiven(rest, {}).mistakes]).toEqual([line]);
    }
  });
});

describe('the pages on settings', () => {
  it('name no variable that the program would refuse', () => {
    const variables = mentioned(/\b(KUBE_REGISTER_[A-Z0-9_]*[A-Z0-9])\b/g);
    expect(variables.length).toBeGreaterThan(settingNames.length);
    const env = Object.fromEntries(variables.map((name) => [name, '']));
    expect(findGiven([], env).mistakes).toEqual([]);
  });

  it('name no setting by its short name that is none', () => {
    const others =
      /^(HTTPS?_PROXY|NO_(PROXY|COLOR)|NODE_OPTIONS|KUBERNETES_SERVICE_(HOST|PORT)|IMAGE|DOCKER_OPTIONS|SOCKET_FOLDER|API_ADDRESS|COREOS_PRIVATE_IPV4|SIG[A-Z]+|NAME|FORMAT|LIST|SELECTOR|FILE|HOST|UNIT|NODE|MACHINE|COMMAND|GET|HEAD)$/;
    const names = mentioned(/`([A-Z]+(?:_[A-Z0-9]+)*)(?:=[^`]*)?`/g).filter(
      (name) => !name.startsWith('KUBE_REGISTER_') && !others.test(name),
    );
    expect(names).toContain('ADOPT');
    expect(names.filter((name) => !isSettingName(name))).toEqual([]);
  });

  it('are right about each schedule that they say is refused', () => {
    const rows = tablesOf('deploy/docs/settings.md', 'A schedule that is refused');
    const refused = rows.map(([expression = '']) => expression.slice(1, -1));
    expect(refused).toHaveLength(6);
    for (const expression of refused) {
      expect([expression, mistakes({ SYNC_SCHEDULE: expression }).length]).toEqual([expression, 1]);
    }
  });

  it('list flags of the Go program that are all taken', () => {
    const flags = tablesOf('deploy/docs/from-the-go-program.md', 'Flag').map(([flag = '']) => flag.slice(1, -1));
    expect(flags).toHaveLength(7);
    const others = flags.filter((flag) => flag !== '-version');
    expect(
      findGiven(
        others.map((flag) => `${flag}=1`),
        {},
      ).mistakes,
    ).toEqual([]);
    expect(readCommandLine(['-version']).command.name).toBe('version');
  });
});

describe('the pages on metrics', async () => {
  const { body } = await createMetrics('0').exposition();

  it('name no metric that there is not, and no value that its label does not have', () => {
    const known = new Set(mentioned(/^# TYPE (kube_register_\w+) /gm, body));
    const names = mentioned(/\b(kube_register_\w+)/g).map((name) => name.replace(/_(bucket|sum|count)$/, ''));
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !known.has(name))).toEqual([]);
    for (const [, name = '', label = '', values = ''] of all.matchAll(/(kube_register_\w+)\{(\w+)=~?"([^"]*)"\}/g)) {
      for (const value of values.split('|')) {
        if (label !== 'code') expect(body).toMatch(new RegExp(`^${name}\\{(.*,)?${label}="${value}"`, 'm'));
      }
    }
  });
});

describe('the pages on decisions', () => {
  it('give every reason of a deregistration its row', () => {
    const rows = tablesOf('deploy/docs/deregistration.md', 'A managed node that is not alive');
    expect(rows.map((cells) => cells.at(-1)).toSorted()).toEqual(REASONS.map(code).toSorted());
  });

  it('explain everything that is written on a node, and no other', () => {
    const written: string[] = Object.values(marks).filter((mark) => typeof mark === 'string');
    const keys = [...written.filter((key) => key.includes('/')), VETO];
    const rows = tablesOf('deploy/docs/decisions.md', 'On the node').map(([first]) => first);
    expect(rows.toSorted()).toEqual(keys.map(code).toSorted());
    const named = mentioned(/\b(kube-register\.io\/[a-z-]*[a-z])/g);
    expect(named.filter((key) => !keys.includes(key))).toEqual([]);
  });

  it('draw every question with verdicts that there are', () => {
    const verdicts = [...MACHINE_STEPS, ...NODE_STEPS].flatMap(({ verdict }) => verdict.join(' ').split(/[ ,;]+/));
    const known = [...Object.keys(NODE_HELP), ...Object.keys(MACHINE_HELP)];
    const words = verdicts.filter((word) => word.includes('-'));
    expect(words.length).toBeGreaterThan(4);
    expect(words.filter((word) => !known.includes(word))).toEqual([]);
  });

  it.each(['true', 'yes', ''])('are right that keep=%j keeps a node, as an annotation and as a label', (value) => {
    const [veto, none] = [new Map([[VETO, value]]), new Map()];
    expect(marks.isKept({ annotations: veto, labels: none })).toBe(true);
    expect(marks.isKept({ annotations: none, labels: veto })).toBe(true);
  });

  it('are right that keep=false does not', () => {
    expect(marks.isKept({ annotations: new Map([[VETO, 'false']]), labels: new Map() })).toBe(false);
  });
});

describe('test/README.md', () => {
  it('has a row for every suite that package.json has', () => {
    const { scripts } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));
    const suites = Object.keys(scripts).filter((name) =>
      /^test(:(?!.*setup)|$)|^(simulate|mutate|bench|docs)$/.test(name),
    );
    const rows = tablesOf('test/README.md', 'Command').map(([command = '']) => command.replace(/ -- --check/, ''));
    expect(rows.toSorted()).toEqual(
      suites.map((name) => code(name === 'test' ? 'npm test' : `npm run ${name}`)).toSorted(),
    );
  });
});

describe('README.md', () => {
  it('has the commands for a fresh machine, and .ci/run calls them', () => {
    const { text } = readDocument('README.md');
    const ci = readFileSync(new URL('.ci/run', ROOT), 'utf8').split('\n');
    const [, block = ''] = /```sh\n(npm ci.*?)```/s.exec(text) ?? [];
    const test = block.split('\n').find((line) => line.includes('npm test')) ?? '';
    const commands = test.replace(/ +#.*$/, '').split(' && ');
    expect(commands).toEqual(['npm ci', 'npm test']);
    for (const command of commands) expect(ci).toContain(command);
  });
});
