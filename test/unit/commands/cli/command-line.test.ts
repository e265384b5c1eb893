import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCommandLine } from '../../../../src/commands/cli/command-line.ts';
import { commandNames } from '../../../../src/commands/cli/commands.ts';
import { parseSelector } from '../../../../src/fleet/selector.ts';

const read = (...argv: string[]) => readCommandLine(argv);

const STATUS = {
  name: 'status',
  output: 'text',
  watch: false,
  names: [],
  verdicts: [],
  trouble: false,
  selector: undefined,
};

describe('the command line', () => {
  it.each([[[]], [['--metadata', 'role=worker']], [['-once']], [['--colour', 'red']]])('%j runs the daemon', (argv) => {
    expect(read(...argv)).toEqual({ command: { name: 'daemon' }, rest: argv, mistakes: [] });
  });

  it.each([
    [['check'], { name: 'check', output: 'text' }],
    [['check', '-o', 'json'], { name: 'check', output: 'json' }],
    [['check', '--unit', '-'], { name: 'check', output: 'text', unit: '-' }],
    [['status'], STATUS],
    [['status', '-w'], { ...STATUS, watch: true }],
    [['status', '--watch', '--output=json'], { ...STATUS, output: 'json', watch: true }],
    [['status', '-watch', '-o=name'], { ...STATUS, output: 'name', watch: true }],
    [
      ['status', '--trouble', '--verdict', 'held, in-grace'],
      withFilter({ trouble: true, verdicts: ['held', 'in-grace'] }),
    ],
    [['status', '--verdict=held', '--verdict', 'queued'], withFilter({ verdicts: ['held', 'queued'] })],
    [
      ['status', '-l', 'role in (a,b)', '-o', 'wide'],
      withFilter({ selector: parseSelector('role in (a,b)'), output: 'wide' }),
    ],
    [
      ['status', '10.0.0.7', '--selector=!role', 'core-1'],
      withFilter({ selector: parseSelector('!role'), names: ['10.0.0.7', 'core-1'] }),
    ],
    [['status', '--daemon', '10.0.0.5:10271'], daemonAt('http://10.0.0.5:10271')],
    [['status', '--daemon=http://core-1:10271/'], daemonAt('http://core-1:10271')],
    [['status', '--daemon', 'core-1'], daemonAt('http://core-1:10271')],
    [['status', '--daemon', 'http://[::1]'], daemonAt('http://[::1]:10271')],
    [['status', '--daemon=[::1]:10271'], daemonAt('http://[::1]:10271')],
    [['explain', '10.0.0.7'], { name: 'explain', output: 'text', subject: '10.0.0.7' }],
    [['explain', '-o', 'yaml', 'core-1'], { name: 'explain', output: 'yaml', subject: 'core-1' }],
    [['explain', 'core-1', '-o', 'json'], { name: 'explain', output: 'json', subject: 'core-1' }],
    [['plan', '--output', 'wide'], { name: 'plan', output: 'wide' }],
    [['manifests'], { name: 'manifests', manifests: [] }],
    [['manifests', 'rbac'], { name: 'manifests', manifests: ['rbac'] }],
    [['completion', 'zsh'], { name: 'completion', shell: 'zsh' }],
    [['help'], { name: 'help' }],
    [['help', 'settings'], { name: 'help', topic: 'settings' }],
    [['help', 'status'], { name: 'help', topic: 'status' }],
  ])('%j asks for %j', (argv, command) => {
    expect(read(...argv)).toEqual({ command, rest: [], mistakes: [] });
  });

  it('leaves the flags of settings to those who read settings, wherever they stand', () => {
    const { command, rest } = read('status', '--metadata', 'role=worker', '-w', '--api-endpoint=http://10.0.0.1:8080');
    expect(command).toMatchObject({ name: 'status', watch: true, names: [] });
    expect(rest).toEqual(['--metadata', 'role=worker', '--api-endpoint=http://10.0.0.1:8080']);
  });

  it('takes what follows a switch for its value only where it is one', () => {
    expect(read('explain', '--adopt', 'core-1')).toMatchObject({ command: { subject: 'core-1' }, rest: ['--adopt'] });
    expect(read('explain', '--adopt', 'false', 'core-1')).toMatchObject({ rest: ['--adopt', 'false'] });
  });

  it.each([
    [['stauts'], '"stauts": unknown command; did you mean status?'],
    [['stat'], '"stat": unknown command; did you mean status?'],
    [['run'], '"run": unknown command; see kube-register --help'],
    [['explian', '10.0.0.7'], '"explian": unknown command; did you mean explain?'],
    [['--metadata', 'role=worker', 'status'], 'status: a command comes before its flags: kube-register status'],
    [['explain'], 'explain: needs a machine ID, a node name or an address, as in: explain 10.0.0.7'],
    [['explain', '-o', 'json'], 'explain: needs a machine ID, a node name or an address, as in: explain 10.0.0.7'],
    [['explain', ''], 'explain: needs a machine ID, a node name or an address, as in: explain 10.0.0.7'],
    [['explain', 'a', 'b'], 'explain: unexpected argument "b"; flags and settings begin with --'],
    [['plan', 'metadata=secret'], 'plan: unexpected argument "metadata=…"; flags and settings begin with --'],
    [['status', '-o', 'xml'], '-o: "xml": must be text, wide, json, yaml or name'],
    [['check', '-o', 'wide'], '-o: "wide": must be text or json'],
    [['status', '-o'], '-o: needs a value'],
    [['status', '--output', '--watch'], '--output: needs a value'],
    [['status', '-o', 'json', '-o', 'text'], '-o: is given twice, with different values'],
    [['status', '--watch=true'], '--watch: takes no value'],
    [['status', '--verdict', 'hold'], '--verdict: "hold": unknown verdict; did you mean held?'],
    [['status', '--verdict', 'held,dead'], '--verdict: "dead": unknown verdict; see kube-register help verdicts'],
    [['status', '-l', 'role in'], expect.stringMatching(/^-l: "role in": .*role in/)],
    [['status', '--help=yes'], '--help: takes no value'],
    [['status', '--daemon', 'a', '--daemon=b'], '--daemon: is given twice, with different values'],
    [['status', '--daemon', '10271'], '--daemon: "10271": must be host:port or http://host:port'],
    [['status', '--daemon', 'core-1:0'], '--daemon: "core-1:0": must be host:port or http://host:port'],
    [['status', '--daemon', 'core-1:70000'], '--daemon: "core-1:70000": must be host:port or http://host:port'],
    [
      ['status', '--daemon', 'https://core-1:10271'],
      '--daemon: "https://core-1:10271": must be host:port or http://host:port',
    ],
    [['status', '--daemon', 'a b'], '--daemon: "a b": must be host:port or http://host:port'],
    [
      ['status', '--daemon', 'http://u:p@core-1'],
      '--daemon: (not shown: it may hold a secret): must be host:port or http://host:port',
    ],
    [['help', 'stauts'], 'help: no help on "stauts"; did you mean status?'],
    [['manifests', 'rabc'], 'manifests: no manifest "rabc"; there are rbac, rbac-v1beta1 and pod'],
    [['completion', 'fish'], 'completion: needs a shell: bash or zsh'],
  ])('%j is a mistake in one sentence', (argv, sentence) => {
    expect(read(...argv).mistakes).toEqual([sentence]);
  });
});

