/** Which nodes are read whole where the API server lists metadata only, and where each kubelet is asked. */
import { describe, expect, it } from 'vitest';
import { type Cluster, running, verdictOf } from '../cluster.ts';
import { HOUR, INTERVAL, MINUTE } from '../world.ts';

/** The requests of a pass of that kind, sorted. */
async function asked(cluster: Cluster, kind: 'read' | 'probe' | 'list'): Promise<readonly string[]> {
  await cluster.pass();
  return cluster.requests.filter((request) => request.startsWith(kind)).sort();
}

const A = '10.0.0.1';
const all = [1, 2, 3].map((last) => `read 10.0.0.${last}`);

describe('a node is read whole', () => {
  it('when its uid is new, and then not again while its kubelet answers and posts', async () => {
    const cluster = running(3);
    expect(await asked(cluster, 'read')).toEqual(all);
    expect(await asked(cluster, 'read')).toEqual([]);
    cluster.nodes.delete(A);
    cluster.manages(A, 'm1', A, { machineId: 'm1', ready: 'true' });
    expect(await asked(cluster, 'read')).toEqual([`read ${A}`]);
    expect(await asked(cluster, 'read')).toEqual([]);
  });

  it('once in ten minutes at the least', async () => {
    const cluster = running(3);
    await cluster.pass();
    const reads: string[] = [];
    for (let ms = INTERVAL; ms < 10 * MINUTE; ms += INTERVAL) reads.push(...(await asked(cluster, 'read')));
    expect(reads).toEqual([]);
    expect(await asked(cluster, 'read')).toEqual(all);
  });

  it('in each pass in which its kubelet is silent', async () => {
    const cluster = running(3);
    await cluster.pass();
    cluster.kubelets.delete(A);
    for (let pass = 0; pass < 3; pass++) expect(await asked(cluster, 'read')).toEqual([`read ${A}`]);
  });

  it('in each pass in which it was not reporting the last time', async () => {
    const cluster = running(3);
    cluster.goesQuiet(A);
    await cluster.pass();
    expect(await asked(cluster, 'read')).toEqual([`read ${A}`]);
    cluster.posts(A, {});
    expect(await asked(cluster, 'read')).toEqual([`read ${A}`]);
    expect(await asked(cluster, 'read')).toEqual([]);
  });

  it('in each pass for ten minutes after its identity changed: a second kubelet may report under its name', async () => {
    const cluster = running(3);
    cluster.has('localhost', { ready: 'true', machineId: 'image', addresses: ['10.0.0.8'] });
    await cluster.passFor(HOUR);
    cluster.posts('localhost', { addresses: ['10.0.0.9'] });
    await cluster.passFor(5 * MINUTE);
    for (let pass = 0; pass < 3; pass++) expect(await asked(cluster, 'read')).toEqual(['read localhost']);
    await cluster.passFor(10 * MINUTE);
    expect(await asked(cluster, 'read')).toEqual([]);
  });

  it('in each pass in which two claims meet at a machine, be it reporting and nobody’s', async () => {
    const cluster = running(3);
    cluster.has('host-1', { ready: 'true', machineId: 'm1', addresses: [A] });
    await cluster.pass();
    for (let pass = 0; pass < 3; pass++) expect(await asked(cluster, 'read')).toEqual([`read ${A}`, 'read host-1']);
  });

  it('before anything is written on it', async () => {
    const cluster = running(3);
    await cluster.passes(2);
    cluster.changes(A, { labels: new Map([['kube-register.io/managed', null]]) });
    await cluster.pass();
    const [read, update] = [`read ${A}`, `update ${A}`].map((request) => cluster.requests.indexOf(request));
    expect(read).toBeGreaterThanOrEqual(0);
    expect(update).toBeGreaterThan(read ?? Number.NaN);
  });

  it('before a delete, and that twice: for the plan, and for the last check', async () => {
    const cluster = running(6);
    await cluster.pass();
    cluster.dies('m1', A, A);
    await cluster.passFor(15 * MINUTE);
    expect(await asked(cluster, 'read')).toEqual([`read ${A}`, `read ${A}`]);
    expect(cluster.names).not.toContain(A);
  });

  it('with all others in one list when there are more than a hundred', async () => {
    for (const [count, lists] of [
      [100, ['list']],
      [101, ['list', 'list whole']],
    ] as const) {
      const cluster = running(count);
      expect(await asked(cluster, 'list')).toEqual(lists);
      expect(cluster.requests.filter((request) => request.startsWith('read'))).toHaveLength(count > 100 ? 0 : count);
    }
  });

  it('and a node that is gone by then is no node of the pass', async () => {
    const cluster = running(3);
    cluster.during = (request) => {
      if (request === `read ${A}`) cluster.nodes.delete(A);
    };
    const report = await cluster.pass();
    expect(verdictOf(report, A)).toBeUndefined();
  });
});

describe('before a machine is registered', () => {
  it('the nodes are listed again, for its kubelet may have made its node since', async () => {
    const cluster = running(3);
    await cluster.pass();
    cluster.lists('new', '10.0.0.9');
    cluster.kubelets.set('10.0.0.9', 'healthy');
    let lists = 0;
    cluster.during = (request) => {
      if (request === 'list' && ++lists === 2) cluster.posts('host-9', { machineId: 'new', addresses: ['10.0.0.9'] });
    };
    expect(await cluster.passes(1)).toEqual(['adopt host-9']);
    expect(lists).toBe(2);
  });

  it('every unpaired node is read again, for one of them may be its own by now', async () => {
    const cluster = running(3);
    cluster.has('by-hand', { ready: 'true', machineId: 'z', addresses: ['10.5.0.1'] });
    await cluster.passes(2);
    cluster.lists('new', '10.0.0.9');
    cluster.kubelets.set('10.0.0.9', 'healthy');
    cluster.posts('by-hand', { machineId: 'new', addresses: ['10.0.0.9'] });
    expect(await cluster.passes(1)).toEqual(['adopt by-hand']);
  });
});

describe('the kubelet of a node is asked', () => {
  it('at its likeliest address, and at the others where nothing of its own answers there', async () => {
    const cluster = running(3);
    cluster.posts(A, { addresses: [A, '10.5.0.1', '10.5.0.2'] });
    expect(await asked(cluster, 'probe')).toEqual(['probe 10.0.0.1', 'probe 10.0.0.2', 'probe 10.0.0.3']);
    cluster.kubelets.delete(A);
    expect(await asked(cluster, 'probe')).toEqual([
      'probe 10.0.0.1',
      'probe 10.0.0.2',
      'probe 10.0.0.3',
      'probe 10.5.0.1',
      'probe 10.5.0.2',
    ]);
  });

  it('at an address that it reports by now, which an earlier pass did not read', async () => {
    const cluster = running(3);
    await cluster.pass();
    cluster.fleet.delete('m1');
    cluster.kubelets.delete(A);
    cluster.posts(A, { ready: 'unknown', addresses: ['10.5.0.1'] });
    cluster.kubelets.set('10.5.0.1', 'healthy');
    expect(await cluster.passFor(HOUR)).toEqual([]);
    expect(verdictOf(await cluster.pass(), A)?.name).toBe('orphan');
  });

  it('never, where it is neither managed nor a machine’s', async () => {
    const cluster = running(1);
    cluster.has('by-hand', { addresses: ['10.5.0.1'] });
    cluster.has('theirs', { mark: 'z', owner: 'west', addresses: ['10.5.0.2'] });
    expect(await asked(cluster, 'probe')).toEqual([`probe ${A}`]);
  });
});
