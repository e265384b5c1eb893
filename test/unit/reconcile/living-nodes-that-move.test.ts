/** More attempts to have the node of a running kubelet deleted: its host has moved, or another host has its address, before it loses the API server. */
import { describe, expect, it } from 'vitest';
import { Cluster, deletesOf, running, verdictOf } from './cluster.ts';
import { ERAS, MINUTE, type NodeTraits } from './world.ts';

const T1 = '10.0.0.1';
const T2 = '10.0.0.2';
const T77 = '10.0.0.77';
const NAT = '203.0.113.9';

/** Six hosts whose kubelets have names of their own, `host-1` and so on. */
function hosts(listsMetadata: boolean, network: string, traits: (last: number) => NodeTraits): Cluster {
  const cluster = new Cluster();
  cluster.listsMetadata = listsMetadata;
  for (let last = 1; last <= 6; last += 1) {
    cluster.runs(`m${last}`, `${network}.${last}`, { name: `host-${last}`, ...traits(last) });
  }
  return cluster;
}

function ownNames(listsMetadata: boolean, machineId = (id: string) => id): Cluster {
  return hosts(listsMetadata, '10.0.0', (last) => ({ machineId: machineId(`m${last}`) }));
}

/** With public addresses in fleet, where the daemon reaches the kubelets, while these report private ones. */
function inCloud(listsMetadata: boolean): Cluster {
  return hosts(listsMetadata, '52.0.0', (last) => ({ addresses: [`172.16.0.${last}`] }));
}

/** A new daemon, which knows nothing, over the same world. */
function restarted(cluster: Cluster): Cluster {
  const next = new Cluster({ beside: cluster });
  next.era = cluster.era;
  next.listsMetadata = cluster.listsMetadata;
  for (const [id, record] of cluster.fleet) next.fleet.set(id, record);
  for (const [address, state] of cluster.kubelets) next.kubelets.set(address, state);
  return next;
}

