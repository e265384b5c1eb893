/** TLS and advice as operators meet them: chains, weak certificates and old versions, from each place where they are read. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerOptions } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openFleet } from '../../src/daemon/clients.ts';
import { createHttpClient } from '../../src/http/axios-client.ts';
import type { HttpClient } from '../../src/http/http-client.ts';
import { RequestError } from '../../src/http/request-error.ts';
import { type ApiAccessOptions, readApiAccess } from '../../src/kubernetes/access/credentials.ts';
import { read } from '../unit/settings/read-settings.ts';
import { certificate, refusingPort, serveHttp, serveHttps, serveRaw } from './loopback.ts';

const file = (name: string) => fileURLToPath(new URL(`../certificates/${name}`, import.meta.url));
const base64 = (name: string) => Buffer.from(certificate(name)).toString('base64');
const UNCOUNTED = { requestDone: () => {}, requestRetried: () => {} };

async function folderOfTest(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'http-tls-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

async function kubeconfig(cluster: object, user: object = { token: 'hunter2' }): Promise<string> {
  const path = join(await folderOfTest(), 'kubeconfig');
  const config = {
    'current-context': 'lab',
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'operator' } }],
    clusters: [{ name: 'lab', cluster }],
    users: [{ name: 'operator', user }],
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

async function apiClient(options: Partial<ApiAccessOptions>): Promise<HttpClient> {
  const { endpoint, tls, token, source } = await readApiAccess({
    endpoint: undefined,
    kubeconfig: undefined,
    inCluster: undefined,
    tokenFile: undefined,
    caFile: undefined,
    certFile: undefined,
    keyFile: undefined,
    insecureSkipTlsVerify: false,
    ...options,
  });
  const retries = { count: 0, minMs: 1, maxMs: 1, budgetMs: 1 };
  const client = createHttpClient({
    target: 'kubernetes',
    endpoint,
    tls,
    token,
    source,
    timeoutMs: 10_000,
    observer: UNCOUNTED,
    retries,
  });
  onTestFinished(() => client.close());
  return client;
}

async function fleetClient(variables: Record<string, string>, env: Record<string, string> = {}): Promise<HttpClient> {
  const client = await openFleet(read([], variables, env), UNCOUNTED);
  onTestFinished(() => client.close());
  return client;
}

/** The body, or what is wrong behind the name of the request. */
async function outcomeOf(client: HttpClient): Promise<string> {
  const signal = new AbortController().signal;
  try {
    return (await client.send({ method: 'GET', path: '/x', maxBytes: 1_000, signal })).body;
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return error.message.slice(error.message.indexOf('GET /x: ') + 'GET /x: '.length);
  }
}

async function serve(name: string, options: ServerOptions = {}): Promise<string> {
  const old: ServerOptions = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' };
  const server = await serveHttps(name, (_request, response) => response.end('reached'), { ...old, ...options });
  return `https://127.0.0.1:${server.port}`;
}

