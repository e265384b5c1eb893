/** The reconcile loop over real HTTP: what it registers, adopts and labels, as the lab's Kubernetes has it afterwards. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { answerWith, hang } from '../lab/faults.ts';
import type { LabMachine, LabOptions } from '../lab/lab.ts';
import { EPOCH, Loop, MINUTE, meanwhile, startLoop, told, verdictOf, WORKER } from './in-lab.ts';

const MARK = 'kube-register.io/machine-id';
const MANAGED = 'kube-register.io/managed';

function marks({ id, address }: { id: string; address: string }, origin: 'named' | 'own-name' = 'named') {
  return {
    [MARK]: id,
    'kube-register.io/address': address,
    'kube-register.io/since': EPOCH,
    'kube-register.io/origin': origin,
    'kube-register.io/owner': 'default',
  };
}

function first(machines: readonly LabMachine[]): LabMachine {
  const [machine] = machines;
  if (machine === undefined) throw new Error('the lab made no machine');
  return machine;
}

/** The bodies of the requests of that method, parsed. */
function bodies({ lab }: Loop, method: string): unknown[] {
  return lab.kubernetes.log.of({ method }).map(({ body }) => JSON.parse(body));
}

function metadata({ lab }: Loop, name: string) {
  const { labels = {}, annotations = {} } = lab.kubernetes.node(name)?.metadata ?? {};
  return { labels, annotations };
}

