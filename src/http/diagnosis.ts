/** Explains a failed request in one sentence: the cause, and what to do. */
import { type Stats, statSync } from 'node:fs';
import { onOneLine } from '../text/quote.ts';
import { formatDuration } from '../time/duration.ts';
import { type ConfigSource, settingsSource } from './config-source.ts';
import { SERVER_NAMES, type Target } from './request-error.ts';

/** What is known of a request that got no complete answer: never the error object itself, which carries the token. */
export interface NetworkFailure {
  /** A system, TLS or parser error code (`ECONNREFUSED`, `CERT_HAS_EXPIRED`, `HPE_INVALID_CONSTANT`), or empty. */
  readonly code: string;
  readonly message: string;
  /** The names and addresses of a certificate that is for others than the one that was wanted. */
  readonly certificateNames?: readonly string[];
  /** The certificate has the wanted name, in a way that is taken with legacy TLS alone. */
  readonly hasLegacyName?: boolean;
}

/** Codes of failures that may be temporary, so that a retry may succeed. */
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

/** Whether a failure may be temporary. */
export function mayPass(failure: NetworkFailure): boolean {
  return PASSING.has(failure.code);
}

/** A sentence without a full stop. `socketPath` is undefined for TCP; `source` says what the advice names. */
export function diagnose(
  target: Target,
  socketPath: string | undefined,
  failure: NetworkFailure,
  source: ConfigSource = settingsSource(target),
): string {
  return (
    (socketPath === undefined ? undefined : socketProblem(target, socketPath, failure.code, source)) ??
    tlsProblem(failure, source) ??
    connectionProblem(target, failure.code, source) ??
    protocolProblem(target, failure.code, source) ??
    [failure.code, withoutSecrets(failure.message)].filter((part) => part !== '').join(': ')
  );
}

export function timeoutProblem(timeoutMs: number, source: ConfigSource): string {
  return `no complete response within ${formatDuration(timeoutMs)} (${source.timeout})${proxyHint(source)}`;
}

/** A server that is reachable only through a proxy fails like a server that is down. */
function proxyHint({ proxyVariable }: ConfigSource): string {
  return proxyVariable === undefined
    ? ''
    : `; kube-register does not use proxies, ${proxyVariable} included: the server must be reachable directly`;
}

