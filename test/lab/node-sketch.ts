/** Nodes as a test describes them, made without a request. */
import { NODE_INPUT, type NodeInput } from './node.ts';

export interface NodeSketch {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly addresses?: readonly string[];
  readonly machineId?: string;
  /** The condition Ready; left out, the node has no conditions. */
  readonly ready?: Readiness;
  readonly unschedulable?: boolean;
}

export type Readiness = boolean | 'unknown';

/** What v1.20 puts on every node that is created. */
const NOT_READY = {
  key: 'node.kubernetes.io/not-ready',
  value: undefined,
  effect: 'NoSchedule',
  timeAdded: undefined,
};

export function sketched({ name, labels, annotations, finalizers, unschedulable, ...status }: NodeSketch): NodeInput {
  const input = NODE_INPUT.parse({ metadata: { name, labels, annotations, finalizers }, spec: { unschedulable } });
  return { ...input, status: reported(status) };
}

/** A new node with the taint that it is not ready, once. */
export function notReady(input: NodeInput): NodeInput {
  const others = input.spec.taints?.filter(({ key }) => key !== NOT_READY.key) ?? [];
  return { ...input, spec: { ...input.spec, taints: [...others, NOT_READY] } };
}

/** The status that a kubelet reports. */
export function reported({ machineId = '', addresses = [], ready }: Omit<NodeSketch, 'name'>): NodeInput['status'] {
  return NODE_INPUT.parse({
    status: {
      nodeInfo: { machineID: machineId },
      addresses: addresses.map((address) => ({ type: 'InternalIP', address })),
      conditions: ready === undefined ? undefined : [readyCondition(ready)],
    },
  }).status;
}

export function readyCondition(ready: Readiness) {
  if (ready === 'unknown') return { type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' };
  const [status, reason] = ready ? ['True', 'KubeletReady'] : ['False', 'KubeletNotReady'];
  return { type: 'Ready', status, reason };
}
