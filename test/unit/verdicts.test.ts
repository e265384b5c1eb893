/** The words of every verdict, as operators read them on /status and in the log. */
import { describe, expect, it } from 'vitest';
import { eraOf } from '../../src/kubernetes/era.ts';
import { fingerprint } from '../../src/reconcile/action.ts';
import { EMPTY_MEMORY, FUTILE_MS, type Memory } from '../../src/reconcile/memory.ts';
import { makePlan } from '../../src/reconcile/plan.ts';
import type { Policy } from '../../src/reconcile/policy.ts';
import type { GivenName } from '../../src/reconcile/resolve.ts';
import { bystanders, INTERVAL, MINUTE, machine, node, observed, ours, POLICY, planAt } from './world.ts';

const A = machine('a', '10.0.0.1');
const elsewhere = machine('a', '10.0.0.1', { role: 'etcd' });
const healthy = { '10.0.0.1': 'healthy', '10.0.0.2': 'healthy' } as const;
const NEVER = Number.POSITIVE_INFINITY;

describe('what is said of a node that is alive', () => {
  it.each([
    [{}, [A], healthy, { name: 'keep', reason: 'kubelet healthy; Kubernetes says NotReady' }],
    [{ ready: 'none' }, [A], healthy, { name: 'keep', reason: 'kubelet healthy; Kubernetes keeps no Ready condition' }],
    [{ unread: true }, [A], {}, { name: 'keep', reason: 'kubelet silent; Kubernetes not asked' }],
    [
      { ready: 'ready' },
      [A],
      {},
      {
        name: 'probe-suspect',
        reason: 'kubelet silent; Kubernetes says Ready: the health check is wrong, not the node (10.0.0.1 silent)',
        next: 'kept; see KUBE_REGISTER_HEALTHZ_URL',
      },
    ],
    [
      {},
      [elsewhere],
      healthy,
      {
        name: 'unmatched',
        reason:
          'machine a no longer matches the selector, but the node is alive: kubelet healthy; Kubernetes says NotReady',
        next: 'kept: somebody runs a kubelet there that fleet does not',
      },
    ],
    [
      {},
      [],
      healthy,
      {
        name: 'orphan',
        reason: 'fleet does not list machine a, but the node is alive: kubelet healthy; Kubernetes says NotReady',
        next: "kept: fleet's agent is down there, not the node",
      },
    ],
    [
      { addresses: [], annotations: { 'kube-register.io/address': '' }, ready: 'ready' },
      [],
      healthy,
      {
        name: 'orphan',
        reason: 'fleet does not list machine a, but the node is alive: kubelet cannot be asked; Kubernetes says Ready',
        next: "kept: fleet's agent is down there, not the node",
      },
    ],
  ] as const)('%# %j', (traits, machines, kubelets, verdict) => {
    const world = { machines, nodes: [ours('10.0.0.1', 'a', '10.0.0.1', traits)], kubelets };
    expect(planAt(0, world).nodes.get('10.0.0.1')).toEqual(verdict);
  });
});

describe('what is said of a second node of a machine', () => {
  it('is that nobody can ask its kubelet, for that is the kubelet of the first', () => {
    const first = ours('core-1', 'a', '10.0.0.1', { machineId: 'a' });
    const second = ours('10.0.0.1', 'a', '10.0.0.1', { ready: 'ready' });
    const world = { machines: [A], nodes: [first, second], kubelets: healthy };
    expect(planAt(0, world).nodes.get('10.0.0.1')).toEqual({
      name: 'probe-suspect',
      reason: 'kubelet cannot be asked; Kubernetes says Ready, where fleet gives its address 10.0.0.1 to machine a',
      next: 'kept while Kubernetes calls it Ready; if it is left over from another name of its machine: kubectl delete node',
    });
  });
});

