/** Registering, adopting and labelling nodes on a real API server. */
import { expect, it } from 'vitest';
import { type Daemon, startDaemon, told, verdictOf } from './daemon.ts';
import { startGate } from './gate.ts';
import { GRANTED_VERBS } from './rights.ts';
import { type Machine, WORKER, type World, worldsOfThisFile } from './world.ts';

const { open } = worldsOfThisFile();

/** A world with one machine that has a healthy kubelet and no node yet, and a daemon that has not passed yet. */
async function oneMachine(
  settings?: Record<string, string>,
): Promise<{ world: World; machine: Machine; daemon: Daemon }> {
  const world = await open();
  const machine = await world.addMachine();
  return { world, machine, daemon: await startDaemon(world, settings) };
}

it('works with the rights that deploy/rbac.yaml grants, and with no others', async () => {
  const { rights, token } = await open();
  const rulesIn = async (namespace: string) =>
    (await rights.rulesOf(token, namespace)).filter(({ apiGroups }) => !apiGroups.includes('authorization.k8s.io'));
  const onNodes = { apiGroups: [''], resources: ['nodes'], verbs: [...GRANTED_VERBS] };
  const onEvents = { apiGroups: [''], resources: ['events'], verbs: ['create'] };
  expect(await rulesIn('kube-system')).toEqual([onNodes]);
  expect(await rulesIn('default')).toEqual([onNodes, onEvents]);
  expect([...GRANTED_VERBS].sort()).toEqual(['create', 'delete', 'get', 'list', 'patch']);
});

it("registers a machine whose kubelet is healthy, with its address and our marks and nothing that is its kubelet's to tell", async () => {
  const { world, machine, daemon } = await oneMachine();
  expect(told(await daemon.pass())).toEqual([`register ${machine.address}: done`]);
  const { metadata, status } = await world.node(machine.address);
  expect(metadata.labels).toEqual({ 'kube-register.io/managed': 'true' });
  expect(metadata.annotations).toEqual({
    'kube-register.io/machine-id': machine.id,
    'kube-register.io/address': machine.address,
    'kube-register.io/since': '2026-01-01T00:00:00.000Z',
    'kube-register.io/origin': 'named',
    'kube-register.io/owner': 'default',
  });
  expect(status).toMatchObject({ addresses: [{ type: 'InternalIP', address: machine.address }] });
  expect(Object.keys(status)).not.toContain('capacity');
  expect(Object.keys(status)).not.toContain('conditions');
});

it('does not register a machine whose kubelet does not answer', async () => {
  const { world, machine, daemon } = await oneMachine();
  await machine.kubelet.stop();
  expect(told(await daemon.pass())).toEqual([]);
  expect(await world.nodeNames()).toEqual([]);
});

it('lets the kubelet take over the node that was registered for it', async () => {
  const { world, machine, daemon } = await oneMachine();
  await daemon.pass();
  await world.report(machine.address, { machineId: machine.id, addresses: [machine.address], ready: true });
  const before = await world.nodes();
  expect(told(await daemon.pass())).toEqual([]);
  expect(await world.nodes()).toEqual(before);
});

it('registers under the name that the settings give', async () => {
  const { world, machine, daemon } = await oneMachine({ NODE_NAME: 'machine-id' });
  await daemon.pass();
  expect(await world.nodeNames()).toEqual([machine.id]);
});

it('finds nothing to do in the pass after: it writes nothing, and no node changes', async () => {
  const world = await open();
  await world.addMachines(3);
  await world.putNode({ name: 'somebody-else', ready: true });
  const daemon = await startDaemon(world);
  await daemon.pass();
  const before = await world.nodes();
  for (const report of [await daemon.pass(), await daemon.pass()]) {
    expect(report.seen?.plan.actions).toEqual([]);
    expect(report.outcomes).toEqual([]);
  }
  expect(await world.nodes()).toEqual(before);
});

it('registers every machine and finds every node when neither listing fits on a page', async () => {
  const world = await open();
  await world.addMachines(510);
  const daemon = await startDaemon(world);
  expect((await daemon.pass()).outcomes.filter(({ result }) => result === 'done')).toHaveLength(510);
  expect(told(await daemon.pass())).toEqual([]);
  expect(await world.nodeNames()).toHaveLength(510);
});

it.each([
  ['name', ({ address }: Machine) => ({ name: address })],
  ['machine id', ({ id }: Machine) => ({ name: 'worker-1', machineId: id, addresses: ['10.9.9.9'], ready: true })],
  ['address', ({ address }: Machine) => ({ name: 'worker-1', addresses: ['10.9.9.9', address], ready: false })],
])('adopts the node that it finds by its %s, and makes no second one', async (_, sketch) => {
  const { world, machine, daemon } = await oneMachine();
  const labels = { 'kubernetes.io/hostname': 'worker-1', disk: 'ssd' };
  const annotations = { 'example.com/owner': 'somebody' };
  const { name, ...status } = sketch(machine);
  const before = await world.putNode({ name, labels, annotations, ...status });

  expect(told(await daemon.pass())).toEqual([`adopt ${name}: done`]);
  expect(await world.nodeNames()).toEqual([name]);
  const after = await world.node(name);
  expect(after.metadata.uid).toBe(before.metadata.uid);
  expect(after.metadata.labels).toEqual({ ...labels, 'kube-register.io/managed': 'true' });
  expect(after.metadata.annotations).toEqual({
    ...annotations,
    'kube-register.io/machine-id': machine.id,
    'kube-register.io/address': machine.address,
    'kube-register.io/since': '2026-01-01T00:00:00.000Z',
    'kube-register.io/origin': name === machine.address ? 'named' : 'own-name',
    'kube-register.io/owner': 'default',
  });
  expect({ spec: after.spec, status: after.status }).toEqual({ spec: before.spec, status: before.status });
  expect(told(await daemon.pass())).toEqual([]);
});

