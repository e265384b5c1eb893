/** The health check against kubelets that behave as those of v0.4 to today, and against every kind that does not. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import type { KubeletState } from '../../src/kubelet/kubelet.ts';
import { createKubeletProber, type KubeletProberOptions } from '../../src/kubelet/prober.ts';
import {
  certificate,
  collectWarnings,
  drip,
  type Loopback,
  refusingPort,
  reset,
  serveHttp,
  serveHttps,
  serveRaw,
  serveRawTls,
} from './loopback.ts';

const HOST = '127.0.0.1';
const TOKEN = 'very-secret-token';
const CA = { ca: certificate('ca.pem') };
const never = new AbortController().signal;

function proberOf(urlTemplates: string[], more: Partial<KubeletProberOptions> = {}) {
  const seen: KubeletState[] = [];
  const prober = createKubeletProber({
    urlTemplates,
    timeoutMs: 5_000,
    concurrency: 10,
    tls: {},
    observer: { healthCheckDone: (state, seconds) => seen.push(seconds >= 0 ? state : 'silent') },
    ...more,
  });
  return { prober, seen };
}

function http(port: number, path = '/healthz'): string {
  return `http://{ip}:${port}${path}`;
}

function https(port: number): string {
  return `https://{ip}:${port}/healthz`;
}

function answering(status: number): Promise<Loopback> {
  return serveHttp((_request, response) => {
    response.statusCode = status;
    response.end();
  });
}

/** Accepts, and never says anything. */
function hanging(): Promise<Loopback> {
  return serveRaw(() => {});
}

function stateOf(...urlTemplates: string[]) {
  return proberOf(urlTemplates, { timeoutMs: 300 }).prober.check(HOST, never);
}

async function expectAllClosed(...servers: Loopback[]): Promise<void> {
  const sockets = () => servers.flatMap((server) => server.sockets);
  await vi.waitFor(() => expect(sockets().filter((socket) => !socket.destroyed)).toEqual([]));
}

