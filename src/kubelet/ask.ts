/** One request to one URL of one kubelet: only whether it answers, and with which status. */
import { connect, isIPv6, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { HTTPParser } from 'http-parser-js';
import type { HealthUrl } from './health-url.ts';

/**
 * - `status`: an HTTP response
 * - `unfinished`: a sign of life that is no whole HTTP response. Goes after the URL: `failed the TLS handshake: its certificate has expired`.
 *   `remedy` says what to do about it
 * - `problem`: no sign of life. Goes after the URL too: `refused the connection`. `local` is trouble of this machine, which says nothing
 *   about the kubelet
 */
export type Reply =
  | { readonly status: number }
  | { readonly unfinished: string; readonly remedy?: string | undefined }
  | { readonly problem: string; readonly local: boolean };

/** How TLS is spoken to kubelets: verified against a CA, or not at all. */
export interface KubeletTls {
  readonly secureContext: SecureContext;
  readonly rejectUnauthorized: boolean;
}

/** A request that is under way. */
export interface Asking {
  /** What is known when the time is over; undefined as long as the kubelet has said nothing. */
  soFar(): Reply | undefined;
  /** Ends it; `done` is not called any more. */
  stop(): void;
}

/** What this machine lacks, rather than the kubelet: file descriptors, buffers, memory. */
const LOCAL_TROUBLE = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);
/** With fewer bytes OpenSSL cannot say whether they are TLS: https://www.rfc-editor.org/rfc/rfc8446#section-5.1 */
const TLS_HEADER_BYTES = 5;
const HTTP = 'HTTP/';

/** How far the exchange came. `nothing` includes bytes that are neither HTTP nor TLS. */
type Stage = 'nothing' | 'handshake' | 'secure' | 'http';
/** What it did not do, by stage; undefined where it gave no sign of life. */
type Words = Readonly<Record<Stage, string | undefined>>;

const CLOSED: Words = {
  nothing: undefined,
  handshake: 'failed the TLS handshake: it closed the connection',
  secure: 'closed the connection after the TLS handshake, without an HTTP response',
  http: 'closed the connection in the middle of its HTTP response',
};
const NOT_HTTP: Words = {
  nothing: undefined,
  handshake: undefined,
  secure: 'did not answer in HTTP after the TLS handshake',
  http: 'sent an invalid HTTP response',
};
const OVERDUE: Words = {
  nothing: undefined,
  handshake: 'did not finish the TLS handshake',
  secure: 'finished the TLS handshake and did not answer',
  http: 'did not finish its HTTP response',
};

/**
 * Calls `done` once: with the status as soon as the headers are in (no body is read, no redirect is followed), or with why
 * there is none. It sets no time limit.
 *
 * A connection of its own that is closed afterwards: the next check is to see whether the kubelet still accepts one. Without
 * `node:http`, whose request and response cost as much as all the rest of a check. Over TLS nothing is sent before the
 * certificate is verified, where it is to be.
 */
export function ask(
  url: HealthUrl,
  address: string,
  tls: KubeletTls,
  bearer: string | undefined,
  done: (reply: Reply) => void,
): Asking {
  const raw = connect({ host: address, port: url.port });
  const socket: Socket = url.secure ? connectTls({ socket: raw, host: address, ...tls }) : raw;
  const parser = new HTTPParser(HTTPParser.RESPONSE);
  let over = false;
  let secured = false;
  /** The first bytes of the answer. */
  let head = '';

  const stop = () => {
    over = true;
    socket.destroy();
    raw.destroy();
  };
  const finish = (reply: Reply) => {
    if (over) return;
    stop();
    done(reply);
  };
  const stage = (): Stage => {
    if (head === HTTP) return 'http';
    if (secured) return 'secure';
    return url.secure && raw.bytesRead >= TLS_HEADER_BYTES ? 'handshake' : 'nothing';
  };
  const failed = (code: string) => {
    const tlsProblem = tlsProblemOf(code);
    const local = LOCAL_TROUBLE.has(code);
    const unfinished = local || code === NOT_TLS ? undefined : CLOSED[stage()];
    if (unfinished === undefined) finish({ problem: tlsProblem ?? problemOf(code), local });
    else finish({ unfinished: tlsProblem ?? unfinished, remedy: remedyFor(code) });
  };

  parser[HTTPParser.kOnHeadersComplete] = ({ statusCode }) => {
    // Informational answers (1xx) come before the answer, but for 101: nothing in HTTP comes after that.
    if (statusCode >= 200 || statusCode === 101) finish({ status: statusCode });
  };
  socket.on('data', (chunk) => {
    if (head.length < HTTP.length) head += chunk.toString('latin1', 0, HTTP.length - head.length);
    if (!(parser.execute(chunk) instanceof Error)) return;
    const unfinished = NOT_HTTP[stage()];
    finish(unfinished === undefined ? { problem: 'did not answer in HTTP', local: false } : { unfinished });
  });
  // These stay attached: a destroyed socket may still emit an error.
  for (const each of new Set([socket, raw])) {
    each.on('error', (error: NodeJS.ErrnoException) => failed(error.code ?? error.message));
  }
  socket.on('close', () => failed('ECONNRESET'));
  const send = () => socket.write(requestOf(url, address, bearer));
  if (url.secure) {
    socket.once('secureConnect', () => {
      secured = true;
      send();
    });
  } else send();

  return {
    soFar: () => {
      const unfinished = OVERDUE[stage()];
      return unfinished === undefined ? undefined : { unfinished };
    },
    stop,
  };
}

