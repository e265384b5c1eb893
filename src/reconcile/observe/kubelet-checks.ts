/** The health checks of one pass: each address once. */
import type { KubeletAnswer, KubeletProber } from '../../kubelet/kubelet.ts';

/** Checks each kubelet once a pass, however many machines or nodes have its address. */
export class KubeletChecks {
  readonly #prober: KubeletProber;
  readonly #signal: AbortSignal;
  readonly #started = new Set<string>();
  readonly #answers = new Map<string, KubeletAnswer>();
  #running = 0;
  /** Why the first check that failed did so. */
  #failure: { readonly reason: unknown } | undefined;
  #onChange = () => {};

  constructor(prober: KubeletProber, signal: AbortSignal) {
    this.#prober = prober;
    this.#signal = signal;
  }

  /** Starts the check of an address, unless it was started before. */
  start(address: string): void {
    if (this.#started.has(address)) return;
    this.#started.add(address);
    this.#running += 1;
    this.#prober.check(address, this.#signal).then(
      (answer) => this.#answered(address, answer),
      (reason: unknown) => this.#failed(reason),
    );
  }

  #answered(address: string, answer: KubeletAnswer): void {
    this.#answers.set(address, answer);
    this.#ended();
  }

  #failed(reason: unknown): void {
    this.#failure ??= { reason };
    this.#ended();
  }

  #ended(): void {
    this.#running -= 1;
    if (this.#running === 0 || this.#failure !== undefined) this.#onChange();
  }

  /** The answers by address, once all checks that were started have ended. Rejects with the signal's reason. */
  async answers(): Promise<ReadonlyMap<string, KubeletAnswer>> {
    if (this.#running > 0 && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#onChange = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure.reason;
    return this.#answers;
  }
}
