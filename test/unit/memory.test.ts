/** What a pass leaves for the next: names, refusals, and what is hidden; graces have their place in plan.test.ts. */
import { describe, expect, it } from 'vitest';
import { EMPTY_MEMORY, isFutile, isHidden, notOver, rememberNames } from '../../src/reconcile/memory.ts';

describe('the names of last nodes', () => {
  const KEPT = 20_000;
  const names = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => [`m${from + index}`, `n${from + index}`] as const);

  it('are remembered for 20,000 machines, the latest first', () => {
    const all = rememberNames(new Map(names(0, 10)), names(10, KEPT));
    expect(all.size).toBe(KEPT);
    const more = rememberNames(all, names(KEPT, KEPT + 3));
    expect(more.size).toBe(KEPT);
    expect([...more.keys()].at(0)).toBe('m3');
    expect([...more.keys()].at(-1)).toBe(`m${KEPT + 2}`);
  });

  it('count as new when they are seen again', () => {
    const again = rememberNames(new Map(names(0, KEPT)), [
      ['m0', 'another'],
      ['new', 'name'],
    ]);
    expect(again.get('m0')).toBe('another');
    expect(again.has('m1')).toBe(false);
  });
});

describe('what is remembered until a time', () => {
  const until = new Map([
    ['over', 99],
    ['just over', 100],
    ['not over', 101],
  ]);

  it('is over at that time', () => {
    expect(notOver(until, 100)).toEqual(new Map([['not over', 101]]));
  });

  it.each([
    ['over', false],
    ['just over', false],
    ['not over', true],
    ['never heard of', false],
  ])('says of a request and of a name that is %s: %s', (what, expected) => {
    expect(isFutile({ ...EMPTY_MEMORY, futile: until }, what, 100)).toBe(expected);
    expect(isHidden({ ...EMPTY_MEMORY, hidden: until }, what, 100)).toBe(expected);
  });
});
