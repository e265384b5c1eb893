/** Which node is a machine's (DESIGN 3): pure, and the same for every pass that sees the same world. */
import type { Era } from '../../kubernetes/registry.ts';
import { type Candidate, isCandidate, type Machine, machinesByAddress } from './machines.ts';
import type { Origin } from './marks.ts';
import { addressesOf, hasOwnName, isReporting, type Node, reports } from './node.ts';

/** What NODE_NAME gives a machine: a name, or why there is none. */
export type GivenName = { readonly name: string } | { readonly problem: string };

/** How a node is known to be a machine's, the strongest claim first. */
const CLAIMS = ['id', 'address', 'name', 'mark'] as const;
export type Claim = (typeof CLAIMS)[number];

/** How people are told of a claim: `matched by machine ID`. */
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

/** The node that a machine was paired with last, in this pass or an earlier one. */
export interface LastNode {
  readonly name: string;
  readonly uid: string;
  readonly origin: Origin;
}

/** Why a machine has no node although nodes fit: another machine's claim is better, or several nodes fit alike. */
export type Conflict =
  | { readonly kind: 'taken'; readonly node: Node; readonly by: Candidate }
  | { readonly kind: 'ambiguous'; readonly claim: Claim; readonly nodes: readonly Node[] };

export interface Pairing {
  /** By machine id. A machine that is neither here nor in `conflicts` has no node. */
  readonly byMachine: ReadonlyMap<string, Pair>;
  /** By node name. */
  readonly byNode: ReadonlyMap<string, Pair>;
  /** By machine id. */
  readonly conflicts: ReadonlyMap<string, Conflict>;
  /** Names of nodes of which one is a machine's, and nobody can tell which: none of them is deregistered. */
  readonly contested: ReadonlySet<string>;
  /** Names of nodes at which two claims meet, at any level: what was read of them earlier does not suffice. */
  readonly met: ReadonlySet<string>;
}

/** What fleet, NODE_NAME and Kubernetes say, before anything is paired. */
export interface Lists {
  /** By id: every machine that fleet lists. */
  readonly machines: ReadonlyMap<string, Machine>;
  readonly nodes: readonly Node[];
  /** By machine id, for candidates: what NODE_NAME gives. */
  readonly names: ReadonlyMap<string, GivenName>;
  readonly era: Era;
}

/** The lists, with what is looked up in them. */
export interface Listed extends Lists {
  /** The machines by every address that fleet gives them: with two of them it is a sign of neither. */
  readonly machinesAt: ReadonlyMap<string, readonly Machine[]>;
  /** The names that NODE_NAME gives to the machines of this pass. */
  readonly givenNames: ReadonlySet<string>;
}

export function listedOf(lists: Lists): Listed {
  const given = [...lists.names.values()].flatMap((each) => ('name' in each ? each.name : []));
  return { ...lists, machinesAt: machinesByAddress(lists.machines.values()), givenNames: new Set(given) };
}

/** Whether fleet gives the address to more than one machine. */
export function isShared({ machinesAt }: Pick<Listed, 'machinesAt'>, address: string): boolean {
  return (machinesAt.get(address)?.length ?? 0) > 1;
}

/**
 * A node that reports the id of a machine that fleet lists can be that machine's only; any other id says nothing, and neither does an
 * address that fleet gives to two machines. Strongest claim first, each machine and node paired once:
 *
 *     id        reports the machine's id, and is reporting or reports the machine's address
 *     address   reports the machine's address, and is reporting, or has the name that NODE_NAME gives the machine, or bears its mark
 *     name      has the name that NODE_NAME gives the machine, and reports no other candidate's address
 *     mark      bears the machine's mark under an own name, is reporting, and reports no address of another machine that fleet lists
 *
 * Several nodes for a machine: those reporting, of these those at the machine's address, of these those with its mark; if more than one is left,
 * the machine is in conflict. Several machines for a node: the one that its mark names, else the smallest id; the others try weaker claims.
 */
