/** The nodes that have a machine: which are adopted, which marks are rewritten, and what is written again when others undo it. */
import { describe, expect, it } from 'vitest';
import { ADDRESS, MACHINE_ID, MANAGED, ORIGIN, OWNER, SINCE } from '../../../../src/reconcile/evidence/marks.ts';
import { type Action, fingerprint, writeOf } from '../../../../src/reconcile/plan/action.ts';
import { EMPTY_MEMORY, type Memory, RETRY_REFUSED_MS } from '../../../../src/reconcile/plan/memory/memory.ts';
import type { Plan } from '../../../../src/reconcile/plan/plan.ts';
import { describeWait } from '../../../../src/reconcile/plan/upkeep.ts';
import {
  bystanders,
  ERAS,
  INTERVAL,
  MINUTE,
  machine,
  named,
  node,
  ours,
  planAt,
  told,
  Watch,
  type World,
} from '../world.ts';

const A = machine('a', '10.0.0.1');
const B = machine('b', '10.0.0.2');
const healthy = { '10.0.0.1': 'healthy', '10.0.0.2': 'healthy' } as const;
const up = { ready: 'true' } as const;

/** The annotations that the only action writes. */
function annotationsOf({ actions }: Plan) {
  const [action, ...others] = actions;
  expect(others).toEqual([]);
  return action?.kind === 'adopt' || action?.kind === 'label'
    ? Object.fromEntries(action.change.annotations)
    : undefined;
}

describe('a machine’s node without a mark', () => {
  const self = node('host-a', { machineId: 'a', addresses: ['10.0.0.1'], labels: { zone: 'hand-made' } });

  it('is adopted once its kubelet answers, and gets marks and the label, nothing else', () => {
    const plan = planAt(0, { machines: [A], nodes: [self], kubelets: { '10.0.0.1': 'answers' } });
    expect(plan.nodes.get('host-a')).toEqual({
      name: 'adopt',
      reason: 'node of machine a, matched by machine ID; kubelet unhealthy; node Unknown',
    });
    expect(plan.actions).toMatchObject([{ kind: 'adopt', change: { labels: new Map([[MANAGED, 'true']]) } }]);
    expect(annotationsOf(plan)).toEqual({
      [MACHINE_ID]: 'a',
      [ADDRESS]: '10.0.0.1',
      [SINCE]: '2026-01-02T00:00:00.000Z',
      [ORIGIN]: 'own-name',
      [OWNER]: 'default',
    });
  });

  it('is adopted on the word of its kubelet’s posts alone', () => {
    const reporting = node('host-a', { machineId: 'a', ...up });
    expect(told(planAt(0, { machines: [A], nodes: [reporting] }))).toEqual(['adopt host-a']);
  });

  it('gets the address of its machine also where it reports that itself', () => {
    const reporting = node('host-a', { machineId: 'a', addresses: ['10.0.0.1'], ...up });
    const plan = planAt(0, { machines: [A], nodes: [reporting], kubelets: healthy });
    expect(annotationsOf(plan)).toMatchObject({ [ADDRESS]: '10.0.0.1' });
  });

  it.each([
    ['its kubelet is silent and posts nothing', {}],
    ['its kubelet was not asked', { unasked: ['10.0.0.1'] }],
  ])('is not adopted while %s: a warning with the command for a node that is of no use', (_, world) => {
    const plan = planAt(0, { machines: [A], nodes: [self], ...world });
    expect(plan.actions).toEqual([]);
    expect(plan.nodes.get('host-a')).toMatchObject({
      name: 'recognised',
      next: 'will be adopted once its kubelet is reachable or the node is reporting; if it is not in use: kubectl delete node host-a',
      isWarning: true,
    });
  });

  it('is not adopted on the answer of another node’s kubelet', () => {
    const nodes = [
      node('10.0.0.1'),
      node('host-b', { ...up, machineId: 'b', mark: 'b', addresses: ['10.0.0.1', '10.0.0.2'] }),
    ];
    const plan = planAt(0, { machines: [A, B], nodes, kubelets: healthy });
    expect(plan.nodes.get('10.0.0.1')?.name).toBe('recognised');
    expect(told(plan)).not.toContain('adopt 10.0.0.1');
  });

  it('is recognised and never marked with ADOPT=false, and no second node is made beside it', () => {
    const plan = planAt(0, { machines: [A], nodes: [self], kubelets: healthy }, EMPTY_MEMORY, { adopt: false });
    expect(plan.actions).toEqual([]);
    expect(plan.nodes.get('host-a')).toEqual({
      name: 'recognised',
      reason: 'node of machine a, matched by machine ID; kubelet healthy; node Unknown',
      next: 'not adopted: KUBE_REGISTER_ADOPT=false',
    });
    expect(plan.machines.get('a')?.name).toBe('has-node');
  });

  it.each([
    ['ADOPT=false', { adopt: false }, {}],
    ['a server that cannot change a minion', {}, { era: ERAS['v0.12'] }],
  ])('is a warning with the command while it is silent, with %s', (_, policy, world) => {
    const plan = planAt(0, { machines: [A], nodes: [self], ...world }, EMPTY_MEMORY, policy);
    expect(plan.nodes.get('host-a')).toMatchObject({
      name: 'recognised',
      next: expect.stringMatching(/^not adopted: .*; if it is dead: kubectl delete node host-a$/),
      isWarning: true,
    });
  });

  it.each<[string, World]>([
    ['not-posting', { nodes: [self], kubelets: healthy }],
    ['probe-suspect', { nodes: [node('host-a', { machineId: 'a', ...up })] }],
  ])('is %s after ten minutes though it is never marked, for an operator has to know', (verdict, world) => {
    const watch = new Watch({ adopt: false });
    const words = (plan: Plan) => plan.nodes.get('host-a')?.name;
    expect(words(watch.passFor(10 * MINUTE - INTERVAL, { machines: [A], ...world }))).toBe('recognised');
    expect(words(watch.pass({ machines: [A], ...world }))).toBe(verdict);
    expect(told(watch.passFor(30 * MINUTE, { machines: [A], ...world }))).toEqual([]);
  });

  it('is recognised and never marked where the server cannot change a minion', () => {
    const plan = planAt(0, { machines: [A], nodes: [self], kubelets: healthy, era: ERAS['v0.12'] });
    expect(plan.actions).toEqual([]);
    expect(plan.nodes.get('host-a')).toMatchObject({
      name: 'recognised',
      next: 'not adopted: the API server (v0.12.2, using API v1beta2) cannot update minions',
    });
  });

  it('is unmanaged, and never touched, when another kube-register manages it', () => {
    const theirs = node('host-a', { mark: 'a', owner: 'west', machineId: 'a', addresses: ['10.0.0.1'], ...up });
    const world = { machines: [A], nodes: [theirs] };
    // After ten minutes a silent kubelet would be a warning on a node of its own.
    for (const plan of [planAt(0, { ...world, kubelets: healthy }), new Watch().passFor(10 * MINUTE, world)]) {
      expect(plan.actions).toEqual([]);
      expect(plan.nodes.get('host-a')).toEqual({
        name: 'foreign',
        reason: 'managed by the kube-register with KUBE_REGISTER_OWNER_ID=west',
        next: 'never touched',
      });
      expect(plan.managed).toBe(0);
    }
  });
});

