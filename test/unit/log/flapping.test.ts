import { describe, expect, it } from 'vitest';
import { Flapping } from '../../../src/log/flapping.ts';
import { Once } from '../../../src/log/once.ts';
import { MINUTE } from '../reconcile/world.ts';

const HOUR = 60 * MINUTE;

describe('a change', () => {
  it('is told by itself three times for each state', () => {
    const flapping = new Flapping();
    const told = Array.from({ length: 10 }, (_, second) =>
      flapping.changed('x', second % 2 === 0 ? 'keep' : 'orphan', second * 1_000),
    );
    expect(told).toEqual([true, true, true, true, true, true, false, false, false, false]);
    expect(flapping.changed('x', 'conflict', 10_000)).toBe(true);
    expect(flapping.changed('y', 'keep', 10_000)).toBe(true);
  });

  it('is new when there was none for ten minutes', () => {
    const flapping = new Flapping();
    for (let second = 0; second < 4; second += 1) flapping.changed('x', 'keep', second * 1_000);
    expect(flapping.changed('x', 'keep', 3_000 + 10 * MINUTE - 1)).toBe(false);
    expect(flapping.changed('x', 'keep', 3_000 + 20 * MINUTE)).toBe(true);
  });

  it('that is told elsewhere is not told, unless the thing flaps', () => {
    const flapping = new Flapping();
    const come = (ms: number) => [flapping.changed('x', 'waiting', ms), flapping.changed('x', 'away', ms + 1, false)];
    for (const second of [0, 1, 2]) expect(come(second * 1_000)).toEqual([true, false]);
    expect(flapping.due('x', MINUTE)).toBeUndefined();
    expect(come(MINUTE)).toEqual([false, false]);
    expect(flapping.due('x', MINUTE + 1)?.preface).toBe('on and off, 4 times in 1m: ');
  });
});

describe('what is told late', () => {
  it('is due when it has gone on for twice as long, and an hour later at the latest', () => {
    const flapping = new Flapping();
    const due: number[] = [];
    for (let ms = 0; ms <= 5 * HOUR; ms += 1_000) {
      flapping.changed('x', `${ms % 2_000}`, ms);
      if (flapping.due('x', ms) !== undefined) due.push(ms / MINUTE);
    }
    expect(due).toEqual([1, 2, 4, 8, 16, 32, 64, 124, 184, 244]);
  });

  it('is due at once when that minute is over already', () => {
    const flapping = new Flapping();
    for (let minute = 0; minute < 6; minute += 1) flapping.changed('x', `${minute % 2}`, minute * MINUTE);
    expect(flapping.due('x', 5 * MINUTE)).toBeUndefined();
    flapping.changed('x', '0', 6 * MINUTE);
    expect(flapping.due('x', 6 * MINUTE)).toEqual({
      preface: 'on and off, 4 times in 6m: ',
      figures: { flaps: 4, flappedMs: 6 * MINUTE },
    });
  });

  it('is forgotten with the rest when it has been calm for long', () => {
    const flapping = new Flapping();
    flapping.changed('x', 'keep', 0);
    expect([flapping.due('x', 10 * MINUTE - 1), flapping.keys()]).toEqual([undefined, ['x']]);
    expect([flapping.due('x', 10 * MINUTE), flapping.keys()]).toEqual([undefined, []]);
    expect(flapping.due('x', 11 * MINUTE)).toBeUndefined();
  });
});

describe('what is said once for as long as it lasts', () => {
  const FIRST = { preface: '', figures: {} };

  it('is news when it begins', () => {
    const once = new Once();
    expect(once.news(['a', 'b'], 0)).toEqual(
      new Map([
        ['a', FIRST],
        ['b', FIRST],
      ]),
    );
    expect(once.news(['a', 'c'], 1_000)).toEqual(new Map([['c', FIRST]]));
    expect(once.news(['a'], HOUR)).toEqual(new Map());
    expect(once.news(['a', 'b'], HOUR + 1_000)).toEqual(new Map([['b', FIRST]]));
  });

  it('has few lines when it comes and goes, and the last is said while it is there', () => {
    const once = new Once();
    const said: [number, string][] = [];
    for (let second = 0; second < 1_000; second += 1) {
      const due = once.news(second % 2 === 0 ? ['a'] : [], second * 1_000).get('a');
      if (due !== undefined) said.push([second, due.preface]);
    }
    expect(said.map(([second]) => second)).toEqual([0, 2, 4, 60, 120, 240, 480, 960]);
    expect(said.at(-1)?.[1]).toBe('on and off, 481 times in 16m: ');
    expect(once.news(['a'], 1_000_000)).toEqual(new Map());
    expect(once.news(['a'], 1_000_000 + 10 * MINUTE).get('a')?.preface).toMatch(/steady for 10m: $/);
  });
});
