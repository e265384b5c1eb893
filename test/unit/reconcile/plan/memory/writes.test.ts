/** How often a write was repeated, because others had undone it. */
import { describe, expect, it } from 'vitest';
import { addWrite } from '../../../../../src/reconcile/plan/memory/writes.ts';

describe('a write', () => {
  const written = (...pairs: (readonly [string, string | null])[]) => new Map(pairs);
  const x = written(['x', '1']);

  it('is counted while it repeats a value', () => {
    const once = addWrite(undefined, x, 1);
    const twice = addWrite({ ...once, missingAtMs: 2 }, written(['x', '1'], ['y', '2']), 3);
    expect([once, twice]).toEqual([
      { values: x, times: 1, atMs: 1, missingAtMs: undefined },
      { values: written(['x', '1'], ['y', '2']), times: 2, atMs: 3, missingAtMs: undefined },
    ]);
    expect(addWrite(twice, written(['y', '2']), 4)).toMatchObject({ times: 3 });
  });

  it('is counted from 1 when it writes other keys or other values, and what was written stays known', () => {
    const thrice = { values: x, times: 3, atMs: 1, missingAtMs: undefined };
    expect(addWrite(thrice, written(['y', '2']), 4)).toMatchObject({
      values: written(['x', '1'], ['y', '2']),
      times: 1,
    });
    expect(addWrite(thrice, written(['x', '2']), 4)).toMatchObject({ values: written(['x', '2']), times: 1 });
    expect(addWrite(thrice, written(['x', null]), 4)).toMatchObject({ times: 1 });
  });
});