describe('the origin that is written', () => {
  const originOf = (name: string, addresses: readonly string[], world: World = {}) =>
    annotationsOf(
      planAt(0, {
        machines: [A],
        nodes: [node(name, { ...up, machineId: 'a', addresses })],
        kubelets: healthy,
        ...world,
      }),
    )?.[ORIGIN];

  it.each([
    ['named', 'NODE_NAME gave the name', '10.0.0.1', ['10.0.0.1']],
    ['named', 'the name is an address that the node reports', '10.7.7.7', ['10.7.7.7', '10.0.0.1']],
    ['own-name', 'the kubelet chose the name', 'host-a', ['10.0.0.1']],
  ])('is %s when %s', (expected, _, name, addresses) => {
    expect(originOf(name, addresses)).toBe(expected);
  });

  it('is added to a node that a release before it has marked, and never changed', () => {
    const before = ours('host-a', 'a', '10.0.0.1', { ...up, machineId: 'a', annotations: { [ORIGIN]: '' } });
    expect(annotationsOf(planAt(0, { machines: [A], nodes: [before], kubelets: healthy }))).toBeUndefined();
    const { annotations, ...rest } = before;
    const without = {
      ...rest,
      mark: before.mark && { ...before.mark, origin: undefined },
      annotations: new Map([...annotations].filter(([key]) => key !== ORIGIN)),
    };
    expect(annotationsOf(planAt(0, { machines: [A], nodes: [without], kubelets: healthy }))).toEqual({
      [ORIGIN]: 'own-name',
    });
    const other = ours('host-a', 'a', '10.0.0.1', { ...up, machineId: 'a', origin: 'named' });
    expect(planAt(0, { machines: [A], nodes: [other], kubelets: healthy }).actions).toEqual([]);
  });
});

