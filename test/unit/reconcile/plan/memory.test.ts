/** What a pass leaves for the next: names, refusals, what was undone, and what another server would not know. */
import { describe, expect, it } from 'vitest';
import {
  alternation,
  type Changes,
  doneOnceMore,
  EMPTY_MEMORY,
  type Grace,
  isFutile,
  isHidden,
  type Memory,
  notOver,
  recall,
  rememberNodes,
  seeValue,
  unwatched,
  watchedSince,
  watchReturns,
} from '../../../../src/reconcile/plan/memory.ts';
import { ERAS, HOUR, INTERVAL, MINUTE, machine, node, observed, ours, planAt } from '../world.ts';

describe('the last nodes of machines', () => {
  const KEPT = 20_000;
  const last = (name: string) => ({ name, uid: `uid-${name}`, origin: 'named' as const });
  const nodes = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => [`m${from + index}`, last(`n${from + index}`)] as const);

  it('are remembered for 20,000 machines, the latest first', () => {
    const all = rememberNodes(new Map(nodes(0, 10)), nodes(10, KEPT));
    expect(all.size).toBe(KEPT);
    const more = rememberNodes(all, nodes(KEPT, KEPT + 3));
    expect(more.size).toBe(KEPT);
    expect([...more.keys()].at(0)).toBe('m3');
    expect([...more.keys()].at(-1)).toBe(`m${KEPT + 2}`);
  });

  it('count as new when they are seen again', () => {
    const again = rememberNodes(new Map(nodes(0, KEPT)), [
      ['m0', last('another')],
      ['new', last('name')],
    ]);
    expect(again.get('m0')?.name).toBe('another');
    expect(again.has('m1')).toBe(false);
  });

  it('are those that machines are paired with, with the origin of the name', () => {
    const machines = [machine('a', '10.0.0.1'), machine('b', '10.0.0.2')];
    const world = {
      machines,
      nodes: [node('host', { machineId: 'a', ready: 'true' }), node('10.0.0.2'), node('by-hand')],
    };
    expect(planAt(0, world).memory.lastNodes).toEqual(
      new Map([
        ['a', { name: 'host', uid: 'uid-host', origin: 'own-name' }],
        ['b', { name: '10.0.0.2', uid: 'uid-10.0.0.2', origin: 'named' }],
      ]),
    );
  });
});

describe('what was read of nodes', () => {
  it('is remembered by uid with its time, for every node that is there', () => {
    const fresh = node('x', { machineId: 'a' });
    const before: Memory = { ...EMPTY_MEMORY, reads: new Map([['uid-y', { facts: observedFacts('y'), atMs: 5 }]]) };
    const nodes = [fresh, node('y', { read: 'stale' }), node('z', { read: 'never' })];
    const { reads } = planAt(100, { nodes }, planAt(50, { nodes: [node('gone')] }, before).memory).memory;
    expect([...reads].map(([uid, { atMs }]) => [uid, atMs])).toEqual([
      ['uid-x', 100],
      ['uid-y', 100],
    ]);
    const stale = planAt(100, { nodes: [node('y', { read: 'stale' })] }, before).memory.reads;
    expect(stale.get('uid-y')?.atMs).toBe(5);
  });
});

function observedFacts(name: string) {
  const [found] = observed({ nodes: [node(name)] }).nodes;
  if (found?.facts === undefined) throw new Error('it has no facts');
  return found.facts;
}

describe('the time that counts between two good passes', () => {
  const after = (ms: number) => watchedSince({ ...EMPTY_MEMORY, lastGoodMs: 1_000 }, 1_000 + ms, INTERVAL);

  it('is what went by, and at most two intervals', () => {
    expect([0, INTERVAL, 2 * INTERVAL, 2 * INTERVAL + 1, HOUR, -5].map(after)).toEqual([
      0,
      INTERVAL,
      2 * INTERVAL,
      2 * INTERVAL,
      2 * INTERVAL,
      0,
    ]);
  });

  it('is none before the first', () => {
    expect(watchedSince(EMPTY_MEMORY, HOUR, INTERVAL)).toBe(0);
  });
});

