/** Deregistering nodes on a real API server: when it happens, what prevents it, and what the last look finds. */
import { describe, expect, it } from 'vitest';
import { answerWith } from '../lab/faults.ts';
import { type Daemon, details, PASSES_OF_GRACE, startDaemon, told, verdictOf } from './daemon.ts';
import { type Machine, WORKER, type World, worldsOfThisFile } from './world.ts';

const { open } = worldsOfThisFile();

const KEEP = 'kube-register.io/keep';

interface Scene {
  readonly world: World;
  readonly daemon: Daemon;
  /** The machine that a test ends. */
  readonly doomed: Machine;
  readonly others: readonly string[];
}

/** Four machines that are registered, whose kubelets answer and report themselves Ready. */
async function fourNodes(settings?: Record<string, string>): Promise<Scene> {
  const world = await open();
  const machines = await world.addMachines(4);
  const daemon = await startDaemon(world, settings);
  await daemon.pass();
  for (const { id, address } of machines) {
    await world.report(address, { machineId: id, addresses: [address], ready: true });
  }
  expect(told(await daemon.pass())).toEqual([]);
  const [doomed, ...others] = machines;
  if (doomed === undefined) throw new Error('there is no machine');
  return { world, daemon, doomed, others: others.map(({ address }) => address) };
}

/** Passes until the node is deregistered. Nothing else may happen meanwhile. */
async function passUntilDeregistered({ world, daemon, doomed, others }: Scene): Promise<void> {
  let report = await daemon.pass();
  for (let more = PASSES_OF_GRACE; more > 0 && told(report).length === 0; more--) report = await daemon.pass();
  expect(told(report)).toEqual([`deregister ${doomed.address}: done`]);
  expect(await world.nodeNames()).toEqual(others);
}

describe('a node that nobody calls alive is deregistered after its grace', () => {
  it.each([
    ['machine-gone', 'fleet lists its machine no more', undefined],
    ['unhealthy', 'fleet lists its machine as before', WORKER],
    ['metadata-changed', 'its machine has another role', { role: 'etcd' }],
  ])('as %s when %s', async (reason, _, metadata) => {
    const scene = await fourNodes();
    const { world, daemon, doomed } = scene;
    await world.destroy(doomed);
    if (metadata !== undefined) world.fleet.setMachine({ id: doomed.id, address: doomed.address, metadata });
    expect(verdictOf(await daemon.pass(), doomed.address)).toBe('in-grace');
    await passUntilDeregistered(scene);
    expect(daemon.log.join('')).toContain(`deregistered node ${doomed.address}: ${reason}`);
    expect(told(await daemon.pass())).toEqual([]);
  });

  it('and is registered again under its name when its machine is back', async () => {
    const scene = await fourNodes();
    const { world, daemon, doomed } = scene;
    await world.destroy(doomed);
    await passUntilDeregistered(scene);
    await doomed.kubelet.start();
    world.fleet.setMachine({ id: doomed.id, address: doomed.address, metadata: WORKER });
    expect(told(await daemon.pass())).toEqual([`register ${doomed.address}: done`]);
  });

  it('but only if it bears our mark', async () => {
    const { world, daemon, doomed } = await fourNodes();
    await world.patchNode(doomed.address, { metadata: { annotations: { 'kube-register.io/machine-id': null } } });
    await world.destroy(doomed);
    expect(verdictOf(await daemon.passes(2 * PASSES_OF_GRACE), doomed.address)).toBe('foreign');
    expect(await world.nodeNames()).toContain(doomed.address);
  });
});

interface Veto {
  readonly verdict: string;
  /** Each on a machine that is gone. */
  readonly raise: (world: World, doomed: Machine) => Promise<unknown>;
  readonly lift: (world: World, doomed: Machine) => Promise<unknown>;
}

const VETOES: Readonly<Record<string, Veto>> = {
  'a person keeps it by an annotation': {
    verdict: 'vetoed',
    raise: (world, { address }) => world.patchNode(address, { metadata: { annotations: { [KEEP]: 'true' } } }),
    lift: (world, { address }) => world.patchNode(address, { metadata: { annotations: { [KEEP]: null } } }),
  },
  'a person keeps it by a label': {
    verdict: 'vetoed',
    raise: (world, { address }) => world.patchNode(address, { metadata: { labels: { [KEEP]: 'yes' } } }),
    lift: (world, { address }) => world.patchNode(address, { metadata: { labels: { [KEEP]: 'false' } } }),
  },
  'it is cordoned': {
    verdict: 'vetoed',
    raise: (world, { address }) => world.patchNode(address, { spec: { unschedulable: true } }),
    lift: (world, { address }) => world.patchNode(address, { spec: { unschedulable: null } }),
  },
  'Kubernetes calls it Ready': {
    verdict: 'orphan',
    raise: (world, { address }) => world.setReady(address, true),
    lift: (world, { address }) => world.setReady(address, false),
  },
  'its kubelet answers, and be it with an error': {
    verdict: 'orphan',
    raise: async (_, { kubelet }) => {
      kubelet.misbehave(answerWith(500, 'unhealthy'));
      await kubelet.start();
    },
    lift: (_, { kubelet }) => kubelet.stop(),
  },
};

