/** The connections of the web server: how many may be open, who makes room for whom, and that each has one answer at a time. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Scrapers and probes are few and local; more connections than this are a mistake or an attack, and the oldest goes. */
const MAX_CONNECTIONS = 100;

/** Those that are open, the oldest first: who connects, and reads or asks too slowly, makes room for who comes. */
export class Connections {
  readonly #open = new Set<Socket>();
  readonly #answering = new WeakSet<Socket>();

  add(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    if (this.#open.size <= MAX_CONNECTIONS) return;
    const [oldest = socket] = this.#open;
    this.#open.delete(oldest);
    oldest.destroy();
  }

  /**
   * Whether a request is to be answered. Who asks for the next thing before he has had an answer (pipelining, which no browser and no scraper
   * does) is cut: a packet full of requests would be as many answers in memory.
   */
  answers(response: ServerResponse): boolean {
    const { socket } = response.req;
    if (this.#answering.has(socket)) {
      socket.destroy();
      return false;
    }
    this.#answering.add(socket);
    response.once('close', () => this.#answering.delete(socket));
    return true;
  }

  /** A page that is live is open for long, and makes no room. Few may be, and their connections end with them. */
  keeps({ req: { socket } }: ServerResponse): void {
    this.#open.delete(socket);
  }
}
