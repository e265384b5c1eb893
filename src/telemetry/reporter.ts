/** What the log says of passes: changes, each once; what lasts, at its start, now and then, and at its end; and the figures an hour. */
import { formatAge } from '../duration.ts';
import { quote } from '../quote.ts';
import type { PassReport } from '../reconcile/reconciler.ts';
import { type Line, sayAlike } from './alike.ts';
import type { Change, Chapter } from './chronicle.ts';
import type { Counts } from './counts.ts';
import type { Log } from './log-events.ts';
import { OutcomeLog } from './outcome-log.ts';
import { Reminders } from './reminders.ts';

const SUMMARY_EVERY_MS = 60 * 60_000;
const METADATA_SHOWN = 10;

type Seen = NonNullable<PassReport['seen']>;

/** Verdicts that a person may have to do something about. */
const WARNED: ReadonlySet<string> = new Set([
  'probe-suspect',
  'unmatched',
  'orphan',
  'in-grace',
  'vetoed',
  'spared',
  'unusable',
  'conflict',
  'unnamed',
  'refused',
]);
/** Verdicts that the outcome of an action, the guard or the summary speaks of already, or that are as they should be. */
const UNSAID: ReadonlySet<string> = new Set([
  'adopt',
  'deregister',
  'held',
  'foreign',
  'recognised',
  'register',
  'has-node',
  'not-selected',
]);

/** What lasts from pass to pass, and the event of its end. */
const ENDS = {
  'fleet-unreachable': 'fleet-answers-again',
  'kubernetes-unreachable': 'kubernetes-answers-again',
  'passes-failing': 'passes-succeed-again',
  'no-machine-matches': 'machines-match',
  'deregistrations-held': 'hold-over',
} as const;
type Lasting = keyof typeof ENDS;

/** Writes the log of passes. It remembers what it said, so that what lasts is not said in every pass. */
export class Reporter {
  readonly #log: Log;
  readonly #selectorText: string;
  readonly #outcomes: OutcomeLog;
  readonly #lasting = new Reminders<Lasting>();
  #summaryMs: number | undefined;
  #notes: ReadonlySet<string> = new Set();
  #apiServer: string | undefined;

  constructor(log: Log, selectorText: string) {
    this.#log = log;
    this.#selectorText = selectorText;
    this.#outcomes = new OutcomeLog(log);
  }

  /** `counts` are those of a pass that saw something; `nowMs` is monotonic. */
  report(report: PassReport, chapter: Chapter, counts: Counts | undefined, nowMs: number): void {
    this.#sayServers(chapter, nowMs);
    this.#sayFailures(report, nowMs);
    if (report.seen === undefined || counts === undefined) return;
    this.#sayApiServer(report.seen);
    this.#sayFigures(counts, nowMs);
    this.#sayMatches(report.seen, counts, nowMs);
    this.#sayHold(report.seen, nowMs);
    sayAlike(this.#log, chapter.changes.filter(isWorthSaying).map(lineOf));
    this.#sayNotes(report.seen);
    this.#outcomes.say(report, nowMs);
  }

  #sayServers({ servers }: Chapter, nowMs: number): void {
    for (const { target, state } of servers) {
      if (state.up) this.#isOver(`${target}-unreachable`, nowMs, (ms) => `${target} answers again after ${ms}`);
    }
  }

