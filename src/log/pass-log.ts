/** What the log says of passes: changes, each once; what lasts, at its start, now and then, and at its end; and the figures an hour. */

import type { Target } from '../http/request-error.ts';
import type { Note, NoteKind } from '../reconcile/plan/note.ts';
import type { PassReport } from '../reconcile/reconciler.ts';
import type { Counts } from '../status/counts.ts';
import type { PassChanges } from '../status/history.ts';
import { quote } from '../text/quote.ts';
import { formatAge } from '../time/duration.ts';
import { type Line, sayAlike } from './alike.ts';
import { Flapping } from './flapping.ts';
import type { Log, LogEvent } from './log-events.ts';
import { Once } from './once.ts';
import { OutcomeLog } from './outcome-log.ts';
import { Reminders } from './reminders.ts';
import { VerdictLog } from './verdict-log.ts';

const SUMMARY_EVERY_MS = 60 * 60_000;
const METADATA_SHOWN = 10;

type Seen = NonNullable<PassReport['seen']>;

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
export class PassLog {
  readonly #log: Log;
  readonly #selectorText: string;
  readonly #outcomes: OutcomeLog;
  readonly #verdicts: VerdictLog;
  readonly #lasting = new Reminders<Lasting>();
  readonly #notes = new Once();
  readonly #eras = new Flapping<'API server'>();
  /** Servers that have come back: that may be told late. */
  readonly #back = new Set<Target>();
  #summaryMs: number | undefined;
  #apiServer: string | undefined;

  constructor(log: Log, selectorText: string) {
    this.#log = log;
    this.#selectorText = selectorText;
    this.#outcomes = new OutcomeLog(log);
    this.#verdicts = new VerdictLog(log);
  }

  /** `counts` are those of a pass that saw something; `nowMs` is monotonic. */
  report(report: PassReport, passChanges: PassChanges, counts: Counts | undefined, nowMs: number): void {
    this.#sayServers(passChanges, nowMs);
    this.#sayFailures(report, nowMs);
    if (report.seen === undefined || counts === undefined) return;
    this.#sayApiServer(report.seen, nowMs);
    this.#sayFigures(counts, nowMs);
    this.#sayMatches(report.seen, counts, nowMs);
    this.#sayHold(report.seen, nowMs);
    this.#verdicts.say(passChanges.changes, report.seen.plan, nowMs);
    this.#sayNotes(report.seen, nowMs);
    this.#outcomes.say(report, nowMs);
  }

  #sayServers({ servers }: PassChanges, nowMs: number): void {
    for (const { target, state } of servers) {
      if (state.up) this.#back.add(target);
      else this.#back.delete(target);
    }
    for (const target of this.#back) {
      this.#isOver(`${target}-unreachable`, nowMs, (ms) => `${target} answers again after ${ms}`);
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
  #sayApiServer({ observation }: Seen, nowMs: number): void {
    const { server } = observation.era;
    const before = this.#apiServer === undefined ? '' : `; it was ${this.#apiServer}`;
    const isNews = server !== this.#apiServer && this.#eras.changed('API server', server, nowMs);
    const flaps = this.#eras.due('API server', nowMs);
    if (isNews) this.#log.say('api-server', `the API server is ${server}${before}`);
    else if (flaps) this.#log.say('api-server', `${flaps.preface}the API server is ${server}`, flaps.figures);
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
      const end = (ms: string) => `machines match ${selector} again after ${ms}: ${machines.matched}`;
      this.#isOver('no-machine-matches', nowMs, end);
      return;
    }
    const metadata = machines.listed === 0 ? 'fleet lists no machine' : `metadata there is: ${metadataOf(observation)}`;
    this.#lasts('no-machine-matches', `no machine matches ${selector}; ${metadata}`, nowMs, 'none');
  }

  #sayHold({ plan: { hold } }: Seen, nowMs: number): void {
    if (hold !== undefined) this.#lasts('deregistrations-held', hold.message, nowMs, hold.kind);
    else
      this.#isOver(
        'deregistrations-held',
        nowMs,
        (ms) => `deletion guard inactive again after ${ms}; every grace period starts anew`,
      );
  }

  #sayNotes({ plan: { notes } }: Seen, nowMs: number): void {
    const news = this.#notes.news(notes.map(idOf), nowMs);
    const lines = notes.flatMap((note): Line[] => {
      const due = news.get(idOf(note));
      if (due === undefined) return [];
      const { kind } = note;
      const event = NOTE_EVENTS[kind] ?? 'worked-around';
      const message = due.preface + note.text;
      const more = (count: number) => `${count} more of the same kind (each is said at KUBE_REGISTER_LOG_LEVEL=debug)`;
      return [{ kind, event, message, fields: due.figures, common: {}, more }];
    });
    sayAlike(this.#log, lines);
  }

  /** Messages of one `text` are no news beside each other: their figures change, and what they tell does not. */
  #lasts(event: Lasting, message: string, nowMs: number, text = message): void {
    const due = this.#lasting.found(event, text, nowMs);
    if (due === undefined) this.#log.debug(message);
    else this.#log.say(event, due.preface + message, due.figures);
  }

  #isOver(event: Lasting, nowMs: number, messageOf: (lasted: string) => string): void {
    const end = this.#lasting.over(event, nowMs);
    if (end === undefined) return;
    this.#log.say(ENDS[event], end.preface + messageOf(formatAge(end.lasted.lastedMs)), end.figures);
  }
}

const NOTE_EVENTS: Partial<Record<NoteKind, LogEvent>> = {
  alternates: 'alternating',
  undone: 'undone-by-others',
  takeover: 'grace-restarted',
};

function idOf({ kind, key }: Note): string {
  return `${kind} ${key}`;
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
