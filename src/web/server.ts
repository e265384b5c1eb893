/** The daemon's HTTP server: metrics, health, readiness, status and the page, all read-only. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import type { Log } from '../log/log-events.ts';
import { escapeControls } from '../text/quote.ts';
import type { Clock } from '../time/clock.ts';
import { Connections } from './connections.ts';
import { type ListenAddress, listenAt } from './listen.ts';
import { SharedBody, shared } from './shared-body.ts';

/** What is behind each path. A function that throws or rejects gives a 500 without details, and a line in the log. */
export interface WebRoutes {
  /** /metrics */
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** /healthz: why the process should be restarted, or undefined. */
  healthz(): string | undefined;
  /** /readyz: why the process is not doing its work now, or undefined. */
  readyz(): string | undefined;
  /** Changes whenever `status` and `page` may have changed. */
  version(): number;
  /** /status: the JSON document. */
  status(): unknown;
  /** /: HTML. */
  page(): string;
  /** Style, script and icon of the page, by path; the etag with its quotes. */
  readonly assets: ReadonlyMap<string, { readonly contentType: string; readonly body: string; readonly etag: string }>;
  /** /live: server-sent events for open pages. */
  readonly live: {
    /** Why no other page may join, or undefined. */
    full(): string | undefined;
    /** Sends events to a page; `shown` is the state that it shows. The stream has no time limit. */
    join(shown: string | undefined, stream: Writable): void;
  };
  /** Why paths that show the cluster must not be served under this Host header, or undefined. */
  hostProblem(host: string | undefined): { readonly status: number; readonly message: string } | undefined;
}

export interface WebServerOptions {
  readonly listen: ListenAddress;
  readonly routes: WebRoutes;
  readonly log: Log;
  readonly clock: Pick<Clock, 'monotonic'>;
}

export interface WebServer {
  /** Where it listens; a port of 0 is resolved. */
  readonly address: ListenAddress;
  /** Closes all connections and resolves once the port is free. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  /** A function writes the body to the stream that it gets, and ends it. */
  readonly body: string | SharedBody | ((stream: Writable) => void);
  readonly headers?: Readonly<Record<string, string>>;
}

type Handler = (request: IncomingMessage) => Answer | Promise<Answer>;

const SECOND = 1_000;
const LIMITS = {
  headersTimeout: 5 * SECOND,
  requestTimeout: 10 * SECOND,
  keepAliveTimeout: 5 * SECOND,
  connectionsCheckingInterval: 1 * SECOND,
};
/** From the request until the client has read the whole response; not for streams. */
const RESPONSE_TIMEOUT = 30 * SECOND;
/** Smaller bodies are not compressed. */
const MIN_GZIP_BYTES = 100_000;

const HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};
/** The page may load its own files, and no inline script or style. */
const PAGE_POLICY = [
  "default-src 'none'",
  ...['script', 'style', 'img', 'connect'].map((kind) => `${kind}-src 'self'`),
  ...['base-uri', 'form-action', 'frame-ancestors'].map((directive) => `${directive} 'none'`),
].join('; ');

