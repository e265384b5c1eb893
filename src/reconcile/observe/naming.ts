/** The names that NODE_NAME gives machines. Reverse lookups run beside the pass; one that fails is retried after a minute. */
import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Clock } from '../../time/clock.ts';
import type { Candidate } from '../evidence/machines.ts';
import type { GivenName } from '../evidence/pair.ts';

/** The setting NODE_NAME, parsed. */
export type NameRule =
  | { readonly kind: 'ip' | 'reverse-lookup' | 'machine-id' }
  | { readonly kind: 'metadata'; readonly key: string };

export interface Namer {
  /** A name, or why there is none, by machine id. Rejects only with the signal's reason. */
  namesOf(machines: readonly Candidate[], signal: AbortSignal): Promise<ReadonlyMap<string, GivenName>>;
}

/** The names of an address in DNS; rejects when there are none. */
export type ReverseLookup = (address: string) => Promise<readonly string[]>;

/** How long a name is used before it is looked up again. */
const FOUND_MS = 10 * 60_000;
/** How long a failed lookup is not repeated. */
const FAILED_MS = 60_000;
const CONCURRENT_LOOKUPS = 50;

/** A namer for the setting. A pass waits `waitMs` for lookups; later answers are used by the next pass. */
export function createNamer(rule: NameRule, lookup: ReverseLookup, clock: Clock, waitMs = 5_000): Namer {
  if (rule.kind === 'reverse-lookup') return new ReverseNamer(lookup, clock, waitMs);
  const nameOf = (machine: Candidate): GivenName => {
    if (rule.kind !== 'metadata') return { name: rule.kind === 'ip' ? machine.address : machine.id };
    const name = machine.metadata.get(rule.key);
    return name
      ? { name }
      : { problem: `it has no metadata ${JSON.stringify(rule.key)}, which KUBE_REGISTER_NODE_NAME names` };
  };
  return { namesOf: async (machines) => new Map(machines.map((machine) => [machine.id, nameOf(machine)])) };
}

class ReverseNamer implements Namer {
  readonly #lookup: ReverseLookup;
  readonly #clock: Clock;
  readonly #waitMs: number;
  readonly #limit = pLimit(CONCURRENT_LOOKUPS);
  /** By address. */
  readonly #known = new Map<string, { readonly given: GivenName; readonly untilMs: number }>();
  readonly #running = new Map<string, Promise<void>>();

  constructor(lookup: ReverseLookup, clock: Clock, waitMs: number) {
    this.#lookup = lookup;
    this.#clock = clock;
    this.#waitMs = waitMs;
  }

  async namesOf(machines: readonly Candidate[], signal: AbortSignal): Promise<ReadonlyMap<string, GivenName>> {
    this.#dropExpired();
    for (const { address } of machines) this.#startLookup(address);
    const answered = new AbortController();
    const timeout = delay(this.#waitMs, undefined, { signal: AbortSignal.any([signal, answered.signal]) });
    const lookups = Promise.all(this.#running.values());
    await Promise.race([lookups, timeout.catch(() => {})]);
    answered.abort();
    signal.throwIfAborted();
    const pending: GivenName = { problem: 'the reverse lookup of its address is not answered yet' };
    return new Map(machines.map(({ id, address }) => [id, this.#known.get(address)?.given ?? pending]));
  }

  #startLookup(address: string): void {
    if (this.#known.has(address) || this.#running.has(address)) return;
    const running = this.#limit(async () => {
      const given = await this.#reverse(address);
      const keepMs = 'name' in given ? FOUND_MS : FAILED_MS;
      this.#known.set(address, { given, untilMs: this.#clock.monotonic() + keepMs });
      this.#running.delete(address);
    });
    this.#running.set(address, running);
  }

  async #reverse(address: string): Promise<GivenName> {
    try {
      const [first] = await this.#lookup(address);
      const name = first?.toLowerCase().replace(/\.$/, '');
      return name ? { name } : { problem: `the reverse lookup of ${address} gave no name` };
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      return { problem: `the reverse lookup of ${address} failed: ${cause}` };
    }
  }

  #dropExpired(): void {
    const now = this.#clock.monotonic();
    for (const [address, { untilMs }] of this.#known) if (untilMs <= now) this.#known.delete(address);
  }
}
