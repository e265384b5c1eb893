/** Which sequences of values alternate, and which change of an identity may change back. */
import { describe, expect, it } from 'vitest';
import {
  addValue,
  alternation,
  type Changes,
  identityKey,
  isUnsettled,
} from '../../../../../src/reconcile/plan/memory/changes.ts';
import { HOUR, MINUTE } from '../../world.ts';

const seen = (...values: (readonly [value: string, atMs: number])[]): Changes =>
  values.reduce<Changes>((changes, [value, atMs]) => addValue(changes, value, atMs), []);

describe('the changes of a value', () => {
  it('begin with the first value that is known', () => {
    expect(addValue(undefined, '', 0)).toEqual([]);
    expect(addValue(undefined, 'A', 1)).toEqual([{ value: 'A', atMs: 1 }]);
    expect(addValue([], 'A', 1)).toEqual([{ value: 'A', atMs: 1 }]);
  });

  it.each(['A', ''])('are the same while the value is the last one or not known: %j', (value) => {
    const changes = seen(['A', 0]);
    expect(addValue(changes, value, 1)).toBe(changes);
  });

  it('are the last eight', () => {
    const letters = [...'ABCDEFGHI'];
    const changes = seen(...letters.map((value, atMs) => [value, atMs] as const));
    expect(changes.map(({ value }) => value).join('')).toBe('BCDEFGHI');
  });
});

describe('a value that alternates', () => {
  it.each([
    [
      'A, B, A, B',
      [
        ['A', 0],
        ['B', 1],
        ['A', 2],
        ['B', 3],
      ],
      ['A', 'B'],
    ],
    [
      'A, B, A',
      [
        ['A', 0],
        ['B', 1],
        ['A', 2],
      ],
      undefined,
    ],
    [
      'A, B, A, C',
      [
        ['A', 0],
        ['B', 1],
        ['A', 2],
        ['C', 3],
      ],
      undefined,
    ],
    [
      'A, B, C, B',
      [
        ['A', 0],
        ['B', 1],
        ['C', 2],
        ['B', 3],
      ],
      undefined,
    ],
    [
      'A, B, A, B, A: the last four',
      [
        ['A', 0],
        ['B', 1],
        ['A', 2],
        ['B', 3],
        ['A', 4],
      ],
      ['B', 'A'],
    ],
    [
      'A, A, B, B, A, A, B',
      [
        ['A', 0],
        ['A', 1],
        ['B', 2],
        ['B', 3],
        ['A', 4],
        ['A', 5],
        ['B', 6],
      ],
      ['A', 'B'],
    ],
    [
      'unknown in between',
      [
        ['A', 0],
        ['', 1],
        ['B', 2],
        ['', 3],
        ['A', 4],
        ['B', 5],
      ],
      ['A', 'B'],
    ],
  ] as const)('%s', (_, values, expected) => {
    expect(alternation(seen(...values), 10)).toEqual(expected);
  });

  it('does so within an hour', () => {
    const changes = seen(['A', 0], ['B', MINUTE], ['A', 2 * MINUTE], ['B', 3 * MINUTE]);
    expect(alternation(changes, MINUTE + HOUR)).toEqual(['A', 'B']);
    expect(alternation(changes, MINUTE + HOUR + 1)).toBeUndefined();
  });
});

describe('a reported identity', () => {
  const isUnsettledAt = (nowMs: number, changes: Changes) =>
    isUnsettled(new Map([[identityKey('u'), changes]]), 'u', nowMs);

  it.each<[string, () => Changes, boolean]>([
    ['the only one so far', () => seen(['a 10.0.0.1', 0]), false],
    ['another ID', () => seen(['a 10.0.0.1', 0], ['b 10.0.0.1', 1]), true],
    ['another address', () => seen(['a 10.0.0.1', 0], ['a 10.0.0.10', 1]), true],
    ['an ID that begins as the last one', () => seen(['a', 0], ['ab', 1]), true],
    ['an address more', () => seen(['aa 10.0.0.1', 0], ['aa 10.0.0.1 10.0.2.15', 1]), false],
    ['an address less', () => seen(['a 10.0.0.1 10.0.2.15', 0], ['a 10.0.0.1', 1]), true],
    ['the ID that was missing', () => seen(['10.0.0.1', 0], ['a 10.0.0.1', 1]), false],
    ['the one before the last again', () => seen(['a', -HOUR], ['b', -HOUR], ['a', 1]), true],
  ])('that is %s may change back: %s', (_, changes, expected) => {
    expect(isUnsettledAt(1, changes())).toBe(expected);
  });

  it('may change back for ten minutes', () => {
    const changes = seen(['a', 0], ['b', 1]);
    expect([isUnsettledAt(10 * MINUTE, changes), isUnsettledAt(10 * MINUTE + 1, changes)]).toEqual([true, false]);
  });

  it('of a node that was never read does not', () => {
    expect(isUnsettled(new Map([[identityKey('u'), seen(['a', 0], ['b', 1])]]), 'other', 1)).toBe(false);
  });
});
