/** The kubelets that one pass asks, while it still learns which those are. */
import type { KubeletAnswer, KubeletProber } from '../../kubelet/kubelet.ts';

/** Asks each kubelet once a pass, however many machines or nodes it is asked for. */
export class KubeletInquiry {
  readonly #prober: KubeletProber;
  readonly #signal: AbortSignal;
  readonly #asked = new Map<string, Promise<void>>();
  readonly #answers = new Map<string, KubeletAnswer>();

  constructor(prober: KubeletProber, signal: AbortSignal) {
    this.#prober = prober;
    this.#signal = signal;
  }

  ask(address: string): void {
    if (this.#asked.has(address)) return;
    const asked = this.#prober.check(address, this.#signal).then((answer) => void this.#answers.set(address, answer));
    // A pass that ends early leaves nobody to hear the rejection.
    asked.catch(() => {});
    this.#asked.set(address, asked);
  }

  /** By address: all that was asked so far. */
  async answers(): Promise<ReadonlyMap<string, KubeletAnswer>> {
    await Promise.all(this.#asked.values());
    return this.#answers;
  }
}
