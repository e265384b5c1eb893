/** The answers of the web server: texts, JSON, the page, its assets and the live feed, with their headers. */
import type { IncomingMessage } from 'node:http';
import type { Writable } from 'node:stream';
import type { SharedBody } from './shared-body.ts';

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  /** A function writes the body to the stream that it gets, and ends it. */
  readonly body: string | SharedBody | ((stream: Writable) => void);
  readonly headers?: Readonly<Record<string, string>>;
}

/** A file that the page loads; the etag with its quotes. */
export interface Asset {
  readonly contentType: string;
  readonly body: string;
  readonly etag: string;
}

/** The open pages, which get server-sent events. */
export interface Live {
  /** Why no other page may join, or undefined. */
  full(): string | undefined;
  /** Sends events to a page; `shown` is the state that it shows. The stream has no time limit. */
  join(shown: string | undefined, stream: Writable): void;
}

/** Headers of every answer, unless it has others of the same name. */
export const HEADERS = {
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

/** One line of plain text. */
export function text(status: number, message: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${message}\n` };
}

/** The answer of /healthz and /readyz. */
export function verdict(problem: string | undefined): Answer {
  return problem === undefined ? text(200, 'ok') : text(503, problem);
}

/** A page, which may load the assets. */
export function page(body: Answer['body'], status = 200): Answer {
  const headers = { 'Content-Security-Policy': PAGE_POLICY };
  return { status, contentType: 'text/html; charset=utf-8', body, headers };
}

/** Cached by the browser, which checks each time whether it has changed. */
export function assetAnswer(
  { headers: { 'if-none-match': known } }: IncomingMessage,
  { contentType, body, etag }: Asset,
): Answer {
  const headers = { ETag: etag, 'Cache-Control': 'no-cache' };
  const has = (known ?? '').split(',').map((each) => each.trim().replace(/^W\//, ''));
  // Node leaves out the body of a 304.
  return { status: has.includes(etag) || known === '*' ? 304 : 200, contentType, body, headers };
}

export function live(request: IncomingMessage, feed: Live): Answer {
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

/** The host, path and query of a request. A URL in absolute form wins over the Host header: RFC 9112, section 3.2.2. */
export function targetOf({ url = '/', headers }: IncomingMessage) {
  const [, host = headers.host, rest = url] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? [];
  const [path, query] = rest.split('?', 2);
  return { host, path: path || '/', query };
}
