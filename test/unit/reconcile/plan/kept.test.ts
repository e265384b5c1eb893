/** What is said of a node that is kept, word for word, and the servers and addresses on which it depends. */
import { describe, expect, it } from 'vitest';
import { EMPTY_MEMORY } from '../../../../src/reconcile/plan/memory/memory.ts';
import { clone, ERAS, INTERVAL, MINUTE, machine, type NodeTraits, ours, planAt, Watch, type World } from '../world.ts';

const NAME = '10.0.0.1';
const A = machine('a', NAME);
const elsewhere = machine('a', NAME, { role: 'etcd' });
const healthy = { [NAME]: 'healthy' } as const;

/** A managed node of machine a, and the machine. */
const of = (traits: NodeTraits, more: World = {}): World => ({
  machines: [A],
  nodes: [ours(NAME, 'a', NAME, traits)],
  ...more,
});

const verdictIn = (world: World, name = NAME) => planAt(0, world).nodes.get(name);

describe('a node that is alive', () => {
  it('is unmatched with the machine and the evidence when the machine no longer matches', () => {
    expect(verdictIn(of({ ready: 'true' }, { machines: [elsewhere] }))).toEqual({
      name: 'unmatched',
      reason: 'machine a no longer matches the selector, but the node is alive: kubelet unreachable; node Ready',
      next: 'kept; stop the kubelet on that machine, or correct its metadata or KUBE_REGISTER_METADATA',
      isWarning: true,
    });
  });

  it('is unheard with the command that shows its status when that cannot be read and the kubelet is unreachable', () => {
    expect(verdictIn(of({ ready: 'unreadable' }))).toEqual({
      name: 'unheard',
      reason: 'kubelet unreachable; node status cannot be read: it is unknown whether the node is alive',
      next: `kept while its status cannot be read; to see it: kubectl get node ${NAME} -o yaml`,
      isWarning: true,
    });
  });

  it('is kept without a warning when its status cannot be read and its kubelet is reachable', () => {
    expect(verdictIn(of({ ready: 'unreadable' }, { kubelets: healthy }))).toEqual({
      name: 'keep',
      reason: 'kubelet healthy; node status cannot be read',
    });
  });
});

describe('a node that is reporting, whose kubelet is unreachable', () => {
  const silent = of({ ready: 'true' });
  const saidAfter = (ms: number, world: World) => new Watch().passFor(ms, world).nodes.get(NAME);

  it('is kept without a warning as long as Kubernetes may not have marked it yet', () => {
    expect(saidAfter(MINUTE, silent)).toMatchObject({
      name: 'keep',
      next: expect.stringContaining('the grace period begins'),
    });
    expect(saidAfter(MINUTE, silent)?.isWarning).toBeUndefined();
    expect(saidAfter(1.5 * MINUTE, silent)).toMatchObject({
      name: 'keep',
      next: expect.stringContaining('its kubelet is probably alive'),
      isWarning: true,
    });
  });

  it('is kept while the API server lists it, where that asks kubelets itself', () => {
    expect(saidAfter(MINUTE, { ...silent, era: ERAS['v0.8'] })).toEqual({
      name: 'keep',
      reason: `kubelet unreachable; node Ready (${NAME} silent)`,
      next: 'kept while the API server lists it',
    });
  });

  it('is probe-suspect after ten minutes, with for how long and what to check', () => {
    expect(saidAfter(10 * MINUTE, silent)).toEqual({
      name: 'probe-suspect',
      reason: `node Ready, but its kubelet has been unreachable for 10m (${NAME} silent)`,
      next: 'kept; check KUBE_REGISTER_HEALTHZ_URL and firewalls; if the kubelet is dead, check that the controller manager runs and marks dead nodes',
      isWarning: true,
    });
  });

  it('is probe-suspect with the two durations to compare where it posts less often than the controller waits', () => {
    const postsRarely = { ...ours(NAME, 'a', NAME), hasPosted: true };
    expect(saidAfter(10 * MINUTE, { ...silent, nodes: [postsRarely] })).toMatchObject({
      name: 'probe-suspect',
      next: expect.stringContaining('--node-status-update-frequency with --node-monitor-grace-period'),
    });
  });
});