describe('a machine without a node', () => {
  it('is registered with its name, address, marks and label, and nothing else', async () => {
    const loop = await startLoop();
    const machine = await loop.lab.addMachine({ metadata: { ...WORKER, rack: 'r1' } });
    expect(told(await loop.pass())).toEqual([`register ${machine.address}: done`]);
    const node = { name: machine.address, labels: { [MANAGED]: 'true' }, annotations: marks(machine) };
    const status = { addresses: [{ type: 'InternalIP', address: machine.address }] };
    expect(bodies(loop, 'POST')).toEqual([{ kind: 'Node', apiVersion: 'v1', metadata: node, status }]);
    expect(metadata(loop, machine.address)).toEqual({ labels: node.labels, annotations: node.annotations });
  });

  it.each<[string, (loop: Loop) => unknown]>([
    [
      'whose kubelet answers 500',
      async ({ lab }) => (await lab.addMachine({ metadata: WORKER })).kubelet.misbehave(answerWith(500)),
    ],
    [
      'whose kubelet accepts and says nothing',
      async ({ lab }) => (await lab.addMachine({ metadata: WORKER })).kubelet.misbehave(hang),
    ],
    [
      'whose kubelet refuses connections',
      async ({ lab }) => (await lab.addMachine({ metadata: WORKER })).kubelet.stop(),
    ],
    ['that does not match the selector', ({ lab }) => lab.addMachine({ metadata: { role: 'etcd' } })],
    ['without metadata', ({ lab }) => lab.addMachine()],
    ['without an address', ({ lab }) => lab.fleet.setMachine({ id: 'f'.repeat(32), metadata: WORKER })],
  ])('%s is not registered, and its neighbour is', async (_, add) => {
    const loop = await startLoop({ probeMs: 500 });
    await add(loop);
    const neighbour = await loop.lab.addMachine({ metadata: WORKER });
    await loop.pass();
    await loop.pass();
    expect(loop.writes).toEqual([`POST ${neighbour.address}`]);
  });

  it('is left in peace once its kubelet posts: its node is read while it does not, once more, and then not even that', async () => {
    const loop = await startLoop();
    const machines = await loop.lab.addMachines(3, WORKER);
    const all = ['GET nodes', ...machines.map(({ address }) => `GET nodes/${address}`)];
    await loop.pass();
    for (let pass = 1; pass <= 2; pass++) {
      loop.lab.kubernetes.log.clear();
      await loop.pass();
      expect(loop.reads.sort()).toEqual(all);
    }
    for (const { id, address } of machines) loop.lab.kubernetes.selfRegister(address, id, [address]);
    await loop.pass();
    loop.lab.kubernetes.log.clear();
    await loop.passFor(9 * MINUTE);
    expect(new Set(loop.reads)).toEqual(new Set(['GET nodes']));
    await loop.passFor(MINUTE);
    expect([...new Set(loop.reads)].sort()).toEqual(all);
    expect(loop.writes).toEqual([]);
  });

  it('that was registered by somebody else a moment earlier is no failure', async () => {
    const loop = await startLoop();
    const { id, address } = await loop.lab.addMachine({ metadata: WORKER });
    loop.lab.kubernetes.faults.add(
      meanwhile(() => loop.lab.kubernetes.selfRegister(address, id, [address])),
      { method: 'POST' },
    );
    expect(told(await loop.pass())).toEqual([`register ${address}: unneeded`]);
    expect(told(await loop.pass())).toEqual([`adopt ${address}: done`]);
  });

  it('whose labels the server refuses is registered without them, and they are not tried again soon', async () => {
    const loop = await startLoop({ policy: { nodeLabels: ['rack'] } });
    const { address } = await loop.lab.addMachine({ metadata: { ...WORKER, rack: 'r1' } });
    const refused = {
      kind: 'Status',
      reason: 'Invalid',
      details: { causes: [{ field: 'metadata.labels' }] },
      code: 422,
    };
    loop.lab.kubernetes.faults.add(answerWith(422, JSON.stringify(refused)), { method: 'POST', times: 1 });
    const report = await loop.pass();
    expect(report.outcomes).toMatchObject([{ result: 'done', detail: 'without labels: the API server refused them' }]);
    expect(metadata(loop, address).labels).toEqual({});
    expect(told(await loop.passFor(9 * MINUTE))).toEqual([]);
    expect(loop.writes).toEqual([`POST ${address}`, `POST ${address}`]);
    await loop.passFor(2 * MINUTE);
    expect(metadata(loop, address).labels).toEqual({ [MANAGED]: 'true', rack: 'r1' });
  });

  it('gets the name its last node had when it returns', async () => {
    const loop = await startLoop();
    const { id, address } = await loop.lab.addMachine({ metadata: WORKER });
    loop.lab.kubernetes.selfRegister('core-1', id, [address]);
    await loop.passes(2);
    loop.lab.kubernetes.deleteNode('core-1');
    await loop.pass();
    expect(loop.nodeNames).toEqual(['core-1']);
  });

  it.each([
    ['ip', { kind: 'ip' }, ({ address }: LabMachine) => address],
    ['machine-id', { kind: 'machine-id' }, ({ id }: LabMachine) => id],
    ['metadata:name', { kind: 'metadata', key: 'name' }, () => 'core-7.example'],
    ['reverse-lookup', { kind: 'reverse-lookup' }, ({ address }: LabMachine) => `host-${address}.example`],
  ] as const)('is called what NODE_NAME=%s says', async (_, nodeName, expected) => {
    const loop = await startLoop({ nodeName, lookup: async (address) => [`Host-${address}.example.`] });
    const machine = await loop.lab.addMachine({ metadata: { ...WORKER, name: 'core-7.example' } });
    await loop.passes(3);
    expect(loop.nodeNames).toEqual([expected(machine)]);
    expect(loop.writes).toHaveLength(1);
  });

  it('whose reverse lookup fails is the only one that is not registered, until it succeeds', async () => {
    const names = new Map<string, string>();
    const lookup = async (address: string) => [names.get(address) ?? expect.fail('ENOTFOUND')];
    const loop = await startLoop({ nodeName: { kind: 'reverse-lookup' }, lookup });
    const nameless = await loop.lab.addMachine({ metadata: WORKER });
    names.set((await loop.lab.addMachine({ metadata: WORKER })).address, 'core-2');
    const report = await loop.pass();
    expect(loop.nodeNames).toEqual(['core-2']);
    const reason = `the reverse lookup of ${nameless.address} failed: ENOTFOUND`;
    expect(report.seen?.plan.machines.get(nameless.id)).toMatchObject({ name: 'unnamed', reason });
    names.set(nameless.address, 'core-1');
    await loop.passFor(2 * MINUTE);
    expect(loop.nodeNames).toEqual(['core-1', 'core-2']);
  });
});

