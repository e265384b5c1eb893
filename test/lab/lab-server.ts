/** What fleet, the kubelets and Kubernetes have in common as servers of the lab: HTTP, TLS, a log and faults. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type Answer, send } from './answer.ts';
import { type Fault, Faults } from './faults.ts';
import { type Endpoint, Listener } from './listener.ts';
import { type Received, RequestLog } from './request-log.ts';

interface TlsOptions {
  readonly key: string;
  readonly cert: string;
  /** Whose client certificates are trusted. */
  readonly ca?: string;
  /** Refuses clients without a certificate of that CA. */
  readonly requestCert?: boolean;
}

export interface ServerOptions {
  readonly tls?: TlsOptions;
  /** How many requests the log keeps; 0 only counts them. */
  readonly keepRequests?: number;
}

export abstract class LabServer {
  readonly log: RequestLog;
  readonly faults = new Faults();
  protected readonly scheme: 'http' | 'https';
  readonly #http: Server;
  readonly #listeners: Listener[] = [];

  constructor({ tls, keepRequests = 10_000 }: ServerOptions) {
    this.log = new RequestLog(keepRequests);
    this.scheme = tls === undefined ? 'http' : 'https';
    // It listens nowhere itself: listeners hand it their connections. So many addresses cost one HTTP server.
    const serve = (request: IncomingMessage, response: ServerResponse) => this.#receive(request, response);
    this.#http = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
    // Connections are kept as long as the client wants them: no test should race against a timer.
    this.#http.keepAliveTimeout = 0;
  }

  /** What the server does and says when nothing goes wrong. */
  protected abstract answer(request: Received): Answer;

  /** The fault that strikes this request, if any. */
  protected faultFor(request: Received): Fault | undefined {
    return this.faults.take(request);
  }

  protected addListener(endpoint: Endpoint): Listener {
    const listener = new Listener(endpoint, (socket) => this.#http.emit('connection', socket));
    this.#listeners.push(listener);
    return listener;
  }

  /** Listens again where it listened before. What the server knows outlives a stop. */
  async start(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.start()));
  }

  /** Refuses connections and cuts open ones, hung ones too. */
  async stop({ keepFile = false } = {}): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.stop({ keepFile })));
  }

  close(): Promise<void> {
    return this.stop();
  }

  #receive(message: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      const request: Received = {
        method: message.method ?? '',
        path: message.url ?? '',
        headers: message.headers,
        body: Buffer.concat(chunks).toString(),
        to: message.socket.localAddress ?? '',
      };
      this.log.record(request);
      const fault = this.faultFor(request);
      if (fault === undefined) send(response, this.answer(request));
      else fault(response, () => this.answer(request));
    });
  }
}
