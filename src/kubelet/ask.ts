/** One request to one URL of one kubelet: only whether it answers, and with which status. */
import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
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

/**
 * Calls `done` once: with the status as soon as the headers are in (no body is read, no redirect is followed), or with why
 * there is none. It sets no time limit: the returned function ends the request, and `done` is not called any more.
 */
export function ask(
  url: HealthUrl,
  address: string,
  tls: KubeletTls,
  bearer: string | undefined,
  done: (reply: Reply) => void,
): () => void {
  const place = { host: address, port: url.port };
  const options: RequestOptions = {
    ...place,
    path: url.path,
    // A connection of its own that is closed afterwards: the next check is to see whether the kubelet still accepts one. Without an
    // agent, which would be made for this request alone.
    createConnection: () => (url.secure ? connectTls({ ...place, ...tls }) : connect(place)),
    headers: {
      'User-Agent': 'kube-register',
      Accept: '*/*',
      ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
    },
  };
  const request = url.secure ? httpsRequest(options) : httpRequest(options);
  let over = false;
  const finish = (reply: Reply) => {
    if (over) return;
    over = true;
    request.destroy();
    done(reply);
  };
  // Informational answers (1xx) do not come as a response.
  request.on('response', (response) => {
    response.on('error', () => {});
    finish({ status: response.statusCode ?? 0 });
  });
  // Stays until the end: a socket that is destroyed may still have an error to tell.
  request.on('error', (error: NodeJS.ErrnoException) => finish(explain(error.code ?? error.message)));
  // A switch of protocols (101) ends without a response and without an error.
  request.on('close', () => finish(explain('ECONNRESET')));
  request.end();
  return () => {
    over = true;
    request.destroy();
  };
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
      if (code.startsWith('HPE_')) return `did not answer in HTTP (${code})`;
      if (/^ERR_(SSL|TLS)_|^EPROTO$|CERT/.test(code)) return `failed the TLS handshake (${code})`;
      return `failed (${code})`;
  }
}
