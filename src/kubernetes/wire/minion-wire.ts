/** Minions, the nodes of v1beta1 and v1beta2: their JSON, and how it becomes a NodeRecord. */
import * as z from 'zod';
import type { NodeRecord } from '../registry.ts';
import { type Dialect, objectsOf } from './dialect.ts';
import { mapOf, pairs, text } from './fields.ts';
import { factsOf, leavingOf, statusSchema } from './node-facts.ts';

export function minionDialect(apiVersion: 'v1beta1' | 'v1beta2'): Dialect {
  return {
    path: `/api/${apiVersion}/minions`,
    // v0.4 to v0.12 answer 202 to a write that takes longer than 25 ms, unless they are asked to wait for its end.
    writeQuery: { sync: 'true' },
    hasPartialLists: false,
    page: minionPage,
    node: minion.transform(toRecord),
    draft: ({ name, address, labels, annotations }) => ({
      kind: 'Minion',
      apiVersion,
      id: name,
      hostIP: address,
      ...objectsOf({ labels, annotations }),
    }),
    patch: (change, { uid, resourceVersion }) => ({
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== '' && { resourceVersion: numberOf(resourceVersion) }),
      ...objectsOf(change),
    }),
    preconditions: () => undefined,
  };
}

/** v0.2 and v0.4.4 give a minion no uid, v0.2 no resourceVersion, which is a number in all of them. */
const minion = z.object({
  id: z.string().min(1),
  uid: text,
  resourceVersion: z.union([z.number(), z.string()]).catch('').transform(String),
  hostIP: z.unknown().optional(),
  unschedulable: z.unknown().optional(),
  labels: pairs,
  annotations: pairs,
  status: statusSchema('kind'),
  deletionTimestamp: z.unknown().optional(),
  finalizers: z.unknown().optional(),
});

/**
 * v1beta1 says everything twice, as `minions` and as `items`; v1beta2 as `items`; an empty list can have neither (v0.4.4). A minion
 * whose name had a slash stays in v0.4.4's lists as an item without an id, which nobody can ask for or delete.
 */
const minionPage = z
  .object({
    kind: z.literal('MinionList'),
    items: z
      .array(
        z.union([minion.transform(toRecord), z.object({ id: z.undefined().optional() }).transform(() => undefined)]),
      )
      .nullish(),
  })
  .transform(({ kind, items }) => ({
    kind,
    nodes: (items ?? []).filter((record) => record !== undefined),
    continue: '',
  }));

function toRecord(wire: z.infer<typeof minion>): NodeRecord {
  const { id, hostIP, status, labels, annotations } = wire;
  const knowsHostIp = typeof hostIP === 'string' || hostIP === undefined || hostIP === null;
  return {
    name: id,
    uid: wire.uid || id,
    resourceVersion: wire.resourceVersion,
    labels: mapOf(labels),
    annotations: mapOf(annotations),
    leaving: leavingOf(wire),
    facts: factsOf(knowsHostIp ? status : { ...status, ready: 'unreadable' }, wire.unschedulable, {
      before: typeof hostIP === 'string' ? [hostIP] : [],
      // Servers of that age ask the kubelet at the minion's id, so that an address as id is one that the minion has.
      after: [id],
    }),
  };
}

/** These versions write it as a number. What is none goes back as it came. */
function numberOf(resourceVersion: string): number | string {
  const number = Number(resourceVersion);
  return String(number) === resourceVersion ? number : resourceVersion;
}
