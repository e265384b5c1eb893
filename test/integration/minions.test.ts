/** The client against the API servers of 2014 and 2015, and what an upgrade changes. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Server } from '../../src/kubernetes/era.ts';
import { createNodes } from '../../src/kubernetes/nodes.ts';
import type { NodeDraft } from '../../src/kubernetes/registry.ts';
import { answerWith, hang } from '../lab/faults.ts';
import { startFleet } from '../lab/fleet.ts';
import { type Kubelets, startKubelets } from '../lab/kubelets.ts';
import { startKubernetes } from '../lab/kubernetes.ts';
import { type Minions, type MinionsVersion, startMinions } from '../lab/minions/server.ts';
import { clientOf } from './client.ts';
import { type LoopOptions, reconcilerOf, startLoop, TestClock, told, WORKER } from './in-lab.ts';

const never = new AbortController().signal;
const ADDRESS = '127.0.0.2';
const NOBODY = '127.0.0.99';

function draft(name: string, parts: Partial<NodeDraft> = {}): NodeDraft {
  return { name, address: name, labels: new Map(), annotations: new Map(), ...parts };
}

function nodesAt(url: string, server: Server, requestMs = 5_000) {
  return createNodes(clientOf('kubernetes', url, { requestMs }), server);
}

/** A server of that version, with a healthy kubelet at ADDRESS. */
async function oldServer(version: MinionsVersion, timeoutMs?: number) {
  const kubelets: Kubelets = await startKubelets();
  const kubelet = await kubelets.add(ADDRESS);
  const server: Minions = await startMinions({ version, kubeletPort: kubelets.port });
  onTestFinished(async () => {
    await Promise.all([server.close(), kubelets.close()]);
  });
  return { server, kubelets, kubelet, nodes: nodesAt(server.url, { version, apiVersion: 'v1beta1' }, timeoutMs) };
}

/** A loop in a cluster of 2014, whose clock stands still. */
async function oldLoop(version: MinionsVersion, options: LoopOptions = {}) {
  const [fleet, kubelets] = [await startFleet({ version: '0.8.3' }), await startKubelets()];
  const server = await startMinions({ version, kubeletPort: kubelets.port });
  onTestFinished(async () => {
    await Promise.all([fleet.close(), server.close(), kubelets.close()]);
  });
  const reconciler = reconcilerOf({ fleet, kubelets, kubernetes: server }, new TestClock(), options);
  return {
    server,
    pass: () => reconciler.runOnce({ stop: never, abandon: never }),
    join: async (id: string) => {
      const kubelet = await kubelets.add();
      fleet.setMachine({ id: id.repeat(32), address: kubelet.address, metadata: WORKER });
      return kubelet;
    },
  };
}

