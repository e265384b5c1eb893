/** What the log says of verdicts: that they changed, for those that a person wants to know of, and that they do so again and again. */
import type { Plan } from '../reconcile/plan/plan.ts';
import type { Change, Subject } from '../status/history.ts';
import { type Line, sayAlike } from './alike.ts';
import { Flapping, type Flaps } from './flapping.ts';
import type { Log } from './log-events.ts';

type Verdicts = Pick<Plan, 'machines' | 'nodes'>;
type Key = `${Subject['kind']} ${string}`;

/** Verdicts of nodes that are not alive: logged as warnings, as every verdict is that warns. */
const WARNED: ReadonlySet<string> = new Set(['in-grace', 'vetoed', 'spared']);
/** Verdicts that the outcome of an action or the summary reports already, unless they warn. */
const UNSAID: ReadonlySet<string> = new Set(['adopt', 'deregister', 'foreign', 'recognised', 'register']);
/** All is as it should be: logged only when the last line about it reports trouble. */
const WELL: ReadonlySet<string> = new Set(['keep', 'has-node', 'not-selected']);

/** The state of what there is no more. */
const GONE = 'gone';

export class VerdictLog {
  readonly #log: Log;
  readonly #flapping = new Flapping<Key>();
  /** The last line about these reports trouble. */
  readonly #troubled = new Set<Key>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** `changes` are those since the last good pass; `nowMs` is monotonic. */
  say(changes: readonly Change[], verdicts: Verdicts, nowMs: number): void {
    const lines = changes.flatMap((change) => this.#changed(change, nowMs));
    this.#forgetGone(verdicts, nowMs);
    for (const key of this.#flapping.keys()) {
      const flaps = this.#flapping.due(key, nowMs);
      if (flaps !== undefined) lines.push(this.#flapped(key, verdicts, flaps));
    }
    sayAlike(this.#log, lines);
  }

  #changed(change: Change, nowMs: number): readonly Line[] {
    const key = keyOf(change);
    const isWorthy = this.#isWorthy(key, change.verdict);
    if (!isWorthy && this.#flapping.stateOf(key) === undefined) return [];
    const line = lineOf(change);
    const state = isWarned(change.verdict) ? `${change.verdict.name}, a warning` : change.verdict.name;
    if (this.#flapping.changed(key, state, nowMs, isWorthy)) return [this.#said(key, change.verdict, line)];
    this.#log.debug(line.message);
    return [];
  }

  #isWorthy(key: Key, { name, isWarning = false }: Subject['verdict']): boolean {
    // The lines of the deletion guard report it.
    if (name === 'held') return false;
    if (isWarning) return true;
    return WELL.has(name) ? this.#troubled.has(key) : !UNSAID.has(name);
  }

  #forgetGone(verdicts: Verdicts, nowMs: number): void {
    for (const key of this.#troubled) if (subjectOf(key, verdicts) === undefined) this.#troubled.delete(key);
    for (const key of this.#flapping.keys()) {
      const isGone = subjectOf(key, verdicts) === undefined;
      if (isGone && this.#flapping.stateOf(key) !== GONE) this.#flapping.changed(key, GONE, nowMs, false);
    }
  }

  #flapped(key: Key, verdicts: Verdicts, { preface, figures }: Flaps): Line {
    const subject = subjectOf(key, verdicts);
    const line = subject === undefined ? lineOfGone(key) : this.#said(key, subject.verdict, lineOf(subject));
    return {
      ...line,
      kind: `on and off ${line.kind}`,
      message: preface + line.message,
      fields: { ...line.fields, ...figures },
      more: (count) => `on and off: ${line.more(count)}`,
    };
  }

  #said(key: Key, verdict: Subject['verdict'], line: Line): Line {
    if (isWarned(verdict) || verdict.name === 'queued') this.#troubled.add(key);
    else this.#troubled.delete(key);
    return line;
  }
}

function isWarned({ name, isWarning = false }: Subject['verdict']): boolean {
  return isWarning || WARNED.has(name);
}

function keyOf({ kind, id }: Subject): Key {
  return `${kind} ${id}`;
}

/** Undefined when there is no such machine or node any more. */
function subjectOf(key: Key, { machines, nodes }: Verdicts): Subject | undefined {
  const { kind, id } = partsOf(key);
  if (kind === 'machine') {
    const verdict = machines.get(id);
    return verdict && { kind, id, verdict };
  }
  const verdict = nodes.get(id);
  return verdict && { kind, id, verdict };
}

function partsOf(key: Key): Pick<Subject, 'kind' | 'id'> {
  return key.startsWith('machine ')
    ? { kind: 'machine', id: key.slice('machine '.length) }
    : { kind: 'node', id: key.slice('node '.length) };
}

function lineOf({ kind, id, verdict }: Subject): Line {
  const next = verdict.next === undefined ? '' : `; ${verdict.next}`;
  return {
    kind: `${kind} ${verdict.name}${isWarned(verdict) ? ' warning' : ''}`,
    event: isWarned(verdict) ? 'verdict-warning' : 'verdict',
    message: `${kind} ${id}: ${verdict.name}: ${verdict.reason}${next}`,
    fields: { [kind]: id },
    common: { verdict: verdict.name },
    more: (count) => `${count} more ${kind}s: ${verdict.name} (see /status)`,
  };
}

function lineOfGone(key: Key): Line {
  const { kind, id } = partsOf(key);
  const lists = kind === 'machine' ? 'fleet does not list it' : 'Kubernetes does not list it';
  return {
    kind: `${kind} ${GONE}`,
    event: 'verdict',
    message: `${key}: ${lists}`,
    fields: { [kind]: id },
    common: {},
    more: (count) => `${count} more ${kind}s: gone`,
  };
}
