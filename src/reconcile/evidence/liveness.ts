/** Whether a node is alive (DESIGN 4), and by what evidence. No I/O. */

import type { KubeletAnswer } from '../../kubelet/kubelet.ts';
import type { Era, ReadyCondition } from '../../kubernetes/registry.ts';
import { usableAddress } from '../../network/address.ts';
import type { Machine } from './machines.ts';
import { addressesOf, isReporting, type Node, reports } from './node.ts';
import { type IndexedLists, isShared, type LastNode, type Pairing } from './pair.ts';

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

/** An address at which a node's kubelet is checked. */
export interface KubeletEndpoint {
  readonly address: string;
  /** Another node whose kubelet answers there, so that an answer is not this node's. */
  readonly otherNode: Node | undefined;
  /** Two hosts have the address, so that an answer is of either. It keeps the node and counts for nothing else. */
  readonly isContested?: boolean;
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

/** Gives the evidence of each node of a pass. */
export interface Liveness {
  /** Where its kubelet is checked: at its machine's address first. */
  endpointsOf(node: Node): readonly KubeletEndpoint[];
  evidenceOf(node: Node, kubelets: ReadonlyMap<string, KubeletAnswer>): Evidence;
}

/** The liveness rules for one pairing. They need no answers of kubelets, so that `endpointsOf` tells which ones to check. */
export function livenessOf(lists: IndexedLists, pairing: Pairing, past: Past = NO_PAST): Liveness {
  const { machines, nodes, era } = lists;
  const { otherNodeAt, isOwn } = addressOwners(lists, pairing);
  const machineIds = new Map<Node, string>();
  const reporting = new Map<string, Node[]>();
  const endpoints = new Map<Node, readonly KubeletEndpoint[]>();
  let lastAt: ReadonlyMap<string, readonly string[]> | undefined;
  for (const node of nodes) {
    const id = idOfMachine(node, machines, pairing);
    if (id === undefined) continue;
    machineIds.set(node, id);
    if (isReporting(node, era)) addTo(reporting, id, node);
  }

  function findEndpoints(node: Node): readonly KubeletEndpoint[] {
    const machine = machines.get(machineIds.get(node) ?? '');
    const written = usableAddress(node.mark?.address ?? '');
    const addresses = new Set(addressesOf(node));
    if (written !== undefined) addresses.add(written);
    if (machine === undefined) {
      lastAt ??= lastAddresses(machines, past.lastNodes);
      for (const address of lastAt.get(node.uid) ?? []) addresses.add(address);
    }
    const marked = machines.get(node.mark?.machineId ?? '')?.address;
    if (marked !== undefined) addresses.add(marked);
    const answered = past.answered.get(node.uid) ?? [];
    for (const address of answered) addresses.add(address);
    if (machine?.address !== undefined) addresses.delete(machine.address);
    const all = machine?.address === undefined ? [...addresses] : [machine.address, ...addresses];
    const isKnownElsewhere = answered.some((address) => otherNodeAt(address, node) === undefined);
    const isOfTwoHosts = (other: Node) =>
      (past.besideOthers.get(node.uid) ?? 0) >= TWO_HOSTS_MS ||
      (machine !== undefined && areTwoHosts(node, machine, other));
    const found = all.map((address): KubeletEndpoint => {
      const otherNode = otherNodeAt(address, node);
      if (otherNode === undefined) return { address, otherNode };
      const isMachines = address === machine?.address;
      // At an address that fleet gives to its machine and to another one, the answer may be its own.
      if (isMachines && isShared(lists, address)) return { address, otherNode: undefined };
      const isContested = isKnownElsewhere
        ? isMachines && areTwoHosts(node, machine, otherNode)
        : isOfTwoHosts(otherNode);
      return { address, otherNode, isContested };
    });
    return machine === undefined || machine.address !== undefined ? found : [...found, ...clonesOf(machine, node, all)];
  }

  /** Where fleet lists its machine at several addresses: any of them may be its own. */
  function clonesOf({ addresses }: Machine, node: Node, known: readonly string[]): readonly KubeletEndpoint[] {
    const others = addresses.filter((address) => !known.includes(address));
    return others.map((address) => ({ address, otherNode: otherNodeAt(address, node), isContested: true }));
  }

  /** Whether a node of the machine and another one at its address are those of two hosts, and not two names of one kubelet. */
  function areTwoHosts({ facts }: Node, { id }: Machine, other: Node): boolean {
    const otherId = machineIds.get(other) ?? id;
    const reported = other.facts?.machineId ?? '';
    return (otherId !== id && machines.has(otherId)) || (facts?.machineId === id && reported !== '' && reported !== id);
  }

  function endpointsOf(node: Node): readonly KubeletEndpoint[] {
    const known = endpoints.get(node) ?? findEndpoints(node);
    endpoints.set(node, known);
    return known;
  }

  function evidenceOf(node: Node, kubelets: ReadonlyMap<string, KubeletAnswer>): Evidence {
    const machineId = machineIds.get(node);
    const machine = machines.get(machineId ?? '');
    const checked = endpointsOf(node);
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
      hasOwnAddress: addressesOf(node).some((address) => isOwn(address, node)),
      isReporting: isUp,
      ready,
      successor: reporting.get(machineId ?? '')?.find((other) => other !== node),
      // What is not known counts as alive.
      alive: isUp || kubelet !== 'silent' || ready === 'unread' || ready === 'unreadable',
    };
  }

