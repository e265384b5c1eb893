import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CredentialError } from '../../../src/credentials/credential-error.ts';
import { checkedTls, readPem, readTlsFiles } from '../../../src/credentials/tls-files.ts';
import { tokenFileReader } from '../../../src/credentials/token-file.ts';
import { settingsSource } from '../../../src/http/config-source.ts';
import { type ApiAccessOptions, readApiAccess } from '../../../src/kubernetes/access/credentials.ts';

const certificate = (name: string) => fileURLToPath(new URL(`../../certificates/${name}`, import.meta.url));
const pemOf = (name: string) => readFile(certificate(name), 'utf8');
const NO_FILES = { caFile: undefined, certFile: undefined, keyFile: undefined };

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'credentials-'));
});

afterEach(async () => rm(folder, { recursive: true }));

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function problemOf(attempt: Promise<unknown>): Promise<string> {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof CredentialError)) throw new Error('no CredentialError', { cause: error });
  return error.message;
}

describe('a token file', () => {
  it('is read anew for every request', async () => {
    const path = await file('token', 'first\n');
    const token = await tokenFileReader(path, 'TOKEN_FILE');
    expect(await token()).toBe('first');
    await writeFile(path, ' second ');
    expect(await token()).toBe('second');
  });

  it('that is missing or empty for a moment leaves the last token in use', async () => {
    const path = await file('token', 'first');
    const token = await tokenFileReader(path, 'TOKEN_FILE');
    await rename(path, `${path}.away`);
    expect(await token()).toBe('first');
    await writeFile(path, '');
    expect(await token()).toBe('first');
    await writeFile(path, 'second');
    expect(await token()).toBe('second');
  });

  it('tells after each reading what is wrong with it, and never what is in it', async () => {
    const path = await file('token', 'first');
    const told: (string | undefined)[][] = [];
    const token = await tokenFileReader(path, 'TOKEN_FILE', (...reading) => told.push(reading));
    for (const content of ['second', 'hunter2 hunter2', 'third']) {
      await writeFile(path, content);
      await token();
    }
    const name = `TOKEN_FILE: ${path}`;
    expect(told).toEqual([
      [name, undefined],
      [name, `${name}: a token must be one word of visible ASCII characters`],
      [name, undefined],
    ]);
  });

  it.each([
    ['', 'the token is empty'],
    [' \n', 'the token is empty'],
    ['hunter2 hunter2', 'a token must be one word of visible ASCII characters'],
    ['hunter2\r\nX-Evil: 1', 'a token must be one word of visible ASCII characters'],
    ['hunter2ü', 'a token must be one word of visible ASCII characters'],
  ])('with %j is refused at start', async (content, problem) => {
    const path = await file('token', content);
    expect(await problemOf(tokenFileReader(path, 'TOKEN_FILE'))).toBe(`TOKEN_FILE: ${path}: ${problem}`);
  });

  it('that is not there at start is refused', async () => {
    expect(await problemOf(tokenFileReader(join(folder, 'token'), 'TOKEN_FILE'))).toBe(
      `TOKEN_FILE: ${join(folder, 'token')}: the file does not exist`,
    );
  });
});

