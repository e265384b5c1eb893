/** Nodes as a test describes them, made without a request. */
import { NODE_INPUT, type NodeInput } from './node.ts';

export interface NodeSketch {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly addresses?: readonly string[];
  readonly machineId?: string;
  /** The condition Ready; left out, the node has no conditions. */
  readonly ready?: Readiness;
  readonly unschedulable?: boolean;
}

export type Readiness = boolean | 'unknown';

/** What the server puts on every node that is created. */
export const NOT_READY = {
  key: 'node.kubernetes.io/not-ready',
  value: undefined,
  effect: 'NoSchedule',
  timeAdded: undefined,
};

export function sketched({ name, labels, annotations, unschedulable, ...status }: NodeSketch): NodeInput {
  const input = NODE_INPUT.parse({ metadata: { name, labels, annotations }, spec: { unschedulable } });
  return { ...input, spec: { ...input.spec, taints: [NOT_READY] }, status: reported(status) };
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
