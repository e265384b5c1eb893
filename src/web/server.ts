/** The daemon's HTTP server: metrics, health, readiness, status and the page, all read-only. */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { Log } from '../log/log-events.ts';
import type { Settings } from '../settings/settings.ts';
import type { Clock } from '../time/clock.ts';
import { inTurns, type Steps } from '../time/steps.ts';
import { Access, type Shows } from './access/access.ts';
import { type Place, refusalOf } from './access/refusal.ts';
import { NO_WEB_CONFIG, type ServerTls, type WebConfig } from './access/web-config.ts';
import {
  type Answer,
  type Asset,
  assetAnswer,
  HEADERS,
  type Live,
  live,
  page,
  targetOf,
  text,
  verdict,
} from './answers.ts';
import { Connections } from './connections.ts';
import { encodeSteps, jsonTexts } from './encode.ts';
import { IDENTITY_HEADER, type Identity, writeIdentity } from './identity.ts';
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
  status(): Steps<unknown>;
  /** /: HTML, in texts. */
  page(): Steps<Iterable<string>>;
  /** /explain: HTML about one machine or node, for the query of a link on the page. */
  explain(query: string): Promise<{ readonly isFound: boolean; readonly html: string }>;
  /** Style, script and icon of the page, by path. */
  readonly assets: ReadonlyMap<string, Asset>;
  /** /live: server-sent events for open pages. */
  readonly live: Live;
  /** Why paths that show the cluster must not be served under this Host header, or undefined. */
  hostProblem(host: string | undefined): { readonly status: number; readonly message: string } | undefined;
}

export interface WebServerOptions {
  readonly listen: ListenAddress;
  readonly routes: WebRoutes;
  readonly log: Log;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** What /healthz and /readyz say about this daemon. */
  readonly identity?: Identity;
  /** Who sees the cluster without a login; not given: clients on this machine. */
  readonly statusAccess?: Settings['statusAccess'];
  /** TLS, logins and headers; not given: none. */
  readonly config?: WebConfig;
}

export interface WebServer {
  /** Where it listens; a port of 0 is resolved. */
  readonly address: ListenAddress;
  /** Uses another web configuration from now on, and closes the open connections, which were admitted by the last one. */
  use(config: WebConfig): void;
  /** Closes all connections and resolves once the port is free. */
  close(): Promise<void>;
}

type Handler = (request: IncomingMessage) => Answer | Promise<Answer>;

interface Route {
  readonly shows: Shows;
  readonly handler: Handler;
}

const SECOND = 1_000;
const LIMITS = {
  headersTimeout: 5 * SECOND,
  requestTimeout: 10 * SECOND,
  keepAliveTimeout: 5 * SECOND,
  connectionsCheckingInterval: 1 * SECOND,
};
/** From the first byte of a TLS handshake to its last. */
const HANDSHAKE_TIMEOUT = 5 * SECOND;
/** From the request until the client has read the whole response; not for streams. */
const RESPONSE_TIMEOUT = 30 * SECOND;
/** Smaller bodies are not compressed. */
const MIN_GZIP_BYTES = 100_000;

/** Starts the server. Throws ListenError when it cannot listen on the address. */
export async function startWebServer(options: WebServerOptions): Promise<WebServer> {
  const { listen, log, clock, statusAccess = 'local', config: first = NO_WEB_CONFIG } = options;
  const connections = new Connections();
  let config = first;
  let access = new Access({ statusAccess, config }, clock);
  let address = listen;
  const routes = routesOf(options);
  const answer = (request: IncomingMessage) => {
    const scheme = config.tls === undefined ? 'http' : 'https';
    return answerTo(request, routes.get(targetOf(request).path), { access, options, place: { address, scheme } });
  };
  const server = createServer(config.tls, (request, response) => {
    const parts = { answer, connections, log, headers: config.headers };
    if (connections.accepts(response)) void respond(request, response, parts);
  });
  server.on('connection', (socket) => connections.add(socket));

  const closeConnections = () => {
    connections.closeAll();
    server.closeAllConnections();
  };

  await listenAt(server, listen);
  server.on('error', (err) => log.write('web-server-problem', 'web server problem; the server continues', { err }));

  const bound = server.address();
  address = bound === null || typeof bound === 'string' ? listen : { host: bound.address, port: bound.port };
  let closed: Promise<void> | undefined;
  return {
    address,
    use(next) {
      if ('setSecureContext' in server && next.tls !== undefined) server.setSecureContext(tlsOptions(next.tls));
      config = next;
      access = new Access({ statusAccess, config }, clock);
      closeConnections();
    },
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        closeConnections();
      });
      return closed;
    },
  };
}