describe('TLS files', () => {
  it('are given as PEM, and what is not set is absent', async () => {
    const files = {
      caFile: certificate('ca.pem'),
      certFile: certificate('client.pem'),
      keyFile: certificate('client.key'),
    };
    expect(await readTlsFiles(files, 'X')).toEqual({
      ca: expect.stringContaining('BEGIN CERTIFICATE'),
      cert: expect.stringContaining('BEGIN CERTIFICATE'),
      key: expect.stringContaining('PRIVATE KEY'),
    });
    expect(await readTlsFiles(NO_FILES, 'X')).toEqual({});
    expect(Object.keys(await readTlsFiles({ ...NO_FILES, caFile: certificate('ca.pem') }, 'X'))).toEqual(['ca']);
  });

  it('of a certificate and a key go together', async () => {
    expect(await problemOf(readTlsFiles({ ...NO_FILES, certFile: certificate('client.pem') }, 'X'))).toBe(
      'X_CERT_FILE is set without X_KEY_FILE: a certificate requires its key',
    );
    expect(await problemOf(readTlsFiles({ ...NO_FILES, keyFile: certificate('client.key') }, 'X'))).toBe(
      'X_KEY_FILE is set without X_CERT_FILE: a certificate requires its key',
    );
  });

  it('whose key is that of another certificate are refused', async () => {
    const files = { ...NO_FILES, certFile: certificate('client.pem'), keyFile: certificate('server.key') };
    expect(await problemOf(readTlsFiles(files, 'X'))).toBe(
      `X_KEY_FILE: ${files.keyFile}: the key does not belong to the certificate of X_CERT_FILE: ${files.certFile}`,
    );
  });

  const pem = (kind: string) => `-----BEGIN ${kind}-----\naHVudGVyMg==\n-----END ${kind}-----\n`;

  it.each([
    ['', 'it is empty'],
    ['hunter2', 'it has no PEM certificate'],
    [pem('PRIVATE KEY'), 'it has no PEM certificate'],
    [pem('CERTIFICATE'), 'certificate 1 of 1 cannot be parsed'],
  ])('with a CA of %j are refused', async (content, problem) => {
    const caFile = await file('ca.pem', content);
    expect(await problemOf(readTlsFiles({ ...NO_FILES, caFile }, 'X'))).toBe(`X_CA_FILE: ${caFile}: ${problem}`);
  });

  it.each([
    ['', 'it is empty'],
    ['hunter2', 'it has no PEM private key'],
    [pem('PRIVATE KEY'), 'the private key cannot be parsed'],
    [
      generateKeyPairSync('ec', {
        namedCurve: 'P-256',
        publicKeyEncoding: { type: 'spki', format: 'pem' },
        privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hunter2' },
      }).privateKey,
      'the key is encrypted; use a key without a passphrase',
    ],
  ])('with a key of %j are refused', async (content, problem) => {
    const keyFile = await file('key.pem', content);
    expect(await problemOf(readTlsFiles({ ...NO_FILES, certFile: certificate('client.pem'), keyFile }, 'X'))).toBe(
      `X_KEY_FILE: ${keyFile}: ${problem}`,
    );
  });
});

describe('a file of several CA certificates', () => {
  const CA = readFileSync(certificate('ca.pem'), 'utf8');
  const DAMAGED = '-----BEGIN CERTIFICATE-----\nMIIBfzCCASWgAwIBAgIUAAAA\n-----END CERTIFICATE-----\n';
  const CUT = '-----BEGIN CERTIFICATE-----\nMIIBfzCCASWgAwIBAgIUAAAA\n';

  it.each([
    ['first', `${DAMAGED}${CA}`],
    ['last', `${CA}${DAMAGED}`],
    ['cut and first', `${CUT}${CA}`],
    ['cut and last', `${CA}${CUT}`],
  ])('is read without the damaged one, as Go does (%s)', async (_, content) => {
    expect(await readTlsFiles({ ...NO_FILES, caFile: await file('ca.pem', content) }, 'X')).toEqual({ ca: CA });
  });

  it('is refused when none can be read', async () => {
    const caFile = await file('ca.pem', DAMAGED + DAMAGED);
    expect(await problemOf(readTlsFiles({ ...NO_FILES, caFile }, 'X'))).toBe(
      `X_CA_FILE: ${caFile}: certificate 1 of 2 cannot be parsed`,
    );
  });
});

describe('a client certificate', () => {
  const pair = { certFile: certificate('expired.pem'), keyFile: certificate('expired.key') };
  const from = `KUBE_REGISTER_API_CERT_FILE: ${pair.certFile}`;

  it('that has expired is refused at start: an API server says no more of it than 401', async () => {
    expect(await problemOf(readTlsFiles({ ...NO_FILES, ...pair }, 'KUBE_REGISTER_API'))).toBe(
      `${from}: the certificate has expired (Jan  1 00:00:00 2016 GMT): renew it, or correct the clock of this machine`,
    );
  });

  it('that has expired is taken beside a token, by which an API server knows the client', async () => {
    const files = { ...NO_FILES, ...pair, tokenFile: '/token' };
    expect(await readTlsFiles(files, 'KUBE_REGISTER_API')).toMatchObject({ cert: expect.any(String) });
  });

  it('is taken until then', async () => {
    const [cert, key] = await Promise.all([readPem(pair.certFile, 'CERT_FILE'), readPem(pair.keyFile, 'KEY_FILE')]);
    const lastSecond = Date.UTC(2016, 0, 1) - 1_000;
    expect(checkedTls({ ca: undefined, cert, key }, undefined, { wall: () => lastSecond })).toEqual({
      cert: cert.text,
      key: key.text,
    });
  });
});

