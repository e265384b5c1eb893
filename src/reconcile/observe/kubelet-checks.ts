/** The health checks of one pass: each address once. */
import type { KubeletAnswer, KubeletProber } from '../../kubelet/kubelet.ts';

/** Checks each kubelet once a pass, however many machines or nodes have its address. */
export class KubeletChecks {
  readonly #prober: KubeletProber;
  readonly #signal: AbortSignal;
  readonly #started = new Map<string, Promise<void>>();
  readonly #answers = new Map<string, KubeletAnswer>();

  constructor(prober: KubeletProber, signal: AbortSignal) {
    this.#prober = prober;
    this.#signal = signal;
  }

  /** Starts the check of an address, unless it was started before. */
  start(address: string): void {
    if (this.#started.has(address)) return;
    const check = this.#prober.check(address, this.#signal).then((answer) => void this.#answers.set(address, answer));
    // When a pass ends early, nothing awaits the check.
    check.catch(() => {});
    this.#started.set(address, check);
  }

  /** The answers by address, once all checks that were started have ended. Rejects with the signal's reason. */
  async answers(): Promise<ReadonlyMap<string, KubeletAnswer>> {
    await Promise.all(this.#started.values());
    return this.#answers;
  }
}
