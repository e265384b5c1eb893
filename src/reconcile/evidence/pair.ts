/** Which node belongs to which machine. No I/O, no clock: the same lists give the same pairs. */
import type { Era } from '../../kubernetes/registry.ts';
import { atOnce, forEach, type Steps } from '../../time/steps.ts';
import { type Candidate, isCandidate, type Machine, machinesByAddress } from './machines.ts';
import type { Origin } from './marks.ts';
import { addTo } from './multimap.ts';
import { addressesOf, hasOwnName, isReporting, type Node, reports } from './node.ts';

/** What NODE_NAME gives a machine: a name, or why there is none. */
export type GivenName = { readonly name: string } | { readonly problem: string };

/** By what a node matches a machine, the strongest claim first. */
const CLAIMS = ['id', 'address', 'name', 'mark'] as const;
export type Claim = (typeof CLAIMS)[number];

/** Each claim for people, as in `matched by machine ID`. */
export const CLAIM_WORDS: Readonly<Record<Claim, string>> = {
  id: 'machine ID',
  address: 'address',
  name: 'name',
  mark: 'annotation',
};

export interface Pair {
  readonly machine: Candidate;
  readonly node: Node;
  readonly claim: Claim;
}

/** The node that a machine was paired with in this or an earlier pass. */
export interface LastNode {
  readonly name: string;
  readonly uid: string;
  readonly origin: Origin;
}

/** Why a machine has no node although nodes match it: another machine's claim is better, or several nodes match it equally. */
export type Conflict =
  | { readonly kind: 'taken'; readonly node: Node; readonly by: Candidate }
  | { readonly kind: 'ambiguous'; readonly claim: Claim; readonly nodes: readonly Node[] };

export interface Pairing {
  /** By machine id. A machine that is neither here nor in `conflicts` has no matching node. */
  readonly byMachine: ReadonlyMap<string, Pair>;
  /** By node name. */
  readonly byNode: ReadonlyMap<string, Pair>;
  /** By machine id. */
  readonly conflicts: ReadonlyMap<string, Conflict>;
  /** Names of nodes that match one machine equally: none of them is deregistered. */
  readonly contested: ReadonlySet<string>;
  /** Names of nodes in two claims of any strength: these are read again in every pass. */
  readonly claimedTwice: ReadonlySet<string>;
}

/** What fleet, NODE_NAME and Kubernetes list, before anything is paired. */
export interface Lists {
  /** By id: every machine that fleet lists. */
  readonly machines: ReadonlyMap<string, Machine>;
  readonly nodes: readonly Node[];
  /** By machine id, for candidates: the name that NODE_NAME gives. */
  readonly names: ReadonlyMap<string, GivenName>;
  readonly era: Era;
}

/** The lists with indexes. */
export interface IndexedLists extends Lists {
  /** The machines by every address that fleet gives them. An address of two machines identifies neither. */
  readonly machinesAt: ReadonlyMap<string, readonly Machine[]>;
  /** The names that NODE_NAME gives to the machines of this pass. */
  readonly givenNames: ReadonlySet<string>;
}

export function indexLists(lists: Lists): IndexedLists {
  const givenNames = new Set<string>();
  for (const given of lists.names.values()) if ('name' in given) givenNames.add(given.name);
  return { ...lists, machinesAt: machinesByAddress(lists.machines.values()), givenNames };
}

/** Whether fleet gives the address to more than one machine. */
export function isShared({ machinesAt }: Pick<IndexedLists, 'machinesAt'>, address: string): boolean {
  return (machinesAt.get(address)?.length ?? 0) > 1;
}

/**
 * The machine of a node by the liveness rules: the one paired with it, else the listed one that its annotation names, else the listed one whose ID it
 * reports, else the one that its annotation names.
 */
export function idOfMachine({ name, facts, mark }: Node, { machines }: Lists, { byNode }: Pairing): string | undefined {
  const paired = byNode.get(name)?.machine.id;
  if (paired !== undefined) return paired;
  // Kubelets from one image report the same ID, which may be that of a listed host: so the annotation comes first.
  const reported = facts?.machineId ?? '';
  const marked = mark?.machineId;
  if (marked !== undefined && machines.has(marked)) return marked;
  return machines.has(reported) ? reported : marked;
}

