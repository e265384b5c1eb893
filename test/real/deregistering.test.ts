/** Deregistering nodes on a real API server: when it happens, what prevents it, and what the last check finds. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { answerWith } from '../lab/faults.ts';
import { startFleet } from '../lab/fleet.ts';
import { type Daemon, details, PASSES_OF_GRACE, startDaemon, told, verdictOf } from './daemon.ts';
import { type Gate, startGate } from './gate.ts';
import { type Machine, WORKER, type World, worldsOfThisFile } from './world.ts';

const { open } = worldsOfThisFile();

const KEEP = 'kube-register.io/keep';
const MACHINE_ID = 'kube-register.io/machine-id';

interface Scene {
  readonly world: World;
  readonly daemon: Daemon;
  /** The machine that a test ends. */
  readonly doomed: Machine;
  readonly others: readonly string[];
  /** What the daemon takes for the API server. */
  readonly gate: Gate;
}

/** Four machines that are registered, whose kubelets answer and report themselves Ready. */
async function fourNodes(settings?: Record<string, string>): Promise<Scene> {
  const world = await open();
  const machines = await world.addMachines(4);
  const gate = await startGate(world.servers);
  const daemon = await startDaemon(world, { ...settings, API_ENDPOINT: gate.url });
  await daemon.pass();
  for (const { id, address } of machines) {
    await world.report(address, { machineId: id, addresses: [address], ready: true });
  }
  expect(told(await daemon.pass())).toEqual([]);
  const [doomed, ...others] = machines;
  if (doomed === undefined) throw new Error('there is no machine');
  return { world, daemon, doomed, others: others.map(({ address }) => address), gate };
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
    await world.patchNode(doomed.address, { metadata: { annotations: { [MACHINE_ID]: null } } });
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
    lift: (world, { address }) => world.setReady(address, 'unknown'),
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
    for (const name of others) await world.setReady(name, 'unknown');
    expect(verdictOf(await daemon.passes(2 * PASSES_OF_GRACE), doomed.address)).toBe('held');
    expect(await world.nodeNames()).toEqual([doomed.address, ...others]);
    expect(daemon.log.join('')).toContain(
      'deletion guard active: 4 of 4 managed nodes are not alive (100%, limit 34%)',
    );
  });
});

/** What the last check finds, by what happens right before the node is read for it. */
const CHANGES: readonly (readonly [
  what: string,
  detail: string,
  act: (world: World, name: string) => Promise<unknown>,
])[] = [
  [
    'that a person has begun to keep',
    'kube-register.io/keep is set',
    (world, name) => world.patchNode(name, { metadata: { annotations: { [KEEP]: 'true' } } }),
  ],
  [
    'that has been cordoned',
    'it is cordoned',
    (world, name) => world.patchNode(name, { spec: { unschedulable: true } }),
  ],
  ['that has become Ready', 'it is reporting again', (world, name) => world.setReady(name, true)],
  [
    'that has lost our mark',
    'its kube-register annotations have changed',
    (world, name) => world.patchNode(name, { metadata: { annotations: { [MACHINE_ID]: null } } }),
  ],
  [
    'that took the name of the one we saw',
    'another node has its name now',
    async (world, name) => {
      const { metadata } = await world.node(name);
      await world.deleteNode(name);
      await world.putNode({ name, annotations: metadata.annotations });
    },
  ],
];

describe('the last check, right before the delete, spares a node', () => {
  /** The next pass deregisters the node, unless something happens at the gate. */
  async function onTheBrink() {
    const scene = await fourNodes();
    const { world, daemon, doomed, gate } = scene;
    await world.destroy(doomed);
    await daemon.passes(PASSES_OF_GRACE - 2);
    return { ...scene, path: `/api/v1/nodes/${doomed.address}`, gate };
  }

  it.each(CHANGES)('%s before it was read', async (_, detail, act) => {
    const { world, daemon, doomed, gate, path } = await onTheBrink();
    // It is read for the plan, and for the last check after the server was asked who it is.
    gate.before(/^GET \/version$/, () => act(world, doomed.address));
    const report = await daemon.pass();
    expect(told(report)).toEqual([`deregister ${doomed.address}: refused`]);
    expect(details(report)).toEqual([detail]);
    expect(gate.requests).not.toContain(`DELETE ${path}`);
    expect(await world.nodeNames()).toContain(doomed.address);
  });

  it.each(CHANGES)('%s after it was read: the API server refuses', async (_, _detail, act) => {
    const { world, daemon, doomed, gate, path } = await onTheBrink();
    gate.before(/^DELETE /, () => act(world, doomed.address));
    const report = await daemon.pass();
    expect(told(report)).toEqual([`deregister ${doomed.address}: refused`]);
    expect(details(report)).toEqual(['it changed between the last check and the delete']);
    expect(gate.requests.slice(-4)).toEqual(['GET /version', 'GET /api', `GET ${path}`, `DELETE ${path}`]);
    expect(await world.nodeNames()).toContain(doomed.address);
  });

  it('whose kubelet answers again', async () => {
    const { world, daemon, doomed, gate } = await onTheBrink();
    gate.before(/^GET \/version$/, () => doomed.kubelet.start());
    const report = await daemon.pass();
    expect(told(report)).toEqual([`deregister ${doomed.address}: refused`]);
    expect(details(report)).toEqual([expect.stringMatching(/^its kubelet is reachable/)]);
    expect(await world.nodeNames()).toContain(doomed.address);
  });
});

