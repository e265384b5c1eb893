/** Decides which lines the log gets about conditions: things that begin, last, change and end. */
import { timesInWords } from '../text/plural.ts';
import { formatAge } from '../time/duration.ts';
import type { Fields } from './log-events.ts';

/** The intervals between lines about one condition: each as long as the condition has lasted, within these limits. */
const INTERVAL_MS = { shortest: 60_000, longest: 60 * 60_000 } as const;
/** Begins, ends and other changes without ten calm minutes in between: the first three of each are logged one by one. */
const ONE_BY_ONE = 3;
const CALM_MS = 10 * 60_000;
/** A summary names the time without a change from here on. */
const STEADY_MS = 60_000;

/** How the log treats a group of conditions. */
export interface ConditionRules {
  /** Whether a condition that lasts is logged again. */
  readonly reminds: boolean;
  /** Whether the end of a condition is logged. */
  readonly logsEnds: boolean;
}

/** What an update says beside the state. */
export interface UpdateOptions {
  /** Another line reports this state. */
  readonly isSilent?: boolean;
  /** How bad the state is, from 0; among the states of one condition. */
  readonly rank?: number;
}

/** The rank of a condition that is not there. */
const ABSENT = -1;

/** A line is due: what it has beside its own message. */
export interface Due {
  /** Goes before the message: empty, `still, for 8m (17 times): ` or `changed 26 times in 12m: `. */
  readonly preface: string;
  /** `lastedMs` and `times` where ends are logged, except at a begin; `flaps` and `flappedMs` in a summary. */
  readonly figures: Fields;
  /** How long the condition has lasted, or lasted until its end: `8m`. */
  readonly lasted: string;
  /** How many updates found it: `once`, `17 times`. */
  readonly times: string;
}

/**
 * Conditions by key. The rule: a condition is logged when it begins, again at growing intervals (1m, 2m, 4m ... 60m) while it lasts, and
 * with its duration when it ends. What begins, ends or changes more than three times without ten calm minutes in between gets
 * one summary line at growing intervals, with the count and the present state; after ten calm minutes changes are logged one by one again.
 * A worse state is never withheld behind a line about a better one: of what flaps, the end waits for the calm and a better
 * state for the next summary; the begin and every worse state do not wait. All times are monotonic ms.
 */
export class Conditions<Key extends string = string> {
  readonly #rules: ConditionRules;
  readonly #conditions = new Map<Key, Condition>();

  constructor(rules: ConditionRules) {
    this.#rules = rules;
  }

