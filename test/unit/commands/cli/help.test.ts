import { describe, expect, it } from 'vitest';
import { readCommandLine } from '../../../../src/commands/cli/command-line.ts';
import { COMMANDS, commandNames, commandRow, TOPICS } from '../../../../src/commands/cli/commands.ts';
import { helpText } from '../../../../src/commands/cli/help.ts';
import { readSettings } from '../../../../src/settings/settings.ts';
import { envName, flagName, rowOf, settingNames } from '../../../../src/settings/table.ts';
import { MACHINE_HELP, NODE_HELP } from '../../../../src/status/verdict-help.ts';

const flat = (text: string) => text.replaceAll(/\s+/g, ' ');

describe('help', () => {
  it.each([undefined, ...commandNames, ...TOPICS])(
    'on %s fits 80 columns, without blanks at the ends of lines',
    (topic) => {
      for (const line of helpText(topic).split('\n')) {
        // A default is one word, to be copied.
        if (!line.startsWith('      Default: ')) expect(line.length).toBeLessThanOrEqual(80);
        expect(line).toBe(line.trimEnd());
      }
    },
  );

  it('on the program fits a screen of 24 lines: each command, the ten settings that are set most, where the rest is', () => {
    const text = helpText(undefined);
    expect(text.split('\n').length).toBeLessThan(24);
    for (const [name, { brief }] of Object.entries(COMMANDS))
      expect(text).toMatch(new RegExp(`^ {2}${name} +${brief}$`, 'm'));
    expect(text.match(/^ {2}--[a-z-]+ /gm)).toHaveLength(10);
    expect(text).toContain('kube-register help settings');
  });

  it.each([...commandNames, 'daemon'] as const)('on %s fits a screen', (topic) => {
    expect(helpText(topic).split('\n').length).toBeLessThan(24);
  });

  it.each(commandNames)(
    'on %s has a sentence, the usage, two examples that can be typed, every flag and the exit codes',
    (name) => {
      const row = commandRow(name);
      const text = helpText(name);
      expect(text.replaceAll('\n', ' ').startsWith(row.sentence)).toBe(true);
      expect(text).toContain(`\nUsage: kube-register ${name}`);
      for (const { command } of row.examples) expect(text).toContain(`\n  ${command}\n`);
      for (const { long } of row.flags) expect(text).toMatch(new RegExp(`^ {2}.*--${long}( |$)`, 'm'));
      for (const [code, meaning] of row.exitCodes) expect(flat(text)).toContain(` ${code} ${meaning}`);
    },
  );

  it('on settings shows each with its variable, its flag, its default and its meaning', () => {
    const lines = helpText('settings').split('\n');
    for (const name of settingNames) {
      const at = lines.indexOf(`  ${envName(name)}, ${flagName(name)}`);
      const { default: standard, help: meaning, empty } = rowOf(name);
      expect([name, lines[at + 1]]).toEqual([name, `      Default: ${standard || 'not set'}`]);
      expect([name, `${meaning} Empty: ${empty}.`.startsWith(lines[at + 2]?.trim() ?? '-')]).toEqual([name, true]);
    }
  });

  it('on verdicts explains each', () => {
    const text = flat(helpText('verdicts'));
    for (const [verdict, { means }] of [...Object.entries(NODE_HELP), ...Object.entries(MACHINE_HELP)])
      expect(text).toContain(` ${verdict} ${means.replaceAll('`', '')}`);
  });

  it('has only examples that the program takes', () => {
    const examples = [...commandNames.flatMap((name) => commandRow(name).examples)];
    for (const { command } of examples) {
      const [, words = ''] =
        /kube-register (?!\.service)([^|>)]+)/.exec(command.replace('kube-register.service', '')) ?? [];
      const { rest, mistakes } = readCommandLine(words.trim().split(' '));
      expect([command, mistakes, readSettings(rest, {}, () => false).kind]).toEqual([command, [], 'run']);
    }
  });
});
