/** Whether a node is alive (DESIGN 4), and by what evidence: pure. */

import type { KubeletAnswer } from '../../kubelet/kubelet.ts';
import type { Era, ReadyCondition } from '../../kubernetes/registry.ts';
import { usableAddress } from '../../network/address.ts';
import type { Machine } from './machines.ts';
import { addressesOf, isReporting, type Node, reports } from './node.ts';
import { isShared, type LastNode, type Listed, type Pairing } from './pair.ts';

/** Everything that one pass saw. Complete, or there is no observation. */
export interface Observation extends Listed {
  readonly pairing: Pairing;
  readonly liveness: Liveness;
  /** Records of the listing that name no machine. */
  readonly skippedRecords: number;
  /** Why the API server could not list its nodes; there are none then, and that says nothing. */
  readonly unlistable: string | undefined;
  /** By address: the kubelets that were asked. */
  readonly kubelets: ReadonlyMap<string, KubeletAnswer>;
}

/** One address at which a node's kubelet is asked. */
export interface Place {
  readonly address: string;
  /** The other node whose kubelet it is that answers there: an answer is not this node's. */
  readonly tenant: Node | undefined;
  /** Two hosts have the address: an answer is the tenant's or this node's. It keeps the node, and proves nothing else. */
  readonly isContested?: boolean;
}

/** What is known of a node's life in this pass. */
export interface Evidence {
  /** The machine paired with it, else the listed one that its mark names, else the listed one whose id it reports. */
  readonly machine: Machine | undefined;
  /** Its machine's id; where fleet lists none, the one that its mark names. */
  readonly machineId: string | undefined;
  readonly fleet: 'matches' | 'no-match' | 'not-listed';
  /** `unasked`: it has no address, or not all were asked. */
  readonly kubelet: 'healthy' | 'answers' | 'silent' | 'unasked';
  /** What the kubelet's answer rests on, for people. */
  readonly kubeletDetail: string;
  readonly places: readonly Place[];
  /** It reports an address that no other node reports that is reporting. */
  readonly hasOwnAddress: boolean;
  /** Where its own kubelet answered. */
  readonly answeredAt: readonly string[];
  readonly isReporting: boolean;
  /** `unread`: it was not read in this pass, because its kubelet answered. */
  readonly ready: ReadyCondition | 'unread';
  /** Another node of its machine that is reporting. */
  readonly successor: Node | undefined;
  /** While this is true the node is never deregistered, whatever fleet says. */
  readonly alive: boolean;
}

/** What tells of a node's life, for all nodes of a pass. */
export interface Liveness {
  /** Where its kubelet is asked: its machine's address first. */
  placesOf(node: Node): readonly Place[];
  evidenceOf(node: Node, kubelets: ReadonlyMap<string, KubeletAnswer>): Evidence;
}

/** Works from the pairing and the last ones alone, so that it can tell whom to ask before anybody was asked. */
export function livenessOf(listed: Listed, pairing: Pairing, lastNodes: LastNodes = NO_LAST_NODES): Liveness {
  const { machines, nodes, era } = listed;
  const { tenantOf, isOwn } = tenants(listed, pairing);
  const machineIds = new Map<Node, string>();
  const reporting = new Map<string, Node[]>();
  const places = new Map<Node, readonly Place[]>();
  let lastAt: ReadonlyMap<string, readonly string[]> | undefined;
  for (const node of nodes) {
    const id = idOfMachine(node, machines, pairing);
    if (id === undefined) continue;
    machineIds.set(node, id);
    if (isReporting(node, era)) file(reporting, id, node);
  }

  function findPlaces(node: Node): readonly Place[] {
    const machine = machines.get(machineIds.get(node) ?? '');
    const written = usableAddress(node.mark?.address ?? '');
    const addresses = new Set(addressesOf(node));
    if (written !== undefined) addresses.add(written);
    if (machine === undefined) {
      lastAt ??= lastAddresses(machines, lastNodes);
      for (const address of lastAt.get(node.uid) ?? []) addresses.add(address);
    }
    if (machine?.address !== undefined) addresses.delete(machine.address);
    const others = [...addresses];
    const all = machine?.address === undefined ? others : [machine.address, ...others];
    return all.map((address) => {
      const tenant = tenantOf(address, node);
      if (tenant === undefined || address !== machine?.address) return { address, tenant };
      // Of an address that fleet gives to its machine and to another one, nobody can tell whose kubelet answers: it may be its own.
      if (isShared(listed, address)) return { address, tenant: undefined };
      return { address, tenant, isContested: areTwoHosts(node, machine, tenant) };
    });
  }

  /** Whether a node of the machine and another one at its address are those of two hosts, and not two names of one kubelet. */
  function areTwoHosts({ facts }: Node, { id }: Machine, other: Node): boolean {
    const otherId = machineIds.get(other) ?? id;
    const reported = other.facts?.machineId ?? '';
    return (otherId !== id && machines.has(otherId)) || (facts?.machineId === id && reported !== '' && reported !== id);
  }

  function placesOf(node: Node): readonly Place[] {
    const known = places.get(node) ?? findPlaces(node);
    places.set(node, known);
    return known;
  }

  function evidenceOf(node: Node, kubelets: ReadonlyMap<string, KubeletAnswer>): Evidence {
    const machineId = machineIds.get(node);
    const machine = machines.get(machineId ?? '');
    const asked = placesOf(node);
    const isUp = isReporting(node, era);
    const { kubelet, kubeletDetail, answeredAt } = kubeletOf(asked, kubelets);
    const ready = node.facts !== undefined && (node.isFresh || isUp) ? node.facts.ready : 'unread';
    return {
      machine,
      machineId,
      fleet: machine === undefined ? 'not-listed' : machine.matches ? 'matches' : 'no-match',
      kubelet,
      kubeletDetail,
      answeredAt,
      places: asked,
      hasOwnAddress: addressesOf(node).some((address) => isOwn(address, node)),
      isReporting: isUp,
      ready,
      successor: reporting.get(machineId ?? '')?.find((other) => other !== node),
      // Whoever cannot tell does not act.
      alive: isUp || kubelet !== 'silent' || ready === 'unread' || ready === 'unreadable',
    };
  }

  return { placesOf, evidenceOf };
}

