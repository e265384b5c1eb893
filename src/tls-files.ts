/** The PEM files of TLS: read once at start, and checked there, so that a mistake does not show as a failed handshake. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { type Clock, systemClock } from './clock.ts';
import { CredentialError } from './credential-error.ts';
import { describeFile, readCredentialFile } from './credential-file.ts';

/** What `node:tls` takes under the same names, each as PEM. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Paths of PEM files. `certFile` and `keyFile` go together. */
interface TlsPaths {
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
export async function readTlsFiles(files: TlsPaths, settingPrefix: string): Promise<TlsMaterial> {
  const { caFile, certFile, keyFile } = files;
  const setting = (kind: string) => `${settingPrefix}_${kind}_FILE`;
  if (certFile !== undefined && keyFile === undefined) throw missing(setting('CERT'), setting('KEY'));
  if (keyFile !== undefined && certFile === undefined) throw missing(setting('KEY'), setting('CERT'));
  return checkedTls({
    ca: caFile === undefined ? undefined : await readPem(caFile, setting('CA')),
    cert: certFile === undefined ? undefined : await readPem(certFile, setting('CERT')),
    key: keyFile === undefined ? undefined : await readPem(keyFile, setting('KEY')),
  });
}

/** Reads one file of PEM. Throws CredentialError when it cannot be read; what is in it is checked later. */
export async function readPem(path: string, setting: string): Promise<Pem> {
  const from = describeFile(setting, path);
  return { text: await readCredentialFile(path, from), from };
}

/**
 * Checks that the certificates and the key can be read, that the key is that of the certificate, and that our certificate is
 * not one of the past: an API server says no more of such a one than 401. Throws CredentialError.
 */
export function checkedTls(
  pems: { ca: Pem | undefined; cert: Pem | undefined; key: Pem | undefined },
  clock: Pick<Clock, 'wall'> = systemClock,
): TlsMaterial {
  const { ca, cert, key } = pems;
  if (ca !== undefined) parseCertificates(ca);
  if (cert !== undefined && key !== undefined) checkPair(cert, key, clock);
  return {
    ...(ca && { ca: ca.text }),
    ...(cert && { cert: cert.text }),
    ...(key && { key: key.text }),
  };
}

function checkPair(cert: Pem, key: Pem, clock: Pick<Clock, 'wall'>): void {
  const [own] = parseCertificates(cert);
  if (own !== undefined && Date.parse(own.validTo) < clock.wall()) {
    throw new CredentialError(
      `${cert.from}: the certificate has expired (${own.validTo}): renew it, or set the clock of this machine`,
    );
  }
  if (!own?.checkPrivateKey(parseKey(key))) {
    throw new CredentialError(`${key.from}: the key does not belong to the certificate of ${cert.from}`);
  }
  try {
    createSecureContext({ cert: cert.text, key: key.text });
  } catch (error) {
    const reason = error instanceof Error && 'reason' in error ? String(error.reason) : 'no reason given';
    throw new CredentialError(`${cert.from}: TLS does not take this certificate with its key (${reason})`);
  }
}

function parseCertificates(pem: Pem): X509Certificate[] {
  if (pem.text.trim() === '') throw new CredentialError(`${pem.from}: it is empty`);
  const blocks = pem.text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  if (blocks === null) throw new CredentialError(`${pem.from}: there is no PEM certificate in it`);
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new CredentialError(`${pem.from}: certificate ${index + 1} of ${blocks.length} in it cannot be read`);
    }
  });
}

function parseKey(pem: Pem): KeyObject {
  if (pem.text.trim() === '') throw new CredentialError(`${pem.from}: it is empty`);
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem.text)) {
    throw new CredentialError(`${pem.from}: there is no PEM private key in it`);
  }
  if (pem.text.includes('ENCRYPTED')) {
    throw new CredentialError(`${pem.from}: the key is encrypted; one without a passphrase is needed`);
  }
  try {
    return createPrivateKey(pem.text);
  } catch {
    throw new CredentialError(`${pem.from}: the private key in it cannot be read`);
  }
}

function missing(given: string, absent: string): CredentialError {
  return new CredentialError(`${given} is set without ${absent}: a certificate and its key go together`);
}