/** Starts the server. Throws ListenError when it cannot listen on the address. */
export async function startWebServer({ listen, routes, log, clock }: WebServerOptions): Promise<WebServer> {
  const handlers = handlersOf(routes, clock);
  const connections = new Connections();
  const server = createServer(LIMITS, (request, response) => {
    if (connections.accepts(response)) void respond(request, response, { handlers, connections, log });
  });
  server.on('connection', (socket) => connections.add(socket));

  await listenAt(server, listen);
  server.on('error', (err) => log.write('web-server-problem', 'web server problem; the server continues', { err }));

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

function handlersOf(routes: WebRoutes, clock: Pick<Clock, 'monotonic'>): ReadonlyMap<string, Handler> {
  const status = shared(
    () => toJson(routes.status()),
    () => routes.version(),
    clock,
  );
  const html = shared(
    () => routes.page(),
    () => routes.version(),
    clock,
  );
  const shown: [string, Handler][] = [
    ['/status', () => ({ status: 200, contentType: 'application/json', body: status() })],
    ['/', () => page(html())],
    ['/live', (request) => live(request, routes.live)],
    ...[...routes.assets].map(([path, asset]): [string, Handler] => [path, (request) => assetAnswer(request, asset)]),
  ];
  return new Map<string, Handler>([
    ['/metrics', async () => ({ status: 200, ...(await routes.metrics()) })],
    ['/healthz', () => verdict(routes.healthz())],
    ['/readyz', () => verdict(routes.readyz())],
    ...shown.map(([path, handler]): [string, Handler] => [
      path,
      (request) => {
        const problem = routes.hostProblem(targetOf(request).host);
        return problem === undefined ? handler(request) : text(problem.status, problem.message);
      },
    ]),
  ]);
}

function page(body: SharedBody): Answer {
  const headers = { 'Content-Security-Policy': PAGE_POLICY };
  return { status: 200, contentType: 'text/html; charset=utf-8', body, headers };
}

/** Cached by the browser, which checks each time whether it has changed. */
function assetAnswer(
  { headers: { 'if-none-match': known } }: IncomingMessage,
  { contentType, body, etag }: { readonly contentType: string; readonly body: string; readonly etag: string },
): Answer {
  const headers = { ETag: etag, 'Cache-Control': 'no-cache' };
  const has = (known ?? '').split(',').map((each) => each.trim().replace(/^W\//, ''));
  // Node leaves out the body of a 304.
  return { status: has.includes(etag) || known === '*' ? 304 : 200, contentType, body, headers };
}

function live(request: IncomingMessage, feed: WebRoutes['live']): Answer {
  const problem = feed.full();
  if (problem !== undefined) return text(503, problem);
  const asked = new URLSearchParams(targetOf(request).query);
  // A browser that reconnects by itself sends the id of its last event in this header.
  const shown = request.headers['last-event-id']?.toString() ?? asked.get('shown') ?? undefined;
  return {
    status: 200,
    contentType: 'text/event-stream; charset=utf-8',
    body: (stream) => feed.join(shown, stream),
    // Without this, nginx would buffer the events. The connection is exempt from the limit, so it ends with the stream.
    headers: { 'X-Accel-Buffering': 'no', Connection: 'close' },
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { handlers, connections, log }: { handlers: ReadonlyMap<string, Handler>; connections: Connections; log: Log },
): Promise<void> {
  const deadline = setTimeout(() => response.destroy(), RESPONSE_TIMEOUT);
  response.once('close', () => clearTimeout(deadline));

  const { path } = targetOf(request);
  const answer = await answerTo(request, handlers.get(path)).catch((err: unknown): Answer => {
    log.write('page-failed', 'cannot respond to a request', { err, path });
    return text(500, 'internal error, see the log');
  });
  const { status, contentType, body } = answer;
  const headers = { ...HEADERS, ...answer.headers, 'Content-Type': contentType };
  if (typeof body !== 'function') {
    const sent = await encoded(typeof body === 'string' ? new SharedBody(body) : body, request);
    response.writeHead(status, { ...headers, ...sent.headers });
    response.end(sent.bytes);
  } else if (response.writeHead(status, headers) && request.method === 'HEAD') {
    response.end();
  } else {
    clearTimeout(deadline);
    connections.exempt(response);
    body(response);
  }
}

/** The host, path and query of a request. A URL in absolute form wins over the Host header: RFC 9112, section 3.2.2. */
function targetOf({ url = '/', headers }: IncomingMessage) {
  const [, host = headers.host, rest = url] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? [];
  const [path, query] = rest.split('?', 2);
  return { host, path: path || '/', query };
}

/** The bytes to send, compressed where the client accepts that, with their headers. */
async function encoded(body: SharedBody, { headers }: IncomingMessage) {
  const { bytes } = body;
  if (bytes.length < MIN_GZIP_BYTES) return { bytes, headers: { 'Content-Length': bytes.length } };
  const vary = { Vary: 'Accept-Encoding' };
  if (!takesGzip(headers['accept-encoding'])) return { bytes, headers: { ...vary, 'Content-Length': bytes.length } };
  const smaller = await body.gzipped();
  return { bytes: smaller, headers: { ...vary, 'Content-Encoding': 'gzip', 'Content-Length': smaller.length } };
}

function takesGzip(accepted: string | undefined): boolean {
  return (accepted ?? '').split(',').some((each) => /^\s*gzip\s*(;(?!\s*q=0(\.0*)?\s*$)|$)/i.test(each));
}

async function answerTo(request: IncomingMessage, handler: Handler | undefined): Promise<Answer> {
  const { method } = request;
  if (method !== 'GET' && method !== 'HEAD') {
    return { ...text(405, 'only GET and HEAD'), headers: { Allow: 'GET, HEAD' } };
  }
  // A proxy may have used another one than the first: RFC 9112, section 3.2.
  if ((request.headersDistinct['host'] ?? []).length > 1) return text(400, 'the request has more than one Host header');
  return handler === undefined ? text(404, 'not found') : handler(request);
}

function verdict(problem: string | undefined): Answer {
  return problem === undefined ? text(200, 'ok') : text(503, problem);
}

function text(status: number, message: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${message}\n` };
}

/** Indented and without control characters, because people read it with curl. */
function toJson(value: unknown): string {
  return `${escapeControls(JSON.stringify(value, null, 2) ?? 'null')}\n`;
}
