/** The HTTP client for one server, on axios: one attempt of a request, from the token to the body. No axios type leaves this file. */
import type { Agent } from 'node:http';
import { AxiosHeaders, type AxiosRequestConfig, type AxiosResponse, getAdapter } from 'axios';
import { tokenProblem } from '../credentials/token-file.ts';
import { Deadline } from '../network/deadline.ts';
import { onAbort } from '../network/on-abort.ts';
import { createAgent, dropIdleConnections, type TlsOptions } from './agent.ts';
import { type ConfigSource, settingsSource } from './config-source.ts';
import { diagnose, mayPass, type NetworkFailure, timeoutProblem } from './diagnosis.ts';
import { secretHider } from './echo.ts';
import { type Endpoint, parseEndpoint } from './endpoint.ts';
import type { HttpAnswer, HttpClient, HttpRequest, RequestObserver } from './http-client.ts';
import { networkFailureOf } from './network-failure.ts';
import { readBody } from './read-body.ts';
import { RequestError, type Target } from './request-error.ts';
import { Retryable, type RetryOptions, retryAfterMs, withRetries } from './retry.ts';

/** What a client needs to know of its server. */
export interface HttpClientOptions {
  readonly target: Target;
  /** `unix:///path`, `http://host:port` or `https://host:port`, with a base path where there is one. */
  readonly endpoint: string;
  readonly tls: TlsOptions;
  /** Bounds one attempt as a whole, from connecting to the last byte of the body. */
  readonly timeoutMs: number;
  /** Read before every attempt, because tokens in files are renewed. */
  readonly token?: (() => Promise<string | undefined>) | undefined;
  readonly observer: RequestObserver;
  readonly retries: RetryOptions;
  /** What advice in errors names; the settings of the target by default. */
  readonly source?: ConfigSource;
}

/** The client of one server. It opens no connection yet. Throws an Error when the endpoint or the TLS material is unusable. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const client = new OneServerClient(options);
  const { target, server, source } = client;
  return {
    target,
    server,
    source,
    send: (request) => client.send(request),
    failure: (request, problem, answer, code) => client.failure(request, problem, answer, code),
    close: () => client.close(),
  };
}

/**
 * What axios sends a request with, and gets its response, in Node. `axios.request` does more before it: it merges defaults and headers, of which there
 * are none here, which takes half as much again.
 */
const exchange = getAdapter('http');

/** Takes secrets out of a text. */
type Hide = (text: string) => string;

const HIDE_NOTHING: Hide = (text) => text;

