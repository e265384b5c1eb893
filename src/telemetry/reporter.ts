/** What the log says of passes: changes, each once; what is wrong, at its start and its end; and a summary an hour. */
import type { Logger } from 'pino';
import { formatDuration } from '../duration.ts';
import { quote } from '../quote.ts';
import { nodeName } from '../reconcile/action.ts';
import type { Outcome } from '../reconcile/apply.ts';
import type { Cause, PassReport } from '../reconcile/reconciler.ts';
import type { Change, Chapter } from './chronicle.ts';
import type { Counts } from './counts.ts';

const SUMMARY_EVERY_MS = 60 * 60_000;
/** Of so many changes of one kind in a pass each gets a line; of more, the rest share one. */
const LINES_OF_A_KIND = 20;
const METADATA_SHOWN = 10;

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

/** So many different sentences are said of one outage: a text that never repeats itself must not fill the log. */
const PROBLEMS_AN_OUTAGE = 5;

const DONE = { register: 'registered', adopt: 'adopted', label: 'updated', deregister: 'deregistered' } as const;
const VERBS = { register: 'register', adopt: 'adopt', label: 'update', deregister: 'deregister' } as const;

/** Writes the log of passes. It remembers what it said, so that what lasts is said once. */
export class Reporter {
  readonly #logger: Logger;
  readonly #selectorText: string;
  #first = true;
  #summaryMs: number | undefined;
  #said: ReadonlySet<string> = new Set();
  #brokenBy: Cause | undefined;
  /** Of the outage that lasts. */
  readonly #saidOf = { fleet: new Set<string>(), kubernetes: new Set<string>() };
  #apiServer: string | undefined;

  constructor(logger: Logger, selectorText: string) {
    this.#logger = logger;
    this.#selectorText = selectorText;
  }

  /** `counts` are those of a pass that saw something; `monotonicMs` is now. */
  report(report: PassReport, chapter: Chapter, counts: Counts | undefined, monotonicMs: number): void {
    this.#sayServers(chapter);
    this.#sayFailures(report);
    if (report.seen === undefined || counts === undefined) return;
    this.#sayApiServer(report);
    if (this.#first) this.#sayFirst(report, counts);
    this.#sayHold(report, chapter);
    this.#sayChanges(chapter.changes);
    this.#sayOutcomes(report);
    if (!this.#first && this.#summaryMs !== undefined && monotonicMs - this.#summaryMs >= SUMMARY_EVERY_MS) {
      this.#logger.info(figures(counts), `another hour: ${inWords(counts)}`);
      this.#summaryMs = monotonicMs;
    }
    this.#summaryMs ??= monotonicMs;
    this.#first = false;
  }

  #sayServers({ servers }: Chapter): void {
    for (const { target, state, lastedMs } of servers) {
      this.#saidOf[target].clear();
      if (state.up) this.#logger.info(`${target} answers again after ${formatDuration(lastedMs)}`);
    }
  }

