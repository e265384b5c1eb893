/**
 * Situations that people reported, each with its outcome (shared/CASES.md, section 1, 4.3 and 4.5), and their neighbours. The real reconciler works on a
 * cluster in memory, pass after pass, with an API server that lists metadata only and with one that lists nodes whole.
 */
import { describe, expect, it } from 'vitest';
import { eraOf } from '../../../src/kubernetes/era.ts';
import { MACHINE_ID, MANAGED } from '../../../src/reconcile/evidence/marks.ts';
import {
  Cluster,
  type ClusterOptions,
  deletesIn,
  machineVerdictOf,
  notesOf,
  running,
  verdictOf,
  writesOf,
} from './cluster.ts';
import { ERAS, HOUR, INTERVAL, MINUTE, type NodeTraits } from './world.ts';

const LONG = 1.5 * HOUR;
const ip = (last: number) => `10.0.0.${last}`;

/** m1, m2, ... at 10.0.0.1, ... with kubelets that register themselves under these names and report this id. */
function selfRegistered(
  count: number,
  nameOf: (last: number) => string,
  machineId: string,
  options: ClusterOptions = {},
): Cluster {
  const cluster = new Cluster(options);
  for (let last = 1; last <= count; last++) {
    cluster.lists(`m${last}`, ip(last));
    cluster.kubelets.set(ip(last), 'healthy');
    cluster.posts(nameOf(last), { machineId, addresses: [ip(last)] });
  }
  return cluster;
}

/** The kubelets lose the API server; they run on and answer. */
function loseApiServer(cluster: Cluster, ...names: readonly string[]): void {
  cluster.goesQuiet(...names);
}

const host = (last: number) => `host-${last}`;
const count = (writes: readonly string[], kind: string) => writes.filter((write) => write.startsWith(kind)).length;

