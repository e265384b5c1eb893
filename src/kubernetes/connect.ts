/** The nodes of whatever API server answers: finds out which one it is, speaks its API version, and notices an upgrade. */
import type { Clock } from '../clock.ts';
import type { HttpClient } from '../http/http-client.ts';
import { RequestError } from '../http/request-error.ts';
import { identify } from './discovery.ts';
import type { ApiVersion, Server } from './era.ts';
import { createNodes } from './nodes.ts';
import type { NodeListing, NodeRegistry } from './registry.ts';

export interface ConnectOptions {
  /** Taken over: closing the registry closes it. */
  readonly http: HttpClient;
  readonly apiVersion: ApiVersion | 'auto';
  readonly clock: Clock;
}

/** How long an answer to "which server are you" holds, unless a 404 or a 405 casts doubt on it. */
const ASK_AGAIN_MS = 10 * 60_000;

/** Asks nobody before the first listing, which every pass begins with. */
export function connectNodes(options: ConnectOptions): NodeRegistry {
  return new AnyServer(options);
}

interface Connection {
  readonly server: Server;
  readonly nodes: Omit<NodeRegistry, 'close'>;
}

class AnyServer implements NodeRegistry {
  readonly #options: ConnectOptions;
  #connection: Connection | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ConnectOptions) {
    this.#options = options;
  }

  list(signal: AbortSignal): Promise<NodeListing> {
    return this.#listing((nodes) => nodes.list(signal), signal);
  }

  listWhole(signal: AbortSignal): Promise<NodeListing> {
    return this.#listing((nodes) => nodes.listWhole(signal), signal);
  }

  read: NodeRegistry['read'] = (...request) => this.#send((nodes) => nodes.read(...request));
  create: NodeRegistry['create'] = (...request) => this.#send((nodes) => nodes.create(...request));
  update: NodeRegistry['update'] = (...request) => this.#send((nodes) => nodes.update(...request));

  /** An older server may have come back since the listing, on which minions hide and a delete has no preconditions: it is asked first. */
  remove: NodeRegistry['remove'] = async (name, uid, resourceVersion, signal) => {
    const before = this.#connection;
    this.#doubt();
    const now = await this.#connect(signal);
    if (now !== before) return 'changed';
    return this.#send((nodes) => nodes.remove(name, uid, resourceVersion, signal));
  };

  close(): void {
    this.#options.http.close();
  }

  async #listing(list: (nodes: Connection['nodes']) => Promise<NodeListing>, signal: AbortSignal) {
    const connection = await this.#connect(signal);
    try {
      return await list(connection.nodes);
    } catch (error) {
      if (!isUnserved(error)) throw error;
      this.#doubt();
      const now = await this.#connect(signal);
      if (now === connection) throw error;
      return list(now.nodes);
    }
  }

  async #send<T>(request: (nodes: Connection['nodes']) => Promise<T>): Promise<T> {
    if (this.#connection === undefined)
      throw new Error('nothing is asked of an API server before its nodes are listed');
    try {
      return await request(this.#connection.nodes);
    } catch (error) {
      if (isUnserved(error)) this.#doubt();
      throw error;
    }
  }

  /** The server as it is by now. What was learned of it is kept while it stays the same. */
  async #connect(signal: AbortSignal): Promise<Connection> {
    const { http, apiVersion, clock } = this.#options;
    const before = this.#connection;
    if (before !== undefined && clock.monotonic() - this.#askedAtMs < ASK_AGAIN_MS) return before;
    const server = await identify(http, apiVersion, signal);
    this.#askedAtMs = clock.monotonic();
    if (before !== undefined && isSame(before.server, server)) return before;
    this.#connection = { server, nodes: createNodes(http, server) };
    return this.#connection;
  }

  #doubt(): void {
    this.#askedAtMs = Number.NEGATIVE_INFINITY;
  }
}

function isSame(a: Server, b: Server): boolean {
  return a.version === b.version && a.apiVersion === b.apiVersion;
}

/** 405 is what v0.5 and v0.8 say to a patch. */
function isUnserved(error: unknown): boolean {
  return error instanceof RequestError && (error.status === 404 || error.status === 405);
}
