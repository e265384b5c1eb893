/** What the log says of actions: what was done, each time; what was not, at its start, now and then, and at its end. */

import type { Outcome } from '../reconcile/apply/apply.ts';
import { type Action, DONE, fingerprint, nodeName } from '../reconcile/plan/action.ts';
import type { PassReport } from '../reconcile/reconciler.ts';
import { type Line, sayAlike } from './alike.ts';
import type { Fields, Log } from './log-events.ts';
import { Once } from './once.ts';
import { type Due, inWords, Reminders } from './reminders.ts';

const VERBS = { register: 'register', adopt: 'adopt', label: 'update', deregister: 'deregister' } as const;

/** What was done is told each time. */
const ALWAYS: Due = { preface: '', figures: {} };

export class OutcomeLog {
  readonly #log: Log;
  readonly #repeated = new Once();
  /** Actions that failed, by their key, until they have not failed for a while. */
  readonly #failing = new Map<string, Action>();
  readonly #reminders = new Reminders<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  say(report: PassReport, nowMs: number): void {
    this.#sayOutcomes(report, nowMs);
    this.#sayFailures(report, nowMs);
    this.#saySummary(report);
  }

  #sayOutcomes({ outcomes }: PassReport, nowMs: number): void {
    const news = this.#repeated.news(outcomes.filter(isRepeated).map(wordsOf), nowMs);
    const updates: Line[] = [];
    for (const outcome of outcomes) {
      const due = isRepeated(outcome) ? news.get(wordsOf(outcome)) : ALWAYS;
      if (outcome.action.kind === 'label' && outcome.result === 'done') updates.push(updateOf(outcome));
      else if (due !== undefined) this.#sayOutcome(outcome, due);
    }
    sayAlike(this.#log, updates);
  }

  #sayOutcome({ action, result, detail }: Outcome, { preface, figures }: Due): void {
    const [about, subject] = [{ ...fieldsOf(action), ...figures }, subjectOf(action)];
    const why = action.kind === 'deregister' ? `: ${action.reason}: ${action.why}` : '';
    const because = detail === undefined ? '' : `: ${detail}`;
    switch (result) {
      case 'done':
        this.#log.say(DONE[action.kind], `${DONE[action.kind]} ${subject}${why || whatOf(action)}${because}`, about);
        break;
      case 'unneeded':
        this.#log.say('action-unneeded', `no need to ${VERBS[action.kind]} ${subject}${because}`, about);
        break;
      case 'dry-run':
        this.#log.say('dry-run', `${preface}dry run: would ${VERBS[action.kind]} ${subject}${why}`, about);
        break;
      case 'refused':
        this.#log.say('last-look-refused', `${preface}did not ${VERBS[action.kind]} ${subject}${because}`, about);
        break;
      case 'failed':
        break;
    }
  }

  #sayFailures({ seen, outcomes, failures, stopped }: PassReport, nowMs: number): void {
    const lines: Line[] = [];
    const results = new Map(outcomes.map(({ action, result }) => [keyOf(action), result]));
    for (const outcome of outcomes) if (outcome.result === 'failed') lines.push(...this.#failed(outcome, nowMs));

    const wasWhole = failures.size === 0 && !stopped;
    for (const [key, action] of this.#failing) {
      const result = results.get(key);
      if (result === 'failed') continue;
      if (result !== undefined) lines.push(...this.#over(key, action, 'no longer fails', nowMs));
      else if (wasWhole && !isPutOff(action, seen)) {
        lines.push(...this.#over(key, action, 'is no longer called for', nowMs));
      }
    }
    sayAlike(this.#log, lines);
  }

  #failed({ action, detail }: Outcome, nowMs: number): readonly Line[] {
    const key = keyOf(action);
    this.#failing.set(key, action);
    const message = `could not ${VERBS[action.kind]} ${subjectOf(action)}${detail === undefined ? '' : `: ${detail}`}`;
    const due = this.#reminders.found(key, detail ?? '', nowMs);
    if (due === undefined) {
      this.#log.debug(message);
      return [];
    }
    return [
      {
        kind: `failed ${action.kind}`,
        event: 'action-failed',
        message: `${due.preface}${message}`,
        fields: { ...fieldsOf(action), ...due.figures },
        common: { action: action.kind },
        more: (count) =>
          `could not ${VERBS[action.kind]} ${count} more nodes (each is said at KUBE_REGISTER_LOG_LEVEL=debug)`,
      },
    ];
  }

  #over(key: string, action: Action, how: string, nowMs: number): readonly Line[] {
    const end = this.#reminders.over(key, nowMs);
    if (!this.#reminders.remembers(key)) this.#failing.delete(key);
    if (end === undefined) return [];
    return [
      {
        kind: `${how} ${action.kind}`,
        event: 'action-failure-over',
        message: `${end.preface}to ${VERBS[action.kind]} ${subjectOf(action)} ${how}: it failed for ${inWords(end.lasted)}`,
        fields: { ...fieldsOf(action), ...end.figures },
        common: { action: action.kind },
        more: (count) => `to ${VERBS[action.kind]} ${count} more nodes ${how}`,
      },
    ];
  }

  #saySummary({ outcomes, durationMs }: PassReport): void {
    const done = outcomes.filter(({ result }) => result === 'done' || result === 'unneeded');
    if (done.length === 0) return;
    const tally = new Map<string, number>();
    for (const { action } of done) tally.set(DONE[action.kind], (tally.get(DONE[action.kind]) ?? 0) + 1);
    const notDone = outcomes.length - done.length;
    const parts = [...tally].map(([what, count]) => `${what} ${count}`);
    if (notDone > 0) parts.push(`not done ${notDone}`);
    this.#log.say('pass-summary', `pass: ${parts.join(', ')}`, { durationMs: Math.round(durationMs) });
  }
}