describe('a node with a finalizer that nobody removes', () => {
  it('is deleted once, is leaving then, and its machine waits until it is gone', async () => {
    const { world, daemon, doomed, gate } = await fourNodes();
    const { id, address } = doomed;
    await world.patchNode(address, { metadata: { finalizers: ['example.com/backup'] } });
    await world.destroy(doomed);
    const removed = await daemon.passes(PASSES_OF_GRACE - 1);
    expect(told(removed)).toEqual([`deregister ${address}: done`]);
    expect(details(removed)).toEqual(['it waits for its finalizers']);
    expect(verdictOf(await daemon.passes(2 * PASSES_OF_GRACE), address)).toBe('leaving');

    await doomed.kubelet.start();
    world.fleet.setMachine({ id, address, metadata: WORKER });
    const waiting = await daemon.passes(2);
    expect(waiting.seen?.plan.machines.get(id)).toMatchObject({
      name: 'waiting',
      reason: expect.stringContaining('finalizers example.com/backup'),
    });
    expect(gate.requests.filter((each) => each.startsWith('DELETE '))).toEqual([`DELETE /api/v1/nodes/${address}`]);
    expect(await daemon.metric('kube_register_deregistrations_total{reason="machine-gone"}')).toBe(1);

    await world.patchNode(address, { metadata: { finalizers: null } });
    expect(told(await daemon.pass())).toEqual([`register ${address}: done`]);
  });
});

describe('a node whose kubelet has taken another name', () => {
  it('is left over, and deregistered once the new one has reported for the grace period', async () => {
    const { world, daemon, doomed, others } = await fourNodes();
    const { id, address } = doomed;
    await world.setReady(address, 'unknown');
    await world.putNode({ name: 'host-1', machineId: id, addresses: [address], ready: true });
    expect(told(await daemon.pass())).toEqual(['adopt host-1: done']);
    const report = await daemon.passes(PASSES_OF_GRACE - 2);
    expect(told(report)).toEqual([`deregister ${address}: done`]);
    expect(daemon.log.join('')).toContain(`deregistered node ${address}: left-over`);
    expect(told(await daemon.pass())).toEqual([]);
    expect(await world.nodeNames()).toEqual([...others, 'host-1']);
  });
});

describe('the nodes of a daemon with another OWNER_ID', () => {
  it('are not touched: neither deregistered, nor marked, nor registered a second time', async () => {
    const { world, daemon, doomed, others } = await fourNodes({ OWNER_ID: 'blue' });
    // Its fleet lists one of the machines, as a fleet does that took over a host.
    const [shared = ''] = others;
    const { metadata } = await world.node(shared);
    const fleet = await startFleet();
    onTestFinished(() => fleet.close());
    fleet.setMachine({ id: metadata.annotations[MACHINE_ID] ?? '', address: shared, metadata: WORKER });
    const settings = { ...world.settings, FLEET_ENDPOINT: fleet.endpoint, OWNER_ID: 'green' };
    const green = await startDaemon({ settings }, { NODE_LABELS: 'role' });

    await world.destroy(doomed);
    const before = await world.nodes();
    const report = await green.passes(2 * PASSES_OF_GRACE);
    expect(green.log.filter((line) => /registered|adopted/.test(line))).toEqual([]);
    for (const name of await world.nodeNames()) expect(verdictOf(report, name)).toBe('foreign');
    expect(await world.nodes()).toEqual(before);

    await daemon.passes(PASSES_OF_GRACE);
    expect(await world.nodeNames()).toEqual(others);
  });
});