describe('a minion', () => {
  it('is listed as Ready, at the address of its id', async () => {
    const { nodes } = await oldServer('v0.2');
    expect(await nodes.create(draft(ADDRESS), never)).toBe('created');
    expect((await nodes.list(never)).nodes).toMatchObject([
      { name: ADDRESS, uid: ADDRESS, facts: { ready: 'true', addresses: [ADDRESS] } },
    ]);
    expect((await nodes.read(ADDRESS, never))?.facts?.ready).toBe('true');
  });

  it('that v0.4.4 stores with a 500 is there all the same', async () => {
    const { server, nodes } = await oldServer('v0.4.4');
    expect(await nodes.create(draft(NOBODY), never)).toBe('exists');
    expect(server.log.writes).toHaveLength(2);
    expect(server.minion(NOBODY)).toBeDefined();
    expect((await nodes.list(never)).nodes).toEqual([]);
  });

  it('that v0.2 does not take without its kubelet is not there', async () => {
    const { server, nodes } = await oldServer('v0.2');
    expect(await nodes.create(draft(NOBODY), never)).toBe('kubelet-unreached');
    expect(server.minion(NOBODY)).toBeUndefined();
  });

  it.each(['v0.2', 'v0.4.4'] as const)(
    'is held up by %s while any registered kubelet hangs, and is taken afterwards',
    async (version) => {
      const { server, kubelets, nodes, kubelet } = await oldServer(version, 300);
      const { address: other } = await kubelets.add();
      expect(await nodes.create(draft(ADDRESS), never)).toBe('created');
      kubelet.misbehave(hang);
      server.log.clear();
      expect(await nodes.create(draft(other), never)).toBe('held-up');
      expect(server.log.writes).toHaveLength(1);
      expect(server.minion(other)).toBeUndefined();
      kubelet.recover();
      expect(await nodes.create(draft(other), never)).toBe('created');
    },
  );

  it('whose own kubelet hangs is held up, too', async () => {
    const { nodes, kubelet } = await oldServer('v0.4.4', 300);
    kubelet.misbehave(hang);
    expect(await nodes.create(draft(ADDRESS), never)).toBe('held-up');
  });

  it('is held up also when it is asked for a second time, as v0.4 wants it', async () => {
    const { server, nodes } = await oldServer('v0.4.4', 300);
    server.faults.add(answerWith(500, '{}'), { method: 'POST', times: 1 });
    server.faults.add(hang, { method: 'POST' });
    expect(await nodes.create(draft(ADDRESS), never)).toBe('held-up');
  });

  it('that v0.2 forgets when it is restarted is registered anew at once', async () => {
    const { server, join, pass } = await oldLoop('v0.2');
    const { address } = await join('1');
    expect(told(await pass())).toEqual([`register ${address}: done`]);
    server.restartProcess();
    expect(told(await pass())).toEqual([`register ${address}: done`]);
    expect(told(await pass())).toEqual([]);
  });

  it('is waited for while its store is slow', async () => {
    const { server, nodes } = await oldServer('v0.8.4');
    server.slowStore = true;
    expect(await nodes.create(draft(ADDRESS), never)).toBe('created');
    expect(server.minion(ADDRESS)).toBeDefined();
  });

  it('is refused as a whole because of one label, and said to be', async () => {
    const { server, nodes } = await oldServer('v0.5.6');
    const labels = new Map([['a.b', 'c']]);
    expect(await nodes.create(draft(ADDRESS, { labels }), never)).toBe('labels-refused');
    expect(server.minions).toEqual([]);
  });

  it('is never deleted where dead minions hide', async () => {
    const { server, nodes } = await oldServer('v0.8.4');
    await nodes.create(draft(ADDRESS), never);
    server.log.clear();
    await expect(nodes.remove(ADDRESS, 'u', '1', never)).rejects.toThrow(
      /minions are not deleted on servers before v0.9/,
    );
    expect(server.log.writes).toEqual([]);
  });

  it('with a slash in its name, which v0.4.4 can list but not name, harms no list', async () => {
    const { nodes } = await oldServer('v0.4.4');
    await nodes.create(draft(ADDRESS), never);
    expect(await nodes.create(draft('a/b'), never)).toBe('exists');
    expect((await nodes.list(never)).nodes.map(({ name }) => name)).toEqual([ADDRESS]);
  });
});

describe.each(['v0.2', 'v0.4.4'] as const)('one hung kubelet of %s, which holds up every registration', (version) => {
  it('is not put down to the machine that is to be registered, and that one is registered once it is over', async () => {
    const { server, join, pass } = await oldLoop(version, { requestMs: 300, probeMs: 200 });
    const first = await join('1');
    expect(told(await pass())).toEqual([`register ${first.address}: done`]);
    first.misbehave(hang);
    const second = await join('2');
    const { outcomes } = await pass();
    expect(outcomes.map(({ action, result }) => [action.kind, result])).toEqual([['register', 'failed']]);
    expect(outcomes[0]?.detail).not.toContain(second.address);
    expect(outcomes[0]?.detail).toContain(`check the kubelets that do not reply: ${first.address}`);
    first.recover();
    expect(told(await pass())).toEqual([`register ${second.address}: done`]);
    expect(server.minions.map(({ id }) => id)).toEqual([first.address, second.address]);
  });
});

