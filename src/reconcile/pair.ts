/** Which node is a machine's (DESIGN 3): pure, and the same for every pass that sees the same world. */
import type { Era } from '../kubernetes/registry.ts';
import { type Candidate, isCandidate, type Machine, machinesByAddress } from './machines.ts';
import { addressesOf, hasOwnName, isReporting, type Node, reports } from './node.ts';

/** What NODE_NAME gives a machine: a name, or why there is none. */
export type GivenName = { readonly name: string } | { readonly problem: string };

/** How a node is known to be a machine's, the strongest claim first. */
export const CLAIMS = ['id', 'address', 'name', 'mark'] as const;
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

/** What is known before anything is paired. */
export interface Listed {
  /** By id: every machine that fleet lists. */
  readonly machines: ReadonlyMap<string, Machine>;
  readonly nodes: readonly Node[];
  /** By machine id, for candidates: what NODE_NAME gives. */
  readonly names: ReadonlyMap<string, GivenName>;
  readonly era: Era;
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
  const candidates = [...listed.machines.values()].filter(isCandidate).sort((a, b) => (a.id < b.id ? -1 : 1));
  const byMachine = new Map<string, Pair>();
  const byNode = new Map<string, Pair>();
  const conflicts = new Map<string, Conflict>();

  for (const claim of CLAIMS) {
    const chosen = new Map<string, Pair>();
    for (const machine of candidates) {
      if (byMachine.has(machine.id) || conflicts.get(machine.id)?.kind === 'ambiguous') continue;
      const fitting = claimsOf(machine, claim).filter(({ name }) => !byNode.has(name));
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
    met: meetings(candidates, claimsOf),
  };
}

/** The addresses that fleet gives to more than one machine: no sign of any. */
export function sharedAddresses(machines: ReadonlyMap<string, Machine>): ReadonlySet<string> {
  const at = machinesByAddress(machines.values());
  return new Set([...at].filter(([, tenants]) => tenants.length > 1).map(([address]) => address));
}

/** The nodes that a claim gives a machine, whatever else is paired. */
type ClaimsOf = (machine: Candidate, claim: Claim) => readonly Node[];

function claimsIn({ machines, nodes, names, era }: Listed): ClaimsOf {
  const shared = sharedAddresses(machines);
  const candidatesAt = new Set([...machines.values()].filter(isCandidate).map(({ address }) => address));
  const givenNames = namesGiven(names);
  const index = indexNodes(nodes);

  const isAnothers = ({ facts }: Node, { id }: Candidate) =>
    facts !== undefined && facts.machineId !== id && machines.has(facts.machineId);
  const isAt = (node: Node, { address }: Candidate) => !shared.has(address) && reports(node, address);
  const reportsAnyOf = (node: Node, machine: Candidate, isTaken: (address: string) => boolean) =>
    addressesOf(node).some((address) => address !== machine.address && isTaken(address));
  const machinesAt = machinesByAddress(machines.values());

  return (machine, claim) => {
    const { id, address } = machine;
    const given = names.get(id);
    const givenName = given !== undefined && 'name' in given ? given.name : undefined;
    const isMarked = (node: Node) => node.mark?.machineId === id;
    const own = (found: readonly Node[] | undefined) => (found ?? []).filter((node) => !isAnothers(node, machine));
    switch (claim) {
      case 'id':
        return (index.byMachineId.get(id) ?? []).filter((node) => isReporting(node, era) || isAt(node, machine));
      case 'address':
        if (shared.has(address)) return [];
        return own(index.byAddress.get(address)).filter(
          (node) => isReporting(node, era) || node.name === givenName || isMarked(node),
        );
      case 'name':
        return own(index.byName.get(givenName ?? '')).filter(
          (node) =>
            // A name that is given because of a shared address is no more a sign than the address.
            (!shared.has(address) || isMarked(node)) && !reportsAnyOf(node, machine, (each) => candidatesAt.has(each)),
        );
      case 'mark':
        return own(index.byMark.get(id)).filter(
          (node) =>
            hasOwnName(node, givenNames) &&
            isReporting(node, era) &&
            !reportsAnyOf(node, machine, (each) => machinesAt.has(each)),
        );
    }
  };
}

/** The names that NODE_NAME gives to the machines of a pass. */
export function namesGiven(names: ReadonlyMap<string, GivenName>): ReadonlySet<string> {
  return new Set([...names.values()].flatMap((given) => ('name' in given ? given.name : [])));
}

/** Of the nodes that fit alike, those that fit best: more than one when nobody can tell. */
function preferred(fitting: readonly Node[], machine: Candidate, { era }: Listed): readonly Node[] {
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
function meetings(candidates: readonly Candidate[], claimsOf: ClaimsOf): ReadonlySet<string> {
  const claimant = new Map<string, string>();
  const met = new Set<string>();
  for (const machine of candidates) {
    const claimed = new Set(CLAIMS.flatMap((claim) => claimsOf(machine, claim)).map(({ name }) => name));
    for (const name of claimed) {
      if (claimed.size > 1 || (claimant.get(name) ?? machine.id) !== machine.id) met.add(name);
      claimant.set(name, machine.id);
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
    for (const address of new Set(addressesOf(node))) file(byAddress, address, node);
  }
  return { byMachineId, byMark, byName, byAddress };
}

function file(index: Map<string, Node[]>, key: string, node: Node): void {
  if (key === '') return;
  const found = index.get(key);
  if (found === undefined) index.set(key, [node]);
  else found.push(node);
}
