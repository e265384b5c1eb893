import { describe, expect, it } from 'vitest';
import { COMMAND_FLAGS, COMMANDS } from '../../../src/settings/command-line.ts';
import { readSettings } from '../../../src/settings/settings.ts';
import { envName, flagName, rowOf, settingNames } from '../../../src/settings/table.ts';

function kindOf(argv: string[], env: Record<string, string> = {}): string {
  return readSettings(argv, env, () => false).kind;
}

function help(): string {
  const result = readSettings(['--help'], {}, () => false);
  return result.kind === 'help' ? result.text : '';
}

describe('help', () => {
  it.each(['-h', '-help', '--help', '--h'])('%s asks for it', (flag) => {
    expect(kindOf([flag])).toBe('help');
  });

  it('is given even where settings are wrong or the version is asked too', () => {
    expect(kindOf(['--nonsense', 'x', '--version', '-h'], { KUBE_REGISTER_POLICY: 'x' })).toBe('help');
  });

  it('shows each setting with its variable, its flag, its default and its meaning', () => {
    const lines = help().split('\n');
    for (const name of settingNames) {
      const at = lines.findIndex((line) => line.split(/\s+/).includes(envName(name)));
      const [first = '', second = '', third = ''] = lines.slice(at, at + 3);
      expect(first.split(/\s+/)).toContain(flagName(name));
      const { default: standard, help: meaning } = rowOf(name);
      expect([first, second].some((line) => line.endsWith(standard || 'not set'))).toBe(true);
      expect([second, third].some((line) => meaning.startsWith(line.trim().slice(0, 40)))).toBe(true);
    }
  });

  it('shows each command, and the flags of commands', () => {
    for (const [name, does] of Object.entries(COMMANDS))
      expect(help()).toMatch(new RegExp(`^  ${name} +${does}$`, 'm'));
    for (const { flag } of COMMAND_FLAGS) expect(help()).toContain(`\n  ${flag} `);
  });

  it('fits 120 columns, without blanks at the ends of lines', () => {
    for (const line of help().split('\n')) {
      expect(line.length).toBeLessThanOrEqual(120);
      expect(line).toBe(line.trimEnd());
    }
  });

  it('ends with the exit codes', () => {
    expect(help()).toMatch(/Exit codes\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}3 .*\n$/);
  });
});

describe('the version', () => {
  it.each(['-version', '--version'])('is asked for by %s, even where settings are wrong', (flag) => {
    expect(kindOf([flag], { KUBE_REGISTER_POLICY: 'x' })).toBe('version');
  });
});
