/** Nodes of v1beta3 and v1: their JSON, and how it becomes a NodeRecord. */
import * as z from 'zod';
import type { NodeFacts, NodeRecord } from '../registry.ts';
import { type Dialect, objectsOf } from './dialect.ts';
import { mapOf, pairs, text } from './fields.ts';
import { factsOf, leavingOf, statusSchema } from './node-facts.ts';

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
    patch: (change, { uid, resourceVersion }) => ({
      metadata: {
        ...(uid !== undefined && { uid }),
        ...(resourceVersion !== '' && { resourceVersion }),
        ...objectsOf(change),
      },
    }),
    preconditions: (uid, resourceVersion) => ({
      kind: 'DeleteOptions',
      apiVersion,
      preconditions: { uid, resourceVersion },
    }),
  };
}

/** What a node cannot do without is checked; the managedFields, which are most of it, are dropped here. */
const metadata = z.object({
  name: z.string().min(1),
  uid: z.string().min(1),
  resourceVersion: text,
  labels: pairs,
  annotations: pairs,
  deletionTimestamp: z.unknown().optional(),
  finalizers: z.unknown().optional(),
});

/** A kubelet may report nothing yet, or what is not known here: no reason to see no nodes at all. */
const node = z.object({ metadata, spec: z.unknown().optional(), status: statusSchema('type') });

const spec = z
  .object({ unschedulable: z.unknown().optional() })
  .nullish()
  .catch({ unschedulable: 'a spec of a shape that is not known' });

/** One node read whole. */
const wholeNode = node.transform((wire) =>
  toRecord(wire.metadata, factsOf(wire.status, spec.parse(wire.spec)?.unschedulable)),
);

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
    labels: mapOf(labels),
    annotations: mapOf(annotations),
    leaving: leavingOf(wire),
    facts,
  };
}
