/** One server behind axios on node's HTTP stack: agent, TLS, deadline, size cap, retries. No axios type leaves this file. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { PeerCertificate } from 'node:tls';
import axios, { type AxiosResponse } from 'axios';
import pRetry from 'p-retry';
import { secureContextOf, type TlsMaterial } from '../credentials/tls-files.ts';
import { tokenProblem } from '../credentials/token-file.ts';
import { onAbort } from '../network/on-abort.ts';
import { type ConfigSource, settingsSource } from './config-source.ts';
import { diagnose, mayPass, type NetworkFailure, timeoutProblem } from './diagnosis.ts';
import { secretHider } from './echo.ts';
import { type Endpoint, parseEndpoint } from './endpoint.ts';
import type { HttpAnswer, HttpClient, HttpRequest, RequestObserver } from './http-client.ts';
import { readBody } from './read-body.ts';
import { RequestError, type Target } from './request-error.ts';
import { identityProblem } from './server-identity.ts';

interface TlsOptions extends TlsMaterial {
  readonly insecureSkipVerify: boolean;
  /** The name that the server's certificate must be for, where it is not the endpoint's host. */
  readonly servername?: string;
}

/**
 * How a GET that failed in a passing way is repeated, and a POST or PATCH that the server put off (429 with Retry-After): waits double
 * from `minMs`, up to `maxMs`, with jitter.
 */
export interface RetryOptions {
  readonly count: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** No attempt begins later than this after the first one. */
  readonly budgetMs: number;
}

export interface HttpClientOptions {
  readonly target: Target;
  /** `unix:///path`, `http://host:port` or `https://host:port`, with a base path where there is one. */
  readonly endpoint: string;
  readonly tls: TlsOptions;
  /** Bounds one attempt as a whole, from connecting to the last byte of the body. */
  readonly timeoutMs: number;
  /** Asked before every attempt, because tokens in files are renewed. */
  readonly token?: (() => Promise<string | undefined>) | undefined;
  readonly observer: RequestObserver;
  readonly retries: RetryOptions;
  /** What advice in errors names; the settings of the target where it is not given. */
  readonly source?: ConfigSource;
}

/** An idle connection is closed before servers and balancers do it: a request on a dead one would fail. */
const IDLE_MS = 10_000;

/** Something that is worth another attempt. It carries the outcome through p-retry, which repeats only what throws. */
class Transient extends Error {
  readonly outcome: HttpAnswer | RequestError;
  readonly retryAfterMs: number | undefined;