  return { endpointsOf, evidenceOf };
}

/** What earlier passes of this process learned of nodes. */
export interface Past {
  /** By machine id: the last node it was paired with. */
  readonly lastNodes: ReadonlyMap<string, Pick<LastNode, 'uid'>>;
  /** By node uid: the addresses at which its kubelet was reachable. */
  readonly answered: ReadonlyMap<string, readonly string[]>;
  /** By node uid: for how many ms it was reporting beside another reporting node at its address or of its machine. */
  readonly besideOthers: ReadonlyMap<string, number>;
}

const NO_PAST: Past = { lastNodes: new Map(), answered: new Map(), besideOthers: new Map() };

/** Two nodes that were both reporting for so long are those of two hosts: a kubelet that is renamed stops to report the old one. */
const TWO_HOSTS_MS = 5 * 60_000;

/**
 * By node uid: the addresses of the machines that were paired with it last. Without them the kubelet of a host that was reinstalled, with
 * another machine ID and another address, would not be checked.
 */
function lastAddresses(
  machines: ReadonlyMap<string, Machine>,
  lastNodes: Past['lastNodes'],
): ReadonlyMap<string, readonly string[]> {
  const addresses = new Map<string, string[]>();
  for (const { id, address } of machines.values()) {
    const uid = lastNodes.get(id)?.uid;
    if (address !== undefined && uid !== undefined) addTo(addresses, uid, address);
  }
  return addresses;
}

function idOfMachine(
  { name, facts, mark }: Node,
  machines: ReadonlyMap<string, Machine>,
  { byNode }: Pairing,
): string | undefined {
  const paired = byNode.get(name)?.machine.id;
  if (paired !== undefined) return paired;
  // Kubelets from one image report the same ID, which may be that of a listed host: so the annotation comes first.
  const reported = facts?.machineId ?? '';
  const marked = mark?.machineId;
  if (marked !== undefined && machines.has(marked)) return marked;
  return machines.has(reported) ? reported : marked;
}

/**
 * Which nodes have which addresses. The kubelet at an address is that of another node when that node is reporting and
 *
 *     reports the address, or reports none and has it in its annotation
 *     or is the node of the machine to which fleet gives the address, and reports no address that no other reporting node has
 */
function addressOwners({ machinesAt, nodes, era }: IndexedLists, { byMachine }: Pairing) {
  const reporters = new Map<string, Node[]>();
  const others = new Map<string, Node[]>();
  for (const node of nodes) {
    if (!isReporting(node, era)) continue;
    const addresses = addressesOf(node);
    for (const address of addresses) addTo(reporters, address, node);
    const written = addresses.length === 0 ? usableAddress(node.mark?.address ?? '') : undefined;
    if (written !== undefined) addTo(others, written, node);
  }
  const isOwn = (address: string, node: Node) => reporters.get(address)?.every((each) => each === node) ?? true;
  for (const [address, sharers] of machinesAt) {
    for (const { id } of sharers) {
      const node = byMachine.get(id)?.node;
      if (node === undefined || !isReporting(node, era) || reports(node, address)) continue;
      if (!addressesOf(node).some((each) => isOwn(each, node))) addTo(others, address, node);
    }
  }
  const otherNodeAt = (address: string, node: Node) => {
    const isOther = (each: Node) => each !== node;
    return reporters.get(address)?.find(isOther) ?? others.get(address)?.find(isOther);
  };
  return { otherNodeAt, isOwn };
}

function addTo<T>(index: Map<string, T[]>, key: string, value: T): void {
  const found = index.get(key);
  if (found === undefined) index.set(key, [value]);
  else found.push(value);
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
  const answeredAt: string[] = [];
  for (const { address, otherNode, isContested } of endpoints) {
    const answer = otherNode === undefined || isContested === true ? kubelets.get(address) : undefined;
    if (answer === undefined || answer.state === 'silent') continue;
    if (otherNode === undefined && isContested !== true) answeredAt.push(address);
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

/** Whether answers at the address still belong to that other node, which was read again as `current`. */
export function isStillAt(before: Node, current: Node, address: string, era: Era): boolean {
  const reportedIt = reports(before, address);
  return current.uid === before.uid && isReporting(current, era) && (!reportedIt || reports(current, address));
}

/** `kubelet unreachable; node Unknown` */
export function describe({ kubelet, ready }: Evidence): string {
  return `kubelet ${KUBELET_WORDS[kubelet]}; ${READY_WORDS[ready]}`;
}

/** The states of a kubelet for people. */
export const KUBELET_WORDS: Readonly<Record<Evidence['kubelet'], string>> = {
  healthy: 'healthy',
  answers: 'unhealthy',
  silent: 'unreachable',
  unasked: 'not checked',
};

/** `node Ready` */
export function describeReady({ ready }: Evidence): string {
  return READY_WORDS[ready];
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
