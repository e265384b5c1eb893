/** One address that can be connected to, taken away and given back. */
import { once } from 'node:events';
import { rename, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';

/** A loopback address, where port 0 picks a free port for good, or the path of a unix socket. */
export type Endpoint = { readonly host: string; readonly port: number } | { readonly path: string };

export class Listener {
  #endpoint: Endpoint;
  #server: Server | undefined;
  readonly #accept: (socket: Socket) => void;
  readonly #sockets = new Set<Socket>();

  constructor(endpoint: Endpoint, accept: (socket: Socket) => void) {
    this.#endpoint = endpoint;
    this.#accept = accept;
  }

  /** The TCP port, known once it was started; 0 for a unix socket. */
  get port(): number {
    return 'port' in this.#endpoint ? this.#endpoint.port : 0;
  }

  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    if ('path' in this.#endpoint) await rm(this.#endpoint.path, { force: true });
    const server = createServer({ noDelay: true }, (socket) => this.#connected(socket));
    server.listen(this.#endpoint);
    await once(server, 'listening');
    this.#server = server;
    const bound = server.address();
    if (bound !== null && typeof bound === 'object') this.#endpoint = { host: bound.address, port: bound.port };
  }

  /**
   * Refuses connections from now on and cuts those that are open. The file of a unix socket goes too, unless it is kept:
   * systemd leaves it behind, and connecting to it is then refused.
   */
  async stop({ keepFile = false } = {}): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const file = keepFile && 'path' in this.#endpoint ? this.#endpoint.path : undefined;
    // Closing removes the file by its name, so for that moment it has another one.
    if (file !== undefined) await rename(file, `${file}.kept`);
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(server, 'close');
    if (file !== undefined) await rename(`${file}.kept`, file);
  }

  #connected(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // A client that goes away is no failure of the lab.
    socket.on('error', () => undefined);
    this.#accept(socket);
  }
}