describe('what is said of a node that is not alive', () => {
  const others = bystanders(10);

  function verdictOf(
    traits: Parameters<typeof ours>[3],
    machines: readonly ReturnType<typeof machine>[],
    policy: Partial<Policy> = {},
    memory: Memory = EMPTY_MEMORY,
  ) {
    const world = {
      machines: [...machines, ...others.machines],
      nodes: [ours('10.0.0.1', 'a', '10.0.0.1', traits), ...others.nodes],
      kubelets: others.kubelets,
    };
    return planAt(0, world, memory, policy).nodes.get('10.0.0.1');
  }

  const SILENT = 'kubelet silent; Kubernetes says NotReady';
  const GONE = `missing from fleet for 0s of 15m, seen in 1 pass; ${SILENT}`;

  it.each([
    ['matches', [A], `not alive for 0s of 30m, seen in 1 pass; ${SILENT}`, '30m', 30 * MINUTE],
    [
      'no longer matches',
      [elsewhere],
      `machine a no longer matches, for 0s of 15m, seen in 1 pass; ${SILENT}`,
      '15m',
      15 * MINUTE,
    ],
    ['is not listed', [], GONE, '15m', 15 * MINUTE],
  ])('in its grace, when its machine %s', (_situation, machines, reason, next, dueInMs) => {
    expect(verdictOf({}, machines)).toEqual({ name: 'in-grace', reason, next: `deregistered in ${next}`, dueInMs });
  });

  it('when its grace is over before enough passes saw it', () => {
    expect(verdictOf({}, [], { missingGraceMs: 0 })).toMatchObject({
      next: 'deregistered in 1m',
      dueInMs: 2 * INTERVAL,
    });
  });

  it('when an operator put something in the way', () => {
    expect(verdictOf({ labels: { 'kube-register.io/keep': 'true' } }, [])).toEqual({
      name: 'vetoed',
      reason: GONE,
      next: 'kept: kube-register.io/keep is set on it',
    });
    expect(verdictOf({ cordoned: true }, [])).toEqual({
      name: 'vetoed',
      reason: GONE,
      next: 'kept: it is cordoned: somebody is at work there',
    });
  });

  it.each([
    [[], { neverDeregister: 'KUBE_REGISTER_POLICY=register-only' }, GONE, 'kept: KUBE_REGISTER_POLICY=register-only'],
    [
      [],
      { missingGraceMs: NEVER },
      `missing from fleet for 0s, seen in 1 pass; ${SILENT}`,
      'kept: KUBE_REGISTER_MISSING_GRACE=never',
    ],
    [
      [A],
      { unhealthyGraceMs: NEVER },
      `not alive for 0s, seen in 1 pass; ${SILENT}`,
      'kept: KUBE_REGISTER_UNHEALTHY_GRACE=never',
    ],
  ])('%# when a setting spares it', (machines, policy, reason, next) => {
    expect(verdictOf({}, machines, policy)).toEqual({ name: 'spared', reason, next });
  });

  it('when it goes, and when its turn has not come', () => {
    const grace = { reason: 'machine-gone', passes: 30, watchedMs: 15 * MINUTE, failures: 0 } as const;
    const memory = {
      ...EMPTY_MEMORY,
      graces: new Map([
        ['uid-dead-1', { ...grace, mark: 'm1' }],
        ['uid-dead-2', { ...grace, mark: 'm2' }],
      ]),
    };
    const nodes = [ours('dead-1', 'm1', '10.1.0.1'), ours('dead-2', 'm2', '10.1.0.2'), ...others.nodes];
    const plan = planAt(0, { ...others, nodes }, memory);
    const reason = `missing from fleet for 15m of 15m, seen in 31 passes; ${SILENT}`;
    expect(plan.nodes.get('dead-1')).toEqual({ name: 'deregister', reason, next: 'deregistered in this pass' });
    expect(plan.nodes.get('dead-2')).toEqual({ name: 'queued', reason, next: 'deregistered when its turn comes' });
  });

  it('while the mass guard holds, with the way out', () => {
    const plan = planAt(0, { nodes: [ours('10.0.0.1', 'a', '10.0.0.1')] });
    expect(plan.nodes.get('10.0.0.1')).toEqual({
      name: 'held',
      reason: GONE,
      next: 'its grace starts anew when the hold ends',
    });
    expect(plan.hold).toEqual({
      gone: 1,
      managed: 1,
      limitPercent: 34,
      message:
        'held: 1 of 1 managed nodes look gone (100 %, limit 34 %); nothing is deregistered. ' +
        'If they really are gone: kubectl delete node NAME; or restart with ' +
        'KUBE_REGISTER_MAX_DEREGISTER_PERCENT=100, wait for the grace, and restart with the old value',
    });
  });
});

