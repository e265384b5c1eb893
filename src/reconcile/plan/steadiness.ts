/** What goes back and forth: a machine whose address, or a node whose reported id, goes A, B, A, B within an hour. */
import type { Observation } from '../evidence/liveness.ts';
import { addressesOf, type Node } from '../evidence/node.ts';
import { alternation, type Changes, HOUR, identityKey, type Memory, seeValue } from './memory.ts';
import type { Note } from './note.ts';

export interface Steadiness {
  readonly changes: Memory['changes'];
  /** By machine id, why. */
  readonly machines: ReadonlyMap<string, string>;
  /** By node name, why: none of these is deregistered, and nothing is written on them. */
  readonly nodes: ReadonlyMap<string, string>;
  readonly notes: readonly Note[];
}

/** Two hosts stand behind what alternates, and nobody can tell which of them is seen. `machineIdOf` is that of the liveness rules. */
export function watchSteadiness(
  { machines, nodes }: Observation,
  memory: Memory,
  machineIdOf: (node: Node) => string | undefined,
  nowMs: number,
): Steadiness {
  let changes: Map<string, Changes> | undefined;
  const unsteady = { machines: new Map<string, string>(), nodes: new Map<string, string>() };
  const addresses = new Map<string, string>();
  const notes: Note[] = [];
  const see = (key: string, value: string) => {
    const before = memory.changes.get(key);
    const seen = seeValue(before, value, nowMs);
    if (seen.length > 0 && seen !== before) changes = (changes ?? new Map(memory.changes)).set(key, seen);
    return alternation(seen, nowMs);
  };

  for (const { id, address = '' } of machines.values()) {
    const pair = see(`address ${id}`, address);
    if (pair === undefined) continue;
    const [one, other] = pair;
    const why = `fleet lists machine ${id} at ${one} and at ${other} in turns: two hosts have the same /etc/machine-id`;
    unsteady.machines.set(id, why);
    addresses.set(one, why).set(other, why);
    const mend = 'give each host its own: rm /etc/machine-id, systemd-machine-id-setup, restart fleet';
    notes.push({
      kind: 'alternates',
      key: id,
      text: `${why}; none of their nodes is deregistered or changed; ${mend}`,
    });
  }
  for (const node of nodes) {
    const identity = node.isFresh
      ? [node.facts?.machineId ?? '', ...[...addressesOf(node)].sort()].join(' ').trim()
      : '';
    const pair = see(identityKey(node.uid), identity);
    if (pair === undefined) continue;
    const [one, other] = pair;
    const why = `two kubelets report as node ${node.name} in turns (${one}; ${other})`;
    unsteady.nodes.set(node.name, why);
    for (const machine of machines.values()) {
      if ([...one.split(' '), ...other.split(' ')].some((value) => value === machine.id || value === machine.address)) {
        unsteady.machines.set(machine.id, why);
      }
    }
    const mend = 'give each kubelet its own --hostname-override';
    notes.push({
      kind: 'alternates',
      key: node.uid,
      text: `${why}; the node is neither deregistered nor changed; ${mend}`,
    });
  }
  for (const node of unsteady.machines.size === 0 ? [] : nodes) {
    const byMachine = unsteady.machines.get(machineIdOf(node) ?? '');
    const byAddress = addressesOf(node)
      .map((address) => addresses.get(address))
      .find((why) => why !== undefined);
    const why = byMachine ?? byAddress;
    if (why !== undefined && !unsteady.nodes.has(node.name)) unsteady.nodes.set(node.name, why);
  }
  const seen = changes ?? memory.changes;
  const isTooMuch = seen.size > machines.size + nodes.length;
  return { ...unsteady, changes: isTooMuch ? stillOfUse(seen, machines, nodes, nowMs) : seen, notes };
}

/** What is no longer listed keeps its changes for an hour. */
function stillOfUse(
  changes: Memory['changes'],
  machines: Observation['machines'],
  nodes: readonly Node[],
  nowMs: number,
): Memory['changes'] {
  const listed = new Set([
    ...nodes.map(({ uid }) => identityKey(uid)),
    ...[...machines.keys()].map((id) => `address ${id}`),
  ]);
  return new Map([...changes].filter(([key, seen]) => listed.has(key) || nowMs - (seen.at(-1)?.atMs ?? 0) <= HOUR));
}