describe('a node without a machine stays however long it lasts while', () => {
  it.each(Object.entries(VETOES))('%s, and goes when that is over', async (_, { verdict, raise, lift }) => {
    const scene = await fourNodes();
    const { world, daemon, doomed } = scene;
    await world.destroy(doomed);
    await raise(world, doomed);
    expect(verdictOf(await daemon.passes(2 * PASSES_OF_GRACE), doomed.address)).toBe(verdict);
    expect(await world.nodeNames()).toContain(doomed.address);

    await lift(world, doomed);
    await passUntilDeregistered(scene);
  });

  it('the settings deregister nothing', async () => {
    const { world, daemon, doomed } = await fourNodes({ POLICY: 'register-only' });
    await world.destroy(doomed);
    expect(verdictOf(await daemon.passes(2 * PASSES_OF_GRACE), doomed.address)).toBe('spared');
    expect(await world.nodeNames()).toContain(doomed.address);
  });

  it('too many are gone at once, and the log says what a person can do', async () => {
    const { world, daemon, doomed, others } = await fourNodes();
    await world.destroy(doomed);
    await daemon.passes(PASSES_OF_GRACE - 2);
    for (const name of others) await world.kubelets.at(name)?.stop();
    for (const name of others) await world.setReady(name, false);
    expect(verdictOf(await daemon.passes(2 * PASSES_OF_GRACE), doomed.address)).toBe('held');
    expect(await world.nodeNames()).toEqual([doomed.address, ...others]);
    expect(daemon.log.join('')).toContain('held: 4 of 4 managed nodes look gone (100 %, limit 34 %)');
  });
});

describe('the last look, right before the delete, spares a node', () => {
  it.each([
    [
      'that a person has begun to keep',
      'kube-register.io/keep is set on it',
      (world: World, name: string) => world.patchNode(name, { metadata: { annotations: { [KEEP]: 'true' } } }),
    ],
    [
      'that has been cordoned',
      'it is cordoned: somebody is at work there',
      (world: World, name: string) => world.patchNode(name, { spec: { unschedulable: true } }),
    ],
    [
      'that has become Ready',
      'Kubernetes calls it Ready after all',
      (world: World, name: string) => world.setReady(name, true),
    ],
    [
      'that has lost our mark',
      'its mark is not the one we saw',
      (world: World, name: string) =>
        world.patchNode(name, { metadata: { annotations: { 'kube-register.io/machine-id': null } } }),
    ],
    [
      'that took the name of the one we saw',
      'it is another node of the same name by now',
      async (world: World, name: string) => {
        const { metadata } = await world.node(name);
        await world.deleteNode(name);
        await world.putNode({ name, annotations: metadata.annotations });
      },
    ],
  ])('%s', async (_, detail, act) => {
    const { world, daemon, doomed } = await fourNodes();
    await world.destroy(doomed);
    // One pass short of the end of the grace.
    await daemon.passes(PASSES_OF_GRACE - 2);
    await actAtTheLastLook(doomed, () => act(world, doomed.address));
    const report = await daemon.pass();
    expect(told(report)).toEqual([`deregister ${doomed.address}: refused`]);
    expect(details(report)).toEqual([detail]);
    expect(await world.nodeNames()).toContain(doomed.address);
  });

  it('whose kubelet answers again', async () => {
    const { world, daemon, doomed } = await fourNodes();
    await world.destroy(doomed);
    await daemon.passes(PASSES_OF_GRACE - 2);
    await actAtTheLastLook(doomed, async () => doomed.kubelet.recover(), 'answers');
    const report = await daemon.pass();
    expect(told(report)).toEqual([`deregister ${doomed.address}: refused`]);
    expect(details(report)).toEqual([expect.stringMatching(/^its kubelet answers after all/)]);
    expect(await world.nodeNames()).toContain(doomed.address);
  });
});

/** In the next pass the kubelet is asked twice. The second time this happens, and then the connection is cut without an answer. */
async function actAtTheLastLook(
  { kubelet }: Machine,
  act: () => Promise<unknown>,
  then: 'is silent' | 'answers' = 'is silent',
): Promise<void> {
  let asked = 0;
  kubelet.misbehave((response, handle) => {
    asked += 1;
    const acted = asked === 2 ? act() : Promise.resolve();
    void acted.then(() => {
      if (asked === 2 && then === 'answers') response.end(handle().body);
      else response.destroy();
    });
  });
  await kubelet.start();
}
