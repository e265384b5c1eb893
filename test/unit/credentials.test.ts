import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CredentialError } from '../../src/credential-error.ts';
import { type ApiAccessOptions, readApiAccess } from '../../src/kubernetes/credentials.ts';
import { checkedTls, readPem, readTlsFiles } from '../../src/tls-files.ts';
import { tokenFileReader } from '../../src/token-file.ts';

const certificate = (name: string) => fileURLToPath(new URL(`../certificates/${name}`, import.meta.url));
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
      `TOKEN_FILE: ${join(folder, 'token')}: there is no such file`,
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
      'X_CERT_FILE is set without X_KEY_FILE: a certificate and its key go together',
    );
    expect(await problemOf(readTlsFiles({ ...NO_FILES, keyFile: certificate('client.key') }, 'X'))).toBe(
      'X_KEY_FILE is set without X_CERT_FILE: a certificate and its key go together',
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
    ['hunter2', 'there is no PEM certificate in it'],
    [pem('PRIVATE KEY'), 'there is no PEM certificate in it'],
    [pem('CERTIFICATE'), 'certificate 1 of 1 in it cannot be read'],
  ])('with a CA of %j are refused', async (content, problem) => {
    const caFile = await file('ca.pem', content);
    expect(await problemOf(readTlsFiles({ ...NO_FILES, caFile }, 'X'))).toBe(`X_CA_FILE: ${caFile}: ${problem}`);
  });

  it.each([
    ['', 'it is empty'],
    ['hunter2', 'there is no PEM private key in it'],
    [pem('PRIVATE KEY'), 'the private key in it cannot be read'],
    [
      generateKeyPairSync('ec', {
        namedCurve: 'P-256',
        publicKeyEncoding: { type: 'spki', format: 'pem' },
        privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hunter2' },
      }).privateKey,
      'the key is encrypted; one without a passphrase is needed',
    ],
  ])('with a key of %j are refused', async (content, problem) => {
    const keyFile = await file('key.pem', content);
    expect(await problemOf(readTlsFiles({ ...NO_FILES, certFile: certificate('client.pem'), keyFile }, 'X'))).toBe(
      `X_KEY_FILE: ${keyFile}: ${problem}`,
    );
  });
});

describe('a client certificate', () => {
  const pair = { certFile: certificate('expired.pem'), keyFile: certificate('expired.key') };
  const from = `KUBE_REGISTER_API_CERT_FILE: ${pair.certFile}`;

  it('that has expired is refused at start: an API server says no more of it than 401', async () => {
    expect(await problemOf(readTlsFiles({ ...NO_FILES, ...pair }, 'KUBE_REGISTER_API'))).toBe(
      `${from}: the certificate has expired (Jan  1 00:00:00 2016 GMT): renew it, or set the clock of this machine`,
    );
  });

  it('is taken until then', async () => {
    const [cert, key] = await Promise.all([readPem(pair.certFile, 'CERT_FILE'), readPem(pair.keyFile, 'KEY_FILE')]);
    const lastSecond = Date.UTC(2016, 0, 1) - 1_000;
    expect(checkedTls({ ca: undefined, cert, key }, { wall: () => lastSecond })).toEqual({
      cert: cert.text,
      key: key.text,
    });
  });
});

describe('a secret in the place of a path', () => {
  it('is not repeated', async () => {
    const token = '/eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJrdWJlIn0.c2ln';
    expect(await problemOf(tokenFileReader(token, 'TOKEN_FILE'))).toBe(
      'TOKEN_FILE: (not shown: it may hold a secret): there is no such file',
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

  it('says which file of a kubeconfig is bad, and never what is in it', async () => {
    const path = await kubeconfig(
      { server: 'https://u:hunter2@10.0.0.1', 'certificate-authority-data': Buffer.from('hunter2').toString('base64') },
      {},
    );
    expect(await problemOf(readApiAccess({ ...nothing(), kubeconfig: path }))).toBe(
      `KUBE_REGISTER_KUBECONFIG: ${path}: certificate-authority-data: there is no PEM certificate in it`,
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
});