export function pair(listed: Listed): Pairing {
  const claimsOf = claimsIn(listed);
  const claimants = [...listed.machines.values()]
    .filter(isCandidate)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((machine) => ({ machine, claims: claimsOf(machine) }));
  const byMachine = new Map<string, Pair>();
  const byNode = new Map<string, Pair>();
  const conflicts = new Map<string, Conflict>();

  for (const claim of CLAIMS) {
    const chosen = new Map<string, Pair>();
    for (const { machine, claims } of claimants) {
      if (byMachine.has(machine.id) || conflicts.get(machine.id)?.kind === 'ambiguous') continue;
      const fitting = those(claims[claim], ({ name }) => !byNode.has(name));
      const best = preferred(fitting, machine, listed);
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
    for (const found of chosen.values()) {
      byMachine.set(found.machine.id, found);
      byNode.set(found.node.name, found);
    }
  }

  for (const id of byMachine.keys()) conflicts.delete(id);
  const contested = [...conflicts.values()].flatMap((each) => (each.kind === 'ambiguous' ? each.nodes : []));
  return {
    byMachine,
    byNode,
    conflicts,
    contested: new Set(contested.map(({ name }) => name)),
    met: meetings(claimants),
  };
}

/** By claim, the nodes that it gives a machine, whatever else is paired. */
type Claims = Readonly<Record<Claim, readonly Node[]>>;

function claimsIn(listed: Listed): (machine: Candidate) => Claims {
  const { machines, machinesAt, nodes, names, givenNames, era } = listed;
  const candidatesAt = new Set([...machines.values()].filter(isCandidate).map(({ address }) => address));
  const index = indexNodes(nodes);

  const isAnothers = ({ facts }: Node, { id }: Candidate) =>
    facts !== undefined && facts.machineId !== id && machines.has(facts.machineId);
  const reportsAnyOf = (node: Node, machine: Candidate, isTaken: (address: string) => boolean) =>
    addressesOf(node).some((address) => address !== machine.address && isTaken(address));

  return (machine) => {
    const { id, address } = machine;
    const given = names.get(id);
    const givenName = given !== undefined && 'name' in given ? given.name : undefined;
    const isAddressShared = isShared(listed, address);
    const isMarked = (node: Node) => node.mark?.machineId === id;
    const own = (found: readonly Node[], fits: (node: Node) => boolean) =>
      those(found, (node) => !isAnothers(node, machine) && fits(node));
    return {
      id: those(
        found(index.byMachineId, id),
        (node) => isReporting(node, era) || (!isAddressShared && reports(node, address)),
      ),
      address: isAddressShared
        ? NONE
        : own(
            found(index.byAddress, address),
            (node) => isReporting(node, era) || node.name === givenName || isMarked(node),
          ),
      // A name that is given because of a shared address is no more a sign than the address.
      name: own(
        found(index.byName, givenName ?? ''),
        (node) =>
          (!isAddressShared || isMarked(node)) && !reportsAnyOf(node, machine, (each) => candidatesAt.has(each)),
      ),
      mark: own(
        found(index.byMark, id),
        (node) =>
          hasOwnName(node, givenNames) &&
          isReporting(node, era) &&
          !reportsAnyOf(node, machine, (each) => machinesAt.has(each)),
      ),
    };
  };
}

const NONE: readonly Node[] = [];

function found(index: ReadonlyMap<string, readonly Node[]>, key: string): readonly Node[] {
  return index.get(key) ?? NONE;
}

/** `filter`, without a copy where all fit: a pass filters four lists of each machine, nearly all of one node or none. */
function those(nodes: readonly Node[], fits: (node: Node) => boolean): readonly Node[] {
  return nodes.every(fits) ? nodes : nodes.filter(fits);
}

/** Of the nodes that fit alike, those that fit best: more than one when nobody can tell. */
function preferred(fitting: readonly Node[], machine: Candidate, { era }: Listed): readonly Node[] {
  if (fitting.length <= 1) return fitting;
  const traits: readonly ((node: Node) => boolean)[] = [
    (node) => isReporting(node, era),
    (node) => reports(node, machine.address),
    (node) => node.mark?.machineId === machine.id,
  ];
  let best = fitting;
  for (const hasTrait of traits) {
    if (best.length <= 1) break;
    const better = best.filter(hasTrait);
    if (better.length > 0) best = better;
  }
  return best;
}

/** The nodes that several machines claim, and those of a machine that claims several. */
function meetings(claimants: readonly { readonly machine: Candidate; readonly claims: Claims }[]): ReadonlySet<string> {
  const claimedBy = new Map<Node, string>();
  const met = new Set<string>();
  for (const { machine, claims } of claimants) {
    let first: Node | undefined;
    for (const claim of CLAIMS) {
      for (const node of claims[claim]) {
        first ??= node;
        if (node !== first) met.add(node.name).add(first.name);
        if ((claimedBy.get(node) ?? machine.id) !== machine.id) met.add(node.name);
        claimedBy.set(node, machine.id);
      }
    }
  }
  return met;
}

/** A node that is leaving takes no claim. */
function indexNodes(nodes: readonly Node[]) {
  const byMachineId = new Map<string, Node[]>();
  const byMark = new Map<string, Node[]>();
  const byName = new Map<string, Node[]>();
  const byAddress = new Map<string, Node[]>();
  for (const node of nodes) {
    if (node.leaving !== undefined) continue;
    file(byMachineId, node.facts?.machineId ?? '', node);
    file(byMark, node.mark?.machineId ?? '', node);
    file(byName, node.name, node);
    for (const address of addressesOf(node)) file(byAddress, address, node);
  }
  return { byMachineId, byMark, byName, byAddress };
}

function file(index: Map<string, Node[]>, key: string, node: Node): void {
  if (key === '') return;
  const found = index.get(key);
  if (found === undefined) index.set(key, [node]);
  else found.push(node);
}