  /**
   * Records the state of a condition, `undefined` where there is none, and returns the line that is due. To be called in every pass, also
   * while nothing changes: lines become due with time.
   */
  update(
    key: Key,
    state: string | undefined,
    nowMs: number,
    { isSilent = false, rank = 0 }: UpdateOptions = {},
  ): Due | undefined {
    const known = this.#conditions.get(key);
    if (known === undefined && state === undefined) return undefined;
    const condition = known ?? new Condition(this.#rules, nowMs);
    this.#conditions.set(key, condition);
    const due = condition.update(state, nowMs, isSilent, state === undefined ? ABSENT : rank);
    if (condition.isForgettable(nowMs)) this.#conditions.delete(key);
    return due;
  }

  /** Updates those that are given and ends all others. */
  updateAll(states: ReadonlyMap<Key, string>, nowMs: number): ReadonlyMap<Key, Due> {
    const lines = new Map<Key, Due>();
    for (const key of new Set([...states.keys(), ...this.keys()])) {
      const due = this.update(key, states.get(key), nowMs);
      if (due !== undefined) lines.set(key, due);
    }
    return lines;
  }

  /** Conditions that are there, or ended less than ten minutes ago. */
  keys(): readonly Key[] {
    return [...this.#conditions.keys()];
  }

  /** Whether the condition is there, or ended less than ten minutes ago. */
  has(key: Key): boolean {
    return this.#conditions.has(key);
  }

  /** Whether the condition was there at the last update. */
  isPresent(key: Key): boolean {
    return this.#conditions.get(key)?.isPresent === true;
  }
}

type Change = 'begin' | 'end' | 'other';

class Condition {
  readonly #rules: ConditionRules;
  #state: string | undefined;
  #beganMs: number;
  #endedMs: number | undefined;
  /** Updates in which it was there, since it began. */
  #times = 0;
  /** Since the last ten calm minutes. */
  #changes = { begin: 0, end: 0, other: 0 };
  #firstChangeMs: number;
  #lastChangeMs: number;
  /** Some of these changes were not logged by themselves. */
  #isFlapping = false;
  /** The last change is not logged yet. */
  #isPending = false;
  /** The rank of the state in the last line. */
  #loggedRank = ABSENT;
  #rank = ABSENT;
  #dueMs = 0;

  constructor(rules: ConditionRules, nowMs: number) {
    this.#rules = rules;
    this.#beganMs = nowMs;
    this.#firstChangeMs = nowMs;
    this.#lastChangeMs = nowMs;
  }

  get isPresent(): boolean {
    return this.#state !== undefined;
  }

  isForgettable(nowMs: number): boolean {
    return !this.isPresent && this.#isCalm(nowMs);
  }

  update(state: string | undefined, nowMs: number, isSilent: boolean, rank: number): Due | undefined {
    this.#rank = rank;
    const change = this.#change(state, nowMs, isSilent);
    if (this.isPresent) this.#times += 1;
    const isSummary = this.#isPending && this.#isSummaryDue(nowMs);
    const isReminder = this.#rules.reminds && this.isPresent && !isSilent && nowMs >= this.#dueMs;
    const line = change ?? (isSummary ? 'summary' : isReminder ? 'reminder' : undefined);
    const due = line && this.#logged(line, nowMs);
    if (this.#isCalm(nowMs)) this.#forgetChanges(nowMs);
    return due;
  }

  /** Takes over the state. Returns the change when it is logged by itself. */
  #change(state: string | undefined, nowMs: number, isSilent: boolean): Change | undefined {
    if (state === this.#state) return undefined;
    const change = state === undefined ? 'end' : this.isPresent ? 'other' : 'begin';
    if (this.#isCalm(nowMs)) this.#forgetChanges(nowMs);
    this.#state = state;
    this.#changes[change] += 1;
    this.#lastChangeMs = nowMs;
    if (change === 'end') this.#endedMs = nowMs;
    if (change === 'begin') {
      this.#beganMs = nowMs;
      this.#endedMs = undefined;
      this.#times = 0;
    }
    const isWorthy = !isSilent && (change !== 'end' || (this.#rules.logsEnds && this.#loggedRank > ABSENT));
    const isOneByOne = isWorthy && this.#changes[change] <= ONE_BY_ONE;
    this.#isPending = isWorthy && !isOneByOne;
    this.#isFlapping ||= this.#isPending;
    if (isSilent && change === 'end') this.#loggedRank = ABSENT;
    return isOneByOne ? change : undefined;
  }

  #isSummaryDue(nowMs: number): boolean {
    if (this.#isCalm(nowMs)) return true;
    return this.isPresent && (nowMs >= this.#dueMs || this.#rank > this.#loggedRank);
  }

  #isCalm(nowMs: number): boolean {
    return nowMs - this.#lastChangeMs >= CALM_MS;
  }

  #forgetChanges(nowMs: number): void {
    this.#changes = { begin: 0, end: 0, other: 0 };
    this.#firstChangeMs = nowMs;
    this.#isFlapping = false;
  }

  #logged(line: Change | 'summary' | 'reminder', nowMs: number): Due {
    const lastedMs = Math.round((this.#endedMs ?? nowMs) - this.#beganMs);
    const age = line === 'begin' ? 0 : nowMs - (this.#isFlapping ? this.#firstChangeMs : this.#beganMs);
    this.#dueMs = nowMs + Math.min(Math.max(age, INTERVAL_MS.shortest), INTERVAL_MS.longest);
    this.#loggedRank = this.#rank;
    this.#isPending = false;
    const lasted = formatAge(lastedMs);
    const times = timesInWords(this.#times);
    const figures = line !== 'begin' && this.#rules.logsEnds ? { lastedMs, times: this.#times } : {};
    if (line === 'reminder') return { preface: `still, for ${lasted} (${times}): `, figures, lasted, times };
    if (line !== 'summary') return { preface: '', figures, lasted, times };
    const { preface, ...flaps } = this.#summary(nowMs);
    return { preface, figures: { ...figures, ...flaps }, lasted, times };
  }

  #summary(nowMs: number) {
    const { begin, end, other } = this.#changes;
    const flaps = begin + end + other;
    const flappedMs = Math.round(this.#lastChangeMs - this.#firstChangeMs);
    const steadyMs = nowMs - this.#lastChangeMs;
    const steady = steadyMs >= STEADY_MS ? `, steady for ${formatAge(steadyMs)}` : '';
    return { preface: `changed ${flaps} times in ${formatAge(flappedMs)}${steady}: `, flaps, flappedMs };
  }
}
