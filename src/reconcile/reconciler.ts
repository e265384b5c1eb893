/** One pass: observe, plan, apply and report. */

import { TARGETS, type Target } from '../http/request-error.ts';
import { Deadline } from '../network/deadline.ts';
import type { Clock } from '../time/clock.ts';
import { formatDuration } from '../time/duration.ts';
import { apply, type Outcome, PassOver } from './apply/apply.ts';
import { hungKubelets } from './evidence/hung.ts';
import type { Observation } from './evidence/liveness.ts';
import { ObservationError, observe, type Sources } from './observe/observe.ts';
import { inTurnsIfLarge } from './observe/turns.ts';
import { writeOf } from './plan/action.ts';
import { EMPTY_MEMORY, type Memory, RETRY_REFUSED_MS, withoutProgress } from './plan/memory/memory.ts';
import { addWrite } from './plan/memory/writes.ts';
import { type Plan, planSteps } from './plan/plan.ts';
import type { Now, Policy } from './plan/policy.ts';

/** What a report keeps of an observation. The rest is as large again, and only the plan needs it. */
export type Observed = Pick<Observation, 'era' | 'machines' | 'nodes' | 'pairing' | 'kubelets' | 'skippedRecords'>;

/** Why a pass failed. Also the values of the metric label `cause`. */
export const CAUSES = [...TARGETS, 'timeout', 'internal'] as const;
export type Cause = (typeof CAUSES)[number];

export interface PassReport {
  /** Wall ms. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** Undefined when the observation failed. */
  readonly seen: { readonly observation: Observed; readonly plan: Plan } | undefined;
  readonly outcomes: readonly Outcome[];
  /** The sentences about what failed; empty for a good pass. */
  readonly failures: ReadonlyMap<Cause, string>;
  /** The servers that answered slowly: the longest answer, ms. */
  readonly slowMs?: ReadonlyMap<Target, number>;
  /** The pass ended early because the daemon stops: it is neither good nor failed. */
  readonly stopped: boolean;
}

/** Whether a pass tells which servers are reachable. An observation waits for both before it fails; a pass that timed out tells of neither. */
export function tellsOfServers({ seen, failures }: Pick<PassReport, 'seen' | 'failures'>): boolean {
  return seen !== undefined || TARGETS.some((target) => failures.has(target));
}

/** The signals that end a pass early. */
export interface PassSignals {
  /** The daemon stops: observe no further, begin nothing. */
  readonly stop: AbortSignal;
  /** The drain is over: give up the writes that are under way. Comes after `stop`. */
  readonly abandon: AbortSignal;
}

export interface ReconcilerOptions {
  readonly sources: Sources;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly passTimeoutMs: number;
  /** HEALTHZ_TIMEOUT, ms: the last check before a delete may take 5s longer. */
  readonly checkTimeoutMs: number;
  readonly dryRun: boolean;
}