it('a node that was never read, and has no address, is not called unheard', () => {
  const unread = ours('host', 'a', NAME, { read: 'never', annotations: { 'kube-register.io/address': '' } });
  expect(verdictIn({ machines: [clone('a')], nodes: [unread] }, 'host')?.name).toBe('keep');
});

describe('a second node of one machine', () => {
  const second = ours('old', 'a', NAME, { ready: 'none', addresses: [] });
  const two = (more: World): World => ({
    ...of({ ready: 'none' }, { kubelets: healthy, ...more }),
    nodes: [ours(NAME, 'a', NAME, { ready: 'none' }), second],
  });

  it('is in conflict where nobody writes conditions, and the first one is kept', () => {
    const world = two({ era: ERAS['v0.12'] });
    expect(verdictIn(world, 'old')).toEqual({
      name: 'conflict',
      reason: `machine a also has node ${NAME}, and this API server does not show which of them its kubelet uses`,
      next: 'kept; if its kubelet does not use this name: kubectl delete node old',
      isWarning: true,
    });
    expect(verdictIn(world)?.name).toBe('keep');
  });

  it('is in no conflict where kubelets write conditions', () => {
    expect(verdictIn(two({}), 'old')?.name).toBe('keep');
  });

  it('is none where fleet gives the machine two addresses, so that no node is matched with it', () => {
    const world = of({ ready: 'none' }, { machines: [clone('a', NAME, '10.0.0.2')], era: ERAS['v0.12'] });
    expect(verdictIn({ ...world, kubelets: healthy })?.name).toBe('keep');
  });
});

describe('a node that is not alive', () => {
  it('is in conflict with the evidence when several nodes match its machine', () => {
    const twin = ours('twin', 'a', NAME, { machineId: 'a' });
    expect(verdictIn({ machines: [A], nodes: [ours(NAME, 'a', NAME, { machineId: 'a' }), twin] })).toEqual({
      name: 'conflict',
      reason: 'several nodes match machine a; kubelet unreachable; node Unknown',
      next: `kept; if it is not in use: kubectl delete node ${NAME}`,
      isWarning: true,
    });
  });

  it.each<[string, NodeTraits, string]>([
    [
      'vetoed',
      { cordoned: true },
      'kept: the node is cordoned; if the machine is retired: kubectl delete node 10.0.0.1',
    ],
    ['spared', {}, 'kept: KUBE_REGISTER_POLICY=register-only'],
  ])('is %s with its reason and the evidence', (name, traits, next) => {
    const policy = { neverDeregister: 'KUBE_REGISTER_POLICY=register-only' };
    expect(planAt(0, of(traits, { machines: [] }), EMPTY_MEMORY, policy).nodes.get(NAME)).toMatchObject({
      name,
      reason: 'missing from fleet; kubelet unreachable; node Unknown',
      next,
    });
  });

  it('is unheard with its reason and the evidence', () => {
    expect(verdictIn(of({}, { machines: [elsewhere] }))?.reason).toBe(
      'its machine no longer matches; kubelet unreachable; node Unknown; no earlier answer from its kubelet is known, so the node may be alive',
    );
  });

  it('was heard when its kubelet was reachable at one of its two addresses', () => {
    const world = of({ addresses: [NAME, '10.5.0.1'] });
    const watch = new Watch({ maxDeregisterPercent: 100 });
    watch.pass({ ...world, kubelets: healthy });
    expect(watch.pass(world).nodes.get(NAME)?.name).toBe('in-grace');
  });
});

describe('a mismatch', () => {
  it('is none on a node that is reporting and has no address to check', () => {
    const world = of({ ready: 'true', addresses: [], annotations: { 'kube-register.io/address': '' } });
    const plan = new Watch().passFor(20 * MINUTE, { ...world, machines: [clone('a')] });
    expect(plan.memory.mismatches).toEqual(new Map());
    expect(plan.nodes.get(NAME)?.name).toBe('keep');
  });

  it.each([
    ['probe-suspect', { ready: 'true' }, {}],
    ['not-posting', {}, { kubelets: healthy }],
  ] as const)('is remembered as %s, with its watched time', (kind, traits, more) => {
    const plan = new Watch().passes(3, of(traits, more));
    expect(plan.memory.mismatches).toEqual(new Map([[`uid-${NAME}`, { kind, watchedMs: 2 * INTERVAL }]]));
  });
});
