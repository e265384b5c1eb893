/** Makes the status document: every machine and node with its verdict and what was observed of it. */

import type { Target } from '../http/request-error.ts';
import type { Outcome } from '../reconcile/apply/apply.ts';
import type { Machine } from '../reconcile/evidence/machines.ts';
import { isKept, SINCE } from '../reconcile/evidence/marks.ts';
import { addressesOf, type Node } from '../reconcile/evidence/node.ts';
import { type Action, DONE, machineIdOf, nodeName } from '../reconcile/plan/action.ts';
import { isWarningNote } from '../reconcile/plan/note.ts';
import type { Policy } from '../reconcile/plan/policy.ts';
import type { Verdict } from '../reconcile/plan/verdict.ts';
import type { PassReport } from '../reconcile/reconciler.ts';
import type { Clock } from '../time/clock.ts';
import { forEach, mapEach, type Steps } from '../time/steps.ts';
import type { Counts } from './counts.ts';
import type { MachineStatus, NodeStatus, PastAction, Status } from './document.ts';
import type { History, HistoryEntry, Subject } from './history.ts';

/** The part of the status that does not come from passes. */
export interface StatusFrame {
  readonly version: string;
  /** CLUSTER_NAME; empty where it is not set. */
  readonly clusterName: string;
  readonly endpoints: Readonly<Record<Target, string>>;
  readonly dryRun: boolean;
  /** As the operator wrote it. */
  readonly selector: string;
  readonly policy: Policy;
  /** Wall ms. */
  readonly startedAt: number;
  readonly nextPass: Date | undefined;
  readonly passRunning: boolean;
}

/** The last pass, and the last one with an observation, with its counts. */
export interface LastPasses {
  readonly last: PassReport | undefined;
  readonly good: { readonly report: PassReport; readonly counts: Counts } | undefined;
}

type Seen = NonNullable<PassReport['seen']>;

/** Makes the document, in steps. What it is made of must not change meanwhile; the time is that of its beginning. */
export function* statusSteps(
  frame: StatusFrame,
  { last, good }: LastPasses,
  history: History,
  clock: Pick<Clock, 'wall'>,
): Steps<Status> {
  const now = stamp(clock.wall());
  const seen = good?.report.seen;
  const goodEnded = good === undefined ? undefined : good.report.startedAt + good.report.durationMs;
  const outcomes = yield* outcomesBySubject(good?.report);
  const verdict = (kind: Subject['kind'], id: string, given?: Verdict<string>) =>
    describeVerdict(given, history.since(kind, id), goodEnded, outcomes.get(`${kind} ${id}`));
  return {
    version: frame.version,
    clusterName: frame.clusterName === '' ? null : frame.clusterName,
    source: 'daemon',
    dryRun: frame.dryRun,
    startedAt: stamp(frame.startedAt),
    now,
    rules: describeRules(frame, seen),
    pass: {
      number: history.passes,
      running: frame.passRunning,
      last: last === undefined ? null : yield* describePass(last),
      lastSuccess: iso(goodEnded),
      next: frame.nextPass?.toISOString() ?? null,
    },
    fleet: describeServer('fleet', frame, history, last),
    kubernetes: { ...describeServer('kubernetes', frame, history, last), server: seen?.observation.era.server ?? null },
    guard: describeGuard(seen, history),
    warnings: describeNotes(seen),
    counts: good === undefined ? null : { ...good.counts, nodes: Object.fromEntries(good.counts.nodes) },
    machines: yield* mapEach(seen?.observation.machines.values() ?? [], (machine) => ({
      ...describeMachine(machine, seen, history),
      ...verdict('machine', machine.id, seen?.plan.machines.get(machine.id)),
    })),
    nodes: yield* mapEach(seen?.observation.nodes ?? [], (node) => ({
      ...describeNode(node, seen, history),
      ...verdict('node', node.name, seen?.plan.nodes.get(node.name)),
    })),
    history: history.entries().map(describeEntry),
  };
}

function describeGuard(seen: Seen | undefined, history: History): Status['guard'] {
  const hold = seen?.plan.hold;
  return {
    held: hold !== undefined,
    since: iso(history.heldSince),
    message: hold?.message ?? null,
    kind: hold?.kind ?? null,
    gone: hold?.gone ?? null,
    managed: hold?.managed ?? null,
    nodes: [...(hold?.nodes ?? [])],
  };
}

/** The notes that are warnings. The others, as labels that cannot be copied, are only logged. */
function describeNotes(seen: Seen | undefined): Status['warnings'] {
  const warnings = (seen?.plan.notes ?? []).filter(isWarningNote);
  return [...new Set(warnings.map(({ text }) => text))];
}

/** Stands for a missing verdict, which no plan has. */
const UNDECIDED: Verdict<string> = { name: 'undecided', reason: '' };

function describeRules({ selector, policy }: StatusFrame, seen: Seen | undefined): Status['rules'] {
  const grace = (ms: number) => (Number.isFinite(ms) ? ms : null);
  const era = seen?.observation.era;
  const isUnable = era?.hidesMinions === true ? `the API server (${era.server}) does not delete dead minions` : null;
  return {
    selector,
    neverDeregister: policy.neverDeregister ?? isUnable,
    adopt: policy.adopt,
    ownerId: policy.ownerId,
    missingGraceMs: grace(policy.missingGraceMs),
    unhealthyGraceMs: grace(policy.unhealthyGraceMs),
    maxDeregisterPercent: policy.maxDeregisterPercent,
    intervalMs: policy.intervalMs,
  };
}

