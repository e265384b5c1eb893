/** Every fault of the lab is one that a client can feel, and none of them keeps the lab from closing. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  answerWith,
  change,
  dripBody,
  dripHeaders,
  type Fault,
  flood,
  hang,
  hold,
  loseAnswer,
  notHttp,
  redirectTo,
  reset,
  truncate,
} from '../../lab/faults.ts';
import { type Kubernetes, startKubernetes } from '../../lab/kubernetes.ts';

let server: Kubernetes;
beforeEach(async () => {
  server = await startKubernetes({ keepRequests: 3 });
});
afterEach(() => server.close());

const ask = (path = '/healthz', init: RequestInit = {}) =>
  fetch(`${server.url}${path}`, { redirect: 'manual', ...init });

/** Everything that comes over a bare connection until `enough` says so. */
async function bytesUntil(enough: (received: string) => boolean): Promise<string> {
  const { port, hostname } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.write('GET /healthz HTTP/1.1\r\nHost: lab\r\n\r\n');
  let received = '';
  while (!enough(received)) received += (await once(socket, 'data')).toString();
  socket.destroy();
  return received;
}

describe('a fault', () => {
  it('strikes as often as it is told to, and then the truth is told again', async () => {
    server.faults.add(answerWith(503, 'later', { 'Content-Type': 'text/plain' }), { times: 2 });
    const statuses = [await ask(), await ask(), await ask()].map(({ status }) => status);
    expect(statuses).toEqual([503, 503, 200]);
  });

  it('strikes only the requests that it is meant for', async () => {
    server.faults.add(answerWith(500), { method: 'GET', path: /^\/version/ });
    expect((await ask('/healthz')).status).toBe(200);
    expect((await ask('/version', { method: 'POST' })).status).toBe(200);
    expect((await ask('/version')).status).toBe(500);
  });

  it('goes when it is lifted, and the older of two goes first', async () => {
    const lift = server.faults.add(answerWith(500));
    server.faults.add(answerWith(502));
    expect((await ask()).status).toBe(500);
    lift();
    expect((await ask()).status).toBe(502);
    server.faults.clear();
    expect((await ask()).status).toBe(200);
  });

  it('redirects', async () => {
    server.faults.add(redirectTo('http://127.0.0.1:1/elsewhere'));
    const response = await ask();
    expect([response.status, response.headers.get('location')]).toEqual([302, 'http://127.0.0.1:1/elsewhere']);
  });

  it('lies about the truth', async () => {
    server.faults.add(change((answer) => ({ ...answer, body: answer.body.toUpperCase() })));
    expect(await (await ask()).text()).toBe('OK');
  });

  it('hangs until the server closes', async () => {
    server.faults.add(hang);
    const arrival = server.log.arrival({ path: /healthz/ });
    const answer = ask();
    expect((await arrival).method).toBe('GET');
    const closed = server.close();
    await expect(answer).rejects.toThrow('fetch failed');
    await closed;
  });

  it('holds a request back, unheard, until it is released', async () => {
    const held = hold();
    server.faults.add(held.fault, { times: 1 });
    const arrival = server.log.arrival();
    const answer = ask('/api/v1/nodes/n');
    await arrival;
    server.putNode({ name: 'n' });
    held.release();
    expect((await answer).status).toBe(200);
  });

  it('resets the connection and does nothing of what was asked', async () => {
    server.faults.add(reset);
    await expect(create('n')).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
    expect(server.node('n')).toBeUndefined();
  });

  it('does what was asked and loses the answer', async () => {
    server.faults.add(loseAnswer);
    await expect(create('n')).rejects.toThrow('fetch failed');
    expect(server.node('n')).toBeDefined();
  });

  it('sends half of what it announced', async () => {
    server.faults.add(truncate);
    const response = await ask('/version');
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow('terminated');
  });

  it('sends a body without an end, and can still be closed', async () => {
    server.faults.add(flood);
    const response = await ask();
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > 1_000_000) break;
    }
    expect(bytes).toBeGreaterThan(1_000_000);
  });

  it.each<[string, Fault, RegExp]>([
    ['a header', dripHeaders(1), /^HTTP\/1\.1 200 OK\r\nX-Drip: \.{3,}$/],
    ['a body', dripBody(1), /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n(1\r\n\.\r\n){3,}$/],
    ['something that is not HTTP', notHttp, /^SSH/],
  ])('sends %s', async (_, fault, expected) => {
    server.faults.add(fault);
    expect(await bytesUntil((received) => expected.test(received))).toMatch(expected);
  });
});

describe('the log', () => {
  it('counts every request and keeps the latest', async () => {
    for (const path of ['/1', '/2', '/3', '/4']) await ask(path);
    expect(server.log.total).toBe(4);
    expect(server.log.entries.map(({ path }) => path)).toEqual(['/2', '/3', '/4']);
    server.log.clear();
    expect([server.log.total, server.log.entries]).toEqual([0, []]);
  });

  it('tells writes from reads', async () => {
    await create('n');
    await ask('/api/v1/nodes');
    expect(server.log.writes).toMatchObject([
      { method: 'POST', path: '/api/v1/nodes', body: '{"metadata":{"name":"n"}}' },
    ]);
    expect(server.log.of({ method: 'GET' })).toHaveLength(1);
  });
});

function create(name: string): Promise<Response> {
  const headers = { 'Content-Type': 'application/json' };
  return ask('/api/v1/nodes', { method: 'POST', headers, body: JSON.stringify({ metadata: { name } }) });
}
