/** Logs passes: what begins, changes and ends, what was done, and the figures every hour. */

import { SERVER_NAMES, TARGETS, type Target } from '../http/request-error.ts';
import type { Note, NoteKind } from '../reconcile/plan/note.ts';
import { type PassReport, tellsOfServers } from '../reconcile/reconciler.ts';
import type { Counts } from '../status/counts.ts';
import { plural } from '../text/plural.ts';
import { quote } from '../text/quote.ts';
import { tally } from '../text/tally.ts';
import { formatDuration } from '../time/duration.ts';
import type { Steps } from '../time/steps.ts';
import { type Line, writeAlike } from './alike.ts';
import { Conditions } from './conditions.ts';
import type { Log, LogEvent } from './log-events.ts';
import { OutcomeLog } from './outcome-log.ts';
import { VerdictLog } from './verdict-log.ts';

const SECOND = 1_000;
const FIGURES_EVERY_MS = 60 * 60_000;
const METADATA_SHOWN = 10;

/** What ends a request that takes too long. */
const TIMEOUTS: Readonly<Record<Target, string>> = {
  fleet: 'KUBE_REGISTER_FLEET_TIMEOUT',
  kubernetes: 'KUBE_REGISTER_API_TIMEOUT',
};

type Seen = NonNullable<PassReport['seen']>;

/** Events of conditions that last from pass to pass, and the event of their end. */
const ENDS = {
  'fleet-unreachable': 'fleet-reachable-again',
  'kubernetes-unreachable': 'kubernetes-reachable-again',
  'fleet-slow': 'fleet-fast-again',
  'kubernetes-slow': 'kubernetes-fast-again',
  'passes-failing': 'passes-succeed-again',
  'no-machine-matches': 'machines-match',
  'deregistrations-held': 'hold-over',
} as const;
type Lasting = keyof typeof ENDS;

const NOTE_EVENTS: Partial<Record<NoteKind, LogEvent>> = {
  alternates: 'alternating',
  undone: 'undone-by-others',
  takeover: 'grace-restarted',
};

/** Logs pass after pass, and remembers what it logged. */
export class PassLog {
  readonly #log: Log;
  readonly #selectorText: string;
  readonly #outcomes: OutcomeLog;
  readonly #verdicts: VerdictLog;
  readonly #lasting = new Conditions<Lasting>({ reminds: true, logsEnds: true });
  readonly #notes = new Conditions({ reminds: false, logsEnds: false });
  readonly #apiServers = new Conditions<'API server'>({ reminds: false, logsEnds: false });
  #apiServer: string | undefined;
  #figuresMs: number | undefined;

  constructor(log: Log, selectorText: string) {
    this.#log = log;
    this.#selectorText = selectorText;
    this.#outcomes = new OutcomeLog(log);
    this.#verdicts = new VerdictLog(log);
  }

  /**
   * Logs a pass, in steps. `counts` is undefined when it did not see everything; `nowMs` is monotonic; the next pass is due in `nextInMs`,
   * undefined where none is.
   */
  *write(report: PassReport, counts: Counts | undefined, nowMs: number, nextInMs?: number): Steps<void> {
    this.#writeServers(report, nowMs, nextInMs);
    this.#writeSlow(report, nowMs);
    this.#writeFailure(report, nowMs);
    if (report.seen === undefined || counts === undefined) return;
    this.#writeApiServer(report.seen, nowMs);
    this.#writeFigures(counts, nowMs);
    this.#writeMatches(report.seen, counts, nowMs);
    this.#writeGuard(report.seen, nowMs);
    yield* this.#verdicts.write(report.seen.plan, nowMs);
    yield* this.#writeNotes(report.seen, nowMs);
    yield* this.#outcomes.write(report, nowMs);
  }

