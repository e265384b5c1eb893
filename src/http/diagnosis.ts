/** Turns the code of a failed request into a sentence: what went wrong, and what to do about it. */
import { type Stats, statSync } from 'node:fs';
import type { Target } from './request-error.ts';

/** What is known of a request that got no complete answer: never the error object itself, which carries the token. */
export interface NetworkFailure {
  /** A system, TLS or parser error code (`ECONNREFUSED`, `CERT_HAS_EXPIRED`, `HPE_INVALID_CONSTANT`), or empty. */
  readonly code: string;
  readonly message: string;
}

/** Settings are named alike for both servers, with this in the middle. */
const SETTINGS: Record<Target, string> = { fleet: 'KUBE_REGISTER_FLEET', kubernetes: 'KUBE_REGISTER_API' };

const PROGRAM: Record<Target, string> = { fleet: 'fleet', kubernetes: 'the API server' };

/** Failures that may be over in a second: worth asking again, where asking twice does no harm. */
const PASSING = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
]);

export function mayPass(failure: NetworkFailure): boolean {
  return PASSING.has(failure.code);
}

/** A sentence without a full stop. `socketPath` is undefined for TCP. */
export function diagnose(target: Target, socketPath: string | undefined, failure: NetworkFailure): string {
  return (
    (socketPath === undefined ? undefined : socketProblem(target, socketPath, failure.code)) ??
    tlsProblem(target, failure) ??
    connectionProblem(target, failure.code) ??
    protocolProblem(target, failure.code) ??
    [failure.code, withoutSecrets(failure.message)].filter((part) => part !== '').join(': ')
  );
}

export function timeoutProblem(target: Target, timeoutMs: number): string {
  return `no complete answer within ${timeoutMs / 1000} s (${SETTINGS[target]}_TIMEOUT)`;
}

function socketProblem(target: Target, path: string, code: string): string | undefined {
  const program = PROGRAM[target];
  switch (code) {
    case 'ENOENT':
      return `there is no socket at ${path}: is ${program} running on this machine, and is the socket mounted here when this is a container?`;
    case 'ENOTDIR':
      return `there is no socket at ${path}: a part of that path is a file; check ${SETTINGS[target]}_ENDPOINT`;
    case 'ECONNREFUSED':
      return (
        noSocketProblem(target, path) ??
        (target === 'fleet'
          ? `nothing listens behind the socket ${path}: start it with \`systemctl start fleet.socket\``
          : `nothing listens behind the socket ${path}: is ${program} running?`)
      );
    case 'EACCES':
    case 'EPERM':
      return `this user may not open the socket ${path}: run as root or as a member of the group that owns it${
        target === 'fleet' ? ' (fleet.socket with SocketMode=0660 belongs to root:fleet)' : ''
      }`;
    default:
      return undefined;
  }
}

