/** What alternates within an hour is two hosts, so that none of their nodes is deregistered or changed. */
import { describe, expect, it } from 'vitest';
import { LABELS } from '../../../../src/reconcile/evidence/marks.ts';
import type { Plan } from '../../../../src/reconcile/plan/plan.ts';
import { beside, clone, HOUR, INTERVAL, MINUTE, machine, node, ours, told, Watch, type World } from '../world.ts';

const healthy = { '10.0.0.1': 'healthy', '10.0.0.2': 'healthy', '10.0.0.3': 'healthy' } as const;
const up = { ready: 'true' } as const;

/** The plans of passes over these worlds, one an interval. */
function plansOf(worlds: readonly World[], policy = {}): readonly Plan[] {
  const watch = new Watch(policy);
  return worlds.map((world) => watch.pass(world));
}

const warnings = (plan: Plan | undefined) =>
  plan?.notes.filter(({ kind }) => kind === 'alternates').map(({ text }) => text);

describe('a machine whose address goes A, B, A, B', () => {
  const nodes = [1, 2].map((last) => ours(`10.0.0.${last}`, 'a', `10.0.0.${last}`, { ...up, machineId: 'a' }));
  const at = (address: string | undefined, more: World = {}): World => ({
    machines: [machine('a', address)],
    nodes,
    kubelets: healthy,
    ...more,
  });
  const [A, B] = [at('10.0.0.1'), at('10.0.0.2')];

  it('is warned of with both addresses and the way out, from the fourth time on', () => {
    const plans = plansOf([A, B, A, B, A]);
    expect(plans.map((plan) => warnings(plan)?.length)).toEqual([0, 0, 0, 1, 1]);
    expect(warnings(plans[3])?.[0]).toBe(
      'fleet lists machine a alternately at 10.0.0.1 and at 10.0.0.2: two hosts have the same /etc/machine-id; their nodes are neither deregistered nor changed; on all of these hosts but one: rm /etc/machine-id && systemd-machine-id-setup && reboot',
    );
    expect(plans[3]?.machines.get('a')).toEqual({
      name: 'has-node',
      node: '10.0.0.2',
      reason: 'fleet lists machine a alternately at 10.0.0.1 and at 10.0.0.2: two hosts have the same /etc/machine-id',
      next: 'kept; on all of these hosts but one: rm /etc/machine-id && systemd-machine-id-setup && reboot',
      isWarning: true,
    });
  });

  it('has its nodes written on no more, whatever is missing on them', () => {
    const stale = nodes.map((each) => ({
      ...each,
      annotations: new Map([...each.annotations, [LABELS, 'rack']]),
      labels: new Map(),
    }));
    const plans = plansOf([A, B, A, B, A, B].map((world) => ({ ...world, nodes: stale })));
    expect(plans.map((plan) => told(plan).length)).toEqual([1, 1, 1, 0, 0, 0]);
  });

  it('is registered no more when its node is gone', () => {
    const bare = (world: World) => ({ ...world, nodes: [] });
    const plans = plansOf([A, B, A, B].map(bare));
    expect(plans.at(-1)?.machines.get('a')).toMatchObject({
      name: 'conflict',
      next: 'not registered; on all of these hosts but one: rm /etc/machine-id && systemd-machine-id-setup && reboot',
      isWarning: true,
    });
    expect(told(plans.at(-1) ?? expect.fail())).toEqual([]);
  });

  it('has no node in any row: a silent one is in conflict and its grace ends', () => {
    const silent = nodes.map((each) => ({
      ...each,
      facts: each.facts && { ...each.facts, ready: 'unknown' as const },
    }));
    const quiet = (world: World): World => ({ ...world, nodes: silent, kubelets: {} });
    const plan = plansOf([A, B, A, B].map(quiet)).at(-1);
    for (const { name } of nodes) {
      expect(plan?.nodes.get(name)).toEqual({
        name: 'conflict',
        reason:
          'fleet lists machine a alternately at 10.0.0.1 and at 10.0.0.2: two hosts have the same /etc/machine-id',
        next: 'kept; on all of these hosts but one: rm /etc/machine-id && systemd-machine-id-setup && reboot',
        isWarning: true,
      });
    }
    expect(plan?.memory.graces.size).toBe(0);
  });

  it('covers every node that reports either address, whosever mark it bears, and every node of the machine', () => {
    const others = [
      ours('host', 'z', '10.0.0.2', { addresses: ['10.0.0.7', '10.0.0.2'] }),
      ours('old', 'a', '10.0.0.9', { origin: 'own-name' }),
    ];
    const worlds = [A, B, A, B].map((world) => ({ ...world, nodes: [...nodes, ...others], kubelets: {} }));
    const plan = plansOf(worlds).at(-1);
    expect(others.map(({ name }) => plan?.nodes.get(name)?.name)).toEqual(['conflict', 'conflict']);
  });

  it('is forgotten an hour after it has stopped', () => {
    const watch = new Watch();
    for (const world of [A, B, A, B]) watch.pass(world);
    expect(warnings(watch.passFor(59 * MINUTE - INTERVAL, B))).toHaveLength(1);
    expect(warnings(watch.passFor(2 * MINUTE, B))).toEqual([]);
  });

  it('is not a machine that moved once and back, nor one that went on to a third address', () => {
    expect(warnings(plansOf([A, B, A, A, A]).at(-1))).toEqual([]);
    expect(warnings(plansOf([A, B, A, at('10.0.0.3')]).at(-1))).toEqual([]);
  });

  it('is not one that has an address in every second listing', () => {
    const worlds = [A, at(undefined), A, at(undefined), A, at(undefined)];
    expect(warnings(plansOf(worlds).at(-1))).toEqual([]);
  });

  it('is noticed though a listing between has it with both addresses, or not at all', () => {
    const both: World = { ...A, machines: [clone('a', '10.0.0.1', '10.0.0.2')] };
    const none: World = { ...A, machines: [] };
    expect(warnings(plansOf([A, both, B, none, A, both, B]).at(-1))).toHaveLength(1);
  });
});