describe('the address that is written', () => {
  it('follows the machine only where the node reports no address itself', () => {
    const moved = { machines: [machine('a', '10.0.0.2')], kubelets: healthy };
    const own = { ...up, machineId: 'a', origin: 'own-name' } as const;
    const silentOnIt = ours('host-a', 'a', '10.0.0.1', { ...own, addresses: [] });
    expect(annotationsOf(planAt(0, { ...moved, nodes: [silentOnIt] }))).toEqual({ [ADDRESS]: '10.0.0.2' });
    const telling = ours('host-a', 'a', '10.0.0.1', { ...own, addresses: ['10.0.0.2'] });
    expect(planAt(0, { ...moved, nodes: [telling] }).actions).toEqual([]);
  });
});

describe('a mark that names another machine', () => {
  const stays: World = { machines: [A], nodes: [ours('10.0.0.1', 'old', '10.0.0.1', up)], kubelets: healthy };
  const rewrites = (worlds: readonly World[], policy = {}) => {
    const watch = new Watch(policy);
    return worlds.map((world) => told(watch.pass(world)).join());
  };

  it('is rewritten when this machine has held the node for three good passes in a row', () => {
    const watch = new Watch();
    expect(told(watch.passes(2, stays))).toEqual([]);
    const third = watch.pass(stays);
    expect(told(third)).toEqual(['adopt 10.0.0.1']);
    expect(annotationsOf(third)).toEqual({ [MACHINE_ID]: 'a' });
  });

  it.each<[string, World]>([
    ['by id', { nodes: [ours('host', 'old', '10.0.0.9', { ...up, machineId: 'a', origin: 'own-name' })] }],
    ['by address', { nodes: [ours('host', 'old', '10.0.0.1', { ...up, origin: 'own-name' })] }],
    ['by name', { nodes: [ours('10.0.0.1', 'old', '10.0.0.1', { addresses: [] })] }],
  ])('held %s', (_, world) => {
    const [, , third] = rewrites([1, 2, 3].map(() => ({ ...stays, ...world })));
    expect(third).toMatch(/^adopt/);
  });

  it.each<[string, World]>([
    ['fleet does not list the machine', { ...stays, machines: [] }],
    ['the node is not there', { ...stays, nodes: [] }],
    ['another machine holds it', { ...stays, machines: [machine('z', '10.0.0.1')] }],
  ])('is counted anew after a pass in which %s', (_, between) => {
    const told = rewrites([stays, stays, between, stays, stays, stays]);
    expect(told.slice(3)).toEqual(['', '', 'adopt 10.0.0.1']);
  });

  it.each<[string, World, string]>([
    ['nothing answers and it is not reporting', { kubelets: {} }, ''],
    ['its kubelet answers at another address alone', { kubelets: { '10.0.0.9': 'healthy' } }, ''],
    ['its kubelet answers at the machine’s address', { kubelets: { '10.0.0.1': 'answers' } }, 'adopt host'],
  ])('on a silent node, which may be that of a kubelet that moved: %s', (_, more, expected) => {
    const silent = ours('host', 'old', '10.0.0.1', { addresses: ['10.0.0.1', '10.0.0.9'] });
    const world = { ...stays, nodes: [silent], names: named({ a: 'host' }), ...more };
    expect(rewrites([1, 2, 3].map(() => world)).at(-1)).toBe(expected);
  });

  it('is never rewritten with ADOPT=false', () => {
    expect(
      rewrites(
        [1, 2, 3, 4, 5].map(() => stays),
        { adopt: false },
      ).join(''),
    ).toBe('');
  });

  it('is counted by node, and only where it names another machine', () => {
    const nodes = [...(stays.nodes ?? []), node('by-hand'), ours('10.0.0.2', 'b', '10.0.0.2')];
    expect(planAt(0, { ...stays, machines: [A, B], nodes }).memory.rematched).toEqual(
      new Map([['uid-10.0.0.1', { machineId: 'a', passes: 1 }]]),
    );
  });

  it('is not rewritten on a server that cannot change a minion', () => {
    const world = { ...stays, era: ERAS['v0.12'] };
    expect(rewrites([world, world, world, world]).join('')).toBe('');
  });
});

