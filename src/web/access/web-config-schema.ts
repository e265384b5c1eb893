/** The keys of the web configuration file: which are supported, with which values, and one sentence for each mistake. */
import * as z from 'zod';
import { shownName } from '../../settings/given.ts';
import { nearMiss } from '../../settings/near-miss.ts';

// https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md

/** What is empty or null is not there, as for Go. */
const text = z
  .string('must be a text; put it in quotes')
  .nullish()
  .transform((value) => value || undefined);

function yesOrNo(fallback: boolean) {
  return z
    .boolean('must be true or false')
    .nullish()
    .transform((value) => value ?? fallback);
}

const VERSIONS = { TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const;

function version(fallback: keyof typeof VERSIONS) {
  return z
    .enum(['TLS12', 'TLS13'], 'must be TLS12 or TLS13')
    .nullish()
    .transform((value) => VERSIONS[value ?? fallback]);
}

const CLIENT_AUTH = {
  NoClientCert: 'not asked for',
  VerifyClientCertIfGiven: 'verified if given',
  RequireAndVerifyClientCert: 'required',
} as const;

const clientAuth = z
  .enum(
    ['NoClientCert', 'VerifyClientCertIfGiven', 'RequireAndVerifyClientCert'],
    'must be NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert; the other types verify no certificate',
  )
  .nullish()
  .transform((value) => CLIENT_AUTH[value ?? 'NoClientCert']);

const tls = z
  .strictObject({
    cert: text,
    key: text,
    client_ca: text,
    cert_file: text,
    key_file: text,
    client_ca_file: text,
    client_auth_type: clientAuth,
    min_version: version('TLS12'),
    max_version: version('TLS13'),
    prefer_server_cipher_suites: yesOrNo(true),
  })
  .superRefine((section, context) => {
    for (const name of ['cert', 'key', 'client_ca'] as const) {
      const [inline, file] = [section[name], section[`${name}_file`]];
      if (inline !== undefined && file !== undefined) context.addIssue(`set ${name} or ${name}_file, not both`);
      if (inline === undefined && file === undefined && name !== 'client_ca') context.addIssue(`needs ${name}_file`);
    }
    const hasAuthority = (section.client_ca ?? section.client_ca_file) !== undefined;
    const verifies = section.client_auth_type !== 'not asked for';
    if (verifies && !hasAuthority) context.addIssue('client_auth_type needs client_ca_file');
    if (hasAuthority && !verifies)
      context.addIssue('client_ca_file needs client_auth_type, such as RequireAndVerifyClientCert');
    if (section.min_version > section.max_version) context.addIssue('min_version is above max_version');
  });

/** With a higher cost, one wrong password would take longer than 2 s of CPU. */
const HIGHEST_COST = 14;
const NOT_A_HASH = 'the password must be a bcrypt hash, which begins with $2y$ (make one with: htpasswd -nBC 10 USER)';

const hash = z
  .string(NOT_A_HASH)
  .regex(/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/, NOT_A_HASH)
  .refine(
    (value) => costOf(value) >= 4 && costOf(value) <= HIGHEST_COST,
    `the cost of the hash must be from 4 to ${HIGHEST_COST}; 10 is usual`,
  );

/** The cost of a bcrypt hash: each step doubles the time that a password takes. */
export function costOf(hash: string): number {
  return Number(hash.slice(4, 6));
}

const users = z
  .record(
    z.string().regex(/^[^:\p{Cc}]+$/u, 'a user name must not be empty, and has no colon and no control characters'),
    hash,
    'must be a map from user names to bcrypt hashes',
  )
  .nullish()
  .transform((value): ReadonlyMap<string, string> => new Map(Object.entries(value ?? {})));

const headerValue = z
  .string('must be a text; put it in quotes')
  .regex(/^[\t\x20-\x7e]*$/, 'must be printable ASCII, on one line')
  .nullish();

const headers = z
  .strictObject({
    'Content-Security-Policy': headerValue,
    'X-Frame-Options': z.enum(['', 'deny', 'sameorigin'], 'must be deny or sameorigin').nullish(),
    'X-Content-Type-Options': z.enum(['', 'nosniff'], 'must be nosniff').nullish(),
    'X-XSS-Protection': headerValue,
    'Strict-Transport-Security': headerValue,
  })
  .nullish()
  .transform(
    (value): Readonly<Record<string, string>> =>
      Object.fromEntries(Object.entries(value ?? {}).flatMap(([name, each]) => (each ? [[name, each]] : []))),
  );

const http = z
  .strictObject({
    http2: z.literal(false, 'must be false: kube-register has no HTTP/2').nullish(),
    headers,
  })
  .nullish()
  .transform((value) => ({ headers: value?.headers ?? {} }));

/** The whole file, read. */
export const webConfigFile = z.strictObject({
  tls_server_config: tls.nullish().transform((value) => value ?? undefined),
  basic_auth_users: users,
  http_server_config: http,
});

/** The section `tls_server_config`, read. */
export type TlsSection = z.output<typeof tls>;

/** Keys of the exporter-toolkit that kube-register does not have. */
const NOT_SUPPORTED = new Set(['client_allowed_sans', 'cipher_suites', 'curve_preferences', 'rate_limit']);

const KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(webConfigFile.shape),
  tls_server_config: Object.keys(tls.shape),
  http_server_config: ['http2', 'headers'],
};

/** The first mistake as one sentence without a full stop. It repeats no value: one may be a password. */
export function problemOf({ issues }: z.ZodError): string {
  const [issue] = issues;
  if (issue === undefined) return 'not as expected';
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    return `${describePath([...path, key])}: ${keyProblem(path.join('.'), key)}`;
  }
  // zod has the sentence about a key of a map inside the issue.
  const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  const problem = message.replace(/^Invalid input: expected (?:object|record).*/, 'must be a map of keys and values');
  return path.length === 0 ? problem : `${describePath(path)}: ${problem}`;
}

function keyProblem(section: string, key: string): string {
  if (NOT_SUPPORTED.has(key)) return 'kube-register does not support this key of the exporter-toolkit; remove it';
  if (section.endsWith('headers')) return 'this header cannot be configured';
  const near = nearMiss(key, KEYS[section] ?? []);
  return near === undefined ? 'unknown key' : `unknown key; did you mean ${near}?`;
}

function describePath(path: readonly string[]): string {
  return path.map(shownName).join('.');
}
