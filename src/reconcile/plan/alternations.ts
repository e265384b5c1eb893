/** What alternates: a machine whose address, or a node whose reported identity, goes A, B, A, B within an hour. */
import { forEach, type Steps } from '../../time/steps.ts';
import type { Observation } from '../evidence/liveness.ts';
import { addressesOf, type Node } from '../evidence/node.ts';
import { ALTERNATION_MS, addValue, alternation, type Changes, identityKey } from './memory/changes.ts';
import type { Memory } from './memory/memory.ts';
import type { Note } from './note.ts';

/** Two hosts that are seen as one machine or node. */
export interface Alternation {
  readonly reason: string;
  /** What a person does about it. */
  readonly remedy: string;
}

export interface Alternations {
  readonly changes: Memory['changes'];
  /** By machine id. */
  readonly machines: ReadonlyMap<string, Alternation>;
  /** By node name. None of these is deregistered or changed. */
  readonly nodes: ReadonlyMap<string, Alternation>;
  readonly notes: readonly Note[];
}

/** What to do about two hosts with one machine ID. */
export const UNIQUE_MACHINE_ID =
  'on all of these hosts but one: rm /etc/machine-id && systemd-machine-id-setup && reboot';

/** Records the addresses and identities of this pass and finds those that alternate. `machineIdOf` is that of the liveness rules. */
export function* findAlternations(
  { machines, nodes }: Observation,
  memory: Memory,
  machineIdOf: (node: Node) => string | undefined,
  nowMs: number,
): Steps<Alternations> {
  const changes = new ChangesOfPass(memory.changes, nowMs);
  const ofMachines = new Map<string, Alternation>();
  const ofNodes = new Map<string, Alternation>();
  const ofAddresses = new Map<string, Alternation>();
  const notes: Note[] = [];

  yield* forEach(machines.values(), ({ id, address = '' }) => {
    const pair = changes.add(`address ${id}`, address);
    if (pair === undefined) return;
    const found = alternatingMachine(id, pair);
    ofMachines.set(id, found);
    for (const each of pair) ofAddresses.set(each, found);
    notes.push(noteOf(id, found, 'their nodes are neither deregistered nor changed'));
  });
  yield* forEach(nodes, (node) => {
    const pair = changes.add(identityKey(node.uid), identityOf(node));
    if (pair === undefined) return;
    const found = alternatingNode(node, pair);
    ofNodes.set(node.name, found);
    const values = pair.flatMap((identity) => identity.split(' '));
    for (const { id, address } of machines.values()) {
      if (values.some((value) => value === id || value === address)) ofMachines.set(id, found);
    }
    notes.push(noteOf(node.uid, found, 'the node is neither deregistered nor changed'));
  });
  for (const node of ofMachines.size === 0 ? [] : nodes) {
    const found =
      ofMachines.get(machineIdOf(node) ?? '') ??
      addressesOf(node)
        .map((address) => ofAddresses.get(address))
        .find((each) => each !== undefined);
    if (found !== undefined && !ofNodes.has(node.name)) ofNodes.set(node.name, found);
  }
  const { all } = changes;
  const isTooMuch = all.size > machines.size + nodes.length;
  return {
    machines: ofMachines,
    nodes: ofNodes,
    changes: isTooMuch ? withoutUnlisted(all, machines, nodes, nowMs) : all,
    notes,
  };
}

/** The changes until now; it copies those before this pass with the first one that is new. */
class ChangesOfPass {
  readonly #before: Memory['changes'];
  readonly #nowMs: number;
  #after: Map<string, Changes> | undefined;

  constructor(before: Memory['changes'], nowMs: number) {
    this.#before = before;
    this.#nowMs = nowMs;
  }

  /** Adds the value that this pass saw, and returns the two values between which it alternates, if it does. */
  add(key: string, value: string): readonly [string, string] | undefined {
    const before = this.#before.get(key);
    const after = addValue(before, value, this.#nowMs);
    if (after.length > 0 && after !== before) {
      this.#after ??= new Map(this.#before);
      this.#after.set(key, after);
    }
    return alternation(after, this.#nowMs);
  }

  get all(): Memory['changes'] {
    return this.#after ?? this.#before;
  }
}

/** The machine ID and the addresses that the node reports; empty where it was not read in this pass. */
function identityOf(node: Node): string {
  if (!node.isFresh) return '';
  return [node.facts?.machineId ?? '', ...[...addressesOf(node)].sort()].join(' ').trim();
}

function alternatingMachine(id: string, [one, other]: readonly [string, string]): Alternation {
  const reason = `fleet lists machine ${id} alternately at ${one} and at ${other}: two hosts have the same /etc/machine-id`;
  return { reason, remedy: UNIQUE_MACHINE_ID };
}

function alternatingNode({ name }: Node, [one, other]: readonly [string, string]): Alternation {
  const reason = `two kubelets alternately post the status of node ${name} (${one}; ${other})`;
  return { reason, remedy: 'give each kubelet its own --hostname-override' };
}

function noteOf(key: string, { reason, remedy }: Alternation, effect: string): Note {
  return { kind: 'alternates', key, text: `${reason}; ${effect}; ${remedy}` };
}

/** The changes without those of an hour ago of machines and nodes that are no longer listed. */
function withoutUnlisted(
  changes: Memory['changes'],
  machines: Observation['machines'],
  nodes: readonly Node[],
  nowMs: number,
): Memory['changes'] {
  const listed = new Set([
    ...nodes.map(({ uid }) => identityKey(uid)),
    ...[...machines.keys()].map((id) => `address ${id}`),
  ]);
  return new Map(
    [...changes].filter(([key, values]) => listed.has(key) || nowMs - (values.at(-1)?.atMs ?? 0) <= ALTERNATION_MS),
  );
}