describe('a pass that ran into its deadline', () => {
  const grace = (reason: Grace['reason'], mark: string, passes: number): Grace => {
    return { reason, mark, watchedMs: passes * 1_000, passes, failures: 0 };
  };
  const before: Memory = {
    ...EMPTY_MEMORY,
    lastGoodMs: 1_000,
    graces: new Map([
      ['still dead', grace('unhealthy', 'm', 4)],
      ['alive', grace('unhealthy', 'm', 4)],
      ['in another row', grace('unhealthy', 'm', 4)],
      ['in a row that shares its grace', grace('machine-gone', 'm', 4)],
      ['of another machine', grace('unhealthy', 'm', 4)],
    ]),
    doubts: new Map([
      ['still doubted', { kind: 'probe-suspect', watchedMs: 4_000 }],
      ['well again', { kind: 'probe-suspect', watchedMs: 4_000 }],
      ['doubted otherwise', { kind: 'probe-suspect', watchedMs: 4_000 }],
    ]),
    held: new Map([
      ['still held', { machineId: 'm', passes: 2 }],
      ['held by another', { machineId: 'm', passes: 2 }],
    ]),
  };
  const after: Memory = {
    ...EMPTY_MEMORY,
    lastGoodMs: 2_000,
    graces: new Map([
      ['still dead', grace('unhealthy', 'm', 5)],
      ['in another row', grace('machine-gone', 'm', 1)],
      ['in a row that shares its grace', grace('left-over', 'm', 5)],
      ['of another machine', grace('unhealthy', 'n', 1)],
      ['dead since', grace('unhealthy', 'm', 1)],
    ]),
    doubts: new Map([
      ['still doubted', { kind: 'probe-suspect', watchedMs: 5_000 }],
      ['doubted otherwise', { kind: 'not-posting', watchedMs: 0 }],
    ]),
    held: new Map([
      ['still held', { machineId: 'm', passes: 3 }],
      ['held by another', { machineId: 'n', passes: 1 }],
    ]),
    answered: new Map([['x', ['10.0.0.1']]]),
  };

  it('lets no grace and no count go on, ends those that it saw end, and keeps what it learned', () => {
    expect(unwatched(after, before)).toEqual({
      ...after,
      lastGoodMs: 1_000,
      graces: new Map([
        ['still dead', grace('unhealthy', 'm', 4)],
        ['in a row that shares its grace', grace('machine-gone', 'm', 4)],
      ]),
      doubts: new Map([['still doubted', { kind: 'probe-suspect', watchedMs: 4_000 }]]),
      held: new Map([['still held', { machineId: 'm', passes: 2 }]]),
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

describe('what was done', () => {
  const written = (...pairs: (readonly [string, string | null])[]) => new Map(pairs);
  const x = written(['x', '1']);

  it('is counted as long as it writes something again', () => {
    const once = doneOnceMore(undefined, x, 1);
    const twice = doneOnceMore({ ...once, missingAtMs: 2 }, written(['x', '1'], ['y', '2']), 3);
    expect([once, twice]).toEqual([
      { wanted: x, times: 1, atMs: 1, missingAtMs: undefined },
      { wanted: written(['x', '1'], ['y', '2']), times: 2, atMs: 3, missingAtMs: undefined },
    ]);
    expect(doneOnceMore(twice, written(['y', '2']), 4)).toMatchObject({ times: 3 });
  });

  it('is counted anew when it writes other keys or other values, and what was written stays known', () => {
    const thrice = { wanted: x, times: 3, atMs: 1, missingAtMs: undefined };
    expect(doneOnceMore(thrice, written(['y', '2']), 4)).toMatchObject({
      wanted: written(['x', '1'], ['y', '2']),
      times: 1,
    });
    expect(doneOnceMore(thrice, written(['x', '2']), 4)).toMatchObject({ wanted: written(['x', '2']), times: 1 });
    expect(doneOnceMore(thrice, written(['x', null]), 4)).toMatchObject({ times: 1 });
  });
});

describe('a value that goes back and forth', () => {
  const seen = (...values: (readonly [value: string, atMs: number])[]) =>
    values.reduce<Changes | undefined>((changes, [value, atMs]) => seeValue(changes, value, atMs), undefined);

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
      'nothing said in between',
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

describe('machines whose nodes were deregistered', () => {
  const gone = (atMs: number, returnedAtMs?: number) => ({ name: 'x', uid: 'u', atMs, returnedAtMs });
  const watched = (entry: ReturnType<typeof gone>, isBack: boolean, nowMs: number) =>
    watchReturns({ ...EMPTY_MEMORY, deregistered: new Map([['m', entry]]) }, () => isBack, nowMs).get('m');

  it.each([
    ['come back', gone(0), true, MINUTE, MINUTE],
    ['came back, and stay so', gone(0, 5), true, MINUTE, 5],
    ['came back, and are away again', gone(0, 5), false, MINUTE, 5],
    ['came back in the last minute of the hour, which counts for an hour more', gone(0, HOUR), true, 2 * HOUR, HOUR],
  ])('%s', (_, entry, isBack, nowMs, returnedAtMs) => {
    expect(watched(entry, isBack, nowMs)?.returnedAtMs).toBe(returnedAtMs);
  });

  it('are forgotten when they do not come back within an hour, and an hour after they came back', () => {
    expect(watched(gone(0), false, HOUR)).toBeDefined();
    expect(watched(gone(0), false, HOUR + 1)).toBeUndefined();
    expect(watched(gone(0, MINUTE), true, HOUR + MINUTE)).toBeDefined();
    expect(watched(gone(0, MINUTE), true, HOUR + MINUTE + 1)).toBeUndefined();
  });
});

describe('another server', () => {
  const full: Memory = {
    ...EMPTY_MEMORY,
    lastGoodMs: 7,
    abilities: ERAS['v1.20'].abilities,
    graces: new Map([['u', { reason: 'unhealthy', mark: 'm', watchedMs: 1, passes: 1, failures: 0 }]]),
    answered: new Map([['u', ['10.0.0.1']]]),
    lastNodes: new Map([['m', { name: 'x', uid: 'u', origin: 'named' }]]),
    deregistered: new Map([['m', { name: 'x', uid: 'u', atMs: 1, returnedAtMs: undefined }]]),
    done: new Map([['register m', { wanted: new Map([['name', 'x']]), times: 1, atMs: 1, missingAtMs: undefined }]]),
    futile: new Map([['x', 1]]),
    hidden: new Map([['x', 1]]),
  };

  it('that can do the same is the same server, whatever its version: two patch releases behind one balancer', () => {
    expect(recall(full, ERAS['v1.0'])).toBe(full);
    expect(recall({ ...full, abilities: undefined }, ERAS['v0.8'])).toMatchObject({ graces: full.graces });
  });

  it.each(['v0.8', 'v0.12', 'v0.17'] as const)('that can do other things (%s) knows of machines alone', (era) => {
    const { lastGoodMs, lastNodes, deregistered } = full;
    expect(recall(full, ERAS[era])).toEqual({ ...EMPTY_MEMORY, lastGoodMs, lastNodes, deregistered });
  });

  it('is remembered by what it can do', () => {
    expect(planAt(0, { nodes: [ours('x', 'x', '10.0.0.9')] }).memory.abilities).toBe(ERAS['v1.20'].abilities);
  });
});
