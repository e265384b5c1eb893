/** Completions, in the shells that are there. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { completionScript } from '../../../../src/commands/cli/completion.ts';

const SHELLS = [
  ['bash', '/bin/bash'],
  ['zsh', '/usr/bin/zsh'],
] as const;

/** What the shell offers behind these words, of which the last one is being typed. */
function offered(shell: 'bash' | 'zsh', path: string, words: readonly string[]): readonly string[] {
  const line = ['kube-register', ...words].map((word) => `'${word}'`).join(' ');
  // As the shells call it: zsh runs completions of bash in sh mode.
  const call = `COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _kube_register; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const ask = shell === 'zsh' ? `ask() { emulate -L sh; setopt kshglob noshglob braceexpand; ${call} }; ask` : call;
  const options = shell === 'zsh' ? ['-f', '-c'] : ['--norc', '-c'];
  const { stdout, stderr } = spawnSync(path, [...options, `${completionScript(shell)}\n${ask}`], { encoding: 'utf8' });
  expect(stderr).toBe('');
  const last = words.at(-1) ?? '';
  // zsh itself leaves out what does not begin as the word that is typed.
  const begins = (word: string) => shell === 'bash' || last === '=' || word.startsWith(last);
  return stdout.split('\n').filter((word) => word !== '' && begins(word));
}

describe.each(SHELLS)('in %s', (shell, path) => {
  it.runIf(existsSync(path)).each([
    [['st'], ['status']],
    [['status', '--tr'], ['--trouble']],
    [['status', '--verdict', 'he'], ['held']],
    [
      ['status', '-o', ''],
      ['text', 'wide', 'json', 'yaml', 'name'],
    ],
    [['check', '--output', 'j'], ['json']],
    [['check', '--output', '=', 'j'], ['json']],
    [
      ['check', '--output', '='],
      ['text', 'json'],
    ],
    [['plan', '--metad'], ['--metadata']],
    [['--metad'], ['--metadata']],
    [['plan', '--metadata', ''], []],
    [['help', 'sett'], ['settings']],
    [
      ['completion', ''],
      ['bash', 'zsh', '--help'],
    ],
    [['manifests', 'rbac-'], ['rbac-v1beta1']],
    [['plan', '--dae'], []],
  ])('%j', (words, expected) => {
    expect(offered(shell, path, words)).toEqual(expected);
  });
});

// zsh lists files only while a person types.
it.each(['--unit', '--api-token-file'])('in bash, behind %s, are files', (flag) => {
  expect(offered('bash', '/bin/bash', ['check', flag, '/etc/host'])).toContain('/etc/hosts');
});
