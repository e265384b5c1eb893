/** A node as v1beta1 and v1beta2 tell it: a Minion, with its metadata at the top and its address as `hostIP`. */
import { z } from 'zod';
import type { NodeShape } from './era.ts';
import { NODE_INPUT, type Node, type NodeInput } from './node.ts';

/** Conditions have other words there, as conversion.go of that time has it. */
const STATUS_WORDS: Readonly<Record<string, string>> = { True: 'Full', False: 'None' };
const STATUS_OF_WORDS: Readonly<Record<string, string>> = { Full: 'True', None: 'False' };

const LEGACY = 'LegacyHostIP';

const MINION = z.looseObject({
  id: z.string().default(''),
  resourceVersion: z.union([z.number(), z.string()]).default(0),
  hostIP: z.string().default(''),
  externalID: z.unknown().optional(),
  unschedulable: z.unknown().optional(),
  podCIDR: z.unknown().optional(),
  resources: z.object({ capacity: z.record(z.string(), z.union([z.number(), z.string()])).optional() }).default({}),
  status: z
    .looseObject({
      addresses: z.array(z.object({ type: z.string(), address: z.string() })).default([]),
      conditions: z
        .array(z.looseObject({ kind: z.string(), status: z.string(), lastProbeTime: z.string().nullish() }))
        .optional(),
    })
    .prefault({}),
});

/** The node that a Minion stands for. Throws a ZodError when it is none. */
export function fromMinion(value: unknown): NodeInput {
  const { id, resourceVersion, hostIP, externalID, unschedulable, podCIDR, resources, status, ...metadata } =
    MINION.parse(value);
  const { addresses, conditions, ...reported } = status;
  const known = addresses.some(({ type, address }) => type === LEGACY && address === hostIP);
  const capacity = Object.entries(resources.capacity ?? {}).map(([name, amount]) => [name, String(amount)]);
  return NODE_INPUT.parse({
    metadata: { ...metadata, name: id, resourceVersion: resourceVersion === 0 ? '' : String(resourceVersion) },
    spec: { externalID, unschedulable, podCIDR },
    status: {
      ...reported,
      capacity: Object.fromEntries(capacity),
      addresses: hostIP === '' || known ? addresses : [...addresses, { type: LEGACY, address: hostIP }],
      conditions: conditions?.map(({ kind, status: word, lastProbeTime, ...condition }) => ({
        ...condition,
        lastHeartbeatTime: lastProbeTime ?? null,
        type: kind,
        status: STATUS_OF_WORDS[word] ?? word,
      })),
    },
  });
}

/** The Minion of a node, without kind and version. `externalID` is what the server filled in. */
export function toMinion(node: Node, shape: NodeShape, selfLink: string, externalID: string | undefined): object {
  const { name, generateName, uid, resourceVersion, creationTimestamp, labels, annotations } = node.metadata;
  const { capacity, addresses, conditions, nodeInfo } = node.status;
  return {
    id: name,
    generateName,
    uid,
    creationTimestamp,
    selfLink,
    resourceVersion: resourceVersion === undefined ? undefined : Number(resourceVersion),
    annotations,
    hostIP: addresses?.find(({ type }) => type === LEGACY)?.address,
    resources: { capacity: capacity && Object.fromEntries(Object.entries(capacity).map(amount)) },
    podCIDR: node.spec.podCIDR,
    unschedulable: node.spec.unschedulable,
    status: {
      conditions: conditions?.map(({ type, status, lastHeartbeatTime, ...condition }) => ({
        kind: type,
        status: STATUS_WORDS[status] ?? status,
        lastProbeTime: lastHeartbeatTime,
        ...condition,
      })),
      addresses: shape.statusAddresses ? addresses : undefined,
      nodeInfo: nodeInfoOf(nodeInfo, shape),
    },
    labels,
    externalID,
  };
}

function nodeInfoOf(nodeInfo: Node['status']['nodeInfo'], shape: NodeShape): object | undefined {
  if (shape.nodeInfo.length === 0) return undefined;
  return Object.fromEntries(Object.entries(nodeInfo).filter(([field]) => shape.nodeInfo.includes(field)));
}

/** Memory is a number of bytes there; cpu stays text. */
function amount([name, value]: [string, string]): [string, string | number] {
  return [name, name !== 'cpu' && /^\d+$/.test(value) ? Number(value) : value];
}