describe('what is said of a node without our mark', () => {
  const verdictOf = (kubelets: Parameters<typeof observed>[0]['kubelets'], policy: Partial<Policy> = {}) =>
    planAt(0, { machines: [A], nodes: [node('10.0.0.1')], kubelets: kubelets ?? {} }, EMPTY_MEMORY, policy).nodes.get(
      '10.0.0.1',
    );

  it('that is adopted', () => {
    expect(verdictOf(healthy)).toEqual({
      name: 'adopt',
      reason: "machine a's node, found by name; kubelet healthy; Kubernetes says NotReady",
    });
  });

  it('that is dead', () => {
    expect(verdictOf({})).toEqual({
      name: 'recognised',
      reason: "machine a's node, found by name; kubelet silent; Kubernetes says NotReady",
      next: 'adopted once its kubelet answers or Kubernetes calls it Ready',
    });
  });

  it('that ADOPT=false leaves alone', () => {
    expect(verdictOf(healthy, { adopt: false })).toEqual({
      name: 'recognised',
      reason: "machine a's node, found by name; KUBE_REGISTER_ADOPT=false",
    });
  });

  it('that a server before v0.13 lists', () => {
    const era = eraOf({ version: 'v0.8.4', apiVersion: 'v1beta2' });
    const plan = planAt(0, { machines: [A], nodes: [node('10.0.0.1', { ready: 'ready' })], kubelets: healthy, era });
    expect(plan.nodes.get('10.0.0.1')).toEqual({
      name: 'recognised',
      reason: "machine a's node, found by name; kubelet healthy; Kubernetes says Ready",
      next: 'never marked: the API server (v0.8.4, spoken to in v1beta2) cannot change a minion',
    });
  });

  it('that has no machine', () => {
    expect(planAt(0, { nodes: [node('by-hand')] }).nodes.get('by-hand')).toEqual({
      name: 'foreign',
      reason: 'no machine comes to it and it does not bear our mark',
      next: 'never touched; if it is dead: kubectl delete node by-hand',
    });
  });
});

