/** Our reading of unit files against what four releases of fleet said to the same units. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FLEETS, type Fleet, parse, placementOf, serialize, validateForFleet, valuesOf } from './fleet-unit.ts';

const RECORDING = z.record(
  z.string(),
  z.record(
    z.enum(FLEETS),
    z.object({
      fleetctl_submit: z.object({ rc: z.number(), output: z.string() }),
      api_put: z.object({ status: z.number(), body: z.string() }),
    }),
  ),
);
const recorded = RECORDING.parse(
  JSON.parse(readFileSync(new URL('../../recordings/fleet/unit-validation.json', import.meta.url), 'utf8')),
);

const ID = '0123456789abcdef0123456789abcdef';
const METADATA = 'MachineMetadata=role=kubernetes';
const PEER = 'MachineOf=kube-apiserver.service';

/** The recording has no texts. These are what the names, the answers and the facts about them come to. */
const FLEET_SECTIONS: Readonly<Record<string, readonly string[]>> = {
  'conflicts-two-words.service': ['Conflicts=a.service b.service'],
  'conflicts.service': ['Conflicts=other*.service'],
  'global-conflicts.service': ['Global=true', 'Conflicts=other*.service'],
  'global-machineid.service': ['Global=true', `MachineID=${ID}`],
  'global-metadata.service': ['Global=true', METADATA],
  'global-yes.service': ['Global=yes'],
  'global.service': ['Global=true'],
  'install.service': [],
  'kube register.service': [],
  'kube-register@.service': [PEER],
  'lowercase.service': ['machineof=kube-apiserver.service'],
  'machineid-conflicts.service': [`MachineID=${ID}`, 'Conflicts=other*.service'],
  'machineid-metadata.service': [`MachineID=${ID}`, METADATA],
  'machineid-short.service': [`MachineID=${ID.slice(0, 8)}`],
  'machineid.service': [`MachineID=${ID}`],
  'machineof-conflicts-peer.service': [PEER, 'Conflicts=kube-*'],
  'machineof-conflicts.service': [PEER, 'Conflicts=other*.service'],
  'machineof-glob.service': ['MachineOf=kube-api*.service'],
  'machineof-global.service': [PEER, 'Global=true'],
  'machineof-machineid.service': [PEER, `MachineID=${ID}`],
  'machineof-metadata.service': [PEER, METADATA],
  'machineof-quoted-two.service': ['MachineOf="kube-apiserver.service" "other.service"'],
  'machineof-twice.service': [PEER, 'MachineOf=other.service'],
  'machineof.service': [PEER],
  'metadata-bad.service': ['MachineMetadata=kubernetes'],
  'metadata-two.service': ['MachineMetadata="role=kubernetes" "zone=a"'],
  'metadata.service': [METADATA],
  'old-conflicts.service': ['X-Conflicts=other*.service'],
  'old-machineof.service': ['X-ConditionMachineOf=kube-apiserver.service'],
  'old-metadata.service': ['X-ConditionMachineMetadata=role=kubernetes'],
  'plain.service': [],
  'replaces-conflicts.service': ['Replaces=old.service', 'Conflicts=other*.service'],
  'replaces-global.service': ['Replaces=old.service', 'Global=true'],
  'replaces.service': ['Replaces=old.service'],
  'section-fleet.service': [],
  'syntax-error.service': [],
  'trailing-comment.service': ['MachineOf=kube-apiserver.service ; the API server'],
  'unknown.service': ['MachineName=one'],
  'xfleet-only.service': [PEER],
};
const ENDINGS: Readonly<Record<string, string>> = {
  'install.service': '[Install]\nWantedBy=multi-user.target\n',
  'section-fleet.service': `[Fleet]\n${PEER}\n`,
  'syntax-error.service': '[X-Fleet\n',
};

function unit(...fleetSection: readonly string[]): string {
  return ['[Service]', 'ExecStart=/bin/true', '[X-Fleet]', ...fleetSection, ''].join('\n');
}

function textOf(name: string): string {
  const text = name === 'xfleet-only.service' ? `[X-Fleet]\n${PEER}\n` : unit(...(FLEET_SECTIONS[name] ?? []));
  return text + (ENDINGS[name] ?? '');
}

function silences(text: string, fleets: readonly Fleet[] = FLEETS): readonly string[] {
  return validateForFleet('kube-register.service', text, fleets).silences;
}

