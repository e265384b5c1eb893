/** Who may see what on the port: real requests from this machine and from elsewhere, over http and https, with and without logins. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { hashSync } from 'bcryptjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { checkListener, inspectListener } from '../../src/commands/check/checks/daemons.ts';
import { readSettings } from '../../src/settings/settings.ts';
import { systemClock } from '../../src/time/clock.ts';
import { NO_WEB_CONFIG, type ServerTls, type WebConfig } from '../../src/web/access/web-config.ts';
import { startWebServer, type WebRoutes, type WebServer, type WebServerOptions } from '../../src/web/server.ts';
import { inTwoSteps } from '../unit/time/in-two-steps.ts';
import { certificate } from './loopback.ts';
import { folderOfTest } from './program.ts';

const log = { write: vi.fn(), debug: vi.fn() };

/**
 * An address of this machine that is not a loopback address. A client that binds it and connects to 127.0.0.1 has, to the server, neither a
 * loopback address nor the one that it connected to: as a client elsewhere.
 */
const OUTER = Object.values(networkInterfaces())
  .flatMap((all = []) => all)
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

const routes: WebRoutes = {
  metrics: async () => ({ contentType: 'text/plain', body: 'up 1\n' }),
  healthz: () => undefined,
  readyz: () => undefined,
  version: () => 1,
  status: () => inTwoSteps({ machines: ['secret-machine'] }),
  page: () => inTwoSteps(['<!doctype html>secret-machine']),
  explain: async () => ({ isFound: true, html: '<!doctype html>secret-machine' }),
  assets: new Map([['/page.css', { contentType: 'text/css', body: 'secret-machine', etag: '"1"' }]]),
  live: { full: () => undefined, join: (_, stream) => void stream.end('secret-machine') },
  hostProblem: (host) => (host?.startsWith('evil.') ? { status: 421, message: 'not this name' } : undefined),
};

async function start(options: Partial<WebServerOptions> = {}): Promise<WebServer> {
  const listen = { host: '127.0.0.1', port: 0 };
  const server = await startWebServer({ listen, routes, log, clock: systemClock, ...options });
  onTestFinished(() => server.close());
  return server;
}

interface Asking {
  readonly headers?: OutgoingHttpHeaders;
  /** The address of the client; not given: a loopback address. */
  readonly from?: string | undefined;
  readonly tls?: { readonly cert?: string; readonly key?: string } | undefined;
  readonly login?: string;
}

