/** What can go wrong with an answer: one set of faults for every server of the lab. */
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { type Answer, send } from './answer.ts';
import { type Match, matches, type Received } from './request-log.ts';

/** Deals with one request in the server's place. Calling `handle` does what was asked and gives the true answer. */
export type Fault = (response: ServerResponse, handle: () => Answer) => void;

export interface Rule extends Match {
  /** How many requests it strikes; without it, all until it is lifted. */
  readonly times?: number;
}

/** The faults of one server, or of the way to it. The oldest rule that matches a request strikes it. */
export class Faults<F = Fault> {
  #rules: { readonly match: Match; readonly fault: F; left: number }[] = [];

  /** Returns a function that lifts the rule. */
  add(fault: F, { times = Number.POSITIVE_INFINITY, ...match }: Rule = {}): () => void {
    const rule = { match, fault, left: times };
    this.#rules.push(rule);
    return () => this.#lift(rule);
  }

  clear(): void {
    this.#rules = [];
  }

  take(request: Pick<Received, 'method' | 'path'>): F | undefined {
    const rule = this.#rules.find(({ match }) => matches(match, request));
    if (rule === undefined) return undefined;
    rule.left -= 1;
    if (rule.left <= 0) this.#lift(rule);
    return rule.fault;
  }

  #lift(rule: unknown): void {
    this.#rules = this.#rules.filter((other) => other !== rule);
  }
}

/** Another answer; the request has no effect. */
export function answerWith(status: number, body = '', headers: Record<string, string> = {}): Fault {
  return (response) => send(response, { status, headers: { 'Content-Type': 'application/json', ...headers }, body });
}

export function redirectTo(location: string, status = 302): Fault {
  return answerWith(status, '', { Location: location });
}

/** The true answer, changed: how a server lies. */
export function change(edit: (answer: Answer) => Answer): Fault {
  return (response, handle) => send(response, edit(handle()));
}

/** The true answer, so many ms later. */
export function afterMs(ms: number): Fault {
  return (response, handle) => {
    setTimeout(() => send(response, handle()), ms);
  };
}

/** Accepts the request and never answers; it has no effect. */
export const hang: Fault = () => undefined;

/** Cuts the connection before anything was done. */
export const reset: Fault = (response) => cut(response);

/** Does what was asked, then cuts the connection: the client cannot know. */
export const loseAnswer: Fault = (response, handle) => {
  handle();
  cut(response);
};

/** Announces the whole body, sends half of it and closes. */
export const truncate: Fault = (response, handle) => {
  const { status, headers, body } = handle();
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...headers, 'Content-Length': bytes.length });
  response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
};

/** A body that never ends, as fast as the client reads it. */
export const flood: Fault = (response) => {
  const chunk = Buffer.alloc(64 * 1024, ' ');
  response.writeHead(200, { 'Content-Type': 'application/json' });
  new Readable({
    read() {
      this.push(chunk);
    },
  }).pipe(response);
};

/** A body that never ends in chunks of one byte, as fast as the client reads them. */
export const floodOfBytes: Fault = (response) => {
  const chunks = Buffer.from('1\r\n \r\n'.repeat(10_000));
  response.writeHead(200, { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' });
  response.flushHeaders();
  const { socket } = response;
  if (socket === null) return;
  new Readable({
    read() {
      this.push(chunks);
    },
  }).pipe(socket);
};

/** Bytes that are not HTTP. */
export const notHttp: Fault = (response) => {
  response.socket?.end('SSH-2.0-OpenSSH_6.6.1\r\n');
};

/** A body that comes one byte at a time, for ever. */
export function dripBody(everyMs = 20): Fault {
  return (response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    drip(response, everyMs, () => response.write('.'));
  };
}

/** A header that comes one byte at a time, for ever. */
export function dripHeaders(everyMs = 20): Fault {
  return (response) => {
    response.socket?.write('HTTP/1.1 200 OK\r\nX-Drip: ');
    drip(response, everyMs, () => response.socket?.write('.'));
  };
}

/** The request reaches the server only once it is released. */
export function hold(): { readonly fault: Fault; readonly release: () => void } {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  return {
    fault: (response, handle) => void released.then(() => send(response, handle())),
    release: () => release(),
  };
}

function drip(response: ServerResponse, everyMs: number, next: () => void): void {
  const timer = setInterval(next, everyMs);
  response.once('close', () => clearInterval(timer));
}

/** Over TCP with a reset, elsewhere by closing. */
function cut(response: ServerResponse): void {
  const { socket } = response;
  if (socket === null) return;
  const overTcp = socket.localAddress !== undefined && !('encrypted' in socket);
  if (overTcp) socket.resetAndDestroy();
  else socket.destroy();
}