describe('a flag that the command does not take', () => {
  it.each([
    [
      ['plan', '--daemon', 'x'],
      '--daemon: plan has no such flag, but status and explain have it; plan takes -o, --output and the settings: see kube-register plan --help',
    ],
    [
      ['explain', '--watch', 'core-1'],
      '--watch: explain has no such flag, but status has it; explain takes -o, --output, --daemon and the settings: see kube-register explain --help',
    ],
    [
      ['plan', '--colour', 'red'],
      '--colour: plan has no such flag; plan takes -o, --output and the settings: see kube-register plan --help',
    ],
    [['help', '--metadata', 'a'], '--metadata: help has no such flag; help takes none: see kube-register help --help'],
    [['status', '--wacth'], '--wacth: unknown flag; did you mean --watch?'],
    [['status', '--metdata', 'x'], '--metdata: unknown flag; did you mean --metadata?'],
    [['status', '--hlep'], '--hlep: unknown flag; did you mean --help?'],
    [['--watch'], '--watch: the daemon has no such flag, but status has it'],
    [['-o', 'json'], '-o: the daemon has no such flag, but check, status, explain and plan have it'],
  ])('%j is one mistake', (argv, sentence) => {
    expect(read(...argv)).toMatchObject({ rest: [], mistakes: [sentence] });
  });

  it('is not shown where it may be a secret', () => {
    const token = `--${'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.c2lnbmF0dXJl'}`;
    expect(read('plan', token).mistakes.join()).not.toContain('eyJ');
  });
});

describe('any command line', () => {
  it('is read without an error; each mistake is one printable line', () => {
    const word = fc.oneof(
      fc.constantFrom(
        ...commandNames,
        '--help',
        '-o',
        '--verdict',
        '-l',
        '--unit',
        '--once',
        '--metadata=a',
        '--',
        '-',
      ),
      fc.string({ unit: 'binary', maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 5 }), (argv) => {
        for (const line of read(...argv).mistakes) expect(line).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u);
      }),
      { numRuns: 200 },
    );
  });
});

describe('help and the version', () => {
  it.each(['-h', '-help', '--help', '--h'])('%s asks for help on the program, or on the command before it', (flag) => {
    expect(read(flag)).toEqual({ command: { name: 'help' }, rest: [], mistakes: [] });
    expect(read('--nonsense', 'x', '--version', flag).command).toEqual({ name: 'help' });
    expect(read('explain', flag)).toEqual({ command: { name: 'help', topic: 'explain' }, rest: [], mistakes: [] });
  });

  it.each(['-version', '--version', 'version'])('%s asks for the version', (word) => {
    expect(read(word)).toEqual({ command: { name: 'version' }, rest: [], mistakes: [] });
  });

  it('says nothing of what is neither a command nor like one: it may be a value whose dash was forgotten', () => {
    expect(read('role=worker')).toEqual({ command: { name: 'daemon' }, rest: ['role=worker'], mistakes: [] });
  });
});

function withFilter(filter: object) {
  return { ...STATUS, ...filter };
}

function daemonAt(daemon: string) {
  return withFilter({ daemon });
}