async function ask(
  { address: { host, port } }: WebServer,
  path: string,
  { headers = {}, from, tls, login }: Asking = {},
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  const options = {
    host,
    port,
    path,
    headers,
    agent: false,
    ...(from && { localAddress: from }),
    ...(login && { auth: login }),
  };
  const asked =
    tls === undefined
      ? requestHttp(options)
      : requestHttps({
          ...options,
          ...tls,
          ca: certificate('ca.pem'),
          servername: 'fleet.test',
          rejectUnauthorized: false,
        });
  const [response] = await once(asked.end(), 'response');
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

const OPEN = ['/healthz', '/readyz'];
const CLUSTER = ['/', '/status', '/live', '/explain?machine=a', '/page.css'];
const PATHS = [...OPEN, '/metrics', ...CLUSTER];

/** The status of each path. */
async function statuses(server: WebServer, asking: Asking = {}): Promise<Record<string, number>> {
  const all = await Promise.all(PATHS.map(async (path) => [path, (await ask(server, path, asking)).status] as const));
  return Object.fromEntries(all);
}

function expected(metrics: number, cluster: number): Record<string, number> {
  return Object.fromEntries(
    PATHS.map((path) => [path, OPEN.includes(path) ? 200 : path === '/metrics' ? metrics : cluster]),
  );
}

const HASH = hashSync('right', 4);
const TLS: ServerTls = {
  cert: certificate('server.pem'),
  key: certificate('server.key'),
  ca: certificate('ca.pem'),
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  honorCipherOrder: true,
  clientCertificates: 'not asked for',
};
const CLIENT = { cert: certificate('client.pem'), key: certificate('client.key') };
const EXPIRED = { cert: certificate('expired.pem'), key: certificate('expired.key') };
/** Another certificate of the server. */
const OTHER = { cert: certificate('elsewhere.pem'), key: certificate('elsewhere.key') };

function config(parts: Partial<WebConfig>): WebConfig {
  return { ...NO_WEB_CONFIG, ...parts };
}
const USERS = config({ users: new Map([['alice', HASH]]) });
const HTTPS = config({ tls: TLS });

function withCertificates(clientCertificates: ServerTls['clientCertificates']): WebConfig {
  return config({ tls: { ...TLS, clientCertificates } });
}

it('check says what the port will be, or what is wrong with its configuration', async () => {
  const folder = await folderOfTest();
  const file = join(folder, 'web.yml');
  const given = { KUBE_REGISTER_LISTEN: '127.0.0.1:0', KUBE_REGISTER_WEB_CONFIG_FILE: file };
  const invocation = readSettings([], given, () => false);
  if (invocation.kind !== 'run') throw new Error('the settings are wrong');
  const { settings } = invocation;
  const finding = async (content: string) => {
    await writeFile(file, content);
    return checkListener(await inspectListener(settings, new AbortController().signal), settings);
  };
  expect(await finding(`basic_auth_users: {alice: ${HASH}}`)).toMatchObject({
    state: 'ok',
    sentence: 'any free port on 127.0.0.1 (http, passwords of 1 user)',
  });
  expect(await finding('basic_auth_users: {alice: secret}')).toMatchObject({
    state: 'wrong',
    sentence: expect.stringMatching(/web\.yml: basic_auth_users\.alice: the password must be a bcrypt hash/),
    mend: 'KUBE_REGISTER_WEB_CONFIG_FILE=/path/of/the/right/file',
  });
});

describe('by default', () => {
  it('a client on this machine sees everything, at whatever address of it', async () => {
    expect(await statuses(await start())).toEqual(expected(200, 200));
    if (OUTER === undefined) return;
    const outer = await start({ listen: { host: OUTER, port: 0 } });
    expect(await statuses(outer, { from: OUTER })).toEqual(expected(200, 200));
    expect(await statuses(await start({ listen: { host: '::', port: 0 } }))).toEqual(expected(200, 200));
  });

  it.skipIf(OUTER === undefined)('a client elsewhere sees no machine, and is told how to get in', async () => {
    const server = await start();
    const { port } = server.address;
    expect(await statuses(server, { from: OUTER })).toEqual(expected(200, 403));
    for (const path of CLUSTER) expect((await ask(server, path, { from: OUTER })).body).not.toContain('secret');
    const { headers, body } = await ask(server, '/status', { from: OUTER, headers: { Host: `core-1:${port}` } });
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(
      body,
    ).toBe(`This path shows the machines and nodes of the cluster, and only to clients on this machine; the request came from ${OUTER}.
From another computer, run this there, and open the address while it runs:

    ssh -N -L ${port}:127.0.0.1:${port} core-1
    http://127.0.0.1:${port}/

Or set KUBE_REGISTER_WEB_CONFIG_FILE (TLS and logins), or KUBE_REGISTER_STATUS_ACCESS=all (everybody who reaches this port).
/metrics, /healthz and /readyz are open to everybody.
`);
  });

  it.skipIf(OUTER === undefined)('a browser gets the same as a page without a script', async () => {
    const server = await start();
    const { headers, body } = await ask(server, '/', { from: OUTER, headers: { Accept: 'text/html,*/*;q=0.8' } });
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(body).toContain('<h1>Not from here</h1>');
    expect(body).toContain(`<pre>ssh -N -L ${server.address.port}:127.0.0.1:${server.address.port} `);
  });

  it.skipIf(OUTER === undefined).each([
    ['-oProxyCommand=x', 'HOST'],
    ['a;reboot', 'HOST'],
    ['$(reboot)', 'HOST'],
    ['<script>', 'HOST'],
    ['localhost:1', 'HOST'],
    ['127.0.0.1', 'HOST'],
    ['[fd00::1]:10271', 'fd00::1'],
    ['10.0.0.7:10271', '10.0.0.7'],
  ])('the command has nothing of the Host header %s that a shell could find', async (host, shown) => {
    const { body } = await ask(await start(), '/', { from: OUTER, headers: { Host: host } });
    expect(/ssh -N -L \S+ (?<host>.*)/.exec(body)?.groups?.['host']).toBe(shown);
  });

  it.each([
    [{ 'X-Forwarded-For': '10.0.0.9' }, 'X-Forwarded-For'],
    [{ Forwarded: 'for=10.0.0.9' }, 'Forwarded'],
    [{ 'X-Real-IP': '127.0.0.1' }, 'X-Real-IP'],
    [{ Via: '1.1 proxy' }, 'Via'],
    [{ 'X-Forwarded-For': '' }, 'X-Forwarded-For'],
  ])('a request that a proxy on this machine forwards with %o is not from this machine', async (headers, name) => {
    const server = await start();
    expect(await statuses(server, { headers })).toEqual(expected(200, 403));
    expect((await ask(server, '/', { headers })).body).toContain(`a proxy forwarded the request (${name})`);
  });

  it('no page of another web site holds a stream, but its links work', async () => {
    const server = await start();
    const from = (site: string, mode: string) => ({ headers: { 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': mode } });
    expect(await statuses(server, from('cross-site', 'no-cors'))).toEqual(expected(200, 403));
    expect(await statuses(server, from('same-site', 'cors'))).toEqual(expected(200, 403));
    expect(await statuses(server, from('cross-site', 'navigate'))).toEqual(expected(200, 200));
    expect(await statuses(server, from('same-origin', 'cors'))).toEqual(expected(200, 200));
    expect(await statuses(server, from('none', 'navigate'))).toEqual(expected(200, 200));
  });

  it('the daemon is known by /healthz and /readyz, whatever these say', async () => {
    const identity = { version: '1.2.3', startedAt: '2026-11-28T12:00:00.000Z', dryRun: false };
    const server = await start({ identity, routes: { ...routes, healthz: () => 'stuck' } });
    for (const [path, status] of [
      ['/healthz', 503],
      ['/readyz', 200],
    ] as const) {
      const answer = await ask(server, path);
      expect([answer.status, answer.headers['x-kube-register']]).toEqual([
        status,
        'version=1.2.3; started=2026-11-28T12:00:00.000Z; dry-run=false',
      ]);
    }
    expect((await ask(server, '/metrics')).headers).not.toHaveProperty('x-kube-register');
  });
});

it.skipIf(OUTER === undefined)(
  'with STATUS_ACCESS=all, everybody sees everything, under the names of this machine',
  async () => {
    const server = await start({ statusAccess: 'all' });
    expect(await statuses(server, { from: OUTER })).toEqual(expected(200, 200));
    expect((await ask(server, '/', { from: OUTER, headers: { Host: 'evil.example.com' } })).status).toBe(421);
  },
);

describe('with passwords', () => {
  it.skipIf(OUTER === undefined)('who logs in sees everything, and nobody else sees more than health', async () => {
    const server = await start({ config: USERS, statusAccess: 'all' });
    expect(await statuses(server, { from: OUTER })).toEqual(expected(401, 401));
    expect(await statuses(server, { from: OUTER, login: 'alice:wrong' })).toEqual(expected(401, 401));
    expect(await statuses(server, { from: OUTER, login: 'bob:right' })).toEqual(expected(401, 401));
    expect(await statuses(server, { from: OUTER, login: 'alice:right' })).toEqual(expected(200, 200));
    const named = { from: OUTER, login: 'alice:right', headers: { Host: 'evil.example.com' } };
    expect((await ask(server, '/', named)).status).toBe(200);
    const { headers, body } = await ask(server, '/metrics', { from: OUTER });
    expect(headers['www-authenticate']).toBe('Basic realm="kube-register", charset="UTF-8"');
    expect(body).toMatch(
      /^Log in as a user of basic_auth_users in KUBE_REGISTER_WEB_CONFIG_FILE\.\nOr without a login: /,
    );
  });

  it('a client on this machine needs none, unless STATUS_ACCESS is login', async () => {
    expect(await statuses(await start({ config: USERS }))).toEqual(expected(200, 200));
    const strict = await start({ config: USERS, statusAccess: 'login' });
    expect(await statuses(strict)).toEqual(expected(401, 401));
    expect(await statuses(strict, { login: 'alice:right' })).toEqual(expected(200, 200));
    expect((await ask(strict, '/')).body).not.toContain('ssh');
  });

  it.each([
    ['Basic', 401],
    ['Basic !!!', 401],
    [`Basic ${Buffer.from('alice').toString('base64')}`, 401],
    [`Bearer ${Buffer.from('alice:right').toString('base64')}`, 401],
    [`Basic ${Buffer.from('__proto__:right').toString('base64')}`, 401],
    [`Basic ${Buffer.from(`alice:${'x'.repeat(9_000)}`).toString('base64')}`, 401],
    [`Basic ${'A'.repeat(20_000)}`, 431],
    [`bAsIc   ${Buffer.from('alice:right').toString('base64')}`, 200],
  ])('the header %.30s is answered with %i, and the server goes on', async (authorization, status) => {
    const server = await start({ config: USERS, statusAccess: 'login' });
    expect((await ask(server, '/status', { headers: { Authorization: authorization } })).status).toBe(status);
    expect((await ask(server, '/status', { login: 'alice:right' })).status).toBe(200);
    expect(JSON.stringify(log.write.mock.calls)).not.toContain('right');
  });

  it('of many wrong passwords few wait, and who has logged in before does not wait for them', async () => {
    const slow = config({ users: new Map([['alice', hashSync('right', 8)]]) });
    const server = await start({ config: slow, statusAccess: 'login' });
    expect((await ask(server, '/status', { login: 'alice:right' })).status).toBe(200);
    const guesses = Array.from({ length: 40 }, (_, index) => ask(server, '/status', { login: `alice:${index}` }));
    expect((await ask(server, '/status', { login: 'alice:right' })).status).toBe(200);
    const all = await Promise.all(guesses);
    const busy = all.filter(({ status }) => status === 503);
    expect(busy.length).toBeGreaterThan(20);
    expect(busy[0]?.headers['retry-after']).toBe('1');
    expect(all.every(({ status }) => status === 503 || status === 401)).toBe(true);
  });
});

describe('over TLS', () => {
  it('everything is as over http, with the headers of the configuration', async () => {
    const server = await start({
      config: { ...HTTPS, headers: { 'Strict-Transport-Security': 'max-age=1', 'Content-Security-Policy': 'x' } },
    });
    expect(await statuses(server, { tls: {} })).toEqual(expected(200, 200));
    const { headers } = await ask(server, '/', { tls: {} });
    expect(headers['strict-transport-security']).toBe('max-age=1');
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'/);
    if (OUTER !== undefined)
      expect((await ask(server, '/', { tls: {}, from: OUTER })).body).toContain('\n    https://127.0.0.1:');
  });

  it('a client that speaks plain http is disconnected', async () => {
    const server = await start({ config: HTTPS });
    await expect(ask(server, '/healthz')).rejects.toThrow();
    expect((await ask(server, '/healthz', { tls: {} })).status).toBe(200);
  });

  it('of a hundred connections the oldest goes, but not an open page', async () => {
    const held: { destroyed: boolean }[] = [];
    const live = {
      full: () => undefined,
      join: (_: unknown, stream: { write(chunk: string): unknown }) => void stream.write(': hello\n\n'),
    };
    const server = await start({ config: HTTPS, routes: { ...routes, live } });
    const { host, port } = server.address;
    const page = requestHttps({ host, port, path: '/live', agent: false, rejectUnauthorized: false }).end();
    onTestFinished(() => void page.destroy());
    const [response] = await once(page, 'response');
    for (let count = 0; count < 101; count += 1) {
      const socket = connectTls({ host, port, rejectUnauthorized: false });
      socket.on('error', () => {});
      onTestFinished(() => void socket.destroy());
      await once(socket, 'secureConnect');
      held.push(socket);
    }
    await vi.waitFor(() => expect(held[0]?.destroyed).toBe(true));
    expect(response.closed).toBe(false);
  });

  it.skipIf(OUTER === undefined)(
    'where a client certificate is required, everybody elsewhere needs a valid one',
    async () => {
      const server = await start({ config: withCertificates('required') });
      expect(await statuses(server, { from: OUTER, tls: CLIENT })).toEqual(expected(200, 200));
      expect(await statuses(server, { from: OUTER, tls: {} })).toEqual(expected(403, 403));
      expect(await statuses(server, { from: OUTER, tls: EXPIRED })).toEqual(expected(403, 403));
      expect(await statuses(server, { tls: {} })).toEqual(expected(200, 200));
      expect((await ask(server, '/', { from: OUTER, tls: {} })).body).toContain('has signed; none was given.');
      expect((await ask(server, '/', { from: OUTER, tls: EXPIRED })).body).toMatch(
        /the one that was given is not valid \([A-Z_]+\)/,
      );
    },
  );

  it.skipIf(OUTER === undefined)('where a client certificate is verified if given, it opens the status', async () => {
    const server = await start({ config: withCertificates('verified if given') });
    expect(await statuses(server, { from: OUTER, tls: CLIENT })).toEqual(expected(200, 200));
    expect(await statuses(server, { from: OUTER, tls: {} })).toEqual(expected(200, 403));
    expect(await statuses(server, { from: OUTER, tls: EXPIRED })).toEqual(expected(403, 403));
  });

  it.skipIf(OUTER === undefined)('where there are passwords too, a certificate alone is not enough', async () => {
    const server = await start({ config: { ...withCertificates('required'), users: USERS.users } });
    expect(await statuses(server, { from: OUTER, tls: CLIENT })).toEqual(expected(401, 401));
    expect(await statuses(server, { from: OUTER, tls: CLIENT, login: 'alice:right' })).toEqual(expected(200, 200));
    expect(await statuses(server, { from: OUTER, tls: {}, login: 'alice:right' })).toEqual(expected(403, 403));
  });

  it('a new configuration is in force at once, and closes what the last one admitted', async () => {
    const server = await start({ config: { ...HTTPS, users: USERS.users }, statusAccess: 'login' });
    const { host, port } = server.address;
    const subject = async () => {
      const socket = connectTls({ host, port, rejectUnauthorized: false });
      onTestFinished(() => void socket.destroy());
      await once(socket.resume(), 'secureConnect');
      return { socket, serial: socket.getPeerCertificate().serialNumber };
    };
    const before = await subject();
    const closed = once(before.socket, 'close');
    server.use({
      ...config({ tls: { ...TLS, cert: OTHER.cert, key: OTHER.key } }),
      users: new Map([['carol', HASH]]),
    });
    await closed;
    expect((await subject()).serial).not.toBe(before.serial);
    expect(await statuses(server, { tls: {}, login: 'alice:right' })).toEqual(expected(401, 401));
    expect(await statuses(server, { tls: {}, login: 'carol:right' })).toEqual(expected(200, 200));
  });

  it('another program on its port is not taken for a kube-register', async () => {
    const other = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { daemonsAt } = await import('../../src/web/find-daemons.ts');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    expect(await daemonsAt(['127.0.0.1'], port, new AbortController().signal)).toEqual([]);
    const identity = { version: '1.2.3', startedAt: '2026-11-28T12:00:00.000Z', dryRun: true };
    const server = await start({
      identity,
      config: { ...withCertificates('required'), users: USERS.users },
      statusAccess: 'login',
    });
    expect(await daemonsAt(['127.0.0.1'], server.address.port, new AbortController().signal)).toEqual([
      { ...identity, host: '127.0.0.1', place: `127.0.0.1:${server.address.port}` },
    ]);
  });
});
