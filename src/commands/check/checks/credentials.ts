/** The check of the credentials for the API server: what is sent, when it expires, and whether the server accepts it. */
import { X509Certificate } from 'node:crypto';
import * as z from 'zod';
import { mayBeSecret } from '../../../credentials/secret.ts';
import { certificatesIn } from '../../../credentials/tls-files.ts';
import type { ApiAccess } from '../../../kubernetes/access/credentials.ts';
import { quote } from '../../../text/quote.ts';
import { formatDuration } from '../../../time/duration.ts';
import { type Finding, named, ok, warning, wrong } from '../finding.ts';
import { mendOfCa, mendOfClientCertificate, mendOfNoCredentials, mendOfToken } from '../mends.ts';

/** What a token says of itself, unverified. Times in ms since 1970. */
interface TokenFacts {
  readonly subject: string | undefined;
  readonly issuedAt: number | undefined;
  readonly expiresAt: number | undefined;
}

/** The range of Date in s. An earlier time is cut to it; a later one is ignored. */
const MOST_SECONDS = 8.64e12;
const seconds = z
  .number()
  .max(MOST_SECONDS)
  .transform((value) => Math.max(value, -MOST_SECONDS) * 1_000);
/** RFC 7519, section 4.1. */
const claims = z.object({
  sub: z.string().optional().catch(undefined),
  iat: seconds.optional().catch(undefined),
  exp: seconds.optional().catch(undefined),
});

/** The claims of a JWT; undefined for a token of another kind. */
function readToken(token: string): TokenFacts | undefined {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return undefined;
  try {
    const { sub, iat, exp } = claims.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
    return { subject: sub, issuedAt: iat, expiresAt: exp };
  } catch {
    return undefined;
  }
}

/** A certificate or a token, and when it is valid. Times in ms since 1970. */
interface Term {
  readonly what: string;
  readonly mend: string;
  readonly from: number | undefined;
  readonly until: number;
  /** Whether requests fail once it has expired. */
  readonly isNeeded: boolean;
}

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;

/** Tokens are renewed before their last tenth (kubelets renew at four fifths). A term of unknown start is near its end for 10 minutes. */
function isNearEnd({ from, until }: Term, nowMs: number): boolean {
  return until - nowMs < (from === undefined ? HOUR / 6 : Math.min((until - from) / 10, 7 * DAY));
}

/** How the server received the credentials. `anonymous`: it forbids requests without any. Undefined: not known. */
export type Reception = 'accepted' | 'unknown' | 'anonymous' | undefined;

export async function checkCredentials(
  access: ApiAccess,
  reception: Reception,
  nowMs: number,
): Promise<readonly Finding[]> {
  const { sent, terms, mend } = await whatIsSent(access, nowMs);
  const ended = terms.filter(({ until }) => until <= nowMs);
  const ending = terms.filter((term) => term.until > nowMs && isNearEnd(term, nowMs));
  const findings = [
    ...ended.map(({ what, mend, until, isNeeded }) =>
      (isNeeded ? wrong : warning)(`${what} has expired (${day(until)})`, mend),
    ),
    ...ending.map((term) =>
      warning(`${term.what} expires in ${formatDuration(term.until - nowMs)} (${day(term.until)})`, term.mend),
    ),
  ];
  if (reception === 'unknown') {
    findings.push(wrong(`${sent}; the API server rejects this (401)`, mend));
  } else if (reception === 'anonymous') {
    findings.push(wrong(`${sent}; the API server forbids anonymous requests (403)`, mend));
  }
  if (findings.length === 0)
    findings.push(ok(reception === 'accepted' ? `${sent}; the API server accepts this` : sent));
  return findings.map((found) => named('credentials', found));
}

async function whatIsSent({ token, tls, source }: ApiAccess, nowMs: number) {
  const bearer = await token?.();
  const authorities = alternatives(
    certificatesOf(tls.ca).map((certificate) =>
      termOf(certificate, `the CA certificate ${nameOf(certificate)}`, mendOfCa(source, '/path/of/a/newer/one.pem')),
    ),
    nowMs,
  );
  const [own] = certificatesOf(tls.cert);
  const name = own && nameOf(own);
  const ownTerm = own && termOf(own, `the client certificate ${name}`, mendOfClientCertificate(source));
  if (bearer !== undefined) {
    const { subject, issuedAt: from, expiresAt: until } = readToken(bearer) ?? {};
    const who = subject === undefined || mayBeSecret(subject) ? '' : ` of ${quote(subject)}`;
    const mend = mendOfToken(source);
    const term = until === undefined ? [] : [{ what: `the token${who}`, mend, from, until, isNeeded: true }];
    const beside = ownTerm === undefined ? [] : [{ ...ownTerm, isNeeded: false }];
    return { sent: `a token${who} is sent`, terms: [...term, ...beside, ...authorities], mend };
  }
  if (ownTerm !== undefined) {
    return {
      sent: `the client certificate ${name} is sent`,
      terms: [ownTerm, ...authorities],
      mend: ownTerm.mend,
    };
  }
  return { sent: 'no credentials are sent', terms: authorities, mend: mendOfNoCredentials(source) };
}

function certificatesOf(pem = ''): readonly X509Certificate[] {
  return certificatesIn(pem).map((block) => new X509Certificate(block));
}

/** The server's certificate needs one of the CA certificates: expired ones do no harm beside a valid one. */
function alternatives(terms: readonly Term[], nowMs: number): readonly Term[] {
  const isNeeded = terms.every(({ until }) => until <= nowMs);
  return terms.map((term) => ({ ...term, isNeeded }));
}

function termOf(certificate: X509Certificate, what: string, mend: string): Term {
  return {
    what,
    mend,
    from: Date.parse(certificate.validFrom),
    until: Date.parse(certificate.validTo),
    isNeeded: true,
  };
}

function nameOf({ subject }: X509Certificate): string {
  return quote(subject.split('\n').join(', '));
}

function day(ms: number): string {
  return new Date(ms).toISOString().replace(/:\d\d\.\d{3}Z$/, 'Z');
}