describe.each([
  ['metadata', true],
  ['whole nodes', false],
])('with a server that lists %s, the node is kept of a kubelet', (_, listsMetadata) => {
  describe('whose public address changed while it reports its private one, before fleet loses its machine', () => {
    const moved = async () => {
      const cluster = inCloud(listsMetadata);
      await cluster.passes(3);
      cluster.moves('m1', '52.0.0.1', '52.0.0.77');
      await cluster.passFor(60 * MINUTE);
      cluster.fleet.delete('m1');
      cluster.goesQuiet('host-1');
      return cluster;
    };

    it('and the daemon restarts', async () => {
      expect(await deletesOf(restarted(await moved()))).toEqual([]);
    });

    it('and one complete list lacks the node', async () => {
      const cluster = await moved();
      const node = cluster.nodes.get('host-1') ?? expect.fail();
      cluster.nodes.delete('host-1');
      await cluster.pass();
      cluster.nodes.set('host-1', node);
      expect(await deletesOf(cluster)).toEqual([]);
    });
  });

  it.each([
    ['own', (id: string) => id],
    ['an image’s', () => 'image'],
    ['no', () => ''],
  ])(
    'whose host comes back with another machine ID, cannot post, and then gets another address (%s ID)',
    async (_id, machineId) => {
      const cluster = ownNames(listsMetadata, machineId);
      await cluster.passFor(10 * MINUTE);
      cluster.fleet.delete('m1');
      cluster.kubelets.delete(T1);
      cluster.goesQuiet('host-1');
      await cluster.passes(4);
      cluster.lists('new', T1);
      cluster.kubelets.set(T1, 'healthy');
      await cluster.passFor(20 * MINUTE);
      cluster.moves('new', T1, T77);
      expect(await deletesOf(cluster)).toEqual([]);
    },
  );

  it('whose host comes back with another machine ID and without its metadata, and then gets another address', async () => {
    const cluster = running(6);
    cluster.listsMetadata = listsMetadata;
    await cluster.passFor(10 * MINUTE);
    cluster.goesQuiet(T1);
    cluster.fleet.delete('m1');
    await cluster.passes(4);
    cluster.lists('new', T1, { role: 'none' });
    await cluster.passFor(20 * MINUTE);
    cluster.lists('new', T77, { role: 'none' });
    cluster.kubelets.delete(T1);
    cluster.kubelets.set(T77, 'healthy');
    expect(await deletesOf(cluster)).toEqual([]);
  });

  it.each([
    ['its kubelet answers again', true],
    ['its health port stays closed', false],
  ])('that reported the ID of another host while that one was away: %s', async (_back, answers) => {
    const cluster = inCloud(listsMetadata);
    await cluster.passFor(20 * MINUTE);
    cluster.posts('host-1', { machineId: 'm2' });
    await cluster.passFor(20 * MINUTE);
    cluster.goesQuiet('host-2');
    cluster.kubelets.delete('52.0.0.2');
    await cluster.passes(6);
    cluster.posts('host-2', {});
    if (answers) cluster.kubelets.set('52.0.0.2', 'healthy');
    await cluster.passes(3);
    cluster.goesQuiet('host-1');
    await cluster.passFor(45 * MINUTE);
    expect(cluster.nodes.has('host-1')).toBe(true);
  });

  it('whose address fleet gives to an old record of another machine', async () => {
    const cluster = inCloud(listsMetadata);
    await cluster.passes(3);
    cluster.moves('m1', '52.0.0.1', '52.0.0.77');
    await cluster.passFor(20 * MINUTE);
    cluster.lists('m1', '52.0.0.78');
    cluster.lists('old', '52.0.0.77');
    cluster.goesQuiet('host-1');
    expect(await deletesOf(cluster)).toEqual([]);
  });

  it.each([
    ['m1', ''],
    ['m1', 'image'],
    ['image', 'other'],
  ])('whose address a listed host begins to report (IDs %j and %j)', async (id, other) => {
    const cluster = running(6);
    cluster.listsMetadata = listsMetadata;
    cluster.posts(T1, { machineId: id });
    cluster.posts(T2, { machineId: other });
    await cluster.passFor(20 * MINUTE);
    cluster.goesQuiet(T1);
    cluster.fleet.delete('m1');
    await cluster.passes(2);
    cluster.posts(T2, { addresses: [T2, T1] });
    expect(await deletesOf(cluster)).toEqual([]);
  });

  it('that moved behind NAT, where its port is forwarded, and answered elsewhere before', async () => {
    const cluster = ownNames(listsMetadata);
    await cluster.passFor(20 * MINUTE);
    cluster.moves('m1', T1, NAT);
    cluster.posts('host-1', { addresses: [NAT] });
    for (const last of [2, 3]) cluster.posts(`host-${last}`, { addresses: [`10.0.0.${last}`, NAT] });
    await cluster.passFor(60 * MINUTE);
    cluster.goesQuiet('host-1');
    await cluster.passFor(5 * MINUTE);
    cluster.fleet.delete('m1');
    expect(await deletesOf(cluster)).toEqual([]);
  });
});

it('a kubelet that moved while it could not post is asked there after the API server was upgraded', async () => {
  const cluster = ownNames(true);
  cluster.era = ERAS['v0.17'];
  await cluster.passFor(20 * MINUTE);
  cluster.moves('m1', T1, T77);
  cluster.goesQuiet('host-1');
  await cluster.passFor(60 * MINUTE);
  cluster.fleet.delete('m1');
  await cluster.passes(5);
  cluster.era = ERAS['v1.0'];
  expect(await deletesOf(cluster)).toEqual([]);
});

describe('a dead node that is kept is told of, with the command that removes it', () => {
  it('where it is left over and cordoned', async () => {
    const cluster = running(6);
    await cluster.passes(3);
    cluster.cordons(T1);
    cluster.goesQuiet(T1);
    cluster.posts('host-1', { machineId: 'm1', addresses: [T1] });
    await cluster.passFor(20 * MINUTE);
    expect(verdictOf(await cluster.pass(), T1)).toMatchObject({
      name: 'vetoed',
      next: 'kept: the node is cordoned; if it is not in use: kubectl delete node 10.0.0.1',
      isWarning: true,
    });
  });

  it('where it has no address at which its kubelet could be checked', async () => {
    const cluster = running(6);
    cluster.fleet.set('m9', {
      id: 'm9',
      address: undefined,
      problem: 'it is listed at 127.0.0.1',
      metadata: new Map([['role', 'kubernetes']]),
    });
    cluster.manages('127.0.0.1', 'm9', '127.0.0.1', { addresses: [] });
    expect(verdictOf(await cluster.pass(), '127.0.0.1')).toMatchObject({
      name: 'unheard',
      reason:
        'kubelet not checked; node Unknown (the node has no usable address): it is unknown whether the node is alive',
      next: 'kept; if it is dead: kubectl delete node 127.0.0.1',
      isWarning: true,
    });
  });
});
