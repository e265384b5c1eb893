/** One request to one URL of one kubelet: only whether it answers, and with which status. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { HTTPParser } from 'http-parser-js';
import { urlHost } from '../network/address.ts';
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

type Parser = (typeof HTTPParser)['prototype'];

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
  return new Exchange(url, address, tls, bearer, done);
}

/** What was read last of any connection without TLS. Nobody keeps a part of it. */
const SHARED = Buffer.allocUnsafeSlow(16 * 1024);

/** The connection of one request. */
class Exchange implements Asking {
  readonly #isSecure: boolean;
  readonly #done: (reply: Reply) => void;
  readonly #raw: Socket;
  /** The connection over TLS; `#raw` itself without TLS. */
  readonly #socket: Socket;
  #isOver = false;
  #isSecured = false;
  /** The first bytes of the answer. */
  #head = '';
  /** Reads an answer whose head is not whole in the first piece. */
  #parser: Parser | undefined;

  /** Without TLS the answer is read into one buffer for all connections, rather than into a new one each, by way of a stream. */
  readonly #onRead = {
    buffer: SHARED,
    callback: (length: number) => {
      this.#read(SHARED.subarray(0, length));
      return true;
    },
  };

  constructor(
    url: HealthUrl,
    address: string,
    tls: KubeletTls,
    bearer: string | undefined,
    done: (reply: Reply) => void,
  ) {
    this.#isSecure = url.secure;
    this.#done = done;
    this.#raw = connect({ host: address, port: url.port, ...(url.secure ? {} : { onread: this.#onRead }) });
    this.#socket = url.secure ? connectTls({ socket: this.#raw, host: address, ...tls }) : this.#raw;
    // These stay attached: a destroyed socket may still emit an error.
    const onError = (error: NodeJS.ErrnoException) => this.#fail(error.code ?? error.message);
    this.#socket.on('error', onError);
    if (url.secure) this.#raw.on('error', onError);
    if (url.secure) this.#socket.on('data', (piece: Buffer) => this.#read(piece));
    this.#socket.on('close', () => this.#fail('ECONNRESET'));
    // All of it is ASCII, and latin1 is the encoding that costs least.
    const send = () => this.#socket.write(requestOf(url, address, bearer), 'latin1');
    if (url.secure) {
      this.#socket.once('secureConnect', () => {
        this.#isSecured = true;
        send();
      });
    } else send();
  }

  soFar(): Reply | undefined {
    const unfinished = OVERDUE[this.#stage()];
    return unfinished === undefined ? undefined : { unfinished };
  }

  stop(): void {
    this.#isOver = true;
    this.#socket.destroy();
    if (this.#isSecure) this.#raw.destroy();
  }

  #finish(reply: Reply): void {
    if (this.#isOver) return;
    this.stop();
    this.#done(reply);
  }

  #stage(): Stage {
    if (this.#head === HTTP) return 'http';
    if (this.#isSecured) return 'secure';
    return this.#isSecure && this.#raw.bytesRead >= TLS_HEADER_BYTES ? 'handshake' : 'nothing';
  }

  #read(piece: Buffer): void {
    if (this.#isOver) return;
    const status = this.#parser === undefined ? statusIn(piece) : undefined;
    if (status !== undefined) {
      this.#finish({ status });
      return;
    }
    if (this.#head.length < HTTP.length) this.#head += piece.toString('latin1', 0, HTTP.length - this.#head.length);
    this.#parser ??= parserOf((code) => this.#finish({ status: code }));
    if (!(this.#parser.execute(piece) instanceof Error)) return;
    const unfinished = NOT_HTTP[this.#stage()];
    this.#finish(unfinished === undefined ? { problem: 'did not answer in HTTP', local: false } : { unfinished });
  }

  #fail(code: string): void {
    if (this.#isOver) return;
    const tlsProblem = tlsProblemOf(code);
    const local = LOCAL_TROUBLE.has(code);
    const unfinished = local || code === NOT_TLS ? undefined : CLOSED[this.#stage()];
    if (unfinished === undefined) this.#finish({ problem: tlsProblem ?? problemOf(code), local });
    else this.#finish({ unfinished: tlsProblem ?? unfinished, remedy: remedyFor(code) });
  }
}

/** Calls `onStatus` with the status once the headers are in. */
function parserOf(onStatus: (status: number) => void): Parser {
  const parser = new HTTPParser(HTTPParser.RESPONSE);
  parser[HTTPParser.kOnHeadersComplete] = ({ statusCode }) => {
    // Informational answers (1xx) come before the answer, but for 101: nothing in HTTP comes after that.
    if (statusCode >= 200 || statusCode === 101) onStatus(statusCode);
  };
  return parser;
}

/** An answer as kubelets write it. What the parser may refuse does not match: other line ends, two lengths. */
const USUAL_HEAD = /^HTTP\/1\.[01] ([2-9]\d\d) [^\r\n]*\r\n(?:[^\r\n: \t]+:[^\r\n]*\r\n)*\r\n/;
const LENGTH = 'content-length';
/** The head of a kubelet's answer has some 150 bytes. */
const USUAL_BYTES = 1024;

/** The status of an answer whose usual head is whole in its first piece: half the cost of a parser. Undefined for any other. */
function statusIn(piece: Buffer): number | undefined {
  const text = piece.toString('latin1', 0, USUAL_BYTES);
  const match = USUAL_HEAD.exec(text);
  if (match === null) return undefined;
  const head = match[0].toLowerCase();
  return head.indexOf(LENGTH) === head.lastIndexOf(LENGTH) ? Number(match[1]) : undefined;
}

function requestOf(url: HealthUrl, address: string, bearer: string | undefined): string {
  const lines = [
    `GET ${url.path} HTTP/1.1`,
    `Host: ${urlHost(address)}:${url.port}`,
    'User-Agent: kube-register',
    'Accept: */*',
  ];
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
