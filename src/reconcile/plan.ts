/** The plan of one pass: data in, data out. Nothing here asks anybody, or knows what time it is. */
import { type Action, nodeName } from './action.ts';
import { type Hold, planDeregistrations } from './deregistration.ts';
import type { Note } from './labels.ts';
import { markOf } from './marks.ts';
import { type Grace, type Memory, notOver, recall, rememberNames } from './memory.ts';
import type { Now, Policy } from './policy.ts';
import { planRegistrations } from './registration.ts';
import { planUpkeep } from './upkeep.ts';
import type { MachineVerdict, NodeVerdict } from './verdict.ts';
import { hearWitnesses, type Observation, type Testimony } from './witnesses.ts';

export interface Plan {
  readonly actions: readonly Action[];
  /** By machine id, for every machine that fleet lists. */
  readonly machines: ReadonlyMap<string, MachineVerdict>;
  /** By node name, for every node. */
  readonly nodes: ReadonlyMap<string, NodeVerdict>;
  /** By node name, for every node with a mark or a machine. */
  readonly testimonies: ReadonlyMap<string, Testimony>;
  readonly hold: Hold | undefined;
  /** Nodes with our mark. */
  readonly managed: number;
  readonly notes: readonly Note[];
  /** What the next pass has to know. */
  readonly memory: Memory;
}

/**
 * Hears the witnesses; plans registrations, the upkeep of nodes that have a machine, and deregistrations; and gives every machine
 * and every node one verdict. The same arguments give the same plan.
 */
export function makePlan(observation: Observation, before: Memory, policy: Policy, now: Now): Plan {
  const memory = recall(before, observation.era);
  const unlisted = countUnlisted(observation, memory);
  const testimonies = hearWitnesses(observation);
  const registration = planRegistrations(observation, memory, policy, now);
  const upkeep = planUpkeep(observation, testimonies, unlisted, memory, policy, now);
  const deregistration = planDeregistrations(observation, testimonies, memory, policy, now);

  const nodes = new Map<string, NodeVerdict>();
  for (const { name } of observation.nodes) {
    nodes.set(name, upkeep.verdicts.get(name) ?? deregistration.verdicts.get(name) ?? foreign(name));
  }
  const leaving = new Set(deregistration.actions.map(nodeName));
  const staying = upkeep.actions.filter((action) => !leaving.has(nodeName(action)));
  return {
    actions: [...registration.actions, ...staying, ...deregistration.actions],
    machines: registration.verdicts,
    nodes,
    testimonies,
    hold: deregistration.hold,
    managed: deregistration.managed,
    notes: [...skipped(observation), ...unlistable(observation), ...registration.notes, ...upkeep.notes],
    memory: nextMemory(observation, memory, { unlisted, graces: deregistration.graces }, now),
  };
}

function foreign(name: string): NodeVerdict {
  return {
    name: 'foreign',
    reason: 'no machine comes to it and it does not bear our mark',
    next: `never touched; if it is dead: kubectl delete node ${name}`,
  };
}

function skipped({ skippedRecords }: Observation): readonly Note[] {
  if (skippedRecords === 0) return [];
  return [{ key: 'skipped', text: `fleet lists records that name no machine (${skippedRecords}): they are skipped` }];
}

/** One kubelet that hangs holds up the whole list of v0.8.4. */
function unlistable({ era, unlistable: why, kubelets }: Observation): readonly Note[] {
  if (why === undefined) return [];
  const silent = [...kubelets]
    .filter(([, { state }]) => state === 'silent')
    .map(([address]) => address)
    .sort();
  const suspects = silent.length > 0 ? `these do not answer: ${silent.join(', ')}` : 'all that fleet lists answer';
  return [
    {
      key: `unlistable ${silent.join(' ')}`,
      text: `machines are registered without the list of minions, which the API server (${era.server}) does not give while one kubelet hangs; ${suspects} (${why})`,
    },
  ];
}

/** By machine id named in a mark: good passes in a row, this one included, in which fleet did not list it. */
function countUnlisted({ nodes, machines }: Observation, memory: Memory): ReadonlyMap<string, number> {
  const unlisted = new Map<string, number>();
  for (const node of nodes) {
    const mark = markOf(node);
    if (mark !== undefined && !machines.has(mark)) unlisted.set(mark, (memory.unlisted.get(mark) ?? 0) + 1);
  }
  return unlisted;
}

function nextMemory(
  { era, nodes, resolution }: Observation,
  memory: Memory,
  seen: { unlisted: ReadonlyMap<string, number>; graces: ReadonlyMap<string, Grace> },
  now: Now,
): Memory {
  const listed = new Set(nodes.map(({ name }) => name));
  return {
    lastGoodMs: now.monotonicMs,
    graces: seen.graces,
    unlisted: seen.unlisted,
    lastNames: rememberNames(
      memory.lastNames,
      [...resolution.byMachine.values()].map(({ machine, node }) => [machine.id, node.name] as const),
    ),
    identities: new Map(nodes.map((node) => [node.uid, node.identity])),
    server: era.server,
    hidden: new Map([...notOver(memory.hidden, now.monotonicMs)].filter(([name]) => !listed.has(name))),
    futile: notOver(memory.futile, now.monotonicMs),
  };
}
