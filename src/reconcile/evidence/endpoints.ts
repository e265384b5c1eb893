/** The addresses at which a node's kubelet is checked, and to which node an answer there belongs. No I/O. */
import type { Era } from '../../kubernetes/registry.ts';
import { usableAddress } from '../../network/address.ts';
import { forEach, type Steps } from '../../time/steps.ts';
import type { Machine } from './machines.ts';
import { addTo } from './multimap.ts';
import { addressesOf, isReporting, type Node, reports } from './node.ts';
import { type IndexedLists, isShared, type LastNode, type Pairing } from './pair.ts';

/** An address at which a node's kubelet is checked. */
export interface KubeletEndpoint {
  readonly address: string;
  /** Another node whose kubelet answers there, so that an answer is not this node's. */
  readonly otherNode: Node | undefined;
  /** Two hosts have the address, so that an answer is of either. It keeps the node and counts for nothing else. */
  readonly isContested?: boolean;
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

export const NO_PAST: Past = { lastNodes: new Map(), answered: new Map(), besideOthers: new Map() };

/** Two nodes that were both reporting for so long are those of two hosts: a renamed kubelet no longer reports the old one. */
const TWO_HOSTS_MS = 5 * 60_000;

/** So many nodes that report one address are behind NAT: it belongs to none of them. */
const BEHIND_NAT = 3;

/**
 * By node uid: the addresses of the machines that were paired with it last and have no node now. Without them the kubelet of a host that was
 * reinstalled, with another machine ID and another address, would not be checked.
 */
function lastAddresses(
  machines: ReadonlyMap<string, Machine>,
  { byMachine }: Pairing,
  lastNodes: Past['lastNodes'],
): ReadonlyMap<string, readonly string[]> {
  const addresses = new Map<string, string[]>();
  for (const { id, addresses: listedAt } of machines.values()) {
    if (byMachine.has(id)) continue;
    const uid = lastNodes.get(id)?.uid;
    if (uid !== undefined) for (const address of listedAt) addTo(addresses, uid, address);
  }
  return addresses;
}

/** Finds the endpoints of nodes. */
export interface Endpoints {
  /** Where the kubelet of the node is checked: at its machine's address first. */
  endpointsOf(node: Node): readonly KubeletEndpoint[];
  /** Whether the node reports an address that no other reporting node has. */
  hasOwnAddress(node: Node): boolean;
}

/** The endpoints for one pairing. `machineIdOf` is that of the liveness rules. */
export function* findEndpoints(
  lists: IndexedLists,
  pairing: Pairing,
  machineIdOf: (node: Node) => string | undefined,
  past: Past,
): Steps<Endpoints> {
  const { machines } = lists;
  const { otherNodeAt, hasOwnAddress, isBehindNat } = yield* addressOwners(lists, pairing);
  const lastAt = lastAddresses(machines, pairing, past.lastNodes);
  const endpoints = new Map<Node, readonly KubeletEndpoint[]>();

  /** Every address where the kubelet of the node may be: its machine's first. */
  function addressesFor(node: Node, machine: Machine | undefined): ReadonlySet<string> {
    const addresses = new Set(machine?.address === undefined ? [] : [machine.address]);
    const add = (address: string | undefined) => address !== undefined && addresses.add(address);
    addressesOf(node).forEach(add);
    add(usableAddress(node.mark?.address ?? ''));
    lastAt.get(node.uid)?.forEach(add);
    // Where fleet has another machine by now, an answer is that one's.
    const addUnlessAnothers = (address: string | undefined) =>
      address !== undefined && !isAnothers(address, machine) && addresses.add(address);
    if (!addresses.has(node.name)) addUnlessAnothers(usableAddress(node.name));
    const answered = past.answered.get(node.uid) ?? [];
    // Without conditions nothing shows whose kubelet answers.
    answered.forEach(lists.era.keepsConditions ? add : addUnlessAnothers);
    // Its machine may be another one than fleet says, where it does not report the ID.
    if (reportsItsMachine(node, machine) || !lists.era.keepsConditions) return addresses;
    for (const other of machinesNamedBy(node)) if (other !== machine) other.addresses.forEach(add);
    return addresses;
  }

  function reportsItsMachine({ facts }: Node, machine: Machine | undefined): boolean {
    return machine !== undefined && facts?.machineId === machine.id;
  }

  /** The listed machine that its annotation names; and the one whose ID it reports, unless another node has that machine. */
  function machinesNamedBy({ mark, facts }: Node): readonly Machine[] {
    const reported = facts?.machineId ?? '';
    const ids = pairing.byMachine.has(reported) ? [mark?.machineId] : [mark?.machineId, reported];
    return ids.flatMap((id) => machines.get(id ?? '') ?? []);
  }

  /** Whether fleet gives the address to another machine. */
  function isAnothers(address: string, machine: Machine | undefined): boolean {
    return lists.machinesAt.get(address)?.some(({ id }) => id !== machine?.id) === true;
  }

  function find(node: Node): readonly KubeletEndpoint[] {
    const machine = machines.get(machineIdOf(node) ?? '');
    const addresses = addressesFor(node, machine);
    const answered = past.answered.get(node.uid) ?? [];
    // Where it was before says nothing of where it is now.
    const isPresent = (address: string) =>
      address === machine?.address || address === node.mark?.address || reports(node, address);
    const isKnownElsewhere = answered.some((address) => isPresent(address) && otherNodeAt(address, node) === undefined);
    const wasBesideOthers = (past.besideOthers.get(node.uid) ?? 0) >= TWO_HOSTS_MS;
    const found = [...addresses].map((address): KubeletEndpoint => {
      const otherNode = otherNodeAt(address, node);
      if (otherNode === undefined) return { address, otherNode };
      const isMachines = address === machine?.address;
      // At an address that fleet gives to its machine and to another one, the answer may be its own.
      if (isMachines && isShared(lists, address)) return { address, otherNode: undefined };
      const areTwo =
        machine === undefined ? isListedElsewhere(otherNode, address) : areTwoHosts(node, machine, otherNode);
      if (isKnownElsewhere && isBehindNat(address, node) && !answered.includes(address)) {
        return { address, otherNode, isContested: isMachines && areTwo };
      }
      // At a former address of its own the other node is alone.
      if (reportsItsMachine(node, machine) && !isPresent(address)) return { address, otherNode };
      const isMarked = isMachines && node.mark?.machineId === machine?.id;
      const isBeside = wasBesideOthers && (isMarked || reports(node, address) || !hasOwnAddress(node));
      const isContested = isBeside || areTwo || isAtHomeElsewhere(otherNode, address, machine);
      return { address, otherNode, isContested };
    });
    // A machine that fleet lists at several addresses has no `address`: its kubelet may be at any of them.
    for (const address of machine?.addresses ?? []) {
      if (!addresses.has(address)) found.push({ address, otherNode: otherNodeAt(address, node), isContested: true });
    }
    return found;
  }

  /** Whether a node of the machine and another one at its address are those of two hosts, and not two names of one kubelet. */
  function areTwoHosts({ facts }: Node, { id }: Machine, other: Node): boolean {
    const otherId = machineIdOf(other) ?? id;
    const reported = other.facts?.machineId ?? '';
    return (otherId !== id && machines.has(otherId)) || (facts?.machineId === id && reported !== '' && reported !== id);
  }

  /** Whether fleet lists the machine of the other node, but not at the address. */
  function isListedElsewhere(other: Node, address: string): boolean {
    const machine = machines.get(machineIdOf(other) ?? '');
    return machine !== undefined && !machine.addresses.includes(address);
  }

  /** Whether the other node has the address from fleet alone, and its kubelet answered where fleet lists another machine. */
  function isAtHomeElsewhere(other: Node, address: string, machine: Machine | undefined): boolean {
    const answered = past.answered.get(other.uid) ?? [];
    return !reports(other, address) && answered.some((each) => each !== address && isAnothers(each, machine));
  }

  function endpointsOf(node: Node): readonly KubeletEndpoint[] {
    const known = endpoints.get(node) ?? find(node);
    endpoints.set(node, known);
    return known;
  }

  return { endpointsOf, hasOwnAddress };
}

interface AddressOwners extends Pick<Endpoints, 'hasOwnAddress'> {
  /** Whether so many nodes report the address, this node and those that are reporting, that it tells them not apart. */
  isBehindNat(address: string, node: Node): boolean;
  /** Another node whose kubelet answers at the address. */
  otherNodeAt(address: string, node: Node): Node | undefined;
}

/**
 * Which nodes have which addresses. The kubelet at an address is that of another node when that node is reporting and
 *
 *     reports the address, or reports none and has it in its annotation
 *     or is the node of the machine to which fleet gives the address, and reports no address that no other reporting node has
 */
function* addressOwners({ machinesAt, nodes, era }: IndexedLists, { byMachine }: Pairing): Steps<AddressOwners> {
  const reporters = new Map<string, Node[]>();
  const others = new Map<string, Node[]>();
  yield* forEach(nodes, (node) => {
    if (!isReporting(node, era)) return;
    const addresses = addressesOf(node);
    for (const address of addresses) addTo(reporters, address, node);
    const written = addresses.length === 0 ? usableAddress(node.mark?.address ?? '') : undefined;
    if (written !== undefined) addTo(others, written, node);
  });
  const isOwn = (address: string, node: Node) => reporters.get(address)?.every((each) => each === node) ?? true;
  const hasOwnAddress = (node: Node) => addressesOf(node).some((address) => isOwn(address, node));
  yield* forEach(machinesAt, ([address, sharers]) => {
    for (const { id } of sharers) {
      const node = byMachine.get(id)?.node;
      if (node === undefined || !isReporting(node, era) || reports(node, address)) continue;
      if (!hasOwnAddress(node)) addTo(others, address, node);
    }
  });
  const otherNodeAt = (address: string, node: Node) => {
    const isOther = (each: Node) => each !== node;
    return reporters.get(address)?.find(isOther) ?? others.get(address)?.find(isOther);
  };
  const isBehindNat = (address: string, node: Node) => {
    const all = new Set(reporters.get(address));
    if (reports(node, address)) all.add(node);
    return all.size >= BEHIND_NAT;
  };
  return { otherNodeAt, hasOwnAddress, isBehindNat };
}

/** Whether answers at the address still belong to that other node, which was read again as `current`. */
export function isStillAt(before: Node, current: Node, address: string, era: Era): boolean {
  const reportedIt = reports(before, address);
  return current.uid === before.uid && isReporting(current, era) && (!reportedIt || reports(current, address));
}
