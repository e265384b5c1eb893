/** Which sequences of values alternate. */
import { describe, expect, it } from 'vitest';
import { addValue, alternation, type Changes } from '../../../../../src/reconcile/plan/memory/changes.ts';
import { HOUR, MINUTE } from '../../world.ts';

describe('a value that alternates', () => {
  const seen = (...values: (readonly [value: string, atMs: number])[]) =>
    values.reduce<Changes | undefined>((changes, [value, atMs]) => addValue(changes, value, atMs), undefined);

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