describe('a node whose reported id goes A, B, A, B', () => {
  const machines = [machine('a', '10.0.0.1'), machine('b', '10.0.0.2')];
  const as = (machineId: string, addresses: readonly string[] = [], traits = {}): World => ({
    machines,
    nodes: [node('localhost', { ...up, machineId, addresses, ...traits })],
    kubelets: healthy,
  });

  it('is warned of with both, and neither changed nor made anew', () => {
    const policy = { adopt: false };
    const plan = plansOf([as('a'), as('b'), as('a'), as('b')], policy).at(-1);
    expect(warnings(plan)).toEqual([
      'two kubelets alternately post the status of node localhost (a; b); the node is neither deregistered nor changed; give each kubelet its own --hostname-override',
    ]);
    expect(plan?.machines.get('a')).toMatchObject({ name: 'conflict', isWarning: true });
    expect(plan?.nodes.get('localhost')).toEqual({
      name: 'conflict',
      reason: 'two kubelets alternately post the status of node localhost (a; b)',
      next: 'not adopted; give each kubelet its own --hostname-override',
      isWarning: true,
    });
    expect(told(plan ?? expect.fail())).toEqual([]);
  });

  it.each([
    ['image', '(image 10.0.0.1; image 10.0.0.2)'],
    ['', '(10.0.0.1; 10.0.0.2)'],
  ])('is noticed by its addresses where the ids are those of an image, or none: %j', (id, identities) => {
    const worlds = ['10.0.0.1', '10.0.0.2', '10.0.0.1', '10.0.0.2'].map((address) => as(id, [address]));
    const unrelated = machine('c', '10.0.0.3');
    const plan = plansOf(worlds.map((world) => ({ ...world, machines: [...machines, unrelated] }))).at(-1);
    expect(warnings(plan)).toHaveLength(1);
    expect(plan?.machines.get('c')?.name).toBe('register');
    for (const { id: each } of machines) {
      expect(plan?.machines.get(each)?.reason).toBe(
        `two kubelets alternately post the status of node localhost ${identities}`,
      );
    }
  });

  it('is told of as such, though its machine alternates too', () => {
    const worlds = ['1', '2', '1', '2'].map((last) => ({
      ...as(`image ${last}`, [], { mark: 'a', origin: 'own-name' }),
      machines: [machine('a', `10.0.0.${last}`)],
    }));
    const plan = plansOf(worlds.map((world) => ({ ...world, kubelets: {} }))).at(-1);
    expect(warnings(plan)).toHaveLength(2);
    expect(plan?.nodes.get('localhost')?.reason).toContain('two kubelets');
  });

  it('is noticed only by what was read in the pass', () => {
    const stale = { read: 'stale' };
    expect(warnings(plansOf([as('a'), as('b', [], stale), as('a'), as('b', [], stale)]).at(-1))).toEqual([]);
  });

  it('has no grace while it is silent', () => {
    const quiet = { ready: 'unknown', mark: 'a', annotations: {} } as const;
    const worlds = ['a', 'b', 'a', 'b'].map((id) => ({ ...as(id, ['10.0.0.9'], quiet), kubelets: {} }));
    const plan = plansOf(worlds).at(-1);
    expect(plan?.nodes.get('localhost')?.name).toBe('conflict');
    expect(plan?.memory.graces.size).toBe(0);
  });

  it('is not one kubelet that tells the same addresses in another order each time', () => {
    const worlds = [0, 1, 2, 3].map((turn) =>
      as('a', turn % 2 === 0 ? ['10.0.0.1', '10.0.2.15'] : ['10.0.2.15', '10.0.0.1']),
    );
    expect(warnings(plansOf(worlds).at(-1))).toEqual([]);
  });
});

describe('what changes were seen', () => {
  const world = { machines: [machine('a', '10.0.0.1')], nodes: [node('x', { machineId: 'z' })] };
  const others = { machines: [machine('b', '10.0.0.2')], nodes: [node('y', { machineId: 'b' })] };

  it('are kept for an hour of a machine and a node that are away, and no longer', () => {
    const watch = new Watch();
    watch.pass(world);
    expect([...watch.passFor(HOUR - INTERVAL, {}).memory.changes.keys()].sort()).toEqual(['address a', 'id uid-x']);
    expect(watch.passFor(2 * INTERVAL, {}).memory.changes.size).toBe(0);
  });

  it('are kept for an hour from the last change', () => {
    const watch = new Watch();
    for (const last of [1, 2, 3]) watch.passes(20, { machines: [machine('a', `10.0.0.${last}`)] });
    expect(watch.passFor(50 * MINUTE, {}).memory.changes.size).toBe(1);
  });

  it('are kept of those that are there, whatever others do', () => {
    const watch = new Watch();
    watch.pass(beside(world, others));
    const { changes } = watch.passFor(HOUR + INTERVAL, others).memory;
    expect([...changes].map(([key, values]) => [key, values.map(({ atMs }) => atMs)])).toEqual([
      ['address b', [0]],
      ['id uid-y', [0]],
    ]);
  });

  it('are the same map while nothing changes, and hold nothing that is not known', () => {
    const watch = new Watch();
    const { changes } = watch.pass(world).memory;
    expect(watch.pass(world).memory.changes).toBe(changes);
    const unknown = { machines: [machine('a', undefined)], nodes: [node('x', { read: 'never' })] };
    expect(new Watch().pass(unknown).memory.changes.size).toBe(0);
  });
});
