/**
 * Attempts to have the node of a running kubelet deleted: worlds that lie about identity, found by hand and by random search. In each the kubelet loses
 * the API server and answers at an address that fleet, the node or its annotation names.
 */
import { describe, expect, it } from 'vitest';
import { type Cluster, running } from './cluster.ts';
import { HOUR, MINUTE } from './world.ts';

const NAT = '10.0.2.15';
const T1 = '10.0.0.1';
const T77 = '10.0.0.77';

const deletesOf = async (cluster: Cluster) => {
  const writes = await cluster.passFor(1.5 * HOUR);
  return writes.filter((write) => write.startsWith('deregister'));
};

/** m1 answers at T77 from now on, where fleet lists it, and no longer reaches the API server. */
function movesCutOff(cluster: Cluster, id = 'm1', name = T1): void {
  cluster.lists(id, T77);
  cluster.kubelets.delete(T1);
  cluster.kubelets.set(T77, 'healthy');
  cluster.goesQuiet(name);
}

function behindNat(): Cluster {
  const cluster = running(6);
  for (let last = 1; last <= 6; last += 1) cluster.posts(`10.0.0.${last}`, { addresses: [NAT] });
  return cluster;
}

describe.each([
  ['metadata', true],
  ['whole nodes', false],
])('with a server that lists %s, the node is kept of a kubelet', (_, listsMetadata) => {
  const of = (cluster: Cluster) => {
    cluster.listsMetadata = listsMetadata;
    return cluster;
  };

  it.each(['image', '', 'm1'])(
    'that moved while a machine without a kubelet got its old address (it reports ID %j)',
    async (id) => {
      const cluster = of(running(6));
      cluster.posts(T1, { machineId: id });
      await cluster.passes(3);
      cluster.lists('new', T1);
      movesCutOff(cluster);
      expect(await deletesOf(cluster)).toEqual([]);
    },
  );

  it('whose host got another machine ID after it moved', async () => {
    const cluster = of(running(6));
    await cluster.passes(3);
    movesCutOff(cluster);
    await cluster.passFor(20 * MINUTE);
    cluster.fleet.delete('m1');
    cluster.lists('new', T77);
    expect(await deletesOf(cluster)).toEqual([]);
  });

  it('whose host fleet lists at two addresses', async () => {
    const cluster = of(running(6));
    const m1 = cluster.fleet.get('m1') ?? expect.fail();
    await cluster.passes(3);
    cluster.more = [{ ...m1, address: '10.0.0.78' }];
    await cluster.passes(3);
    movesCutOff(cluster);
    expect(await deletesOf(cluster)).toEqual([]);
  });

  it.each([
    ['', ''],
    ['image', 'image'],
    ['m1', ''],
    ['m1', 'm1'],
    ['m1', 'other'],
  ])(
    'whose address a host outside of fleet has too, which reports to the same API server (IDs %j and %j)',
    async (id, other) => {
      const cluster = of(running(6));
      cluster.posts(T1, { machineId: id });
      await cluster.passes(3);
      cluster.posts('site-b', { machineId: other, addresses: [T1] });
      await cluster.passFor(30 * MINUTE);
      cluster.goesQuiet(T1);
      expect(await deletesOf(cluster)).toEqual([]);
    },
  );

  it.each([
    ['report one address behind NAT', [NAT]],
    ['report no address', []],
  ])('whose clone fleet does not list, where all kubelets %s', async (_what, addresses) => {
    const cluster = of(behindNat());
    for (let last = 1; last <= 6; last += 1) cluster.posts(`10.0.0.${last}`, { addresses });
    await cluster.passes(3);
    cluster.posts('clone', { machineId: 'm1', addresses });
    await cluster.passFor(20 * MINUTE);
    cluster.goesQuiet(T1);
    expect(await deletesOf(cluster)).toEqual([]);
  });

  it('that shares its private address with another host, and whose public one a firewall closes', async () => {
    const cluster = of(running(6));
    for (const [id, address] of [
      ['a', '52.0.0.1'],
      ['b', '52.0.0.2'],
    ] as const) {
      cluster.runs(id, address, { name: `host-${id}`, addresses: ['172.16.0.5'] });
      cluster.kubelets.delete(address);
    }
    cluster.kubelets.set('172.16.0.5', 'healthy');
    await cluster.passFor(30 * MINUTE);
    cluster.fleet.delete('a');
    cluster.goesQuiet('host-a');
    expect(await deletesOf(cluster)).toEqual([]);
  });

  it('whose address fleet gives to another machine by an old record, behind NAT', async () => {
    const cluster = of(behindNat());
    await cluster.passFor(20 * MINUTE);
    cluster.lists('m2', T1);
    cluster.fleet.delete('m1');
    cluster.goesQuiet(T1);
    expect(await deletesOf(cluster)).toEqual([]);
  });
});
