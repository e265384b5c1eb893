import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeDialect } from '../../../../src/kubernetes/wire/node-wire.ts';

const { page: nodePage, node: wholeNode, patch } = nodeDialect('v1');

/** As v1.20.2 sends it, shortened. */
const NODE = {
  kind: 'Node',
  apiVersion: 'v1',
  metadata: {
    name: '127.0.0.4',
    uid: '601a2c35-dfd4-42c1-bdc6-c3cab2656a87',
    resourceVersion: '201',
    creationTimestamp: '2026-11-22T20:37:33Z',
    labels: { 'kube-register.io/managed': 'true', role: 'worker' },
    annotations: { plain: 'x' },
    managedFields: [{ manager: 'unknown', operation: 'Update', fieldsV1: { 'f:metadata': {} } }],
  },
  spec: { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] },
  status: {
    conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: null, lastTransitionTime: null }],
    addresses: [
      { type: 'InternalIP', address: '127.0.0.4' },
      { type: 'Hostname', address: 'node-a' },
      { type: 'LegacyHostIP', address: '127.0.0.4' },
      { type: 'ExternalIP', address: 'FD00:0::1' },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
    nodeInfo: { machineID: '0123456789abcdef0123456789abcdef', systemUUID: '' },
  },
};

function factsOf(parts: { status?: unknown; spec?: unknown }) {
  return wholeNode.parse({ ...NODE, ...parts }).facts;
}

describe('a node read whole', () => {
  it('gives what identifies it, its labels and annotations, and its facts', () => {
    expect(wholeNode.parse(NODE)).toEqual({
      name: '127.0.0.4',
      uid: '601a2c35-dfd4-42c1-bdc6-c3cab2656a87',
      resourceVersion: '201',
      labels: new Map([
        ['kube-register.io/managed', 'true'],
        ['role', 'worker'],
      ]),
      annotations: new Map([['plain', 'x']]),
      leaving: undefined,
      facts: {
        machineId: '0123456789abcdef0123456789abcdef',
        addresses: ['127.0.0.4', 'fd00::1'],
        ready: 'true',
        unschedulable: false,
      },
    });
  });

  it('that was just made has no labels, no annotations and no conditions', () => {
    const { uid, name, resourceVersion } = NODE.metadata;
    const fresh = { metadata: { uid, name, resourceVersion }, spec: {}, status: { nodeInfo: { machineID: '' } } };
    expect(wholeNode.parse(fresh)).toMatchObject({
      labels: new Map(),
      annotations: new Map(),
      facts: { machineId: '', addresses: [], ready: 'none', unschedulable: false },
    });
  });

  it.each([
    ['True', 'true'],
    ['False', 'false'],
    ['Unknown', 'unknown'],
    ['None', 'unknown'],
    ['true', 'unreadable'],
    ['', 'unreadable'],
    [null, 'unreadable'],
    [true, 'unreadable'],
    [undefined, 'unreadable'],
  ])('whose condition Ready is %s is %s', (status, ready) => {
    const conditions = [
      { type: 'OutOfDisk', status: 'True' },
      { type: 'Ready', status },
    ];
    expect(factsOf({ status: { conditions } })).toMatchObject({ ready });
  });

  it.each([
    [['True', 'True'], 'true'],
    [['Unknown', 'Unknown'], 'unknown'],
    [['True', 'False'], 'unreadable'],
    [['Unknown', 'True'], 'unreadable'],
  ])('with the conditions Ready %j is %s', (said, ready) => {
    const conditions = said.map((status) => ({ type: 'Ready', status }));
    expect(factsOf({ status: { conditions } })).toMatchObject({ ready });
  });

  it('without conditions, or with others alone, has no Ready', () => {
    for (const conditions of [undefined, null, [], [{ type: 'OutOfDisk', status: 5 }]]) {
      expect(factsOf({ status: { conditions } })).toMatchObject({ ready: 'none' });
    }
    for (const status of [undefined, null, {}]) expect(factsOf({ status })).toMatchObject({ ready: 'none' });
  });

  const READY = [{ type: 'Ready', status: 'True' }];
  it.each([
    ['status', 'well'],
    ['status', []],
    ['conditions', { conditions: 'x' }],
    ['conditions', { conditions: {} }],
    ['a condition', { conditions: [...READY, null] }],
    ['a condition', { conditions: [...READY, { status: 'True' }] }],
    ['a condition', { conditions: [...READY, { type: 5, status: 'True' }] }],
    ['addresses', { conditions: READY, addresses: {} }],
    ['an address', { conditions: READY, addresses: ['10.0.0.1'] }],
    ['an address', { conditions: READY, addresses: [{ address: 7 }] }],
    ['nodeInfo', { conditions: READY, nodeInfo: 'x' }],
    ['a machine ID', { conditions: READY, nodeInfo: { machineID: 5 } }],
  ])('is unreadable when %s has an unknown shape: %j', (_what, status) => {
    expect(factsOf({ status })).toMatchObject({ ready: 'unreadable' });
  });

  it('that was deleted is leaving, with the finalizers that hold it', () => {
    const leaving = (parts: object) => wholeNode.parse({ ...NODE, metadata: { ...NODE.metadata, ...parts } }).leaving;
    const since = '2026-11-22T20:37:33Z';
    expect(leaving({ deletionTimestamp: since, finalizers: ['a/b', 'c'] })).toEqual({
      since,
      finalizers: ['a/b', 'c'],
    });
    expect(leaving({ deletionTimestamp: since })).toEqual({ since, finalizers: [] });
    for (const finalizers of ['a', {}, [5], [null], null]) {
      expect(leaving({ deletionTimestamp: since, finalizers })).toEqual({ since, finalizers: [] });
    }
    expect(leaving({ deletionTimestamp: 5 })).toEqual({ since: '', finalizers: [] });
    expect(leaving({ deletionTimestamp: null, finalizers: ['a'] })).toBeUndefined();
    expect(leaving({ finalizers: ['a'] })).toBeUndefined();
  });

  it.each([
    [{ unschedulable: true }, true],
    [{ unschedulable: false }, false],
    [{ unschedulable: null }, false],
    [{}, false],
    [null, false],
    [undefined, false],
    [{ unschedulable: 'true' }, undefined],
    [{ unschedulable: 1 }, undefined],
    ['x', undefined],
    [[], undefined],
  ])('whose spec is %j is cordoned: %s', (spec, unschedulable) => {
    expect(factsOf({ spec })).toHaveProperty('unschedulable', unschedulable);
  });

  it('keeps the good part of an odd status', () => {
    const addresses = [null, 5, {}, { address: 7 }, { address: '10.0.0.300' }, { address: '10.0.0.3' }];
    const nodeInfo = { machineID: 5 };
    expect(factsOf({ status: { addresses, nodeInfo, conditions: 'x' } })).toEqual({
      machineId: '',
      addresses: ['10.0.0.3'],
      ready: 'unreadable',
      unschedulable: false,
    });
  });

  it('can be read whatever its spec and status are', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (spec, status, inner) => {
        expect(factsOf({ spec, status })).toBeDefined();
        expect(factsOf({ status: { addresses: inner, conditions: [inner], nodeInfo: inner } })).toBeDefined();
      }),
    );
  });

  it.each([
    ['without a name', { name: undefined }],
    ['with an empty name', { name: '' }],
    ['whose name is a number', { name: 5 }],
    ['without a uid', { uid: undefined }],
    ['with an empty uid', { uid: '' }],
    ['whose labels are a list', { labels: ['a'] }],
    ['with a label that is a number', { labels: { a: 1 } }],
    ['whose annotations are a text', { annotations: 'a' }],
    ['with an annotation that is null', { annotations: { a: null } }],
  ])('%s cannot be read', (_, metadata) => {
    expect(wholeNode.safeParse({ ...NODE, metadata: { ...NODE.metadata, ...metadata } }).success).toBe(false);
  });
});