describe('a minion of v0.9.3, which asks kubelets and hides none', () => {
  it('is listed and read with what its kubelet said', async () => {
    const { server, nodes, kubelet } = await oldServer('v0.9.3');
    expect(await nodes.create(draft(ADDRESS), never)).toBe('created');
    expect(await nodes.create(draft(NOBODY), never)).toBe('created');
    const seen = async () => (await nodes.list(never)).nodes.map(({ name, facts }) => [name, facts?.ready]);
    expect(await seen()).toEqual([
      [ADDRESS, 'true'],
      [NOBODY, 'unknown'],
    ]);
    await kubelet.stop();
    expect((await nodes.read(ADDRESS, never))?.facts).toMatchObject({ ready: 'unknown', addresses: [ADDRESS] });
    expect(server.log.writes).toHaveLength(2);
  });

  it('is deleted when its kubelet is silent, in one request', async () => {
    const { server, nodes } = await oldServer('v0.9.3');
    await nodes.create(draft(NOBODY), never);
    const { uid = '', resourceVersion = '' } = (await nodes.read(NOBODY, never)) ?? {};
    server.log.clear();
    expect(await nodes.remove(NOBODY, uid, resourceVersion, never)).toBe('removed');
    expect(server.log.entries.map(({ method }) => method)).toEqual(['DELETE']);
    expect(await nodes.remove(NOBODY, uid, resourceVersion, never)).toBe('gone');
    expect(server.minions).toEqual([]);
  });

  it('cannot be changed', async () => {
    const { nodes } = await oldServer('v0.9.3');
    await nodes.create(draft(ADDRESS), never);
    const { uid = '', resourceVersion = '' } = (await nodes.read(ADDRESS, never)) ?? {};
    const change = { labels: new Map([['a', 'b']]), annotations: new Map() };
    await expect(nodes.update(ADDRESS, uid, resourceVersion, change, never)).rejects.toThrow(/405/);
  });
});

describe('a minion of v0.12.2, where nobody writes conditions', () => {
  it('is created, read, not changed, and deleted', async () => {
    const kubernetes = await startKubernetes({ version: 'v0.12.2' });
    onTestFinished(() => kubernetes.close());
    const nodes = nodesAt(kubernetes.url, { version: 'v0.12.2', apiVersion: 'v1beta2' });
    expect(await nodes.create(draft(NOBODY), never)).toBe('created');
    const read = await nodes.read(NOBODY, never);
    expect(read?.facts).toMatchObject({ ready: 'none', addresses: [NOBODY] });
    const { uid = '', resourceVersion = '' } = read ?? {};
    const change = { labels: new Map([['a', 'b']]), annotations: new Map() };
    await expect(nodes.update(NOBODY, uid, resourceVersion, change, never)).rejects.toThrow(/405/);
    expect(await nodes.remove(NOBODY, uid, resourceVersion, never)).toBe('removed');
    expect(kubernetes.nodes).toEqual([]);
  });
});

describe('a list that hangs because one kubelet hangs', () => {
  it('is no list, and no error', async () => {
    const { kubelet, nodes } = await oldServer('v0.8.4', 300);
    await nodes.create(draft(ADDRESS), never);
    kubelet.misbehave(hang);
    expect(await nodes.list(never)).toMatchObject({
      nodes: [],
      unlistable: expect.stringContaining('no complete response'),
    });
  });

  it('is an error when the server answers nothing else either', async () => {
    const { server, nodes } = await oldServer('v0.8.4', 300);
    server.faults.add(hang);
    await expect(nodes.list(never)).rejects.toThrow('no complete response');
    await expect(nodes.create(draft(ADDRESS), never)).rejects.toThrow('no complete response');
  });

  it('does not keep the loop from registering others, each once', async () => {
    const { join, pass } = await oldLoop('v0.8.4', { requestMs: 300, probeMs: 200 });
    const first = await join('1');
    expect(told(await pass())).toEqual([`register ${first.address}: done`]);
    first.misbehave(hang);
    const second = await join('2');
    const report = await pass();
    expect([...report.failures.values()]).toEqual([]);
    expect(told(report)).toEqual([`register ${second.address}: done`]);
    expect(report.seen?.plan.notes[0]?.text).toContain(`check the kubelets that do not reply: ${first.address}`);
    expect(told(await pass())).toEqual([]);
  });
});

