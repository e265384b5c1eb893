/** The way between one copy of the daemon and a server: it takes time there and back, and anything may happen meanwhile. */
import { RequestError, type Target } from '../../src/http/request-error.ts';
import { onAbort } from '../../src/network/on-abort.ts';
import type { Chance } from './chance.ts';
import type { Release } from './release.ts';
import { SECOND } from './time.ts';
import type { Timeline } from './timeline.ts';
import type { Line, Wiretap } from './wiretap.ts';
import type { World } from './world.ts';

/** What all copies share. */
export interface Cluster {
  readonly world: World;
  readonly chance: Chance;
  readonly tap: Wiretap;
  /** For the story. */
  tell(what: string): void;
  /** Stops the process of a copy, or suspends its machine, for so long. */
  stop(copy: number, ms: number): void;
}

const REQUEST_TIMEOUT_MS = 10 * SECOND;

/** What a server does with a request, in one moment. */
type Act<T> = (at: { readonly release: Release; readonly sentAtMs: number }) => T;
/** Makes the answer of a server that will not; without it that is a RequestError, as the real clients make of it. */
type Refuse<T> = (status: number) => T;

export class Wire {
  readonly #cluster: Cluster;
  readonly #line: Line;

  constructor(cluster: Cluster, line: Line) {
    this.#cluster = cluster;
    this.#line = line;
  }

  isCut(other: 'fleet' | 'kubelets' | 'api'): boolean {
    return this.#cluster.world.cuts.has(`${this.#line.copy} ${other}`);
  }

  /** Rejects with the signal's reason when it is aborted on the way; a process that is stopped comes no further. */
  async take(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await orAborted(this.#cluster.world.timeline.sleep(ms), signal);
    await orAborted(this.#line.running(), signal);
    signal.throwIfAborted();
  }

  takeABit(signal: AbortSignal): Promise<void> {
    return this.take(this.#bit(), signal);
  }

  askFleet<T>(act: () => T, signal: AbortSignal, refuse?: Refuse<T>): Promise<T> {
    const { world, chance, tap } = this.#cluster;
    const request = 'GET /fleet/v1/machines';
    tap.requested(this.#line.copy, 'fleet', request);
    const serve = (): Served<T> => {
      const { weather } = world.fleets[this.#line.fleet];
      if (this.isCut('fleet') || weather === 'hangs') return 'no answer';
      if (weather === 'fails') return { status: chance.strikes(0.5) ? 500 : 503 };
      return { answer: act() };
    };
    return this.#send({ target: 'fleet', request, wayMs: this.#bit(), serve }, signal, refuse);
  }

  /** A request that has left is carried out, whatever becomes of the process that sent it. */
  askKubernetes<T>(request: string, act: Act<T>, signal: AbortSignal, refuse?: Refuse<T>): Promise<T> {
    const { world, chance, tap } = this.#cluster;
    const sentAtMs = world.nowMs;
    tap.requested(this.#line.copy, 'kubernetes', request);
    const wayMs = world.api === 'slow' ? chance.between(1, 12) * SECOND : this.#bit();
    const serve = (): Served<T> => {
      const { api } = world;
      const release = chance.pick(world.releases) ?? world.release;
      if (this.isCut('api')) return 'no answer';
      if (api === 'fails') return { status: chance.pick([500, 503, 429]) ?? 500 };
      if (api === 'flaky' && chance.strikes(0.3)) return { status: chance.pick([500, 429, 409]) ?? 500 };
      if (api === 'refuses' && !request.startsWith('GET')) return { status: 422 };
      const answer = act({ release, sentAtMs });
      return api === 'fails after storing' && chance.strikes(0.3) ? { status: 500 } : { answer };
    };
    return this.#send({ target: 'kubernetes', request, wayMs, serve }, signal, refuse);
  }

  /** Resolves with what a person reads of it. */
  async waitInVain(signal: AbortSignal): Promise<string> {
    await this.take(REQUEST_TIMEOUT_MS, signal);
    return 'no answer within 10 s';
  }

  #bit(): number {
    return this.#cluster.chance.between(1, 200);
  }

  async #send<T>(sent: Sent<T>, signal: AbortSignal, refuse: Refuse<T> | undefined): Promise<T> {
    signal.throwIfAborted();
    const { world, chance } = this.#cluster;
    const leftAtMs = world.nowMs;
    const { target, request, wayMs } = sent;
    const served = await orAborted(serveInTime(sent, world.timeline), signal);
    const waitedMs = Math.min(wayMs, REQUEST_TIMEOUT_MS);
    await this.take(served === 'no answer' ? REQUEST_TIMEOUT_MS - waitedMs : this.#bit(), signal);
    const error = (problem: string, code: { code: string } | { status: number }) =>
      new RequestError({ target, server: 'the simulation', request, problem, ...code });
    // A process that was stopped meanwhile finds both: the answer, and that its time is over.
    const isLate = world.nowMs - leftAtMs > REQUEST_TIMEOUT_MS && chance.strikes(0.5);
    if (served === 'no answer' || isLate) throw error('no answer within 10 s', { code: 'ETIMEDOUT' });
    if ('answer' in served) return served.answer;
    if (refuse !== undefined) return refuse(served.status);
    throw error(`answered ${served.status}`, { status: served.status });
  }
}

interface Sent<T> {
  readonly target: Target;
  readonly request: string;
  /** How long it is on its way, and waits for its turn. */
  readonly wayMs: number;
  readonly serve: () => Served<T>;
}

/** The server does what it is asked also when nobody waits for it any more. */
async function serveInTime<T>({ wayMs, serve }: Sent<T>, timeline: Timeline): Promise<Served<T>> {
  if (wayMs < REQUEST_TIMEOUT_MS) {
    await timeline.sleep(wayMs);
    return serve();
  }
  void timeline.sleep(wayMs).then(serve);
  await timeline.sleep(REQUEST_TIMEOUT_MS);
  return 'no answer';
}

type Served<T> = { readonly answer: T } | { readonly status: number } | 'no answer';

function orAborted<T>(waiting: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stay = onAbort(signal, () => reject(signal.reason));
    waiting.finally(stay).then(resolve, reject);
  });
}
