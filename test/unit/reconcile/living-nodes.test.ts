/**
 * Attempts to have the node of a running kubelet deleted: worlds that lie about identity, found by hand and by random search. In each the kubelet loses
 * the API server and answers at an address that fleet, the node or its annotation names.
 */
import { describe, expect, it } from 'vitest';
import { Cluster, deletesOf, running, verdictOf } from './cluster.ts';
import { ERAS, MINUTE, type NodeTraits } from './world.ts';

const NAT = '10.0.2.15';
const T1 = '10.0.0.1';
const T77 = '10.0.0.77';

/** m1 answers at T77 from now on, where fleet lists it, and no longer reaches the API server. */
function movesCutOff(cluster: Cluster, id = 'm1', name = T1): void {
  cluster.moves(id, T1, T77);
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

describe('the node is kept of a kubelet that cannot reach the API server', () => {
  const named = { nodeName: { kind: 'metadata', key: 'name' } } as const;
  /** Hosts that NODE_NAME gives the names n1, n2, ... */
  const six = (cluster: Cluster, traits: NodeTraits = {}) => {
    for (let last = 1; last <= 6; last += 1) {
      cluster.runs(`m${last}`, `10.0.0.${last}`, { name: `n${last}`, origin: 'named', ...traits });
      cluster.lists(`m${last}`, `10.0.0.${last}`, { name: `n${last}` });
    }
    return cluster;
  };

  it('and answers where it moved to, after fleet announces the address of another interface', async () => {
    const cluster = running(6);
    await cluster.passes(3);
    movesCutOff(cluster);
    await cluster.passFor(20 * MINUTE);
    cluster.lists('m1', '10.1.5.1');
    expect(await deletesOf(cluster)).toEqual([]);
  });

  it('and answers where it moved to, after fleet has lost its machine, where nobody writes conditions', async () => {
    const cluster = six(new Cluster(named), { ready: 'none', machineId: '' });
    cluster.era = ERAS['v0.12'];
    cluster.listsMetadata = false;
    await cluster.passes(3);
    cluster.lists('m1', T77, { name: 'n1' });
    cluster.kubelets.delete(T1);
    cluster.kubelets.set(T77, 'healthy');
    await cluster.passFor(20 * MINUTE);
    cluster.fleet.delete('m1');
    expect(await deletesOf(cluster)).toEqual([]);
  });

  it.each([false, true])('and was given another machine ID than its clone, and then another address', async (adopt) => {
    const cluster = running(6, { policy: { adopt } });
    await cluster.passes(3);
    cluster.lists('m1', T77);
    cluster.kubelets.set(T77, 'healthy');
    cluster.posts('clone', { machineId: 'm1', addresses: [T77] });
    cluster.lists('new', T1);
    cluster.posts(T1, { machineId: 'new' });
    await cluster.passes(2);
    cluster.lists('new', '10.0.0.101');
    cluster.kubelets.delete(T1);
    cluster.kubelets.set('10.0.0.101', 'healthy');
    cluster.goesQuiet(T1);
    expect(await deletesOf(cluster)).toEqual([]);
  });

  it('and answers at the address that is its name alone', async () => {
    const cluster = running(6);
    cluster.lists('m9', '10.0.0.9');
    cluster.kubelets.set('10.0.0.9', 'healthy').set('52.0.0.9', 'healthy');
    cluster.posts('52.0.0.9', { machineId: 'm9', addresses: ['10.0.0.9'] });
    await cluster.passes(5);
    cluster.fleet.delete('m9');
    cluster.kubelets.delete('10.0.0.9');
    cluster.goesQuiet('52.0.0.9');
    expect(await deletesOf(cluster)).toEqual([]);
  });

  it('and never did, and moved before this daemon was started and fleet lost its machine', async () => {
    const before = six(new Cluster(named));
    before.posts('n1', { ready: 'none', machineId: '' });
    await before.passes(3);
    before.lists('m1', T77, { name: 'n1' });
    before.kubelets.delete(T1);
    before.kubelets.set(T77, 'healthy');
    await before.passes(3);
    const after = new Cluster({ ...named, beside: before });
    for (const [id, machine] of before.fleet) if (id !== 'm1') after.fleet.set(id, machine);
    for (const [address, state] of before.kubelets) after.kubelets.set(address, state);
    expect(await deletesOf(after)).toEqual([]);
  });

  it.each([true, false])(
    'and answers at an address that another node reports too (its machine is listed: %s)',
    async (listed) => {
      const cluster = running(6);
      cluster.posts(T1, { addresses: [T1, NAT] });
      cluster.kubelets.set(NAT, 'healthy');
      await cluster.passes(3);
      cluster.posts('10.0.0.2', { addresses: ['10.0.0.2', NAT] });
      await cluster.passFor(10 * MINUTE);
      if (!listed) cluster.fleet.delete('m1');
      cluster.kubelets.delete(T1);
      cluster.goesQuiet(T1);
      expect(await deletesOf(cluster)).toEqual([]);
    },
  );

  it('and whose address the kubelet of another listed machine begins to report', async () => {
    const cluster = running(6);
    await cluster.passes(3);
    cluster.goesQuiet(T1);
    cluster.fleet.delete('m1');
    await cluster.passes(3);
    cluster.runs('m77', T77);
    cluster.posts(T77, { addresses: [T1] });
    expect(await deletesOf(cluster)).toEqual([]);
  });

  it('and shares its address with another host, through an upgrade of the API server', async () => {
    const cluster = running(6);
    cluster.era = ERAS['v0.17'];
    await cluster.passes(3);
    cluster.posts('other', { machineId: 'x', addresses: [T1] });
    await cluster.passFor(10 * MINUTE);
    cluster.fleet.delete('m1');
    cluster.goesQuiet(T1);
    await cluster.passes(3);
    cluster.era = ERAS['v1.0'];
    expect(await deletesOf(cluster)).toEqual([]);
  });
});

describe('the node is kept of a kubelet that cannot reach the API server and answers', () => {
  it('where it did before its port was closed for a time', async () => {
    const cluster = new Cluster();
    for (let last = 1; last <= 6; last += 1)
      cluster.runs(`m${last}`, `10.0.0.${last}`, { name: `host-${last}`, addresses: [NAT] });
    await cluster.passes(3);
    cluster.lists('m1', '10.1.5.1');
    await cluster.passes(3);
    cluster.kubelets.delete(T1);
    await cluster.passFor(12 * MINUTE);
    cluster.kubelets.set(T1, 'healthy');
    await cluster.passes(3);
    cluster.fleet.delete('m1');
    cluster.goesQuiet('host-1');
    expect(await deletesOf(cluster)).toEqual([]);
  });

  it('at one of two addresses that fleet gives its new machine ID', async () => {
    const cluster = running(6, { policy: { adopt: false } });
    await cluster.passes(3);
    cluster.goesQuiet(T1);
    cluster.fleet.delete('m1');
    cluster.lists('new', T1);
    await cluster.passes(3);
    movesCutOff(cluster, 'new');
    cluster.more = [{ ...(cluster.fleet.get('new') ?? expect.fail()), address: '10.0.0.78' }];
    expect(await deletesOf(cluster)).toEqual([]);
  });

  it('while a host with a machine of its own begins to report its machine ID', async () => {
    const cluster = new Cluster();
    for (let last = 1; last <= 8; last += 1) cluster.runs(`m${last}`, `10.0.0.${last}`, { name: `host-${last}` });
    cluster.posts('host-7', { addresses: [] });
    await cluster.passFor(20 * MINUTE);
    cluster.posts('host-7', { machineId: 'm1' });
    await cluster.passes(3);
    cluster.goesQuiet('host-1');
    expect(await deletesOf(cluster)).toEqual([]);
  });
});

describe('the node of a host that is gone for good is deregistered', () => {
  const hostsOf = (machineId: (last: number) => string) => {
    const cluster = new Cluster();
    for (let last = 1; last <= 6; last += 1) {
      cluster.runs(`m${last}`, `10.0.0.${last}`, { name: `host-${last}`, machineId: machineId(last) });
    }
    return cluster;
  };

  it('where all kubelets report the ID of one listed machine', async () => {
    const cluster = hostsOf(() => 'm1');
    await cluster.passFor(20 * MINUTE);
    cluster.dies('m5', 'host-5', '10.0.0.5');
    expect(await deletesOf(cluster)).toEqual(['deregister host-5']);
  });

  it.each(['image', 'own'])('where it had swapped addresses with another host (IDs: %s)', async (id) => {
    const cluster = hostsOf((last) => (id === 'own' ? `m${last}` : id));
    await cluster.passes(3);
    cluster.lists('m1', '10.0.0.2');
    cluster.lists('m2', T1);
    cluster.posts('host-1', { addresses: ['10.0.0.2'] });
    cluster.posts('host-2', { addresses: [T1] });
    await cluster.passFor(20 * MINUTE);
    cluster.dies('m2', 'host-2', T1);
    expect(await deletesOf(cluster)).toEqual(['deregister host-2']);
  });

  it('where a new machine has an address that was its own', async () => {
    const cluster = hostsOf(() => 'image');
    await cluster.passes(3);
    cluster.lists('m1', T77);
    cluster.kubelets.set(T77, 'healthy');
    cluster.posts('host-1', { addresses: [T77] });
    cluster.runs('new', T1, { name: 'host-new', machineId: 'image' });
    await cluster.passFor(20 * MINUTE);
    cluster.dies('m1', 'host-1', T77);
    expect(await deletesOf(cluster)).toEqual(['deregister host-1']);
  });

  it.each([3, 6])('where %d hosts report one address, which another host has', async (count) => {
    const cluster = new Cluster();
    for (let last = 1; last <= count; last += 1) cluster.runs(`m${last}`, `10.0.0.${last}`, { addresses: [NAT] });
    cluster.kubelets.set(NAT, 'healthy');
    await cluster.passFor(20 * MINUTE);
    cluster.dies('m1', T1, T1);
    expect(await deletesOf(cluster)).toEqual([`deregister ${T1}`]);
  });
});

describe('the node of a kubelet that posts less often than the node controller waits is kept', () => {
  /** In each pass the node is Unknown, and its kubelet has posted since the last one. */
  it.each(['is closed', 'closes'])('while its health port %s and fleet does not list its machine', async (port) => {
    const cluster = running(6);
    if (port === 'closes') await cluster.passes(3);
    cluster.kubelets.delete(T1);
    cluster.fleet.delete('m1');
    const writes: string[] = [];
    for (let pass = 0; pass < 60 && cluster.nodes.has(T1); pass += 1) {
      cluster.posts(T1, { ready: 'unknown', heardAt: `2026-01-01T00:${pass}:00Z` });
      writes.push(...(await cluster.passes(1)));
    }
    expect(writes).toEqual([]);
  });

  it('also where it posts during the last check', async () => {
    const cluster = running(6);
    await cluster.passes(3);
    cluster.dies('m1', T1, T1);
    cluster.posts(T1, { ready: 'unknown', heardAt: 'before' });
    cluster.during = (request) => {
      if (request === 'identify') cluster.posts(T1, { ready: 'unknown', heardAt: 'now' });
    };
    expect(await cluster.passFor(20 * MINUTE)).toContain(`deregister ${T1}: refused`);
    expect(cluster.nodes.has(T1)).toBe(true);
  });

  it('and the reason names the two durations to compare', async () => {
    const cluster = running(6);
    await cluster.passes(3);
    cluster.kubelets.delete(T1);
    for (let pass = 0; pass < 3; pass += 1) {
      cluster.posts(T1, { ready: 'unknown', heardAt: `${pass}` });
      await cluster.pass();
    }
    cluster.posts(T1, { heardAt: 'now', ready: 'unknown' });
    expect(verdictOf(await cluster.pass(), T1)).toEqual({
      name: 'keep',
      reason: 'kubelet unreachable; node Unknown between posts of its kubelet (10.0.0.1 silent)',
      next: expect.stringContaining('--node-status-update-frequency with --node-monitor-grace-period'),
      isWarning: true,
    });
  });
});

it('a kubelet whose answers may be those of another host is not called unreachable', async () => {
  const cluster = running(6);
  await cluster.passes(3);
  cluster.posts('other', { machineId: 'x', addresses: [T1] });
  await cluster.passFor(20 * MINUTE);
  expect(verdictOf(await cluster.pass(), T1)).toMatchObject({
    name: 'probe-suspect',
    reason: expect.stringMatching(/^node Ready, but answers may have been those of another host for 20m/),
  });
});
