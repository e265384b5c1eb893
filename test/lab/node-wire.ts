/** Nodes as a release writes them in one of its API versions. */
import { goJson } from './answer.ts';
import type { ApiVersion, Era, NodeShape } from './era.ts';
import { itemJson, type Node, remembered } from './node.ts';
import { toMinion } from './node-minion.ts';

/** Where nodes are asked for: in v1beta1 and v1beta2 `minions` and `nodes` are the same objects. */
export interface Place {
  readonly api: ApiVersion;
  readonly resource: string;
}

export interface Wire {
  /** As lists carry it, without kind and version. */
  item(node: Node): string;
  /** By itself. `below` is what follows the name in the path, such as `/status`. */
  one(node: Node, below?: string): string;
  /** `path` is the one that was asked for, `none` what stands for no items. */
  list(items: readonly string[], said: ListSaid, path: string, none?: '[]' | 'null'): string;
}

export interface ListSaid {
  readonly resourceVersion: string;
  readonly continue?: string | undefined;
  readonly remainingItemCount?: number | undefined;
}

const wires = new WeakMap<Era, Map<string, Wire>>();

/** How nodes are written there. It is made once, and remembers what it has written. */
export function wireOf(era: Era, place: Place): Wire {
  const ofEra = wires.get(era) ?? new Map<string, Wire>();
  wires.set(era, ofEra);
  const key = `${place.api} ${place.resource}`;
  const wire = ofEra.get(key) ?? makeWire(era, place);
  ofEra.set(key, wire);
  return wire;
}

export const isMinions = (api: ApiVersion) => api === 'v1beta1' || api === 'v1beta2';

function makeWire({ nodes: shape }: Era, { api, resource }: Place): Wire {
  const link = (node: Node, below: string) => `/api/${api}/${resource}/${node.metadata.name}${below}`;
  const externalId = ({ metadata, spec }: Node) => spec.externalID ?? (shape.externalId && metadata.name);
  const written = (node: Node, below = '') =>
    goJson(
      isMinions(api)
        ? toMinion(node, shape, link(node, below), externalId(node))
        : toNode(node, shape, link(node, below), externalId(node)),
    );
  // Without links and filled-in fields a node is written as it is kept.
  const item = shape.selfLink ? remembered((node: Node) => written(node)) : itemJson;
  const head = `"kind":"${isMinions(api) ? 'Minion' : 'Node'}","apiVersion":"${api}"`;
  return {
    item,
    one: (node, below) => {
      const fields = below && shape.selfLink ? written(node, below) : item(node);
      return `{${head},${fields.slice(1)}`;
    },
    list: (items, said, path, none = '[]') => {
      const selfLink = shape.selfLink ? path : undefined;
      const all = items.length > 0 ? `[${items.join(',')}]` : none;
      if (!isMinions(api)) {
        const metadata = JSON.stringify({ selfLink, ...said });
        return `{"kind":"NodeList","apiVersion":"${api}","metadata":${metadata},"items":${all}}`;
      }
      const resourceVersion = Number(said.resourceVersion);
      const fields = { kind: 'MinionList', creationTimestamp: null, selfLink, resourceVersion, apiVersion: api };
      const twice = api === 'v1beta1' && items.length > 0 ? `"minions":${all},` : '';
      return `${JSON.stringify(fields).slice(0, -1)},${twice}"items":${all}}`;
    },
  };
}

function toNode(node: Node, shape: NodeShape, selfLink: string, externalID: string | undefined): object {
  const { name, generateName, uid, resourceVersion, creationTimestamp, deletionTimestamp } = node.metadata;
  const { labels, annotations, finalizers } = node.metadata;
  const made = { name, generateName, selfLink, uid, resourceVersion, creationTimestamp, deletionTimestamp };
  const { capacity, allocatable, conditions, addresses, daemonEndpoints, nodeInfo } = node.status;
  const { podCIDR, providerID, unschedulable, taints } = node.spec;
  return {
    metadata: { ...made, labels, annotations, finalizers },
    spec: {
      ...(shape.capacityIn === 'spec' && { capacity }),
      podCIDR,
      externalID,
      providerID,
      unschedulable,
      ...(shape.taints && { taints }),
    },
    status: {
      ...(shape.capacityIn === 'status' && { capacity }),
      ...(shape.allocatable && { allocatable }),
      conditions: conditions?.map(({ lastHeartbeatTime, ...condition }) => ({
        ...condition,
        [shape.heartbeat]: lastHeartbeatTime,
      })),
      addresses,
      ...(shape.daemonEndpoints && { daemonEndpoints }),
      nodeInfo: Object.fromEntries(Object.entries(nodeInfo).filter(([field]) => shape.nodeInfo.includes(field))),
    },
  };
}