describe.each([
  ['v0.13.2', 'v1beta1'],
  ['v0.13.2', 'v1beta2'],
  ['v0.17.1', 'v1beta1'],
  ['v0.17.1', 'v1beta3'],
] as const)('Kubernetes %s using API %s', (version, apiVersion) => {
  async function lab() {
    const kubernetes = await startKubernetes({ version });
    onTestFinished(() => kubernetes.close());
    return { kubernetes, nodes: nodesAt(kubernetes.url, { version, apiVersion }) };
  }

  it('creates, changes, reads and deletes', async () => {
    const { kubernetes, nodes } = await lab();
    const parts = { labels: new Map([['zone', 'a']]), annotations: new Map([['kube-register.io/machine-id', 'm']]) };
    expect(await nodes.create(draft(ADDRESS, parts), never)).toBe('created');
    expect(await nodes.create(draft(ADDRESS), never)).toBe('exists');
    const [created] = (await nodes.list(never)).nodes;
    expect(created).toMatchObject({ name: ADDRESS, ...parts, facts: { addresses: [ADDRESS], ready: 'none' } });

    const change = {
      labels: new Map([
        ['zone', null],
        ['b', 'c'],
      ]),
      annotations: new Map([['d', 'e']]),
    };
    const { uid = '', resourceVersion = '' } = created ?? {};
    expect(resourceVersion).toMatch(/^\d+$/);
    expect(await nodes.update(ADDRESS, 'another uid', resourceVersion, change, never)).toBe('gone');
    kubernetes.setReady(ADDRESS, true);
    expect(await nodes.update(ADDRESS, uid, resourceVersion, change, never)).toBe('conflict');
    expect(kubernetes.log.of({ method: 'PATCH' })).toEqual([]);
    const now = kubernetes.node(ADDRESS)?.metadata.resourceVersion ?? '';
    expect(await nodes.update(ADDRESS, uid, now, change, never)).toBe('updated');
    const [patch] = kubernetes.log.of({ method: 'PATCH' });
    const sent = JSON.parse(patch?.body ?? '');
    expect(sent.metadata?.resourceVersion ?? sent.resourceVersion).toBe(apiVersion === 'v1beta3' ? now : Number(now));
    const changed = await nodes.read(ADDRESS, never);
    expect([...(changed?.labels ?? [])]).toEqual([['b', 'c']]);
    expect(changed?.annotations.get('kube-register.io/machine-id')).toBe('m');
    expect(changed?.annotations.get('d')).toBe('e');

    expect(await nodes.remove(ADDRESS, changed?.uid ?? '', changed?.resourceVersion ?? '', never)).toBe('removed');
    expect(await nodes.remove(ADDRESS, changed?.uid ?? '', changed?.resourceVersion ?? '', never)).toBe('gone');
    expect(await nodes.read(ADDRESS, never)).toBeUndefined();
    expect(kubernetes.nodes).toEqual([]);
  });

  it.each([
    [true, 'true'],
    // v1beta1 and v1beta2 call it `None`, which controllers wrote for a silent kubelet.
    [false, apiVersion === 'v1beta3' ? 'false' : 'unknown'],
    ['unknown', 'unknown'],
  ] as const)('tells Ready %s', async (ready, read) => {
    const { kubernetes, nodes } = await lab();
    kubernetes.putNode({ name: 'a', machineId: 'm', addresses: ['10.0.0.1'], ready, unschedulable: true });
    expect((await nodes.list(never)).nodes[0]?.facts).toEqual({
      machineId: 'm',
      addresses: ['10.0.0.1'],
      ready: read,
      unschedulable: true,
    });
  });
});

describe('an upgrade under the running daemon', () => {
  it('is noticed when the API version is gone, and the nodes are known again', async () => {
    const loop = await startLoop({}, { kubernetes: { version: 'v0.17.1' } });
    const [machine] = await loop.lab.addMachines(1, WORKER);
    const before = await loop.pass();
    expect(before.seen?.observation.era.server).toBe('v0.17.1, using API v1beta3');
    loop.lab.kubernetes.version = 'v1.0.7';
    loop.lab.kubernetes.log.clear();
    const after = await loop.pass();
    expect(after.seen?.observation.era.server).toMatch(/^v1\.0\.7.*, using API v1$/);
    expect(after.seen?.plan.nodes.get(machine?.address ?? '')?.name).toBe('keep');
    expect(loop.writes).toEqual([]);
  });
});
