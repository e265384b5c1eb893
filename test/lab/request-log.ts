/** What a server of the lab was asked: counted always, kept up to a limit. */
import type { IncomingHttpHeaders } from 'node:http';

export interface Received {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The address it was sent to, which tells one kubelet from another; empty for a unix socket. */
  readonly to: string;
}

/** Which requests are meant; what is left out matches everything. */
export interface Match {
  readonly method?: string;
  /** Tested against path and query. */
  readonly path?: RegExp;
}

export function matches(match: Match, request: Pick<Received, 'method' | 'path'>): boolean {
  return (
    (match.method === undefined || match.method === request.method) &&
    (match.path === undefined || match.path.test(request.path))
  );
}

export class RequestLog {
  /** Every request so far, kept or not. */
  total = 0;
  /** The latest requests, oldest first. */
  readonly entries: Received[] = [];
  readonly #limit: number;
  #waiting: { readonly match: Match; readonly resolve: (request: Received) => void }[] = [];

  /** Keeps up to `limit` requests; 0 only counts them. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  record(request: Received): void {
    this.total += 1;
    if (this.#limit > 0) {
      if (this.entries.length === this.#limit) this.entries.shift();
      this.entries.push(request);
    }
    if (this.#waiting.length > 0) this.#tell(request);
  }

  /** The kept requests that match. */
  of(match: Match): Received[] {
    return this.entries.filter((request) => matches(match, request));
  }

  /** The kept requests that ask for a change. */
  get writes(): Received[] {
    return this.entries.filter(({ method }) => method !== 'GET' && method !== 'HEAD');
  }

  /** Resolves when a request that matches arrives from now on, before it is answered. */
  arrival(match: Match = {}): Promise<Received> {
    return new Promise((resolve) => this.#waiting.push({ match, resolve }));
  }

  clear(): void {
    this.total = 0;
    this.entries.length = 0;
  }

  #tell(request: Received): void {
    const told = this.#waiting.filter(({ match }) => matches(match, request));
    this.#waiting = this.#waiting.filter((waiting) => !told.includes(waiting));
    for (const { resolve } of told) resolve(request);
  }
}
