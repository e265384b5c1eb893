/**
 * A TCP proxy before a server of the lab, on which connections break as they are told: below HTTP, at a byte or at a moment.
 *
 *     const wire = await startWire({ host: '127.0.0.1', port });
 *     const mend = wire.faults.add(resetAfter(20), { method: 'GET' });
 *     // Each answer to a GET through wire.url is reset after 20 bytes of its body, until mend() is called.
 */
import { connect, type Socket } from 'node:net';
import { Faults } from './faults.ts';
import { type FullQueue, fillQueue, type Place } from './full-queue.ts';
import { Listener } from './listener.ts';

/** What befalls a request and its answer; what is left out passes as it came. `daemon` is the connection that it came on. */
export interface WireFault {
  /** Deals with the request in the wire's place: the server never sees it. */
  readonly request?: (daemon: Socket) => void;
  /** Called for each request that passes; what it returns gets the bytes of the answer in the daemon's place. */
  readonly answer?: (daemon: Socket) => (bytes: Buffer) => void;
}

/** How a connection ends: by FIN once all is sent, or by RST at once. */
type End = (daemon: Socket) => void;
const close: End = (daemon) => daemon.destroySoon();
const reset: End = (daemon) => daemon.resetAndDestroy();
const stall: End = () => undefined;

export const closeRequest: WireFault = { request: close };
export const resetRequest: WireFault = { request: reset };
/** Takes the request and says nothing. */
export const swallowRequest: WireFault = { request: stall };

/** The server does what it is asked to, and the daemon cannot know. */
export const loseAnswer: WireFault = { answer: (daemon) => () => reset(daemon) };

/** All headers come and so many bytes of the body, then FIN. */
export function closeAfter(bytes: number): WireFault {
  return endAfter(bytes, close);
}

/** All headers come and so many bytes of the body, then RST. */
export function resetAfter(bytes: number): WireFault {
  return endAfter(bytes, reset);
}

/** All headers come and so many bytes of the body, then nothing more; the connection stays open. */
export function stallAfter(bytes: number): WireFault {
  return endAfter(bytes, stall);
}

/** One byte at a time, the status line first. */
export function dripAnswer(everyMs: number): WireFault {
  return {
    answer: (daemon) => {
      let left = Buffer.alloc(0);
      const timer = setInterval(() => {
        daemon.write(left.subarray(0, 1));
        left = left.subarray(1);
      }, everyMs);
      daemon.once('close', () => clearInterval(timer));
      return (bytes) => {
        left = Buffer.concat([left, bytes]);
      };
    },
  };
}

/** The headers at once, the body one byte at a time. */
export function dripBody(everyMs: number): WireFault {
  return {
    answer: (daemon) => {
      const drip = dripAnswer(everyMs).answer?.(daemon);
      return splitAfterHeaders(
        0,
        (bytes) => daemon.write(bytes),
        (bytes) => drip?.(bytes),
      );
    },
  };
}

function endAfter(bytes: number, end: End): WireFault {
  return {
    answer: (daemon) =>
      splitAfterHeaders(
        bytes,
        (before) => daemon.write(before),
        () => end(daemon),
      ),
  };
}

/** Gives `before` the headers and so many bytes of the body as they come, and `after` what follows. */
function splitAfterHeaders(bytes: number, before: (part: Buffer) => void, after: (part: Buffer) => void) {
  let head = Buffer.alloc(0);
  let left = Number.POSITIVE_INFINITY;
  return (chunk: Buffer) => {
    if (left === Number.POSITIVE_INFINITY) {
      const earlier = head.length;
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end !== -1) left = end + 4 - earlier + bytes;
    }
    if (left > 0) before(chunk.subarray(0, left));
    if (left < chunk.length) after(chunk.subarray(Math.max(left, 0)));
    left -= chunk.length;
  };
}

/** A wire that listens. `at` is where, by default at a port that is free on 127.0.0.1. */
export async function startWire(to: Place, at: Place = { host: '127.0.0.1', port: 0 }): Promise<FaultyWire> {
  const wire = new FaultyWire(to, at);
  await wire.open();
  return wire;
}

export class FaultyWire {
  /** Which fault strikes which request. */
  readonly faults = new Faults<WireFault>();
  readonly #to: Place;
  readonly #host: string;
  readonly #listener: Listener;
  readonly #connections = new Map<Socket, { endsBy: End | undefined }>();
  #queue: FullQueue | undefined;

  constructor(to: Place, at: Place) {
    this.#to = to;
    this.#host = at.host;
    this.#listener = new Listener(at, (daemon) => this.#join(daemon));
  }

  get url(): string {
    return `http://${this.#host}:${this.#listener.port}`;
  }

  /** How many connections are open on it. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Accepts connections, after the queue was full too. */
  async open(): Promise<void> {
    await this.#queue?.close();
    this.#queue = undefined;
    await this.#listener.start();
  }

  /** Cuts what is open, and accepts nothing more: whoever connects gets no answer, not even that he is refused. */
  async fillQueue(): Promise<FullQueue> {
    await this.#listener.stop();
    this.#queue = await fillQueue({ host: this.#host, port: this.#listener.port });
    return this.#queue;
  }

  /**
   * The connections that are open now look well, and end with the next byte that comes on one: what a server does that closes an idle
   * one at that moment, and a balancer that has forgotten them all.
   */
  forgetConnections(how: 'close' | 'reset'): void {
    for (const connection of this.#connections.values()) connection.endsBy = how === 'close' ? close : reset;
  }

  async close(): Promise<void> {
    await this.#queue?.close();
    await this.#listener.stop();
  }

  #join(daemon: Socket): void {
    const state: { endsBy: End | undefined } = { endsBy: undefined };
    this.#connections.set(daemon, state);
    const server = connect({ ...this.#to, noDelay: true });
    const passBack = (bytes: Buffer) => daemon.write(bytes);
    let back: (bytes: Buffer) => unknown = passBack;
    let struck: WireFault | undefined;
    daemon.on('data', (bytes: Buffer) => {
      if (state.endsBy !== undefined) {
        state.endsBy(daemon);
        return;
      }
      const request = readRequestLine(bytes);
      if (request !== undefined) {
        struck = this.faults.take(request);
        struck?.request?.(daemon);
        back = struck?.answer?.(daemon) ?? passBack;
      }
      if (struck?.request === undefined) server.write(bytes);
    });
    server.on('data', (bytes: Buffer) => {
      if (!daemon.destroyed) back(bytes);
    });
    server.on('error', () => undefined);
    server.once('close', () => {
      if (struck === undefined) daemon.destroySoon();
    });
    daemon.once('close', () => {
      this.#connections.delete(daemon);
      server.destroy();
    });
  }
}

/** Undefined when the bytes do not begin a request: nobody here sends a second one before the first is answered. */
function readRequestLine(bytes: Buffer): { readonly method: string; readonly path: string } | undefined {
  const [, method, path] = /^([A-Z]+) (\S+) HTTP\/1\.1\r\n/.exec(bytes.toString('latin1')) ?? [];
  return method === undefined || path === undefined ? undefined : { method, path };
}
