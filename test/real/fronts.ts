/** Servers in front of the API server that end TLS, change the path, redirect, or connect as a proxy does. */
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, request as httpRequest, type Server, type ServerResponse } from 'node:http';
import { Agent, createServer, request, type ServerOptions } from 'node:https';
import { connect } from 'node:net';
import { pipeline } from 'node:stream';

/** How a front differs from what is behind it. */
export interface Front {
  /** What the TLS of the front is made of. Plain http without it. */
  readonly tls?: ServerOptions;
  /** The path under which the API server is. */
  readonly prefix?: string;
  /** What is behind it, where that is not the API server. */
  readonly target?: string;
  /** Every request is redirected to this server. */
  readonly redirectTo?: string;
}

/** What all fronts of a test file lead to, and how they are closed. */
export class Fronts {
  readonly #servers: Server[] = [];
  readonly #target: string;
  readonly #agent: Agent;

  constructor(target: string, caFile: string) {
    this.#target = target;
    this.#agent = new Agent({ ca: readFileSync(caFile), keepAlive: true });
  }

  /** Starts a front and gives its URL, without a path. */
  async start({ tls, prefix = '', target = this.#target, redirectTo }: Front): Promise<string> {
    const server = tls === undefined ? createHttpServer() : createServer({ ciphers: 'DEFAULT@SECLEVEL=0', ...tls });
    server.on('request', (asked, answer: ServerResponse) => {
      const path = asked.url ?? '';
      if (redirectTo !== undefined) {
        answer.writeHead(302, { Location: redirectTo + path }).end();
        return;
      }
      if (!path.startsWith(`${prefix}/`)) {
        answer.writeHead(404).end();
        return;
      }
      const isSecure = target.startsWith('https:');
      const options = { method: asked.method ?? '', headers: asked.headers, ...(isSecure && { agent: this.#agent }) };
      const send = isSecure ? request : httpRequest;
      const forwarded = send(target + path.slice(prefix.length), options, (real) => {
        answer.writeHead(real.statusCode ?? 502, real.headers);
        pipeline(real, answer, () => {});
      });
      pipeline(asked, forwarded, () => {});
      forwarded.on('error', () => answer.destroy());
    });
    return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${await this.#listen(server)}`;
  }

  /** Starts a proxy that connects to whatever host it is asked for, and gives its URL. */
  async startProxy(): Promise<string> {
    const server = createHttpServer();
    server.on('connect', ({ url = '' }, client) => {
      const { hostname, port } = new URL(`http://${url}`);
      const there = connect(Number(port), hostname, () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
      pipeline(client, there, client, () => {});
    });
    return `http://127.0.0.1:${await this.#listen(server)}`;
  }

  close(): void {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
    this.#agent.destroy();
  }

  async #listen(server: Server): Promise<number> {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#servers.push(server);
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a front does not listen');
    return address.port;
  }
}