  constructor(outcome: HttpAnswer | RequestError, retryAfterMs?: number) {
    super('worth another attempt');
    this.outcome = outcome;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Opens no connection yet. Throws an Error when the endpoint or the TLS material is unusable; both are checked at start. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { target, timeoutMs, token, observer, retries, source = settingsSource(options.target) } = options;
  const endpoint = parseEndpoint(options.endpoint);
  const agent = createAgent(endpoint, options.tls);
  const hiderOf = memoizedHider();
  /** Takes the token that was sent last out of a text. */
  let withoutToken = (text: string) => text;

  const wire = axios.create({
    adapter: 'http',
    httpAgent: agent,
    httpsAgent: agent,
    ...(endpoint.socketPath === undefined ? {} : { socketPath: endpoint.socketPath }),
    proxy: false,
    maxRedirects: 0,
    decompress: false,
    responseType: 'stream',
    validateStatus: () => true,
    headers: { 'User-Agent': 'kube-register', Accept: 'application/json', 'Accept-Encoding': 'identity' },
  });

  function failure(request: HttpRequest, problem: string, answer?: HttpAnswer, code?: string): RequestError {
    return new RequestError({
      target,
      server: endpoint.server,
      request: `${request.method} ${request.path}`,
      problem: withoutToken(problem),
      ...(answer === undefined ? {} : { status: answer.status }),
      ...(code === undefined || code === '' ? {} : { code }),
    });
  }

  async function send(request: HttpRequest): Promise<HttpAnswer> {
    request.signal.throwIfAborted();
    // A signal of its own: AbortSignal.any leaves something behind at its sources, some of which live as long as the daemon.
    const own = new AbortController();
    const forget = onAbort(request.signal, () => own.abort(request.signal.reason));
    try {
      return await attempts({ ...request, signal: own.signal });
    } catch (error) {
      request.signal.throwIfAborted();
      if (!(error instanceof Transient)) throw error;
      if (error.outcome instanceof RequestError) throw error.outcome;
      return error.outcome;
    } finally {
      forget();
    }
  }

  function attempts(request: HttpRequest): Promise<HttpAnswer> {
    const started = performance.now();
    const { signal } = request;
    return pRetry(
      (attemptNumber) => {
        if (attemptNumber > 1) observer.requestRetried(target);
        return attempt(request);
      },
      {
        retries: retries.count,
        minTimeout: retries.minMs,
        maxTimeout: retries.maxMs,
        maxRetryTime: retries.budgetMs,
        randomize: true,
        signal,
        shouldRetry: async ({ error }) => {
          if (!(error instanceof Transient) || !mayRepeat(request, error)) return false;
          if (error.retryAfterMs === undefined) return true;
          if (performance.now() - started + error.retryAfterMs > retries.budgetMs) return false;
          await delay(error.retryAfterMs, undefined, { signal });
          return true;
        },
      },
    );
  }

  /** Throws the signal's reason, RequestError, or Transient around an outcome that another attempt may better. */
  async function attempt(request: HttpRequest): Promise<HttpAnswer> {
    const url = urlOf(request);
    const bearer = await readToken(request);
    const hide = bearer === undefined ? (text: string) => text : hiderOf(bearer);
    withoutToken = hide;
    const headers = headersOf(request, bearer);
    // Both names keep their signal alive until the end: AbortSignal.any holds its sources only weakly.
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([request.signal, deadline]);
    const started = performance.now();
    let code = 'error';
    try {
      const response = await wire.request<unknown>({
        method: request.method,
        url,
        headers,
        // axios's own `timeout` does not bound a body that drips.
        signal,
        ...(request.body === undefined ? {} : { data: Buffer.from(JSON.stringify(request.body.value)) }),
      });
      const body = await bodyOf(request, response);
      code = String(response.status);
      const answer = readAnswer(request, response, body, hide);
      if (answer.status === 429 || answer.status >= 500) throw new Transient(answer, retryAfterMs(response));
      return answer;
    } catch (error) {
      if (error instanceof Transient || error instanceof RequestError) throw error;
      request.signal.throwIfAborted();
      if (deadline.aborted) {
        throw failure(request, timeoutProblem(timeoutMs, source), undefined, 'ETIMEDOUT');
      }
      throw explain(request, describe(error));
    } finally {
      observer.requestDone(target, code, (performance.now() - started) / 1000);
    }
  }

  function explain(request: HttpRequest, cause: NetworkFailure): Error {
    const error = failure(request, diagnose(target, endpoint.socketPath, cause, source), undefined, cause.code);
    if (!mayPass(cause)) return error;
    dropIdleConnections(agent);
    return new Transient(error);
  }

  /** Throws RequestError when the path would reach the server as another one, as `/nodes/..` does. */
  function urlOf(request: HttpRequest): string {
    const plain = endpoint.baseUrl + request.path;
    const url = new URL(plain);
    if (url.origin + url.pathname !== plain) throw failure(request, 'no URL can carry this path as it is');
    url.search = new URLSearchParams(request.query).toString();
    return url.href;
  }

  function headersOf(request: HttpRequest, bearer: string | undefined): Record<string, string> {
    const headers: Record<string, string> = { ...request.headers };
    if (request.body !== undefined) headers['Content-Type'] = request.body.contentType;
    if (bearer !== undefined) headers['Authorization'] = `Bearer ${bearer}`;
    return headers;
  }

  async function readToken(request: HttpRequest): Promise<string | undefined> {
    let bearer: string | undefined;
    try {
      bearer = await token?.();
    } catch (error) {
      const { code, message } = describe(error);
      throw failure(request, `the bearer token cannot be read: ${code || message}`, undefined, code);
    }
    const problem = bearer === undefined ? undefined : tokenProblem(bearer);
    if (problem !== undefined) throw failure(request, problem);
    return bearer;
  }

  async function bodyOf(request: HttpRequest, { data }: AxiosResponse<unknown>): Promise<Buffer> {
    const body = await readBody(data, request.maxBytes);
    if (body !== undefined) return body;
    throw failure(request, `the answer is larger than ${request.maxBytes} bytes, which is the limit for it`);
  }

  /** A server that sends the token back must not make it part of an error: `hide` takes it out. */
  function readAnswer(
    request: HttpRequest,
    response: AxiosResponse<unknown>,
    body: Buffer,
    hide: (text: string) => string,
  ): HttpAnswer {
    const encoding = header(response, 'content-encoding');
    if (encoding !== '' && encoding.toLowerCase() !== 'identity') {
      throw failure(request, 'the answer is compressed although that was not asked for: is there a proxy between?');
    }
    const { status } = response;
    const software = header(response, 'server');
    const date = Date.parse(header(response, 'date'));
    return {
      status,
      contentType: hide(header(response, 'content-type')),
      body: hide(body.toString('utf8')),
      bytes: body.length,
      ...(status >= 300 && status < 400 ? { redirectedTo: hostOf(header(response, 'location'), hide) } : {}),
      ...(software === '' ? {} : { software: hide(software) }),
      ...(Number.isNaN(date) ? {} : { date }),
    };
  }

  function hostOf(location: string, hide: (text: string) => string): string {
    const usable = location !== '' && URL.canParse(location, endpoint.baseUrl);
    if (!usable) return 'nowhere';
    // A host is written in small letters, and the token in it would be as well.
    return hide(location) === location ? new URL(location, endpoint.baseUrl).host : hide(location);
  }

  return { target, server: endpoint.server, source, send, failure, close: () => agent.destroy() };
}

function createAgent({ baseUrl }: Endpoint, tls: TlsOptions): HttpAgent {
  const pooling = { keepAlive: true, timeout: IDLE_MS };
  if (!baseUrl.startsWith('https:')) return new HttpAgent(pooling);
  const { insecureSkipVerify, servername, ...material } = tls;
  return new HttpsAgent({
    ...pooling,
    secureContext: secureContextOf(material),
    rejectUnauthorized: !insecureSkipVerify,
    // An IP address is checked for, but not sent: RFC 6066, section 3.
    ...(servername === undefined ? {} : { servername: isIP(servername) === 0 ? servername : '' }),
    checkServerIdentity: (host: string, certificate: PeerCertificate) =>
      identityProblem(servername ?? host, certificate, tls.legacy ?? false),
  });
}

/**
 * What is put off with 429 was not done, so that it may be repeated. A DELETE is not: it rests on what was seen right before it.
 */
function mayRepeat({ method }: HttpRequest, { outcome, retryAfterMs }: Transient): boolean {
  if (method === 'GET') return true;
  return method !== 'DELETE' && outcome.status === 429 && retryAfterMs !== undefined;
}

/** What cut one connection may have cut those that lie idle too: a new attempt is to meet none of them. */
function dropIdleConnections(agent: HttpAgent): void {
  for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
}

/** The AxiosError itself is dropped here: it holds the request's headers, token included. */
function describe(error: unknown): NetworkFailure {
  if (!(error instanceof Error)) return { code: '', message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const certificateNames = namesOf(error) ?? namesOf(error.cause);
  const hasLegacyName = [error, error.cause].some((each) => Object(each).isLegacyName === true);
  return {
    code,
    message: error.message,
    ...(certificateNames !== undefined && { certificateNames }),
    ...(hasLegacyName && { hasLegacyName }),
  };
}

/**
 * The names in the certificate that came with an error of `tls.checkServerIdentity`: `DNS:a.example, IP Address:10.0.0.1`. An address as a
 * DNS name is none: RFC 6125, section 6.4.
 */
function namesOf(error: unknown): readonly string[] | undefined {
  const certificate: unknown = Object(error).cert;
  if (typeof certificate !== 'object' || certificate === null) return undefined;
  const names: unknown = Reflect.get(certificate, 'subjectaltname');
  return typeof names === 'string'
    ? [...names.matchAll(/(?<kind>DNS|IP Address):(?<name>[^,]+)/g)]
        .map(({ groups }) => ({ kind: groups?.['kind'], name: groups?.['name'] ?? '' }))
        .filter(({ kind, name }) => kind !== 'DNS' || isIP(name) === 0)
        .map(({ name }) => name)
    : [];
}

/** The one of a token that does not change is made once. */
function memoizedHider() {
  let of: string | undefined;
  let hide = (text: string) => text;
  return (secret: string) => {
    if (secret !== of) {
      of = secret;
      hide = secretHider(secret);
    }
    return hide;
  };
}

function header(response: AxiosResponse<unknown>, name: string): string {
  const value: unknown = response.headers[name];
  return typeof value === 'string' ? value : '';
}

/** Only the form in seconds: that with a date needs two clocks to agree. */
function retryAfterMs(response: AxiosResponse<unknown>): number | undefined {
  const value = header(response, 'retry-after').trim();
  return /^\d{1,6}$/.test(value) ? Number(value) * 1000 : undefined;
}