describe('what is said of a machine', () => {
  const verdictOf = (id: string, world: Parameters<typeof observed>[0], memory: Memory = EMPTY_MEMORY) =>
    planAt(0, world, memory).machines.get(id);

  it('that does not match, or has no address', () => {
    expect(verdictOf('a', { machines: [elsewhere] })).toEqual({
      name: 'not-selected',
      reason: 'its metadata does not match the selector',
    });
    expect(verdictOf('a', { machines: [machine('a', undefined)] })).toEqual({ name: 'unusable', reason: 'no address' });
  });

  it('that has its node', () => {
    expect(verdictOf('a', { machines: [A], nodes: [node('host-a', { machineId: 'a' })] })).toEqual({
      name: 'has-node',
      node: 'host-a',
      reason: 'its node, found by machine id',
    });
  });

  it('that is registered', () => {
    expect(verdictOf('a', { machines: [A], kubelets: healthy })).toEqual({
      name: 'register',
      reason: 'its kubelet is healthy and it has no node: registered as 10.0.0.1',
      node: '10.0.0.1',
    });
  });

  it('whose kubelet is not healthy, or was not asked', () => {
    const next = 'registered once its kubelet is healthy';
    expect(verdictOf('a', { machines: [A] })).toEqual({ name: 'waiting', reason: '10.0.0.1 silent', next });
    const unasked = { ...observed({ machines: [A] }), kubelets: new Map() };
    const plan = makePlan(unasked, EMPTY_MEMORY, POLICY, { monotonicMs: 0, wall: '' });
    const reason = 'the kubelet at 10.0.0.1 was not asked';
    expect(plan.machines.get('a')).toEqual({ name: 'waiting', reason, next });
  });

  it('whose registration the server refused lately, until it is another one or ten minutes are over', () => {
    const world = { machines: [A], kubelets: healthy };
    const [action] = planAt(0, world).actions;
    const futile = new Map(action === undefined ? [] : [[fingerprint(action), FUTILE_MS] as const]);
    const refused = planAt(INTERVAL, world, { ...EMPTY_MEMORY, futile });
    expect(refused.actions).toEqual([]);
    expect(refused.machines.get('a')).toEqual({
      name: 'refused',
      reason: 'the API server refused to create node 10.0.0.1',
      next: 'tried again within ten minutes, or as soon as the request would be another one',
    });
    const renamed = { ...world, names: new Map([['a', { name: 'box' }]]) };
    expect(planAt(INTERVAL, renamed, refused.memory).machines.get('a')?.name).toBe('register');
    expect(planAt(FUTILE_MS - 1, world, refused.memory).machines.get('a')?.name).toBe('refused');
    expect(planAt(FUTILE_MS, world, refused.memory).machines.get('a')?.name).toBe('register');
  });

  it('whose minion the server hides', () => {
    const era = eraOf({ version: 'v0.8.4', apiVersion: 'v1beta2' });
    const memory = { ...EMPTY_MEMORY, hidden: new Map([['10.0.0.1', FUTILE_MS]]) };
    expect(verdictOf('a', { machines: [A], kubelets: healthy, era }, memory)).toEqual({
      name: 'hidden',
      reason:
        'it is registered as 10.0.0.1, but the API server (v0.8.4, spoken to in v1beta2) does not list it: ' +
        'such a server lists a minion only while it reaches its kubelet at http://10.0.0.1:10250/healthz',
      next: 'registered again within ten minutes if it is still not listed',
    });
  });

  it('whose node is another machine’s', () => {
    const world = { machines: [A, machine('b', '10.0.0.1')], nodes: [node('10.0.0.1')], kubelets: healthy };
    expect(verdictOf('b', world)).toEqual({ name: 'conflict', reason: "node 10.0.0.1 is machine a's" });
  });

  it('that has several nodes', () => {
    const nodes = [node('one', { machineId: 'a' }), node('two', { machineId: 'a' })];
    expect(verdictOf('a', { machines: [A], nodes, kubelets: healthy })).toEqual({
      name: 'conflict',
      reason: 'several nodes could be its own and none is both Ready and at its address: one, two',
    });
  });

  it('whose name is spoken for, by a node or by a machine', () => {
    const other = node('10.0.0.1', { machineId: 'z' });
    expect(verdictOf('a', { machines: [A], nodes: [other], kubelets: healthy })).toEqual({
      name: 'conflict',
      reason: 'node 10.0.0.1 is there and is not its own',
    });
    const taken = {
      machines: [A, machine('b', '10.0.0.2')],
      nodes: [ours('10.0.0.1', 'a', '10.0.0.1', { machineId: 'a' })],
    };
    const wanted = new Map([['b', { name: '10.0.0.1' }]]);
    expect(verdictOf('b', { ...taken, kubelets: healthy, names: wanted })).toEqual({
      name: 'conflict',
      reason: "node 10.0.0.1 is machine a's",
    });
    const names = new Map([
      ['a', { name: 'box' }],
      ['b', { name: 'box' }],
    ]);
    expect(verdictOf('b', { machines: [A, machine('b', '10.0.0.2')], kubelets: healthy, names })).toEqual({
      name: 'conflict',
      reason: 'machine a is registered under this name',
    });
  });

  it('whose address is another’s that is registered in this pass', () => {
    const names = new Map([
      ['a', { name: 'name-a' }],
      ['b', { name: 'name-b' }],
    ]);
    expect(verdictOf('b', { machines: [A, machine('b', '10.0.0.1')], kubelets: healthy, names })).toEqual({
      name: 'conflict',
      reason: 'machine a is registered with its address 10.0.0.1',
    });
  });

  it.each<[GivenName | undefined, string]>([
    [{ name: 'UPPER' }, '"UPPER" cannot be a node\'s name: '],
    [{ problem: '10.0.0.1 has no name in the DNS' }, '10.0.0.1 has no name in the DNS'],
    [undefined, 'it was given no name'],
  ])('that is given the name %j', (given, reason) => {
    const names = new Map(given === undefined ? [] : [['a', given] as const]);
    expect(verdictOf('a', { machines: [A], kubelets: healthy, names })).toEqual({
      name: 'unnamed',
      reason: expect.stringMatching(new RegExp(`^${reason}`)),
    });
  });
});
