import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEnvironmentFile } from '../../../../src/commands/check/environment-file.ts';
import { spelledAs } from '../../../../src/commands/check/mends.ts';
import { placed, readUnit } from '../../../../src/commands/check/unit.ts';

let folder: string;
let unit: string;
let env: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kube-register-unit-'));
  unit = join(folder, 'kube-register.service');
  env = join(folder, 'env');
});
afterAll(() => rm(folder, { recursive: true }));

async function read(text: string, variables = '') {
  await writeFile(env, variables);
  await writeFile(unit, text);
  return readUnit(unit);
}

describe('an environment file', () => {
  it.each([
    ['A=b', 'b'],
    ['  A = b c  ', 'b c'],
    ['A=role in (worker, edge)', 'role in (worker, edge)'],
    ['A="b c" ', 'b c'],
    ['A=\'b "c" \\d\'', 'b "c" \\d'],
    ['A="b \\" \\$c \\d"', 'b " $c \\d'],
    ['A=b\\ c\\', 'b c'],
    ['A=b\\\nc', 'bc'],
    ['A="b\nc"', 'b\nc'],
    ['A=b"c d"e', 'bc de'],
    ['A=" b "  ', ' b '],
    ['A=', ''],
    ['A=b # c', 'b # c'],
  ])('%j has the value %j', (text, value) => {
    expect(readEnvironmentFile(text).map(({ name, value }) => [name, value])).toEqual([['A', value]]);
  });

  it('is read line by line; what is no assignment is left out', () => {
    const text = '# A=1\n; B=2\n\nexport C=3\nD=4\n1E=5\nF="x\ny"\nG=6\n';
    expect(readEnvironmentFile(text)).toEqual([
      { name: 'D', value: '4', line: 5 },
      { name: 'F', value: 'x\ny', line: 7 },
      { name: 'G', value: '6', line: 9 },
    ]);
  });
});

describe('a unit', () => {
  it('gives the environment of its section [Service]; the files win, and the last word counts', async () => {
    const text = [
      '[Unit]',
      'Environment=KUBE_REGISTER_POLICY=nothing',
      '[Service]',
      'Environment=KUBE_REGISTER_METADATA=role=a "KUBE_REGISTER_NODE_LABELS=a b" ONE=%%1',
      '# Environment=KUBE_REGISTER_ADOPT=false',
      "Environment='KUBE_REGISTER_OWNER_ID=x' \\",
      '; a comment between',
      '  KUBE_REGISTER_ONCE=true',
      `EnvironmentFile=-${join(folder, 'missing')}`,
      `EnvironmentFile=${env}`,
    ];
    const read_ = await read(text.join('\n'), '\nKUBE_REGISTER_METADATA=role=b\n');
    expect(read_.env).toEqual({
      KUBE_REGISTER_METADATA: 'role=b',
      KUBE_REGISTER_NODE_LABELS: 'a b',
      ONE: '%1',
      KUBE_REGISTER_OWNER_ID: 'x',
      KUBE_REGISTER_ONCE: 'true',
    });
    expect([...read_.places]).toEqual([
      ['KUBE_REGISTER_METADATA', `${env}:2`],
      ['KUBE_REGISTER_NODE_LABELS', `${unit}:4`],
      ['ONE', `${unit}:4`],
      ['KUBE_REGISTER_OWNER_ID', `${unit}:6`],
      ['KUBE_REGISTER_ONCE', `${unit}:6`],
    ]);
  });

  it('forgets what stands before an empty assignment', async () => {
    const text = `[Service]\nEnvironment=A=1\nEnvironmentFile=${env}\nEnvironment=\nEnvironmentFile=\nEnvironment=B=2`;
    expect((await read(text, 'C=3')).env).toEqual({ B: '2' });
  });

  it.each([
    ['ExecStart=/opt/bin/kube-register --metadata "role in (a,b)" --once', ['--metadata', 'role in (a,b)', '--once']],
    ['ExecStart=-@/opt/bin/kube-register', []],
    ['ExecStart=/bin/sh -c "exec kube-register --once"', []],
    ['ExecStart=/opt/bin/kube-register $FLAGS', []],
    [
      'Environment="FLAGS=--once --policy sync"\nExecStart=/opt/bin/kube-register $FLAGS',
      ['--once', '--policy', 'sync'],
    ],
    [`Environment=ROLE=a\nExecStart=/opt/bin/kube-register --metadata role=\${ROLE}$$`, ['--metadata', 'role=a$']],
  ])('gives the flags of %j', async (line, flags) => {
    expect((await read(`[Service]\n${line}\n`)).flags).toEqual(flags);
  });

  it.each([
    ['no unit', 'has no section [Service]: it is no unit'],
    ['[Service]\nEnvironment=KUBE_REGISTER_OWNER_ID=%H', ':2: the specifier "%H" is not read; write its value'],
    ['[Service]\nExecStart=kube-register --owner-id=%H', ':2: the specifier "%H" is not read; write its value'],
    ['[Service]\nEnvironmentFile=/nowhere/env', ':2: "/nowhere/env": the file does not exist'],
    ['[Service]\nEnvironmentFile=/etc/*.env', 'patterns and specifiers are not read'],
  ])('such as %j is refused', async (text, problem) => {
    await expect(read(text)).rejects.toThrow(problem);
  });

  it('that is not there is refused', () => {
    expect(() => readUnit(join(folder, 'absent'))).toThrow(/^--unit: ".*": the file does not exist$/);
    expect(() => readUnit(folder)).toThrow(/^--unit: ".*": it is a folder$/);
  });
});

describe('what is said of a setting of a unit', () => {
  const file = '/etc/systemd/system/kube-register.service';
  const places = new Map([
    ['KUBE_REGISTER_POLICY', '/etc/kube-register.env:3'],
    ['KUBE_REGISTER_COLOUR', '/etc/kube-register.env:4'],
  ]);
  const of = { env: {}, flags: ['-policy=x', '--once'], places, flagsPlace: `${file}:5`, file };
  const spellings = new Map();

  it('has the line where it is set', () => {
    expect(placed('KUBE_REGISTER_POLICY="x": no', of)).toBe('/etc/kube-register.env:3: KUBE_REGISTER_POLICY="x": no');
    expect(placed('KUBE_REGISTER_COLOUR: unknown', of)).toBe('/etc/kube-register.env:4: KUBE_REGISTER_COLOUR: unknown');
    expect(placed('-policy="x": no', of)).toBe(`${file}:5: -policy="x": no`);
    expect(placed('--owner-id="": given beside the unit', of)).toBe('--owner-id="": given beside the unit');
    expect(placed('neither', of)).toBe('neither');
    expect(spelledAs('KUBE_REGISTER_POLICY=sync', spellings, of)).toBe(
      '/etc/kube-register.env:3: KUBE_REGISTER_POLICY=sync',
    );
    expect(spelledAs('unset KUBE_REGISTER_POLICY', spellings, of)).toBe(
      '/etc/kube-register.env:3: remove KUBE_REGISTER_POLICY',
    );
  });

  it('has the unit where it is not set yet', () => {
    expect(spelledAs('KUBE_REGISTER_PASS_TIMEOUT=1m', spellings, of)).toBe(
      '/etc/systemd/system/kube-register.service: [Service] Environment="KUBE_REGISTER_PASS_TIMEOUT=1m"',
    );
  });

  it('is a command where that is what mends it', () => {
    expect(spelledAs('systemctl start fleet.socket', spellings, of)).toBe('systemctl start fleet.socket');
  });
});
