/** Nodes as v1beta3 and v1 have them on the wire, and what they come to here. */
import { z } from 'zod';
import { usableAddress } from '../address.ts';
import { type Dialect, objectsOf } from './dialect.ts';
import type { NodeFacts, NodeRecord } from './registry.ts';

export function nodeDialect(apiVersion: 'v1' | 'v1beta3'): Dialect {
  return {
    path: `/api/${apiVersion}/nodes`,
    writeQuery: {},
    hasPartialLists: true,
    page: nodePage,
    node: wholeNode,
    draft: ({ name, address, labels, annotations }) => ({
      kind: 'Node',
      apiVersion,
      metadata: { name, ...objectsOf({ labels, annotations }) },
      status: { addresses: [{ type: 'InternalIP', address }] },
    }),
    patch: (change, uid) => ({ metadata: { ...(uid !== undefined && { uid }), ...objectsOf(change) } }),
    preconditions: (uid, resourceVersion) => ({
      kind: 'DeleteOptions',
      apiVersion,
      preconditions: { uid, resourceVersion },
    }),
  };
}

const text = z.string().catch('');
const pairs = z.record(z.string(), z.string()).nullish();

/** What a node cannot do without is checked; the managedFields, which are most of it, are dropped here. */
const metadata = z.object({
  name: z.string().min(1),
  uid: z.string().min(1),
  resourceVersion: text,
  labels: pairs,
  annotations: pairs,
});

/** A kubelet may report nothing yet, or what we do not know: no reason to see no nodes at all. */
const status = z
  .object({
    addresses: z.array(z.object({ address: text }).catch({ address: '' })).catch([]),
    conditions: z.array(z.object({ type: text, status: text }).catch({ type: '', status: '' })).catch([]),
    nodeInfo: z.object({ machineID: text }).catch({ machineID: '' }),
  })
  .catch({ addresses: [], conditions: [], nodeInfo: { machineID: '' } });

const spec = z.object({ unschedulable: z.boolean().catch(false) }).catch({ unschedulable: false });

const node = z.object({ metadata, spec, status });

/** One node read whole. */
const wholeNode = node.transform((wire) => toRecord(wire.metadata, toFacts(wire)));

const bareNode = z.object({ metadata }).transform((wire) => toRecord(wire.metadata, undefined));

const listMetadata = z.object({ continue: z.string().nullish() }).nullish();

/**
 * One page of a listing. A server that does not know PartialObjectMetadataList (up to v1.9.2) answers a request for one with
 * a NodeList. `items` is null in a PartialObjectMetadataList without any.
 */
const nodePage = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('PartialObjectMetadataList'),
      metadata: listMetadata,
      items: z.array(bareNode).nullish(),
    }),
    z.object({ kind: z.literal('NodeList'), metadata: listMetadata, items: z.array(wholeNode).nullish() }),
  ])
  .transform(({ kind, metadata, items }) => ({ kind, nodes: items ?? [], continue: metadata?.continue ?? '' }));

function toRecord(wire: z.infer<typeof metadata>, facts: NodeFacts | undefined): NodeRecord {
  const { name, uid, resourceVersion, labels, annotations } = wire;
  return {
    name,
    uid,
    resourceVersion,
    labels: new Map(Object.entries(labels ?? {})),
    annotations: new Map(Object.entries(annotations ?? {})),
    facts,
  };
}

function toFacts(wire: z.infer<typeof node>): NodeFacts {
  const { addresses, conditions, nodeInfo } = wire.status;
  const usable = addresses.map(({ address }) => usableAddress(address)).filter((address) => address !== undefined);
  const ready = conditions.filter(({ type }) => type === 'Ready');
  return {
    machineId: nodeInfo.machineID,
    addresses: [...new Set(usable)],
    ready: ready.length === 0 ? 'none' : ready.some((condition) => condition.status === 'True') ? 'ready' : 'not-ready',
    unschedulable: wire.spec.unschedulable,
  };
}