describe('what a status means', () => {
  it.each([200, 204, 301, 302, 399, 401, 403])('%i is healthy', async (status) => {
    const kubelet = await answering(status);
    const { prober, seen } = proberOf([http(kubelet.port)]);
    const detail = `http://127.0.0.1:${kubelet.port}/healthz answered ${status}`;
    expect(await prober.check(HOST, never)).toEqual({ state: 'healthy', detail });
    expect(seen).toEqual(['healthy']);
    await expectAllClosed(kubelet);
  });

  it('101 is an answer: nothing in HTTP comes after it', async () => {
    const kubelet = await serveRaw((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'),
    );
    const { prober } = proberOf([http(kubelet.port)]);
    expect((await prober.check(HOST, never)).state).toBe('answers');
    await expectAllClosed(kubelet);
  });

  it.each([400, 404, 500, 503, 999])('%i is an answer, though not well', async (status) => {
    const kubelet = await answering(status);
    const { prober, seen } = proberOf([http(kubelet.port)]);
    const detail = `http://127.0.0.1:${kubelet.port}/healthz answered ${status}`;
    expect(await prober.check(HOST, never)).toEqual({ state: 'answers', detail });
    expect(seen).toEqual(['answers']);
  });

  it('a redirect is not followed', async () => {
    const elsewhere = await answering(500);
    const kubelet = await serveHttp((_request, response) => {
      response.writeHead(302, { Location: `http://127.0.0.1:${elsewhere.port}/` });
      response.end();
    });
    expect((await stateOf(http(kubelet.port))).state).toBe('healthy');
    expect(elsewhere.sockets).toEqual([]);
  });

  it('the path and query are sent, and the query is not shown', async () => {
    const asked: unknown[] = [];
    const kubelet = await serveHttp((request, response) => {
      const { authorization, host, connection } = request.headers;
      asked.push({ method: request.method, url: request.url, authorization, host, connection });
      response.end();
    });
    const { detail } = await stateOf(http(kubelet.port, '/healthz/ping?a=secret'));
    expect(detail).toBe(`http://127.0.0.1:${kubelet.port}/healthz/ping answered 200`);
    const host = `127.0.0.1:${kubelet.port}`;
    expect(asked).toEqual([{ method: 'GET', url: '/healthz/ping?a=secret', host, connection: 'close' }]);
  });

  it.runIf(hasIPv6())('an IPv6 address gets its brackets', async () => {
    const kubelet = await serveHttp((_request, response) => response.end(), { host: '::1' });
    const { prober } = proberOf([http(kubelet.port)]);
    const detail = `http://[::1]:${kubelet.port}/healthz answered 200`;
    expect(await prober.check('::1', never)).toEqual({ state: 'healthy', detail });
  });
});

describe('silence', () => {
  it('says of each URL why it gave no answer', async () => {
    const refusing = await refusingPort();
    const silent = await hanging();
    const plain = await answering(200);
    const { prober, seen } = proberOf([http(refusing), http(silent.port), https(plain.port)], { timeoutMs: 300 });
    const { state, detail } = await prober.check(HOST, never);
    expect(state).toBe('silent');
    expect(detail).toBe(
      `no answer within 300ms: http://127.0.0.1:${refusing}/healthz refused the connection, http://127.0.0.1:${silent.port}/healthz timed out, https://127.0.0.1:${plain.port}/healthz failed the TLS handshake: this port does not speak TLS (ERR_SSL_WRONG_VERSION_NUMBER)`,
    );
    expect(seen).toEqual(['silent']);
    await expectAllClosed(silent, plain);
  });

  it('is known before the time is over when every URL refuses, and says nothing of the time', async () => {
    const [plain, secure] = [await refusingPort(), await refusingPort()];
    const { prober } = proberOf([http(plain), https(secure)], { timeoutMs: 600_000 });
    const detail = `no answer: http://127.0.0.1:${plain}/healthz refused the connection, https://127.0.0.1:${secure}/healthz refused the connection`;
    expect(await prober.check(HOST, never)).toEqual({ state: 'silent', detail });
  });

  it.each<[string, (socket: Socket) => void]>([
    ['accepts and says nothing', () => {}],
    ['hangs up', (socket) => socket.end()],
    ['resets the connection', reset],
    ['sends nothing that one knows', (socket) => socket.write(Buffer.from([0, 1, 2, 3, 4, 5, 13, 10, 13, 10]))],
    ['speaks SSH', (socket) => socket.write('SSH-2.0-OpenSSH_6.2\r\n')],
    ['speaks half a word of SSH', (socket) => socket.write('SSH')],
    ['has begun what may be a header of TLS', (socket) => socket.write(Buffer.from([0x16, 3, 1]))],
  ])('is what one hears of a kubelet that %s', async (_name, behaviour) => {
    const [plain, rawUnderTls] = [await serveRaw(behaviour), await serveRaw(behaviour)];
    const { prober } = proberOf([http(plain.port), https(rawUnderTls.port)], { timeoutMs: 300 });
    const first = await prober.check(HOST, never);
    expect(first.state).toBe('silent');
    expect((await prober.check(HOST, never)).state).toBe('silent');
    await expectAllClosed(plain, rawUnderTls);
  });

  it('is not what an answer after a 100 Continue is', async () => {
    const kubelet = await serveRaw((socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 Oh\r\n\r\n'));
    expect((await stateOf(http(kubelet.port))).state).toBe('answers');
  });
});

describe('an HTTP answer that is never whole', () => {
  const CLOSED = 'closed the connection in the middle of its HTTP response';
  const BROKEN = 'sent an invalid HTTP response';
  const OVERDUE = 'did not finish its HTTP response';

  it.each<[string, (socket: Socket) => void, string]>([
    ['ends in the middle of a header', (socket) => socket.end('HTTP/1.1 200 OK\r\nX-'), CLOSED],
    ['ends in the middle of its first line', (socket) => socket.end('HTTP/1.'), CLOSED],
    ['drips header bytes', (socket) => socket.write('HTTP/1.1 200 OK\r\nX: ', () => drip(socket, 'x', 2)), OVERDUE],
    [
      'drips its first bytes',
      (socket) => {
        for (const [ms, letter] of [...'HTTP/1.1'].entries()) setTimeout(() => socket.write(letter), ms);
      },
      OVERDUE,
    ],
    ['has a first line that cannot be read', (socket) => socket.write('HTTP/of some kind\r\n\r\n'), BROKEN],
    [
      'has a megabyte of headers',
      (socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(1 << 20)}\r\n\r\n`),
      BROKEN,
    ],
    [
      'has two lengths',
      (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok'),
      BROKEN,
    ],
    ['is 100 Continue only', (socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n'), OVERDUE],
    [
      'is 103 Early Hints again and again',
      (socket) => drip(socket, 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', 2),
      OVERDUE,
    ],
  ])('is a sign of life when it %s', async (_name, behaviour, words) => {
    const [plain, tls] = [await serveRaw(behaviour), await serveRawTls(behaviour)];
    for (const [url, scheme, { port }] of [[http, 'http', plain] as const, [https, 'https', tls] as const]) {
      const { prober, seen } = proberOf([url(port)], { timeoutMs: 500 });
      const detail = `${scheme}://127.0.0.1:${port}/healthz ${words}`;
      expect(await prober.check(HOST, never)).toEqual({ state: 'answers', detail });
      expect(seen).toEqual(['answers']);
    }
    await expectAllClosed(plain, tls);
  });

  it('stands behind one that is whole', async () => {
    const [broken, ill] = [await serveRaw((socket) => socket.end('HTTP/1.1')), await answering(500)];
    expect(await stateOf(http(broken.port), http(ill.port))).toEqual({
      state: 'answers',
      detail: `http://127.0.0.1:${ill.port}/healthz answered 500, http://127.0.0.1:${broken.port}/healthz ${CLOSED}`,
    });
  });
});

describe('TLS that the server has begun to speak', () => {
  /** The beginning of what a real server says, and then something else. */
  async function cutAfter(bytes: number, then: (socket: Socket) => void): Promise<Loopback> {
    const real = await serveRawTls(() => {});
    return serveRaw((socket) => {
      const way = connect(real.port, HOST).on('error', () => {});
      socket.pipe(way);
      way.once('data', (hello: Buffer) => socket.write(hello.subarray(0, bytes), () => then(socket)));
      socket.on('close', () => way.destroy());
    });
  }

  it.each<[string, () => Promise<Loopback>, string]>([
    ['is closed', () => cutAfter(60, (socket) => socket.end()), 'failed the TLS handshake: it closed the connection'],
    ['is reset', () => cutAfter(60, reset), 'failed the TLS handshake: it closed the connection'],
    ['goes no further', () => cutAfter(60, () => {}), 'did not finish the TLS handshake'],
    [
      'is an alert',
      () => serveRaw((socket) => socket.write(Buffer.from([0x15, 3, 1, 0, 2, 2, 40]))),
      'failed the TLS handshake (ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE)',
    ],
    ['is all it says', () => serveRawTls(() => {}), 'finished the TLS handshake and did not answer'],
    [
      'is followed by the end',
      () => serveRawTls((socket) => socket.end()),
      'closed the connection after the TLS handshake, without an HTTP response',
    ],
    [
      'is followed by what is no HTTP',
      () => serveRawTls((socket) => socket.write('SSH-2.0-OpenSSH_6.2\r\n')),
      'did not answer in HTTP after the TLS handshake',
    ],
  ])('is a sign of life when it %s', async (_name, serve, words) => {
    const kubelet = await serve();
    const { prober } = proberOf([https(kubelet.port)], { timeoutMs: 500 });
    const detail = `https://127.0.0.1:${kubelet.port}/healthz ${words}`;
    expect(await prober.check(HOST, never)).toEqual({ state: 'answers', detail });
    await expectAllClosed(kubelet);
  });
});

describe('an answer that goes on', () => {
  it.each<[string, string]>([
    ['an endless body', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['a second answer', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 Oh\r\n\r\n'],
    ['fewer bytes than announced', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n'],
  ])('with %s is taken at its headers', async (_name, text) => {
    const kubelet = await serveRaw((socket) => {
      socket.write(text);
      drip(socket, 'more', 1);
    });
    expect((await stateOf(http(kubelet.port))).state).toBe('healthy');
    await expectAllClosed(kubelet);
  });
});

describe('several URLs', () => {
  it('are asked side by side: a port that drops packets does not hide one that answers', async () => {
    const [deaf, well] = [await hanging(), await answering(200)];
    const { prober } = proberOf([http(deaf.port), http(well.port)], { timeoutMs: 600_000 });
    expect((await prober.check(HOST, never)).state).toBe('healthy');
    await expectAllClosed(deaf, well);
  });

  it('the first healthy answer wins over an earlier one that is not', async () => {
    const ill = await answering(404);
    const well = await serveHttp((_request, response) => {
      void vi.waitFor(() => expect(ill.sockets[0]?.destroyed).toBe(true)).then(() => response.end());
    });
    const { prober } = proberOf([http(ill.port), http(well.port)]);
    expect(await prober.check(HOST, never)).toMatchObject({ state: 'healthy' });
  });

  it('an answer that is not well stands when nothing better comes in time', async () => {
    const [ill, deaf] = [await answering(500), await hanging()];
    const answer = await stateOf(http(deaf.port), http(ill.port));
    expect(answer).toEqual({ state: 'answers', detail: `http://127.0.0.1:${ill.port}/healthz answered 500` });
    await expectAllClosed(deaf, ill);
  });

  it('the one that answered last time is asked alone at first', async () => {
    const [deaf, well] = [await hanging(), await answering(200)];
    const { prober } = proberOf([http(deaf.port), http(well.port)], { headStartMs: 5_000, timeoutMs: 60_000 });
    await prober.check(HOST, never);
    expect([deaf.sockets.length, well.sockets.length]).toEqual([1, 1]);
    await prober.check(HOST, never);
    expect([deaf.sockets.length, well.sockets.length]).toEqual([1, 2]);
  });

  it('the others are asked at once when the one that answered last time fails', async () => {
    let status = 200;
    const first = await serveHttp((_request, response) => {
      response.statusCode = status;
      response.end();
    });
    const late = await serveHttp((_request, response) => {
      if (status !== 200) response.end();
    });
    const { prober } = proberOf([http(first.port), http(late.port)], { headStartMs: 300_000, timeoutMs: 600_000 });
    expect((await prober.check(HOST, never)).detail).toContain(`${first.port}`);
    status = 500;
    expect(await prober.check(HOST, never)).toMatchObject({ state: 'healthy' });
    await first.close();
    // Now the second is the one that answered last time.
    expect((await prober.check(HOST, never)).detail).toContain(`${late.port}`);
    await late.close();
    expect((await prober.check(HOST, never)).state).toBe('silent');
  });

  it('the others are asked after the head start when the one that answered last time hangs', async () => {
    let deaf = false;
    const first = await serveHttp((_request, response) => {
      if (!deaf) response.end();
    });
    const second = await serveHttp((_request, response) => {
      if (deaf) response.end();
    });
    const { prober } = proberOf([http(first.port), http(second.port)], { headStartMs: 20, timeoutMs: 60_000 });
    expect((await prober.check(HOST, never)).detail).toContain(`${first.port}`);
    deaf = true;
    expect((await prober.check(HOST, never)).detail).toContain(`${second.port}`);
    await expectAllClosed(first, second);
  });
});

describe('TLS and credentials', () => {
  const pair = { cert: certificate('client.pem'), key: certificate('client.key') };
  const token = async () => TOKEN;

  /** Asks for a client certificate, and notes what it is given. */
  async function tlsKubelet(name = 'server') {
    const given: { authorization: string | undefined; certificate: boolean }[] = [];
    const ciphers = 'DEFAULT@SECLEVEL=0';
    const options = { ca: certificate('ca.pem'), requestCert: true, rejectUnauthorized: false, ciphers };
    /** What came in through TLS. */
    let bytes = 0;
    const server = await serveHttps(
      name,
      (request, response) => {
        const certificate = 'authorized' in request.socket && request.socket.authorized === true;
        given.push({ authorization: request.headers.authorization, certificate });
        response.end();
      },
      options,
      (socket) => socket.on('data', (chunk: Buffer) => (bytes += chunk.length)),
    );
    return { port: server.port, given, bytes: () => bytes, closed: () => expectAllClosed(server) };
  }

  it.each(['server', 'elsewhere', 'expired'])(
    'without a CA the certificate %s is not verified, and nothing is sent',
    async (name) => {
      const kubelet = await tlsKubelet(name);
      const { prober } = proberOf([https(kubelet.port)], { tls: pair, token });
      expect((await prober.check(HOST, never)).state).toBe('healthy');
      expect(kubelet.given).toEqual([{ authorization: undefined, certificate: false }]);
    },
  );

  it('with a CA the certificate is verified, and token and client certificate are sent', async () => {
    const kubelet = await tlsKubelet();
    const { prober } = proberOf([https(kubelet.port)], { tls: { ...CA, ...pair }, token });
    expect((await prober.check(HOST, never)).state).toBe('healthy');
    expect(kubelet.given).toEqual([{ authorization: `Bearer ${TOKEN}`, certificate: true }]);
  });

  it.each([
    [
      'elsewhere',
      CA,
      'its certificate is not for this address (ERR_TLS_CERT_ALTNAME_INVALID)',
      'start the kubelet with --tls-cert-file and --tls-private-key-file for a certificate that has the address in its subjectAltName',
    ],
    [
      'expired',
      CA,
      'its certificate or its CA certificate has expired (CERT_HAS_EXPIRED)',
      'renew it, or correct the clock of this machine',
    ],
    [
      'kubelet',
      CA,
      'its certificate is self-signed (DEPTH_ZERO_SELF_SIGNED_CERT)',
      'start the kubelet with --tls-cert-file and --tls-private-key-file for a certificate of the CA in KUBE_REGISTER_KUBELET_CA_FILE',
    ],
    [
      'sha1',
      CA,
      'its certificate is signed with SHA-1 or MD5, or a key is too small (UNSPECIFIED)',
      'start the kubelet with --tls-cert-file and --tls-private-key-file for a certificate with SHA-256 and a key of 2048 bits or more',
    ],
    [
      'server',
      { ca: certificate('other-ca.pem') },
      'its certificate is not signed by a CA in KUBELET_CA_FILE (SELF_SIGNED_CERT_IN_CHAIN)',
      'put its CA certificate in KUBE_REGISTER_KUBELET_CA_FILE',
    ],
  ])(
    'with a CA the certificate %s of another name, time or CA is a sign of life with both ways out, and nothing is sent',
    async (name, tls, why, mend) => {
      const kubelet = await tlsKubelet(name);
      const { prober } = proberOf([https(kubelet.port)], { tls, token });
      const url = `https://127.0.0.1:${kubelet.port}/healthz`;
      const remedy = `${mend}, or unset KUBE_REGISTER_KUBELET_CA_FILE and the other KUBE_REGISTER_KUBELET_*_FILE: then kubelet certificates are not verified`;
      const detail = `${url} failed the TLS handshake: ${why}; ${remedy}`;
      expect(await prober.check(HOST, never)).toEqual({ state: 'answers', detail, remedy });
      await kubelet.closed();
      expect(kubelet.given).toEqual([]);
      expect(kubelet.bytes()).toBe(0);
    },
  );

  it('that lacks the client certificate that the kubelet wants is a sign of life', async () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const options = { ca: certificate('ca.pem'), requestCert: true, rejectUnauthorized: true, maxVersion };
      const { port } = await serveHttps('server', (_request, response) => response.end(), options);
      const { state, detail } = await proberOf([https(port)]).prober.check(HOST, never);
      expect(state).toBe('answers');
      expect(detail).toMatch(/failed the TLS handshake \(ERR_SSL_\w+\)$/);
    }
  });

  it('never sends the token over plain HTTP', async () => {
    const given: unknown[] = [];
    const kubelet = await serveHttp((request, response) => {
      given.push(request.headers.authorization);
      response.end();
    });
    const { prober } = proberOf([http(kubelet.port)], { tls: { ...CA, ...pair }, token });
    await prober.check(HOST, never);
    expect(given).toEqual([undefined]);
  });

  it.each<[string, () => Promise<string | undefined>]>([
    ['cannot be read', () => Promise.reject(new Error('no such file'))],
    ['cannot be sent', async () => 'two\r\nlines'],
    ['is not there', async () => undefined],
  ])('asks without the token when it %s', async (_name, token) => {
    const kubelet = await tlsKubelet();
    const { prober } = proberOf([https(kubelet.port)], { tls: CA, token });
    expect((await prober.check(HOST, never)).state).toBe('healthy');
    expect(kubelet.given).toEqual([{ authorization: undefined, certificate: false }]);
  });

  it('is not held up for ever by a token that never comes', async () => {
    const kubelet = await tlsKubelet();
    const token = () => new Promise<string>(() => {});
    const { prober } = proberOf([https(kubelet.port)], { tls: CA, token, timeoutMs: 100 });
    expect((await prober.check(HOST, never)).state).toBe('silent');
    expect(kubelet.given).toEqual([]);
  });
});

describe('many machines', () => {
  it('are asked so many at a time and no more; those that wait lose no time of theirs', async () => {
    let open = 0;
    let most = 0;
    const kubelet = await serveRaw((socket) => {
      open += 1;
      most = Math.max(most, open);
      socket.on('close', () => {
        open -= 1;
      });
      socket.once('data', () => setTimeout(() => socket.write('HTTP/1.1 200 OK\r\n\r\n'), 20));
    });
    const { prober, seen } = proberOf([http(kubelet.port)], { concurrency: 3, timeoutMs: 400 });
    const checks = Array.from({ length: 60 }, () => prober.check(HOST, never));
    expect((await Promise.all(checks)).every(({ state }) => state === 'healthy')).toBe(true);
    // A socket that was left may close a little later here than there.
    expect(most).toBeLessThanOrEqual(6);
    expect(seen).toHaveLength(60);
  });

  it('are all let go at once when the pass ends, those in the queue too', async () => {
    const warnings = collectWarnings();
    const kubelet = await hanging();
    const { prober, seen } = proberOf([http(kubelet.port)], { concurrency: 20, timeoutMs: 600_000 });
    const stop = new AbortController();
    const reason = new Error('the pass is over');
    const checks = Array.from({ length: 50 }, () => prober.check(HOST, stop.signal));
    const outcomes = Promise.allSettled(checks);
    await vi.waitFor(() => expect(kubelet.sockets).toHaveLength(20));
    stop.abort(reason);
    expect(await outcomes).toEqual(checks.map(() => ({ status: 'rejected', reason })));
    await expect(prober.check(HOST, stop.signal)).rejects.toBe(reason);
    await expectAllClosed(kubelet);
    expect(kubelet.sockets).toHaveLength(20);
    expect(seen).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('one in the queue is let go while others still hold their places, and the places are free afterwards', async () => {
    let deaf = true;
    const kubelet = await serveHttp((_request, response) => {
      if (!deaf) response.end();
    });
    const { prober } = proberOf([http(kubelet.port)], { concurrency: 1, timeoutMs: 600_000 });
    const [running, waiting] = [new AbortController(), new AbortController()];
    const first = prober.check(HOST, running.signal);
    const second = prober.check(HOST, waiting.signal);
    waiting.abort('second');
    await expect(second).rejects.toBe('second');
    running.abort('first');
    await expect(first).rejects.toBe('first');
    deaf = false;
    expect((await prober.check(HOST, never)).state).toBe('healthy');
  });
});

describe('this process', () => {
  it('reads the answers that came while it was busy, however late it is', async () => {
    const shared = new Int32Array(new SharedArrayBuffer(4));
    const kubelet = new Worker(
      `const { workerData, parentPort } = require('node:worker_threads');
       require('node:net').createServer((socket) => socket.once('data', () => {
         parentPort.postMessage('asked');
         Atomics.wait(workerData, 0, 0);
         socket.write('HTTP/1.1 200 OK\\r\\n\\r\\n', () => { Atomics.store(workerData, 0, 2); Atomics.notify(workerData, 0); });
       })).listen(0, '127.0.0.1', function () { parentPort.postMessage(this.address().port); });`,
      { eval: true, workerData: shared },
    );
    const [port] = await once(kubelet, 'message');
    const { prober } = proberOf([http(Number(port))], { timeoutMs: 500 });
    const check = prober.check(HOST, never);
    await once(kubelet, 'message');
    // Busy until the answer is there, and until long after the time is over.
    Atomics.store(shared, 0, 1);
    Atomics.notify(shared, 0);
    Atomics.wait(shared, 0, 1);
    Atomics.wait(shared, 0, 2, 1_000);
    expect((await check).state).toBe('healthy');
    await kubelet.terminate();
  });

  it('calls no kubelet silent when it has no file descriptors left to ask it with', async () => {
    const kubelet = await hanging();
    const script = `
      import { createKubeletProber } from './src/kubelet/prober.ts';
      const prober = createKubeletProber({
        urlTemplates: ['${http(kubelet.port)}'], timeoutMs: 500, concurrency: 200, tls: {}, observer: { healthCheckDone() {} },
      });
      const checks = Array.from({ length: 100 }, () => prober.check('127.0.0.1', new AbortController().signal));
      for (const { value, reason } of await Promise.allSettled(checks)) console.log(value?.detail ?? reason.message);`;
    const node = [process.execPath, '--import', 'tsx', '--input-type=module', '--eval', script];
    const { stdout } = await promisify(execFile)('sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', ...node]);
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(100);
    const url = `http://127.0.0.1:${kubelet.port}/healthz`;
    expect(new Set(lines)).toEqual(
      new Set([
        `no answer within 500ms: ${url} timed out`,
        `this machine has too few file descriptors or buffers to check kubelets: no answer: ${url} failed (EMFILE)`,
      ]),
    );
  });
});

function hasIPv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'));
}
