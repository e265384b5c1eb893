import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDeeper, parseNested } from '../../../src/http/nesting.ts';

/** How deep a value is, measured on what was parsed. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

const LONG = ' '.repeat(300 * 1024);

describe('the nesting of a JSON text', () => {
  it('is that of the value, whatever strings and keys hold', () => {
    const key = fc.string({ unit: fc.constantFrom('"', '\\', '[', ']', '{', '}', 'a', '\n'), maxLength: 6 });
    const value = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 8 },
        key,
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 3 }),
      ),
    })).tree;
    fc.assert(
      fc.property(value, (tree) => {
        const [text, depth] = [JSON.stringify(tree), depthOf(tree)];
        expect(isDeeper(text, depth)).toBe(false);
        if (depth > 0) expect(isDeeper(text, depth - 1)).toBe(true);
      }),
    );
  });

  it('is bounded where it can cost memory', () => {
    const deep = (levels: number) => `${'['.repeat(levels)}${LONG}${']'.repeat(levels)}`;
    expect(depthOf(parseNested(deep(100)))).toBe(100);
    expect(() => parseNested(deep(101))).toThrow(SyntaxError);
    expect(depthOf(parseNested(`${'['.repeat(101)}${']'.repeat(101)}`))).toBe(101);
  });

  it.each(['"', '"\\', '"[', ''])('of a text that ends too early is known: %j', (text) => {
    expect(isDeeper(text, 0)).toBe(false);
    expect(() => parseNested(text)).toThrow(SyntaxError);
  });
});
