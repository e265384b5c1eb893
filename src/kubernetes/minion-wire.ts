/** Minions, as v1beta1 and v1beta2 call nodes on the wire, and what they come to here. */
import { z } from 'zod';
import { usableAddress } from '../address.ts';
import { type Dialect, objectsOf } from './dialect.ts';
import type { NodeRecord } from './registry.ts';

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
    patch: (change, uid) => ({ ...(uid !== undefined && { uid }), ...objectsOf(change) }),
    preconditions: () => undefined,
  };
}

const text = z.string().catch('');
const pairs = z.record(z.string(), z.string()).nullish();

/** v0.2 and v0.4.4 give a minion no uid, v0.2 no resourceVersion, which is a number in all of them. */
const minion = z.object({
  id: z.string().min(1),
  uid: text,
  resourceVersion: z.union([z.number(), z.string()]).catch('').transform(String),
  hostIP: text,
  unschedulable: z.boolean().catch(false),
  labels: pairs,
  annotations: pairs,
  status: z
    .object({
      addresses: z.array(z.object({ address: text }).catch({ address: '' })).catch([]),
      conditions: z.array(z.object({ kind: text, status: text }).catch({ kind: '', status: '' })).catch([]),
      nodeInfo: z.object({ machineID: text }).catch({ machineID: '' }),
    })
    .catch({ addresses: [], conditions: [], nodeInfo: { machineID: '' } }),
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
  const { id, status, labels, annotations } = wire;
  // Servers of that age ask the kubelet at the minion's id, so that an address as id is one that the minion has.
  const said = [wire.hostIP, ...status.addresses.map(({ address }) => address), id];
  const ready = status.conditions.filter(({ kind }) => kind === 'Ready');
  return {
    name: id,
    uid: wire.uid || id,
    resourceVersion: wire.resourceVersion,
    labels: new Map(Object.entries(labels ?? {})),
    annotations: new Map(Object.entries(annotations ?? {})),
    facts: {
      machineId: status.nodeInfo.machineID,
      addresses: [...new Set(said.map(usableAddress).filter((address) => address !== undefined))],
      // `Full` is what these versions call True.
      ready: ready.length === 0 ? 'none' : ready.some((one) => one.status === 'Full') ? 'ready' : 'not-ready',
      unschedulable: wire.unschedulable,
    },
  };
}
