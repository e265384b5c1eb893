/** Which node is a machine's: pure, and the same for every pass that sees the same world. */
import type { NodeFacts, NodeRecord } from '../kubernetes/registry.ts';
import type { Candidate } from './machines.ts';
import { markOf } from './marks.ts';

/** A node as one pass knows it. */
export interface Node extends Omit<NodeRecord, 'facts'> {
  /** Which machine it is: read in this pass, or when its uid was first seen. */
  readonly identity: Pick<NodeFacts, 'machineId' | 'addresses'>;
  /** How it is: only where it was read whole in this pass, for yesterday's Ready decides nothing. */
  readonly now: Pick<NodeFacts, 'ready' | 'unschedulable'> | undefined;
}

/** What NODE_NAME gives a machine: a name, or why there is none. */
export type GivenName = { readonly name: string } | { readonly problem: string };

/** How a machine came to its node; the earlier step is the stronger claim. */
export const STEPS = ['machine id', 'mark', 'name', 'address'] as const;

/** A machine and the node that is its own. `step` is an index of STEPS. */
export interface Match {
  readonly machine: Candidate;
  readonly node: Node;
  readonly step: number;
}

/** Why a machine has no node although nodes fit: another machine has a better claim, or no step could decide. */
export type Conflict =
  | { readonly kind: 'taken'; readonly node: Node; readonly by: Candidate }
  | { readonly kind: 'ambiguous'; readonly nodes: readonly Node[] };

export interface Resolution {
  /** By machine id. A machine in neither map has no node. */
  readonly byMachine: ReadonlyMap<string, Match>;
  /** By node name. A node that is not here has no machine. */
  readonly byNode: ReadonlyMap<string, Match>;
  /** By machine id. */
  readonly conflicts: ReadonlyMap<string, Conflict>;
  /** Nodes that met at one step: which of them is Ready matters, so they have to be read in this pass. */
  readonly contested: ReadonlySet<Node>;
  /** Nodes that several machines came to. */
  readonly shared: ReadonlySet<Node>;
}

/**
 * A machine's node is the first of:
 *
 *     1. the node that reports the machine's id       (fleet's id and the kubelet's are the host's /etc/machine-id)
 *     2. the node whose mark names the machine, if it is Ready or reports the machine's address
 *     3. the node of the name that NODE_NAME gives the machine
 *     4. the node that reports the machine's address
 *
 * Empty values match nothing. A node that reports another machine's id is matched by 1 alone. A step that several nodes match
 * decides only if exactly one of them is Ready and reports the address; else the next is asked. Of two machines that come to one
 * node the earlier step wins, then the machine that its mark names, then the smallest id.
 */
export function resolve(
  candidates: readonly Candidate[],
  nodes: readonly Node[],
  names: ReadonlyMap<string, GivenName>,
): Resolution {
  const stepsOf = indexNodes(nodes, names);
  const contested = new Set<Node>();
  const conflicts = new Map<string, Conflict>();
  const claims = new Map<string, Match>();
  const lost: Match[] = [];

  for (const machine of candidates) {
    const claim = claimOf(machine, stepsOf(machine), contested);
    if (claim === undefined) continue;
    if ('kind' in claim) {
      conflicts.set(machine.id, claim);
      continue;
    }
    const rival = claims.get(claim.node.name);
    const [winner, loser] = rival === undefined || isStronger(claim, rival) ? [claim, rival] : [rival, claim];
    claims.set(winner.node.name, winner);
    if (loser !== undefined) lost.push(loser);
  }

  for (const { machine, node } of lost) {
    const winner = claims.get(node.name);
    if (winner !== undefined) conflicts.set(machine.id, { kind: 'taken', node, by: winner.machine });
  }
  const shared = new Set(lost.map(({ node }) => node));
  const byMachine = new Map([...claims.values()].map((match) => [match.machine.id, match]));
  return { byMachine, byNode: claims, conflicts, contested, shared };
}

/** For a machine, the nodes that each step matches, in the order of STEPS; a step is looked up only when it is asked. */
function indexNodes(nodes: readonly Node[], names: ReadonlyMap<string, GivenName>) {
  const byMachineId = new Map<string, Node[]>();
  const byMark = new Map<string, Node[]>();
  const byName = new Map<string, Node[]>();
  const byAddress = new Map<string, Node[]>();
  for (const node of nodes) {
    file(byMachineId, node.identity.machineId, node);
    file(byMark, markOf(node) ?? '', node);
    file(byName, node.name, node);
    for (const address of new Set(node.identity.addresses)) file(byAddress, address, node);
  }

  return ({ id, address }: Candidate): readonly (() => readonly Node[])[] => {
    const open = (found: readonly Node[] | undefined) =>
      (found ?? []).filter(({ identity }) => identity.machineId === '' || identity.machineId === id);
    const given = names.get(id);
    return [
      () => byMachineId.get(id) ?? [],
      () => open(byMark.get(id)).filter((node) => isReady(node) || reports(node, address)),
      () => (given !== undefined && 'name' in given ? open(byName.get(given.name)) : []),
      () => open(byAddress.get(address)),
    ];
  };
}

function file(index: Map<string, Node[]>, key: string, node: Node): void {
  if (key === '') return;
  const found = index.get(key);
  if (found === undefined) index.set(key, [node]);
  else found.push(node);
}

/** The first step that decides; a conflict when nodes fit but none did; undefined when no node fits. */
function claimOf(
  machine: Candidate,
  steps: readonly (() => readonly Node[])[],
  contested: Set<Node>,
): Match | Conflict | undefined {
  const undecided = new Set<Node>();
  for (const [step, matching] of steps.entries()) {
    const fitting = matching();
    const deciding =
      fitting.length > 1 ? fitting.filter((node) => isReady(node) && reports(node, machine.address)) : fitting;
    if (fitting.length > 1) for (const node of fitting) contested.add(node);
    const [node, ...others] = deciding;
    if (node !== undefined && others.length === 0) return { machine, node, step };
    for (const each of fitting) undecided.add(each);
  }
  return undecided.size > 0 ? { kind: 'ambiguous', nodes: [...undecided] } : undefined;
}

function isStronger(claim: Match, rival: Match): boolean {
  if (claim.step !== rival.step) return claim.step < rival.step;
  const mark = markOf(claim.node);
  if (mark === claim.machine.id) return true;
  if (mark === rival.machine.id) return false;
  return claim.machine.id < rival.machine.id;
}

function isReady(node: Node): boolean {
  return node.now?.ready === 'ready';
}

function reports(node: Node, address: string): boolean {
  return node.identity.addresses.includes(address);
}
