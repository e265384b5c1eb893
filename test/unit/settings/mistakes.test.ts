import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../../src/settings/settings.ts';
import { flagName, settingNames } from '../../../src/settings/table.ts';
import { type Env, mistakes, prefixed } from './read-settings.ts';

describe('a mistake', () => {
  it('is named as the operator wrote it, when it was a flag', () => {
    expect(mistakes({}, ['-policy', 'delete'])).toEqual(['-policy="delete": must be sync or register-only']);
    expect(mistakes({}, ['--policy=delete'])).toEqual(['--policy="delete": must be sync or register-only']);
  });

  it('does not hide the others: all are said together', () => {
    const lines = mistakes({ POLICY: 'delete', ADOPT: 'perhaps', NO_SUCH: '1', FLEET_CERT_FILE: '/c' }, ['--listen=x']);
    const about = [
      'KUBE_REGISTER_NO_SUCH',
      'KUBE_REGISTER_ADOPT',
      'KUBE_REGISTER_POLICY',
      '--listen',
      'KUBE_REGISTER_FLEET_CERT_FILE',
    ];
    for (const name of about) expect(lines.some((line) => line.startsWith(name))).toBe(true);
  });
});

describe('a name that is not one', () => {
  it.each([
    ['FLET_ENDPOINT', 'did you mean KUBE_REGISTER_FLEET_ENDPOINT?'],
    ['METDATA', 'did you mean KUBE_REGISTER_METADATA?'],
    ['DRYRUN', 'did you mean KUBE_REGISTER_DRY_RUN?'],
    ['metadata', 'did you mean KUBE_REGISTER_METADATA?'],
    ['API_TOKEN', 'did you mean KUBE_REGISTER_API_TOKEN_FILE?'],
    ['FLEET', 'see kube-register help settings'],
    ['COLOUR', 'see kube-register help settings'],
    ['toString', 'see kube-register help settings'],
    ['PORTS', 'see kube-register help settings'],
    ['X'.repeat(5_000), 'see kube-register help settings'],
  ])('variable %s: %s', (name, advice) => {
    const [line, ...others] = mistakes({ [name]: 'x' });
    expect(others).toEqual([]);
    expect(line).toContain(`KUBE_REGISTER_${name.slice(0, 40)}`);
    expect(line).toContain(`unknown setting; ${advice}`);
  });

  it.each([
    ['--fleet-endpiont=x', '--fleet-endpiont: unknown setting; did you mean --fleet-endpoint?'],
    ['--fleet_endpoint=x', '--fleet_endpoint: unknown setting; did you mean --fleet-endpoint?'],
    ['--ONCE', '--ONCE: unknown setting; did you mean --once?'],
    ['-verison', '-verison: unknown setting; did you mean --version?'],
    ['---once', '---once: unknown setting; did you mean --once?'],
    ['--apiserver-endpoint=http://k', '--apiserver-endpoint: unknown setting; did you mean --api-endpoint?'],
    ['--colour', '--colour: unknown setting; see kube-register help settings'],
    ['--__proto__=1', '--__proto__: unknown setting; see kube-register help settings'],
    ['start', '"start": is not a flag; settings are given as --name=value'],
    ['--', '"--": is not a flag; settings are given as --name=value'],
    ['-', '"-": is not a flag; settings are given as --name=value'],
    ['', '"": is not a flag; settings are given as --name=value'],
    ['--policy', '--policy: needs a value, as in --policy=value'],
  ])('argument %j: %s', (argument, line) => {
    expect(mistakes({}, [argument])).toEqual([line]);
  });

  it('does not make its value a second mistake', () => {
    expect(mistakes({}, ['--api-tokn-file', 'x', '--once'])).toHaveLength(1);
  });

  it('is a missing value, when the next argument is a flag', () => {
    expect(mistakes({}, ['--policy', '--once'])).toEqual(['--policy: needs a value, as in --policy=value']);
  });

  it('is a flag given twice with two values', () => {
    expect(mistakes({}, ['--policy=sync', '-policy=register-only'])).toEqual([
      '-policy: is given twice, with different values',
    ]);
  });
});

describe('a secret', () => {
  it.each<[Env, string[]]>([
    [{ FLEET_ENDPOINT: 'http://admin:hunter2@fleet' }, []],
    [{ API_ENDPOINT: 'https://hunter2@k8s' }, []],
    [{ API_ENDPOINT: 'https://k8s?token=hunter2' }, []],
    [{ API_ENDPOINT: 'https:\\\\u:hunter2@k8s' }, []],
    [{ HEALTHZ_URL: 'http://u:hunter2@{ip}/' }, []],
    [{ LISTEN: 'http://u:hunter2@h' }, []],
    [{ API_TOKEN_FILE: 'hunter2' }, []],
    [{ KUBECONFIG: '/k', API_KEY_FILE: '-----BEGIN PRIVATE KEY-----\nhunter2' }, []],
    [{ API_PASSWORD: 'hunter2' }, []],
    [{}, ['--api-token=hunter2']],
    [{}, ['--api-token', 'hunter2']],
    [{}, ['api-token=hunter2']],
    [{}, ['http://u:hunter2@h']],
    [{}, ['--api-endpoint=https://u:hunter2@h', '--api-endpoint=http://h']],
  ])('in %j %j is not repeated', (variables, flags) => {
    const lines = mistakes(variables, flags);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join('\n')).not.toContain('hunter2');
  });
});

describe('anything at all', () => {
  const piece = fc.constantFrom(
    'true',
    '1s',
    'http://',
    'unix:///',
    '{ip}',
    ',',
    '=',
    '-',
    '*',
    ' ',
    '@',
    '?',
    '0-99',
    'in',
    '(',
    ')',
    '\n',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
  );
  const name = fc.constantFrom(...settingNames);
  const variable = fc.oneof(
    { weight: 4, arbitrary: name },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 10 }) },
  );
  const env = fc.dictionary(variable, text, { maxKeys: 6 }).map(prefixed);
  const flag = fc
    .tuple(fc.constantFrom('', '-'), name, text)
    .map(([dash, which, value]) => `${dash}${flagName(which).slice(1)}=${value}`);
  const argv = fc.array(fc.oneof(flag, text), { maxLength: 4 });

  it('is settings or mistakes, each of them one printable line that names what it is about', () => {
    fc.assert(
      fc.property(argv, env, fc.boolean(), (flags, variables, exists) => {
        const result = readSettings(flags, variables, () => exists);
        expect(['run', 'mistakes']).toContain(result.kind);
        if (result.kind !== 'mistakes') return;
        expect(result.lines.length).toBeGreaterThan(0);
        for (const line of result.lines) {
          expect(line).toMatch(/^("|\(not shown|-|KUBE_REGISTER_)/);
          expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('in one variable is settings, or mistakes of which the first is about that variable', () => {
    fc.assert(
      fc.property(name, text, (which, value) => {
        const [line] = mistakes({ [which]: value });
        if (line !== undefined) expect(line.startsWith(`KUBE_REGISTER_${which}=`)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('given as a flag or as a variable comes to the same', () => {
    fc.assert(
      fc.property(name, text, (which, value) => {
        const asFlag = readSettings([`${flagName(which)}=${value}`], {}, () => false);
        const asVariable = readSettings([], prefixed({ [which]: value }), () => false);
        expect(asFlag.kind).toBe(asVariable.kind);
        if (asFlag.kind === 'run' && asVariable.kind === 'run') expect(asFlag.settings).toEqual(asVariable.settings);
      }),
      { numRuns: 500 },
    );
  });
});
