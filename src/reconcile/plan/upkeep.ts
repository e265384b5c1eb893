/** The nodes that have a machine: adopted where they bear no mark, kept up to date where they bear ours. */
import { formatDuration } from '../../time/duration.ts';
import { describe, type Evidence, type Observation } from '../evidence/liveness.ts';
import { hasOwnName } from '../evidence/node.ts';
import { CLAIM_WORDS, type Pair } from '../evidence/pair.ts';
import { type Action, type Adopt, fingerprint, type Label, undoable } from './action.ts';
import type { PlanInput } from './input.ts';
import { changeFor, labelsFor } from './labels.ts';
import { isFutile, type Memory, PASSES_TO_BELIEVE, undoing } from './memory.ts';
import type { Note } from './note.ts';
import type { Now, Policy } from './policy.ts';
import type { NodeVerdict } from './verdict.ts';

export interface Upkeep {
  readonly actions: readonly Action[];
  /** By node name, for the paired nodes without our mark; the others get theirs from the table of DESIGN 4. */
  readonly verdicts: ReadonlyMap<string, NodeVerdict>;
  readonly notes: readonly Note[];
  readonly held: Memory['held'];
  /** Keys of changes that do not stand in this pass. */
  readonly missing: ReadonlySet<string>;
}

export function planUpkeep(input: PlanInput): Upkeep {
  const { observation, evidence, steadiness, memory, policy, now } = input;
  const { pairing, era, givenNames } = observation;
  const absentKeys = keysOfNoMachine(observation, policy);
  const actions: Action[] = [];
  const verdicts = new Map<string, NodeVerdict>();
  const notes: Note[] = absentKeys.map(describeAbsent);
  const missing = new Set<string>();
  const held = holdings(pairing.byNode.values(), memory);

  for (const pair of pairing.byNode.values()) {
    const { machine, node } = pair;
    const known = evidence.get(node.name);
    if (known === undefined) continue;
    const { writes, verdict } = decide(pair, known, held, input);
    const unsteady = steadiness.nodes.get(node.name);
    if (verdict !== undefined) verdicts.set(node.name, unsteady === undefined ? verdict : asLongAs(unsteady));
    if (writes === undefined || !era.canUpdate || unsteady !== undefined) continue;

    const copied = labelsFor(machine, policy.nodeLabels, era);
    const wanted = {
      machineId: machine.id,
      address: machine.address,
      followsAddress: !known.hasOwnAddress,
      ownerId: policy.ownerId,
      origin: hasOwnName(node, givenNames) ? ('own-name' as const) : ('named' as const),
      since: now.wall,
      labels: copied.labels,
      removesLabels: absentKeys.length === 0,
    };
    const { change, notes: foreign } = changeFor(node, wanted);
    notes.push(...copied.notes, ...foreign);
    if (change === undefined) continue;
    const action: Adopt | Label = { kind: writes, machine, node, wanted, change };
    const isRefused = isFutile(memory, fingerprint(action), now.monotonicMs);
    const undone = undoneBefore(action, memory, now);
    if (undone.key !== undefined) missing.add(undone.key);
    if (undone.note !== undefined) notes.push(undone.note);
    if (!isRefused && undone.waitMs === 0) actions.push(action);
    else if (verdict?.name === 'adopt') verdicts.set(node.name, later(verdict, isRefused));
  }
  return { actions, verdicts, notes, held, missing };
}

function decide(
  { machine, node, claim }: Pair,
  known: Evidence,
  held: Memory['held'],
  { observation: { era }, policy }: PlanInput,
): { readonly writes?: 'adopt' | 'label'; readonly verdict?: NodeVerdict } {
  if (node.otherOwner !== undefined) return { verdict: managedBy(node.otherOwner) };
  if (node.mark?.machineId === machine.id) return { writes: 'label' };
  if (node.mark !== undefined) {
    const isHeld = (held.get(node.uid)?.passes ?? 0) >= PASSES_TO_BELIEVE;
    return policy.adopt && isHeld ? { writes: 'adopt' } : {};
  }
  const found = `node of machine ${machine.id}, matched by ${CLAIM_WORDS[claim]}`;
  const reason = `${found}; ${describe(known)}`;
  const spare = policy.adopt
    ? era.canUpdate
      ? undefined
      : `never marked: the API server (${era.server}) cannot change a minion`
    : 'never marked: KUBE_REGISTER_ADOPT=false';
  if (spare !== undefined) {
    return {
      verdict: known.alive
        ? { name: 'recognised', reason, next: spare }
        : {
            name: 'recognised',
            reason,
            next: `${spare}; if it is dead: kubectl delete node ${node.name}`,
            isWarning: true,
          },
    };
  }
  if (known.isReporting || known.answeredAt.length > 0) return { writes: 'adopt', verdict: { name: 'adopt', reason } };
  return {
    verdict: {
      name: 'recognised',
      reason,
      next: `adopted once its kubelet answers or the node is Ready; if the machine has no such node any more: kubectl delete node ${node.name}`,
      isWarning: true,
    },
  };
}