class OneServerClient {
  readonly target: Target;
  readonly server: string;
  readonly source: ConfigSource;
  readonly #options: HttpClientOptions;
  readonly #endpoint: Endpoint;
  readonly #agent: Agent;
  readonly #config: AxiosRequestConfig;
  /** Takes the token that was sent last out of a text. */
  #hide = HIDE_NOTHING;
  #hiddenToken: string | undefined;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#endpoint = parseEndpoint(options.endpoint);
    this.#agent = createAgent(this.#endpoint, options.tls);
    this.#config = configOf(this.#endpoint, this.#agent);
    this.target = options.target;
    this.server = this.#endpoint.server;
    this.source = options.source ?? settingsSource(options.target);
  }

  close(): void {
    this.#agent.destroy();
  }

  failure(request: HttpRequest, problem: string, answer?: HttpAnswer, code?: string): RequestError {
    return new RequestError({
      target: this.target,
      server: this.server,
      request: `${request.method} ${request.path}`,
      problem: this.#hide(problem),
      ...(answer === undefined ? {} : { status: answer.status }),
      ...(code === undefined || code === '' ? {} : { code }),
    });
  }

  async send(request: HttpRequest): Promise<HttpAnswer> {
    request.signal.throwIfAborted();
    // A signal of its own for the waits between attempts: Node warns of more than ten listeners on one, and hundreds of requests may wait.
    const own = new AbortController();
    const forget = onAbort(request.signal, () => own.abort(request.signal.reason));
    try {
      return await withRetries({ method: request.method, signal: own.signal }, this.#options.retries, (number) => {
        if (number > 1) this.#options.observer.requestRetried(this.target);
        return this.#attempt(request);
      });
    } finally {
      forget();
    }
  }

  /** Throws the signal's reason, RequestError, or Retryable. */
  async #attempt(request: HttpRequest): Promise<HttpAnswer> {
    const { timeoutMs, observer } = this.#options;
    const url = this.#urlOf(request);
    const token = await this.#readToken(request);
    const hide = this.#hiderOf(token);
    // The `timeout` of axios does not bound a body that arrives slowly.
    const deadline = new Deadline(request.signal, timeoutMs);
    const started = performance.now();
    let code = 'error';
    try {
      const response = await exchange({
        ...this.#config,
        method: request.method,
        url,
        headers: headersOf(request, token),
        signal: deadline.signal,
        ...(request.body === undefined ? {} : { data: Buffer.from(JSON.stringify(request.body.value)) }),
      });
      const body = await this.#bodyOf(request, response);
      code = String(response.status);
      const answer = this.#read(request, response, body, hide);
      if (answer.status !== 429 && answer.status < 500) return answer;
      throw new Retryable(answer, retryAfterMs(header(response, 'retry-after')));
    } catch (error) {
      if (error instanceof Retryable || error instanceof RequestError) throw error;
      request.signal.throwIfAborted();
      if (deadline.hasPassed) {
        throw this.failure(request, timeoutProblem(timeoutMs, this.source), undefined, 'ETIMEDOUT');
      }
      throw this.#failed(request, networkFailureOf(error));
    } finally {
      deadline.forget();
      observer.requestDone(this.target, code, (performance.now() - started) / 1000);
    }
  }

  /** The error for an attempt without a complete answer. */
  #failed(request: HttpRequest, cause: NetworkFailure): Error {
    const problem = diagnose(this.target, this.#endpoint.socketPath, cause, this.source);
    const error = this.failure(request, problem, undefined, cause.code);
    if (!mayPass(cause)) return error;
    dropIdleConnections(this.#agent);
    return new Retryable(error);
  }

  /** Throws RequestError when a URL would change the path, as it does with `/nodes/..`. */
  #urlOf(request: HttpRequest): string {
    const plain = this.#endpoint.baseUrl + request.path;
    const query = new URLSearchParams(request.query).toString();
    const { origin, pathname, href } = new URL(query === '' ? plain : `${plain}?${query}`);
    if (origin + pathname !== plain) throw this.failure(request, 'a URL cannot have this path');
    return href;
  }

  async #readToken(request: HttpRequest): Promise<string | undefined> {
    let token: string | undefined;
    try {
      token = await this.#options.token?.();
    } catch (error) {
      const { code, message } = networkFailureOf(error);
      throw this.failure(request, `cannot read the bearer token: ${code || message}`, undefined, code);
    }
    const problem = token === undefined ? undefined : tokenProblem(token);
    if (problem !== undefined) throw this.failure(request, problem);
    return token;
  }

  /** The hider of a token, made once for each token. */
  #hiderOf(token: string | undefined): Hide {
    if (token !== this.#hiddenToken) {
      this.#hiddenToken = token;
      this.#hide = token === undefined ? HIDE_NOTHING : secretHider(token);
    }
    return this.#hide;
  }

  async #bodyOf(request: HttpRequest, { data }: AxiosResponse<unknown>): Promise<Buffer> {
    const body = await readBody(data, request.maxBytes);
    if (body !== undefined) return body;
    throw this.failure(request, `the response is larger than ${request.maxBytes} bytes, the limit`);
  }

  /** A server may send the token back: `hide` keeps it out of errors and logs. */
  #read(request: HttpRequest, response: AxiosResponse<unknown>, body: Buffer, hide: Hide): HttpAnswer {
    const encoding = header(response, 'content-encoding');
    if (encoding !== '' && encoding.toLowerCase() !== 'identity') {
      throw this.failure(request, 'the response is compressed, which was not requested: is there a proxy in between?');
    }
    const { status } = response;
    const software = header(response, 'server');
    const date = Date.parse(header(response, 'date'));
    return {
      status,
      contentType: hide(header(response, 'content-type')),
      body: hide(body.toString('utf8')),
      bytes: body.length,
      ...(status >= 300 && status < 400 ? { redirectedTo: this.#hostOf(header(response, 'location'), hide) } : {}),
      ...(software === '' ? {} : { software: hide(software) }),
      ...(Number.isNaN(date) ? {} : { date }),
    };
  }

  #hostOf(location: string, hide: Hide): string {
    const { baseUrl } = this.#endpoint;
    if (location === '' || !URL.canParse(location, baseUrl)) return 'nowhere';
    // A URL writes its host in lower case, and a token in it too: then it would not be found.
    return hide(location) === location ? new URL(location, baseUrl).host : hide(location);
  }
}

/** What is the same for each request to a server. */
function configOf({ socketPath }: Endpoint, agent: Agent): AxiosRequestConfig {
  return {
    httpAgent: agent,
    httpsAgent: agent,
    ...(socketPath === undefined ? {} : { socketPath }),
    proxy: false,
    maxRedirects: 0,
    decompress: false,
    responseType: 'stream',
    validateStatus: () => true,
  };
}

function headersOf({ headers, body }: HttpRequest, token: string | undefined): AxiosHeaders {
  return new AxiosHeaders({
    'User-Agent': 'kube-register',
    Accept: 'application/json',
    'Accept-Encoding': 'identity',
    ...headers,
    ...(body === undefined ? {} : { 'Content-Type': body.contentType }),
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  });
}

function header(response: AxiosResponse<unknown>, name: string): string {
  const value: unknown = response.headers[name];
  return typeof value === 'string' ? value : '';
}
