/** When what lasts is worth a line: at its start, when it is told otherwise, as a reminder at growing intervals, and at its end. */
import { formatAge } from '../time/duration.ts';
import { Flapping, type Flaps, waitAfter } from './flapping.ts';
import type { Fields } from './log-events.ts';

/** So many different texts are said of one thing that lasts: one that never repeats itself must not fill the log. */
const TEXTS = 5;

/** How long it has lasted, and how often it was found: in so many passes, or of so many Events. */
export interface Lasted {
  readonly lastedMs: number;
  readonly times: number;
}

/** What goes before the sentence, and with it. */
export interface Due {
  readonly preface: string;
  /** Those of `Lasted`, and of `Flaps` where it comes and goes; none for the first line of what lasts. */
  readonly figures: Fields;
}

/** What goes before the sentence about an end, and with it. */
export interface End extends Due {
  readonly lasted: Lasted;
}

interface Lasting {
  readonly sinceMs: number;
  readonly texts: Set<string>;
  times: number;
  dueMs: number;
  /** Its start was not told by itself, since it comes and goes: neither is what follows, until it has been steady for long. */
  isQuiet: boolean;
  overMs: number | undefined;
}

/**
 * What lasts, each thing by its key. A reminder is due a minute after the start, and then when it has lasted twice as long as at the
 * last one, but an hour later at the latest. None comes unless the thing is found again. What comes and goes is told as `Flapping`
 * says. Times are monotonic ms.
 */
export class Reminders<Key extends string> {
  readonly #lasting = new Map<Key, Lasting>();
  readonly #flapping = new Flapping<Key>();

  /** It is there, with this text. What to say of that, or undefined when it is no news and no reminder is due. */
  found(key: Key, text: string, nowMs: number): Due | undefined {
    const before = this.#lasting.get(key);
    if (before === undefined || before.overMs !== undefined) return this.#began(key, text, nowMs);
    before.times += 1;
    if (before.isQuiet) return this.#foundOften(key, before, nowMs);
    const figures = lastedUntil(nowMs, before);
    if (!before.texts.has(text) && before.texts.size < TEXTS) {
      before.texts.add(text);
      return { preface: '', figures: { ...figures } };
    }
    if (nowMs < before.dueMs) return undefined;
    before.dueMs = nowMs + waitAfter(figures.lastedMs);
    return { preface: `still, after ${inWords(figures)}: `, figures: { ...figures } };
  }

  /** It is not there. What to say of its end, or undefined when that is no news; ask again in every pass, for it may be told late. */
  over(key: Key, nowMs: number): End | undefined {
    const before = this.#lasting.get(key);
    if (before === undefined) return undefined;
    const isNews = before.overMs === undefined;
    before.overMs ??= nowMs;
    const lasted = lastedUntil(before.overMs, before);
    if (isNews && this.#flapping.changed(key, 'over', nowMs)) return { preface: '', figures: { ...lasted }, lasted };
    const flaps = this.#flapping.due(key, nowMs);
    if (this.#flapping.stateOf(key) === undefined) this.#lasting.delete(key);
    return flaps && { ...withFlaps(lasted, flaps), lasted };
  }

  /** Whether it is there, or was a while ago. */
  remembers(key: Key): boolean {
    return this.#lasting.has(key);
  }

  /** Whether it is there, as far as is known. */
  lasts(key: Key): boolean {
    const before = this.#lasting.get(key);
    return before !== undefined && before.overMs === undefined;
  }

  #began(key: Key, text: string, nowMs: number): Due | undefined {
    const isQuiet = !this.#flapping.changed(key, 'found', nowMs);
    const began = {
      sinceMs: nowMs,
      texts: new Set([text]),
      times: 1,
      dueMs: nowMs + waitAfter(0),
      isQuiet,
      overMs: undefined,
    };
    this.#lasting.set(key, began);
    return isQuiet ? this.#foundOften(key, began, nowMs) : { preface: '', figures: {} };
  }

  #foundOften(key: Key, lasting: Lasting, nowMs: number): Due | undefined {
    const flaps = this.#flapping.due(key, nowMs);
    lasting.isQuiet = this.#flapping.stateOf(key) !== undefined;
    if (flaps === undefined) return undefined;
    const lasted = lastedUntil(nowMs, lasting);
    lasting.dueMs = nowMs + waitAfter(lasted.lastedMs);
    return withFlaps(lasted, flaps);
  }
}

/** `12m (24 times)` */
export function inWords({ lastedMs, times }: Lasted): string {
  return `${formatAge(lastedMs)} (${times === 1 ? 'once' : `${times} times`})`;
}

function lastedUntil(nowMs: number, { sinceMs, times }: Lasting): Lasted {
  return { lastedMs: Math.round(nowMs - sinceMs), times };
}

function withFlaps(lasted: Lasted, { preface, figures }: Flaps): Due {
  return { preface, figures: { ...lasted, ...figures } };
}