describe('a unit that was given to real fleets', () => {
  it('is one of those that are known here, and all of those are', () => {
    expect(Object.keys(FLEET_SECTIONS).toSorted()).toEqual(Object.keys(recorded).toSorted());
  });

  const cases = Object.entries(recorded).flatMap(([name, answers]) =>
    FLEETS.map((fleet) => ({ name, fleet, ...answers[fleet] })),
  );
  it.each(cases)('is told the same here as by $fleet: $name', ({ name, fleet, fleetctl_submit, api_put }) => {
    const { output, rc } = fleetctl_submit;
    const refusal = /Error creating units: (?:failed getting Unit\(.*\) from file: )?(.+)/.exec(output)?.[1];
    const warning = /WARN \S+ Unit \S+: (.+)/.exec(output)?.[1];
    const findings = validateForFleet(name, textOf(name), [fleet]);
    expect(findings.refusals).toEqual(refusal === undefined ? [] : [refusal]);
    expect(findings.warnings).toEqual(warning === undefined ? [] : [warning]);
    expect(rc).toBe(findings.refusals.length);
    // The API is given options, and so cannot see what is wrong in a text.
    if (name !== 'syntax-error.service') expect(api_put.status).toBe(rc === 0 ? 201 : 400);
  });
});

describe('what fleet takes without a word', () => {
  it.each([
    ['MachineOf=kube-*.service', FLEETS, ['MachineOf=kube-*.service is no name of a unit: never scheduled']],
    [`${PEER} ; beside it`, FLEETS, [`${PEER} ; beside it is no name of a unit: never scheduled`]],
    ['MachineMetadata=kubernetes', FLEETS, ['MachineMetadata=kubernetes is no key=value: ignored']],
    ['MachineMetadata=a=b=c', FLEETS, ['MachineMetadata=a=b=c is no key=value: ignored']],
    ['Global=yes', ['v0.11.8'], ['Global=yes is not global in v0.11.8']],
    ['Global=yes', ['v1.0.0'], []],
    ['Conflicts=a b', ['v0.8.3'], ['Conflicts=a b is one glob in v0.8.3']],
    ['Conflicts=a b', ['v1.0.0'], []],
    ['MachineOf=a.service \\\n  b.service', ['v0.9.2'], [expect.stringContaining('never scheduled')]],
    [`[Fleet]\n${PEER}`, FLEETS, ['[Fleet] is not [X-Fleet]: ignored']],
    [`# beside the API server \\\n${PEER}`, FLEETS, ['a comment that ends in a backslash takes the next line with it']],
    [`${PEER}\nMachineOf="%p-data.service" "b.service"`, FLEETS, []],
  ] as const)('%j', (line, fleets, expected) => {
    expect(silences(unit(line), fleets)).toEqual(expected);
  });

  it('a long command, where it joins the lines: systemd reads only the start of it', () => {
    const long = `[Service]\nExecStart=/bin/echo \\\n${`  ${'x'.repeat(700)} \\\n`.repeat(3)}  end\n`;
    expect(silences(long, ['v0.8.3'])).toEqual([
      expect.stringMatching(/ExecStart is one line of 21\d\d bytes in v0.8.3/),
    ]);
    expect(silences(long, ['v1.0.0'])).toEqual([]);
  });

  it('a comment within a continued value', () => {
    const text = '[Service]\nExecStart=/bin/echo a \\\n# b \\\n  c\n';
    expect(silences(text, ['v0.8.3'])).toContain('a comment within a continued value is part of it');
  });
});

describe('a line of 2048 bytes', () => {
  const text = `[Service]\nExecStart=/bin/echo ${'x'.repeat(2048)}\n`;

  it('is refused by the newer releases, and cut in the older', () => {
    const refused = { refusals: ['line too long (max 2048 bytes)'], warnings: [], silences: [] };
    expect(validateForFleet('a.service', text, ['v0.11.8'])).toEqual(refused);
    expect(validateForFleet('a.service', text, ['v0.9.2'])).toMatchObject({ refusals: [], silences: [/cuts it/] });
  });
});