function requestOf(url: HealthUrl, address: string, bearer: string | undefined): string {
  const host = isIPv6(address) ? `[${address}]` : address;
  const lines = [`GET ${url.path} HTTP/1.1`, `Host: ${host}:${url.port}`, 'User-Agent: kube-register', 'Accept: */*'];
  if (bearer !== undefined) lines.push(`Authorization: Bearer ${bearer}`);
  lines.push('Connection: close', '', '');
  return lines.join('\r\n');
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
      return `failed (${code})`;
  }
}

/** How OpenSSL calls bytes that are no TLS. */
const NOT_TLS = 'ERR_SSL_WRONG_VERSION_NUMBER';

/** What is wrong with a certificate, and what mends it beside not checking any. */
interface CertificateProblem {
  readonly problem: string;
  readonly mend: string;
}

const RENEW = 'renew it, or correct the clock of this machine';
const UNTRUSTED: CertificateProblem = {
  problem: 'its certificate is not signed by a CA in KUBELET_CA_FILE',
  mend: 'put its CA certificate in KUBE_REGISTER_KUBELET_CA_FILE',
};
/** Kubelets without `--tls-cert-file` make one of their own, for the name of the host alone. */
const FOR_ITS_ADDRESS = 'start the kubelet with --tls-cert-file and --tls-private-key-file for a certificate';

const CERTIFICATE_PROBLEMS: Readonly<Record<string, CertificateProblem>> = {
  CERT_HAS_EXPIRED: { problem: 'its certificate or its CA certificate has expired', mend: RENEW },
  CERT_NOT_YET_VALID: { problem: 'its certificate is not valid yet', mend: RENEW },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    problem: 'its certificate is not for this address',
    mend: `${FOR_ITS_ADDRESS} that has the address in its subjectAltName`,
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: {
    problem: 'its certificate is self-signed',
    mend: `${FOR_ITS_ADDRESS} of the CA in KUBE_REGISTER_KUBELET_CA_FILE`,
  },
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  INVALID_CA: { problem: 'its certificate is signed by a certificate that is not a CA', mend: UNTRUSTED.mend },
  INVALID_PURPOSE: {
    problem: 'its certificate is not for a server',
    mend: `${FOR_ITS_ADDRESS} with serverAuth in its extendedKeyUsage`,
  },
  UNSPECIFIED: {
    problem: 'its certificate is signed with SHA-1 or MD5, or a key is too small',
    mend: `${FOR_ITS_ADDRESS} with SHA-256 and a key of 2048 bits or more`,
  },
};

const DO_NOT_CHECK =
  'or unset KUBE_REGISTER_KUBELET_CA_FILE and the other KUBE_REGISTER_KUBELET_*_FILE: then kubelet certificates are not verified';

/** Both ways out where the certificate is the cause. */
function remedyFor(code: string): string | undefined {
  const known = CERTIFICATE_PROBLEMS[code];
  return known === undefined ? undefined : `${known.mend}, ${DO_NOT_CHECK}`;
}

/** Undefined for what is no matter of TLS. */
function tlsProblemOf(code: string): string | undefined {
  const known = code === NOT_TLS ? 'this port does not speak TLS' : CERTIFICATE_PROBLEMS[code]?.problem;
  if (known !== undefined) return `failed the TLS handshake: ${known} (${code})`;
  return /^ERR_(SSL|TLS)_|^EPROTO$|CERT|^UNABLE_TO_/.test(code) ? `failed the TLS handshake (${code})` : undefined;
}
