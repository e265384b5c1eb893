/** Limits the connections of the web server: how many may be open, and one response at a time for each. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Scrapers and probes are few and local: more connections than this are a mistake or an attack. */
const MAX_CONNECTIONS = 100;

/** The open connections. When there are too many, the oldest is closed: it reads or sends too slowly. */
export class Connections {
  /** By both ends, because the socket of a TLS connection is not the one that was accepted. The oldest first. */
  readonly #open = new Map<string, Socket>();
  readonly #responding = new WeakSet<Socket>();

  /** Adds a new connection, and closes the oldest when there are too many. */
  add(socket: Socket): void {
    const ends = endsOf(socket);
    this.#open.set(ends, socket);
    socket.once('close', () => {
      if (this.#open.get(ends) === socket) this.#open.delete(ends);
    });
    if (this.#open.size <= MAX_CONNECTIONS) return;
    const [[oldestEnds, oldest] = [ends, socket]] = this.#open;
    this.#open.delete(oldestEnds);
    oldest.destroy();
  }

  /**
   * Whether to respond to a request. A client that sends the next request before the response to the last one (pipelining, which browsers
   * and scrapers do not use) is disconnected: one packet full of requests would be as many responses in memory.
   */
  accepts(response: ServerResponse): boolean {
    const { socket } = response.req;
    if (this.#responding.has(socket)) {
      socket.destroy();
      return false;
    }
    this.#responding.add(socket);
    response.once('close', () => this.#responding.delete(socket));
    return true;
  }

  /** Closes all but the exempt ones, also those whose TLS handshake is not over, which Node's server does not know yet. */
  closeAll(): void {
    for (const socket of this.#open.values()) socket.destroy();
  }

  /** Exempts a connection from the limit: that of an open page, which lasts. The live feed has a limit of its own. */
  exempt({ req: { socket } }: ServerResponse): void {
    this.#open.delete(endsOf(socket));
  }
}

function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return [localAddress, localPort, remoteAddress, remotePort].join(' ');
}
