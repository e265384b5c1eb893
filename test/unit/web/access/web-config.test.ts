/** The web configuration file: what is read of it, and the sentence for each mistake, which repeats no secret. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Settings } from '../../../../src/settings/settings.ts';
import {
  describeWebConfig,
  loadWebConfig,
  restartReason,
  type WebConfig,
} from '../../../../src/web/access/web-config.ts';

const certificate = (file: string) => readFileSync(new URL(`../../../certificates/${file}`, import.meta.url), 'utf8');
/** Of the password `right`. */
const HASH = '$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi';
const CERT = 'cert_file: server.pem\n  key_file: server.key';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kube-register-'));
  for (const file of ['server.pem', 'server.key', 'ca.pem', 'expired.pem', 'expired.key', 'client.key']) {
    await writeFile(join(folder, file), certificate(file));
  }
});
afterAll(() => rm(folder, { recursive: true }));

async function load(content: string, statusAccess: Settings['statusAccess'] = 'local'): Promise<WebConfig> {
  const webConfigFile = join(folder, 'web.yml');
  await writeFile(webConfigFile, content);
  return loadWebConfig({ webConfigFile, statusAccess });
}

/** What is wrong with the file, without the setting and the path. */
async function problem(content: string, statusAccess?: Settings['statusAccess']): Promise<string> {
  const error = await load(content, statusAccess).catch((caught: unknown) => caught);
  if (!(error instanceof Error)) throw new Error('it was taken');
  expect(error.name).toBe('CredentialError');
  const begin = `KUBE_REGISTER_WEB_CONFIG_FILE: ${join(folder, 'web.yml')}: `;
  expect(error.message.slice(0, begin.length)).toBe(begin);
  return error.message.slice(begin.length).replaceAll(folder, 'FOLDER');
}

describe('a web configuration', () => {
  it.each(['', '# nothing\n', '---\n', 'basic_auth_users:\n', '{}', 'tls_server_config: null'])(
    'without content is one without TLS and logins: %j',
    async (content) => {
      expect(await load(content)).toMatchObject({ tls: undefined, headers: {}, warnings: [] });
      expect(describeWebConfig(await load(content))).toBe('http');
    },
  );

  it('is read whole, with paths relative to its folder', async () => {
    const config = await load(`
tls_server_config:
  ${CERT}
  client_ca_file: ${folder}/ca.pem
  client_auth_type: RequireAndVerifyClientCert
  min_version: TLS13
basic_auth_users:
  alice: ${HASH}
  "bob@example.com": '${HASH.replace('$2y', '$2b')}'
http_server_config:
  http2: false
  headers:
    Strict-Transport-Security: max-age=1
    X-Frame-Options: deny
    X-XSS-Protection:
`);
    expect(config.tls).toMatchObject({
      cert: certificate('server.pem'),
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      clientCertificates: 'required',
    });
    expect([...config.users.keys()]).toEqual(['alice', 'bob@example.com']);
    expect(config.headers).toEqual({ 'Strict-Transport-Security': 'max-age=1', 'X-Frame-Options': 'deny' });
    expect(describeWebConfig(config)).toBe('https, passwords of 2 users, client certificates required');
  });

  it('may have its PEM inside', async () => {
    const indented = (file: string) => certificate(file).trim().replaceAll('\n', '\n    ');
    const { tls } = await load(
      `tls_server_config:\n  cert: |\n    ${indented('server.pem')}\n  key: |\n    ${indented('server.key')}\n`,
    );
    expect(tls?.cert.trim()).toBe(certificate('server.pem').trim());
  });

  it('has another digest when a certificate is another one', async () => {
    const content = `tls_server_config:\n  ${CERT}`;
    const before = await load(content);
    expect((await load(content)).digest).toBe(before.digest);
    await writeFile(join(folder, 'server.pem'), `${certificate('server.pem')}\n`);
    expect((await load(content)).digest).not.toBe(before.digest);
    await writeFile(join(folder, 'server.pem'), certificate('server.pem'));
  });

  it('warns of passwords over plain http and of an expired certificate, and works with both', async () => {
    expect((await load(`basic_auth_users: {alice: ${HASH}}`)).warnings).toEqual([
      expect.stringMatching(/basic_auth_users without tls_server_config: passwords cross the network readable/),
    ]);
    expect((await load('tls_server_config: {cert_file: expired.pem, key_file: expired.key}')).warnings).toEqual([
      expect.stringMatching(/the certificate has expired \(2016-01-01T00:00:00\.000Z\)/),
    ]);
  });
});

