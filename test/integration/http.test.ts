/** The HTTP client against servers that behave, and against every kind that does not. */
import { getEventListeners } from 'node:events';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { createHttpClient, type HttpClientOptions } from '../../src/http/axios-client.ts';
import { diagnose } from '../../src/http/diagnosis.ts';
import type { HttpClient, HttpRequest } from '../../src/http/http-client.ts';
import { RequestError } from '../../src/http/request-error.ts';
import { certificate, collectWarnings, drip, refusingPort, serveHttp, serveHttps, serveRaw } from './loopback.ts';

const MIB = 1024 * 1024;
const TOKEN = 'very-secret-token';

function clientOf(endpoint: string, more: Partial<HttpClientOptions> = {}): { client: HttpClient; seen: string[] } {
  const seen: string[] = [];
  const client = createHttpClient({
    target: 'kubernetes',
    endpoint,
    tls: { insecureSkipVerify: false },
    timeoutMs: 10_000,
    observer: {
      requestDone: (_target, code, seconds) => seen.push(seconds >= 0 ? code : 'negative time'),
      requestRetried: () => seen.push('again'),
    },
    retries: { count: 2, minMs: 1, maxMs: 5, budgetMs: 5_000 },
    ...more,
  });
  onTestFinished(() => client.close());
  return { client, seen };
}

function get(path = '/things', more: Partial<HttpRequest> = {}): HttpRequest {
  return { method: 'GET', path, maxBytes: MIB, signal: new AbortController().signal, ...more };
}

async function errorOf(client: HttpClient, request = get()): Promise<RequestError> {
  const error: unknown = await client.send(request).then(
    (answer) => expect.fail(`answered ${answer.status}`),
    (reason) => reason,
  );
  if (!(error instanceof RequestError)) throw error;
  return error;
}

