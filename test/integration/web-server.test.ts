import { once } from 'node:events';
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { connect, Server, type Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/time/clock.ts';
import { ListenError } from '../../src/web/listen.ts';
import { startWebServer, type WebRoutes, type WebServer } from '../../src/web/server.ts';
import { inTwoSteps } from '../unit/time/in-two-steps.ts';

const log = { write: vi.fn(), debug: vi.fn() };
const releases: (() => unknown)[] = [];
/** Nothing is the same as before, unless a test says so. */
let asked = 0;
let routes: WebRoutes;
let server: WebServer;

beforeEach(async () => {
  vi.clearAllMocks();
  routes = {
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', body: 'up 1\n' }),
    healthz: () => undefined,
    readyz: () => undefined,
    version: () => (asked += 1),
    status: () => inTwoSteps({ version: '1.2.3' }),
    page: () => inTwoSteps(['<!doctype html>']),
    explain: async (query) => ({ isFound: query === 'machine=a', html: '<!doctype html>' }),
    assets: new Map([['/page.css', { contentType: 'text/css', body: 'body {}', etag: '"1"' }]]),
    live: { full: () => undefined, join: (shown, stream) => void stream.write(`shown: ${shown}\n`) },
    hostProblem: () => undefined,
  };
  server = await start({ host: '127.0.0.1', port: 0 });
});

afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

async function start(listen: { host: string; port: number }): Promise<WebServer> {
  // The routes are looked up when they are asked for, so that a test can change one.
  const current: WebRoutes = {
    metrics: () => routes.metrics(),
    healthz: () => routes.healthz(),
    readyz: () => routes.readyz(),
    version: () => routes.version(),
    status: () => routes.status(),
    page: () => routes.page(),
    explain: (query) => routes.explain(query),
    assets: routes.assets,
    live: {
      full: () => routes.live.full(),
      join: (shown, stream) => routes.live.join(shown, stream),
    },
    hostProblem: (host) => routes.hostProblem(host),
  };
  const started = await startWebServer({ listen, routes: current, log, clock: systemClock });
  releases.push(() => started.close());
  return started;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function ask(
  path: string,
  method = 'GET',
  { host, port } = server.address,
  headers: OutgoingHttpHeaders = {},
): Promise<Answer> {
  const asked = request({ host, port, path, method, headers, agent: false }).end();
  const [response] = await once(asked, 'response');
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

/** A connection on which a test writes what it likes. */
async function open(): Promise<Socket> {
  const socket = connect(server.address.port, server.address.host);
  releases.push(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Makes /metrics wait until `answer` is called; `asked` resolves once somebody wants it. */
function holdMetrics(): { readonly asked: Promise<void>; answer(): void } {
  let answer = () => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const asked = new Promise<void>((resolve) => {
    routes.metrics = async () => {
      resolve();
      await held;
      return { contentType: 'text/plain', body: 'late\n' };
    };
  });
  return { asked, answer: () => answer() };
}

describe('the web server', () => {
  it('serves the metrics with their own content type', async () => {
    const { status, headers, body } = await ask('/metrics');
    expect([status, body]).toEqual([200, 'up 1\n']);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it.each(['/healthz', '/readyz'])('says on %s that all is well', async (path) => {
    const { status, headers, body } = await ask(path);
    expect([status, body]).toEqual([200, 'ok\n']);
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
  });

  it('says on each of /healthz and /readyz what is not well', async () => {
    routes.healthz = () => 'a pass has been running for 10m';
    routes.readyz = () => 'no pass has succeeded yet';
    expect(await ask('/healthz')).toMatchObject({ status: 503, body: 'a pass has been running for 10m\n' });
    expect(await ask('/readyz')).toMatchObject({ status: 503, body: 'no pass has succeeded yet\n' });
  });

  it('serves the status as JSON', async () => {
    const { status, headers, body } = await ask('/status');
    expect([status, JSON.parse(body)]).toEqual([200, { version: '1.2.3' }]);
    expect(headers['content-type']).toBe('application/json');
  });

  it('serves a status without a character that a terminal obeys, and loses none for who parses it', async () => {
    const hostile = '\u009b2J \u001b[31m \u202e \u2066 \u200b \ufeff \u2028 \u0085 \u007f \u{e0041}';
    routes.status = () => inTwoSteps({ [hostile]: [hostile, 'ä', '日本', '🙂'] });
    const { body } = await ask('/status');
    expect(body).toMatch(/^(?:\n|[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}])*$/u);
    expect(body).toContain('\\u009b2J \\u001b[31m \\u202e');
    expect(JSON.parse(body)).toEqual({ [hostile]: [hostile, 'ä', '日本', '🙂'] });
  });

  it('serves the page, and lets it run and load nothing that does not come from here', async () => {
    const { status, headers, body } = await ask('/');
    expect([status, body]).toEqual([200, '<!doctype html>']);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(String(headers['content-security-policy']).split('; ')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
  });

  it('serves what the page needs beside it, once', async () => {
    const first = await ask('/page.css');
    expect(first).toMatchObject({ status: 200, body: 'body {}', headers: { 'content-type': 'text/css', etag: '"1"' } });
    const again = await ask('/page.css', 'GET', server.address, { 'If-None-Match': '"1"' });
    expect(again).toMatchObject({ status: 304, body: '' });
    expect(await ask('/page.css', 'GET', server.address, { 'If-None-Match': '"0"' })).toMatchObject({ status: 200 });
    for (const known of ['W/"1"', '"0", "1"', '*']) {
      expect(await ask('/page.css', 'GET', server.address, { 'If-None-Match': known })).toMatchObject({ status: 304 });
    }
  });

  it('takes no notice of a query', async () => {
    expect(await ask('/healthz?verbose=1')).toMatchObject({ status: 200, body: 'ok\n' });
  });

  it.each(['/metrics/', '/nothing', '//', '/../status', '/%2e%2e/status', '/__proto__'])(
    'does not know %s',
    async (path) => {
      expect(await ask(path)).toMatchObject({ status: 404, body: 'not found\n' });
    },
  );

  it('answers HEAD like GET, without the body', async () => {
    const { status, headers, body } = await ask('/metrics', 'HEAD');
    expect([status, body, headers['content-length']]).toEqual([200, '', '5']);
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('refuses %s on every path', async (method) => {
    const { status, headers } = await ask('/status', method);
    expect([status, headers['allow']]).toEqual([405, 'GET, HEAD']);
  });

  it('tells browsers neither to guess nor to keep nor to run what they get', async () => {
    expect((await ask('/status')).headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
  });

  it.each(['/metrics', '/status'])('answers 500 without details when %s fails, logs it, and goes on', async (path) => {
    routes.metrics = () => Promise.reject(new Error('detail'));
    routes.status = () => inTwoSteps({ notForJson: 1n });
    const { status, body } = await ask(path);
    expect([status, body]).toEqual([500, 'internal error, see the log\n']);
    const fields = { err: expect.any(Error), path };
    expect(log.write).toHaveBeenCalledExactlyOnceWith('page-failed', expect.any(String), fields);
    expect(await ask('/healthz')).toMatchObject({ status: 200 });
  });

  it('outlives a client that goes before it is answered', async () => {
    const { asked, answer } = holdMetrics();
    const socket = await open();
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await asked;
    socket.destroy();
    answer();
    expect(await ask('/healthz')).toMatchObject({ status: 200 });
    expect(log.write).not.toHaveBeenCalled();
  });

  it('outlives a request that is no HTTP', async () => {
    const socket = await open();
    socket.end('\x16\x03\x01 hello\r\n\r\n');
    expect(await text(socket)).toContain('400 Bad Request');
    expect(await ask('/healthz')).toMatchObject({ status: 200 });
  });

  it('cuts a client that does not get its request said', async () => {
    const socket = await open();
    socket.write('GET /metrics HTTP/1.1\r\n');
    expect(await text(socket)).toContain('408 Request Timeout');
  });

  it('cuts a client that has not got its answer after 30 s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    releases.push(() => vi.useRealTimers());
    const { asked } = holdMetrics();
    const socket = await open();
    const closed = once(socket, 'close');
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await asked;
    vi.advanceTimersByTime(30_000);
    await closed;
  });

  it('takes the absolute form of a request', async () => {
    expect(await ask('http://anywhere:1/healthz?x')).toMatchObject({ status: 200, body: 'ok\n' });
    expect(await ask('http://anywhere')).toMatchObject({ status: 200, body: '<!doctype html>' });
  });

  it('takes a hundred connections, and then the oldest goes, so that those who have to know are answered', async () => {
    const sockets: Socket[] = [];
    for (let count = 0; count < 100; count += 1) sockets.push(await open());
    for (const socket of sockets) socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n');
    expect((await ask('/metrics')).status).toBe(200);
    await vi.waitFor(() => expect(sockets[0]?.closed).toBe(true));
    expect(sockets.filter((socket) => socket.closed)).toEqual([sockets[0]]);
  });

  it('answers one request at a time: who sends more at once is cut, and costs one answer', async () => {
    routes.page = vi.fn(() => inTwoSteps(['row '.repeat(10_000)]));
    const socket = await open();
    socket.resume();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(300));
    await once(socket, 'close');
    expect(routes.page).toHaveBeenCalledTimes(1);
    expect((await ask('/metrics')).status).toBe(200);
  });

  it('answers the next request of a connection once the first has its answer', async () => {
    const socket = await open();
    let heard = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      heard += chunk;
    });
    for (let count = 1; count <= 3; count += 1) {
      socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
      await vi.waitFor(() => expect(heard.match(/\r\n\r\nok\n/g)).toHaveLength(count));
    }
  });

  it('makes the page and the status once for all who ask in the same moment, until they are others', async () => {
    let version = 1;
    routes.version = () => version;
    routes.page = vi.fn(() => inTwoSteps(['<!doctype html>']));
    routes.status = vi.fn(() => inTwoSteps({ version: '1.2.3' }));
    const all = () => Promise.all(['/', '/', '/', '/status', '/status'].map((path) => ask(path)));
    for (const { status } of await all()) expect(status).toBe(200);
    expect([routes.page, routes.status].map((each) => vi.mocked(each).mock.calls.length)).toEqual([1, 1]);
    version = 2;
    await all();
    expect([routes.page, routes.status].map((each) => vi.mocked(each).mock.calls.length)).toEqual([2, 2]);
  });
});

describe('a large answer', () => {
  const large = `<!doctype html>${'row '.repeat(50_000)}`;
  const takes = async (encoding: string) => {
    routes.page = () => inTwoSteps([large]);
    const { host, port } = server.address;
    const asked = request({ host, port, path: '/', agent: false, headers: { 'Accept-Encoding': encoding } }).end();
    const [response] = await once(asked, 'response');
    return { headers: response.headers, bytes: Buffer.concat(await response.toArray()) };
  };

  it.each(['gzip', 'deflate, gzip;q=0.5, br', 'GZIP ; q=1'])('is zipped for who takes %s', async (encoding) => {
    const { headers, bytes } = await takes(encoding);
    expect(headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    expect(headers['content-length']).toBe(String(bytes.length));
    expect(gunzipSync(bytes).toString()).toBe(large);
  });

  it.each(['', 'br', 'gzip;q=0', 'gzip; q=0.00', 'x-gzip'])('is not zipped for who takes %j', async (encoding) => {
    const { headers, bytes } = await takes(encoding);
    expect(headers).not.toHaveProperty('content-encoding');
    expect(headers['vary']).toBe('Accept-Encoding');
    expect(bytes.toString()).toBe(large);
  });
});

describe('a stream', () => {
  function setLive(live: WebRoutes['live']): void {
    routes = { ...routes, live };
  }

  /** What /live is given and the stream of its answer, once somebody listens. */
  function joined(): Promise<[shown: string | undefined, stream: Writable]> {
    return new Promise((resolve) => {
      setLive({
        full: () => undefined,
        join: (shown, stream) => {
          stream.write(': hello\n\n');
          resolve([shown, stream]);
        },
      });
    });
  }

  it('is begun with what the page shows', async () => {
    const join = joined();
    const socket = await open();
    socket.write('GET /live?shown=7-3 HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await join)[0]).toBe('7-3');
    const [head] = await once(socket, 'data');
    expect(head.toString()).toContain('Content-Type: text/event-stream; charset=utf-8');
  });

  it('is begun by a request in the absolute form, whatever its host', async () => {
    const join = joined();
    const socket = await open();
    socket.write('GET http://[/live?shown=7-3 HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await join)[0]).toBe('7-3');
    expect(log.write).not.toHaveBeenCalled();
  });

  it('makes no room for others while it lasts, and its connection ends with it', async () => {
    const join = joined();
    const socket = await open();
    socket.write('GET /live HTTP/1.1\r\nHost: x\r\n\r\n');
    const [, stream] = await join;
    const others: Socket[] = [];
    for (let count = 0; count < 101; count += 1) others.push(await open());
    await vi.waitFor(() => expect(others[0]?.closed).toBe(true));
    expect(stream.destroyed).toBe(false);
    stream.end();
    expect(await text(socket)).toContain('\r\nConnection: close\r\n');
  });

  it('is begun where the last one ended', async () => {
    const join = joined();
    const socket = await open();
    socket.write('GET /live?shown=7-3 HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 7-5\r\n\r\n');
    expect((await join)[0]).toBe('7-5');
  });

  it('is not cut after 30 s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    releases.push(() => vi.useRealTimers());
    const join = joined();
    const socket = await open();
    socket.write('GET /live HTTP/1.1\r\nHost: x\r\n\r\n');
    const [, stream] = await join;
    await once(socket, 'data');
    vi.advanceTimersByTime(3_600_000);
    stream.write(': still here\n\n');
    const [more] = await once(socket, 'data');
    expect(more.toString()).toContain('still here');
  });

  it('is refused with the reason when there are too many, and not begun by HEAD', async () => {
    setLive({ full: () => undefined, join: () => expect.unreachable() });
    expect(await ask('/live', 'HEAD')).toMatchObject({ status: 200, body: '' });
    setLive({ full: () => 'enough pages are live', join: () => expect.unreachable() });
    expect(await ask('/live')).toMatchObject({ status: 503, body: 'enough pages are live\n' });
  });

  it('ends when the server closes', async () => {
    const join = joined();
    const socket = await open();
    socket.write('GET /live HTTP/1.1\r\nHost: x\r\n\r\n');
    const [, stream] = await join;
    const closed = Promise.all([once(stream, 'close'), once(socket.resume(), 'close')]);
    await server.close();
    await closed;
  });
});

describe('the Host of a request', () => {
  beforeEach(() => {
    routes.hostProblem = (host) => (host === 'good' ? undefined : { status: 421, message: `not under ${host}` });
  });

  it.each(['/', '/status', '/live', '/page.css'])('decides whether %s is shown', async (path) => {
    const problem = await ask(path, 'GET', server.address, { Host: 'evil.example' });
    expect(problem).toMatchObject({ status: 421, body: 'not under evil.example\n' });
    expect(await ask(path, 'HEAD', server.address, { Host: 'good' })).toMatchObject({ status: 200 });
  });

  it('counts for nothing when the request names another in the absolute form', async () => {
    expect(await ask('http://evil.example/status', 'GET', server.address, { Host: 'good' })).toMatchObject({
      body: 'not under evil.example\n',
    });
    expect(await ask('http://good/status', 'GET', server.address, { Host: 'x' })).toMatchObject({ status: 200 });
  });

  it.each(['/metrics', '/healthz', '/readyz'])('is anything for %s, which tells no names', async (path) => {
    expect(await ask(path, 'GET', server.address, { Host: 'any.example' })).toMatchObject({ status: 200 });
  });

  it('may be missing from HTTP/1.0, and is then said to be', async () => {
    routes.hostProblem = (host) => (host === undefined ? { status: 400, message: 'no Host' } : undefined);
    const socket = await open();
    socket.write('GET / HTTP/1.0\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 .*no Host/s);
  });

  it.each(['/', '/status', '/metrics', '/healthz'])('may be there once only, on %s', async (path) => {
    routes.hostProblem = () => undefined;
    for (const twice of ['Host: good\r\nHost: evil.example', 'Host: good\r\nX: y\r\nhOST: good']) {
      const socket = await open();
      socket.write(`GET ${path} HTTP/1.1\r\n${twice}\r\nConnection: close\r\n\r\n`);
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 .*\r\n\r\nthe request has more than one Host header\n$/s);
    }
  });

  it('never makes an answer that pages of others may read', async () => {
    const { headers } = await ask('/', 'GET', server.address, { Host: 'good', Origin: 'http://evil.example' });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('listening', () => {
  it('takes any free port when asked for port 0, and says which', async () => {
    expect(server.address.host).toBe('127.0.0.1');
    expect(server.address.port).toBeGreaterThan(0);
  });

  it('works on IPv6', async () => {
    const six = await start({ host: '::1', port: 0 });
    expect(six.address.host).toBe('::1');
    expect(await ask('/healthz', 'GET', six.address)).toMatchObject({ status: 200 });
  });

  it('on :: works on IPv6 and IPv4', async () => {
    const { address } = await start({ host: '::', port: 0 });
    expect(address.host).toBe('::');
    for (const host of ['::1', '127.0.0.1']) {
      expect(await ask('/healthz', 'GET', { ...address, host })).toMatchObject({ status: 200 });
    }
  });

  it.each(['EAFNOSUPPORT', 'EADDRNOTAVAIL'])('on :: works on IPv4 where IPv6 is off (%s)', async (code) => {
    refuseIpv6(code);
    const { address } = await start({ host: '::', port: 0 });
    expect(address.host).toBe('0.0.0.0');
    expect(await ask('/healthz', 'GET', { ...address, host: '127.0.0.1' })).toMatchObject({ status: 200 });
    // Who asks for one IPv6 address is not given another.
    await expect(start({ host: '::1', port: 0 })).rejects.toThrow('cannot listen on [::1]:0: ');
  });

  it('on :: does not fall back when the port is taken', async () => {
    const { port } = server.address;
    await expect(start({ host: '::', port })).rejects.toThrow(`cannot listen on [::]:${port}: another program`);
  });

  /** As on a machine that has no IPv6. */
  function refuseIpv6(code: string): void {
    const { listen } = Server.prototype;
    const spy = vi.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...args: unknown[]) {
      const [{ host }] = args as [{ host: string }];
      if (!host.includes(':')) return Reflect.apply(listen, this, args);
      process.nextTick(() => this.emit('error', Object.assign(new Error(code), { code })));
      return this;
    });
    releases.push(() => spy.mockRestore());
  }

  it('says in one sentence what to do when the port is taken', async () => {
    const { host, port } = server.address;
    const refused = start({ host, port });
    await expect(refused).rejects.toBeInstanceOf(ListenError);
    await expect(refused).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: `cannot listen on 127.0.0.1:${port}: another program has this port; set KUBE_REGISTER_LISTEN to another host:port or off`,
    });
  });

  it('writes an IPv6 address with its port as people do', async () => {
    const { host, port } = (await start({ host: '::1', port: 0 })).address;
    await expect(start({ host, port })).rejects.toThrow(`cannot listen on [::1]:${port}: another program`);
  });

  it('says so when the address is of another machine', async () => {
    const started = start({ host: '192.0.2.1', port: 0 });
    await expect(started).rejects.toBeInstanceOf(ListenError);
    await expect(started).rejects.toThrow('cannot listen on 192.0.2.1:0: this machine does not have this address');
  });
});

describe('closing', () => {
  it('ends connections that are kept alive, and gives the port back', async () => {
    const socket = await open();
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
    const closed = once(socket, 'close');
    await server.close();
    await closed;
    await start(server.address);
  });

  it('ends a connection in the middle of an answer, and may be asked for twice', async () => {
    const { asked } = holdMetrics();
    const socket = await open();
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await asked;
    await Promise.all([server.close(), server.close(), once(socket, 'close')]);
  });

  it('ends a connection whose client does not read', async () => {
    routes.metrics = async () => ({ contentType: 'text/plain', body: 'x'.repeat(32 * 1024 * 1024) });
    const socket = await open();
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'readable');
    const closed = once(socket, 'close');
    await server.close();
    socket.resume();
    await closed;
  });
});