describe('a mistake in it is one sentence', () => {
  it.each([
    ['a: [', 'it is not valid YAML (line 1: BAD_INDENT)'],
    ['- a', 'must be a map of keys and values'],
    ['tls_server_config: yes', 'tls_server_config: must be a map of keys and values'],
    ['tls_config: {}', 'tls_config: unknown key'],
    ['basic_auth_user: {}', 'basic_auth_user: unknown key; did you mean basic_auth_users?'],
    [
      'rate_limit: {burst: 1}',
      'rate_limit: kube-register does not support this key of the exporter-toolkit; remove it',
    ],
    [
      `tls_server_config:\n  ${CERT}\n  certfile: a`,
      'tls_server_config.certfile: unknown key; did you mean cert_file?',
    ],
    ...['cipher_suites', 'curve_preferences', 'client_allowed_sans'].map((key) => [
      `tls_server_config:\n  ${CERT}\n  ${key}: [a]`,
      `tls_server_config.${key}: kube-register does not support this key of the exporter-toolkit; remove it`,
    ]),
    ['tls_server_config: {}', 'tls_server_config: needs cert_file'],
    ['tls_server_config: {cert_file: a}', 'tls_server_config: needs key_file'],
    [`tls_server_config:\n  ${CERT}\n  cert: x`, 'tls_server_config: set cert or cert_file, not both'],
    [`tls_server_config:\n  ${CERT}\n  min_version: TLS10`, 'tls_server_config.min_version: must be TLS12 or TLS13'],
    [
      `tls_server_config:\n  ${CERT}\n  min_version: TLS13\n  max_version: TLS12`,
      'tls_server_config: min_version is above max_version',
    ],
    [
      `tls_server_config:\n  ${CERT}\n  client_auth_type: RequireAnyClientCert`,
      'tls_server_config.client_auth_type: must be NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert; the other types verify no certificate',
    ],
    [
      `tls_server_config:\n  ${CERT}\n  client_auth_type: RequireAndVerifyClientCert`,
      'tls_server_config: client_auth_type needs client_ca_file',
    ],
    [
      `tls_server_config:\n  ${CERT}\n  client_ca_file: ca.pem`,
      'tls_server_config: client_ca_file needs client_auth_type, such as RequireAndVerifyClientCert',
    ],
    [
      'tls_server_config: {cert_file: no.pem, key_file: server.key}',
      'tls_server_config.cert_file: FOLDER/no.pem: the file does not exist',
    ],
    [
      'tls_server_config: {cert_file: server.key, key_file: server.key}',
      'tls_server_config.cert_file: FOLDER/server.key: it has no PEM certificate',
    ],
    ['tls_server_config: {cert_file: 7, key_file: a}', 'tls_server_config.cert_file: must be a text; put it in quotes'],
    ['basic_auth_users: [alice]', 'basic_auth_users: must be a map from user names to bcrypt hashes'],
    [
      'basic_auth_users: {"a:b": x}',
      'basic_auth_users."a:b": a user name must not be empty, and has no colon and no control characters',
    ],
    [
      `basic_auth_users: {alice: ${HASH.replace('$10$', '$15$')}}`,
      'basic_auth_users.alice: the cost of the hash must be from 4 to 14; 10 is usual',
    ],
    [`basic_auth_users:\n  alice: ${HASH}\n  alice: ${HASH}`, 'it is not valid YAML (line 3: DUPLICATE_KEY)'],
    ['http_server_config: {http2: true}', 'http_server_config.http2: must be false: kube-register has no HTTP/2'],
    [
      'http_server_config: {headers: {X-Other: a}}',
      'http_server_config.headers.X-Other: this header cannot be configured',
    ],
    [
      'http_server_config: {headers: {X-Frame-Options: allow}}',
      'http_server_config.headers.X-Frame-Options: must be deny or sameorigin',
    ],
    [
      'http_server_config: {headers: {Strict-Transport-Security: "a\\r\\nB: c"}}',
      'http_server_config.headers.Strict-Transport-Security: must be printable ASCII, on one line',
    ],
  ])('%j', async (content, sentence) => {
    expect(await problem(content)).toBe(sentence);
  });

  it('that names both files where a key belongs to another certificate', async () => {
    expect(await problem('tls_server_config: {cert_file: server.pem, key_file: client.key}')).toMatch(
      /^tls_server_config\.key_file: FOLDER\/client\.key: the key does not belong to the certificate of .*server\.pem$/,
    );
  });

  it.each([
    'basic_auth_users: {alice: my-Password-123}',
    'basic_auth_users: {my-Password-123: {a: b}}',
    'basic_auth_users: my-Password-123',
    'basic_auth_users:\n alice: my-Password-123\n bob: [',
    'basic_auth_users: {alice: "my-Password-123"}\nx: y: z',
    `tls_server_config: {min_version: my-Password-123}`,
  ])('without a value of the file: %j', async (content) => {
    expect((await problem(content)).replace(/^basic_auth_users\.my-Password-123: /, '')).not.toContain('Password-123');
  });

  it('where there is no login, but STATUS_ACCESS asks for one', async () => {
    expect(await problem(`tls_server_config:\n  ${CERT}`, 'login')).toBe(
      'it has no basic_auth_users and no client_auth_type, so with KUBE_REGISTER_STATUS_ACCESS=login nobody could see the status',
    );
    expect((await load(`basic_auth_users: {alice: ${HASH}}`, 'login')).users.size).toBe(1);
  });
});

describe('a new version', () => {
  it('needs a restart when TLS or client certificates come or go', async () => {
    const plain = await load('');
    const tls = await load(`tls_server_config:\n  ${CERT}`);
    const verifying = (type: string) =>
      load(`tls_server_config:\n  ${CERT}\n  client_ca_file: ca.pem\n  client_auth_type: ${type}`);
    const required = await verifying('RequireAndVerifyClientCert');
    expect(restartReason(plain, tls)).toMatch(/^tls_server_config was added: restart kube-register to turn TLS on$/);
    expect(restartReason(tls, plain)).toMatch(/^tls_server_config was removed: restart kube-register to turn TLS off$/);
    expect(restartReason(tls, required)).toMatch(/^client_auth_type was changed from or to NoClientCert: restart/);
    expect(restartReason(required, await verifying('VerifyClientCertIfGiven'))).toBeUndefined();
    expect(restartReason(tls, tls)).toBeUndefined();
  });
});
