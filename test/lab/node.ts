/** A node as the lab keeps it, which is as v1 of v1.20 tells it: what is read of a body, what the server fills in, how it is written. */
import { z } from 'zod';
import { goJson } from './answer.ts';

/** Go reads null as nothing, and writes nothing for what is empty. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.optional(z.nullable(schema)).transform((value) => value ?? undefined);

const list = <T extends z.ZodType>(item: T) =>
  optional(z.array(item)).transform((items) => (items?.length === 0 ? undefined : items));

const TEXT_MAP = optional(
  z.record(z.string(), z.string()).transform((map) => {
    const sorted = Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
    return sorted.length === 0 ? undefined : Object.fromEntries(sorted);
  }),
);

const METADATA = z.object({
  name: z.string().default(''),
  generateName: optional(z.string()),
  uid: optional(z.string()),
  resourceVersion: optional(z.string()),
  labels: TEXT_MAP,
  annotations: TEXT_MAP,
  deletionTimestamp: optional(z.string()),
  finalizers: list(z.string()),
});

const SPEC = z.object({
  podCIDR: optional(z.string()),
  providerID: optional(z.string()),
  unschedulable: optional(z.boolean()).transform((cordoned) => cordoned || undefined),
  taints: list(
    z.object({ key: z.string(), value: optional(z.string()), effect: z.string(), timeAdded: optional(z.string()) }),
  ),
  externalID: optional(z.string()),
});

const CONDITION = z.object({
  type: z.string(),
  status: z.string(),
  lastHeartbeatTime: z.string().nullable().default(null),
  lastTransitionTime: z.string().nullable().default(null),
  reason: optional(z.string()),
  message: optional(z.string()),
});

const NODE_INFO = z.object({
  machineID: z.string().default(''),
  systemUUID: z.string().default(''),
  bootID: z.string().default(''),
  kernelVersion: z.string().default(''),
  osImage: z.string().default(''),
  containerRuntimeVersion: z.string().default(''),
  kubeletVersion: z.string().default(''),
  kubeProxyVersion: z.string().default(''),
  operatingSystem: z.string().default(''),
  architecture: z.string().default(''),
});

const STATUS = z
  .object({
    capacity: TEXT_MAP,
    allocatable: TEXT_MAP,
    conditions: list(CONDITION),
    addresses: list(z.object({ type: z.string(), address: z.string() })),
    daemonEndpoints: z.object({ kubeletEndpoint: z.object({ Port: z.number().default(0) }).prefault({}) }).prefault({}),
    nodeInfo: NODE_INFO.prefault({}),
  })
  .transform((status) => ({ ...status, allocatable: status.allocatable ?? status.capacity }));

/** A node as a client sends it: unknown fields are dropped, defaults are filled in. */
export const NODE_INPUT = z.object({
  metadata: METADATA.prefault({}),
  spec: SPEC.prefault({}),
  status: STATUS.prefault({}),
});

export type NodeInput = z.output<typeof NODE_INPUT>;

/** A node as the server keeps it. Never changed: an update puts another in its place. */
export interface Node extends NodeInput {
  readonly metadata: NodeInput['metadata'] & {
    readonly uid: string;
    readonly creationTimestamp: string;
  };
}

/** The metadata, as JSON. */
const metadataJson = remembered(({ metadata }: Node) => {
  const { name, generateName, uid, resourceVersion, creationTimestamp, deletionTimestamp } = metadata;
  const { labels, annotations, finalizers } = metadata;
  const made = { name, generateName, uid, resourceVersion, creationTimestamp, deletionTimestamp };
  return goJson({ ...made, labels, annotations, finalizers });
});

/** All but the metadata, as the inside of a JSON object. */
const restJson = remembered(({ spec, status }: Node) => goJson({ spec, status }).slice(1, -1));

/** The node without kind and version, as lists carry it. */
export function itemJson(node: Node): string {
  return `{"metadata":${metadataJson(node)},${restJson(node)}}`;
}

export function nodeJson(node: Node): string {
  return `{"kind":"Node","apiVersion":"v1",${itemJson(node).slice(1)}`;
}

/** `version` is v1 or v1beta1 of meta.k8s.io. */
export function partialJson(node: Node, version: string): string {
  return `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${version}","metadata":${metadataJson(node)}}`;
}

/** Nodes do not change, and lists repeat them: their JSON is made once. */
export function remembered(write: (node: Node) => string): (node: Node) => string {
  const texts = new WeakMap<Node, string>();
  return (node) => {
    const text = texts.get(node) ?? write(node);
    texts.set(node, text);
    return text;
  };
}