describe.each([
  ['metadata', true],
  ['whole nodes', false],
])('with a server that lists %s:', (_, listsMetadata) => {
  const of = (cluster: Cluster) => {
    cluster.listsMetadata = listsMetadata;
    return cluster;
  };

  describe('1.1, 1.2: kubelets in containers report the machine id of their image', () => {
    it.each([
      ['under hostnames', host, 'image'],
      ['under addresses', ip, 'image'],
      ['under hostnames, and no id at all (an old cadvisor)', host, ''],
      ['under addresses, and no id at all', ip, ''],
    ])('%s: each node is adopted by the machine at its address, and none is made', async (_, nameOf, id) => {
      const cluster = of(selfRegistered(6, nameOf, id));
      expect([...(await cluster.passes(1))].sort()).toEqual([1, 2, 3, 4, 5, 6].map((last) => `adopt ${nameOf(last)}`));
      expect(await cluster.passFor(LONG)).toEqual([]);
      expect([1, 2, 3, 4, 5, 6].map((last) => cluster.nodes.get(nameOf(last))?.annotations.get(MACHINE_ID))).toEqual([
        'm1',
        'm2',
        'm3',
        'm4',
        'm5',
        'm6',
      ]);
    });

    it('and the image was made of a host that fleet lists: its node is adopted, and the others wait with a warning that names their nodes', async () => {
      const cluster = of(selfRegistered(4, host, 'm1'));
      expect(await cluster.passFor(HOUR)).toEqual(['adopt host-1']);
      const report = await cluster.pass();
      for (const last of [2, 3, 4]) {
        expect(machineVerdictOf(report, `m${last}`)).toMatchObject({
          name: 'waiting',
          reason: expect.stringContaining(host(last)),
          isWarning: true,
        });
      }
    });
  });

  describe('1.3: nodes adopted by host ids, then the kubelets move into containers and the daemon is restarted', () => {
    it.each([
      ['own names', host, 'own-name'],
      ['names by address', ip, 'named'],
    ] as const)(
      'four of six lose the API server (%s): none is made and none deleted, for each kubelet answers',
      async (_, nameOf, origin) => {
        const cluster = of(new Cluster());
        for (let last = 1; last <= 6; last++)
          cluster.runs(`m${last}`, ip(last), { name: nameOf(last), origin, machineId: 'image' });
        expect(await cluster.passes(3)).toEqual([]);
        loseApiServer(cluster, ...[1, 2, 3, 4].map(nameOf));
        expect(await cluster.passFor(LONG)).toEqual([]);
        const report = await cluster.pass();
        expect([1, 2, 3, 4].map((last) => verdictOf(report, nameOf(last))?.name)).toEqual(Array(4).fill('not-posting'));
      },
    );

    it('the restart comes after they have lost it', async () => {
      const cluster = of(new Cluster());
      for (let last = 1; last <= 6; last++) {
        cluster.runs(`m${last}`, ip(last), {
          name: host(last),
          machineId: 'image',
          ready: last <= 4 ? 'unknown' : 'true',
        });
      }
      expect(await cluster.passFor(LONG)).toEqual([]);
    });

    it('the image’s id is that of one listed host, and a partition cuts five hosts off: the guard holds, for these are not left over', async () => {
      const cluster = of(new Cluster());
      for (let last = 1; last <= 6; last++) cluster.runs(`m${last}`, ip(last), { machineId: 'm1' });
      await cluster.passes(3);
      for (let last = 2; last <= 6; last++) {
        cluster.kubelets.delete(ip(last));
        cluster.goesQuiet(ip(last));
      }
      expect(deletesIn(await cluster.passFor(LONG))).toEqual([]);
    });
  });

  describe('1.4: a node whose host was reinstalled posts Ready=False', () => {
    it.each(['10.0.0.1', 'host-1'])('%s is kept, and gets the mark of the machine that holds it', async (name) => {
      const cluster = of(running(4));
      cluster.nodes.delete(ip(1));
      cluster.runs('m1', ip(1), { name, ...(name === ip(1) ? {} : { origin: 'own-name' }) });
      await cluster.passes(3);
      cluster.fleet.delete('m1');
      cluster.lists('new', ip(1));
      cluster.posts(name, { machineId: 'new', ready: 'false' });
      expect(await cluster.passFor(LONG)).toEqual([`adopt ${name}`]);
      expect(cluster.nodes.get(name)?.annotations.get(MACHINE_ID)).toBe('new');
      expect(verdictOf(await cluster.pass(), name)?.name).toBe('keep');
    });

    it('is kept while fleet does not list it at all, and answers or not', async () => {
      const cluster = of(running(4));
      await cluster.passes(3);
      cluster.fleet.delete('m1');
      cluster.posts(ip(1), { machineId: 'new', ready: 'false' });
      expect(await cluster.passFor(LONG)).toEqual([]);
      cluster.kubelets.delete(ip(1));
      expect(await cluster.passFor(LONG)).toEqual([]);
      expect(verdictOf(await cluster.pass(), ip(1))?.name).toBe('orphan');
    });

    it('is kept on v0.17 as long as its kubelet answers, for there False is no sign', async () => {
      const cluster = of(running(4));
      cluster.era = ERAS['v0.17'];
      cluster.fleet.delete('m1');
      cluster.posts(ip(1), { machineId: 'new', ready: 'false' });
      expect(await cluster.passFor(LONG)).toEqual([]);
    });
  });

  describe('1.5: a node was renamed', () => {
    async function renamed(cordoned: boolean): Promise<Cluster> {
      const cluster = of(running(5));
      cluster.runs('a', '10.1.0.1', { name: 'old' });
      await cluster.passes(3);
      cluster.goesQuiet('old');
      cluster.cordons('old', cordoned);
      cluster.posts('new', { machineId: 'a', addresses: ['10.1.0.1'] });
      expect(await cluster.passes(1)).toEqual(['adopt new']);
      return cluster;
    }

    it('and the old name cordoned: it is left over while the new one posts, and kept by its cordon', async () => {
      const cluster = await renamed(true);
      expect(await cluster.passFor(LONG)).toEqual([]);
      expect(verdictOf(await cluster.pass(), 'old')).toMatchObject({
        name: 'vetoed',
        reason: expect.stringContaining('another node of its machine is reporting'),
      });
    });

    it.each([true, false])(
      'then the new name cannot post, and the kubelet answers (old one cordoned: %s): both are kept',
      async (cordoned) => {
        const cluster = await renamed(cordoned);
        await cluster.passFor(5 * MINUTE);
        loseApiServer(cluster, 'new');
        expect(await cluster.passFor(LONG)).toEqual([]);
        expect(cluster.names).toEqual(expect.arrayContaining(['new', 'old']));
        const report = await cluster.pass();
        expect(machineVerdictOf(report, 'a')).toMatchObject({
          isWarning: true,
          reason: expect.stringContaining('new'),
        });
      },
    );

    it('and the new one posts on: the old one goes after MISSING_GRACE, and the new one stays', async () => {
      const cluster = await renamed(false);
      expect(await cluster.passFor(LONG)).toEqual(['deregister old']);
      expect(cluster.names).toContain('new');
      expect(verdictOf(await cluster.pass(), 'new')?.name).toBe('keep');
    });

    it('and renamed back before the grace is over: each stays as long as it posts, and one is left in the end', async () => {
      const cluster = await renamed(false);
      await cluster.passFor(10 * MINUTE);
      cluster.goesQuiet('new');
      cluster.posts('old', { machineId: 'a', addresses: ['10.1.0.1'] });
      expect(await cluster.passFor(LONG)).toEqual(['deregister new']);
    });
  });

  describe('1.6: fleet’s agent is down on C, and a stale record of another machine has C’s address', () => {
    it.each<[string, (cluster: Cluster) => void]>([
      ['that machine runs elsewhere, and posts', (cluster) => cluster.runs('s', '10.0.0.9')],
      [
        'that machine runs elsewhere under a hostname, and posts',
        (cluster) => cluster.runs('s', '10.0.0.9', { name: 'host-s' }),
      ],
      [
        'that machine runs elsewhere, was renamed, and its old node stands',
        (cluster) => {
          cluster.runs('s', '10.0.0.9', { name: 'host-s' });
          cluster.manages('host-s.old', 's', '10.0.0.9', { machineId: 's', origin: 'own-name', cordoned: true });
        },
      ],
      ['that machine is gone for good', () => {}],
      [
        'that machine is gone, and its node stands',
        (cluster) => cluster.manages('host-s', 's', '10.0.0.9', { machineId: 's', origin: 'own-name' }),
      ],
    ])('C cannot post and answers; %s: C is kept', async (_, add) => {
      const cluster = of(running(8));
      add(cluster);
      await cluster.passes(3);
      cluster.fleet.delete('m3');
      cluster.lists('s', ip(3));
      loseApiServer(cluster, ip(3));
      const writes = await cluster.passFor(LONG);
      expect(writes).not.toContain(`deregister ${ip(3)}`);
      expect(cluster.names).toContain(ip(3));
    });
  });

  describe('1.7: all serving certificates of kubelets expire at once', () => {
    it('while the way to the API server is broken: a handshake that breaks off is an answer, and none is deleted', async () => {
      const cluster = of(running(6));
      await cluster.passes(2);
      for (let last = 1; last <= 6; last++) cluster.kubelets.set(ip(last), 'answers');
      loseApiServer(cluster, ip(1), ip(2));
      expect(await cluster.passFor(LONG)).toEqual([]);
    });
  });

  describe('1.8: a firewall closes the health port, and hours later the way to the API server breaks', () => {
    it('the node is kept, for the silence of a closed port proves nothing', async () => {
      const cluster = of(running(6));
      await cluster.passFor(HOUR);
      cluster.kubelets.delete(ip(1));
      await cluster.passFor(3 * HOUR);
      expect(verdictOf(await cluster.pass(), ip(1))).toMatchObject({ name: 'probe-suspect', isWarning: true });
      loseApiServer(cluster, ip(1));
      expect(await cluster.passFor(LONG)).toEqual([]);
      expect(verdictOf(await cluster.pass(), ip(1))).toMatchObject({ name: 'unheard', isWarning: true });
    });

    it('the same when its metadata was changed in the meantime', async () => {
      const cluster = of(running(6));
      await cluster.passFor(HOUR);
      cluster.kubelets.delete(ip(1));
      await cluster.passFor(HOUR);
      cluster.lists('m1', ip(1), { role: 'etcd' });
      loseApiServer(cluster, ip(1));
      expect(await cluster.passFor(LONG)).toEqual([]);
    });

    it('the same when the daemon is restarted in between', async () => {
      const cluster = of(running(6));
      cluster.kubelets.delete(ip(1));
      loseApiServer(cluster, ip(1));
      expect(await cluster.passFor(LONG)).toEqual([]);
    });
  });

  describe('1.9: a rolling outage takes two of eight nodes at a time, each longer than the grace', () => {
    it('stops after the first that come back', async () => {
      const cluster = of(running(8, { policy: { unhealthyGraceMs: 15 * MINUTE } }));
      await cluster.passes(3);
      const deleted: string[] = [];
      for (const pair of [
        [1, 2],
        [3, 4],
        [5, 6],
        [7, 8],
      ]) {
        for (const last of pair) {
          cluster.kubelets.delete(ip(last));
          cluster.goesQuiet(ip(last));
        }
        deleted.push(...deletesIn(await cluster.passFor(20 * MINUTE)));
        for (const last of pair) {
          cluster.kubelets.set(ip(last), 'healthy');
          cluster.posts(ip(last), { machineId: `m${last}`, addresses: [ip(last)] });
        }
      }
      expect(deleted).toEqual(['deregister 10.0.0.1', 'deregister 10.0.0.2']);
      expect((await cluster.pass()).seen?.plan.hold).toMatchObject({
        kind: 'returned',
        nodes: ['10.0.0.1', '10.0.0.2'],
      });
    });

    it('and fleet loses them too: the same', async () => {
      const cluster = of(running(8));
      await cluster.passes(3);
      const deleted: string[] = [];
      for (const pair of [
        [1, 2],
        [3, 4],
        [5, 6],
        [7, 8],
      ]) {
        for (const last of pair) cluster.dies(`m${last}`, ip(last), ip(last));
        deleted.push(...deletesIn(await cluster.passFor(20 * MINUTE)));
        for (const last of pair) {
          cluster.lists(`m${last}`, ip(last));
          cluster.kubelets.set(ip(last), 'healthy');
          cluster.posts(ip(last), { machineId: `m${last}`, addresses: [ip(last)] });
        }
      }
      expect(deleted).toEqual(['deregister 10.0.0.1', 'deregister 10.0.0.2']);
    });

    it('and the metadata flaps with it: machines that no longer matched come back as what they were not', async () => {
      const cluster = of(running(8));
      await cluster.passes(3);
      for (const last of [1, 2]) {
        cluster.lists(`m${last}`, ip(last), { role: 'etcd' });
        cluster.kubelets.delete(ip(last));
        cluster.goesQuiet(ip(last));
      }
      expect(deletesIn(await cluster.passFor(20 * MINUTE))).toHaveLength(2);
      for (const last of [1, 2]) cluster.kubelets.set(ip(last), 'healthy');
      expect((await cluster.pass()).seen?.plan.hold?.kind).toBe('returned');
    });

    it('but machines that were renamed, and whose left-over nodes went, are not back: they were never away', async () => {
      const cluster = of(running(8));
      await cluster.passes(3);
      for (const last of [1, 2, 3]) {
        cluster.goesQuiet(ip(last));
        cluster.posts(host(last), { machineId: `m${last}`, addresses: [ip(last)] });
      }
      expect(deletesIn(await cluster.passFor(LONG))).toEqual([1, 2, 3].map((last) => `deregister ${ip(last)}`));
      expect((await cluster.pass()).seen?.plan.hold).toBeUndefined();
    });

    it('but machines that are repaired one a day hold nothing', async () => {
      const cluster = of(running(8));
      await cluster.passes(3);
      for (const last of [1, 2, 3]) {
        cluster.dies(`m${last}`, ip(last), ip(last));
        expect(await cluster.passFor(20 * MINUTE)).toEqual([`deregister ${ip(last)}`]);
        cluster.lists(`m${last}`, ip(last));
        cluster.kubelets.set(ip(last), 'healthy');
        expect(await cluster.passFor(3 * HOUR)).toEqual([`register ${ip(last)}`]);
        cluster.posts(ip(last), { machineId: `m${last}` });
      }
    });
  });

  describe('1.10: a machine moves to another address, and its kubelet makes no node of its own', () => {
    it.each(['m1', 'image', ''])(
      'it is registered under its new name, and the old node goes as left-over (it reports %j)',
      async (machineId) => {
        const cluster = of(running(6));
        cluster.posts(ip(1), { machineId });
        await cluster.passes(3);
        cluster.lists('m1', '10.0.0.77');
        cluster.kubelets.delete(ip(1));
        cluster.kubelets.set('10.0.0.77', 'healthy');
        cluster.goesQuiet(ip(1));
        // What a list of metadata does not tell is read again within ten minutes.
        expect(await cluster.passFor(11 * MINUTE)).toEqual(['register 10.0.0.77']);
        cluster.posts('10.0.0.77', { machineId });
        expect(deletesIn(await cluster.passFor(HOUR))).toEqual([`deregister ${ip(1)}`]);
        expect(verdictOf(await cluster.pass(), '10.0.0.77')?.name).toBe('keep');
      },
    );

    it('the new node is never posted to: nothing is deleted, and the new one is a warning after ten minutes', async () => {
      const cluster = of(running(6));
      await cluster.passes(3);
      cluster.lists('m1', '10.0.0.77');
      cluster.kubelets.delete(ip(1));
      cluster.kubelets.set('10.0.0.77', 'healthy');
      cluster.goesQuiet(ip(1));
      expect(await cluster.passFor(LONG)).toEqual(['register 10.0.0.77']);
      expect(verdictOf(await cluster.pass(), '10.0.0.77')).toMatchObject({ name: 'not-posting', isWarning: true });
    });

    it('its kubelet goes on posting under the old name: that is its node, and none is made', async () => {
      const cluster = of(running(6));
      await cluster.passes(3);
      cluster.lists('m1', '10.0.0.77');
      cluster.kubelets.delete(ip(1));
      cluster.kubelets.set('10.0.0.77', 'healthy');
      cluster.posts(ip(1), { addresses: ['10.0.0.77'] });
      expect(await cluster.passFor(LONG)).toEqual([]);
      expect(machineVerdictOf(await cluster.pass(), 'm1')).toMatchObject({ name: 'has-node', node: ip(1) });
    });
  });

  describe('1.11: two machines exchange addresses; their kubelets tell no ids', () => {
    function exchanged(): Cluster {
      const cluster = of(running(6));
      for (let last = 1; last <= 6; last++) cluster.posts(ip(last), { machineId: '' });
      return cluster;
    }

    const swap = (cluster: Cluster) => {
      cluster.lists('m1', ip(2));
      cluster.lists('m2', ip(1));
    };

    it('and each posts under its new address: each has the node that its kubelet keeps', async () => {
      const cluster = exchanged();
      await cluster.passes(3);
      swap(cluster);
      expect([...(await cluster.passFor(LONG))].sort()).toEqual([`adopt ${ip(1)}`, `adopt ${ip(2)}`]);
      const report = await cluster.pass();
      expect([machineVerdictOf(report, 'm1'), machineVerdictOf(report, 'm2')]).toMatchObject([
        { node: ip(2) },
        { node: ip(1) },
      ]);
      expect(cluster.nodes.get(ip(2))?.annotations.get(MACHINE_ID)).toBe('m1');
    });

    it('and each keeps its old name at its new address: each has the node that its kubelet keeps', async () => {
      const cluster = exchanged();
      await cluster.passes(3);
      swap(cluster);
      cluster.posts(ip(1), { addresses: [ip(2)] });
      cluster.posts(ip(2), { addresses: [ip(1)] });
      expect(await cluster.passFor(LONG)).toEqual([]);
      const report = await cluster.pass();
      expect([machineVerdictOf(report, 'm1'), machineVerdictOf(report, 'm2')]).toMatchObject([
        { node: ip(1) },
        { node: ip(2) },
      ]);
    });

    it('and a new machine gets the address of one that moved: both have nodes, and none is deleted that a kubelet keeps', async () => {
      const cluster = exchanged();
      await cluster.passes(3);
      cluster.lists('m1', '10.0.0.77');
      cluster.lists('new', ip(1));
      cluster.kubelets.set('10.0.0.77', 'healthy');
      const writes = await cluster.passes(1);
      expect(writes).toEqual(['register 10.0.0.77']);
      cluster.posts('10.0.0.77', { addresses: ['10.0.0.77'] });
      expect(await cluster.passFor(LONG)).toEqual([`adopt ${ip(1)}`]);
      const report = await cluster.pass();
      expect([machineVerdictOf(report, 'm1'), machineVerdictOf(report, 'new')]).toMatchObject([
        { node: '10.0.0.77' },
        { node: ip(1) },
      ]);
    });

    it('and three go round: the same', async () => {
      const cluster = exchanged();
      await cluster.passes(3);
      for (const last of [1, 2, 3]) cluster.lists(`m${last}`, ip((last % 3) + 1));
      expect([...(await cluster.passFor(LONG))].sort()).toEqual([1, 2, 3].map((last) => `adopt ${ip(last)}`));
    });
  });

  describe('1.12: cloned disks: fleet’s one record alternates between two addresses', () => {
    async function cloned(passes: number) {
      const cluster = of(running(4));
      for (const last of [7, 8]) {
        cluster.kubelets.set(ip(last), 'healthy');
        cluster.posts(ip(last), { machineId: 'c', addresses: [ip(last)] });
      }
      const writes: string[] = [];
      let notes: readonly string[] = [];
      for (let pass = 0; pass < passes; pass++) {
        cluster.lists('c', ip(7 + (pass % 2)));
        const report = await cluster.pass();
        writes.push(...writesOf(report));
        notes = notesOf(report);
      }
      return { cluster, writes, notes };
    }

    it('no writes once each has its mark, and it is said, with the way out', async () => {
      const { writes, notes } = await cloned(200);
      expect([...writes].sort()).toEqual([`adopt ${ip(7)}`, `adopt ${ip(8)}`]);
      expect(notes.join()).toContain(`fleet lists machine c alternately at ${ip(7)} and at ${ip(8)}`);
      expect(notes.join()).toContain('systemd-machine-id-setup');
    });

    it('one of the two loses the API server: it is kept, for its kubelet answers', async () => {
      const { cluster } = await cloned(6);
      loseApiServer(cluster, ip(8));
      for (let pass = 0; pass < 200; pass++) {
        cluster.lists('c', ip(7 + (pass % 2)));
        expect(deletesIn(writesOf(await cluster.pass()))).toEqual([]);
      }
    });

    it('kubelets that make no nodes: not one is registered again and again', async () => {
      const cluster = of(running(4));
      const writes: string[] = [];
      for (const last of [7, 8]) cluster.kubelets.set(ip(last), 'healthy');
      for (let pass = 0; pass < 200; pass++) {
        cluster.lists('c', ip(7 + (pass % 2)));
        writes.push(...writesOf(await cluster.pass()));
      }
      expect(writes.length).toBeLessThanOrEqual(2);
    });
  });

  describe('1.13: fleetd started before the network, and lists its machine at 127.0.0.1', () => {
    it('it is unusable, with the reason, though a kubelet answers beside the daemon', async () => {
      const cluster = of(running(3));
      const problem = '127.0.0.1 is every machine’s own address';
      cluster.fleet.set('l', { id: 'l', address: undefined, problem, metadata: new Map([['role', 'kubernetes']]) });
      cluster.kubelets.set('127.0.0.1', 'healthy');
      expect(await cluster.passFor(HOUR)).toEqual([]);
      expect(machineVerdictOf(await cluster.pass(), 'l')).toMatchObject({
        name: 'unusable',
        reason: problem,
        isWarning: true,
      });
      expect(cluster.requests).not.toContain('probe 127.0.0.1');
    });

    it('a node 127.0.0.1 that an earlier release has made is not believed because of the daemon’s own kubelet', async () => {
      const cluster = of(running(3));
      cluster.manages('127.0.0.1', 'l', '127.0.0.1', { addresses: [] });
      cluster.kubelets.set('127.0.0.1', 'healthy');
      await cluster.passFor(HOUR);
      expect(cluster.requests).not.toContain('probe 127.0.0.1');
      expect(verdictOf(await cluster.pass(), '127.0.0.1')).toMatchObject({ name: 'orphan', isWarning: true });
    });

    it('the machine’s own node, which its kubelet keeps, is not lost when fleet’s record becomes 127.0.0.1', async () => {
      const cluster = of(running(3));
      await cluster.passes(3);
      cluster.fleet.set('m1', {
        id: 'm1',
        address: undefined,
        problem: 'loopback',
        metadata: new Map([['role', 'kubernetes']]),
      });
      loseApiServer(cluster, ip(1));
      expect(await cluster.passFor(LONG)).toEqual([]);
      expect(cluster.names).toContain(ip(1));
    });
  });

  describe('1.14: every kubelet reports 10.0.2.15 besides its own address', () => {
    const NAT = '10.0.2.15';
    function vagrant(machineIdOf: (last: number) => string, options: ClusterOptions = {}): Cluster {
      const cluster = of(new Cluster(options));
      for (let last = 1; last <= 6; last++) {
        cluster.runs(`m${last}`, ip(last), { addresses: [ip(last), NAT], machineId: machineIdOf(last) });
      }
      cluster.kubelets.set(NAT, 'healthy');
      return cluster;
    }

    it.each<[string, (last: number) => string]>([
      ['their host’s', (last) => `m${last}`],
      ['an image’s', () => 'image'],
    ])(
      'one machine is destroyed: its node goes after MISSING_GRACE, for what answers there is another node’s kubelet (ids: %s)',
      async (_, idOf) => {
        const cluster = vagrant(idOf);
        expect(await cluster.passes(3)).toEqual([]);
        cluster.dies('m1', ip(1), ip(1));
        expect(await cluster.passFor(HOUR)).toEqual([`deregister ${ip(1)}`]);
      },
    );

    it('one loses the API server: it answers at its own address, and is kept', async () => {
      const cluster = vagrant(() => 'image');
      await cluster.passes(3);
      loseApiServer(cluster, ip(1));
      expect(await cluster.passFor(LONG)).toEqual([]);
    });

    it('all lose the API server: nobody is reporting, each answer is everybody’s, and none goes', async () => {
      const cluster = vagrant((last) => `m${last}`, { policy: { maxDeregisterPercent: 100 } });
      await cluster.passes(3);
      for (let last = 1; last <= 6; last++) loseApiServer(cluster, ip(last));
      expect(await cluster.passFor(LONG)).toEqual([]);
    });

    it('the kubelets report it alone, and fleet has the true addresses: nodes are told apart by id and name, and a dead one goes', async () => {
      const cluster = of(new Cluster());
      for (let last = 1; last <= 6; last++) cluster.runs(`m${last}`, ip(last), { addresses: [NAT] });
      cluster.kubelets.set(NAT, 'healthy');
      expect(await cluster.passes(3)).toEqual([]);
      cluster.dies('m1', ip(1), ip(1));
      expect(await cluster.passFor(HOUR)).toEqual([`deregister ${ip(1)}`]);
    });

    it('the kubelets report it alone, a machine moves, and then its fleet agent and its way to the API server die: it answers where fleet had it last', async () => {
      const cluster = of(new Cluster());
      for (let last = 1; last <= 6; last++) cluster.runs(`m${last}`, ip(last), { addresses: [NAT] });
      cluster.kubelets.set(NAT, 'healthy');
      await cluster.passes(3);
      cluster.lists('m1', '10.0.0.77');
      cluster.kubelets.delete(ip(1));
      cluster.kubelets.set('10.0.0.77', 'healthy');
      await cluster.passFor(20 * MINUTE);
      cluster.fleet.delete('m1');
      loseApiServer(cluster, ip(1));
      expect(deletesIn(await cluster.passFor(LONG))).toEqual([]);
    });

    it('fleet too gives it to all: none is registered, each is in conflict, and no node is lost', async () => {
      const cluster = of(new Cluster());
      for (let last = 1; last <= 3; last++) {
        cluster.runs(`m${last}`, NAT, { name: host(last) });
      }
      expect(await cluster.passFor(LONG)).toEqual([]);
      loseApiServer(cluster, host(1));
      expect(await cluster.passFor(LONG)).toEqual([]);
    });
  });

  describe('1.15: two kubelets call themselves localhost', () => {
    it.each<[string, (last: number) => string]>([
      ['their host’s', (last) => `m${last}`],
      ['an image’s', () => 'image'],
    ])('it is said, with the way out, and what is made stops (ids: %s)', async (_, idOf) => {
      const cluster = of(running(4));
      for (const last of [7, 8]) {
        cluster.lists(`m${last}`, ip(last));
        cluster.kubelets.set(ip(last), 'healthy');
      }
      const notes = new Set<string>();
      const writes: string[] = [];
      let chance = 1;
      for (let pass = 0; pass < 480; pass++) {
        // Both post all the time; a pass sees the one or the other.
        chance = (chance * 1_103_515_245 + 12_345) % 2 ** 31;
        const last = 7 + (chance > 2 ** 30 ? 1 : 0);
        cluster.posts('localhost', { machineId: idOf(last), addresses: [ip(last)] });
        const report = await cluster.pass();
        writes.push(...writesOf(report));
        for (const note of notesOf(report)) notes.add(note);
      }
      expect([...notes].join()).toContain('two kubelets alternately post the status of node localhost');
      expect([...notes].join()).toContain('--hostname-override');
      expect(writes.length).toBeLessThanOrEqual(8);
      expect(cluster.names).toContain('localhost');
    });
  });

  describe('1.16: a node with a finalizer that nobody removes', () => {
    async function leaving() {
      const cluster = of(running(8));
      await cluster.passes(3);
      cluster.finalizers.set(ip(1), ['example.com/cleanup']);
      for (const last of [1, 2]) cluster.dies(`m${last}`, ip(last), ip(last));
      return { cluster, writes: await cluster.passFor(HOUR) };
    }

    it('one DELETE, then `leaving` with its finalizers; and the next in the queue has its turn', async () => {
      const { cluster, writes } = await leaving();
      expect(writes).toEqual([`deregister ${ip(1)}`, `deregister ${ip(2)}`]);
      expect(verdictOf(await cluster.pass(), ip(1))).toMatchObject({
        name: 'leaving',
        reason: expect.stringContaining('example.com/cleanup'),
        isWarning: true,
      });
    });

    it('and the machine comes back: it waits, with the command, and is registered once the node is gone', async () => {
      const { cluster } = await leaving();
      cluster.lists('m1', ip(1));
      cluster.kubelets.set(ip(1), 'healthy');
      expect(await cluster.passes(5)).toEqual([]);
      expect(machineVerdictOf(await cluster.pass(), 'm1')).toMatchObject({
        name: 'waiting',
        next: expect.stringContaining(`kubectl get node ${ip(1)}`),
        isWarning: true,
      });
      cluster.nodes.delete(ip(1));
      expect(await cluster.passes(1)).toEqual([`register ${ip(1)}`]);
    });

    it('and somebody else deletes a living one: it is not written on, and not made anew before it is gone', async () => {
      const cluster = of(running(3));
      await cluster.passes(3);
      cluster.has(ip(1), { mark: 'm1', ready: 'true', machineId: 'm1', addresses: [ip(1)], leaving: ['x'] });
      expect(await cluster.passFor(HOUR)).toEqual([]);
    });
  });

  describe('1.17: a cloud controller deletes every node that it does not know', () => {
    const withController = (cluster: Cluster) => async () => {
      const report = await cluster.pass();
      cluster.nodes.delete(ip(1));
      return report;
    };

    it('it is registered again at once, then after 1, 2, 4 ... 60 minutes, with a warning that says what is undone, how often and by whom', async () => {
      const cluster = of(new Cluster());
      cluster.lists('m1', ip(1));
      cluster.kubelets.set(ip(1), 'healthy');
      const pass = withController(cluster);
      const at: number[] = [];
      for (let ms = 0; ms <= 6 * HOUR; ms += INTERVAL) {
        if (writesOf(await pass()).length > 0) at.push(ms / MINUTE);
      }
      expect(at).toEqual([0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5, 123.5, 183.5, 243.5, 303.5]);
      const report = await pass();
      expect(machineVerdictOf(report, 'm1')).toMatchObject({
        name: 'undone',
        isWarning: true,
        next: expect.stringContaining('cloud controller'),
      });
      expect(notesOf(report).join()).toContain(`something else deleted node ${ip(1)} 12 times`);
    });

    it('and stops: the machine has its node, and after an hour nothing is remembered', async () => {
      const cluster = of(new Cluster());
      cluster.lists('m1', ip(1));
      cluster.kubelets.set(ip(1), 'healthy');
      const pass = withController(cluster);
      for (let each = 0; each < 20; each++) await pass();
      expect(await cluster.passFor(20 * MINUTE)).toEqual([`register ${ip(1)}`]);
      expect(await cluster.passFor(HOUR + MINUTE)).toEqual([]);
      cluster.nodes.delete(ip(1));
      expect(await cluster.passes(1)).toEqual([`register ${ip(1)}`]);
    });

    it('a kubelet makes its node itself each time: it is adopted each time, and nothing is registered', async () => {
      const cluster = of(running(3));
      await cluster.passes(3);
      cluster.nodes.delete(ip(1));
      cluster.posts(ip(1), { machineId: 'm1', addresses: [ip(1)] });
      expect(await cluster.passes(3)).toEqual([`adopt ${ip(1)}`]);
    });

    it('a node that the other copy of this daemon rightly deleted is none of these', async () => {
      const one = of(running(5));
      const two = of(new Cluster({ beside: one }));
      for (let last = 1; last <= 5; last++) {
        two.lists(`m${last}`, ip(last));
        two.kubelets.set(ip(last), 'healthy');
      }
      one.nodes.delete(ip(1));
      await one.passes(1);
      await two.passes(1);
      one.posts(ip(1), { machineId: 'm1' });
      await one.passes(1);
      for (const copy of [one, two]) copy.dies('m1', ip(1), ip(1));
      await two.passes(2);
      const writes: string[] = [];
      for (let pass = 0; pass < 60; pass++) {
        writes.push(...(await two.passes(1)), ...(await one.passes(1)));
      }
      expect(deletesIn(writes)).toEqual([`deregister ${ip(1)}`]);
      one.lists('m1', ip(1));
      one.kubelets.set(ip(1), 'healthy');
      const report = await one.pass();
      expect(writesOf(report)).toEqual([`register ${ip(1)}`]);
      expect(notesOf(report)).toEqual([]);
    });
  });

  describe('1.18: a label policy takes our label away', () => {
    const strip = (cluster: Cluster, key: string) => cluster.changes(ip(1), { labels: new Map([[key, null]]) });

    it('it is written again at once, then after 1, 2, 4 ... minutes, with a warning', async () => {
      const cluster = of(running(2));
      await cluster.passes(2);
      const at: number[] = [];
      for (let ms = 0; ms <= 2 * HOUR; ms += INTERVAL) {
        strip(cluster, MANAGED);
        if (writesOf(await cluster.pass()).length > 0) at.push(ms / MINUTE);
      }
      expect(at).toEqual([0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 63.5]);
      strip(cluster, MANAGED);
      expect(notesOf(await cluster.pass()).join()).toContain(
        `something else changed ${MANAGED} of node ${ip(1)} 8 times`,
      );
    });

    it('two policies take one label each, in turns: that backs off too', async () => {
      const cluster = of(new Cluster({ policy: { nodeLabels: ['rack'] } }));
      cluster.runs('m1', ip(1));
      cluster.lists('m1', ip(1), { rack: 'r1' });
      await cluster.passes(2);
      let writes = 0;
      for (let pass = 0; pass < 240; pass++) {
        strip(cluster, pass % 2 === 0 ? MANAGED : 'rack');
        writes += writesOf(await cluster.pass()).length;
      }
      expect(writes).toBeLessThan(24);
    });

    it('somebody takes our mark away in every pass: it is adopted ever more seldom', async () => {
      const cluster = of(running(2));
      await cluster.passes(2);
      let writes = 0;
      for (let pass = 0; pass < 240; pass++) {
        cluster.changes(ip(1), { annotations: new Map([[MACHINE_ID, null]]) });
        writes += writesOf(await cluster.pass()).length;
      }
      expect(writes).toBeLessThan(12);
    });
  });

  describe('1.19: two API servers of different patch releases behind one balancer', () => {
    it('are one server: a dead node goes after its grace', async () => {
      const cluster = of(running(6));
      await cluster.passes(3);
      cluster.dies('m1', ip(1), ip(1));
      const writes: string[] = [];
      for (let pass = 0; pass < 60; pass++) {
        cluster.era = eraOf({ version: pass % 2 === 0 ? 'v1.20.2' : 'v1.20.15', apiVersion: 'v1' });
        writes.push(...(await cluster.passes(1)));
      }
      expect(writes).toEqual([`deregister ${ip(1)}`]);
    });

    it('and during an upgrade over a boundary (v0.17 and v1.0) nothing is deleted in haste', async () => {
      const cluster = of(running(6));
      cluster.posts(ip(1), { ready: 'false' });
      cluster.fleet.delete('m1');
      cluster.kubelets.delete(ip(1));
      for (let pass = 0; pass < 240; pass++) {
        cluster.era = ERAS[pass % 2 === 0 ? 'v0.17' : 'v1.0'];
        expect(deletesIn(await cluster.passes(1))).toEqual([]);
      }
    });
  });

  describe('1.20: the daemon is stopped between its last check and the delete', () => {
    async function onTheBrink() {
      const cluster = of(running(6));
      await cluster.passes(3);
      cluster.dies('m1', ip(1), ip(1));
      expect(await cluster.passFor(15 * MINUTE)).toEqual([]);
      return cluster;
    }

    it.each(['identify', `probe ${ip(1)}`, `read ${ip(1)}`])(
      'while it asks (%s), and the monotonic clock stands: nothing is sent, for the node may be back',
      async (stoppedAt) => {
        const cluster = await onTheBrink();
        let isChecking = false;
        cluster.during = (request) => {
          isChecking ||= request === 'identify';
          if (!isChecking || request !== stoppedAt) return;
          cluster.during = () => {};
          cluster.clock.jump(10 * MINUTE);
        };
        expect(await cluster.passes(1)).toEqual([`deregister ${ip(1)}: failed`]);
        expect(cluster.requests.filter((request) => request.startsWith('remove'))).toEqual([]);
        cluster.posts(ip(1), {});
        expect(await cluster.passFor(HOUR)).toEqual([]);
      },
    );

    it('and the check finds its kubelet alive, which is silent again in the next pass: it has its whole grace', async () => {
      const cluster = await onTheBrink();
      cluster.during = (request) => {
        if (request === 'identify') cluster.kubelets.set(ip(1), 'healthy');
      };
      expect(await cluster.passes(1)).toEqual([`deregister ${ip(1)}: refused`]);
      cluster.during = () => {};
      cluster.kubelets.delete(ip(1));
      expect(await cluster.passFor(15 * MINUTE)).toEqual([]);
      expect(await cluster.passes(1)).toEqual([`deregister ${ip(1)}`]);
    });

    it('and it is not stopped: it goes', async () => {
      expect(await (await onTheBrink()).passes(1)).toEqual([`deregister ${ip(1)}`]);
    });
  });

  describe('1.21: a host booted by PXE has a new machine id at its old address', () => {
    const PXE: NodeTraits & { name: string } = { name: 'pxe-1', origin: 'own-name' };

    async function rebooted(machineId = 'm1') {
      const cluster = of(running(6));
      cluster.nodes.delete(ip(1));
      cluster.runs('m1', ip(1), { ...PXE, machineId });
      await cluster.passes(3);
      cluster.fleet.delete('m1');
      cluster.lists('fresh', ip(1));
      cluster.goesQuiet('pxe-1');
      return cluster;
    }

    it('its kubelet has not posted yet: no second node is made, the machine waits with the node’s name', async () => {
      const cluster = await rebooted();
      expect(await cluster.passFor(LONG)).toEqual([]);
      expect(machineVerdictOf(await cluster.pass(), 'fresh')).toMatchObject({
        name: 'waiting',
        reason: expect.stringContaining('pxe-1'),
        isWarning: true,
      });
      expect(cluster.names).toContain('pxe-1');
    });

    it('it posts: the node is its own, and gets its mark after three passes', async () => {
      const cluster = await rebooted();
      await cluster.passFor(5 * MINUTE);
      cluster.posts('pxe-1', { machineId: 'fresh' });
      expect(await cluster.passes(2)).toEqual([]);
      expect(await cluster.passFor(HOUR)).toEqual(['adopt pxe-1']);
      expect(cluster.nodes.get('pxe-1')?.annotations.get(MACHINE_ID)).toBe('fresh');
    });

    it('the same with names by address: the name goes with the address, and the node with the name', async () => {
      const cluster = of(running(6));
      await cluster.passes(3);
      cluster.fleet.delete('m1');
      cluster.lists('fresh', ip(1));
      loseApiServer(cluster, ip(1));
      expect(await cluster.passFor(LONG)).toEqual([`adopt ${ip(1)}`]);
      expect(cluster.names).toContain(ip(1));
    });

    it('the host is really gone and another one has its address: the old node goes, and the new one is registered', async () => {
      const cluster = await rebooted();
      cluster.posts('other', { machineId: 'fresh', addresses: [ip(1)] });
      expect(await cluster.passFor(LONG)).toEqual(['adopt other', 'deregister pxe-1']);
    });

    it('all hosts are booted at once', async () => {
      const cluster = of(new Cluster());
      for (let last = 1; last <= 6; last++) cluster.runs(`m${last}`, ip(last), { name: `pxe-${last}` });
      await cluster.passes(3);
      for (let last = 1; last <= 6; last++) {
        cluster.fleet.delete(`m${last}`);
        cluster.lists(`fresh${last}`, ip(last));
        cluster.goesQuiet(`pxe-${last}`);
      }
      expect(await cluster.passFor(HOUR)).toEqual([]);
      for (let last = 1; last <= 6; last++) cluster.posts(`pxe-${last}`, { machineId: `fresh${last}` });
      expect(count(await cluster.passFor(HOUR), 'adopt')).toBe(6);
      expect(cluster.names).toHaveLength(6);
    });
  });

  describe('1.22: two changes that nothing noticed', () => {
    it('the guard’s percentage is not rounded: 11 of 32 are 34.375 %, above 34', async () => {
      const cluster = of(running(32));
      await cluster.passes(2);
      for (let last = 1; last <= 11; last++) cluster.dies(`m${last}`, ip(last), ip(last));
      expect(await cluster.passFor(HOUR)).toEqual([]);
      expect((await cluster.pass()).seen?.plan.hold).toMatchObject({ gone: 11, managed: 32 });
    });

    it('the last check asks every address: a kubelet that answers at the second one by then keeps its node', async () => {
      const cluster = of(running(6));
      cluster.posts(ip(1), { addresses: [ip(1), '10.5.0.1', '10.5.0.2'] });
      await cluster.passes(2);
      cluster.fleet.delete('m1');
      cluster.kubelets.delete(ip(1));
      cluster.goesQuiet(ip(1));
      expect(await cluster.passFor(15 * MINUTE)).toEqual([]);
      cluster.during = (request) => {
        if (request === 'identify') cluster.kubelets.set('10.5.0.2', 'healthy');
      };
      expect(await cluster.passes(1)).toEqual([`deregister ${ip(1)}: refused`]);
    });
  });

  describe('4.3: a status of a shape that nobody knows', () => {
    it.each<[string, NodeTraits]>([
      ['conditions', { ready: 'unreadable' }],
      ['spec.unschedulable', { cordoned: 'cannot tell' }],
    ])('%s: nothing is done to a node whose machine is gone and whose kubelet is silent', async (_, traits) => {
      const cluster = of(running(6));
      cluster.manages('10.0.0.7', 'm7', '10.0.0.7', traits);
      expect(await cluster.passFor(LONG)).toEqual([]);
      expect(cluster.names).toContain('10.0.0.7');
    });
  });

  describe('4.5: two fleets on one API server', () => {
    function twoFleets(): [Cluster, Cluster] {
      const east = of(new Cluster({ policy: { ownerId: 'east' } }));
      const west = of(new Cluster({ policy: { ownerId: 'west' }, beside: east }));
      for (const [cluster, net] of [
        [east, '10.1.0'],
        [west, '10.2.0'],
      ] as const) {
        for (let last = 1; last <= 3; last++) {
          cluster.lists(`${net}-${last}`, `${net}.${last}`);
          cluster.kubelets.set(`${net}.${last}`, 'healthy');
        }
      }
      return [east, west];
    }

    it('each registers its own, and neither deletes or writes on the other’s, for ever', async () => {
      const [east, west] = twoFleets();
      expect([count(await east.passes(1), 'register'), count(await west.passes(1), 'register')]).toEqual([3, 3]);
      for (let pass = 0; pass < 240; pass++) {
        expect([...(await east.passes(1)), ...(await west.passes(1))]).toEqual([]);
      }
      expect(verdictOf(await east.pass(), '10.2.0.1')).toMatchObject({
        name: 'foreign',
        reason: expect.stringContaining('west'),
      });
    });

    it('each deregisters its own dead, and the other’s dead are none of its business', async () => {
      const [east, west] = twoFleets();
      await east.passes(1);
      await west.passes(1);
      for (const name of east.names) east.posts(name, { addresses: [name] });
      await east.passes(1);
      await west.passes(1);
      west.dies('10.2.0-1', '10.2.0.1', '10.2.0.1');
      const writes: string[] = [];
      for (let pass = 0; pass < 60; pass++) writes.push(...(await east.passes(1)));
      expect(writes).toEqual([]);
      expect(await west.passFor(HOUR)).toEqual(['deregister 10.2.0.1']);
    });

    it('a machine that both fleets list has one node, of whoever was first', async () => {
      const [east, west] = twoFleets();
      for (const cluster of [east, west]) {
        cluster.lists('both', '10.3.0.1');
        cluster.kubelets.set('10.3.0.1', 'healthy');
      }
      await east.passes(1);
      await west.passes(1);
      east.posts('10.3.0.1', { addresses: ['10.3.0.1'], machineId: 'both' });
      for (let pass = 0; pass < 40; pass++) {
        expect([...(await east.passes(1)), ...(await west.passes(1))]).toEqual([]);
      }
    });
  });

  describe('two copies of this daemon', () => {
    it('agree: a dead node is deleted once, a new machine registered once, and then nothing is written', async () => {
      const one = of(running(6));
      const two = of(new Cluster({ beside: one }));
      for (let last = 1; last <= 6; last++) {
        two.lists(`m${last}`, ip(last));
        two.kubelets.set(ip(last), 'healthy');
      }
      for (const copy of [one, two]) {
        copy.dies('m1', ip(1), ip(1));
        copy.lists('m7', ip(7));
        copy.kubelets.set(ip(7), 'healthy');
      }
      const writes: string[] = [];
      for (let pass = 0; pass < 60; pass++) writes.push(...(await one.passes(1)), ...(await two.passes(1)));
      expect(writes).toEqual([`register ${ip(7)}`, `deregister ${ip(1)}`]);
    });
  });
});
