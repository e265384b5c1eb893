/** The addresses at which a node's kubelet is checked, and to which node an answer there belongs. No I/O. */
import type { Era } from '../../kubernetes/registry.ts';
import { usableAddress } from '../../network/address.ts';
import { forEach, type Steps } from '../../time/steps.ts';
import type { Machine } from './machines.ts';
import { addTo } from './multimap.ts';
import { addressesOf, isReporting, type Node, reports } from './node.ts';
import { type IndexedLists, idOfMachine, isShared, type LastNode, type Pairing } from './pair.ts';

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

/** The endpoints of the nodes of one pairing. */
export function* findEndpoints(lists: IndexedLists, pairing: Pairing, past: Past): Steps<Endpoints> {
  return new Endpoints(lists, pairing, past, yield* findAddressOwners(lists, pairing));
}

/** Tells the endpoints of nodes. */
export class Endpoints {
  readonly #lists: IndexedLists;
  readonly #pairing: Pairing;
  readonly #past: Past;
  readonly #owners: AddressOwners;
  readonly #lastAt: ReadonlyMap<string, readonly string[]>;
  readonly #found = new Map<Node, readonly KubeletEndpoint[]>();

  constructor(lists: IndexedLists, pairing: Pairing, past: Past, owners: AddressOwners) {
    this.#lists = lists;
    this.#pairing = pairing;
    this.#past = past;
    this.#owners = owners;
    this.#lastAt = lastAddresses(lists.machines, pairing, past.lastNodes);
  }

  /** Where the kubelet of the node is checked: at its machine's address first. */
  endpointsOf(node: Node): readonly KubeletEndpoint[] {
    const known = this.#found.get(node) ?? this.#find(node);
    this.#found.set(node, known);
    return known;
  }

  /** Whether the node reports an address that no other reporting node has. */
  hasOwnAddress(node: Node): boolean {
    return this.#owners.hasOwnAddress(node);
  }

  /** Every address where the kubelet of the node may be: its machine's first. */
  #addressesFor(node: Node, machine: Machine | undefined): ReadonlySet<string> {
    const { era } = this.#lists;
    const addresses = new Set(machine?.address === undefined ? [] : [machine.address]);
    const add = (address: string | undefined) => address !== undefined && addresses.add(address);
    addressesOf(node).forEach(add);
    const written = node.mark?.address ?? '';
    if (!addresses.has(written)) add(usableAddress(written));
    this.#lastAt.get(node.uid)?.forEach(add);
    // Where fleet has another machine by now, an answer is that one's.
    const addUnlessAnothers = (address: string | undefined) =>
      address !== undefined && !this.#isAnothers(address, machine) && addresses.add(address);
    if (!addresses.has(node.name)) addUnlessAnothers(usableAddress(node.name));
    const answered = this.#past.answered.get(node.uid) ?? [];
    // Without conditions nothing shows whose kubelet answers.
    answered.forEach(era.keepsConditions ? add : addUnlessAnothers);
    // Its machine may be another one than fleet says, where it does not report the ID.
    if (reportsItsMachine(node, machine) || !era.keepsConditions) return addresses;
    for (const other of this.#machinesNamedBy(node)) if (other !== machine) other.addresses.forEach(add);
    return addresses;
  }

  /** The listed machine that its annotation names; and the one whose ID it reports, unless another node has that machine. */
  #machinesNamedBy({ mark, facts }: Node): readonly Machine[] {
    const reported = facts?.machineId ?? '';
    const ids = this.#pairing.byMachine.has(reported) ? [mark?.machineId] : [mark?.machineId, reported];
    return ids.flatMap((id) => this.#lists.machines.get(id ?? '') ?? []);
  }