/** The verdict of an unmarked node while two hosts stand behind what is seen of it. */
function asLongAs(unsteady: string): NodeVerdict {
  return { name: 'conflict', reason: unsteady, next: 'not marked while this lasts', isWarning: true };
}

/** The verdict of a node whose mark was refused, or taken away by others. */
function later({ reason }: NodeVerdict, isRefused: boolean): NodeVerdict {
  const next = isRefused
    ? 'the API server refused its mark; tried again within ten minutes'
    : 'something else takes its mark away; marked again after a growing time';
  return { name: 'recognised', reason, next, isWarning: true };
}

/** The verdict of a node that another daemon manages. */
export function managedBy(owner: string): NodeVerdict {
  return {
    name: 'foreign',
    reason: `managed by the kube-register whose KUBE_REGISTER_OWNER_ID is ${owner}`,
    next: 'never touched',
  };
}

/** By node uid: for how many passes in a row a machine has held a node with the mark of another, by a claim other than that mark. */
function holdings(pairs: Iterable<Pair>, memory: Memory): Memory['held'] {
  const held = new Map<string, { readonly machineId: string; readonly passes: number }>();
  for (const { machine, node, claim } of pairs) {
    if (node.mark === undefined || node.mark.machineId === machine.id || claim === 'mark') continue;
    const before = memory.held.get(node.uid);
    const passes = before?.machineId === machine.id ? before.passes + 1 : 1;
    held.set(node.uid, { machineId: machine.id, passes });
  }
  return held;
}

/** The keys of NODE_LABELS that no machine has: more likely a mistake than a wish to remove every label. */
function keysOfNoMachine({ machines }: Observation, { nodeLabels }: Policy): readonly string[] {
  const all = [...machines.values()];
  return nodeLabels.filter((key) => all.length > 0 && !all.some(({ metadata }) => metadata.has(key)));
}

function describeAbsent(key: string): Note {
  return {
    kind: 'absent',
    key,
    text: `KUBE_REGISTER_NODE_LABELS: no machine has metadata ${JSON.stringify(key)}; no label is removed meanwhile`,
  };
}

/** Whether others have taken away what this action writes, and when it is written again. */
function undoneBefore(
  action: Adopt | Label,
  memory: Memory,
  now: Now,
): { readonly key?: string; readonly waitMs: number; readonly note?: Note } {
  const what = undoable(action);
  if (what === undefined) return { waitMs: 0 };
  const { times, waitMs } = undoing(memory, what.key, what.wanted, now.monotonicMs);
  if (times === 0) return { key: what.key, waitMs };
  const note = undoneNote(`${keysOf(action)} of node ${action.node.name}`, 'changed', what.key, { times, waitMs });
  return { key: what.key, waitMs, note };
}

/** The warning that something else undoes what this program does. */
export function undoneNote(
  what: string,
  how: 'changed' | 'deleted',
  key: string,
  { times, waitMs }: { readonly times: number; readonly waitMs: number },
): Note {
  const when = waitMs === 0 ? 'now' : `in ${formatDuration(Math.ceil(waitMs / 1_000) * 1_000)}`;
  const again = times === 1 ? 'once' : `${times} times`;
  const why = how === 'deleted' ? 'a cloud controller that does not know the node, or a person' : 'a policy controller';
  return {
    kind: 'undone',
    key: `${key} ${times}`,
    text: `something else ${how} ${what} ${again} after kube-register wrote it (${why}?); written again ${when}`,
  };
}

function keysOf({ change: { labels, annotations } }: Adopt | Label): string {
  return [...labels.keys(), ...annotations.keys()].sort().join(', ');
}
