import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ListenError, startWebServer, type WebRoutes, type WebServer } from '../../src/telemetry/web-server.ts';

const log = { say: vi.fn(), debug: vi.fn() };
const releases: (() => unknown)[] = [];
let routes: WebRoutes;
let server: WebServer;

beforeEach(async () => {
  vi.clearAllMocks();
  routes = {
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', body: 'up 1\n' }),
    healthz: () => undefined,
    readyz: () => undefined,
    status: () => ({ version: '1.2.3' }),
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
    status: () => routes.status(),
  };
  const started = await startWebServer({ listen, routes: current, log });
  releases.push(() => started.close());
  return started;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function ask(path: string, method = 'GET', { host, port } = server.address): Promise<Answer> {
  const asked = request({ host, port, path, method, agent: false }).end();
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

  it('lists its paths to who asks for none', async () => {
    const { status, body } = await ask('/');
    expect(status).toBe(404);
    for (const path of ['/metrics', '/healthz', '/readyz', '/status']) expect(body).toContain(path);
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
      'content-security-policy': "default-src 'none'",
    });
  });

  it.each(['/metrics', '/status'])('answers 500 without details when %s fails, logs it, and goes on', async (path) => {
    routes.metrics = () => Promise.reject(new Error('detail'));
    routes.status = () => ({ notForJson: 1n });
    const { status, body } = await ask(path);
    expect([status, body]).toEqual([500, 'internal error, see the log\n']);
    const fields = { err: expect.any(Error), path };
    expect(log.say).toHaveBeenCalledExactlyOnceWith('page-failed', expect.any(String), fields);
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
    expect(log.say).not.toHaveBeenCalled();
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

  it('takes a hundred connections and no more', async () => {
    const sockets = await Promise.all(Array.from({ length: 100 }, open));
    const oneTooMany = await open();
    await once(oneTooMany, 'close');
    expect(sockets.filter((socket) => socket.closed)).toEqual([]);
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

  it('says in one sentence what to do when the port is taken', async () => {
    const { host, port } = server.address;
    await expect(start({ host, port })).rejects.toThrow(
      new ListenError(
        `cannot listen on 127.0.0.1:${port}: another program has this port; set KUBE_REGISTER_LISTEN to another host:port or off`,
      ),
    );
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
