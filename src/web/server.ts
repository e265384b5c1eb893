/** The daemon's own HTTP server: metrics, health, readiness, status and the page, to read only. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import type { Log } from '../log/log-events.ts';
import { escapeControls } from '../text/quote.ts';
import type { Clock } from '../time/clock.ts';
import { Connections } from './connections.ts';
import { type ListenAddress, listenAt } from './listen.ts';
import { SharedBody, shared } from './shared-body.ts';

/** What is behind each path. A function that throws or rejects makes a 500 without details, and a line in the log. */
export interface WebRoutes {
  /** /metrics */
  metrics(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** /healthz: why the process should be restarted, or undefined. */
  healthz(): string | undefined;
  /** /readyz: why the process is not doing its work now, or undefined. */
  readyz(): string | undefined;
  /** Another number whenever `status` and `page` may be others. */
  version(): number;
  /** /status: anything that JSON can say. */
  status(): unknown;
  /** /: HTML. */
  page(): string;
  /** What the page asks for beside it, by path; the etag in quotes. */
  readonly assets: ReadonlyMap<string, { readonly contentType: string; readonly body: string; readonly etag: string }>;
  /** /live: the events of pages that are open. */
  readonly live: {
    /** Why nobody else may listen, or undefined. */
    full(): string | undefined;
    /** `shown` is what the page that asks has. The stream is not limited in time. */
    join(shown: string | undefined, stream: Writable): void;
  };
  /** What tells of the cluster is asked whether it may be shown under the name by which the client came. */
  hostProblem(host: string | undefined): { readonly status: number; readonly message: string } | undefined;
}

export interface WebServerOptions {
  readonly listen: ListenAddress;
  readonly routes: WebRoutes;
  readonly log: Log;
  readonly clock: Pick<Clock, 'monotonic'>;
}

export interface WebServer {
  /** Where it really listens. */
  readonly address: ListenAddress;
  /** Resolves once the port is free again; open connections are cut, whatever they are at. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  /** A stream is given to whoever writes it, and ends when they end it. */
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
/** From request to the last byte that the client has taken; streams have no last byte. */
const ANSWER_TIMEOUT = 30 * SECOND;
/** Less is not worth the work. */
const WORTH_ZIPPING_BYTES = 100_000;

const HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};
/** The page may use what comes from here, and nothing that stands in it. */
const PAGE_POLICY = [
  "default-src 'none'",
  ...['script', 'style', 'img', 'connect'].map((kind) => `${kind}-src 'self'`),
  ...['base-uri', 'form-action', 'frame-ancestors'].map((directive) => `${directive} 'none'`),
].join('; ');

/** Throws ListenError when the address cannot be had. */
export async function startWebServer({ listen, routes, log, clock }: WebServerOptions): Promise<WebServer> {
  const handlers = handlersOf(routes, clock);
  const connections = new Connections();
  const server = createServer(LIMITS, (request, response) => {
    if (connections.answers(response)) void respond(request, response, { handlers, connections, log });
  });
  server.on('connection', (socket) => connections.add(socket));

  await listenAt(server, listen);
  server.on('error', (err) => log.write('web-server-problem', 'the web server has a problem and goes on', { err }));

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

/** Kept by the browser, which asks each time whether it is still right. */
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
  // When the browser connects again by itself it says in this header how far it has come since.
  const shown = request.headers['last-event-id']?.toString() ?? asked.get('shown') ?? undefined;
  return {
    status: 200,
    contentType: 'text/event-stream; charset=utf-8',
    body: (stream) => feed.join(shown, stream),
    // nginx would collect what is to be seen at once. The connection ends with the stream, for it makes no room for others.
    headers: { 'X-Accel-Buffering': 'no', Connection: 'close' },
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { handlers, connections, log }: { handlers: ReadonlyMap<string, Handler>; connections: Connections; log: Log },
): Promise<void> {
  const deadline = setTimeout(() => response.destroy(), ANSWER_TIMEOUT);
  response.once('close', () => clearTimeout(deadline));

  const { path } = targetOf(request);
  const answer = await answerTo(request, handlers.get(path)).catch((err: unknown): Answer => {
    log.write('page-failed', 'cannot answer a request to the web server', { err, path });
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
    connections.keeps(response);
    body(response);
  }
}

/** What a request asks for. In the absolute form the URL names the host, whatever the header says: RFC 9112, section 3.2.2. */
function targetOf({ url = '/', headers }: IncomingMessage) {
  const [, host = headers.host, rest = url] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? [];
  const [path, query] = rest.split('?', 2);
  return { host, path: path || '/', query };
}

/** The body as it is sent, with the headers that tell how. */
async function encoded(body: SharedBody, { headers }: IncomingMessage) {
  const { bytes } = body;
  if (bytes.length < WORTH_ZIPPING_BYTES) return { bytes, headers: { 'Content-Length': bytes.length } };
  const vary = { Vary: 'Accept-Encoding' };
  if (!takesGzip(headers['accept-encoding'])) return { bytes, headers: { ...vary, 'Content-Length': bytes.length } };
  const smaller = await body.zipped();
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
  // A proxy may have decided by another one than the first: RFC 9112, section 3.2.
  if ((request.headersDistinct['host'] ?? []).length > 1) return text(400, 'the request has more than one Host header');
  return handler === undefined ? text(404, 'not found') : handler(request);
}

function verdict(problem: string | undefined): Answer {
  return problem === undefined ? text(200, 'ok') : text(503, problem);
}

function text(status: number, message: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${message}\n` };
}

/** Indented, and without a character that a terminal obeys, because people read it with curl. */
function toJson(value: unknown): string {
  return `${escapeControls(JSON.stringify(value, null, 2) ?? 'null')}\n`;
}