/** One setting of fleet's, or metadata that flaps, can update every node in every pass. */
function updateOf({ action, detail }: Outcome): Line {
  const because = detail === undefined ? '' : `: ${detail}`;
  return {
    kind: 'done label',
    event: DONE.label,
    message: `${DONE.label} ${subjectOf(action)}${whatOf(action)}${because}`,
    fields: fieldsOf(action),
    common: { action: action.kind },
    more: (count) => `${DONE.label} ${count} more nodes (each is said at KUBE_REGISTER_LOG_LEVEL=debug)`,
  };
}

/** Comes in every pass for as long as it lasts. */
function isRepeated({ result }: Outcome): boolean {
  return result === 'dry-run' || result === 'refused';
}

function wordsOf({ action, result, detail }: Outcome): string {
  return `${result} ${keyOf(action)} ${detail ?? ''}`;
}

/** What failed is not over while it waits for its turn, or for the time when it is no longer futile to ask again. */
function isPutOff(action: Action, seen: PassReport['seen']): boolean {
  if (seen === undefined || seen.plan.memory.futile.has(fingerprint(action))) return true;
  return action.kind === 'deregister' && seen.plan.nodes.get(action.node.name)?.name === 'queued';
}

function keyOf(action: Action): string {
  return `${action.kind} ${nodeName(action)}`;
}

function fieldsOf(action: Action): Fields {
  const about = { action: action.kind, node: nodeName(action) };
  return 'machine' in action ? { ...about, machine: action.machine.id } : about;
}

function subjectOf(action: Action): string {
  const node = `node ${nodeName(action)}`;
  return 'machine' in action ? `${node} of machine ${action.machine.id}` : node;
}

/** `: label rack, annotation kube-register.io/labels`, of a node that was brought up to date. */
function whatOf(action: Action): string {
  if (action.kind !== 'label') return '';
  const keys = (what: string, change: ReadonlyMap<string, string | null>) =>
    [...change].map(([key, value]) => `${value === null ? 'without ' : ''}${what} ${key}`);
  return `: ${[...keys('label', action.change.labels), ...keys('annotation', action.change.annotations)].join(', ')}`;
}
