/** Whether a node is alive, and by what evidence. No I/O. */

import type { KubeletAnswer } from '../../kubelet/kubelet.ts';
import type { ReadyCondition } from '../../kubernetes/registry.ts';
import { atOnce, forEach, type Steps } from '../../time/steps.ts';
import { type Endpoints, findEndpoints, type KubeletEndpoint, NO_PAST, type Past } from './endpoints.ts';
import type { Machine } from './machines.ts';
import { addTo } from './multimap.ts';
import { isReporting, type Node } from './node.ts';
import { type IndexedLists, idOfMachine, type Pairing } from './pair.ts';

/** Everything that one pass observed. It is complete: a pass that could not observe everything has none. */
export interface Observation extends IndexedLists {
  readonly pairing: Pairing;
  readonly liveness: Liveness;
  /** The number of records of fleet without a machine ID. */
  readonly skippedRecords: number;
  /** Why the API server could not list its nodes; `nodes` is empty then. */
  readonly unlistable: string | undefined;
  /** By address: the kubelets that were checked. */
  readonly kubelets: ReadonlyMap<string, KubeletAnswer>;
}

/** What tells whether a node is alive in this pass. */
export interface Evidence {
  /** The machine paired with it, else the listed one that its mark names, else the listed one whose id it reports. */
  readonly machine: Machine | undefined;
  /** Its machine's id; where fleet lists none, the one that its mark names. */
  readonly machineId: string | undefined;
  readonly fleet: 'matches' | 'no-match' | 'not-listed';
  /** `unasked`: it has no address, or not all of them were checked. */
  readonly kubelet: 'healthy' | 'answers' | 'silent' | 'unasked';
  /** The URL and the answer, or why there is none, for people. */
  readonly kubeletDetail: string;
  readonly endpoints: readonly KubeletEndpoint[];
  /** It reports an address that no other reporting node has. */
  readonly hasOwnAddress: boolean;
  /** The addresses at which its own kubelet answered. */
  readonly answeredAt: readonly string[];
  readonly isReporting: boolean;
  /** `unread`: not read in this pass, because its kubelet answered. */
  readonly ready: ReadyCondition | 'unread';
  /** Another node of its machine that is reporting. */
  readonly successor: Node | undefined;
  /** An alive node is never deregistered, whatever fleet says. */
  readonly alive: boolean;
}

/** The liveness rules for one pairing. They need no answers of kubelets, so that `endpointsOf` tells which ones to check. */
export function livenessOf(lists: IndexedLists, pairing: Pairing, past: Past = NO_PAST): Liveness {
  return atOnce(livenessInSteps(lists, pairing, past));
}

/** `livenessOf` in steps. */
export function* livenessInSteps(lists: IndexedLists, pairing: Pairing, past: Past): Steps<Liveness> {
  const reporting = new Map<string, Node[]>();
  yield* forEach(lists.nodes, (node) => {
    const id = idOfMachine(node, lists, pairing);
    if (id !== undefined && isReporting(node, lists.era)) addTo(reporting, id, node);
  });
  return new Liveness(lists, pairing, reporting, yield* findEndpoints(lists, pairing, past));
}

/** Gives the evidence of each node of a pass. */
export class Liveness {
  readonly #lists: IndexedLists;
  readonly #pairing: Pairing;
  /** By machine id. */
  readonly #reporting: ReadonlyMap<string, readonly Node[]>;
  readonly #endpoints: Endpoints;

  constructor(
    lists: IndexedLists,
    pairing: Pairing,
    reporting: ReadonlyMap<string, readonly Node[]>,
    endpoints: Endpoints,
  ) {
    this.#lists = lists;
    this.#pairing = pairing;
    this.#reporting = reporting;
    this.#endpoints = endpoints;
  }

  /** Where its kubelet is checked: at its machine's address first. */
  endpointsOf(node: Node): readonly KubeletEndpoint[] {
    return this.#endpoints.endpointsOf(node);
  }