describe('a CA file that ends with an intermediate, or holds the certificate of the server alone', () => {
  it.each(['intermediate.pem', 'chained.pem'])('is enough, wherever it is read: %s', async (name) => {
    const endpoint = await serve('chained');
    const folder = await folderOfTest();
    await writeFile(join(folder, 'token'), 'hunter2');
    await writeFile(join(folder, 'ca.crt'), certificate(name));
    const clients = [
      apiClient({ endpoint, caFile: file(name) }),
      apiClient({ kubeconfig: await kubeconfig({ server: endpoint, 'certificate-authority': file(name) }) }),
      apiClient({ kubeconfig: await kubeconfig({ server: endpoint, 'certificate-authority-data': base64(name) }) }),
      apiClient({ inCluster: endpoint, serviceAccountFolder: folder }),
      fleetClient({ FLEET_ENDPOINT: endpoint, FLEET_CA_FILE: file(name) }),
    ];
    for (const client of clients) expect(await outcomeOf(await client)).toBe('reached');
  });

  it('is not enough for a server of another authority', async () => {
    const client = await apiClient({ endpoint: await serve('server'), caFile: file('intermediate.pem') });
    expect(await outcomeOf(client)).toMatch(/^the server's certificate is signed by a CA that is not trusted/);
  });
});

describe('a server with legacy TLS', () => {
  const allowing = 'which allows TLS 1.0, SHA-1 and small keys';

  it.each([
    ['TLS 1.0', 'server', { maxVersion: 'TLSv1' }, /^the server and kube-register have no TLS version in common/],
    ['TLS 1.1', 'server', { maxVersion: 'TLSv1.1' }, /^the server and kube-register have no TLS version in common/],
    ['a SHA-1 signature', 'sha1', {}, /^the server's certificate or its CA certificate is signed with SHA-1 or MD5/],
    ['a small key', 'small', {}, /^the server's key or its CA key is too small/],
    [
      'SHA-1 in the handshake',
      'server',
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA@SECLEVEL=0', sigalgs: 'ECDSA+SHA1' },
      /^the server refused the TLS handshake/,
    ],
  ] as const)(
    '(%s) is reached when the setting allows it, which the error names',
    async (_, name, options, problem) => {
      const endpoint = await serve(name, options);
      const ca = { caFile: file('ca.pem') };
      const fleet = { FLEET_ENDPOINT: endpoint, FLEET_CA_FILE: ca.caFile };
      const config = await kubeconfig({ server: endpoint, 'certificate-authority-data': base64('ca.pem') });
      for (const [client, setting] of [
        [await apiClient({ endpoint, ...ca }), 'KUBE_REGISTER_API_LEGACY_TLS=true'],
        [await apiClient({ kubeconfig: config }), 'KUBE_REGISTER_API_LEGACY_TLS=true'],
        [await fleetClient(fleet), 'KUBE_REGISTER_FLEET_LEGACY_TLS=true'],
      ] as const) {
        const outcome = await outcomeOf(client);
        expect(outcome).toMatch(problem);
        expect(outcome).toMatch(new RegExp(`, or set ${setting}, ${allowing}$`));
      }
      for (const client of [
        await apiClient({ endpoint, ...ca, legacyTls: true }),
        await apiClient({ kubeconfig: config, legacyTls: true }),
        await fleetClient({ ...fleet, FLEET_LEGACY_TLS: 'true' }),
      ]) {
        expect(await outcomeOf(client)).toBe('reached');
      }
    },
  );

  it.each(['sha1-client', 'small-client'])('may be shown a weak client certificate: %s', async (name) => {
    const endpoint = await serve('server', { requestCert: true, ca: certificate('ca.pem') });
    const pair = { certFile: file(`${name}.pem`), keyFile: file(`${name}.key`) };
    const client = await apiClient({ endpoint, caFile: file('ca.pem'), ...pair, legacyTls: true });
    expect(await outcomeOf(client)).toBe('reached');
    const data = { 'client-certificate': pair.certFile, 'client-key': pair.keyFile };
    const path = await kubeconfig({ server: endpoint, 'certificate-authority': file('ca.pem') }, data);
    await expect(apiClient({ kubeconfig: path })).rejects.toThrow('or set KUBE_REGISTER_API_LEGACY_TLS=true');
  });

  it('is reached by a name in the CN alone, and the error without it names the setting', async () => {
    const path = await kubeconfig({
      server: await serve('nameless'),
      'certificate-authority': file('ca.pem'),
      'tls-server-name': 'nameless',
    });
    expect(await outcomeOf(await apiClient({ kubeconfig: path, legacyTls: true }))).toBe('reached');
    expect(await outcomeOf(await apiClient({ kubeconfig: path }))).toBe(
      "the server's certificate has its name only in the CN, or in a wildcard for part of a label, which is not safe: reissue it with a subjectAltName, or set KUBE_REGISTER_API_LEGACY_TLS=true, which allows it",
    );
  });

  it('is still checked: legacy TLS takes no certificate of another authority or name', async () => {
    const options = { caFile: file('other-ca.pem'), legacyTls: true };
    expect(await outcomeOf(await apiClient({ endpoint: await serve('sha1'), ...options }))).toMatch(
      /signed by a CA that is not trusted/,
    );
    const elsewhere = { endpoint: await serve('elsewhere'), caFile: file('ca.pem'), legacyTls: true };
    expect(await outcomeOf(await apiClient(elsewhere))).toMatch(/is for other names/);
  });
});

describe('advice names what was read', () => {
  it('in a kubeconfig: the field of a wrong CA', async () => {
    const server = await serve('server');
    const data = await kubeconfig({ server, 'certificate-authority-data': base64('other-ca.pem') });
    expect(await outcomeOf(await apiClient({ kubeconfig: data }))).toMatch(
      `: put the CA certificate of this server in certificate-authority-data of cluster "lab" in ${data}`,
    );
    const path = await kubeconfig({ server, 'certificate-authority': file('other-ca.pem') });
    expect(await outcomeOf(await apiClient({ kubeconfig: path }))).toMatch(
      `: put the CA certificate of this server in certificate-authority of cluster "lab" in ${path}`,
    );
  });

  it('in a kubeconfig: the fields of a wrong name, and the names that the certificate has', async () => {
    const path = await kubeconfig({
      server: await serve('elsewhere'),
      'certificate-authority-data': base64('ca.pem'),
    });
    expect(await outcomeOf(await apiClient({ kubeconfig: path }))).toBe(
      `the server's certificate is for other names (192.0.2.1, elsewhere.example): use one of them in server of cluster "lab" in ${path}, or in tls-server-name of cluster "lab" in ${path}`,
    );
  });

  it('in a kubeconfig: the fields of a client certificate that is missing', async () => {
    const server = await serve('server', { requestCert: true, rejectUnauthorized: true, ca: certificate('ca.pem') });
    const path = await kubeconfig({ server, 'certificate-authority-data': base64('ca.pem') });
    const outcome = await outcomeOf(await apiClient({ kubeconfig: path }));
    expect(outcome).toContain(`client-certificate and client-key of user "operator" in ${path}`);
  });

  it('in a kubeconfig: where the endpoint is wrong', async () => {
    const port = await refusingPort();
    const http = await serveHttp((_request, response) => response.end());
    const raw = await serveRaw((socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_6.2\r\n')));
    const servers = [`http://127.0.0.1:${port}`, `https://127.0.0.1:${http.port}`, `http://127.0.0.1:${raw.port}`];
    for (const server of servers) {
      const path = await kubeconfig({ server, 'insecure-skip-tls-verify': true });
      const outcome = await outcomeOf(await apiClient({ kubeconfig: path }));
      expect(outcome).toContain(`server of cluster "lab" in ${path}`);
      expect(outcome).not.toMatch(/KUBE_REGISTER_API_(ENDPOINT|CA|CERT|KEY|TOKEN)/);
    }
  });

  it("in a pod: the pod's files and variables, and the setting that is used instead", async () => {
    const folder = await folderOfTest();
    await writeFile(join(folder, 'token'), 'hunter2');
    await writeFile(join(folder, 'ca.crt'), certificate('other-ca.pem'));
    const wrongCa = await apiClient({ inCluster: await serve('server'), serviceAccountFolder: folder });
    expect(await outcomeOf(wrongCa)).toMatch(
      `: put the CA certificate of this server in KUBE_REGISTER_API_CA_FILE, which is used instead of ${folder}/ca.crt`,
    );
    await writeFile(join(folder, 'ca.crt'), certificate('ca.pem'));
    const wrongName = await apiClient({ inCluster: await serve('elsewhere'), serviceAccountFolder: folder });
    expect(await outcomeOf(wrongName)).toMatch(
      /\(192\.0\.2\.1, elsewhere\.example\): use one of them in KUBERNETES_SERVICE_HOST and/,
    );
  });

  it('in settings: these', async () => {
    const client = await apiClient({ endpoint: await serve('elsewhere'), caFile: file('ca.pem') });
    expect(await outcomeOf(client)).toMatch(
      /\(192\.0\.2\.1, elsewhere\.example\): use one of them in KUBE_REGISTER_API_ENDPOINT$/,
    );
  });

  it('and that a certificate has no names at all', async () => {
    const client = await apiClient({ endpoint: await serve('nameless'), caFile: file('ca.pem') });
    expect(await outcomeOf(client)).toBe(
      "the server's certificate has no usable subjectAltName (an IP address must be of type IP, not DNS): reissue it with one",
    );
  });
});

describe('a tls-server-name that is an IP address', () => {
  const clientFor = async (name: string) =>
    apiClient({
      kubeconfig: await kubeconfig({
        server: await serve('elsewhere'),
        'certificate-authority': file('ca.pem'),
        'tls-server-name': name,
      }),
    });

  it('is checked, without a warning of Node', async () => {
    const warned: Error[] = [];
    const note = (warning: Error) => warned.push(warning);
    process.on('warning', note);
    onTestFinished(() => void process.off('warning', note));
    expect(await outcomeOf(await clientFor('192.0.2.1'))).toBe('reached');
    expect(await outcomeOf(await clientFor('192.0.2.2'))).toContain(
      'is for other names (192.0.2.1, elsewhere.example)',
    );
    expect(warned).toEqual([]);
  });
});

describe('a certificate with an IP address as a DNS name', () => {
  it('is said to have no name: that it has cannot be used', async () => {
    const client = await apiClient({ endpoint: await serve('address-as-name'), caFile: file('address-as-name.pem') });
    expect(await outcomeOf(client)).toMatch(
      /has no usable subjectAltName \(an IP address must be of type IP, not DNS\)/,
    );
  });
});

describe('a certificate that is for no server', () => {
  it('is said to be so', async () => {
    const client = await apiClient({ endpoint: await serve('client'), caFile: file('ca.pem') });
    expect(await outcomeOf(client)).toMatch(/^the server's certificate is not for a server \(its extendedKeyUsage/);
  });
});

describe('a server that only a proxy reaches', () => {
  const HINT = (variable: string) =>
    `; kube-register does not use proxies, ${variable} included: the server must be reachable directly`;

  it('is said not to be reached through it, where a proxy is configured', async () => {
    const port = await refusingPort();
    const proxyVariables = { https: 'HTTPS_PROXY' };
    const endpoints = [`https://127.0.0.1:${port}`, 'https://nowhere.invalid'];
    for (const endpoint of endpoints) {
      const outcome = await outcomeOf(await apiClient({ endpoint, proxyVariables }));
      expect(outcome.endsWith(HINT('HTTPS_PROXY'))).toBe(true);
      expect(await outcomeOf(await apiClient({ endpoint }))).not.toContain('prox');
    }
    const plain = await apiClient({ endpoint: `http://127.0.0.1:${port}`, proxyVariables });
    expect(await outcomeOf(plain)).not.toContain('prox');
    const fleet = await fleetClient({ FLEET_ENDPOINT: `http://127.0.0.1:${port}` }, { http_proxy: 'http://p:1' });
    expect(await outcomeOf(fleet)).toContain(HINT('http_proxy'));
  });

  it('is said so too when it never answers', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const variables = { FLEET_ENDPOINT: `http://127.0.0.1:${port}`, FLEET_TIMEOUT: '100ms' };
    const client = await fleetClient(variables, { HTTP_PROXY: 'http://p:1' });
    expect(await outcomeOf(client)).toBe(
      `no complete response within 100ms (KUBE_REGISTER_FLEET_TIMEOUT)${HINT('HTTP_PROXY')}`,
    );
  });
});
