/** Minions as v1beta1 and v1beta2 write them. */
import { describe, expect, it } from 'vitest';
import { minionDialect } from '../../../../src/kubernetes/wire/minion-wire.ts';

const { page, node, draft, patch, path, preconditions } = minionDialect('v1beta1');

describe('a minion', () => {
  it('of v0.2 is an id alone, and that is its address', () => {
    expect(node.parse({ kind: 'Minion', id: '10.0.0.1', creationTimestamp: null })).toEqual({
      name: '10.0.0.1',
      uid: '10.0.0.1',
      resourceVersion: '',
      labels: new Map(),
      annotations: new Map(),
      leaving: undefined,
      facts: { machineId: '', addresses: ['10.0.0.1'], ready: 'none', unschedulable: false },
    });
  });

  it('of v0.17 has conditions, addresses and a number as resourceVersion', () => {
    const wire = {
      id: 'worker-1',
      uid: 'u',
      resourceVersion: 12,
      hostIP: '10.0.0.1',
      unschedulable: true,
      labels: { zone: 'a' },
      annotations: { b: 'c' },
      status: {
        addresses: [
          { type: 'LegacyHostIP', address: '10.0.0.1' },
          { type: 'InternalIP', address: '10.0.0.2' },
        ],
        conditions: [{ kind: 'Ready', status: 'Full' }],
        nodeInfo: { machineID: 'm' },
      },
    };
    expect(node.parse(wire)).toEqual({
      name: 'worker-1',
      uid: 'u',
      resourceVersion: '12',
      labels: new Map([['zone', 'a']]),
      annotations: new Map([['b', 'c']]),
      leaving: undefined,
      facts: { machineId: 'm', addresses: ['10.0.0.1', '10.0.0.2'], ready: 'true', unschedulable: true },
    });
  });

  it.each([
    [[{ kind: 'Ready', status: 'Full' }], 'true'],
    [[{ kind: 'Ready', status: 'None' }], 'unknown'],
    [[{ kind: 'Ready', status: 'Unknown' }], 'unknown'],
    [[{ kind: 'Ready', status: 'False' }], 'false'],
    [[{ kind: 'Ready', status: 'Half' }], 'unreadable'],
    [[{ type: 'Ready', status: 'Full' }], 'unreadable'],
    [[{ kind: 'Reachable', status: 'Full' }], 'none'],
    [[], 'none'],
  ])('with the conditions %j is %s', (conditions, ready) => {
    expect(node.parse({ id: 'a', status: { conditions } }).facts?.ready).toBe(ready);
  });

  it.each([
    [{ hostIP: 5 }, 'unreadable'],
    [{ hostIP: null }, 'none'],
    [{ status: 'well' }, 'unreadable'],
  ])('with %j is %s', (parts, ready) => {
    expect(node.parse({ id: '10.0.0.1', ...parts }).facts).toMatchObject({ ready, addresses: ['10.0.0.1'] });
  });

  it('that was deleted has the time at the top', () => {
    const since = '2015-05-01T00:00:00Z';
    expect(node.parse({ id: 'a', deletionTimestamp: since }).leaving).toEqual({ since, finalizers: [] });
    expect(node.parse({ id: 'a', deletionTimestamp: null }).leaving).toBeUndefined();
  });

  it('without an id cannot be read', () => {
    expect(node.safeParse({ kind: 'Minion' }).success).toBe(false);
    expect(node.safeParse({ id: '' }).success).toBe(false);
  });
});

describe('a list of minions', () => {
  const names = (wire: unknown) => page.parse(wire).nodes.map(({ name }) => name);

  it('is empty with neither items nor minions, as of v0.4.4', () => {
    expect(names({ kind: 'MinionList', creationTimestamp: null, selfLink: '/api/v1beta1/minions' })).toEqual([]);
  });

  it('that says everything twice is read once', () => {
    expect(names({ kind: 'MinionList', minions: [{ id: 'a' }], items: [{ id: 'a' }] })).toEqual(['a']);
  });

  it('leaves out the item without an id that a name with a slash leaves behind in v0.4.4', () => {
    expect(
      names({ kind: 'MinionList', items: [{ creationTimestamp: null, resourceVersion: 16 }, { id: 'a' }] }),
    ).toEqual(['a']);
  });

  it('is not read from anything else', () => {
    expect(page.safeParse({ kind: 'NodeList', items: [] }).success).toBe(false);
    expect(page.safeParse({ kind: 'MinionList', items: [{ id: 7 }] }).success).toBe(false);
    expect(page.safeParse({ kind: 'MinionList', items: 'none' }).success).toBe(false);
  });
});

describe('what is sent', () => {
  it('to create a minion is in the shape of its version, without what is empty', () => {
    const bare = { name: 'n', address: '10.0.0.1', labels: new Map(), annotations: new Map([['a', 'b']]) };
    expect(draft(bare)).toEqual({
      kind: 'Minion',
      apiVersion: 'v1beta1',
      id: 'n',
      hostIP: '10.0.0.1',
      annotations: { a: 'b' },
    });
    expect(path).toBe('/api/v1beta1/minions');
  });

  it('to change one has labels at the top', () => {
    expect(
      patch(
        { labels: new Map([['zone', null]]), annotations: new Map([['a', 'b']]) },
        { uid: undefined, resourceVersion: '12' },
      ),
    ).toEqual({
      resourceVersion: 12,
      labels: { zone: null },
      annotations: { a: 'b' },
    });
  });

  it('to change one has no resourceVersion where that is not known, and one that is no number as it came', () => {
    const change = { labels: new Map(), annotations: new Map([['a', 'b']]) };
    expect(patch(change, { uid: undefined, resourceVersion: '' })).toEqual({ annotations: { a: 'b' } });
    expect(patch(change, { uid: undefined, resourceVersion: '12x' })).toMatchObject({ resourceVersion: '12x' });
    expect(patch(change, { uid: undefined, resourceVersion: '18446744073709551615' })).toMatchObject({
      resourceVersion: '18446744073709551615',
    });
  });

  it('to delete one has no preconditions, which no server of that age looks at', () => {
    expect(preconditions('u', '1')).toBeUndefined();
  });
});