  #writeServers(report: PassReport, nowMs: number, nextInMs: number | undefined): void {
    if (!tellsOfServers(report)) return;
    const retried =
      nextInMs === undefined
        ? ''
        : `; retried in ${formatDuration(Math.max(Math.ceil(nextInMs / SECOND), 1) * SECOND)}`;
    for (const target of TARGETS) {
      const problem = report.failures.get(target);
      if (problem === undefined) {
        this.#ended(
          `${target}-unreachable`,
          nowMs,
          (lasted) => `requests to ${SERVER_NAMES[target]} succeed again after ${lasted}`,
        );
      } else {
        this.#lasts(`${target}-unreachable`, `${problem}; nothing is changed until this succeeds${retried}`, nowMs, {
          state: problem,
        });
      }
    }
  }

  /** A pass without a complete answer does not tell whether answers are slow. */
  #writeSlow({ failures, slowMs, seen }: PassReport, nowMs: number): void {
    for (const target of TARGETS) {
      if (seen === undefined || failures.has(target)) continue;
      const ms = slowMs?.get(target);
      const server = SERVER_NAMES[target];
      if (ms === undefined) {
        this.#ended(`${target}-slow`, nowMs, (lasted) => `${server} is no longer slow after ${lasted}`);
        continue;
      }
      const message =
        `${server} is slow: an answer took ${formatDuration(ms)}, more than half of ${TIMEOUTS[target]}, ` +
        'after which a request fails; check its load and that of etcd';
      this.#lasts(`${target}-slow`, message, nowMs, { state: 'slow' });
    }
  }

  #writeFailure({ failures, stopped }: PassReport, nowMs: number): void {
    const problem = failures.get('timeout') ?? failures.get('internal');
    if (problem !== undefined) this.#lasts('passes-failing', `pass failed: ${problem}`, nowMs);
    if (failures.size > 0 || stopped) return;
    this.#ended('passes-failing', nowMs, (lasted) => `passes succeed again after ${lasted}`);
  }

  /** An upgrade under the running daemon changes what can be done with nodes. */
  #writeApiServer({ observation }: Seen, nowMs: number): void {
    const { server } = observation.era;
    const before = this.#apiServer === undefined || this.#apiServer === server ? '' : `; before: ${this.#apiServer}`;
    this.#apiServer = server;
    const due = this.#apiServers.update('API server', server, nowMs);
    if (due !== undefined) this.#log.write('api-server', `${due.preface}API server ${server}${before}`, due.figures);
  }

  #writeFigures(counts: Counts, nowMs: number): void {
    const isFirst = this.#figuresMs === undefined;
    if (nowMs - (this.#figuresMs ?? Number.NEGATIVE_INFINITY) < FIGURES_EVERY_MS) return;
    this.#figuresMs = nowMs;
    const [event, title] = isFirst ? (['first-pass', 'first pass'] as const) : (['hourly-figures', 'hourly'] as const);
    this.#log.write(event, `${title}: ${countsInWords(counts)}`, figuresOf(counts));
  }

  #writeMatches({ observation }: Seen, { machines }: Counts, nowMs: number): void {
    const selector = quote(this.#selectorText);
    if (machines.matched > 0) {
      const matched = `${selector} matches ${plural(machines.matched, 'machine')}`;
      this.#ended('no-machine-matches', nowMs, (lasted) => `${matched} again after ${lasted}`);
      return;
    }
    const metadata = machines.listed === 0 ? 'fleet lists no machine' : metadataOf(observation);
    this.#lasts('no-machine-matches', `no machine matches ${selector}; ${metadata}`, nowMs, { state: 'none' });
  }

  #writeGuard({ plan: { hold } }: Seen, nowMs: number): void {
    if (hold !== undefined) {
      this.#lasts('deregistrations-held', hold.message, nowMs, {
        state: [hold.kind, ...hold.nodes].join(' '),
        rank: Math.floor(Math.log2(hold.nodes.length)),
      });
      return;
    }
    const message = (lasted: string) => `deletion guard inactive again after ${lasted}; all grace periods restart`;
    this.#ended('deregistrations-held', nowMs, message);
  }

  *#writeNotes({ plan: { notes } }: Seen, nowMs: number): Steps<void> {
    const due = this.#notes.updateAll(new Map(notes.map((note) => [idOf(note), ''])), nowMs);
    const lines = notes.flatMap((note): Line | [] => {
      const line = due.get(idOf(note));
      if (line === undefined) return [];
      const { kind, text } = note;
      return {
        kind,
        event: NOTE_EVENTS[kind] ?? 'worked-around',
        message: line.preface + text,
        fields: line.figures,
        common: {},
      };
    });
    yield* writeAlike(this.#log, lines);
  }

  /** Logs a condition that is there. Messages with the same `state` are the same condition: only their numbers differ. */
  #lasts(event: Lasting, message: string, nowMs: number, { state = message, rank = 0 } = {}): void {
    const due = this.#lasting.update(event, state, nowMs, { rank });
    if (due === undefined) this.#log.debug(message);
    else this.#log.write(event, due.preface + message, due.figures);
  }

  #ended(event: Lasting, nowMs: number, messageOf: (lasted: string) => string): void {
    const due = this.#lasting.update(event, undefined, nowMs);
    if (due !== undefined) this.#log.write(ENDS[event], due.preface + messageOf(due.lasted), due.figures);
  }
}

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

/** `the machines have: "role=etcd" (3), "role=worker" (2)`, the most frequent first. */
function metadataOf({ machines }: Seen['observation']): string {
  const pairs = [...machines.values()].flatMap(({ metadata }) =>
    [...metadata].map(([key, value]) => quote(`${key}=${value}`)),
  );
  const frequent = [...tally(pairs)].sort(([, a], [, b]) => b - a);
  const shown = frequent.slice(0, METADATA_SHOWN).map(([pair, count]) => `${pair} (${count})`);
  const more = frequent.length > METADATA_SHOWN ? `, and ${frequent.length - METADATA_SHOWN} more` : '';
  return frequent.length === 0 ? 'the machines have no metadata' : `the machines have: ${shown.join(', ')}${more}`;
}
