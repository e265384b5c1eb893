/** The PEM files of TLS: read once at start, and checked there, so that a mistake does not show as a failed handshake. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext, DEFAULT_CIPHERS, type SecureContext } from 'node:tls';
import { type Clock, systemClock } from '../time/clock.ts';
import { CredentialError } from './credential-error.ts';
import { describeFile, readCredentialFile } from './credential-file.ts';

/** What `node:tls` takes under the same names, each as PEM. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** TLS 1.0 and 1.1, SHA-1, keys of any size, and names in the CN are allowed. */
  readonly legacy?: boolean;
}

/**
 * Any certificate of `ca` ends a chain, as it does for Go (and so for kubectl): an intermediate, or the server's own. Security level 1 is
 * that of OpenSSL 3.0 (RSA from 1024 bits, no SHA-1), which later versions raise. Throws an Error with OpenSSL's `reason`.
 */
export function secureContextOf({ legacy = false, ...pems }: TlsMaterial): SecureContext {
  const strength = legacy
    ? { minVersion: 'TLSv1' as const, ciphers: 'DEFAULT@SECLEVEL=0' }
    : { ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=1` };
  return createSecureContext({ ...pems, ...strength, allowPartialTrustChain: true });
}

/** Whether legacy TLS is allowed to a server, and the setting that says so: `KUBE_REGISTER_API_LEGACY_TLS=true`. */
export interface LegacyTls {
  readonly allowed: boolean;
  readonly setting: string;
}

/** Paths of PEM files. `certFile` and `keyFile` go together. */
interface TlsPaths {
  /** A token that is sent beside the certificate. */
  readonly tokenFile?: string | undefined;
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

/** A PEM text and where it is from, as an error begins: `KUBE_REGISTER_API_CA_FILE: /etc/ca.pem`. */
export interface Pem {
  readonly text: string;
  readonly from: string;
}

/**
 * Reads and checks the files. `settingPrefix` begins the names of their settings: `KUBE_REGISTER_API` for
 * `KUBE_REGISTER_API_CA_FILE` and its like. Throws CredentialError.
 */
export async function readTlsFiles(
  { caFile, certFile, keyFile, tokenFile }: TlsPaths,
  settingPrefix: string,
  legacy?: LegacyTls,
): Promise<TlsMaterial> {
  const setting = (kind: string) => `${settingPrefix}_${kind}_FILE`;
  if (certFile !== undefined && keyFile === undefined) throw missing(setting('CERT'), setting('KEY'));
  if (keyFile !== undefined && certFile === undefined) throw missing(setting('KEY'), setting('CERT'));
  const pems = {
    ca: caFile === undefined ? undefined : await readPem(caFile, setting('CA')),
    cert: certFile === undefined ? undefined : await readPem(certFile, setting('CERT')),
    key: keyFile === undefined ? undefined : await readPem(keyFile, setting('KEY')),
    besideToken: tokenFile !== undefined,
  };
  return checkedTls(pems, legacy);
}

/** Reads one file of PEM. Throws CredentialError when it cannot be read; what is in it is checked later. */
export async function readPem(path: string, setting: string): Promise<Pem> {
  const from = describeFile(setting, path);
  return { text: await readCredentialFile(path, from), from };
}

/** What `checkedTls` checks. */
interface TlsPems {
  readonly ca: Pem | undefined;
  readonly cert: Pem | undefined;
  readonly key: Pem | undefined;
  /** A token is sent too: an API server takes that when the certificate has expired. */
  readonly besideToken?: boolean;
}

/**
 * Checks that the certificates and the key can be read, that the key belongs to the certificate, and that the certificate has not
 * expired: an API server answers an expired one with 401 alone. Throws CredentialError.
 */
export function checkedTls(pems: TlsPems, legacy?: LegacyTls, clock: Pick<Clock, 'wall'> = systemClock): TlsMaterial {
  const { ca, cert, key } = pems;
  if (cert !== undefined && key !== undefined) checkPair({ ...pems, cert, key }, legacy, clock);
  return {
    ...(legacy?.allowed && { legacy: true }),
    ...(ca && { ca: readableAuthorities(ca) }),
    ...(cert && { cert: cert.text }),
    ...(key && { key: key.text }),
  };
}

/** The certificates that can be read. OpenSSL stops at the first that cannot, without a word; Go goes on to the next. */
function readableAuthorities(ca: Pem): string {
  const blocks = certificateBlocks(ca);
  const readable = blocks.filter((block) => parseCertificate(block) !== undefined);
  if (readable.length === 0) throw unreadableCertificate(ca, 0, blocks.length);
  return readable.map((block) => `${block}\n`).join('');
}

function checkPair(
  { cert, key, besideToken = false }: TlsPems & { readonly cert: Pem; readonly key: Pem },
  legacy: LegacyTls | undefined,
  clock: Pick<Clock, 'wall'>,
): void {
  const [own] = parseCertificates(cert);
  if (!besideToken && own !== undefined && Date.parse(own.validTo) < clock.wall()) {
    throw new CredentialError(
      `${cert.from}: the certificate has expired (${own.validTo}): renew it, or correct the clock of this machine`,
    );
  }
  if (!own?.checkPrivateKey(parseKey(key))) {
    throw new CredentialError(`${key.from}: the key does not belong to the certificate of ${cert.from}`);
  }
  try {
    secureContextOf({ cert: cert.text, key: key.text, legacy: legacy?.allowed ?? false });
  } catch (error) {
    const reason = error instanceof Error && 'reason' in error ? String(error.reason) : 'no reason given';
    throw new CredentialError(`${cert.from}: ${pairProblem(reason, legacy)}`);
  }
}

/** `reason` is OpenSSL's. */
function pairProblem(reason: string, legacy: LegacyTls | undefined): string {
  const orLegacy = legacy === undefined ? '' : `, or set ${legacy.setting}, which allows TLS 1.0, SHA-1 and small keys`;
  switch (reason) {
    case 'ca md too weak':
      return `the certificate is signed with SHA-1 or MD5, which TLS refuses: reissue it with SHA-256${orLegacy}`;
    case 'ee key too small':
    case 'ca key too small':
      return `its key is too small for TLS: reissue it with a key of 2048 bits or more${orLegacy}`;
    default:
      return `OpenSSL refuses this certificate with its key (${reason})`;
  }
}

function parseCertificates(pem: Pem): X509Certificate[] {
  return certificateBlocks(pem).map((block, index, { length }) => {
    const certificate = parseCertificate(block);
    if (certificate === undefined) throw unreadableCertificate(pem, index, length);
    return certificate;
  });
}

function certificateBlocks(pem: Pem): readonly string[] {
  if (pem.text.trim() === '') throw new CredentialError(`${pem.from}: it is empty`);
  const blocks = certificatesIn(pem.text);
  if (blocks.length === 0) throw new CredentialError(`${pem.from}: it has no PEM certificate`);
  return blocks;
}

/** The certificates in a text, each in PEM; not parsed. */
export function certificatesIn(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
}

function parseCertificate(block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(block);
  } catch {
    return undefined;
  }
}

function unreadableCertificate({ from }: Pem, index: number, count: number): CredentialError {
  return new CredentialError(`${from}: certificate ${index + 1} of ${count} cannot be parsed`);
}

/** A private key in PEM, with the headers that the forms before PKCS#8 have. RFC 1421 has that of an encrypted one. */
const KEY_BLOCK = /-----BEGIN (?<kind>[A-Z0-9 ]*)PRIVATE KEY-----\s*(?<header>(?:[\w-]+:[^\n]*\n)*)/;

function parseKey(pem: Pem): KeyObject {
  if (pem.text.trim() === '') throw new CredentialError(`${pem.from}: it is empty`);
  const { kind, header } = KEY_BLOCK.exec(pem.text)?.groups ?? {};
  if (kind === undefined) throw new CredentialError(`${pem.from}: it has no PEM private key`);
  if (kind.startsWith('ENCRYPTED') || header?.includes('ENCRYPTED')) {
    throw new CredentialError(`${pem.from}: the key is encrypted; use a key without a passphrase`);
  }
  try {
    return createPrivateKey(pem.text);
  } catch {
    throw new CredentialError(`${pem.from}: the private key cannot be parsed`);
  }
}

function missing(given: string, absent: string): CredentialError {
  return new CredentialError(`${given} is set without ${absent}: a certificate requires its key`);
}
