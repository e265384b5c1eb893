/** When what lasts is worth a line: at its start, when it is told otherwise, as a reminder at growing intervals, and at its end. */
import { formatAge } from '../duration.ts';
import type { Fields } from './log-events.ts';

const FIRST_MS = 60_000;
const LONGEST_MS = 60 * 60_000;
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
  /** Those of `Lasted`; none for the first line of what lasts. */
  readonly figures: Fields;
}

interface Lasting {
  readonly sinceMs: number;
  readonly texts: Set<string>;
  times: number;
  dueMs: number;
}

/**
 * What lasts, each thing by its key. A reminder is due a minute after the start, and then when it has lasted twice as long as at the
 * last one, but an hour later at the latest. None comes unless the thing is found again. Times are monotonic ms.
 */
export class Reminders<Key extends string> {
  readonly #lasting = new Map<Key, Lasting>();

  /** It is there, with this text. What to say of that, or undefined when it is no news and no reminder is due. */
  found(key: Key, text: string, nowMs: number): Due | undefined {
    const before = this.#lasting.get(key);
    if (before === undefined) {
      this.#lasting.set(key, { sinceMs: nowMs, texts: new Set([text]), times: 1, dueMs: nowMs + FIRST_MS });
      return { preface: '', figures: {} };
    }
    before.times += 1;
    const figures = lastedUntil(nowMs, before);
    if (!before.texts.has(text) && before.texts.size < TEXTS) {
      before.texts.add(text);
      return { preface: '', figures: { ...figures } };
    }
    if (nowMs < before.dueMs) return undefined;
    before.dueMs = nowMs + Math.min(Math.max(figures.lastedMs, FIRST_MS), LONGEST_MS);
    return { preface: `still, after ${inWords(figures)}: `, figures: { ...figures } };
  }

  /** It is not there. How long it lasted, or undefined when it was not there before. */
  over(key: Key, nowMs: number): Lasted | undefined {
    const before = this.#lasting.get(key);
    this.#lasting.delete(key);
    return before && lastedUntil(nowMs, before);
  }
}

/** `12m (24 times)` */
export function inWords({ lastedMs, times }: Lasted): string {
  return `${formatAge(lastedMs)} (${times === 1 ? 'once' : `${times} times`})`;
}

function lastedUntil(nowMs: number, { sinceMs, times }: Lasting): Lasted {
  return { lastedMs: Math.round(nowMs - sinceMs), times };
}