/**
 * Pairs machines with nodes, the strongest claim first, each machine and node once. A node that reports the ID of a machine that fleet lists
 * can belong to that machine only. Any other ID is ignored, and so is an address that fleet gives to two machines.
 *
 *     id        reports the machine's id, and is reporting or reports the machine's address
 *     address   reports the machine's address, and is reporting, or has the name that NODE_NAME gives the machine, or has its annotation
 *     name      has the name that NODE_NAME gives the machine, and reports no other candidate's address
 *     mark      has the machine's annotation under a name that its kubelet chose, is reporting, and reports no address of another machine that fleet lists
 *
 * Several nodes for a machine: those reporting, of these those at the machine's address, of these those with its annotation; if more than one is
 * left, the machine is in conflict. Several machines for a node: the one that its annotation names, else the smallest ID; the others try weaker
 * claims.
 */
export function pair(lists: IndexedLists): Pairing {
  return atOnce(pairInSteps(lists));
}

/** `pair` in steps that take less than 0.1 s each for 20,000 nodes. */
export function* pairInSteps(lists: IndexedLists): Steps<Pairing> {
  const index = yield* indexNodes(lists.nodes);
  const candidates = [...lists.machines.values()].filter(isCandidate).sort((a, b) => (a.id < b.id ? -1 : 1));
  const claimants: Claimant[] = [];
  yield* forEach(candidates, (machine) => claimants.push({ machine, claims: claimsOf(machine, index, lists) }));
  const byMachine = new Map<string, Pair>();
  const byNode = new Map<string, Pair>();
  const conflicts = new Map<string, Conflict>();

  for (const claim of CLAIMS) {
    yield;
    const chosen = new Map<string, Pair>();
    for (const { machine, claims } of claimants) {
      if (byMachine.has(machine.id) || conflicts.get(machine.id)?.kind === 'ambiguous') continue;
      const matching = filterNodes(claims[claim], ({ name }) => !byNode.has(name));
      const best = bestMatches(matching, machine, lists);
      const [node, ...others] = best;
      if (node === undefined) continue;
      if (others.length > 0) {
        conflicts.set(machine.id, { kind: 'ambiguous', claim, nodes: best });
        continue;
      }
      const rival = chosen.get(node.name);
      if (rival === undefined || node.mark?.machineId === machine.id) {
        chosen.set(node.name, { machine, node, claim });
        conflicts.delete(machine.id);
        if (rival !== undefined) conflicts.set(rival.machine.id, { kind: 'taken', node, by: machine });
      } else {
        conflicts.set(machine.id, { kind: 'taken', node, by: rival.machine });
      }
    }
    yield;
    for (const found of chosen.values()) {
      byMachine.set(found.machine.id, found);
      byNode.set(found.node.name, found);
    }
  }

  yield;
  for (const id of byMachine.keys()) conflicts.delete(id);
  const contested = [...conflicts.values()].flatMap((each) => (each.kind === 'ambiguous' ? each.nodes : []));
  return {
    byMachine,
    byNode,
    conflicts,
    contested: new Set(contested.map(({ name }) => name)),
    claimedTwice: findClaimedTwice(claimants),
  };
}

/** The nodes of a machine by claim, before anything is paired. */
type Claims = Readonly<Record<Claim, readonly Node[]>>;

interface Claimant {
  readonly machine: Candidate;
  readonly claims: Claims;
}

