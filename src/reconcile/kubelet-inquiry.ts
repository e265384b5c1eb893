/** The kubelets that one pass asks, while it still learns which those are. */
import type { KubeletAnswer, KubeletProber } from '../kubelet/kubelet.ts';

/** Asks each kubelet once a pass, however many machines or nodes it is asked for. */
export class KubeletInquiry {
  readonly #prober: KubeletProber;
  readonly #signal: AbortSignal;
  readonly #asked = new Map<string, Promise<KubeletAnswer>>();

  constructor(prober: KubeletProber, signal: AbortSignal) {
    this.#prober = prober;
    this.#signal = signal;
  }

  ask(address: string): void {
    if (this.#asked.has(address)) return;
    const answer = this.#prober.check(address, this.#signal);
    // A pass that ends early leaves nobody to hear the rejection.
    answer.catch(() => {});
    this.#asked.set(address, answer);
  }

  async answers(): Promise<ReadonlyMap<string, KubeletAnswer>> {
    const entries = [...this.#asked].map(async ([address, answer]) => [address, await answer] as const);
    return new Map(await Promise.all(entries));
  }
}