describe('the parser', () => {
  it.each([
    ['a key that comes twice, in its order', 'A=2\nA=1\n', ['2', '1']],
    ['spaces around key and value', ' A = x y \n', ['x y']],
    ['quotes and percent signs as they are', 'A="x" %n\n', ['"x" %n']],
    ['a = in the value', 'A=b=c\n', ['b=c']],
    ['an empty value', 'A=\nA=x\n', ['', 'x']],
    ['comments of both kinds, but not at the end of a line', '# A=1\n ; A=2\nA=3 # x\n', ['3 # x']],
    ['keys by their case', 'a=1\nA=2\n', ['2']],
    ['a file that ends within a line', 'A=x', ['x']],
    ['a section that comes again', 'A=1\n[T]\nA=2\n[S]\nA=3\n', ['1', '3']],
    ['no line of a comment that goes on', '# x \\\nA=1\nA=2\n', ['2']],
    ['the line ends of Windows', 'A=1\r\nA=2\r\n', ['1', '2']],
  ])('reads %s', (_, lines, expected) => {
    for (const fleet of FLEETS) expect(valuesOf(parse(`A=0\n[S]\n${lines}`, fleet), 'S', 'A')).toEqual(expected);
  });

  it('joins continued lines for the older releases, and keeps them for the newer', () => {
    const text = '[S]\nA=one \\\n  two\nB=x\n';
    expect(valuesOf(parse(text, 'v0.9.2'), 'S', 'A')).toEqual(['one    two']);
    expect(valuesOf(parse(text, 'v1.0.0'), 'S', 'A')).toEqual(['one \\\n  two']);
    expect(valuesOf(parse('[S]\nA=x \\\n\nB=y\n', 'v1.0.0'), 'S', 'B')).toEqual(['y']);
  });

  it.each([
    ['[S\nA=1\n', 'unable to find end of section'],
    ['[S] x\nA=1\n', 'found garbage after section name'],
    ['[S]\nA\n', 'unexpected newline encountered while parsing option name'],
    ['[S]\nA', 'EOF'],
  ])('refuses %j', (text, message) => {
    for (const fleet of FLEETS) expect(() => parse(text, fleet)).toThrow(message);
  });

  it('takes a backslash within a line as it is', () => {
    for (const fleet of FLEETS) expect(valuesOf(parse('[S]\nA="a\\"b" c\n', fleet), 'S', 'A')).toEqual(['"a\\"b" c']);
  });
});

describe('what fleet writes for systemd', () => {
  it('has the options of each section in their order, and no comment', () => {
    const text = '# a\n[Unit]\nA=1\n[S]\nB=x \\\n  y\nB=2\n[Unit]\n; b\nA=3\n';
    expect(serialize(parse(text))).toBe('[Unit]\nA=1\nA=3\n\n[S]\nB=x \\\n  y\nB=2\n');
    expect(serialize(parse(text, 'v0.8.3'))).toContain('B=x    y\n');
  });
});

describe('the name of a unit', () => {
  it.each([
    ['', 'unit name cannot be empty'],
    [`${'x'.repeat(250)}.service`, 'unit name exceeds maximum length (256)'],
    ['kube', 'unit name must contain "."'],
    ['kube.', 'unit name cannot end in "."'],
    ['kube.txt', 'invalid unit type: "txt"'],
    ['kube/a.service', "invalid character '/' in unit name"],
    ['@a.service', 'unit name cannot start in "@"'],
  ])('%j is refused', (name, refusal) => {
    expect(validateForFleet(name, unit()).refusals).toEqual([refusal]);
  });
});

describe('the place of a unit', () => {
  it('has its name put in for %n, %N, %p and %i', () => {
    const text = unit('MachineOf=%p-data@%i.service', 'Conflicts=%n', 'Conflicts=%N.socket');
    const { machineOf, conflicts } = placementOf('a@1.service', text);
    expect({ machineOf, conflicts }).toEqual({
      machineOf: ['a-data@1.service'],
      conflicts: ['a@1.service', 'a@1.socket'],
    });
  });

  it('takes the last word on Global, and the first on MachineID', () => {
    const text = unit('Global=true', 'Global=false', 'X-ConditionMachineID=b', 'MachineID=a');
    expect(placementOf('a.service', text)).toMatchObject({ isGlobal: false, machineId: 'a' });
  });

  it.each([
    ['kube-apiserver.?ervice', true],
    ['[a-k]ube*', true],
    ['[^k]ube*', false],
    ['kube', false],
  ])('compares the glob %j with the whole name', (glob, isMatch) => {
    expect(validateForFleet('a.service', unit(PEER, `Conflicts=${glob}`)).refusals).toHaveLength(isMatch ? 1 : 0);
  });
});
