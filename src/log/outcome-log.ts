/** Logs actions: each that was done, and those that fail, are refused or are left out by a dry run for as long as that lasts. */

import type { Outcome } from '../reconcile/apply/apply.ts';
import { type Action, DONE, fingerprint, machineIdOf, nodeName } from '../reconcile/plan/action.ts';
import { RETRY_REFUSED_MS } from '../reconcile/plan/memory/memory.ts';
import type { PassReport } from '../reconcile/reconciler.ts';
import { plural } from '../text/plural.ts';
import { formatDuration } from '../time/duration.ts';
import { forEach, type Steps } from '../time/steps.ts';
import { type Line, writeAlike } from './alike.ts';
import { Conditions, type Due } from './conditions.ts';
import type { Fields, Log } from './log-events.ts';

const VERBS = { register: 'register', adopt: 'adopt', label: 'update', deregister: 'deregister' } as const;
const RESULT_WORDS = { unneeded: 'not needed', refused: 'refused', failed: 'failed', 'dry-run': 'dry run' } as const;
const DOING = { register: 'registering', adopt: 'adopting', label: 'updating', deregister: 'deregistering' } as const;

/** Logs the outcomes of pass after pass. */
export class OutcomeLog {
  readonly #log: Log;
  /** Outcomes that are the same in every pass: dry runs and refusals. */
  readonly #repeated = new Conditions({ reminds: false, logsEnds: false });
  readonly #failures = new Conditions({ reminds: true, logsEnds: true });
  /** The actions of `#failures`, by their key. */
  readonly #failing = new Map<string, Action>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Logs the outcomes of a pass, in steps; `nowMs` is monotonic. */
  *write(report: PassReport, nowMs: number): Steps<void> {
    yield* this.#writeOutcomes(report, nowMs);
    const failed = yield* this.#failed(report, nowMs);
    yield* writeAlike(this.#log, [...failed, ...this.#ended(report, nowMs)]);
    this.#writeSummary(report);
  }

  *#writeOutcomes({ outcomes }: PassReport, nowMs: number): Steps<void> {
    const repeated = outcomes.filter(({ result }) => result === 'dry-run' || result === 'refused');
    const states = new Map(repeated.map((outcome) => [repeatedKey(outcome), outcome.detail ?? '']));
    const due = this.#repeated.updateAll(states, nowMs);
    const updates: Line[] = [];
    yield* forEach(outcomes, (outcome) => {
      const { action, result } = outcome;
      if (result === 'done' && action.kind === 'label') updates.push(updateLine(outcome));
      else if (result === 'done' || result === 'unneeded') this.#writeOutcome(outcome);
      else if (result !== 'failed') this.#writeOutcome(outcome, due.get(repeatedKey(outcome)));
    });
    yield* writeAlike(this.#log, updates);
  }

  #writeOutcome({ action, result, detail }: Outcome, due?: Due): void {
    const [verb, subject] = [VERBS[action.kind], subjectOf(action)];
    const fields = { ...fieldsOf(action), ...due?.figures };
    const why = action.kind === 'deregister' ? `: ${action.reason}: ${action.why}` : '';
    const cause = detail === undefined ? '' : `: ${detail}`;
    if (result === 'done') this.#log.write(DONE[action.kind], `${DONE[action.kind]} ${subject}${why}${cause}`, fields);
    if (result === 'unneeded') this.#log.write('action-unneeded', `no need to ${verb} ${subject}${cause}`, fields);
    if (due === undefined) return;
    if (result === 'dry-run')
      this.#log.write('dry-run', `${due.preface}dry run: would ${verb} ${subject}${why}`, fields);
    if (result === 'refused')
      this.#log.write('last-check-refused', `${due.preface}did not ${verb} ${subject}${cause}`, fields);
  }