describe('a server that behaves', () => {
  it('says what it is and what time it has, where it does', async () => {
    const date = 'Thu, 01 Jan 2026 00:00:00 GMT';
    const server = await serveHttp((request, response) => {
      const headers = request.url === '/told' ? { Server: 'fleetd/0.11.8', Date: date } : { Date: 'today' };
      response.writeHead(200, headers).end();
    });
    const { client } = clientOf(`http://127.0.0.1:${server.port}`);
    const { software, date: told } = await client.send(get('/told'));
    expect({ software, told }).toEqual({ software: 'fleetd/0.11.8', told: Date.parse(date) });
    expect(Object.keys(await client.send(get()))).toEqual(['status', 'contentType', 'body', 'bytes']);
  });

  it('gets the request as it was meant, and its answer comes back undecoded', async () => {
    let authorization: string | undefined;
    const server = await serveHttp((request, response) => {
      const { authorization: sent, ...headers } = request.headers;
      authorization = sent;
      response.setHeader('Content-Type', 'application/json; charset=utf-8');
      response.end(JSON.stringify({ url: request.url, headers, word: 'grün' }));
    });
    const { client, seen } = clientOf(`http://127.0.0.1:${server.port}/base/`, { token: async () => TOKEN });
    const answer = await client.send(get('/v1/nodes', { query: { limit: '5', continue: 'a b&c' } }));
    const body = z.object({ url: z.string(), headers: z.record(z.string(), z.string()), word: z.string() });
    const { url, headers, word } = body.parse(JSON.parse(answer.body));
    expect(url).toBe('/base/v1/nodes?limit=5&continue=a+b%26c');
    expect(headers).toMatchObject({
      'user-agent': 'kube-register',
      'accept-encoding': 'identity',
      accept: 'application/json',
    });
    expect(authorization).toBe(`Bearer ${TOKEN}`);
    expect(word).toBe('grün');
    expect(answer).toMatchObject({ status: 200, contentType: 'application/json; charset=utf-8' });
    expect(answer.software).toBeUndefined();
    expect(answer.bytes).toBe(Buffer.byteLength(answer.body));
    expect(client.server).toBe(`http://127.0.0.1:${server.port}/base`);
    expect(seen).toEqual(['200']);
  });

  it('may say the token back wherever it likes: the answer does not have it', async () => {
    const server = await serveHttp((request, response) => {
      response.setHeader('Content-Type', `text/${request.headers.authorization}`);
      response.end(`you sent ${request.headers.authorization}`);
    });
    const { client } = clientOf(`http://127.0.0.1:${server.port}`, { token: async () => TOKEN });
    const answer = await client.send(get('/'));
    expect(answer).toMatchObject({ contentType: 'text/Bearer [token]', body: 'you sent Bearer [token]' });
  });

  it('gets a body under the content type that was asked for, and headers of the request win', async () => {
    const server = await serveHttp((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        response.statusCode = 201;
        const { method, headers } = request;
        response.end(`${method} ${headers['content-type']} ${headers.accept} ${Buffer.concat(chunks)}`);
      });
    });
    const { client } = clientOf(`http://127.0.0.1:${server.port}`);
    const body = { contentType: 'application/merge-patch+json', value: { labels: { a: null } } };
    const answer = await client.send(get('/x', { method: 'PATCH', body, headers: { Accept: 'text/plain' } }));
    expect(answer.status).toBe(201);
    expect(answer.body).toBe('PATCH application/merge-patch+json text/plain {"labels":{"a":null}}');
  });

  it('is asked over one connection again and again', async () => {
    const server = await serveHttp((_request, response) => response.end('{}'));
    const { client } = clientOf(`http://127.0.0.1:${server.port}`);
    for (let round = 0; round < 3; round += 1) await client.send(get());
    expect(server.sockets).toHaveLength(1);
  });

  it('may have dropped an idle connection meanwhile: a GET goes through all the same', async () => {
    const server = await serveHttp((_request, response) => response.end('{}'));
    const { client } = clientOf(`http://127.0.0.1:${server.port}`);
    await client.send(get());
    server.sockets[0]?.resetAndDestroy();
    expect((await client.send(get())).status).toBe(200);
  });

  it('may have dropped more idle connections than a GET is tried: it goes through over a new one', async () => {
    const server = await serveHttp((_request, response) => response.end('{}'));
    const { client, seen } = clientOf(`http://127.0.0.1:${server.port}`);
    await Promise.all(Array.from({ length: 5 }, () => client.send(get())));
    // They look well until the next request comes.
    for (const socket of server.sockets) socket.prependListener('data', () => socket.resetAndDestroy());
    expect((await client.send(get())).status).toBe(200);
    expect(seen.slice(5)).toEqual(['error', 'again', '200']);
  });

  it('is asked for the token before each attempt', async () => {
    const tokens = ['one', 'two'];
    const given: unknown[] = [];
    const server = await serveHttp((request, response) => {
      given.push(request.headers.authorization);
      response.end();
    });
    const { client } = clientOf(`http://127.0.0.1:${server.port}`, { token: async () => tokens.shift() });
    for (let round = 0; round < 3; round += 1) await client.send(get());
    expect(given).toEqual(['Bearer one', 'Bearer two', undefined]);
  });

  it('is reached through a unix socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kube-register-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'fleet.sock');
    await serveHttp((request, response) => response.end(request.url), { path });
    const { client } = clientOf(`unix://${path}`, { target: 'fleet' });
    expect((await client.send(get('/fleet/v1/machines'))).body).toBe('/fleet/v1/machines');
  });

  it('never gets a path other than the one that was meant', async () => {
    const { client } = clientOf(`http://127.0.0.1:${await refusingPort()}`);
    for (const path of ['/api/v1/nodes/..', '/api/v1/nodes/%2e%2e', '/nodes/a?b=c', '/nodes/a#b', '/nodes/a b']) {
      expect((await errorOf(client, get(path, { method: 'DELETE' }))).message).toContain('a URL cannot have this path');
    }
  });
});

