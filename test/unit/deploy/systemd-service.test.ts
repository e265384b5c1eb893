/** Our reading of what systemd does with values; test/real/fleet-unit.test.ts asks a real systemd about the same lines. */
import { describe, expect, it } from 'vitest';
import { parse } from './fleet-unit.ts';
import { commandOf, environmentFile, environmentOf, wordsOf } from './systemd-service.ts';

describe('the words of a value', () => {
  it.each([
    ['a  b\tc', ['a', 'b', 'c']],
    ['"a b" \'c d\'', ['a b', 'c d']],
    ['"it\'s" \'say "x"\'', ["it's", 'say "x"']],
    ['"" a', ['', 'a']],
    ['A="b c"', ['A=b c']],
    ['"a\\"b" \\\\ \\s', ['a"b', '\\', ' ']],
    ['a \\\n  b', ['a', 'b']],
  ])('of %j', (value, words) => {
    expect(wordsOf(value)).toEqual(words);
  });

  it.each(['"a', "it's", '\\(', 'a\\'])('are none of %j', (value) => {
    expect(() => wordsOf(value)).toThrow();
  });
});

describe('a command', () => {
  const env = { TWO: 'a b', ONE: 'x', EMPTY: '' };

  it.each([
    [`/bin/x $TWO \${TWO} $$TWO`, ['/bin/x', 'a', 'b', 'a b', '$TWO']],
    [`/bin/x $EMPTY \${EMPTY} a$ONE a\${ONE}b`, ['/bin/x', '', 'a$ONE', 'axb']],
    [`/bin/x $NONE \${NONE}`, ['/bin/x', '']],
    ['/bin/x %n %N %p %i %%', ['/bin/x', 'a@1.service', 'a@1', 'a', '1', '%']],
  ] as const)('%s', (value, argv) => {
    expect(commandOf(value, 'a@1.service', env).argv).toEqual(argv);
  });

  it('may fail when it has a - before it', () => {
    expect(commandOf('-/bin/x', 'a.service', env)).toEqual({ mayFail: true, argv: ['/bin/x'] });
    expect(commandOf('@/bin/x', 'a.service', env)).toEqual({ mayFail: false, argv: ['/bin/x'] });
  });

  it.each(['x', '$ONE', '/bin/x %H', '"/bin/x'])('is none in %j', (value) => {
    expect(() => commandOf(value, 'a.service', env)).toThrow();
  });
});

describe('the environment', () => {
  function environment(...lines: readonly string[]): Readonly<Record<string, string>> {
    const text = ['[Service]', ...lines.map((line) => `Environment=${line}`), ''].join('\n');
    return environmentOf(parse(text), 'a.service');
  }

  it('is what the lines set, the last one of a name, and nothing of those before an empty one', () => {
    expect(environment('A=1 B=2', '"C=x y" A=3', 'D=a=b', 'E=%p%%')).toEqual({
      ...{ A: '3', B: '2', C: 'x y', D: 'a=b', E: 'a%' },
    });
    expect(environment('A=1', '', 'B=2')).toEqual({ B: '2' });
  });
});

describe('a file of variables', () => {
  it.each([
    ['A=1\nB=2', { A: '1', B: '2' }],
    ['# A=1\n; B=2\n  C = 3 \n\n', { C: '3' }],
    ['A="x y"\nB=\'x $y\'\nC=x y\n', { A: 'x y', B: 'x $y', C: 'x y' }],
    ['A=\nB=%n $HOME\n', { A: '', B: '%n $HOME' }],
    ['A="a \\"b\\" \\x \\$"\nB=a\\ b\\\\c\n', { A: 'a "b" \\x $', B: 'a b\\c' }],
    ["A=it\"s\nB=a #b\nC=a'b'c\n", { A: 'it"s', B: 'a #b', C: "a'b'c" }],
    ['A=one \\\n  two\nB=\'x\' "y"z\n', { A: 'one   two', B: 'xyz' }],
    ['# goes on \\\nA=1\nB=2\n', { B: '2' }],
    ['A=1\nA=2\nexport B=3\nC-D=4\nE\n=5\n', { A: '2' }],
    ['A=x\\ \n', { A: 'x ' }],
    ['A="x\ny"\n', { A: 'x\ny' }],
  ])('%j', (text, variables) => {
    expect(environmentFile(text)).toEqual(variables);
  });
});