  *#failed({ outcomes }: PassReport, nowMs: number): Steps<readonly Line[]> {
    const lines: Line[] = [];
    yield* forEach(outcomes, ({ action, result, detail, refusedRequest }) => {
      if (result !== 'failed') return;
      const [key, verb] = [keyOf(action), VERBS[action.kind]];
      this.#failing.set(key, action);
      const message = `could not ${verb} ${subjectOf(action)}${detail === undefined ? '' : `: ${detail}`}; retried ${whenRetried(action, refusedRequest !== undefined)}`;
      const due = this.#failures.update(key, detail ?? '', nowMs);
      if (due === undefined) {
        this.#log.debug(message);
        return;
      }
      lines.push({
        kind: `failed ${action.kind} ${detail?.replaceAll(nodeName(action), 'NAME') ?? ''}`,
        event: 'action-failed',
        message: due.preface + message,
        fields: { ...fieldsOf(action), ...due.figures },
        common: { action: action.kind },
        group: { name: nodeName(action), many: (count) => `could not ${verb} ${plural(count, 'node')}` },
      });
    });
    return lines;
  }

  /** A failure ends when the action is tried without failing, or when a complete pass does not ask for it. */
  #ended({ seen, outcomes, failures, stopped }: PassReport, nowMs: number): readonly Line[] {
    const results = new Map(outcomes.map(({ action, result }) => [keyOf(action), result]));
    const isComplete = failures.size === 0 && !stopped;
    const lines: Line[] = [];
    for (const [key, action] of this.#failing) {
      const result = results.get(key);
      if (result === 'failed' || (result === undefined && (!isComplete || isPutOff(action, seen)))) continue;
      const due = this.#failures.update(key, undefined, nowMs);
      if (due !== undefined)
        lines.push(endLine(action, result === undefined ? 'is no longer needed' : 'succeeded', due));
      if (!this.#failures.has(key)) this.#failing.delete(key);
    }
    return lines;
  }

  #writeSummary({ outcomes, durationMs }: PassReport): void {
    if (!outcomes.some(({ result }) => result === 'done' || result === 'unneeded')) return;
    const counts = new Map<string, number>(Object.values(DONE).map((what) => [what, 0]));
    for (const { action, result } of outcomes) {
      const what = result === 'done' ? DONE[action.kind] : RESULT_WORDS[result];
      counts.set(what, (counts.get(what) ?? 0) + 1);
    }
    const parts = [...counts].flatMap(([what, count]) => (count === 0 ? [] : `${what} ${count}`));
    this.#log.write('pass-summary', `pass: ${parts.join(', ')}`, { durationMs: Math.round(durationMs) });
  }
}

/** When a failed action is tried again; deregistrations are paced. */
function whenRetried({ kind }: Action, isRefused: boolean): string {
  if (isRefused) return `in ${formatDuration(RETRY_REFUSED_MS)}, or once the request would differ`;
  return kind === 'deregister' ? 'in one of the next passes' : 'in the next pass';
}

/** The line of a node whose labels were updated; a pass can have one for every node. */
function updateLine({ action, detail }: Outcome): Line {
  const cause = detail === undefined ? '' : `: ${detail}`;
  return {
    kind: 'done label',
    event: DONE.label,
    message: `${DONE.label} ${subjectOf(action)}${changesOf(action)}${cause}`,
    fields: fieldsOf(action),
    common: { action: action.kind },
    group: { name: nodeName(action), many: (count) => `${DONE.label} ${plural(count, 'node')}` },
  };
}

function endLine(action: Action, how: string, { preface, figures, lasted, times }: Due): Line {
  const doing = DOING[action.kind];
  return {
    kind: `${how} ${action.kind}`,
    event: 'action-failure-over',
    message: `${preface}${doing} ${subjectOf(action)} ${how} after it failed ${times} in ${lasted}`,
    fields: { ...fieldsOf(action), ...figures },
    common: { action: action.kind },
    group: { name: nodeName(action), many: (count) => `${doing} ${plural(count, 'node')} ${how}` },
  };
}

function repeatedKey({ action, result }: Outcome): string {
  return `${result} ${keyOf(action)}`;
}

/** A failed action that waits for its turn, or that the server would refuse again, has not ended. */
function isPutOff(action: Action, seen: PassReport['seen']): boolean {
  if (seen === undefined || seen.plan.memory.refused.has(fingerprint(action))) return true;
  return action.kind === 'deregister' && seen.plan.nodes.get(action.node.name)?.name === 'queued';
}

function keyOf(action: Action): string {
  return `${action.kind} ${nodeName(action)}`;
}

function fieldsOf(action: Action): Fields {
  const about = { action: action.kind, node: nodeName(action), machine: machineIdOf(action) };
  return action.kind === 'deregister' ? { ...about, reason: action.reason } : about;
}

function subjectOf(action: Action): string {
  const node = `node ${nodeName(action)}`;
  return 'machine' in action ? `${node} of machine ${action.machine.id}` : node;
}

/** `: label rack, annotation kube-register.io/labels`, of an update. */
function changesOf(action: Action): string {
  if (action.kind !== 'label') return '';
  const keys = (what: string, change: ReadonlyMap<string, string | null>) =>
    [...change].map(([key, value]) => `${value === null ? 'without ' : ''}${what} ${key}`);
  return `: ${[...keys('label', action.change.labels), ...keys('annotation', action.change.annotations)].join(', ')}`;
}