describe('trying again', () => {
  it.each([429, 500, 503])('a GET is asked again after %i, and the last answer is an answer', async (status) => {
    const server = await serveHttp((_request, response) => {
      response.statusCode = status;
      response.end('sorry');
    });
    const { client, seen } = clientOf(`http://127.0.0.1:${server.port}`);
    expect(await client.send(get())).toMatchObject({ status, body: 'sorry' });
    expect(seen).toEqual([`${status}`, 'again', `${status}`, 'again', `${status}`]);
  });

  it('a GET that fails once is an answer in the end', async () => {
    let asked = 0;
    const server = await serveHttp((request, response) => {
      asked += 1;
      if (asked === 1) request.socket.destroy();
      else response.end('well');
    });
    const { client, seen } = clientOf(`http://127.0.0.1:${server.port}`);
    expect((await client.send(get())).body).toBe('well');
    expect(seen).toEqual(['error', 'again', '200']);
  });

  it.each([400, 401, 404, 409])('a GET is not asked again after %i', async (status) => {
    const server = await serveHttp((_request, response) => {
      response.statusCode = status;
      response.end();
    });
    const { client, seen } = clientOf(`http://127.0.0.1:${server.port}`);
    expect((await client.send(get())).status).toBe(status);
    expect(seen).toEqual([`${status}`]);
  });

  it.each(['POST', 'PATCH'] as const)(
    'a %s that is put off is sent again after the wait that it is told',
    async (method) => {
      const times: number[] = [];
      const server = await serveHttp((_request, response) => {
        times.push(performance.now());
        response.writeHead(times.length === 1 ? 429 : 201, { 'Retry-After': '1' }).end();
      });
      const { client, seen } = clientOf(`http://127.0.0.1:${server.port}`);
      expect((await client.send(get('/x', { method }))).status).toBe(201);
      expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(990);
      expect(seen).toEqual(['429', 'again', '201']);
    },
  );

  it.each([
    ['POST', 429, '60'],
    ['PATCH', 429, ''],
    ['POST', 503, '1'],
    ['DELETE', 429, '1'],
  ] as const)('a %s is not sent again after %i with Retry-After %j', async (method, status, wait) => {
    const server = await serveHttp((_request, response) => {
      response.writeHead(status, wait === '' ? {} : { 'Retry-After': wait }).end();
    });
    const { client, seen } = clientOf(`http://127.0.0.1:${server.port}`);
    expect((await client.send(get('/x', { method }))).status).toBe(status);
    expect(seen).toEqual([`${status}`]);
  });

  it.each(['POST', 'PATCH', 'DELETE'] as const)('a %s that may have been done is never sent twice', async (method) => {
    const server = await serveHttp((request, response) => {
      if (request.url === '/cut') request.socket.destroy();
      else {
        response.statusCode = 500;
        response.end();
      }
    });
    const { client, seen } = clientOf(`http://127.0.0.1:${server.port}`);
    expect((await client.send(get('/x', { method }))).status).toBe(500);
    expect((await errorOf(client, get('/cut', { method }))).code).toBe('ECONNRESET');
    expect(seen).toEqual(['500', 'error']);
  });

  it('waits as long as Retry-After says', async () => {
    const times: number[] = [];
    const server = await serveHttp((_request, response) => {
      times.push(performance.now());
      response.statusCode = times.length === 1 ? 429 : 200;
      response.setHeader('Retry-After', '1');
      response.end();
    });
    const { client } = clientOf(`http://127.0.0.1:${server.port}`);
    expect((await client.send(get())).status).toBe(200);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(990);
  });

  it('leaves nothing behind at a signal that outlives the requests', async () => {
    const server = await serveHttp((_request, response) => response.end());
    const { client } = clientOf(`http://127.0.0.1:${server.port}`);
    const { signal } = new AbortController();
    for (let round = 0; round < 20; round += 1) {
      await client.send(get('/x', { signal }));
      await client.send(get('/x', { signal, method: 'DELETE' }));
    }
    // Where Node 20 keeps what AbortSignal.any made of a signal, for as long as that lives.
    const symbol = Object.getOwnPropertySymbols(signal).find(({ description }) => description === 'kDependantSignals');
    const dependants: unknown = symbol && Reflect.get(signal, symbol);
    expect(Reflect.get(Object(dependants), 'size') ?? 0).toBe(0);
    expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1);
  });

  it('gives up at once when Retry-After is beyond its budget', async () => {
    const server = await serveHttp((_request, response) => {
      response.statusCode = 503;
      response.setHeader('Retry-After', '3600');
      response.end();
    });
    const { client, seen } = clientOf(`http://127.0.0.1:${server.port}`);
    expect((await client.send(get())).status).toBe(503);
    expect(seen).toEqual(['503']);
  });

  it('stops waiting when it is aborted, and rejects with the reason', async () => {
    const server = await serveHttp((_request, response) => {
      response.statusCode = 503;
      response.setHeader('Retry-After', '60');
      response.end();
    });
    const warnings = collectWarnings();
    const retries = { count: 2, minMs: 60_000, maxMs: 60_000, budgetMs: 600_000 };
    const { client, seen } = clientOf(`http://127.0.0.1:${server.port}`, { retries });
    const stop = new AbortController();
    const sent = Array.from({ length: 20 }, () => client.send(get('/x', { signal: stop.signal })));
    const outcomes = Promise.allSettled(sent);
    await vi.waitFor(() => expect(seen).toEqual(sent.map(() => '503')));
    stop.abort('enough');
    expect(await outcomes).toEqual(sent.map(() => ({ status: 'rejected', reason: 'enough' })));
    expect(warnings).toEqual([]);
  });
});

