import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches, parseSelector, SelectorError } from '../../../src/fleet/selector.ts';

function selects(text: string, metadata: Record<string, string>): boolean {
  return matches(parseSelector(text), new Map(Object.entries(metadata)));
}

describe('a selector', () => {
  it.each([
    ['', {}, true],
    ['', { role: 'etcd' }, true],
    ['  ', { role: 'etcd' }, true],

    ['role=kubernetes', { role: 'kubernetes' }, true],
    ['role==kubernetes', { role: 'kubernetes' }, true],
    [' role = kubernetes ', { role: 'kubernetes' }, true],
    ['role=kubernetes', { role: 'etcd' }, false],
    ['role=kubernetes', { role: 'Kubernetes' }, false],
    ['role=kubernetes', {}, false],
    ['role=', { role: '' }, true],
    ['role=', {}, false],

    ['role!=etcd', { role: 'kubernetes' }, true],
    ['role!=etcd', { role: 'etcd' }, false],
    ['role!=etcd', {}, true],
    ['role!=', { role: '' }, false],

    ['gpu', { gpu: '' }, true],
    ['gpu', { gpu: 'false' }, true],
    ['gpu', {}, false],
    ['!gpu', {}, true],
    ['! gpu', { gpu: '' }, false],

    ['zone in (a,b)', { zone: 'b' }, true],
    ['zone in ( a , b )', { zone: 'b' }, true],
    ['zone in(a,b)', {}, false],
    ['zone in (a,b)', { zone: 'c' }, false],
    ['zone in ()', { zone: '' }, true],
    ['zone in ()', { zone: 'a' }, false],
    ['zone notin (a,b)', { zone: 'c' }, true],
    ['zone notin (a,b)', { zone: 'a' }, false],
    ['zone notin (a,b)', {}, true],

    ['role=kubernetes,zone in (a,b),!cordoned', { role: 'kubernetes', zone: 'a' }, true],
    ['role=kubernetes,zone in (a,b),!cordoned', { role: 'kubernetes', zone: 'a', cordoned: 'yes' }, false],
    ['role=kubernetes,zone in (a,b)', { role: 'kubernetes' }, false],
    ['role=a,role=b', { role: 'a' }, true],
    ['role=a,zone=x,role==b', { role: 'b', zone: 'x' }, true],
    ['role=a,zone=x,role=b', { role: 'b' }, false],
    ['role=a,role=b', { role: 'c' }, false],
    ['role=a,role in (b)', { role: 'a' }, false],
    ['role=a,role!=a', { role: 'a' }, false],

    ['note=two words = "fine" !', { note: 'two words = "fine" !' }, true],
    ['note=a!=b', { note: 'a!=b' }, true],
    ['note!=a=b', { note: 'a=b' }, false],
    ['in=notin', { in: 'notin' }, true],
    ['in in (in)', { in: 'in' }, true],
    ['constructor', {}, false],
  ])('%j on %j: %s', (text, metadata, expected) => {
    expect(selects(text, metadata)).toBe(expected);
  });

  it('keeps the text as it was written, for people', () => {
    expect(parseSelector(' role=kubernetes, zone in (a,b) ').text).toBe('role=kubernetes, zone in (a,b)');
    expect(parseSelector(' ').text).toBe('');
  });
});

describe('a selector that is not one', () => {
  it.each([
    ['role=kubernetes,', 'a term is empty'],
    [',', 'a term is empty'],
    ['a,,b', 'a term is empty'],
    ['zone=a,=b', 'the term "=b"'],
    ['!=b', 'the term "!=b"'],
    ['!', 'the term "!"'],
    ['!!gpu', 'the term "!!gpu"'],
    ['!gpu=yes', 'the term "!gpu=yes"'],
    ['role kubernetes', 'the term "role kubernetes"'],
    ['cores>4', 'the term "cores>4"'],
    ['cores>=4', 'the term "cores>=4"'],
    ['"role=kubernetes"', String.raw`the term "\"role=kubernetes\""`],
    ['zone in a,b', 'the term "zone in a"'],
    ['zone in (a,b', 'the term "zone in (a,b"'],
    ['zone in (a,(b))', 'the term "zone in (a,(b))"'],
    ['zone IN (a)', 'the term "zone IN (a)"'],
    ['in (a)', 'the term "in (a)"'],
    ['a)', 'the term "a)"'],
    ['zone=in (a)', 'the value in the term "zone=in (a)" must not contain a parenthesis'],
    ['zone!=(a)', 'the value in the term "zone!=(a)" must not contain a parenthesis'],
  ])('%j is refused, and the sentence names the term', (text, sentence) => {
    expect(() => parseSelector(text)).toThrow(SelectorError);
    expect(() => parseSelector(text)).toThrow(sentence);
  });
});

describe('any selector', () => {
  const key = fc.stringMatching(/^[a-z][a-z0-9./_-]{0,5}$/);
  const value = fc
    .string({ maxLength: 5 })
    .map((text) => text.trim())
    // `a==b` is another way to write `a=b`.
    .filter((text) => !/[,()]/.test(text) && !text.startsWith('='));
  const metadata = fc.dictionary(key, value).map((pairs) => new Map(Object.entries(pairs)));

  it('is read or refused with one sentence, whatever the text', () => {
    const almost = fc
      .array(fc.constantFrom('a', 'b', '=', '!', ',', '(', ')', ' in ', ' notin ', ' '))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(fc.string(), almost), metadata, (text, machine) => {
        try {
          expect(matches(parseSelector(text), machine)).toBeTypeOf('boolean');
        } catch (error) {
          expect(error).toBeInstanceOf(SelectorError);
          expect(String(error)).not.toContain('\n');
        }
      }),
    );
  });

  it('of a machine’s own pairs selects that machine', () => {
    fc.assert(
      fc.property(metadata, (machine) => {
        const text = [...machine].map(([k, v]) => `${k}=${v}`).join(',');
        expect(matches(parseSelector(text), machine)).toBe(true);
      }),
    );
  });

  it('holds exactly where its negation does not', () => {
    const opposites = fc
      .tuple(key, value, value)
      .chain(([k, v, w]) =>
        fc.constantFrom([`${k}=${v}`, `${k}!=${v}`], [k, `!${k}`], [`${k} in (${v},${w})`, `${k} notin (${v},${w})`]),
      );
    fc.assert(
      fc.property(opposites, metadata, ([one = '', other = ''], machine) => {
        expect(matches(parseSelector(one), machine)).toBe(!matches(parseSelector(other), machine));
      }),
    );
  });

  it('of two parts holds where both parts hold, when they name different keys', () => {
    fc.assert(
      fc.property(value, value, metadata, (v, w, machine) => {
        const both = matches(parseSelector(`a=${v},b!=${w}`), machine);
        expect(both).toBe(matches(parseSelector(`a=${v}`), machine) && matches(parseSelector(`b!=${w}`), machine));
      }),
    );
  });

  it('given one key twice is the same as asking with in', () => {
    fc.assert(
      fc.property(key, value, value, metadata, (k, v, w, machine) => {
        const twice = matches(parseSelector(`${k}=${v},${k}=${w}`), machine);
        expect(twice).toBe(matches(parseSelector(`${k} in (${v},${w})`), machine));
      }),
    );
  });
});