describe('a node that is there already', () => {
  it.each<[string, (loop: Loop, machine: LabMachine) => unknown]>([
    ['machine id', ({ lab }, { id }) => lab.kubernetes.selfRegister('core-1', id, ['10.9.9.9'])],
    [
      'name',
      ({ lab }, { address }) => lab.kubernetes.putNode({ name: address, labels: { disk: 'ssd' }, ready: false }),
    ],
    [
      'address, registered by a kubelet under its hostname',
      ({ lab }, { address }) => lab.kubernetes.selfRegister('core-1', '', [address]),
    ],
  ])('is adopted by its %s, not doubled, and nothing else of it changes', async (_, put) => {
    const loop = await startLoop();
    const machine = await loop.lab.addMachine({ metadata: WORKER });
    await put(loop, machine);
    const [before] = loop.lab.kubernetes.nodes;
    await loop.passes(3);
    expect(loop.writes).toEqual([`PATCH ${before?.metadata.name}`]);
    const labels = { [MANAGED]: 'true' };
    const { uid, resourceVersion } = before?.metadata ?? {};
    const annotations = marks(machine, before?.metadata.name === machine.address ? 'named' : 'own-name');
    expect(bodies(loop, 'PATCH')).toEqual([{ metadata: { uid, resourceVersion, labels, annotations } }]);
    const [after, ...others] = loop.lab.kubernetes.nodes;
    expect(others).toEqual([]);
    expect([after?.spec, after?.status]).toEqual([before?.spec, before?.status]);
    expect(after?.metadata.labels).toEqual({ ...before?.metadata.labels, ...labels });
  });

  it('is not adopted while it is dead', async () => {
    const loop = await startLoop();
    const { id, address, kubelet } = await loop.lab.addMachine({ metadata: WORKER });
    await kubelet.stop();
    loop.lab.kubernetes.selfRegister('core-1', id, [address], 'unknown');
    expect(verdictOf(await loop.passes(3), 'core-1')).toBe('recognised');
    expect(loop.writes).toEqual([]);
  });

  it('is recognised and never marked with ADOPT=false', async () => {
    const loop = await startLoop({ policy: { adopt: false } });
    const { id, address } = await loop.lab.addMachine({ metadata: WORKER });
    loop.lab.kubernetes.selfRegister('core-1', id, [address]);
    expect(verdictOf(await loop.passes(3), 'core-1')).toBe('recognised');
    expect(loop.writes).toEqual([]);
  });

  it('with the mark of a machine that is gone gets its own after three passes', async () => {
    const loop = await startLoop();
    const machine = await loop.lab.addMachine({ metadata: WORKER });
    const before = { ...marks(machine), [MARK]: 'gone', 'kube-register.io/since': '2015-01-01T00:00:00.000Z' };
    loop.lab.kubernetes.putNode({ name: machine.address, labels: { [MANAGED]: 'true' }, annotations: before });
    await loop.passes(2);
    expect(loop.writes).toEqual([]);
    await loop.pass();
    expect(metadata(loop, machine.address).annotations).toEqual({ ...before, [MARK]: machine.id });
    await loop.pass();
    expect(loop.writes).toHaveLength(1);
  });

  it('follows the metadata in NODE_LABELS, and a label that others wrote is left alone', async () => {
    const loop = await startLoop({ policy: { nodeLabels: ['rack', 'disk'] } });
    const machine = await loop.lab.addMachine({ metadata: WORKER });
    const { id, address } = machine;
    loop.lab.kubernetes.putNode({ name: address, labels: { disk: 'hdd' } });
    // A machine that keeps both keys known.
    const etcd = { role: 'etcd', rack: 'r9', disk: 'ssd' };
    loop.lab.fleet.setMachine({ id: 'f'.repeat(32), address: '127.9.9.9', metadata: etcd });
    const withMetadata = async (more: Record<string, string>) => {
      loop.lab.fleet.setMachine({ id, address, metadata: { ...WORKER, ...more } });
      const report = await loop.pass();
      return { ...metadata(loop, address), notes: report.seen?.plan.notes.map(({ text }) => text) };
    };
    const foreign = { disk: 'hdd', [MANAGED]: 'true' };
    const listed = { ...marks(machine), 'kube-register.io/labels': 'rack' };
    const notes = [`node ${address}: label disk was not written by kube-register and is not changed`];
    expect(await withMetadata({ rack: 'r1', disk: 'ssd' })).toEqual({
      labels: { ...foreign, rack: 'r1' },
      annotations: listed,
      notes,
    });
    expect(await withMetadata({ rack: 'r 2' })).toEqual({
      labels: { ...foreign, rack: 'r-2' },
      annotations: listed,
      notes: [],
    });
    expect(await withMetadata({})).toEqual({ labels: foreign, annotations: marks(machine), notes: [] });
    expect(loop.writes).toEqual(Array(3).fill(`PATCH ${address}`));
  });

  it('gets its managed label back', async () => {
    const loop = await startLoop();
    const { address } = first(await loop.join(1));
    loop.lab.kubernetes.patchNode(address, { metadata: { labels: { [MANAGED]: null } } });
    await loop.passes(2);
    expect(bodies(loop, 'PATCH')).toMatchObject([{ metadata: { labels: { [MANAGED]: 'true' } } }]);
    expect(metadata(loop, address).labels).toMatchObject({ [MANAGED]: 'true' });
  });

  it.each([
    // The list, the nodes, and the list once more before the machine is registered.
    [100, ['GET nodes', ...Array.from({ length: 100 }, () => 'GET nodes/node'), 'GET nodes']],
    [101, ['GET nodes', 'GET nodes', 'GET nodes']],
  ])('is one of %i to be read whole, which is done one by one up to a hundred', async (count, reads) => {
    const loop = await startLoop();
    const { kubernetes } = loop.lab;
    for (let number = 1; number <= count; number++) kubernetes.putNode({ name: `node-${number}` });
    const { address } = await loop.lab.addMachine({ metadata: WORKER });
    await loop.pass();
    expect(loop.reads.map((read) => read.replace(/-\d+$/, ''))).toEqual(reads);
    expect(loop.writes).toEqual([`POST ${address}`]);
  });
});

