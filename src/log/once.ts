/** When what is said once for as long as it lasts is worth a line: when it begins, and now and then when it comes and goes. */
import { Flapping } from './flapping.ts';
import type { Due } from './reminders.ts';

const FIRST: Due = { preface: '', figures: {} };

/** Remembers what was there in the last pass. Its end is never told. */
export class Once {
  readonly #flapping = new Flapping<string>();
  #there: ReadonlySet<string> = new Set();

  /** These are there in this pass, each once. Those to be told, with what goes before the sentence; `nowMs` is monotonic. */
  news(keys: Iterable<string>, nowMs: number): ReadonlyMap<string, Due> {
    const before = this.#there;
    this.#there = new Set(keys);
    const news = new Map<string, Due>();
    for (const key of this.#there) {
      const isNews = !before.has(key) && this.#flapping.changed(key, 'there', nowMs);
      const due = isNews ? FIRST : this.#flapping.due(key, nowMs);
      if (due !== undefined) news.set(key, due);
    }
    for (const key of this.#flapping.keys()) if (!this.#there.has(key)) this.#leave(key, before.has(key), nowMs);
    return news;
  }

  /** How many keys are remembered: those of the last ten minutes. */
  get remembered(): number {
    return this.#flapping.keys().length;
  }

  #leave(key: string, wasThere: boolean, nowMs: number): void {
    if (wasThere) this.#flapping.changed(key, 'gone', nowMs, false);
    else this.#flapping.due(key, nowMs);
  }
}
