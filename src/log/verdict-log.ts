/** Logs verdicts that a person wants to know of: when one begins, when it changes, and when all is as it should be again. */
import type { Plan } from '../reconcile/plan/plan.ts';
import type { Subject } from '../status/history.ts';
import { plural } from '../text/plural.ts';
import { forEach, type Steps } from '../time/steps.ts';
import { type Line, writeAlike } from './alike.ts';
import { Conditions, type Due } from './conditions.ts';
import type { Log } from './log-events.ts';

type Verdicts = Pick<Plan, 'machines' | 'nodes'>;
type Key = `${Subject['kind']} ${string}`;

/** Verdicts of nodes that are not alive: logged as warnings, as every verdict is that warns. */
const WARNED: ReadonlySet<string> = new Set(['in-grace', 'vetoed', 'spared']);
/** Nothing is to be done: logged only at the end of another verdict, unless they warn. */
const NORMAL: ReadonlySet<string> = new Set(['foreign', 'has-node', 'keep', 'not-selected', 'recognised']);
/** Verdicts that the line of the action reports, unless they warn. */
const REPORTED: ReadonlySet<string> = new Set(['adopt', 'deregister', 'register']);

/** Logs the verdicts of pass after pass. */
export class VerdictLog {
  readonly #log: Log;
  readonly #conditions = new Conditions<Key>({ reminds: false, logsEnds: true });

  constructor(log: Log) {
    this.#log = log;
  }

  /** Logs, in steps, what the verdicts of a pass changed; `nowMs` is monotonic. */
  *write({ machines, nodes }: Verdicts, nowMs: number): Steps<void> {
    const lines: Line[] = [];
    const gone = new Set(this.#conditions.keys());
    const update = (subject: Subject) => {
      const state = stateOf(subject.verdict);
      // Nothing is there to begin, and nothing is left that could end: so it is with nearly all subjects.
      if (state === undefined && gone.size === 0) return;
      const key: Key = `${subject.kind} ${subject.id}`;
      gone.delete(key);
      const due = this.#conditions.update(key, state, nowMs, {
        isSilent: isSilent(subject.verdict),
        rank: isWarned(subject.verdict) ? 1 : 0,
      });
      if (due !== undefined) lines.push(lineOf(subject, due));
    };
    yield* forEach(machines, ([id, verdict]) => update({ kind: 'machine', id, verdict }));
    yield* forEach(nodes, ([id, verdict]) => update({ kind: 'node', id, verdict }));
    yield* forEach(gone, (key) => {
      const due = this.#conditions.update(key, undefined, nowMs);
      if (due !== undefined) lines.push(lineOfGone(key, due));
    });
    yield* writeAlike(this.#log, lines);
  }
}

function isWarned({ name, isWarning = false }: Subject['verdict']): boolean {
  return isWarning || WARNED.has(name);
}

function stateOf(verdict: Subject['verdict']): string | undefined {
  const { name } = verdict;
  if (isWarned(verdict)) return `${name}, a warning`;
  return NORMAL.has(name) || REPORTED.has(name) ? undefined : name;
}

/** The line of an action, or of the deletion guard, reports it. */
function isSilent(verdict: Subject['verdict']): boolean {
  const { name } = verdict;
  return name === 'held' || (REPORTED.has(name) && !isWarned(verdict));
}

function lineOf({ kind, id, verdict }: Subject, { preface, figures }: Due): Line {
  const next = verdict.next === undefined ? '' : `; ${verdict.next}`;
  const flapping = preface === '' ? '' : 'flapping ';
  return {
    kind: `${flapping}${kind} ${verdict.name}${isWarned(verdict) ? ' warning' : ''}`,
    event: isWarned(verdict) ? 'verdict-warning' : 'verdict',
    message: `${preface}${kind} ${id}: ${verdict.name}: ${verdict.reason}${next}`,
    fields: { [kind]: id, ...figures },
    common: { verdict: verdict.name },
    group: { name: id, many: (count) => `${plural(count, `${flapping}${kind}`)}: ${verdict.name}` },
  };
}

function lineOfGone(key: Key, { preface, figures }: Due): Line {
  const [kind = '', id = ''] = key.split(/ (.*)/s, 2);
  const lister = kind === 'machine' ? 'fleet' : 'the API server';
  return {
    kind: `${kind} gone`,
    event: 'verdict',
    message: `${preface}${key}: no longer listed by ${lister}`,
    fields: { [kind]: id, ...figures },
    common: {},
    group: { name: id, many: (count) => `${plural(count, kind)} no longer listed by ${lister}` },
  };
}
