/** How another kube-register is asked: what comes of servers that do not answer as they should. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { getText } from '../../src/http/get-text.ts';

async function serverOfTest(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const NEVER = new AbortController().signal;
const PATIENT = 30_000;

describe('one GET', () => {
  it('gives the answer as it is, whatever its status', async () => {
    const url = await serverOfTest((_, response) => response.writeHead(503).end('{"a":1}'));
    expect(await getText(url, PATIENT, NEVER)).toMatchObject({ status: 503, body: '{"a":1}' });
  });

  it('follows no redirect', async () => {
    const url = await serverOfTest((_, response) => response.writeHead(302, { Location: '/there' }).end());
    expect(await getText(url, PATIENT, NEVER)).toMatchObject({ status: 302 });
  });

  it.each<[string, RequestListener, number, string]>([
    ['never answers', () => {}, 100, 'no complete response within 100ms'],
    [
      'drips',
      (_, response) => {
        const drip = setInterval(() => response.write('.'), 10);
        response.on('close', () => clearInterval(drip));
      },
      200,
      'no complete response within 200ms',
    ],
    [
      'hangs up',
      (request) => request.socket.destroy(),
      PATIENT,
      'the connection was closed before the response was complete',
    ],
    [
      'hangs up in the middle',
      (request, response) => {
        response.writeHead(200, { 'Content-Length': 10 });
        response.write('12345', () => request.socket.destroy());
      },
      PATIENT,
      'the connection was closed before the response was complete',
    ],
    [
      'speaks no HTTP',
      (request) => request.socket.end('SSH-2.0-OpenSSH\r\n'),
      PATIENT,
      'the response is not HTTP (HPE_INVALID_CONSTANT)',
    ],
    [
      'never ends',
      (_, response) => {
        const flood = () => {
          while (!response.destroyed && response.write(Buffer.alloc(1024 * 1024)));
          response.once('drain', flood);
        };
        flood();
      },
      PATIENT,
      'the response is larger than 64 MiB',
    ],
  ])('of a server that %s is a problem in one sentence', async (_, listener, timeoutMs, problem) => {
    const url = await serverOfTest(listener);
    await expect(getText(url, timeoutMs, NEVER)).rejects.toMatchObject({ message: problem, refused: false });
  });

  it('says that nobody listens', async () => {
    await expect(getText('http://127.0.0.1:1', PATIENT, NEVER)).rejects.toMatchObject({
      message: 'the connection was refused',
      refused: true,
    });
  });

  it('ends when it is interrupted, before or while it waits', async () => {
    const url = await serverOfTest(() => {});
    const stop = new AbortController();
    const waiting = getText(url, PATIENT, stop.signal);
    stop.abort();
    await expect(waiting).rejects.toThrow('interrupted');
    await expect(getText(url, PATIENT, stop.signal)).rejects.toThrow('interrupted');
  });
});
