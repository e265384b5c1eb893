/** What a pass leaves for the next: names, refusals, returned machines, and what is not valid for another server. */
import { describe, expect, it } from 'vitest';
import type { Grace } from '../../../../../src/reconcile/plan/memory/graces.ts';
import {
  EMPTY_MEMORY,
  isHidden,
  isRefused,
  type Memory,
  memoryFor,
  rememberNodes,
  stillHidden,
  trackReturns,
  withoutExpired,
  withoutProgress,
} from '../../../../../src/reconcile/plan/memory/memory.ts';
import { ERAS, HOUR, MINUTE, machine, node, observed, ours, planAt } from '../../world.ts';

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

  it('are the same map while nothing is new', () => {
    const before = new Map(nodes(0, 3));
    expect(rememberNodes(before, nodes(1, 3))).toBe(before);
    expect(rememberNodes(before, [])).toBe(before);
  });

  it.each([{ name: 'other' }, { uid: 'other' }, { origin: 'own-name' as const }])(
    'are the latest where they differ by %j',
    (difference) => {
      const now = { ...last('n0'), ...difference };
      expect([...rememberNodes(new Map(nodes(0, 2)), [['m0', now]])]).toEqual([
        ['m1', last('n1')],
        ['m0', now],
      ]);
    },
  );

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
    mismatches: new Map([
      ['still a mismatch', { kind: 'probe-suspect', watchedMs: 4_000 }],
      ['no mismatch any more', { kind: 'probe-suspect', watchedMs: 4_000 }],
      ['another mismatch', { kind: 'probe-suspect', watchedMs: 4_000 }],
    ]),
    besideOthers: new Map([
      ['still beside another', 4_000],
      ['gone', 4_000],
    ]),
    rematched: new Map([
      ['still rematched', { machineId: 'm', passes: 2 }],
      ['rematched by another', { machineId: 'm', passes: 2 }],
      ['no longer rematched', { machineId: 'm', passes: 2 }],
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
    mismatches: new Map([
      ['still a mismatch', { kind: 'probe-suspect', watchedMs: 5_000 }],
      ['another mismatch', { kind: 'not-posting', watchedMs: 0 }],
    ]),
    besideOthers: new Map([
      ['still beside another', 5_000],
      ['beside another since', 0],
    ]),
    rematched: new Map([
      ['still rematched', { machineId: 'm', passes: 3 }],
      ['rematched by another', { machineId: 'n', passes: 1 }],
    ]),
    answered: new Map([['x', ['10.0.0.1']]]),
  };

  it('lets no grace and no count go on, ends those that it saw end, and keeps what it learned', () => {
    expect(withoutProgress(after, before)).toEqual({
      ...after,
      lastGoodMs: 1_000,
      graces: new Map([
        ['still dead', grace('unhealthy', 'm', 4)],
        ['in a row that shares its grace', grace('machine-gone', 'm', 4)],
      ]),
      mismatches: new Map([['still a mismatch', { kind: 'probe-suspect', watchedMs: 4_000 }]]),
      besideOthers: new Map([['still beside another', 4_000]]),
      rematched: new Map([['still rematched', { machineId: 'm', passes: 2 }]]),
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
    expect(withoutExpired(until, 100)).toEqual(new Map([['not over', 101]]));
  });

  it('is over for a hidden name once the server lists it', () => {
    const hidden = new Map([...until, ['listed', 101]]);
    const nodes = [{ name: 'listed' }, { name: 'another' }];
    expect(stillHidden({ ...EMPTY_MEMORY, hidden }, nodes, 100)).toEqual(new Map([['not over', 101]]));
    expect(hidden.size).toBe(4);
  });

  it('is the same map while no name is hidden', () => {
    const hidden = new Map<string, number>();
    expect(stillHidden({ ...EMPTY_MEMORY, hidden }, [], 100)).toBe(hidden);
  });

  it.each([
    ['over', false],
    ['just over', false],
    ['not over', true],
    ['unknown', false],
  ])('says of a request and of a name that is %s: %s', (what, expected) => {
    expect(isRefused({ ...EMPTY_MEMORY, refused: until }, what, 100)).toBe(expected);
    expect(isHidden({ ...EMPTY_MEMORY, hidden: until }, what, 100)).toBe(expected);
  });
});

describe('machines whose nodes were deregistered', () => {
  const gone = (atMs: number, returnedAtMs?: number) => ({ name: 'x', uid: 'u', atMs, returnedAtMs });
  const watched = (entry: ReturnType<typeof gone>, isBack: boolean, nowMs: number) =>
    trackReturns({ ...EMPTY_MEMORY, deregistered: new Map([['m', entry]]) }, () => isBack, nowMs).get('m');

  it.each([
    ['return', gone(0), true, MINUTE, MINUTE],
    ['returned, and stay', gone(0, 5), true, MINUTE, 5],
    ['returned, and are gone again', gone(0, 5), false, MINUTE, 5],
    ['returned at the end of the hour, which counts for an hour more', gone(0, HOUR), true, 2 * HOUR, HOUR],
  ])('%s', (_, entry, isBack, nowMs, returnedAtMs) => {
    expect(watched(entry, isBack, nowMs)?.returnedAtMs).toBe(returnedAtMs);
  });

  it('are forgotten when they do not return within an hour, and an hour after they returned', () => {
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
    writes: new Map([['register m', { values: new Map([['name', 'x']]), times: 1, atMs: 1, missingAtMs: undefined }]]),
    refused: new Map([['x', 1]]),
    hidden: new Map([['x', 1]]),
  };

  it('that can do the same is the same server, whatever its version: two patch releases behind one balancer', () => {
    expect(memoryFor(full, ERAS['v1.0'])).toBe(full);
    expect(memoryFor({ ...full, abilities: undefined }, ERAS['v0.8'])).toMatchObject({ graces: full.graces });
  });

  it.each(['v0.8', 'v0.12', 'v0.17'] as const)(
    'that can do other things (%s) knows of machines and of where kubelets answered',
    (era) => {
      const { lastGoodMs, lastNodes, deregistered, answered } = full;
      expect(memoryFor(full, ERAS[era])).toEqual({ ...EMPTY_MEMORY, lastGoodMs, lastNodes, deregistered, answered });
    },
  );

  it('is remembered by what it can do', () => {
    expect(planAt(0, { nodes: [ours('x', 'x', '10.0.0.9')] }).memory.abilities).toBe(ERAS['v1.20'].abilities);
  });
});