describe('whatever it speaks to', () => {
  const socket = join(tmpdir(), `kube-register-${process.pid}.sock`);

  it.each<[string, LabOptions, number]>([
    ['fleet on a unix socket', { fleet: { socket } }, 3],
    ['fleet v0.8.3 at its old path, on three pages', { fleet: { version: '0.8.3' } }, 250],
    ['a server that lists nodes whole all the same', { kubernetes: { metadataLists: 'ignored', paging: false } }, 3],
    ['a server that refuses lists of metadata', { kubernetes: { metadataLists: '406', paging: false } }, 3],
  ])('it registers, rests and deregisters: %s', async (_, options, count) => {
    const loop = await startLoop({ policy: { missingGraceMs: MINUTE } }, options);
    const machine = first(await loop.join(count));
    expect(loop.nodeNames).toHaveLength(count);
    await loop.pass();
    expect([loop.reads, loop.writes]).toEqual([['GET nodes'], []]);
    await loop.destroy(machine);
    await loop.passes(3);
    expect(loop.writes).toEqual([`DELETE ${machine.address}`]);
  });
});

it('lets two daemons work on one API server at once', async () => {
  const one = await startLoop({ policy: { missingGraceMs: MINUTE, nodeLabels: ['rack'] } });
  const two = new Loop(one.lab, { policy: { missingGraceMs: MINUTE, nodeLabels: ['rack'] } });
  const both = () => Promise.all([one.pass(), two.pass()]);
  const machines = await one.lab.addMachines(12, { ...WORKER, rack: 'r1' });
  one.lab.kubernetes.selfRegister('core-1', first(machines).id, []);
  await both();
  await both();
  expect(one.nodeNames).toHaveLength(12);
  await one.destroy({ ...first(machines), address: 'core-1' });
  for (let pass = 1; pass <= 6; pass++) await both();
  const [, ...others] = machines.map(({ address }) => address);
  expect(one.nodeNames).toEqual(others.sort());
  one.lab.kubernetes.log.clear();
  await both();
  expect(one.writes).toEqual([]);
});

it('says what it would do with DRY_RUN, and does nothing', async () => {
  const loop = await startLoop({ dryRun: true, policy: { missingGraceMs: MINUTE } });
  const { address } = await loop.lab.addMachine({ metadata: WORKER });
  const { id } = await loop.lab.addMachine({ metadata: WORKER });
  loop.lab.kubernetes.selfRegister('core-2', id, []);
  for (const name of ['gone', 'here-1', 'here-2']) {
    const annotations = { [MARK]: name, 'kube-register.io/address': '127.9.9.9' };
    loop.lab.kubernetes.putNode({ name, annotations, ready: name === 'gone' ? 'unknown' : true });
  }
  const actions = ['adopt core-2: dry-run', 'deregister gone: dry-run', `register ${address}: dry-run`];
  expect(told(await loop.passes(3))).toEqual(actions);
  expect(told(await loop.pass())).toEqual(actions);
  expect(loop.writes).toEqual([]);
});
