/** Takes from an error of axios or Node what a person needs, and drops the rest. */
import { isIP } from 'node:net';
import type { NetworkFailure } from './diagnosis.ts';

/** The code and the message of an error. The error itself is dropped: an AxiosError holds the request's headers, token included. */
export function networkFailureOf(error: unknown): NetworkFailure {
  if (!(error instanceof Error)) return { code: '', message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const certificateNames = certificateNamesIn(error) ?? certificateNamesIn(error.cause);
  const hasLegacyName = [error, error.cause].some((each) => Object(each).isLegacyName === true);
  return {
    code,
    message: error.message,
    ...(certificateNames !== undefined && { certificateNames }),
    ...(hasLegacyName && { hasLegacyName }),
  };
}

/**
 * The names in the certificate that an error of `tls.checkServerIdentity` carries: `DNS:a.example, IP Address:10.0.0.1`. Undefined when
 * the error carries none. An address as a DNS name does not count: RFC 6125, section 6.4.
 */
function certificateNamesIn(error: unknown): readonly string[] | undefined {
  const certificate: unknown = Object(error).cert;
  if (typeof certificate !== 'object' || certificate === null) return undefined;
  const names: unknown = Reflect.get(certificate, 'subjectaltname');
  return typeof names === 'string'
    ? [...names.matchAll(/(?<kind>DNS|IP Address):(?<name>[^,]+)/g)]
        .map(({ groups }) => ({ kind: groups?.['kind'], name: groups?.['name'] ?? '' }))
        .filter(({ kind, name }) => kind !== 'DNS' || isIP(name) === 0)
        .map(({ name }) => name)
    : [];
}
