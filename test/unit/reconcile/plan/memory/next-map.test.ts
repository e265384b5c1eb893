/** A map that outlives a pass in which nothing changed. */
import { describe, expect, it } from 'vitest';
import { NextMap } from '../../../../../src/reconcile/plan/memory/next-map.ts';

const [one, two] = [{ n: 1 }, { n: 2 }];
const before = new Map([
  ['a', one],
  ['b', two],
]);

function next(...entries: readonly (readonly [string, { n: number }])[]): ReadonlyMap<string, { n: number }> {
  const map = new NextMap(before);
  for (const [key, value] of entries) map.set(key, value);
  return map.map;
}

describe('the next map', () => {
  it('is the one before when every entry is there again, in any order', () => {
    expect(next(['b', two], ['a', one])).toBe(before);
  });

  it('has the entries of this pass alone', () => {
    expect(next(['a', one])).toEqual(new Map([['a', one]]));
    expect(next()).toEqual(new Map());
    expect(next(['a', one], ['c', two], ['b', two])).toEqual(new Map([...before, ['c', two]]));
    expect(next(['a', one], ['b', { n: 3 }])).toEqual(
      new Map([
        ['a', one],
        ['b', { n: 3 }],
      ]),
    );
  });

  it('leaves the map before as it was', () => {
    next(['a', two]);
    expect(before.get('a')).toBe(one);
  });
});