  /** What was not said before in this outage; the same again is for those who debug. */
  #sayFailures({ failures }: PassReport): void {
    for (const [cause, problem] of failures) {
      if (cause === 'fleet' || cause === 'kubernetes') this.#sayProblem(this.#saidOf[cause], problem);
      else this.#logger[cause === this.#brokenBy ? 'debug' : 'error'](`pass failed: ${problem}`);
    }
    this.#brokenBy = [...failures.keys()].find((cause) => cause === 'timeout' || cause === 'internal');
  }

  #sayProblem(said: Set<string>, problem: string): void {
    if (said.has(problem) || said.size === PROBLEMS_AN_OUTAGE) {
      this.#logger.debug(problem);
      return;
    }
    said.add(problem);
    this.#logger.error(`${problem}; nothing is changed until it answers`);
  }

  /** An upgrade under the running daemon changes what can be done with nodes. */
  #sayApiServer({ seen }: PassReport): void {
    const server = seen?.observation.era.server;
    if (server === this.#apiServer) return;
    const before = this.#apiServer === undefined ? '' : `; it was ${this.#apiServer}`;
    this.#logger.info(`the API server is ${server}${before}`);
    this.#apiServer = server;
  }

  #sayFirst({ seen }: PassReport, counts: Counts): void {
    const { matched, listed } = counts.machines;
    if (matched > 0 || seen === undefined) {
      this.#logger.info(figures(counts), `first pass: ${inWords(counts)}`);
      return;
    }
    const metadata = listed === 0 ? 'fleet lists no machine' : `metadata there is: ${metadataOf(seen.observation)}`;
    this.#logger.warn(figures(counts), `first pass: no machine matches ${quote(this.#selectorText)}; ${metadata}`);
  }

  #sayHold({ seen }: PassReport, { hold }: Chapter): void {
    if (hold === 'began') this.#logger.error(seen?.plan.hold?.message);
    if (hold === 'ended') this.#logger.info('the hold is over; every grace starts anew');
  }

  #sayChanges(changes: readonly Change[]): void {
    const byVerdict = new Map<string, Change[]>();
    for (const change of changes) {
      if (!isWorthSaying(change)) continue;
      const kind = `${change.kind} ${change.verdict.name}`;
      byVerdict.set(kind, [...(byVerdict.get(kind) ?? []), change]);
    }
    for (const alike of byVerdict.values()) {
      for (const change of alike.slice(0, LINES_OF_A_KIND)) this.#sayChange(change);
      const [first, rest] = [alike[0], alike.length - LINES_OF_A_KIND];
      if (first !== undefined && rest > 0) {
        this.#logger[levelOf(first)](`${rest} more ${first.kind}s: ${first.verdict.name} (see /status)`);
      }
    }
  }

  #sayChange(change: Change): void {
    const { kind, id, verdict } = change;
    const next = verdict.next === undefined ? '' : `; ${verdict.next}`;
    this.#logger[levelOf(change)](
      { [kind]: id, verdict: verdict.name },
      `${kind} ${id}: ${verdict.name}: ${verdict.reason}${next}`,
    );
  }

  #sayOutcomes({ seen, outcomes, durationMs }: PassReport): void {
    const said = new Set<string>();
    const sayOnce = (key: string, say: () => void) => {
      if (!this.#said.has(key)) say();
      said.add(key);
    };
    for (const { key, text } of seen?.plan.notes ?? []) sayOnce(key, () => this.#logger.warn(text));
    for (const outcome of outcomes) {
      const repeats = outcome.result === 'failed' || outcome.result === 'dry-run' || outcome.result === 'refused';
      const key = `${outcome.result} ${outcome.action.kind} ${nodeName(outcome.action)} ${outcome.detail ?? ''}`;
      if (repeats) sayOnce(key, () => this.#sayOutcome(outcome));
      else this.#sayOutcome(outcome);
    }
    this.#said = said;

    const done = outcomes.filter(({ result }) => result === 'done' || result === 'unneeded');
    if (done.length === 0) return;
    const tally = new Map<string, number>();
    for (const { action } of done) tally.set(DONE[action.kind], (tally.get(DONE[action.kind]) ?? 0) + 1);
    const failed = outcomes.length - done.length;
    const parts = [...tally].map(([what, count]) => `${what} ${count}`);
    if (failed > 0) parts.push(`not done ${failed}`);
    this.#logger.info({ durationMs: Math.round(durationMs) }, `pass: ${parts.join(', ')}`);
  }

  #sayOutcome({ action, result, detail }: Outcome): void {
    const node = nodeName(action);
    const machine = 'machine' in action ? action.machine.id : undefined;
    const about = { action: action.kind, node, ...(machine === undefined ? {} : { machine }) };
    const subject = machine === undefined ? `node ${node}` : `node ${node} of machine ${machine}`;
    const why = action.kind === 'deregister' ? `: ${action.reason}: ${action.why}` : '';
    const because = detail === undefined ? '' : `: ${detail}`;
    switch (result) {
      case 'done':
        this.#logger.info(about, `${DONE[action.kind]} ${subject}${why}${because}`);
        break;
      case 'unneeded':
        this.#logger.info(about, `no need to ${VERBS[action.kind]} ${subject}${because}`);
        break;
      case 'dry-run':
        this.#logger.info(about, `dry run: would ${VERBS[action.kind]} ${subject}${why}`);
        break;
      case 'refused':
        this.#logger.warn(about, `did not ${VERBS[action.kind]} ${subject}${because}`);
        break;
      case 'failed':
        this.#logger.error(about, `could not ${VERBS[action.kind]} ${subject}${because}`);
        break;
    }
  }
}

/** What is as it should be is said only when it was not so before. */
function isWorthSaying({ verdict, before }: Change): boolean {
  if (UNSAID.has(verdict.name)) return false;
  return verdict.name !== 'keep' || (before !== undefined && WARNED.has(before));
}

function levelOf({ verdict }: Change): 'warn' | 'info' {
  return WARNED.has(verdict.name) ? 'warn' : 'info';
}

function figures({ machines, nodes, managed }: Counts) {
  return { machines, nodes: Object.fromEntries(nodes), managed };
}

/** `machines: 12 listed, 8 matched, 7 healthy; nodes: 9, 8 managed` */
function inWords({ machines, nodes, managed }: Counts): string {
  const total = [...nodes.values()].reduce((sum, count) => sum + count, 0);
  const { listed, matched, healthy } = machines;
  return `machines: ${listed} listed, ${matched} matched, ${healthy} healthy; nodes: ${total}, ${managed} managed`;
}

/** `role=etcd (3), role=worker (2)`, the most frequent first. */
function metadataOf({ machines }: NonNullable<PassReport['seen']>['observation']): string {
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
