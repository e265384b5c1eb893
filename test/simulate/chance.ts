/** Chance that can be repeated: everything that a schedule leaves to chance is drawn from here, from one seed. */

export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A stream of its own for each of the numbers: what is drawn from one changes nothing of the others. */
  static of(...numbers: readonly number[]): Chance {
    const mixed = numbers.reduce((state, number) => Math.imul(state ^ number, 0x9e3779b1) ^ (state >>> 15), 0x2545f491);
    return new Chance(mixed);
  }

  /** At least 0, less than 1: mulberry32, of which one 32-bit word is all that has to be known to go on. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** True so often, of 1. */
  strikes(probability: number): boolean {
    return this.next() < probability;
  }

  /** A whole number between the two, both included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  pick<T>(choices: readonly T[]): T | undefined {
    return choices[Math.floor(this.next() * choices.length)];
  }

  /** Each with the probability, in the order given. */
  some<T>(choices: readonly T[], probability: number): readonly T[] {
    return choices.filter(() => this.strikes(probability));
  }

  /** One of the keys, each as often as its number is of their sum. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      left -= weight;
      if (left < 0) return key;
    }
    const [last] = entries.at(-1) ?? [];
    if (last === undefined) throw new Error('nothing to choose from');
    return last;
  }
}
