/** The daemon's own HTTP server: metrics, health, readiness and status, to read only. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Log } from './log-events.ts';

/** What is behind each path. A function that throws or rejects makes a 500 without details, and a line in the log. */
export interface WebRoutes {
  /** /metrics */
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** /healthz: why the process should be restarted, or undefined. */
  healthz(): string | undefined;
  /** /readyz: why the process is not doing its work now, or undefined. */
  readyz(): string | undefined;
  /** /status: anything that JSON can say. */
  status(): unknown;
}

interface ListenAddress {
  /** An IP address, IPv6 without brackets, or a host name. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

export interface WebServerOptions {
  readonly listen: ListenAddress;
  readonly routes: WebRoutes;
  readonly log: Log;
}

export interface WebServer {
  /** Where it really listens. */
  readonly address: ListenAddress;
  /** Resolves once the port is free again; open connections are cut, whatever they are at. */
  close(): Promise<void>;
}

/** `cannot listen on 0.0.0.0:10271: another program has this port; set KUBE_REGISTER_LISTEN to another host:port or off` */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

type Handler = () => Answer | Promise<Answer>;

const SECOND = 1_000;
/** Scrapers and probes are few and local; more connections than this are a mistake or an attack. */
const MAX_CONNECTIONS = 100;
const LIMITS = {
  headersTimeout: 5 * SECOND,
  requestTimeout: 10 * SECOND,
  keepAliveTimeout: 5 * SECOND,
  connectionsCheckingInterval: 1 * SECOND,
};
/** From request to the last byte that the client has taken. */
const ANSWER_TIMEOUT = 30 * SECOND;

const HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'",
};

/** Throws ListenError when the address cannot be had. */
export async function startWebServer({ listen, routes, log }: WebServerOptions): Promise<WebServer> {
  const handlers = handlersOf(routes);
  const server = createServer(LIMITS, (request, response) => {
    void respond(request, response, handlers, log);
  });
  server.maxConnections = MAX_CONNECTIONS;

  try {
    server.listen({ ...listen });
    await once(server, 'listening');
  } catch (error) {
    throw listenError(listen, error);
  }
  server.on('error', (err) => log.say('web-server-problem', 'the web server has a problem and goes on', { err }));

  const bound = server.address();
  const address = bound === null || typeof bound === 'string' ? listen : { host: bound.address, port: bound.port };
  let closed: Promise<void> | undefined;
  return {
    address,
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

function handlersOf(routes: WebRoutes): ReadonlyMap<string, Handler> {
  const handlers = new Map<string, Handler>([
    ['/metrics', async () => ({ status: 200, ...(await routes.metrics()) })],
    ['/healthz', () => verdict(routes.healthz())],
    ['/readyz', () => verdict(routes.readyz())],
    ['/status', () => ({ status: 200, contentType: 'application/json', body: toJson(routes.status()) })],
  ]);
  const paths = [...handlers.keys()].join('\n');
  return handlers.set('/', () => text(404, `kube-register answers at\n${paths}`));
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  handlers: ReadonlyMap<string, Handler>,
  log: Log,
): Promise<void> {
  const deadline = setTimeout(() => response.destroy(), ANSWER_TIMEOUT);
  response.once('close', () => clearTimeout(deadline));

  const [path = '/'] = (request.url ?? '/').split('?', 1);
  const answer = await answerTo(request.method, handlers.get(path)).catch((err: unknown): Answer => {
    log.say('page-failed', 'cannot answer a request to the web server', { err, path });
    return text(500, 'internal error, see the log');
  });
  const { status, contentType, body, headers } = answer;
  response.writeHead(status, {
    ...HEADERS,
    ...headers,
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}

async function answerTo(method: string | undefined, handler: Handler | undefined): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') {
    return { ...text(405, 'only GET and HEAD'), headers: { Allow: 'GET, HEAD' } };
  }
  return handler === undefined ? text(404, 'not found') : handler();
}

function verdict(problem: string | undefined): Answer {
  return problem === undefined ? text(200, 'ok') : text(503, problem);
}

function text(status: number, message: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${message}\n` };
}

/** Indented, because people read it with curl. */
function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2) ?? 'null'}\n`;
}

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has this port',
  EACCES: 'this user may not open this port',
  EADDRNOTAVAIL: 'this machine does not have this address',
  ENOTFOUND: 'no address is known for this host name',
  EAI_AGAIN: 'the name server does not answer for this host name',
};

/** As KUBE_REGISTER_LISTEN has it. */
export function placeOf({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function listenError(address: ListenAddress, cause: unknown): ListenError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const problem = LISTEN_PROBLEMS[code] ?? (cause instanceof Error ? cause.message : String(cause));
  return new ListenError(
    `cannot listen on ${placeOf(address)}: ${problem}; set KUBE_REGISTER_LISTEN to another host:port or off`,
    { cause },
  );
}