describe('a page of nodes', () => {
  const partial = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: NODE.metadata };

  it('of metadata alone has no facts', () => {
    const page = nodePage.parse({
      kind: 'PartialObjectMetadataList',
      metadata: { continue: 'next' },
      items: [partial],
    });
    expect(page).toMatchObject({ continue: 'next', nodes: [{ name: '127.0.0.4', facts: undefined }] });
    const leaving = { ...NODE.metadata, deletionTimestamp: 'then', finalizers: ['a'] };
    const left = nodePage.parse({ kind: 'PartialObjectMetadataList', metadata: {}, items: [{ metadata: leaving }] });
    expect(left.nodes[0]?.leaving).toEqual({ since: 'then', finalizers: ['a'] });
  });

  it('of whole nodes has facts', () => {
    const page = nodePage.parse({ kind: 'NodeList', metadata: {}, items: [NODE] });
    expect(page).toMatchObject({ nodes: [{ name: '127.0.0.4', facts: { ready: 'true' } }] });
  });

  it.each([{ items: [] }, { items: null }, {}])('may be empty: %j', (parts) => {
    expect(nodePage.parse({ kind: 'PartialObjectMetadataList', metadata: {}, ...parts }).nodes).toEqual([]);
  });

  it.each([
    ['of another kind', { kind: 'PodList', items: [] }],
    ['without a kind', { items: [] }],
    ['whose items are an object', { kind: 'NodeList', items: {} }],
    ['with an item that is null', { kind: 'NodeList', items: [NODE, null] }],
    ['whose continue is a number', { kind: 'NodeList', metadata: { continue: 5 }, items: [] }],
    ['that is a list', []],
    ['that is null', null],
  ])('%s cannot be read', (_, page) => {
    expect(nodePage.safeParse(page).success).toBe(false);
  });
});

describe('a patch', () => {
  const change = { labels: new Map([['a', null]]), annotations: new Map() };

  it('carries the uid and the resourceVersion where they are known', () => {
    expect(patch(change, { uid: 'u', resourceVersion: '7' })).toEqual({
      metadata: { uid: 'u', resourceVersion: '7', labels: { a: null } },
    });
    expect(patch(change, { uid: undefined, resourceVersion: '' })).toEqual({ metadata: { labels: { a: null } } });
  });
});
