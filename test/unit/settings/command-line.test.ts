import { describe, expect, it } from 'vitest';
import { readCommandLine } from '../../../src/settings/command-line.ts';

const read = (...argv: string[]) => readCommandLine(argv);

describe('the command line', () => {
  it.each([[[]], [['--metadata', 'role=worker']], [['-once']], [['--help']]])('%j runs the daemon', (argv) => {
    expect(read(...argv)).toEqual({ command: { name: 'daemon' }, rest: argv, mistakes: [] });
  });

  it.each([
    [['check'], { name: 'check', output: 'text' }],
    [['check', '-o', 'json'], { name: 'check', output: 'json' }],
    [['status'], { name: 'status', output: 'text', watch: false }],
    [['status', '-w'], { name: 'status', output: 'text', watch: true }],
    [['status', '--watch', '--output=json'], { name: 'status', output: 'json', watch: true }],
    [['status', '-watch', '-o=json'], { name: 'status', output: 'json', watch: true }],
    [['status', '--daemon', '10.0.0.5:10271'], daemonAt('http://10.0.0.5:10271')],
    [['status', '--daemon=http://core-1:10271/'], daemonAt('http://core-1:10271')],
    [['status', '--daemon', 'core-1'], daemonAt('http://core-1:10271')],
    [['status', '--daemon', 'http://[::1]'], daemonAt('http://[::1]:10271')],
    [['status', '--daemon=[::1]:10271'], daemonAt('http://[::1]:10271')],
    [['explain', '10.0.0.7'], { name: 'explain', output: 'text', subject: '10.0.0.7' }],
    [['explain', '-o', 'json', 'core-1'], { name: 'explain', output: 'json', subject: 'core-1' }],
    [['explain', 'core-1', '-o', 'json'], { name: 'explain', output: 'json', subject: 'core-1' }],
    [['plan', '--output', 'text'], { name: 'plan', output: 'text' }],
  ])('%j asks for %j', (argv, command) => {
    expect(read(...argv)).toEqual({ command, rest: [], mistakes: [] });
  });

  it('leaves the flags of settings to those who read settings, wherever they stand', () => {
    const { command, rest } = read('status', '--metadata', 'role=worker', '-w', '--api-endpoint=http://10.0.0.1:8080');
    expect(command).toMatchObject({ name: 'status', watch: true });
    expect(rest).toEqual(['--metadata', 'role=worker', '--api-endpoint=http://10.0.0.1:8080']);
  });

  it('leaves a flag that the command does not take to them, too, who say that there is none', () => {
    expect(read('plan', '--watch')).toMatchObject({ command: { name: 'plan' }, rest: ['--watch'] });
    expect(read('--watch')).toMatchObject({ command: { name: 'daemon' }, rest: ['--watch'] });
  });

  it.each([
    [['stauts'], '"stauts": unknown command; did you mean status?'],
    [['explian', '10.0.0.7'], '"explian": unknown command; did you mean explain?'],
    [['explain'], 'explain: needs a machine ID, a node name or an address, as in: explain 10.0.0.7'],
    [['explain', '-o', 'json'], 'explain: needs a machine ID, a node name or an address, as in: explain 10.0.0.7'],
    [['status', '-o', 'xml'], '-o: "xml": must be text or json'],
    [['status', '-o'], '-o: needs a value'],
    [['status', '-o', 'json', '-o', 'text'], '-o: is given twice, with different values'],
    [['status', '--daemon', 'a', '--daemon=b'], '--daemon: is given twice, with different values'],
    [['status', '--daemon', '10271'], '--daemon: "10271": must be host:port or http://host:port'],
    [['status', '--daemon', 'core-1:0'], '--daemon: "core-1:0": must be host:port or http://host:port'],
    [['status', '--daemon', 'core-1:70000'], '--daemon: "core-1:70000": must be host:port or http://host:port'],
    [['explain', ''], 'explain: needs a machine ID, a node name or an address, as in: explain 10.0.0.7'],
    [['status', '--output', '--watch'], '--output: needs a value'],
    [['status', '--watch=true'], '--watch: takes no value'],
    [
      ['status', '--daemon', 'https://core-1:10271'],
      '--daemon: "https://core-1:10271": must be host:port or http://host:port',
    ],
    [['status', '--daemon', 'a b'], '--daemon: "a b": must be host:port or http://host:port'],
    [
      ['status', '--daemon', 'http://u:p@core-1'],
      '--daemon: (not shown: it may hold a secret): must be host:port or http://host:port',
    ],
  ])('%j is a mistake in one sentence', (argv, sentence) => {
    expect(read(...argv).mistakes).toEqual([sentence]);
  });

  it('says nothing of what is neither a command nor like one: it may be a value whose dash was forgotten', () => {
    expect(read('role=worker')).toEqual({ command: { name: 'daemon' }, rest: ['role=worker'], mistakes: [] });
  });

  it('has help for explain without a subject', () => {
    expect(read('explain', '--help')).toMatchObject({ rest: ['--help'], mistakes: [] });
  });

  it.each(['help', 'version'])('knows %s without its dashes', (word) => {
    expect(read(word)).toEqual({ command: { name: 'daemon' }, rest: [`--${word}`], mistakes: [] });
  });

  it('does not take the value of a setting for what is to be explained', () => {
    expect(read('explain', '--metadata', 'role=worker', 'core-1')).toEqual({
      command: { name: 'explain', output: 'text', subject: 'core-1' },
      rest: ['--metadata', 'role=worker'],
      mistakes: [],
    });
  });
});

function daemonAt(daemon: string) {
  return { name: 'status', output: 'text', watch: false, daemon };
}