function socketProblem(target: Target, path: string, code: string, source: ConfigSource): string | undefined {
  const program = SERVER_NAMES[target];
  switch (code) {
    case 'ENOENT':
      return `there is no socket at ${path}: is ${program} running on this machine, and is the socket mounted here when this is a container?`;
    case 'ENOTDIR':
      return `there is no socket at ${path}: a part of this path is a file; check ${source.endpoint}`;
    case 'ECONNREFUSED':
      return (
        noSocketProblem(target, path, source) ??
        (target === 'fleet'
          ? `nothing listens on the socket ${path}: start it with \`systemctl start fleet.socket\``
          : `nothing listens on the socket ${path}: is ${program} running?`)
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

/** A directory or a file in place of the socket: a connection to it is refused too. */
function noSocketProblem(target: Target, path: string, { endpoint }: ConfigSource): string | undefined {
  let found: Stats | undefined;
  try {
    found = statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
  if (found === undefined || found.isSocket()) return undefined;
  if (found.isDirectory()) {
    return `${path} is a directory, not a socket: check ${endpoint}; Docker creates a directory when it mounts a socket that does not exist: remove it, start ${SERVER_NAMES[target]}, then start the container`;
  }
  return `${path} is a file, not a socket: check ${endpoint}`;
}

function connectionProblem(target: Target, code: string, source: ConfigSource): string | undefined {
  const program = SERVER_NAMES[target];
  const { endpoint } = source;
  switch (code) {
    case 'ECONNREFUSED':
      return `the connection was refused: does ${program} listen there? check ${endpoint}${proxyHint(source)}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name cannot be resolved (${code}): check ${endpoint} and the DNS of this machine${proxyHint(source)}`;
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'EHOSTDOWN':
    case 'ENETUNREACH':
    case 'ENETDOWN':
      return `the host cannot be reached (${code}): check ${endpoint}, routes and firewalls${proxyHint(source)}`;
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNABORTED':
      return `the connection was closed before the response was complete (${code}): ${program} was restarted, or a proxy or firewall closes connections${proxyHint(source)}`;
    default:
      return undefined;
  }
}

/** OpenSSL's messages about certificates for which Node has no code, and what each means. */
const UNNAMED_FAULTS: readonly (readonly [RegExp, string])[] = [
  [
    /key usage does not include certificate signing/i,
    'its CA may not sign certificates (its keyUsage has no keyCertSign)',
  ],
  [/unhandled critical extension/i, 'it has a critical extension that TLS does not know'],
];

/** OpenSSL's own words come as part of the code or, under the code EPROTO, of the message. */
const NOT_TLS = /wrong[ _]version[ _]number|packet[ _]length[ _]too[ _]long|http[ _]request/i;
const CLIENT_CERTIFICATE_ENDED = /alert[ _]certificate[ _](expired|revoked)/i;
const OLD_VERSION = /alert[ _]protocol[ _]version|unsupported[ _]protocol|version[ _]too[ _]low/i;
/** What the security levels of OpenSSL refuse in the server's chain: SSL_CTX_set_security_level(3). */
const WEAK_SIGNATURE = /(digest algorithm|[ _]md) ?_?too[ _]weak/i;
const WEAK_KEY = /key ?_?too[ _](weak|small)/i;
/**
 * How servers refuse a client certificate, or that none came: alerts 40, 42, 43, 46, 48, 49 and 116 of RFC 8446, section 6.2.
 * They come as a code under TLS 1.3, and up to TLS 1.2 in a message under the code EPROTO.
 */
const WANTS_CERTIFICATE =
  /certificate[ _]required|handshake[ _]failure|(bad|unsupported)[ _]certificate|alert[ _](certificate[ _]unknown|unknown[ _]ca|access[ _]denied)/i;

function tlsProblem(failure: NetworkFailure, source: ConfigSource): string | undefined {
  const { code, message } = failure;
  switch (code) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'CERT_UNTRUSTED':
      return `the server's certificate is signed by a CA that is not trusted (${code}): put the CA certificate of this server in ${source.ca}`;
    case 'CERT_SIGNATURE_FAILURE':
      return `the server's certificate was not signed by the CA certificate in ${source.ca}: is it the CA of this server?`;
    case 'INVALID_PURPOSE':
      return "the server's certificate is not for a server (its extendedKeyUsage has no serverAuth), or its issuer is not a CA (its basicConstraints have no CA:TRUE): reissue it";
    case 'INVALID_CA':
      return `the server's certificate is signed by a certificate that is not a CA (its basicConstraints have no CA:TRUE): put the CA certificate of this server in ${source.ca}`;
    case 'CERT_HAS_EXPIRED':
      return "the server's certificate or its CA certificate has expired: renew it, or correct the clock of this machine";
    case 'CERT_NOT_YET_VALID':
      return "the server's certificate is not valid yet: check the clock of this machine and of the server";
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return failure.hasLegacyName ? legacyName(source) : wrongName(failure.certificateNames ?? [], source);
    default:
  }
  const words = `${code} ${message}`;
  if (NOT_TLS.test(words)) {
    return `the server does not speak TLS on this port (${code}): should ${source.endpoint} begin with http:// instead of https://?`;
  }
  if (OLD_VERSION.test(words)) {
    return `the server and kube-register have no TLS version in common (${code}): update the server${orLegacyTls(source)}`;
  }
  const fault = UNNAMED_FAULTS.find(([form]) => form.test(words))?.[1];
  if (fault !== undefined) return `the server's certificate cannot be verified: ${fault}; reissue it`;
  if (WEAK_SIGNATURE.test(words)) {
    return `the server's certificate or its CA certificate is signed with SHA-1 or MD5, which can be forged: reissue it with SHA-256${orLegacyTls(source)}`;
  }
  if (WEAK_KEY.test(words)) {
    return `the server's key or its CA key is too small: use a key of 2048 bits or more${orLegacyTls(source)}`;
  }
  if (CLIENT_CERTIFICATE_ENDED.test(words)) {
    return `the server refused the client certificate (${code}): it has expired or was revoked; renew ${source.clientCertificate} and restart kube-register`;
  }
  if (WANTS_CERTIFICATE.test(words)) {
    // Servers that have no cipher in common say the same as those that miss a certificate.
    const old = /handshake[ _]failure/i.test(words) ? orLegacyTls(source) : '';
    return `the server refused the TLS handshake (${code}): it requires a client certificate that it trusts: set ${source.clientCertificate}${old}`;
  }
  // Node's words for a connection that ends in the middle of the handshake.
  if (code === 'ECONNRESET' && message.includes('before secure TLS connection')) {
    return `the server closed the connection in the middle of the TLS handshake: does it speak TLS on this port, and does it trust the client certificate of ${source.clientCertificate} where one is set?`;
  }
  if (code === 'EPROTO' || /^ERR_(SSL|TLS|OSSL)_/.test(code)) {
    return `the TLS handshake failed (${code}): check ${source.endpoint}, ${source.ca} and ${source.clientCertificate}`;
  }
  return undefined;
}

function orLegacyTls({ legacyTls }: ConfigSource): string {
  return legacyTls === undefined ? '' : `, or set ${legacyTls}, which allows TLS 1.0, SHA-1 and small keys`;
}

function legacyName({ legacyTls }: ConfigSource): string {
  const orLegacy = legacyTls === undefined ? '' : `, or set ${legacyTls}, which allows it`;
  return `the server's certificate has its name only in the CN, or in a wildcard for part of a label, which is not safe: reissue it with a subjectAltName${orLegacy}`;
}

const NAMES_SHOWN = 5;

function wrongName(names: readonly string[], { endpoint, serverName }: ConfigSource): string {
  if (names.length === 0) {
    return "the server's certificate has no usable subjectAltName (an IP address must be of type IP, not DNS): reissue it with one";
  }
  const more = names.length > NAMES_SHOWN ? `, and ${names.length - NAMES_SHOWN} more` : '';
  const shown = names.slice(0, NAMES_SHOWN).map((name) => onOneLine(name, 64));
  const elsewhere = serverName === undefined ? '' : `, or in ${serverName}`;
  return `the server's certificate is for other names (${shown.join(', ')}${more}): use one of them in ${endpoint}${elsewhere}`;
}

function protocolProblem(target: Target, code: string, { endpoint }: ConfigSource): string | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return `the response headers are too large: does ${endpoint} point to ${SERVER_NAMES[target]}?`;
  }
  if (code.startsWith('HPE_')) {
    return `the response is not HTTP (${code}): does ${endpoint} point to ${SERVER_NAMES[target]}, and must it begin with https://?`;
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