  evidenceOf(node: Node, kubelets: ReadonlyMap<string, KubeletAnswer>): Evidence {
    const { machines, era } = this.#lists;
    const machineId = idOfMachine(node, this.#lists, this.#pairing);
    const machine = machines.get(machineId ?? '');
    const checked = this.#endpoints.endpointsOf(node);
    const isUp = isReporting(node, era);
    const { kubelet, kubeletDetail, answeredAt } = kubeletOf(checked, kubelets);
    const ready = node.facts !== undefined && (node.isFresh || isUp) ? node.facts.ready : 'unread';
    return {
      machine,
      machineId,
      fleet: machine === undefined ? 'not-listed' : machine.matches ? 'matches' : 'no-match',
      kubelet,
      kubeletDetail,
      answeredAt,
      endpoints: checked,
      hasOwnAddress: this.#endpoints.hasOwnAddress(node),
      isReporting: isUp,
      ready,
      successor: this.#reporting.get(machineId ?? '')?.find((other) => other !== node),
      // What is not known counts as alive.
      alive: isUp || kubelet !== 'silent' || ready === 'unread' || ready === 'unreadable',
    };
  }
}

/** The best answer among those of the node's own kubelet. */
function kubeletOf(
  endpoints: readonly KubeletEndpoint[],
  kubelets: ReadonlyMap<string, KubeletAnswer>,
): Pick<Evidence, 'kubelet' | 'kubeletDetail' | 'answeredAt'> {
  if (endpoints.length === 0) {
    return { kubelet: 'unasked', kubeletDetail: 'the node has no usable address', answeredAt: [] };
  }
  let best: KubeletAnswer | undefined;
  /** By `concat`, which makes a list of this length: `push` makes room for 16 more. */
  let answeredAt: readonly string[] = [];
  for (const { address, otherNode, isContested } of endpoints) {
    const answer = otherNode === undefined || isContested === true ? kubelets.get(address) : undefined;
    if (answer === undefined || answer.state === 'silent') continue;
    if (isContested !== true) answeredAt = answeredAt.concat(address);
    if (best === undefined || (best.state !== 'healthy' && answer.state === 'healthy')) best = answer;
  }
  if (best !== undefined && best.state !== 'silent') {
    return { kubelet: best.state, kubeletDetail: best.detail, answeredAt };
  }
  const checked = endpoints.flatMap(({ address, otherNode }) => {
    const answer = kubelets.get(address);
    return answer === undefined ? [] : [{ address, otherNode, ...answer }];
  });
  if (checked.length < endpoints.length) {
    const unchecked = endpoints.filter(({ address }) => !kubelets.has(address)).map(({ address }) => address);
    return { kubelet: 'unasked', kubeletDetail: `not checked: ${unchecked.join(', ')}`, answeredAt: [] };
  }
  const details = checked.map(({ state, address, otherNode, detail }) =>
    state === 'silent' || otherNode === undefined
      ? detail
      : `the kubelet at ${address} belongs to node ${otherNode.name}`,
  );
  return { kubelet: 'silent', kubeletDetail: details.join('; '), answeredAt: [] };
}

/** `kubelet unreachable; node Unknown` */
export function describe(known: Evidence): string {
  return `kubelet ${KUBELET_WORDS[known.kubelet]}; ${describeReady(known)}`;
}

/** The states of a kubelet for people. */
export const KUBELET_WORDS: Readonly<Record<Evidence['kubelet'], string>> = {
  healthy: 'healthy',
  answers: 'unhealthy',
  silent: 'unreachable',
  unasked: 'not checked',
};

/** `node Ready` */
export function describeReady({ ready, isReporting }: Evidence): string {
  const words = READY_WORDS[ready];
  return ready === 'unknown' && isReporting ? `${words} between posts of its kubelet` : words;
}

/** As kubectl prints them. */
const READY_WORDS: Readonly<Record<Evidence['ready'], string>> = {
  true: 'node Ready',
  false: 'node NotReady',
  unknown: 'node Unknown',
  none: 'node without a Ready condition',
  unreadable: 'node status cannot be read',
  unread: 'node not read',
};