describe('a node that is to be changed', () => {
  const bare = () => ours('10.0.0.1', 'a', '10.0.0.1', { ...up, machineId: 'a' });
  const withoutLabel = { ...bare(), labels: new Map() };
  const world: World = { machines: [A], nodes: [withoutLabel], kubelets: healthy };

  it('gets its label back', () => {
    expect(planAt(0, world).actions).toMatchObject([
      { kind: 'label', change: { labels: new Map([[MANAGED, 'true']]), annotations: new Map() } },
    ]);
  });

  it('is left alone when it has everything', () => {
    expect(planAt(0, { ...world, nodes: [bare()] }).actions).toEqual([]);
  });

  it('is left alone while it goes', () => {
    const others = bystanders(10);
    const gone = { ...ours('10.0.0.1', 'a', '10.0.0.1'), labels: new Map() };
    const due = { reason: 'unhealthy', mark: 'a', passes: 90, watchedMs: 40 * MINUTE, failures: 0 } as const;
    const memory = {
      ...EMPTY_MEMORY,
      graces: new Map([['uid-10.0.0.1', due]]),
      answered: new Map([['uid-10.0.0.1', ['10.0.0.1']]]),
    };
    const given = { machines: [A, ...others.machines], nodes: [gone, ...others.nodes], kubelets: others.kubelets };
    expect(told(planAt(0, given))).toEqual(['label 10.0.0.1']);
    expect(told(planAt(0, given, memory))).toEqual(['deregister 10.0.0.1']);
  });

  it('is left alone while it is leaving', () => {
    const leaving = { ...withoutLabel, leaving: { since: '', finalizers: ['x'] } };
    expect(planAt(0, { ...world, nodes: [leaving] }).actions).toEqual([]);
  });

  it('is asked for again ten minutes after the server refused it, or as soon as it would say something else', () => {
    const [action] = planAt(0, world).actions;
    if (action === undefined) throw new Error('nothing is to be done');
    const memory = { ...EMPTY_MEMORY, refused: new Map([[fingerprint(action), RETRY_REFUSED_MS]]) };
    expect(planAt(RETRY_REFUSED_MS - 1, world, memory).actions).toEqual([]);
    expect(planAt(RETRY_REFUSED_MS, world, memory).actions).toHaveLength(1);
  });
});

describe('a node that is not adopted, because', () => {
  const self = node('10.0.0.1', { ...up, machineId: 'a', addresses: ['10.0.0.1'] });
  const world: World = { machines: [A], nodes: [self], kubelets: healthy };

  it.each<[string, (adopt: Action) => Partial<Memory>, string]>([
    [
      'the server refused the annotations',
      (adopt) => ({ refused: new Map([[fingerprint(adopt), RETRY_REFUSED_MS]]) }),
      'the API server refused the annotations; retried within 10m; the log has its answer',
    ],
    [
      'something else removes them',
      (adopt) => {
        const { key = '', values = new Map() } = writeOf(adopt) ?? {};
        return { writes: new Map([[key, { values, times: 2, atMs: 0, missingAtMs: undefined }]]) };
      },
      'something else removes the annotations; written again after 1m to 60m; find out what removes them',
    ],
  ])('%s, is a warning', (_, memoryAfter, next) => {
    const [adopt] = planAt(0, world).actions;
    if (adopt === undefined) throw new Error('the node is not to be adopted');
    const plan = planAt(INTERVAL, world, { ...EMPTY_MEMORY, ...memoryAfter(adopt) });
    expect(plan.actions).toEqual([]);
    expect(plan.nodes.get('10.0.0.1')).toEqual({
      name: 'recognised',
      reason: 'node of machine a, matched by machine ID; kubelet healthy; node Ready',
      next,
      isWarning: true,
    });
  });
});

