/** What fleet's and Kubernetes' clients ask of HTTP. The implementation, and with it axios, is in axios-client.ts. */
import type { ConfigSource } from './config-source.ts';
import type { RequestError, Target } from './request-error.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Begins with a slash; relative to the server's base URL; encoded already (`encodeURIComponent` for a name in it). */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON under this content type. */
  readonly body?: { readonly contentType: string; readonly value: unknown };
  /** A longer body ends the request with a RequestError. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  /** Decoded as UTF-8, not yet parsed. */
  readonly body: string;
  /** Length of the body on the wire. */
  readonly bytes: number;
  /** Where a 3xx answer points, as host and port only (a Location can carry secrets); redirects are never followed. */
  readonly redirectedTo?: string;
  /** What the program behind it calls itself (the header Server). */
  readonly software?: string;
  /** The server's wall clock when it answered (the header Date), to the second, in ms since 1970. */
  readonly date?: number;
}

/** One server: its base URL or socket, its agent, TLS, credentials, timeout and retries. */
export interface HttpClient {
  readonly target: Target;
  /** The server as a person would name it, without credentials. */
  readonly server: string;
  /** Where the access to it is set, for advice. */
  readonly source?: ConfigSource;
  /**
   * Resolves with whatever HTTP status the server gave. By then a GET was repeated after network errors, 429 and 5xx, and a POST or
   * PATCH after 429 with Retry-After, where the wait was within the budget.
   * Rejects with RequestError when there is no complete answer, or with the signal's reason when that was aborted.
   */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** The error for an answer that came but is not what was asked for. */
  failure(request: HttpRequest, problem: string, answer?: HttpAnswer, code?: string): RequestError;
  close(): void;
}

/** What is counted of requests; the metrics implement it. */
export interface RequestObserver {
  /** `code` is the HTTP status, or `error` when there was no answer. Called for every attempt. */
  requestDone(target: Target, code: string, seconds: number): void;
  requestRetried(target: Target): void;
}
