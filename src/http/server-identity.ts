/** Whether a server's certificate is for the name or address that was asked for, by the rules of Go and so of kubectl. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';

/** The error of a certificate that is for others. It has the code and the certificate that Node's own has. */
class IdentityError extends Error {
  readonly code = 'ERR_TLS_CERT_ALTNAME_INVALID';
  readonly cert: PeerCertificate;
  /** Whether the certificate has the name, in a place or a form that is taken with legacy TLS alone. */
  readonly isLegacyName: boolean;

  constructor(name: string, cert: PeerCertificate, isLegacyName: boolean) {
    super(`the certificate is not for ${name}`);
    this.cert = cert;
    this.isLegacyName = isLegacyName;
  }
}

/**
 * Undefined where the certificate is for the name. A name must be among the DNS names of the certificate, where `*.` stands for one
 * whole label. `isLegacy` takes what Node takes as well: the CN where there are no DNS names, and wildcards for a part of a label.
 */
export function identityProblem(name: string, certificate: PeerCertificate, isLegacy: boolean): Error | undefined {
  const byNode = checkServerIdentity(name, certificate);
  if (isIP(name) !== 0) return byNode;
  if ((isLegacy && byNode === undefined) || isAmongDnsNames(name, certificate)) return undefined;
  return new IdentityError(name, certificate, byNode === undefined);
}

function isAmongDnsNames(name: string, { raw }: PeerCertificate): boolean {
  const certificate = new X509Certificate(raw);
  const host = name.replace(/\.$/, '');
  const asWildcard = host.replace(/^[^.]+\./, '*.');
  // OpenSSL's own wildcards are off: they need three labels, and may stand for a part of one.
  return [host, asWildcard].some(
    (wanted) => certificate.checkHost(wanted, { subject: 'never', wildcards: false }) !== undefined,
  );
}