it('does not double a kubelet that registered itself under its hostname while the daemon was looking elsewhere', async () => {
  const { world, machine, daemon } = await oneMachine();
  await machine.kubelet.stop();
  await daemon.pass();
  await world.putNode({ name: 'worker-1', machineId: machine.id, addresses: [machine.address], ready: true });
  await machine.kubelet.start();
  expect(told(await daemon.pass())).toEqual(['adopt worker-1: done']);
  expect(await world.nodeNames()).toEqual(['worker-1']);
});

it("leaves a node alone that is nobody's machine", async () => {
  const { world, daemon } = await oneMachine();
  const before = await world.putNode({ name: 'master', addresses: ['10.0.0.1'], ready: false });
  const report = await daemon.passes(5);
  expect(verdictOf(report, 'master')).toBe('foreign');
  expect(await world.node('master')).toEqual(before);
});

it('recognises a node and never marks it when it is told not to adopt', async () => {
  const { world, machine, daemon } = await oneMachine({ ADOPT: 'false' });
  const before = await world.putNode({ name: 'worker-1', machineId: machine.id, ready: true });
  expect(verdictOf(await daemon.pass(), 'worker-1')).toBe('recognised');
  expect(await world.nodes()).toEqual([before]);
});

it("keeps labels equal to fleet's metadata, and touches no label that is not its own", async () => {
  const world = await open();
  const { id, address } = await world.addMachine({ ...WORKER, zone: 'a', disk: 'ssd', rack: '/r 7/' });
  // While a key is no machine's at all, no label goes.
  world.fleet.setMachine({
    id: 'f'.repeat(32),
    address: '10.0.0.9',
    metadata: { disk: 'hdd', rack: 'r-8', absent: 'no' },
  });
  const daemon = await startDaemon(world, { NODE_LABELS: 'zone,disk,rack,absent' });
  await world.putNode({ name: address, labels: { disk: 'nvme' } });

  expect(told(await daemon.pass())).toEqual([`adopt ${address}: done`]);
  const managed = { 'kube-register.io/managed': 'true' };
  const theirs = { disk: 'nvme' };
  expect((await world.node(address)).metadata.labels).toEqual({ ...managed, ...theirs, zone: 'a', rack: 'r-7' });

  world.fleet.setMachine({ id, address, metadata: { ...WORKER, zone: 'b' } });
  expect(told(await daemon.pass())).toEqual([`label ${address}: done`]);
  expect((await world.node(address)).metadata.labels).toEqual({ ...managed, ...theirs, zone: 'b' });

  await world.patchNode(address, { metadata: { labels: { 'kube-register.io/managed': null, zone: 'wrong' } } });
  expect(told(await daemon.pass())).toEqual([`label ${address}: done`]);
  expect((await world.node(address)).metadata.labels).toEqual({ ...managed, ...theirs, zone: 'b' });
  expect(told(await daemon.pass())).toEqual([]);
});

it('decides once more when a node has changed since it was read', async () => {
  const world = await open();
  const { id, address } = await world.addMachine({ ...WORKER, zone: 'a' });
  await world.putNode({ name: 'worker-1', machineId: id, addresses: [address], ready: true });
  const gate = await startGate(world.servers);
  const daemon = await startDaemon(world, { NODE_LABELS: 'zone', API_ENDPOINT: gate.url });
  gate.before(/^PATCH /, () => world.patchNode('worker-1', { metadata: { labels: { zone: 'by-a-person' } } }));
  expect(told(await daemon.pass())).toEqual(['adopt worker-1: done']);
  expect(gate.requests.filter((each) => each.startsWith('PATCH '))).toHaveLength(2);
  expect((await world.node('worker-1')).metadata).toMatchObject({
    labels: { zone: 'by-a-person', 'kube-register.io/managed': 'true' },
    annotations: { 'kube-register.io/machine-id': id },
  });
});

it('adopts no node that another daemon was quicker to adopt', async () => {
  const { world, machine, daemon: other } = await oneMachine({ OWNER_ID: 'blue' });
  await world.putNode({ name: 'worker-1', machineId: machine.id, addresses: [machine.address], ready: true });
  const gate = await startGate(world.servers);
  const daemon = await startDaemon(world, { OWNER_ID: 'green', API_ENDPOINT: gate.url });
  gate.before(/^PATCH /, () => other.pass());
  expect(told(await daemon.pass())).toEqual(['adopt worker-1: unneeded']);
  expect(gate.requests.filter((each) => each.startsWith('PATCH '))).toHaveLength(1);
  expect((await world.node('worker-1')).metadata.annotations['kube-register.io/owner']).toBe('blue');
});

it('does nothing in a dry run, and says what it would do', async () => {
  const { world, machine, daemon } = await oneMachine({ DRY_RUN: 'true' });
  expect(told(await daemon.pass())).toEqual([`register ${machine.address}: dry-run`]);
  expect(await world.nodeNames()).toEqual([]);
});