/** What else may stand there: to connect to a folder or to a file is refused as well. */
function noSocketProblem(target: Target, path: string): string | undefined {
  let found: Stats | undefined;
  try {
    found = statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
  if (found === undefined || found.isSocket()) return undefined;
  if (found.isDirectory()) {
    return `${path} is a folder, not a socket: check ${SETTINGS[target]}_ENDPOINT; Docker makes such a folder when the socket that a container is to have is not there yet: remove it, start ${PROGRAM[target]}, then the container`;
  }
  return `${path} is a file, not a socket: check ${SETTINGS[target]}_ENDPOINT`;
}

function connectionProblem(target: Target, code: string): string | undefined {
  const program = PROGRAM[target];
  const setting = `${SETTINGS[target]}_ENDPOINT`;
  switch (code) {
    case 'ECONNREFUSED':
      return `the connection was refused: does ${program} listen there? check ${setting}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name cannot be resolved (${code}): check ${setting} and the DNS of this machine`;
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'EHOSTDOWN':
    case 'ENETUNREACH':
    case 'ENETDOWN':
      return `the host cannot be reached (${code}): check ${setting}, routes and firewalls`;
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNABORTED':
      return `the connection was closed before the answer was complete (${code}): ${program} was restarted, or something between cuts connections`;
    default:
      return undefined;
  }
}

/**
 * How servers refuse a client certificate, or that none came: alerts 40, 42, 43, 46, 48, 49 and 116 of RFC 8446, section 6.2.
 * They come as a code under TLS 1.3, and up to TLS 1.2 in a message under the code EPROTO.
 */
const WANTS_CERTIFICATE =
  /certificate[ _]required|handshake[ _]failure|(bad|unsupported)[ _]certificate|alert[ _](certificate[ _]unknown|unknown[ _]ca|access[ _]denied)/i;

function tlsProblem(target: Target, { code, message }: NetworkFailure): string | undefined {
  const settings = SETTINGS[target];
  switch (code) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'CERT_UNTRUSTED':
      return `the server's certificate is signed by an authority that is not trusted here (${code}): put the CA certificate in ${settings}_CA_FILE`;
    case 'CERT_SIGNATURE_FAILURE':
      return `the server's certificate was not signed by the CA certificate in ${settings}_CA_FILE: is it the CA of this server?`;
    case 'CERT_HAS_EXPIRED':
      return "the server's certificate, or that of its CA, has expired: renew it, or set the clock of this machine";
    case 'CERT_NOT_YET_VALID':
      return "the server's certificate is not valid yet: check the clock of this machine and of the server";
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `the server's certificate is for another name or address: use a name of the certificate in ${settings}_ENDPOINT`;
    default:
  }
  // OpenSSL's own words come as part of the code or, under the code EPROTO, of the message.
  if (/wrong[ _]version[ _]number|packet[ _]length[ _]too[ _]long|http[ _]request/i.test(`${code} ${message}`)) {
    return `the server does not speak TLS on this port (${code}): should ${settings}_ENDPOINT begin with http:// instead of https://?`;
  }
  if (/alert[ _]certificate[ _](expired|revoked)/i.test(`${code} ${message}`)) {
    return `the server refused the client certificate (${code}): it has expired or was revoked; renew ${settings}_CERT_FILE and ${settings}_KEY_FILE and start kube-register again`;
  }
  if (WANTS_CERTIFICATE.test(`${code} ${message}`)) {
    return `the server refused the TLS handshake (${code}): it wants a client certificate that it trusts, in ${settings}_CERT_FILE and ${settings}_KEY_FILE`;
  }
  // Node's words for a connection that ends in the middle of the handshake.
  if (code === 'ECONNRESET' && message.includes('before secure TLS connection')) {
    return `the server closed the connection in the middle of the TLS handshake: does it speak TLS on this port, and does it trust the client certificate of ${settings}_CERT_FILE where one is set?`;
  }
  if (code === 'EPROTO' || /^ERR_(SSL|TLS|OSSL)_/.test(code)) {
    return `the TLS handshake failed (${code}): check ${settings}_ENDPOINT, ${settings}_CA_FILE, ${settings}_CERT_FILE and ${settings}_KEY_FILE`;
  }
  return undefined;
}

function protocolProblem(target: Target, code: string): string | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return `the answer's headers are too large: does ${SETTINGS[target]}_ENDPOINT name ${PROGRAM[target]}?`;
  }
  if (code.startsWith('HPE_')) {
    return `the answer is not HTTP (${code}): does ${SETTINGS[target]}_ENDPOINT name ${PROGRAM[target]}, and is it https:// where the server wants TLS?`;
  }
  return undefined;
}

/** Error messages of the layers below rarely quote credentials; this makes it never. */
function withoutSecrets(message: string): string {
  return message
    .replace(/\b(bearer|basic)\s+\S+/gi, '$1 …')
    .replace(/\/\/[^/\s@]*@/g, '//')
    .replace(/\s+/g, ' ')
    .slice(0, 200);
}
