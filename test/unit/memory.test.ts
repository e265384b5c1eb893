/** What a pass leaves for the next: names, refusals, and what is hidden; graces have their place in plan.test.ts. */
import { describe, expect, it } from 'vitest';
import {
  EMPTY_MEMORY,
  type Grace,
  isFutile,
  isHidden,
  notOver,
  rememberNames,
  unwatched,
} from '../../src/reconcile/memory.ts';

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

describe('a pass that ran into its deadline', () => {
  const grace = (reason: Grace['reason'], mark: string, passes: number): Grace => {
    return { reason, mark, watchedMs: passes * 1_000, passes, failures: 0 };
  };
  const before = {
    ...EMPTY_MEMORY,
    lastGoodMs: 1_000,
    graces: new Map([
      ['still dead', grace('unhealthy', 'm', 4)],
      ['alive', grace('unhealthy', 'm', 4)],
      ['in another row', grace('unhealthy', 'm', 4)],
      ['of another machine', grace('unhealthy', 'm', 4)],
    ]),
    unlisted: new Map([
      ['still unlisted', 2],
      ['listed', 2],
    ]),
  };
  const after = {
    ...EMPTY_MEMORY,
    lastGoodMs: 2_000,
    graces: new Map([
      ['still dead', grace('unhealthy', 'm', 5)],
      ['in another row', grace('machine-gone', 'm', 1)],
      ['of another machine', grace('unhealthy', 'n', 1)],
      ['dead since', grace('unhealthy', 'm', 1)],
    ]),
    unlisted: new Map([
      ['still unlisted', 3],
      ['unlisted since', 1],
    ]),
    lastNames: new Map([['m', 'n']]),
  };

  it('lets no grace and no count go on, and ends those that it saw end', () => {
    expect(unwatched(after, before)).toEqual({
      ...after,
      lastGoodMs: 1_000,
      graces: new Map([['still dead', grace('unhealthy', 'm', 4)]]),
      unlisted: new Map([['still unlisted', 2]]),
    });
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
