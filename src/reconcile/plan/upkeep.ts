/** The nodes that have a machine: unmanaged ones are adopted, and managed ones get their labels and annotations. */
import { timesInWords } from '../../text/plural.ts';
import { formatDuration } from '../../time/duration.ts';
import { forEach, type Steps } from '../../time/steps.ts';
import { describe, type Evidence, type Observation } from '../evidence/liveness.ts';
import { hasOwnName, reports } from '../evidence/node.ts';
import { CLAIM_WORDS, type Pair } from '../evidence/pair.ts';
import { type Action, type Adopt, fingerprint, type Label, writeOf } from './action.ts';
import type { Alternation } from './alternations.ts';
import type { PlanInput } from './input.ts';
import { changeFor, labelsFor } from './labels.ts';
import { PASSES_TO_BELIEVE } from './memory/graces.ts';
import { isRefused, type Memory } from './memory/memory.ts';
import { type Undone, undoneSince } from './memory/writes.ts';
import type { Note } from './note.ts';
import type { Now, Policy } from './policy.ts';
import type { NodeVerdict } from './verdict.ts';

export interface Upkeep {
  readonly actions: readonly Action[];
  /** By node name, for the unmanaged nodes that have a machine; the managed ones get theirs from the table in deregistration.ts. */
  readonly verdicts: ReadonlyMap<string, NodeVerdict>;
  readonly notes: readonly Note[];
  readonly rematched: Memory['rematched'];
  /** Keys of writes that are undone in this pass. */
  readonly missing: ReadonlySet<string>;
}

export function* planUpkeep(input: PlanInput): Steps<Upkeep> {
  const { observation, evidence, alternations, memory, policy, now } = input;
  const { pairing, era, givenNames } = observation;
  const absentKeys = keysOfNoMachine(observation, policy);
  const actions: Action[] = [];
  const verdicts = new Map<string, NodeVerdict>();
  const notes: Note[] = absentKeys.map(describeAbsent);
  const missing = new Set<string>();
  const rematched = findRematched(pairing.byNode.values(), memory);

  yield* forEach(pairing.byNode.values(), (pair) => {
    const { machine, node } = pair;
    const known = evidence.get(node.name);
    if (known === undefined) return;
    const { writes, verdict } = decide(pair, known, rematched, input);
    const alternation = alternations.nodes.get(node.name);
    if (verdict !== undefined) verdicts.set(node.name, alternation === undefined ? verdict : notAdopted(alternation));
    if (writes === undefined || !era.canUpdate || alternation !== undefined) return;

    const copied = labelsFor(machine, policy.nodeLabels, era);
    const wanted = {
      machineId: machine.id,
      address: machine.address,
      followsAddress: !known.hasOwnAddress || leadsNowhere(pair, known),
      ownerId: policy.ownerId,
      origin: hasOwnName(node, givenNames) ? ('own-name' as const) : ('named' as const),
      since: now.wall,
      labels: copied.labels,
      removesLabels: absentKeys.length === 0,
    };
    const { change, notes: foreign } = changeFor(node, wanted);
    notes.push(...copied.notes, ...foreign);
    if (change === undefined) return;
    const action: Adopt | Label = { kind: writes, machine, node, wanted, change };
    const wasRefused = isRefused(memory, fingerprint(action), now.monotonicMs);
    const undone = undoneBefore(action, [`${keysOf(action)} of node ${node.name}`, 'changed'], memory, now);
    if (undone.key !== undefined) missing.add(undone.key);
    if (undone.note !== undefined) notes.push(undone.note);
    if (!wasRefused && undone.waitMs === 0) actions.push(action);
    else if (verdict?.name === 'adopt') verdicts.set(node.name, postponed(verdict, wasRefused));
  });
  return { actions, verdicts, notes, rematched, missing };
}

/** Whether its kubelet answers at its machine's address, and only the machine leads there: after a restart nothing would, once fleet lost it. */
function leadsNowhere({ machine, node }: Pair, { answeredAt, isReporting }: Evidence): boolean {
  return answeredAt.includes(machine.address) && !(isReporting && reports(node, machine.address));
}

