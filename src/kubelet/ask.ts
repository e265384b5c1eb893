/** One request to one URL of one kubelet: only whether it answers, and with which status. */
import { connect, isIPv6 } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { HTTPParser } from 'http-parser-js';
import type { HealthUrl } from './health-url.ts';

/** `problem` goes after the URL: `refused the connection`. `local` is trouble of this machine, which says nothing of the kubelet. */
export type Reply = { readonly status: number } | { readonly problem: string; readonly local: boolean };

/** How TLS is spoken to kubelets: verified against a CA, or not at all. */
export interface KubeletTls {
  readonly secureContext: SecureContext;
  readonly rejectUnauthorized: boolean;
}

/** What this machine lacks, rather than the kubelet: file descriptors, buffers, memory. */
const LOCAL_TROUBLE = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);
const NOT_HTTP: Reply = { problem: 'did not answer in HTTP', local: false };
const INCOMPLETE: Reply = { problem: 'closed the connection before it had answered in HTTP', local: false };

/**
 * Calls `done` once: with the status as soon as the headers are in (no body is read, no redirect is followed), or with why
 * there is none. It sets no time limit: the returned function ends the request, and `done` is not called any more.
 *
 * A connection of its own that is closed afterwards: the next check is to see whether the kubelet still accepts one. Without
 * `node:http`, whose request and response cost as much as all the rest of a check.
 */
export function ask(
  url: HealthUrl,
  address: string,
  tls: KubeletTls,
  bearer: string | undefined,
  done: (reply: Reply) => void,
): () => void {
  const place = { host: address, port: url.port };
  const socket = url.secure ? connectTls({ ...place, ...tls }) : connect(place);
  const parser = new HTTPParser(HTTPParser.RESPONSE);
  let over = false;
  const finish = (reply: Reply) => {
    if (over) return;
    over = true;
    socket.destroy();
    done(reply);
  };
  parser[HTTPParser.kOnHeadersComplete] = ({ statusCode }) => {
    // Informational answers (1xx) come before the answer, but for 101: nothing in HTTP comes after that.
    if (statusCode >= 200 || statusCode === 101) finish({ status: statusCode });
  };
  let hasSpoken = false;
  socket.on('data', (chunk) => {
    hasSpoken = true;
    const problem = parser.execute(chunk);
    if (problem instanceof Error) finish(NOT_HTTP);
  });
  // Stays until the end: a socket that is destroyed may still have an error to tell.
  socket.on('error', (error: NodeJS.ErrnoException) => finish(explain(error.code ?? error.message)));
  socket.on('close', () => finish(hasSpoken ? INCOMPLETE : explain('ECONNRESET')));
  socket.write(requestOf(url, address, bearer));
  return () => {
    over = true;
    socket.destroy();
  };
}

function requestOf(url: HealthUrl, address: string, bearer: string | undefined): string {
  const host = isIPv6(address) ? `[${address}]` : address;
  const lines = [`GET ${url.path} HTTP/1.1`, `Host: ${host}:${url.port}`, 'User-Agent: kube-register', 'Accept: */*'];
  if (bearer !== undefined) lines.push(`Authorization: Bearer ${bearer}`);
  lines.push('Connection: close', '', '');
  return lines.join('\r\n');
}

function explain(code: string): Reply {
  return { problem: problemOf(code), local: LOCAL_TROUBLE.has(code) };
}

function problemOf(code: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'refused the connection';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'closed the connection without an answer';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return `cannot be reached (${code})`;
    default:
      if (/^ERR_(SSL|TLS)_|^EPROTO$|CERT|^UNABLE_TO_/.test(code)) return `failed the TLS handshake (${code})`;
      return `failed (${code})`;
  }
}
