/** Writes Events in the background; drops those that cannot be written. No pass waits for an Event. */

import { RequestError } from '../http/request-error.ts';
import type { EventLog, NodeEvent } from '../kubernetes/events.ts';
import { Conditions } from '../log/conditions.ts';
import type { Log } from '../log/log-events.ts';
import type { PassReport } from '../reconcile/reconciler.ts';
import type { PassChanges } from '../status/history.ts';
import { plural } from '../text/plural.ts';
import type { Clock } from '../time/clock.ts';
import type { Steps } from '../time/steps.ts';
import { eventSteps } from './node-events.ts';

export interface EventRecorderParts {
  readonly events: EventLog;
  readonly log: Log;
  readonly clock: Clock;
  /** Counts Events that were written or given up. */
  readonly metrics: { eventEnded(written: boolean): void };
}

/** While this many Events wait, new ones are dropped. */
const MAX_WAITING = 500;
const MAX_WRITERS = 5;
/** How long waiting Events may take once the daemon stops. */
const DRAIN_MS = 2_000;
const CONTINUES = 'nodes are still registered and deregistered';

export class EventRecorder {
  readonly #parts: EventRecorderParts;
  /** The oldest first. */
  readonly #waiting: NodeEvent[] = [];
  /** Each writes one Event after another until none waits. */
  readonly #writers = new Set<Promise<void>>();
  /** Ends the current writers. A new one for each round: a longer-lived signal would keep a listener for every request. */
  #giveUp = new AbortController();
  readonly #failing = new Conditions<'not written'>({ reminds: true, logsEnds: true });
  #allWritten = true;
  #endIsLogged = false;

  constructor(parts: EventRecorderParts) {
    this.#parts = parts;
  }

  /** Queues the Events of a pass, in steps; waits for none. */
  *record(report: PassReport, passChanges: PassChanges): Steps<void> {
    if (!this.#failing.isPresent('not written')) this.#logWritten();
    const events = yield* eventSteps(report, passChanges);
    const taken = events.slice(0, MAX_WAITING - this.#waiting.length);
    this.#waiting.push(...taken);
    this.#dropped(events.length - taken.length);
    if (this.#writers.size === 0) this.#giveUp = new AbortController();
    while (this.#waiting.length > 0 && this.#writers.size < MAX_WRITERS) this.#addWriter();
  }

  /** Writes the waiting Events for 2 s at most, or until `abandon`, and drops the rest. Resolves when no request is left. */
  async finish(abandon: AbortSignal): Promise<void> {
    const giveUp = this.#giveUp;
    const stop = () => giveUp.abort(new Error('the daemon stops'));
    const timer = setTimeout(stop, DRAIN_MS);
    abandon.addEventListener('abort', stop);
    if (abandon.aborted) stop();
    await Promise.all(this.#writers);
    clearTimeout(timer);
    abandon.removeEventListener('abort', stop);
  }

  #addWriter(): void {
    const writer = this.#writeAll(this.#giveUp.signal).then(() => {
      this.#writers.delete(writer);
      if (this.#writers.size === 0) this.#roundEnded();
    });
    this.#writers.add(writer);
  }

  #dropped(count: number): void {
    for (let each = 0; each < count; each += 1) this.#parts.metrics.eventEnded(false);
    if (count > 0) this.#failed('full', `${plural(count, 'Event')} dropped: ${MAX_WAITING} already wait to be written`);
  }

  async #writeAll(signal: AbortSignal): Promise<void> {
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
      try {
        await this.#parts.events.write(event, signal);
        this.#parts.metrics.eventEnded(true);
      } catch (error) {
        this.#parts.metrics.eventEnded(false);
        if (signal.aborted) this.#logEnd();
        else this.#failed(causeOf(error), `an Event was not written: ${messageOf(error)}`);
      }
    }
  }

  #failed(cause: string, problem: string): void {
    const { log, clock } = this.#parts;
    this.#allWritten = false;
    const due = this.#failing.update('not written', cause, clock.monotonic());
    if (due === undefined) log.debug(problem);
    else log.write('events-not-written', `${due.preface}${problem}; ${CONTINUES}`, due.figures);
  }

  #logEnd(): void {
    this.#allWritten = false;
    if (this.#endIsLogged) return;
    this.#endIsLogged = true;
    const problem = 'the daemon stops before all Events are written: the rest is dropped';
    this.#parts.log.write('events-dropped-at-end', `${problem}; ${CONTINUES}`);
  }

  /** Events are written again when all of a round were: single successes between failures do not count. */
  #roundEnded(): void {
    if (this.#allWritten) this.#logWritten();
    this.#allWritten = true;
  }

  /** Called in every pass: after failures that come and go, the line is due later than their end. */
  #logWritten(): void {
    const { log, clock } = this.#parts;
    const due = this.#failing.update('not written', undefined, clock.monotonic());
    if (due === undefined) return;
    log.write('events-written-again', `${due.preface}Events are written again after ${due.lasted}`, due.figures);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What tells failures apart. Not the message, which can have the name of the Event, new each time. */
function causeOf(error: unknown): string {
  return error instanceof RequestError ? `${error.status ?? error.code}` : String(error);
}