describe('a label or mark that others take away', () => {
  const stripped: World = {
    machines: [A],
    nodes: [{ ...ours('10.0.0.1', 'a', '10.0.0.1', { ...up, machineId: 'a' }), labels: new Map() }],
    kubelets: healthy,
  };
  const wanted = new Map([[MANAGED, 'true']]);
  const done = (times: number, written: ReadonlyMap<string, string> = wanted): Memory => ({
    ...EMPTY_MEMORY,
    writes: new Map([['mark uid-10.0.0.1', { values: written, times, atMs: 0, missingAtMs: undefined }]]),
  });

  it.each([
    [1, 0],
    [2, 1],
    [3, 2],
    [8, 60],
    [30, 60],
  ])('%d times is written again after %d minutes', (times, minutes) => {
    if (minutes > 0) expect(planAt(minutes * MINUTE - 1, stripped, done(times)).actions).toEqual([]);
    expect(told(planAt(minutes * MINUTE, stripped, done(times)))).toEqual(['label 10.0.0.1']);
  });

  it('is told of, with the key', () => {
    expect(planAt(INTERVAL, stripped, done(2)).notes).toEqual([
      {
        kind: 'undone',
        key: 'mark uid-10.0.0.1 2',
        text: `something else changed ${MANAGED} of node 10.0.0.1 2 times; written again in 30s; find out what does it: a policy controller may change them`,
      },
    ]);
  });

  it('is told of with all keys, and when it is written at once', () => {
    const bare = stripped.nodes?.map((each) => ({ ...each, annotations: new Map([[MACHINE_ID, 'a']]) }));
    const plan = planAt(INTERVAL, { ...stripped, nodes: bare ?? [] }, done(1));
    expect(plan.notes.map(({ text }) => text)).toEqual([
      `something else changed ${MANAGED}, ${ORIGIN}, ${SINCE} of node 10.0.0.1 once; written again now; find out what does it: a policy controller may change them`,
    ]);
  });

  it.each([
    ['another key', new Map([['rack', 'r1']])],
    ['another value', new Map([[MANAGED, 'yes']])],
  ])('is another change when what was written before is %s', (_, written) => {
    expect(told(planAt(0, stripped, done(5, written)))).toEqual(['label 10.0.0.1']);
  });

  it('is the same change when only a part of it was written before', () => {
    const more = new Map([...wanted, ['rack', 'r1']]);
    expect(told(planAt(0, stripped, done(5, more)))).toEqual([]);
  });

  it('is remembered while it is missing, and for an hour after', () => {
    const missing = planAt(50 * MINUTE, stripped, done(8));
    expect(missing.memory.writes.size).toBe(1);
    const stands = { ...stripped, nodes: [ours('10.0.0.1', 'a', '10.0.0.1', up)] };
    expect(planAt(110 * MINUTE, stands, missing.memory).memory.writes.size).toBe(1);
    expect(planAt(110 * MINUTE + 1, stands, missing.memory).memory.writes.size).toBe(0);
  });
});

describe('a node without a machine and without a mark', () => {
  const wordsOf = (traits: Parameters<typeof node>[1], world: World = {}) =>
    planAt(0, {
      nodes: [node('by-hand', traits), ...(world.nodes ?? [])],
      ...(world.machines && { machines: world.machines }),
      ...(world.era && { era: world.era }),
    }).nodes.get('by-hand');

  it.each([
    ['reporting', up, { name: 'foreign', reason: 'unmanaged: no machine matches it' }],
    [
      'not reporting',
      {},
      { name: 'foreign', reason: 'unmanaged and not reporting: no machine matches it', isWarning: true },
    ],
    [
      'leaving',
      { leaving: ['x'] },
      { name: 'leaving', reason: 'deleted at 2026-01-01T00:00:00Z; it waits for finalizers x', isWarning: true },
    ],
  ] as const)('is never touched: %s', (_, traits, verdict) => {
    expect(wordsOf(traits)).toMatchObject(verdict);
    expect(wordsOf(traits)?.isWarning).toBe('isWarning' in verdict ? true : undefined);
  });

  it('is left-over, and only a person can delete it, when it is silent and another node of its machine is reporting', () => {
    const nodes = [ours('10.0.0.1', 'a', '10.0.0.1', { ...up, machineId: 'a' })];
    expect(wordsOf({ machineId: 'a', addresses: ['10.7.7.7'] }, { machines: [A], nodes })).toEqual({
      name: 'left-over',
      reason: 'unmanaged and not reporting, and node 10.0.0.1 of the same machine is reporting',
      next: 'never touched; if it is not in use: kubectl delete node by-hand',
      isWarning: true,
    });
  });

  it('is not called silent where nobody writes conditions', () => {
    const { reason, isWarning } = wordsOf({ ready: 'none' }, { era: ERAS['v0.12'] }) ?? {};
    expect(reason).toBe('unmanaged: no machine matches it, and this API server does not show whether it is in use');
    expect(isWarning).toBe(true);
  });
});

it('a wait is told in whole seconds, and never too short', () => {
  expect([1, 1_000, 1_001, 90_000].map(describeWait)).toEqual(['in 1s', 'in 1s', 'in 2s', 'in 1m30s']);
});