describe('a server that is slow or hostile', () => {
  it.each([
    ['says nothing', () => {}],
    [
      'drips its headers',
      (socket: Socket) => {
        socket.write('HTTP/1.1 200 OK\r\n');
        drip(socket, 'X-More: yes\r\n');
      },
    ],
    [
      'drips its body',
      (socket: Socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n');
        drip(socket, '.');
      },
    ],
    ['sends one 100 Continue after the other', (socket: Socket) => drip(socket, 'HTTP/1.1 100 Continue\r\n\r\n')],
  ])('that %s is given up after the timeout, once', async (_name, behaviour) => {
    const server = await serveRaw(behaviour);
    const { client, seen } = clientOf(`http://127.0.0.1:${server.port}`, { timeoutMs: 150 });
    const error = await errorOf(client);
    expect(error.message).toContain('no complete response within 150ms (KUBE_REGISTER_API_TIMEOUT)');
    expect(error.code).toBe('ETIMEDOUT');
    expect(seen).toEqual(['error']);
    await vi.waitFor(() => expect(server.sockets.every((socket) => socket.destroyed)).toBe(true));
  });

  it('is left at once when the request is aborted, whatever it is doing', async () => {
    const server = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      drip(socket, '.');
    });
    const { client, seen } = clientOf(`http://127.0.0.1:${server.port}`);
    const stop = new AbortController();
    const reason = new Error('shutting down');
    const sent = client.send(get('/x', { signal: stop.signal }));
    await vi.waitFor(() => expect(server.sockets).toHaveLength(1));
    stop.abort(reason);
    await expect(sent).rejects.toBe(reason);
    expect(seen).toEqual(['error']);
    await vi.waitFor(() => expect(server.sockets[0]?.destroyed).toBe(true));
    await expect(client.send(get('/x', { signal: stop.signal }))).rejects.toBe(reason);
    expect(server.sockets).toHaveLength(1);
  });

  it.each([
    ['endless', {}],
    ['of 200 MB', { 'Content-Length': String(200 * MIB) }],
  ])('whose body is %s is cut off at the limit', async (_name, headers) => {
    let written = 0;
    const server = await serveHttp((_request, response) => {
      response.writeHead(200, headers);
      const chunk = Buffer.alloc(64 * 1024, 'x');
      const more = () => {
        while (!response.destroyed && written < 200 * MIB) {
          written += chunk.length;
          if (!response.write(chunk)) return;
        }
      };
      response.on('drain', more);
      more();
    });
    const { client, seen } = clientOf(`http://127.0.0.1:${server.port}`);
    const error = await errorOf(client);
    expect(error.message).toContain('larger than 1048576 bytes');
    expect(seen).toEqual(['error']);
    await vi.waitFor(() => expect(server.sockets[0]?.destroyed).toBe(true));
    // What the sockets' buffers hold comes on top of the limit, and no more than that.
    expect(written).toBeLessThan(30 * MIB);
  });

  it.each([
    ['fewer bytes than announced', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"a":'],
    ['no last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n'],
  ])('that sends %s has given no answer', async (_name, text) => {
    const server = await serveRaw((socket) => socket.end(text));
    const { client, seen } = clientOf(`http://127.0.0.1:${server.port}`);
    const error = await errorOf(client);
    expect(error.code).toBe('ECONNRESET');
    expect(error.message).toContain('closed before the response was complete');
    expect(seen).toEqual(['error', 'again', 'error', 'again', 'error']);
  });

  it('that resets the connection has given no answer', async () => {
    const server = await serveRaw((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const error = await errorOf(clientOf(`http://127.0.0.1:${server.port}`).client);
    expect(error.message).toMatch(/closed before the response was complete \(ECONNRESET\)/);
  });

  it.each([
    ['does not speak HTTP', 'SSH-2.0-OpenSSH_6.2\r\n', 'the response is not HTTP (HPE_'],
    ['sends a megabyte of headers', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(MIB)}\r\n\r\n`, 'headers are too large'],
    ['sends two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 'not HTTP'],
  ])('that %s is told from one that is down', async (_name, text, problem) => {
    const server = await serveRaw((socket) => socket.once('data', () => socket.end(text)));
    const { client, seen } = clientOf(`http://127.0.0.1:${server.port}`);
    expect((await errorOf(client)).message).toContain(problem);
    expect(seen).toEqual(['error']);
  });

  it('that compresses without being asked is refused, not misread', async () => {
    const server = await serveHttp((_request, response) => {
      response.setHeader('Content-Encoding', 'gzip');
      response.end(gzipSync(Buffer.alloc(50 * MIB)));
    });
    const error = await errorOf(clientOf(`http://127.0.0.1:${server.port}`).client);
    expect(error.message).toContain('compressed, which was not requested');
  });

  it('that redirects is not followed, and its Location is told as a host only', async () => {
    const server = await serveHttp((_request, response) => {
      response.writeHead(302, { Location: 'http://user:password@evil.example:81/path?token=1' });
      response.end();
    });
    const { client } = clientOf(`http://127.0.0.1:${server.port}`, { token: async () => TOKEN });
    expect(await client.send(get())).toMatchObject({ status: 302, redirectedTo: 'evil.example:81' });
  });
});

describe('what an error says', () => {
  it('names the server, the request and the next step when nobody listens', async () => {
    const port = await refusingPort();
    const error = await errorOf(clientOf(`http://127.0.0.1:${port}`).client, get('/api', { query: { a: 'b' } }));
    expect(error.message).toBe(
      `kubernetes at http://127.0.0.1:${port}: GET /api: the connection was refused: does the API server listen there? check KUBE_REGISTER_API_ENDPOINT`,
    );
    expect(error).toMatchObject({ target: 'kubernetes', code: 'ECONNREFUSED', status: undefined });
  });

  it('tells a socket that is missing from one that nobody serves', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kube-register-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const problemOf = async (name: string) =>
      (await errorOf(clientOf(`unix://${join(folder, name)}`, { target: 'fleet' }).client)).message;
    expect(await problemOf('missing.sock')).toContain('is fleet running on this machine, and is the socket mounted');
    await writeFile(join(folder, 'file'), '');
    expect(await problemOf('file')).toContain('is a file, not a socket: check KUBE_REGISTER_FLEET_ENDPOINT');
    expect(await problemOf('file/fleet.sock')).toContain('a part of this path is a file');
    await mkdir(join(folder, 'folder'));
    expect(await problemOf('folder')).toContain(
      'is a directory, not a socket: check KUBE_REGISTER_FLEET_ENDPOINT; Docker creates',
    );
    // Closing takes away the file that was listened at, so the renamed one stays behind without anybody at it.
    const server = await serveHttp(() => {}, { path: join(folder, 'new.sock') });
    await rename(join(folder, 'new.sock'), join(folder, 'stopped.sock'));
    await server.close();
    expect(await problemOf('stopped.sock')).toContain('start it with `systemctl start fleet.socket`');
  });

  it.each([
    ['EACCES', '/var/run/fleet.sock', 'may not open the socket /var/run/fleet.sock: run as root or as a member of'],
    ['ECONNREFUSED', '/var/run/fleet.sock', 'systemctl start fleet.socket'],
    ['ENOTFOUND', undefined, 'KUBE_REGISTER_FLEET_ENDPOINT and the DNS'],
    ['ETIMEDOUT', undefined, 'routes and firewalls'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', undefined, 'KUBE_REGISTER_FLEET_CERT_FILE'],
    ['CERT_NOT_YET_VALID', undefined, 'check the clock'],
    ['ERR_OSSL_SOMETHING', undefined, 'the TLS handshake failed'],
  ])('%s has its advice', (code, socketPath, advice) => {
    expect(diagnose('fleet', socketPath, { code, message: '' })).toContain(advice);
  });

  it('never holds the token, however deep one looks', async () => {
    const server = await serveHttp((request) => request.socket.destroy());
    const { client } = clientOf(`http://127.0.0.1:${server.port}`, { token: async () => TOKEN });
    const error = await errorOf(client, get('/x', { body: { contentType: 'application/json', value: {} } }));
    for (const text of [JSON.stringify(error), inspect(error, { depth: Infinity, showHidden: true }), error.stack]) {
      expect(text).not.toContain(TOKEN);
      expect(text).not.toMatch(/axios(?!-client)/i);
    }
    const unknown = diagnose('fleet', undefined, { code: 'EODD', message: `bad Bearer ${TOKEN} http://u:${TOKEN}@h/` });
    expect(unknown).toBe('EODD: bad Bearer … http://h/');
  });

  it('never holds the token, in whatever escaping the server sends it back', async () => {
    const token = 'Secr3t/"token"+<x>';
    const escapings: ((text: string) => string)[] = [
      (text) => text,
      (text) => JSON.stringify({ message: text }),
      (text) =>
        `{"message":"${text.replace(/./g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)}"}`,
      encodeURIComponent,
      (text) => encodeURIComponent(text).toLowerCase().replace('secr3t', 'Secr3t'),
      (text) => Buffer.from(text).toString('base64'),
      (text) => JSON.stringify({ message: encodeURIComponent(JSON.stringify(text)) }),
      (text) => text.replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    ];
    const secrets = [token, encodeURIComponent(token), Buffer.from(token).toString('base64').slice(0, -4)];
    for (const echo of escapings) {
      const server = await serveHttp((request, response) => {
        const said = echo(request.headers.authorization?.replace('Bearer ', '') ?? '');
        const headers = { 'Content-Type': said, Server: said, Location: `http://h/${encodeURIComponent(said)}` };
        response.writeHead(302, headers).end(said);
      });
      const { client } = clientOf(`http://127.0.0.1:${server.port}`, { token: async () => token });
      const answer = await client.send(get());
      const error = client.failure(get(), `302 ${echo(token)}`, answer);
      const shown = [...Object.values(answer), error.message, inspect(error, { depth: Infinity, showHidden: true })];
      const readings = shown.map(String).flatMap((text) => [text, decoded(text), decoded(decoded(text))]);
      for (const secret of secrets) expect(readings.filter((text) => text.includes(secret))).toEqual([]);
    }

    function decoded(text: string): string {
      return text
        .replace(/\\u(.{4})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
        .replace(/%(..)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
        .replace(/\\(["\\/])/g, '$1')
        .replaceAll('&quot;', '"')
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>');
    }
  });

  it('never holds the token as a host that a redirect names', async () => {
    const token = 'secret-host-token';
    const server = await serveHttp((_request, response) => {
      response.writeHead(302, { Location: `https://${encodeURIComponent(token)}.example/` }).end();
    });
    const { client } = clientOf(`http://127.0.0.1:${server.port}`, { token: async () => token });
    expect((await client.send(get())).redirectedTo).not.toContain(token);
  });

  it.each(['two words', 'line\nbreak', ''])('refuses the token %j without repeating it', async (token) => {
    const server = await serveHttp((_request, response) => response.end());
    const error = await errorOf(clientOf(`http://127.0.0.1:${server.port}`, { token: async () => token }).client);
    expect(error.message).toMatch(/token is empty|token must be one word/);
    expect(server.sockets).toHaveLength(0);
  });

  it.each(['fleet.sock', 'unix://fleet.sock', 'ftp://host', 'http://user:secret@host', 'http://host/?token=secret'])(
    'the endpoint %s is refused without repeating it',
    (endpoint) => {
      expect(() => clientOf(endpoint)).toThrow(/^(an endpoint|a socket) must/);
      expect(() => clientOf(endpoint)).not.toThrow(/secret/);
    },
  );
});

describe('TLS', () => {
  const tls = { ca: certificate('ca.pem'), insecureSkipVerify: false };

  it('trusts a server of the given CA, by address and by the name that is set', async () => {
    const server = await serveHttps('server', (_request, response) => response.end('safe'));
    expect((await clientOf(`https://127.0.0.1:${server.port}`, { tls }).client.send(get())).body).toBe('safe');
    const named = await serveHttps('elsewhere', (_request, response) => response.end('safe'));
    const servername = { ...tls, servername: 'elsewhere.example' };
    const { client } = clientOf(`https://127.0.0.1:${named.port}`, { tls: servername });
    expect((await client.send(get())).body).toBe('safe');
  });

  it.each([
    ['an unknown CA', 'server', { insecureSkipVerify: false }, 'KUBE_REGISTER_API_CA_FILE'],
    ['another CA', 'server', { ...tls, ca: certificate('other-ca.pem') }, 'KUBE_REGISTER_API_CA_FILE'],
    ['an expired certificate', 'expired', tls, 'has expired'],
    ['a certificate for somebody else', 'elsewhere', tls, 'is for other names'],
  ])('refuses %s, once, and says what to do', async (_name, name, tlsOptions, advice) => {
    let asked = 0;
    const server = await serveHttps(name, () => {
      asked += 1;
    });
    const { client, seen } = clientOf(`https://127.0.0.1:${server.port}`, { tls: tlsOptions });
    expect((await errorOf(client)).message).toContain(advice);
    expect(asked).toBe(0);
    expect(seen).toEqual(['error']);
  });

  it('asks nobody for papers when it is told not to', async () => {
    const server = await serveHttps('expired', (_request, response) => response.end('unsafe'));
    const { client } = clientOf(`https://127.0.0.1:${server.port}`, { tls: { insecureSkipVerify: true } });
    expect((await client.send(get())).body).toBe('unsafe');
  });

  it('shows its client certificate, and says which one is missing', async () => {
    const wanting = { ca: certificate('ca.pem'), requestCert: true, rejectUnauthorized: true };
    const server = await serveHttps('server', (_request, response) => response.end('welcome'), wanting);
    const endpoint = `https://127.0.0.1:${server.port}`;
    const pair = { ...tls, cert: certificate('client.pem'), key: certificate('client.key') };
    expect((await clientOf(endpoint, { tls: pair }).client.send(get())).body).toBe('welcome');
    expect((await errorOf(clientOf(endpoint, { tls }).client)).message).toContain('KUBE_REGISTER_API_CERT_FILE');
  });

  // What Node 20 makes of the alerts of `openssl s_server -Verify 1 -verify_return_error`, in TLS 1.2 and then in 1.3.
  it.each([
    ['EPROTO', 'write EPROTO 80:error:0A000415:SSL routines:ssl3_read_bytes:sslv3 alert certificate expired', 'renew'],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', '', 'renew'],
    ['EPROTO', 'write EPROTO 80:error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca', 'that it trusts'],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', '', 'that it trusts'],
    ['EPROTO', 'write EPROTO 80:error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure', 'trusts'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', '', 'that it trusts'],
  ])('tells from %s %s what is wrong with the client certificate', (code, message, advice) => {
    const sentence = diagnose('kubernetes', undefined, { code, message });
    expect(sentence).toContain(advice);
    expect(sentence).toContain('KUBE_REGISTER_API_CERT_FILE');
  });

  it('tells a server that hangs up in the middle of the handshake', async () => {
    const server = await serveRaw((socket) => socket.once('data', () => socket.end()));
    const error = await errorOf(clientOf(`https://127.0.0.1:${server.port}`, { tls }).client);
    expect(error.message).toContain('closed the connection in the middle of the TLS handshake');
  });

  it('tells a plain HTTP port', async () => {
    const server = await serveHttp((_request, response) => response.end());
    const error = await errorOf(clientOf(`https://127.0.0.1:${server.port}`, { tls }).client);
    expect(error.message).toContain('KUBE_REGISTER_API_ENDPOINT begin with http:// instead of https://');
  });
});