function claimsOf(machine: Candidate, index: NodeIndex, lists: IndexedLists): Claims {
  const { machinesAt, names, givenNames, era } = lists;
  const { id, address } = machine;
  const given = names.get(id);
  const givenName = given !== undefined && 'name' in given ? given.name : undefined;
  const isAddressShared = isShared(lists, address);
  const isMarked = (node: Node) => node.mark?.machineId === id;
  const isCandidateAt = (taken: string) => machinesAt.get(taken)?.some(isCandidate) === true;
  const own = (nodesOfKey: readonly Node[], matches: (node: Node) => boolean) =>
    filterNodes(nodesOfKey, (node) => !belongsToAnother(node, machine, lists) && matches(node));
  return {
    id: filterNodes(
      nodesAt(index.byMachineId, id),
      (node) => isReporting(node, era) || (!isAddressShared && reports(node, address)),
    ),
    address: isAddressShared
      ? NONE
      : own(
          nodesAt(index.byAddress, address),
          (node) => isReporting(node, era) || node.name === givenName || isMarked(node),
        ),
    // A name that comes from a shared address identifies no more than the address.
    name: own(
      nodesAt(index.byName, givenName ?? ''),
      (node) => (!isAddressShared || isMarked(node)) && !reportsAnyOf(node, machine, isCandidateAt),
    ),
    mark: own(
      nodesAt(index.byMark, id),
      (node) =>
        hasOwnName(node, givenNames) &&
        isReporting(node, era) &&
        !reportsAnyOf(node, machine, (each) => machinesAt.has(each)),
    ),
  };
}

function belongsToAnother({ facts }: Node, { id }: Candidate, { machines }: IndexedLists): boolean {
  return facts !== undefined && facts.machineId !== id && machines.has(facts.machineId);
}

/** Whether the node reports any taken address beside that of the machine. */
function reportsAnyOf(node: Node, machine: Candidate, isTaken: (address: string) => boolean): boolean {
  return addressesOf(node).some((address) => address !== machine.address && isTaken(address));
}

const NONE: readonly Node[] = [];

function nodesAt(index: ReadonlyMap<string, readonly Node[]>, key: string): readonly Node[] {
  return index.get(key) ?? NONE;
}

/** `filter` without a copy where all nodes match: a pass filters four lists of each machine, nearly all of one node or none. */
function filterNodes(nodes: readonly Node[], matches: (node: Node) => boolean): readonly Node[] {
  return nodes.every(matches) ? nodes : nodes.filter(matches);
}

/** The nodes that match best; more than one when several match equally. */
function bestMatches(matching: readonly Node[], machine: Candidate, { era }: IndexedLists): readonly Node[] {
  if (matching.length <= 1) return matching;
  const traits: readonly ((node: Node) => boolean)[] = [
    (node) => isReporting(node, era),
    (node) => reports(node, machine.address),
    (node) => node.mark?.machineId === machine.id,
  ];
  let best = matching;
  for (const hasTrait of traits) {
    if (best.length <= 1) break;
    const better = best.filter(hasTrait);
    if (better.length > 0) best = better;
  }
  return best;
}

/** The names of nodes that several machines claim, and those of a machine that claims several. */
function findClaimedTwice(claimants: readonly Claimant[]): ReadonlySet<string> {
  const claimedBy = new Map<Node, string>();
  const twice = new Set<string>();
  for (const { machine, claims } of claimants) {
    let first: Node | undefined;
    for (const claim of CLAIMS) {
      for (const node of claims[claim]) {
        first ??= node;
        if (node !== first) twice.add(node.name).add(first.name);
        if ((claimedBy.get(node) ?? machine.id) !== machine.id) twice.add(node.name);
        claimedBy.set(node, machine.id);
      }
    }
  }
  return twice;
}

type NodesByKey = ReadonlyMap<string, readonly Node[]>;
type NodeIndex = Readonly<Record<'byMachineId' | 'byMark' | 'byName' | 'byAddress', NodesByKey>>;

/** The nodes by what claims look up. A node that is being deleted is in no claim. */
function* indexNodes(nodes: readonly Node[]): Steps<NodeIndex> {
  const byMachineId = new Map<string, Node[]>();
  const byMark = new Map<string, Node[]>();
  const byName = new Map<string, Node[]>();
  const byAddress = new Map<string, Node[]>();
  yield* forEach(nodes, (node) => {
    if (node.leaving !== undefined) return;
    const { facts, mark, name } = node;
    if (facts?.machineId) addTo(byMachineId, facts.machineId, node);
    if (mark !== undefined) addTo(byMark, mark.machineId, node);
    if (name !== '') addTo(byName, name, node);
    for (const address of addressesOf(node)) addTo(byAddress, address, node);
  });
  return { byMachineId, byMark, byName, byAddress };
}