describe('a client certificate that is weak', () => {
  const pair = (name: string) => ({ certFile: certificate(`${name}.pem`), keyFile: certificate(`${name}.key`) });
  const legacy = (allowed: boolean) => ({ allowed, setting: 'X_LEGACY_TLS=true' });

  it.each([
    ['sha1-client', 'the certificate is signed with SHA-1 or MD5, which TLS refuses: reissue it with SHA-256'],
    ['small-client', 'its key is too small for TLS: reissue it with a key of 2048 bits or more'],
  ])('(%s) is refused with the setting that allows it', async (name, problem) => {
    const files = { ...NO_FILES, ...pair(name) };
    const refused = `X_CERT_FILE: ${files.certFile}: ${problem}`;
    expect(await problemOf(readTlsFiles(files, 'X', legacy(false)))).toBe(
      `${refused}, or set X_LEGACY_TLS=true, which allows TLS 1.0, SHA-1 and small keys`,
    );
    expect(await problemOf(readTlsFiles(files, 'X'))).toBe(refused);
    expect(await readTlsFiles(files, 'X', legacy(true))).toMatchObject({ legacy: true });
  });
});

describe('a file that an editor on Windows wrote', () => {
  const MARK = '\ufeff';
  const encodings = [
    ['UTF-8 with a byte order mark', (text: string) => Buffer.from(MARK + text)],
    ['UTF-16', (text: string) => Buffer.from(MARK + text, 'utf16le')],
    ['UTF-16, big end first', (text: string) => Buffer.from(MARK + text, 'utf16le').swap16()],
    ['UTF-8 with CRLF', (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'))],
  ] as const;

  it.each(encodings)('in %s is read', async (_, encode) => {
    const names = ['ca.pem', 'client.pem', 'client.key'] as const;
    for (const name of names) await writeFile(join(folder, name), encode(await pemOf(name)));
    await writeFile(join(folder, 'token'), encode('hunter2\n'));
    const [caFile, certFile, keyFile] = names.map((name) => join(folder, name));
    expect(Object.keys(await readTlsFiles({ caFile, certFile, keyFile }, 'X'))).toEqual(['ca', 'cert', 'key']);
    expect(await (await tokenFileReader(join(folder, 'token'), 'TOKEN_FILE'))()).toBe('hunter2');
  });
});

describe('a key with what OpenSSL and others write beside it', () => {
  it('is read', async () => {
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    const key = createPrivateKey(await pemOf('client.key')).export({ type: 'sec1', format: 'pem' });
    const both = await file(
      'both.pem',
      `Bag Attributes\n    friendlyName: ENCRYPTED\n${parameters}${key}${await pemOf('client.pem')}`,
    );
    expect(Object.keys(await readTlsFiles({ ...NO_FILES, certFile: both, keyFile: both }, 'X'))).toEqual([
      'cert',
      'key',
    ]);
  });
});

describe('a secret in the place of a path', () => {
  it('is not repeated', async () => {
    const token = '/eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJrdWJlIn0.c2ln';
    expect(await problemOf(tokenFileReader(token, 'TOKEN_FILE'))).toBe(
      'TOKEN_FILE: (not shown: it may hold a secret): the file does not exist',
    );
  });
});

describe('a named pipe in the place of a file', () => {
  it('is refused instead of waited for', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const problem = `${pipe}: it is not a regular file`;
    expect(await problemOf(tokenFileReader(pipe, 'X_TOKEN_FILE'))).toBe(`X_TOKEN_FILE: ${problem}`);
    expect(await problemOf(readTlsFiles({ ...NO_FILES, caFile: pipe }, 'X'))).toBe(`X_CA_FILE: ${problem}`);
  });
});

describe('access to the API server', () => {
  const nothing = (): ApiAccessOptions => ({
    ...NO_FILES,
    endpoint: undefined,
    kubeconfig: undefined,
    inCluster: undefined,
    serviceAccountFolder: folder,
    tokenFile: undefined,
    insecureSkipTlsVerify: false,
  });
  const kubeconfig = (cluster: object, user: object) =>
    file(
      'kubeconfig',
      JSON.stringify({
        'current-context': 'c',
        contexts: [{ name: 'c', context: { cluster: 'l', user: 'u' } }],
        clusters: [{ name: 'l', cluster }],
        users: [{ name: 'u', user }],
      }),
    );
  const SERVER = { server: 'https://10.0.0.2:6443' };
  async function pod() {
    await file('token', 'pod-token');
    await file('ca.crt', await pemOf('ca.pem'));
    return 'https://10.3.0.1:443';
  }

  it('is the endpoint that is set, before a kubeconfig and a service account', async () => {
    const access = await readApiAccess({
      ...nothing(),
      endpoint: 'https://10.0.0.1:6443/base/',
      kubeconfig: join(folder, 'absent'),
      inCluster: await pod(),
    });
    expect(access).toMatchObject({ endpoint: 'https://10.0.0.1:6443/base', token: undefined });
  });

  it('is that of the kubeconfig, before a service account', async () => {
    const access = await readApiAccess({
      ...nothing(),
      kubeconfig: await kubeconfig(
        { server: 'https://10.0.0.2:6443', 'insecure-skip-tls-verify': true, 'tls-server-name': 'k' },
        { token: 'config-token' },
      ),
      inCluster: await pod(),
    });
    expect(access).toMatchObject({
      endpoint: 'https://10.0.0.2:6443',
      tls: { insecureSkipVerify: true, servername: 'k' },
    });
    expect(await access.token?.()).toBe('config-token');
  });

  it('is that of the service account in a pod', async () => {
    const access = await readApiAccess({ ...nothing(), inCluster: await pod() });
    expect(access).toMatchObject({
      endpoint: 'https://10.3.0.1',
      tls: { ca: expect.stringContaining('CERTIFICATE') },
    });
    expect(await access.token?.()).toBe('pod-token');
  });

  it('takes a file that is set before what the kubeconfig has of that kind', async () => {
    const access = await readApiAccess({
      ...nothing(),
      kubeconfig: await kubeconfig({ server: 'https://10.0.0.2:6443' }, { token: 'config-token' }),
      tokenFile: await file('other', 'file-token'),
      caFile: certificate('other-ca.pem'),
    });
    expect(await access.token?.()).toBe('file-token');
    expect(access.tls.ca).toBe(await pemOf('other-ca.pem'));
  });

  it('re-reads the tokenFile of a kubeconfig', async () => {
    const tokenFile = await file('renewed', 'old');
    const access = await readApiAccess({
      ...nothing(),
      kubeconfig: await kubeconfig({ server: 'https://10.0.0.2' }, { token: 'static', tokenFile: 'renewed' }),
    });
    expect(await access.token?.()).toBe('old');
    await writeFile(tokenFile, 'new');
    expect(await access.token?.()).toBe('new');
  });

  it.each([
    'http://127.0.0.1:8080',
    'http://127.1.2.3',
    'http://localhost:8080',
    'http://[::1]:8080',
    'https://10.0.0.1',
  ])('may send a token to %s', async (endpoint) => {
    const access = await readApiAccess({ ...nothing(), endpoint, tokenFile: await file('token', 'hunter2') });
    expect(await access.token?.()).toBe('hunter2');
  });

  it.each(['http://10.0.0.1:8080', 'http://127.example.com', 'http://localhost.example.com', 'http://[::2]'])(
    'never sends a token to %s',
    async (endpoint) => {
      const options = { ...nothing(), endpoint, tokenFile: await file('token', 'hunter2') };
      expect(await problemOf(readApiAccess(options))).toBe(
        `KUBE_REGISTER_API_ENDPOINT: a token is not sent over plain http to ${endpoint}; use https, or no token`,
      );
    },
  );

  it.each([
    '10.0.0.1:8080',
    'ftp://10.0.0.1',
    'https://me:hunter2@10.0.0.1',
    'https://10.0.0.1/?token=hunter2',
    'unix:///run/api.sock',
  ])('refuses the endpoint %s without repeating it', async (endpoint) => {
    const message = await problemOf(readApiAccess({ ...nothing(), endpoint }));
    expect(message).toMatch(/^KUBE_REGISTER_API_ENDPOINT: /);
    expect(message).not.toContain('hunter2');
  });

  it.each([
    ['missing', undefined],
    ['empty', ''],
  ])('is by the token of a kubeconfig while its tokenFile is %s', async (_, content) => {
    const tokenFile = join(folder, 'renewed');
    if (content !== undefined) await writeFile(tokenFile, content);
    const path = await kubeconfig(SERVER, { token: 'first', tokenFile });
    const { token } = await readApiAccess({ ...nothing(), kubeconfig: path });
    expect(await token?.()).toBe('first');
    await writeFile(tokenFile, 'second\n');
    expect(await token?.()).toBe('second');
  });

  it('takes an expired certificate of a kubeconfig beside a token', async () => {
    const pair = { 'client-certificate': certificate('expired.pem'), 'client-key': certificate('expired.key') };
    const both = await readApiAccess({ ...nothing(), kubeconfig: await kubeconfig(SERVER, { token: 't', ...pair }) });
    expect(both.tls).toMatchObject({ cert: expect.any(String) });
    const alone = readApiAccess({ ...nothing(), kubeconfig: await kubeconfig(SERVER, pair) });
    expect(await problemOf(alone)).toContain('the certificate has expired');
  });

  it('says which file of a kubeconfig is bad, and never what is in it', async () => {
    const path = await kubeconfig(
      { server: 'https://u:hunter2@10.0.0.1', 'certificate-authority-data': Buffer.from('hunter2').toString('base64') },
      {},
    );
    expect(await problemOf(readApiAccess({ ...nothing(), kubeconfig: path }))).toBe(
      `KUBE_REGISTER_KUBECONFIG: ${path}: certificate-authority-data: it has no PEM certificate`,
    );
    const second = await kubeconfig({ server: 'https://u:hunter2@10.0.0.1' }, {});
    expect(await problemOf(readApiAccess({ ...nothing(), kubeconfig: second }))).toBe(
      `KUBE_REGISTER_KUBECONFIG: ${second}: cluster "l": an endpoint must not hold a user name or password`,
    );
    const third = await kubeconfig({ server: 'https://10.0.0.1' }, { token: 'hunter2 hunter2' });
    expect(await problemOf(readApiAccess({ ...nothing(), kubeconfig: third }))).toBe(
      `KUBE_REGISTER_KUBECONFIG: ${third}: a token must be one word of visible ASCII characters`,
    );
  });

  describe('names in its advice', () => {
    it('the settings, where it comes from settings', async () => {
      const { source } = await readApiAccess({ ...nothing(), endpoint: 'https://10.0.0.1' });
      expect(source).toEqual({ ...settingsSource('kubernetes'), proxyVariable: undefined });
    });

    it('the fields of the kubeconfig, where it comes from one', async () => {
      const data = Buffer.from(await pemOf('ca.pem')).toString('base64');
      const path = await kubeconfig({ server: 'https://10.0.0.1', 'certificate-authority-data': data }, {});
      const { source } = await readApiAccess({ ...nothing(), kubeconfig: path });
      expect(source).toMatchObject({
        endpoint: `server of cluster "l" in ${path}`,
        ca: `certificate-authority-data of cluster "l" in ${path}`,
        serverName: `tls-server-name of cluster "l" in ${path}`,
        clientCertificate: `client-certificate and client-key of user "u" in ${path}`,
        credentials: `the credentials of user "u" in ${path}`,
        timeout: 'KUBE_REGISTER_API_TIMEOUT',
      });
      expect(JSON.stringify(source)).not.toMatch(/API_(ENDPOINT|CA_FILE|CERT_FILE|KEY_FILE|TOKEN_FILE)/);
    });

    it("the pod's files, where it comes from a service account, and the settings that are used instead", async () => {
      const inCluster = await pod();
      const { source } = await readApiAccess({ ...nothing(), inCluster });
      expect(source).toMatchObject({
        endpoint: 'KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT of the pod',
        ca: `KUBE_REGISTER_API_CA_FILE, which is used instead of ${folder}/ca.crt`,
        credentials: `the pod's service account (${folder}/token)`,
      });
      const overlaid = await readApiAccess({ ...nothing(), inCluster, caFile: certificate('ca.pem') });
      expect(overlaid.source.ca).toBe('KUBE_REGISTER_API_CA_FILE');
    });

    it('the variable of a proxy for its protocol, and legacy TLS where it is not allowed', async () => {
      const proxyVariables = { http: 'http_proxy', https: 'HTTPS_PROXY' };
      const sourceOf = async (endpoint: string, legacyTls: boolean) =>
        (await readApiAccess({ ...nothing(), endpoint, legacyTls, proxyVariables })).source;
      expect(await sourceOf('https://k', false)).toMatchObject({
        proxyVariable: 'HTTPS_PROXY',
        legacyTls: 'KUBE_REGISTER_API_LEGACY_TLS=true',
      });
      expect(await sourceOf('http://k', true)).toMatchObject({ proxyVariable: 'http_proxy', legacyTls: undefined });
    });
  });
});