function createServer(tls: ServerTls | undefined, listener: RequestListener) {
  const limits: ServerOptions = LIMITS;
  if (tls === undefined) return createHttpServer(limits, listener);
  const server: HttpsServer = createHttpsServer(
    { ...limits, ...tlsOptions(tls), handshakeTimeout: HANDSHAKE_TIMEOUT },
    listener,
  );
  return server;
}

/** A client without a valid certificate is told so in words, so it is not refused in the handshake. */
function tlsOptions({ clientCertificates, ...options }: ServerTls) {
  return { ...options, requestCert: clientCertificates !== 'not asked for', rejectUnauthorized: false };
}

function routesOf({ routes, clock, identity }: WebServerOptions): ReadonlyMap<string, Route> {
  const bodyOf = (steps: () => Steps<Buffer>) =>
    shared(
      () => inTurns(steps()),
      () => routes.version(),
      clock,
    );
  const status = bodyOf(function* () {
    return yield* encodeSteps(jsonTexts(yield* routes.status()));
  });
  const html = bodyOf(function* () {
    return yield* encodeSteps(yield* routes.page());
  });
  const headers = identity === undefined ? {} : { [IDENTITY_HEADER]: writeIdentity(identity) };
  const shown: [string, Handler][] = [
    ['/status', async () => ({ status: 200, contentType: 'application/json', body: await status() })],
    ['/', async () => page(await html())],
    [
      '/explain',
      async (request) => {
        const { isFound, html: body } = await routes.explain(targetOf(request).query ?? '');
        return page(body, isFound ? 200 : 404);
      },
    ],
    ['/live', (request) => live(request, routes.live)],
    ...[...routes.assets].map(([path, asset]): [string, Handler] => [path, (request) => assetAnswer(request, asset)]),
  ];
  return new Map<string, Route>([
    ['/metrics', { shows: 'metrics', handler: async () => ({ status: 200, ...(await routes.metrics()) }) }],
    ['/healthz', { shows: 'health', handler: () => ({ ...verdict(routes.healthz()), headers }) }],
    ['/readyz', { shows: 'health', handler: () => ({ ...verdict(routes.readyz()), headers }) }],
    ...shown.map(([path, handler]): [string, Route] => [path, { shows: 'cluster', handler }]),
  ]);
}

interface ResponseParts {
  readonly answer: (request: IncomingMessage) => Promise<Answer>;
  readonly connections: Connections;
  readonly log: Log;
  readonly headers: WebConfig['headers'];
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { answer: answerOf, connections, log, headers: configured }: ResponseParts,
): Promise<void> {
  const deadline = setTimeout(() => response.destroy(), RESPONSE_TIMEOUT);
  response.once('close', () => clearTimeout(deadline));

  const answer = await answerOf(request).catch((err: unknown): Answer => {
    log.write('page-failed', 'cannot respond to a request', { err, path: targetOf(request).path });
    return text(500, 'internal error, see the log');
  });
  const { status, contentType, body } = answer;
  const headers = { ...configured, ...HEADERS, ...answer.headers, 'Content-Type': contentType };
  if (typeof body !== 'function') {
    const sent = await encoded(typeof body === 'string' ? new SharedBody(Buffer.from(body)) : body, request);
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

interface Gate {
  readonly access: Access;
  readonly options: WebServerOptions;
  readonly place: Place;
}

async function answerTo(request: IncomingMessage, route: Route | undefined, gate: Gate): Promise<Answer> {
  const { method } = request;
  if (method !== 'GET' && method !== 'HEAD') {
    return { ...text(405, 'only GET and HEAD'), headers: { Allow: 'GET, HEAD' } };
  }
  // A proxy may have used another one than the first: RFC 9112, section 3.2.
  if ((request.headersDistinct['host'] ?? []).length > 1) return text(400, 'the request has more than one Host header');
  if (route === undefined) return text(404, 'not found');
  const admission = await gate.access.admit(request, route.shows);
  if ('denied' in admission) return refusalOf(admission, request.headers, gate.place);
  // With DNS rebinding, a web site has neither the password nor a name of the certificate.
  const isGuest = route.shows === 'cluster' && !admission.loggedIn;
  const problem = isGuest ? gate.options.routes.hostProblem(targetOf(request).host) : undefined;
  return problem === undefined ? route.handler(request) : text(problem.status, problem.message);
}