  /** Whether fleet gives the address to another machine. */
  #isAnothers(address: string, machine: Machine | undefined): boolean {
    return this.#lists.machinesAt.get(address)?.some(({ id }) => id !== machine?.id) === true;
  }

  #find(node: Node): readonly KubeletEndpoint[] {
    const lists = this.#lists;
    const owners = this.#owners;
    const machine = this.#machineOf(node);
    const addresses = this.#addressesFor(node, machine);
    const answered = this.#past.answered.get(node.uid) ?? [];
    // Where it was before says nothing of where it is now.
    const isPresent = (address: string) =>
      address === machine?.address || address === node.mark?.address || reports(node, address);
    const isKnownElsewhere = answered.some(
      (address) => isPresent(address) && owners.otherNodeAt(address, node) === undefined,
    );
    const wasBesideOthers = (this.#past.besideOthers.get(node.uid) ?? 0) >= TWO_HOSTS_MS;
    const found = [...addresses].map((address): KubeletEndpoint => {
      const otherNode = owners.otherNodeAt(address, node);
      if (otherNode === undefined) return { address, otherNode };
      const isMachines = address === machine?.address;
      // At an address that fleet gives to its machine and to another one, the answer may be its own.
      if (isMachines && isShared(lists, address)) return { address, otherNode: undefined };
      const areTwo =
        machine === undefined
          ? this.#isListedElsewhere(otherNode, address)
          : this.#areTwoHosts(node, machine, otherNode);
      if (isKnownElsewhere && owners.isBehindNat(address, node) && !answered.includes(address)) {
        return { address, otherNode, isContested: isMachines && areTwo };
      }
      // At a former address of its own the other node is alone.
      if (reportsItsMachine(node, machine) && !isPresent(address)) return { address, otherNode };
      const isMarked = isMachines && node.mark?.machineId === machine?.id;
      const isBeside = wasBesideOthers && (isMarked || reports(node, address) || !owners.hasOwnAddress(node));
      const isContested = isBeside || areTwo || this.#isAtHomeElsewhere(otherNode, address, machine);
      return { address, otherNode, isContested };
    });
    // A machine that fleet lists at several addresses has no `address`: its kubelet may be at any of them.
    for (const address of machine?.addresses ?? []) {
      if (!addresses.has(address)) {
        found.push({ address, otherNode: owners.otherNodeAt(address, node), isContested: true });
      }
    }
    return found;
  }

  #machineOf(node: Node): Machine | undefined {
    return this.#lists.machines.get(idOfMachine(node, this.#lists, this.#pairing) ?? '');
  }

  /** Whether a node of the machine and another one at its address are those of two hosts, and not two names of one kubelet. */
  #areTwoHosts({ facts }: Node, { id }: Machine, other: Node): boolean {
    const otherId = idOfMachine(other, this.#lists, this.#pairing) ?? id;
    const reported = other.facts?.machineId ?? '';
    const isListed = otherId !== id && this.#lists.machines.has(otherId);
    return isListed || (facts?.machineId === id && reported !== '' && reported !== id);
  }

  /** Whether fleet lists the machine of the other node, but not at the address. */
  #isListedElsewhere(other: Node, address: string): boolean {
    const machine = this.#machineOf(other);
    return machine !== undefined && !machine.addresses.includes(address);
  }

  /** Whether the other node has the address from fleet alone, and its kubelet answered where fleet lists another machine. */
  #isAtHomeElsewhere(other: Node, address: string, machine: Machine | undefined): boolean {
    const answered = this.#past.answered.get(other.uid) ?? [];
    return !reports(other, address) && answered.some((each) => each !== address && this.#isAnothers(each, machine));
  }
}

function reportsItsMachine({ facts }: Node, machine: Machine | undefined): boolean {
  return machine !== undefined && facts?.machineId === machine.id;
}

/** The nodes of some addresses. */
type NodesAt = ReadonlyMap<string, readonly Node[]>;

/**
 * Which nodes have which addresses. The kubelet at an address is that of another node when that node is reporting and
 *
 *     reports the address, or reports none and has it in its annotation
 *     or is the node of the machine to which fleet gives the address, and reports no address that no other reporting node has
 */
class AddressOwners {
  /** The nodes that report an address. */
  readonly #reporters: NodesAt;
  /** The nodes that have it by their annotation or their machine. */
  readonly #others: NodesAt;

  constructor(reporters: NodesAt, others: NodesAt) {
    this.#reporters = reporters;
    this.#others = others;
  }

  /** Another node whose kubelet answers at the address. */
  otherNodeAt(address: string, node: Node): Node | undefined {
    const isOther = (each: Node) => each !== node;
    return this.#reporters.get(address)?.find(isOther) ?? this.#others.get(address)?.find(isOther);
  }

  /** Whether the node reports an address that no other reporting node has. */
  hasOwnAddress(node: Node): boolean {
    return addressesOf(node).some((address) => this.#reporters.get(address)?.every((each) => each === node) ?? true);
  }

  /** Whether so many nodes report the address, this node and those that are reporting, that it tells them not apart. */
  isBehindNat(address: string, node: Node): boolean {
    const all = new Set(this.#reporters.get(address));
    if (reports(node, address)) all.add(node);
    return all.size >= BEHIND_NAT;
  }
}

function* findAddressOwners({ machinesAt, nodes, era }: IndexedLists, { byMachine }: Pairing): Steps<AddressOwners> {
  const reporters = new Map<string, Node[]>();
  const others = new Map<string, Node[]>();
  const owners = new AddressOwners(reporters, others);
  yield* forEach(nodes, (node) => {
    if (!isReporting(node, era)) return;
    const addresses = addressesOf(node);
    for (const address of addresses) addTo(reporters, address, node);
    const written = addresses.length === 0 ? usableAddress(node.mark?.address ?? '') : undefined;
    if (written !== undefined) addTo(others, written, node);
  });
  yield* forEach(machinesAt, ([address, sharers]) => {
    for (const { id } of sharers) {
      const node = byMachine.get(id)?.node;
      if (node === undefined || !isReporting(node, era) || reports(node, address)) continue;
      if (!owners.hasOwnAddress(node)) addTo(others, address, node);
    }
  });
  return owners;
}

/** Whether answers at the address still belong to that other node, which was read again as `current`. */
export function isStillAt(before: Node, current: Node, address: string, era: Era): boolean {
  const reportedIt = reports(before, address);
  return current.uid === before.uid && isReporting(current, era) && (!reportedIt || reports(current, address));
}
