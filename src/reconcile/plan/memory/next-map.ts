/** A map of one pass that is the map of the pass before where nothing in it differs: in a steady cluster that is so in most passes. */

/** Takes the entries of this pass. To be set at most once for each key. */
export class NextMap<T extends object> {
  readonly #before: ReadonlyMap<string, T>;
  /** Undefined as long as every entry was in the map before. */
  #next: Map<string, T> | undefined;
  /** The keys so far, while `#next` is undefined. */
  #keys: string[] = [];

  constructor(before: ReadonlyMap<string, T>) {
    this.#before = before;
  }

  /** Adds an entry. The same value as before, by identity, is no change. */
  set(key: string, value: T): void {
    if (this.#next === undefined && this.#before.get(key) === value) {
      this.#keys.push(key);
      return;
    }
    this.#next ??= this.#copy();
    this.#next.set(key, value);
  }

  /** The entries of this pass alone. */
  get map(): ReadonlyMap<string, T> {
    if (this.#next === undefined && this.#keys.length === this.#before.size) return this.#before;
    return this.#next ?? this.#copy();
  }

  #copy(): Map<string, T> {
    const copy = new Map<string, T>();
    for (const key of this.#keys) {
      const value = this.#before.get(key);
      if (value !== undefined) copy.set(key, value);
    }
    this.#keys = [];
    return copy;
  }
}
