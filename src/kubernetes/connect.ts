/** The nodes of an API server of unknown version: detects the version, uses its newest API version, and notices an upgrade. */

import type { HttpClient } from '../http/http-client.ts';
import { RequestError } from '../http/request-error.ts';
import type { Clock } from '../time/clock.ts';
import { identify } from './discovery.ts';
import type { ApiVersion, Server } from './era.ts';
import { createNodes, type NodesOfEra } from './nodes.ts';
import type { Era, NodeListing, NodeRegistry } from './registry.ts';

export interface ConnectOptions {
  /** Taken over: closing the registry closes it. */
  readonly http: HttpClient;
  readonly apiVersion: ApiVersion | 'auto';
  readonly clock: Clock;
}

/** How long an answer to "which server are you" holds, unless a 404 or a 405 casts doubt on it. */
const ASK_AGAIN_MS = 10 * 60_000;

/** The nodes of the API server. It sends no request before the first list, with which every pass begins. */
export function connectNodes(options: ConnectOptions): NodeRegistry {
  return new AnyServer(options);
}

interface Connection {
  readonly server: Server;
  readonly nodes: NodesOfEra;
}

/** Of how many servers what was learned is kept. Behind one balancer there are hardly more. */
const REMEMBERED_SERVERS = 16;

class AnyServer implements NodeRegistry {
  readonly #options: ConnectOptions;
  #connection: Connection | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  /** By API version and version: servers behind one balancer take turns, and what was learned of each (a 406, say) outlives that. */
  readonly #known = new Map<string, Connection>();

  constructor(options: ConnectOptions) {
    this.#options = options;
  }

  list(signal: AbortSignal): Promise<NodeListing> {
    return this.#listing((nodes) => nodes.list(signal), signal);
  }

  listWhole(signal: AbortSignal): Promise<NodeListing> {
    return this.#listing((nodes) => nodes.listWhole(signal), signal);
  }

  async identify(signal: AbortSignal): Promise<Era> {
    this.#doubt();
    const { nodes } = await this.#connect(signal);
    return nodes.era;
  }

  read: NodeRegistry['read'] = (...request) => this.#send((nodes) => nodes.read(...request));
  create: NodeRegistry['create'] = (...request) => this.#send((nodes) => nodes.create(...request));
  update: NodeRegistry['update'] = (...request) => this.#send((nodes) => nodes.update(...request));
  remove: NodeRegistry['remove'] = (...request) => this.#send((nodes) => nodes.remove(...request));

  close(): void {
    this.#options.http.close();
  }

  async #listing(list: (nodes: NodesOfEra) => Promise<NodeListing>, signal: AbortSignal) {
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

  async #send<T>(request: (nodes: NodesOfEra) => Promise<T>): Promise<T> {
    if (this.#connection === undefined) throw new Error('the nodes must be listed first');
    try {
      return await request(this.#connection.nodes);
    } catch (error) {
      if (isUnserved(error)) this.#doubt();
      throw error;
    }
  }

  /** The server as it is by now, with what was learned of it. */
  async #connect(signal: AbortSignal): Promise<Connection> {
    const { http, apiVersion, clock } = this.#options;
    const before = this.#connection;
    if (before !== undefined && clock.monotonic() - this.#askedAtMs < ASK_AGAIN_MS) return before;
    const server = await identify(http, apiVersion, signal);
    this.#askedAtMs = clock.monotonic();
    this.#connection = this.#connectionTo(server);
    return this.#connection;
  }

  #connectionTo(server: Server): Connection {
    const key = `${server.apiVersion} ${server.version}`;
    const connection = this.#known.get(key) ?? { server, nodes: createNodes(this.#options.http, server) };
    if (this.#known.size >= REMEMBERED_SERVERS) this.#known.clear();
    this.#known.set(key, connection);
    return connection;
  }

  #doubt(): void {
    this.#askedAtMs = Number.NEGATIVE_INFINITY;
  }
}

/** 405 is what v0.5 to v0.12 say to a patch. */
function isUnserved(error: unknown): boolean {
  return error instanceof RequestError && (error.status === 404 || error.status === 405);
}
