/** How actions are carried out: what counts as done, and what a write does that meets another one. */
import { describe, expect, it } from 'vitest';
import { type Cluster, notesOf, running, writesOf } from '../cluster.ts';

describe('a registration', () => {
  it('that finds the node there already has succeeded: its kubelet, or another copy, was quicker', async () => {
    const cluster = running(2);
    cluster.lists('m3', '10.0.0.3');
    cluster.kubelets.set('10.0.0.3', 'healthy');
    cluster.during = (request) => {
      if (request === 'create 10.0.0.3') cluster.has('10.0.0.3', { addresses: ['10.0.0.3'] });
    };
    const { outcomes } = await cluster.pass();
    expect(outcomes).toMatchObject([{ result: 'unneeded', detail: 'it was registered already' }]);
  });
});

describe('a patch', () => {
  function unmanaged(): Cluster {
    const cluster = running(2);
    cluster.lists('m3', '10.0.0.3');
    cluster.kubelets.set('10.0.0.3', 'healthy');
    cluster.posts('10.0.0.3', { addresses: ['10.0.0.3'], machineId: 'm3' });
    return cluster;
  }
  const updates = (cluster: Cluster) => cluster.requests.filter((request) => request === 'update 10.0.0.3').length;

  it('carries the resourceVersion that it was decided from, so that one suffices', async () => {
    const cluster = unmanaged();
    expect(writesOf(await cluster.pass())).toEqual(['adopt 10.0.0.3']);
    expect(updates(cluster)).toBe(1);
  });

  it('is decided again once when the node has changed, from what it is by then', async () => {
    const cluster = unmanaged();
    let meanwhile: (() => void) | undefined = () =>
      cluster.changes('10.0.0.3', { annotations: new Map([['kube-register.io/since', '2020-01-01T00:00:00.000Z']]) });
    cluster.during = (request) => {
      if (request !== 'update 10.0.0.3') return;
      meanwhile?.();
      meanwhile = undefined;
    };
    expect(writesOf(await cluster.pass())).toEqual(['adopt 10.0.0.3']);
    expect(updates(cluster)).toBe(2);
    // What stood there by then is not written over.
    expect(cluster.nodes.get('10.0.0.3')?.annotations.get('kube-register.io/since')).toBe('2020-01-01T00:00:00.000Z');
  });

  it('that takes longer than the next one is reported before it, in the order of the plan', async () => {
    const cluster = unmanaged();
    cluster.lists('m4', '10.0.0.4');
    cluster.posts('10.0.0.4', { addresses: ['10.0.0.4'], machineId: 'm4' });
    const updated: string[] = [];
    cluster.during = (request) => {
      if (!request.startsWith('update')) return;
      updated.push(request);
      if (updated.length === 1) cluster.changes('10.0.0.3', { labels: new Map([['rack', 'a']]) });
    };
    expect(writesOf(await cluster.pass())).toEqual(['adopt 10.0.0.3', 'adopt 10.0.0.4']);
    expect(updated).toEqual(['update 10.0.0.3', 'update 10.0.0.4', 'update 10.0.0.3']);
  });

  it('that meets another change both times is left to the next pass', async () => {
    const cluster = unmanaged();
    cluster.during = (request) => {
      if (request === 'update 10.0.0.3') cluster.changes('10.0.0.3', { labels: new Map([['rack', 'a']]) });
    };
    const { outcomes } = await cluster.pass();
    expect(outcomes).toMatchObject([{ result: 'failed' }]);
    cluster.during = () => {};
    expect(writesOf(await cluster.pass())).toEqual(['adopt 10.0.0.3']);
  });
});

describe('a delete', () => {
  it('of ours that waited for finalizers is none that others undid: the machine is registered again without a word', async () => {
    const [name, id] = ['10.0.0.9', 'm9'];
    const cluster = running(4, { policy: { missingGraceMs: 0 } });
    const boots = () => {
      cluster.lists(id, name);
      cluster.kubelets.set(name, 'healthy');
    };
    boots();
    expect(await cluster.passes(1)).toEqual([`register ${name}`]);
    cluster.posts(name, { addresses: [name], machineId: id });
    await cluster.passes(2);
    cluster.finalizers.set(name, ['example.com/drain']);
    cluster.dies(id, name, name);
    expect(await cluster.passes(6)).toEqual([`deregister ${name}`]);
    cluster.nodes.delete(name);
    await cluster.passes(1);
    boots();
    const report = await cluster.pass();
    expect(writesOf(report)).toEqual([`register ${name}`]);
    expect(notesOf(report)).toEqual([]);
  });
});