/** By machine id. */
type LastNodes = ReadonlyMap<string, Pick<LastNode, 'uid'>>;

const NO_LAST_NODES: LastNodes = new Map();

/**
 * By node uid: the addresses of the machines that were paired with it last. Nothing else leads from a node to its host that was installed anew, with
 * another machine id, and has another address now.
 */
function lastAddresses(
  machines: ReadonlyMap<string, Machine>,
  lastNodes: LastNodes,
): ReadonlyMap<string, readonly string[]> {
  const addresses = new Map<string, string[]>();
  for (const { id, address } of machines.values()) {
    const uid = lastNodes.get(id)?.uid;
    if (address !== undefined && uid !== undefined) file(addresses, uid, address);
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
  // One image gives its id to every kubelet, and it may be that of one listed host: a mark that names a listed machine is believed first.
  const reported = facts?.machineId ?? '';
  const marked = mark?.machineId;
  if (marked !== undefined && machines.has(marked)) return marked;
  return machines.has(reported) ? reported : marked;
}

/**
 * Whose answer it is that comes from an address, where it is not the node's own: another node is reporting that reports the address (or reports
 * none, and bears it in its mark), or that is the node of the machine to which fleet gives it and reports no address that no other node
 * that is reporting has.
 */
function tenants({ machinesAt, nodes, era }: Listed, { byMachine }: Pairing) {
  const reporters = new Map<string, Node[]>();
  const others = new Map<string, Node[]>();
  for (const node of nodes) {
    if (!isReporting(node, era)) continue;
    const addresses = addressesOf(node);
    for (const address of addresses) file(reporters, address, node);
    const written = addresses.length === 0 ? usableAddress(node.mark?.address ?? '') : undefined;
    if (written !== undefined) file(others, written, node);
  }
  const isOwn = (address: string, node: Node) => reporters.get(address)?.every((each) => each === node) ?? true;
  for (const [address, inhabitants] of machinesAt) {
    for (const { id } of inhabitants) {
      const node = byMachine.get(id)?.node;
      if (node === undefined || !isReporting(node, era) || reports(node, address)) continue;
      if (!addressesOf(node).some((each) => isOwn(each, node))) file(others, address, node);
    }
  }
  const tenantOf = (address: string, node: Node) => {
    const isOther = (each: Node) => each !== node;
    return reporters.get(address)?.find(isOther) ?? others.get(address)?.find(isOther);
  };
  return { tenantOf, isOwn };
}

function file<T>(index: Map<string, T[]>, key: string, value: T): void {
  const found = index.get(key);
  if (found === undefined) index.set(key, [value]);
  else found.push(value);
}

/** The best answer of those that are the node's own. */
function kubeletOf(
  places: readonly Place[],
  kubelets: ReadonlyMap<string, KubeletAnswer>,
): Pick<Evidence, 'kubelet' | 'kubeletDetail' | 'answeredAt'> {
  if (places.length === 0) {
    return { kubelet: 'unasked', kubeletDetail: 'it has no address at which it could be asked', answeredAt: [] };
  }
  let best: KubeletAnswer | undefined;
  const answeredAt: string[] = [];
  for (const { address, tenant, isContested } of places) {
    const answer = tenant === undefined || isContested === true ? kubelets.get(address) : undefined;
    if (answer === undefined || answer.state === 'silent') continue;
    if (tenant === undefined) answeredAt.push(address);
    if (best === undefined || (best.state !== 'healthy' && answer.state === 'healthy')) best = answer;
  }
  if (best !== undefined && best.state !== 'silent') {
    return { kubelet: best.state, kubeletDetail: best.detail, answeredAt };
  }
  const asked = places.flatMap(({ address, tenant }) => {
    const answer = kubelets.get(address);
    return answer === undefined ? [] : [{ address, tenant, ...answer }];
  });
  if (asked.length < places.length) {
    const unasked = places.filter(({ address }) => !kubelets.has(address)).map(({ address }) => address);
    return { kubelet: 'unasked', kubeletDetail: `${unasked.join(', ')} was not asked`, answeredAt: [] };
  }
  const details = asked.map(({ state, address, tenant, detail }) =>
    state === 'silent' || tenant === undefined ? detail : `the kubelet at ${address} is that of node ${tenant.name}`,
  );
  return { kubelet: 'silent', kubeletDetail: details.join('; '), answeredAt: [] };
}

/** Whether a node at the same address by now is still the one to which its answers belong. */
export function isStillTenant(before: Node, current: Node, address: string, era: Era): boolean {
  const reportedIt = reports(before, address);
  return current.uid === before.uid && isReporting(current, era) && (!reportedIt || reports(current, address));
}

/** `kubelet unreachable; node Unknown` */
export function describe({ kubelet, ready }: Evidence): string {
  const words = { healthy: 'healthy', answers: 'unhealthy', silent: 'unreachable', unasked: 'not asked' };
  return `kubelet ${words[kubelet]}; ${READY_WORDS[ready]}`;
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