/** Runs passes and keeps their memory. Passes must not overlap, which the daemon ensures. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  #memory: Memory = EMPTY_MEMORY;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /**
   * Observes fleet, kubelets and Kubernetes; plans; applies the plan; and returns the report. A failed observation changes
   * nothing and forgets nothing. Never rejects.
   */
  async runOnce({ stop, abandon }: PassSignals): Promise<PassReport> {
    const { sources, policy, clock, dryRun, passTimeoutMs, checkTimeoutMs } = this.#options;
    const startedAt = clock.wall();
    const began = clock.monotonic();
    const before = this.#memory;
    const deadline = new Deadline(stop, passTimeoutMs, new PassOver());
    const begin = deadline.signal;
    let seen: { readonly observation: Observation; readonly plan: Plan } | undefined;
    let outcomes: readonly Outcome[] = [];
    let failures: ReadonlyMap<Cause, string> = new Map();
    try {
      const plan = (observation: Observation) =>
        inTurnsIfLarge(observation, planSteps(observation, before, policy, this.#now()));
      const nowMs = clock.monotonic();
      seen = await observe(sources, { memory: before, ownerId: policy.ownerId, nowMs, plan }, begin);
      const { observation } = seen;
      this.#memory = seen.plan.memory;
      outcomes = await apply(
        seen.plan.actions,
        { nodes: sources.nodes, kubelets: sources.kubelets, clock },
        {
          dryRun,
          ownerId: policy.ownerId,
          checkTimeoutMs,
          hungKubelets: hungKubelets(observation.kubelets),
          begin,
          finish: abandon,
        },
      );
      this.#memory = settle(this.#memory, observation, outcomes, clock.monotonic());
      begin.throwIfAborted();
    } catch (error) {
      if (!stop.aborted) failures = causesOf(error, deadline.hasPassed, passTimeoutMs);
      if (seen !== undefined) this.#memory = withoutProgress(this.#memory, before);
    } finally {
      deadline.forget();
    }
    return {
      startedAt,
      durationMs: clock.monotonic() - began,
      seen: seen && { observation: observed(seen.observation), plan: seen.plan },
      outcomes,
      failures,
      stopped: stop.aborted,
    };
  }

  #now(): Now {
    const { clock } = this.#options;
    return { monotonicMs: clock.monotonic(), wall: new Date(clock.wall()).toISOString() };
  }
}

function observed({ era, machines, nodes, pairing, kubelets, skippedRecords }: Observation): Observed {
  return { era, machines, nodes, pairing, kubelets, skippedRecords };
}

function causesOf(error: unknown, timedOut: boolean, passTimeoutMs: number): ReadonlyMap<Cause, string> {
  if (timedOut) {
    return new Map([
      ['timeout', `the pass took longer than KUBE_REGISTER_PASS_TIMEOUT (${formatDuration(passTimeoutMs)})`],
    ]);
  }
  if (error instanceof ObservationError) {
    return new Map([...error.failures].map(([target, { message }]): [Target, string] => [target, message]));
  }
  return new Map([['internal', error instanceof Error ? (error.stack ?? error.message) : String(error)]]);
}

/** The memory with the outcomes: which nodes are alive, what failed, what was written and what was refused. */
function settle(memory: Memory, { era, unlistable }: Observation, outcomes: readonly Outcome[], nowMs: number): Memory {
  if (outcomes.length === 0) return memory;
  const hidden = new Map(memory.hidden);
  const graces = new Map(memory.graces);
  const refused = new Map(memory.refused);
  const writes = new Map(memory.writes);
  const deregistered = new Map(memory.deregistered);
  for (const { action, result, alive, refusedRequest } of outcomes) {
    if (refusedRequest !== undefined) refused.set(refusedRequest, nowMs + RETRY_REFUSED_MS);
    // A minion that exists and is not listed is hidden; while minions cannot be listed, each one is.
    const isStored = result === 'unneeded' || (result === 'done' && unlistable !== undefined);
    if (action.kind === 'register' && era.hidesMinions && isStored) {
      hidden.set(action.draft.name, nowMs + RETRY_REFUSED_MS);
    }
    const write = writeOf(action);
    if (write !== undefined) {
      if (result === 'done') writes.set(write.key, addWrite(writes.get(write.key), write.values, nowMs));
      continue;
    }
    if (action.kind !== 'deregister') continue;
    const { node, machineId, reason } = action;
    const grace = graces.get(node.uid);
    if (result === 'done') {
      writes.delete(`register ${machineId}`);
      if (reason !== 'left-over') {
        deregistered.set(machineId, { name: node.name, uid: node.uid, atMs: nowMs, returnedAtMs: undefined });
      }
    } else if (alive === true) {
      graces.delete(node.uid);
    } else if (grace !== undefined && (result === 'refused' || result === 'failed')) {
      graces.set(node.uid, { ...grace, failures: grace.failures + 1 });
    }
  }
  return { ...memory, hidden, graces, refused, writes, deregistered };
}