  #sayFailures({ failures, stopped }: PassReport, nowMs: number): void {
    for (const [cause, problem] of failures) {
      if (cause === 'timeout' || cause === 'internal') this.#lasts('passes-failing', `pass failed: ${problem}`, nowMs);
      else this.#lasts(`${cause}-unreachable`, `${problem}; nothing is changed until it answers`, nowMs);
    }
    if (failures.size > 0 || stopped) return;
    this.#isOver('passes-failing', nowMs, (ms) => `passes succeed again after ${ms}`);
  }

  /** An upgrade under the running daemon changes what can be done with nodes. */
  #sayApiServer({ observation }: Seen): void {
    const { server } = observation.era;
    if (server === this.#apiServer) return;
    const before = this.#apiServer === undefined ? '' : `; it was ${this.#apiServer}`;
    this.#log.say('api-server', `the API server is ${server}${before}`);
    this.#apiServer = server;
  }

  #sayFigures(counts: Counts, nowMs: number): void {
    if (this.#summaryMs === undefined) {
      this.#log.say('first-pass', `first pass: ${countsInWords(counts)}`, figuresOf(counts));
      this.#summaryMs = nowMs;
    } else if (nowMs - this.#summaryMs >= SUMMARY_EVERY_MS) {
      this.#log.say('hourly-figures', `another hour: ${countsInWords(counts)}`, figuresOf(counts));
      this.#summaryMs = nowMs;
    }
  }

  #sayMatches({ observation }: Seen, { machines }: Counts, nowMs: number): void {
    const selector = quote(this.#selectorText);
    if (machines.matched > 0) {
      const end = (ms: string) => `machines match ${selector} (${machines.matched}); for ${ms} none did`;
      this.#isOver('no-machine-matches', nowMs, end);
      return;
    }
    const metadata = machines.listed === 0 ? 'fleet lists no machine' : `metadata there is: ${metadataOf(observation)}`;
    this.#lasts('no-machine-matches', `no machine matches ${selector}; ${metadata}`, nowMs, 'none');
  }

  #sayHold({ plan: { hold } }: Seen, nowMs: number): void {
    if (hold !== undefined) this.#lasts('deregistrations-held', hold.message, nowMs, 'held');
    else this.#isOver('deregistrations-held', nowMs, (ms) => `the hold is over after ${ms}; every grace starts anew`);
  }

  #sayNotes({ plan: { notes } }: Seen): void {
    const isNews = (key: string) => !this.#notes.has(key);
    for (const { key, text } of notes) if (isNews(key)) this.#log.say('worked-around', text);
    this.#notes = new Set(notes.map(({ key }) => key));
  }

  /** Messages of one `text` are no news beside each other: their figures change, and what they tell does not. */
  #lasts(event: Lasting, message: string, nowMs: number, text = message): void {
    const due = this.#lasting.found(event, text, nowMs);
    if (due === undefined) this.#log.debug(message);
    else this.#log.say(event, due.preface + message, due.figures);
  }

  #isOver(event: Lasting, nowMs: number, messageOf: (lasted: string) => string): void {
    const lasted = this.#lasting.over(event, nowMs);
    if (lasted !== undefined) this.#log.say(ENDS[event], messageOf(formatAge(lasted.lastedMs)), { ...lasted });
  }
}

function lineOf({ kind, id, verdict }: Change): Line {
  const next = verdict.next === undefined ? '' : `; ${verdict.next}`;
  return {
    kind: `${kind} ${verdict.name}`,
    event: WARNED.has(verdict.name) ? 'verdict-warning' : 'verdict',
    message: `${kind} ${id}: ${verdict.name}: ${verdict.reason}${next}`,
    fields: { [kind]: id },
    common: { verdict: verdict.name },
    more: (count) => `${count} more ${kind}s: ${verdict.name} (see /status)`,
  };
}

/** What is as it should be is said only when it was not so before. */
function isWorthSaying({ verdict, before }: Change): boolean {
  if (UNSAID.has(verdict.name)) return false;
  return verdict.name !== 'keep' || (before !== undefined && WARNED.has(before));
}

function figuresOf({ machines, nodes, managed }: Counts) {
  return { machines, nodes: Object.fromEntries(nodes), managed };
}

/** `machines: 12 listed, 8 matched, 7 healthy; nodes: 9, 8 managed` */
function countsInWords({ machines, nodes, managed }: Counts): string {
  const total = [...nodes.values()].reduce((sum, count) => sum + count, 0);
  const { listed, matched, healthy } = machines;
  return `machines: ${listed} listed, ${matched} matched, ${healthy} healthy; nodes: ${total}, ${managed} managed`;
}

/** `role=etcd (3), role=worker (2)`, the most frequent first. */
function metadataOf({ machines }: Seen['observation']): string {
  const pairs = new Map<string, number>();
  for (const { metadata } of machines.values()) {
    for (const [key, value] of metadata) {
      const pair = quote(`${key}=${value}`);
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
    }
  }
  const frequent = [...pairs].sort(([, a], [, b]) => b - a);
  const shown = frequent.slice(0, METADATA_SHOWN).map(([pair, count]) => `${pair} (${count})`);
  const more = frequent.length > METADATA_SHOWN ? `, and ${frequent.length - METADATA_SHOWN} more` : '';
  return frequent.length === 0 ? 'none at all' : shown.join(', ') + more;
}