function decide(
  { machine, node, claim }: Pair,
  known: Evidence,
  rematched: Memory['rematched'],
  { observation: { era }, policy }: PlanInput,
): { readonly writes?: 'adopt' | 'label'; readonly verdict?: NodeVerdict } {
  if (node.otherOwner !== undefined) return { verdict: managedBy(node.otherOwner) };
  if (node.mark?.machineId === machine.id) return { writes: 'label' };
  if (node.mark !== undefined) {
    const isSettled = (rematched.get(node.uid)?.passes ?? 0) >= PASSES_TO_BELIEVE;
    // The kubelet of a silent node may have moved on with the machine that its annotation names.
    const isSeen = known.isReporting || known.answeredAt.includes(machine.address);
    return policy.adopt && isSettled && isSeen ? { writes: 'adopt' } : {};
  }
  const found = `node of machine ${machine.id}, matched by ${CLAIM_WORDS[claim]}`;
  const reason = `${found}; ${describe(known)}`;
  const obstacle = policy.adopt
    ? era.canUpdate
      ? undefined
      : `not adopted: the API server (${era.server}) cannot update minions`
    : 'not adopted: KUBE_REGISTER_ADOPT=false';
  if (obstacle !== undefined) {
    return {
      verdict: known.alive
        ? { name: 'recognised', reason, next: obstacle }
        : {
            name: 'recognised',
            reason,
            next: `${obstacle}; if it is dead: kubectl delete node ${node.name}`,
            isWarning: true,
          },
    };
  }
  if (known.isReporting || known.answeredAt.length > 0) return { writes: 'adopt', verdict: { name: 'adopt', reason } };
  return {
    verdict: {
      name: 'recognised',
      reason,
      next: `will be adopted once its kubelet is reachable or the node is reporting; if it is not in use: kubectl delete node ${node.name}`,
      isWarning: true,
    },
  };
}

/** The verdict of an unmanaged node whose machine or identity alternates. */
function notAdopted({ reason, remedy }: Alternation): NodeVerdict {
  return { name: 'conflict', reason, next: `not adopted; ${remedy}`, isWarning: true };
}

/** The verdict of a node whose annotations the API server refused, or others removed. */
function postponed({ reason }: NodeVerdict, wasRefused: boolean): NodeVerdict {
  const next = wasRefused
    ? 'the API server refused the annotations; retried within 10m; the log has its answer'
    : 'something else removes the annotations; written again after 1m to 60m; find out what removes them';
  return { name: 'recognised', reason, next, isWarning: true };
}

/** The verdict of a node that another daemon manages. */
export function managedBy(owner: string): NodeVerdict {
  return {
    name: 'foreign',
    reason: `managed by the kube-register with KUBE_REGISTER_OWNER_ID=${owner}`,
    next: 'never touched',
  };
}

/** By node uid: the machine that matches a node with another machine's annotations, and in how many consecutive passes. */
function findRematched(pairs: Iterable<Pair>, memory: Memory): Memory['rematched'] {
  const rematched = new Map<string, { readonly machineId: string; readonly passes: number }>();
  for (const { machine, node } of pairs) {
    if (node.mark === undefined || node.mark.machineId === machine.id) continue;
    const before = memory.rematched.get(node.uid);
    const passes = before?.machineId === machine.id ? before.passes + 1 : 1;
    rematched.set(node.uid, { machineId: machine.id, passes });
  }
  return rematched;
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
    text: `KUBE_REGISTER_NODE_LABELS: no machine has metadata ${JSON.stringify(key)}; no label is removed meanwhile; check the key`,
  };
}

/** How often others have undone what an action writes, and when it is written again. */
export interface UndoneAction extends Undone {
  /** The key of the write, where there is one. */
  readonly key?: string;
  /** The warning, where it was undone. */
  readonly note?: Note;
}

/** `what` is that which others changed or deleted, for people. */
export function undoneBefore(
  action: Action,
  [what, how]: readonly [string, 'changed' | 'deleted'],
  memory: Memory,
  now: Now,
): UndoneAction {
  const write = writeOf(action);
  if (write === undefined) return { times: 0, waitMs: 0 };
  const { key } = write;
  const undone = undoneSince(memory.writes, key, write.values, now.monotonicMs);
  return undone.times === 0 ? { ...undone, key } : { ...undone, key, note: undoneNote(what, how, key, undone) };
}

/** `in 1m30s`, in whole seconds and never too short. */
export function describeWait(waitMs: number): string {
  return `in ${formatDuration(Math.ceil(waitMs / 1_000) * 1_000)}`;
}

/** The warning that something else undoes what this program wrote. */
function undoneNote(what: string, how: 'changed' | 'deleted', key: string, { times, waitMs }: Undone): Note {
  const when = waitMs === 0 ? 'now' : describeWait(waitMs);
  const again = timesInWords(times);
  const [written, suspect] =
    how === 'deleted'
      ? ['registered', 'a cloud controller deletes nodes that it does not know']
      : ['written', 'a policy controller may change them'];
  return {
    kind: 'undone',
    key: `${key} ${times}`,
    text: `something else ${how} ${what} ${again}; ${written} again ${when}; find out what does it: ${suspect}`,
  };
}

function keysOf({ change: { labels, annotations } }: Adopt | Label): string {
  return [...labels.keys(), ...annotations.keys()].sort().join(', ');
}
