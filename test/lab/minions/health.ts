/** Which minions an API server before v0.10 takes for healthy: it asks their kubelets itself, and waits for ever. */
import { get } from 'node:http';

export interface HealthOptions {
  readonly kubeletPort: number;
  /** How long an answer is believed, ms. */
  readonly cacheMs: number;
  /** ms; owned by the test. */
  readonly clock: () => number;
  /** `-health_check_minions`: false takes every minion for healthy. */
  readonly enabled: boolean;
}

export class Health {
  readonly #options: HealthOptions;
  #healthy: ReadonlySet<string> = new Set();
  #askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  get enabled(): boolean {
    return this.#options.enabled;
  }

  isHealthy(id: string): boolean {
    return !this.enabled || this.#healthy.has(id);
  }

  /** Asks all of them, unless the last answers are still believed. A kubelet that hangs holds this up. */
  async refresh(ids: readonly string[], { force }: { readonly force: boolean }): Promise<void> {
    const { cacheMs, clock } = this.#options;
    if (!this.enabled || (!force && clock() - this.#askedAtMs < cacheMs)) return;
    const healthy = await Promise.all(ids.map((id) => this.#ask(id)));
    this.#healthy = new Set(ids.filter((_, index) => healthy[index]));
    this.#askedAtMs = clock();
  }

  /** Asks one, by its id and not by its hostIP, and remembers nothing but the answer. */
  async refreshOne(id: string): Promise<void> {
    if (!this.enabled) return;
    const healthy = new Set(this.#healthy);
    if (await this.#ask(id)) healthy.add(id);
    else healthy.delete(id);
    this.#healthy = healthy;
  }

  /** Any 2xx is healthy; a refused connection, 404 or 500 is not. */
  #ask(id: string): Promise<boolean> {
    // The lab's kubelets are on loopback, and it has no names: anything else is unreachable, and the kernel takes seconds to say so.
    if (!id.startsWith('127.') && id !== '::1') return Promise.resolve(false);
    return new Promise((resolve) => {
      const asked = get({ host: id, port: this.#options.kubeletPort, path: '/healthz', agent: false }, (response) => {
        response.resume();
        const status = response.statusCode ?? 0;
        resolve(status >= 200 && status < 300);
      });
      asked.on('error', () => resolve(false));
    });
  }
}
