/** The way between one copy of the daemon and a server: it takes time there and back, and anything may happen meanwhile. */
import { RequestError, type Target } from '../../src/http/request-error.ts';
import { onAbort } from '../../src/on-abort.ts';
import type { Cluster, Line } from './servers.ts';

const REQUEST_TIMEOUT_MS = 10_000;

export class Wire {
  readonly #cluster: Cluster;
  readonly #line: Line;

  constructor(cluster: Cluster, line: Line) {
    this.#cluster = cluster;
    this.#line = line;
  }

  isCut(other: 'fleet' | 'kubelets' | 'api'): boolean {
    return this.#cluster.world.weather.cuts.has(`${this.#line.copy} ${other}`);
  }

  /** Rejects with the signal's reason when it is aborted on the way. */
  async take(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await orAborted(this.#cluster.timeline.sleep(ms), signal);
    await orAborted(this.#line.running(), signal);
    signal.throwIfAborted();
  }

  takeABit(signal: AbortSignal): Promise<void> {
    return this.take(this.#cluster.chance.between(1, 200), signal);
  }

  /** `refuse` makes the answer of a server that will not; without it that is a RequestError, as the real clients make of it. */
  async askFleet<T>(act: () => T, signal: AbortSignal, refuse?: Refuse<T>): Promise<T> {
    const { world, chance, tap } = this.#cluster;
    const fail = (status?: number) =>
      this.#fail({ target: 'fleet', request: 'GET /fleet/v1/machines', status }, signal, refuse);
    tap.requested(this.#line.copy, 'GET /fleet/v1/machines');
    await this.takeABit(signal);
    const { fleet } = world.weather;
    if (this.isCut('fleet') || fleet === 'hangs') return fail();
    if (fleet === 'fails') return fail(chance.pick([500, 503]));
    const answer = act();
    await this.takeABit(signal);
    return answer;
  }

  /** What the server does, it does in one moment, between the way there and the way back. */
  async askKubernetes<T>(request: string, act: () => T, signal: AbortSignal, refuse?: Refuse<T>): Promise<T> {
    const { world, chance, tap } = this.#cluster;
    const fail = (status?: number) => this.#fail({ target: 'kubernetes', request, status }, signal, refuse);
    tap.requested(this.#line.copy, request);
    await this.takeABit(signal);
    const { api } = world.weather;
    if (this.isCut('api')) return fail();
    if (api === 'fails') return fail(chance.pick([500, 503, 429]));
    if (api === 'flaky' && chance.strikes(0.3)) return fail(chance.pick([500, 429, 409]));
    if (api === 'refuses' && !request.startsWith('GET')) return fail(422);
    if (api === 'slow') await this.take(chance.between(1_000, 8_000), signal);
    const answer = act();
    if (api === 'fails after storing' && chance.strikes(0.3)) return fail(500);
    await this.takeABit(signal);
    return answer;
  }

  /** Resolves with what a person reads of it. */
  async waitInVain(signal: AbortSignal): Promise<string> {
    await this.take(REQUEST_TIMEOUT_MS, signal);
    return 'no answer within 10 s';
  }

  async #fail<T>({ target, request, status }: Failure, signal: AbortSignal, refuse?: Refuse<T>): Promise<T> {
    const problem = status === undefined ? await this.waitInVain(signal) : `answered ${status}`;
    this.#cluster.tap.failed(this.#line.copy);
    if (status !== undefined && refuse !== undefined) return refuse(status);
    const code = status === undefined ? { code: 'ETIMEDOUT' } : { status };
    throw new RequestError({ target, server: 'the simulation', request, problem, ...code });
  }
}

type Refuse<T> = (status: number) => T;

interface Failure {
  readonly target: Target;
  readonly request: string;
  /** Undefined when no answer comes. */
  readonly status: number | undefined;
}

function orAborted(waiting: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stay = onAbort(signal, () => reject(signal.reason));
    void waiting.finally(stay).then(resolve);
  });
}