function* describePass({ startedAt, durationMs, failures, outcomes }: PassReport): Steps<Status['pass']['last']> {
  return {
    startedAt: stamp(startedAt),
    durationMs: Math.round(durationMs),
    failures: Object.fromEntries(failures),
    actions: yield* mapEach(outcomes, ({ action, result, detail }) => ({
      kind: action.kind,
      node: nodeName(action),
      result,
      detail: detail ?? null,
    })),
  };
}

function describeServer(
  target: Target,
  { endpoints }: StatusFrame,
  history: History,
  last: PassReport | undefined,
): Status['fleet'] {
  const slowMs = last?.slowMs?.get(target);
  const state = history.server(target);
  return {
    endpoint: endpoints[target],
    up: state?.up ?? null,
    since: iso(state?.since),
    problem: state?.problem ?? null,
    slowMs: slowMs ?? null,
  };
}

/** The outcomes by what they are about. */
function* outcomesBySubject(report: PassReport | undefined): Steps<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  yield* forEach(report?.outcomes ?? [], (outcome) => outcomes.set(subjectOf(outcome.action), outcome));
  return outcomes;
}

/** The key of what the action is about: a machine for `register`, else a node. */
function subjectOf(action: Action): string {
  return action.kind === 'register' ? `machine ${action.machine.id}` : `node ${action.node.name}`;
}

function resultText(outcome: Outcome): string {
  const done = DONE[outcome.action.kind];
  const because = outcome.detail === undefined ? '' : `: ${outcome.detail}`;
  switch (outcome.result) {
    case 'done':
      return `${done}${because}`;
    case 'unneeded':
      return outcome.detail ?? 'already done';
    case 'failed':
      return `could not be ${done}${because}`;
    case 'refused':
      return `was not ${done}${because}`;
    case 'dry-run':
      return `would be ${done}: this is a dry run`;
  }
}

/** `next` is the result of the action that the verdict announced, a warning where it failed; without an action, that of the plan. */
function describeVerdict(
  { name, reason, dueInMs, next, isWarning = false }: Verdict<string> = UNDECIDED,
  since?: number,
  goodEnded?: number,
  outcome?: Outcome,
) {
  const own = outcome?.action.kind === name ? outcome : undefined;
  const isFailed = own?.result === 'failed' || own?.result === 'refused';
  return {
    verdict: name,
    reason,
    since: iso(since),
    due: dueInMs === undefined || goodEnded === undefined ? null : iso(goodEnded + dueInMs),
    next: own === undefined ? (next ?? null) : resultText(own),
    warning: isWarning || isFailed,
  };
}

type Undecided<T> = Omit<T, keyof ReturnType<typeof describeVerdict>>;

function describeMachine(machine: Machine, seen: Seen | undefined, history: History): Undecided<MachineStatus> {
  const { address } = machine;
  const kubelet = address === undefined ? undefined : seen?.observation.kubelets.get(address);
  return {
    id: machine.id,
    addresses: [...machine.addresses],
    metadata: Object.fromEntries(machine.metadata),
    matches: machine.matches,
    kubelet:
      kubelet === undefined || address === undefined ? null : { ...kubelet, since: iso(history.kubeletSince(address)) },
    node: seen?.plan.machines.get(machine.id)?.node ?? null,
  };
}

function describeNode(node: Node, seen: Seen | undefined, history: History): Undecided<NodeStatus> {
  const evidence = seen?.plan.evidence.get(node.name);
  const mark = node.mark?.machineId;
  return {
    name: node.name,
    uid: node.uid,
    mark: mark ?? null,
    otherOwner: node.otherOwner ?? null,
    managedSince: node.annotations.get(SINCE) ?? null,
    origin: mark === undefined ? 'unmarked' : (history.originOf(node.name) ?? 'managed'),
    machine: seen?.observation.pairing.byNode.get(node.name)?.machine.id ?? null,
    nameOrigin: node.mark?.origin ?? null,
    reportedId: node.facts?.machineId || null,
    addresses: [...addressesOf(node)],
    ready: node.facts?.ready ?? null,
    leaving: node.leaving === undefined ? null : { ...node.leaving, finalizers: [...node.leaving.finalizers] },
    veto: vetoOf(node),
    evidence:
      evidence === undefined
        ? null
        : {
            fleet: evidence.fleet,
            kubelet: evidence.kubelet,
            kubeletDetail: evidence.kubeletDetail,
            node: evidence.ready,
            alive: evidence.alive,
            answeredAt: [...(seen?.plan.memory.answered.get(node.uid) ?? [])],
            successor: evidence.successor?.name ?? null,
          },
  };
}

function vetoOf(node: Node): NodeStatus['veto'] {
  if (isKept(node)) return 'keep';
  if (node.facts === undefined || node.facts.unschedulable === false) return null;
  return node.facts.unschedulable === true ? 'cordoned' : 'unreadable';
}

function describeEntry({ at, firstAt, times, inPass, action, result, detail }: HistoryEntry): PastAction {
  const why = whyOf(action);
  return {
    at: stamp(at),
    firstAt: stamp(firstAt),
    times,
    inPass,
    kind: action.kind,
    node: nodeName(action),
    machine: machineIdOf(action),
    result,
    reason: detail === undefined ? why : `${why}: ${detail}`,
  };
}

function whyOf(action: HistoryEntry['action']): string {
  switch (action.kind) {
    case 'register':
      return `the kubelet at ${action.draft.address} is healthy, and its machine had no node`;
    case 'adopt':
      return `it is the node of the machine at ${action.machine.address}`;
    case 'deregister':
      return `${action.reason}: ${action.why}`;
  }
}

function stamp(ms: number): string {
  return new Date(ms).toISOString();
}

function iso(ms: number | undefined): string | null {
  return ms === undefined ? null : stamp(ms);
}
