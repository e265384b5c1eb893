/** The health check of the image asks the daemon where it listens, by whatever family of addresses that is. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { rowOf } from '../../../src/settings/table.ts';

const dockerfile = readFileSync(new URL('../../../Dockerfile', import.meta.url), 'utf8');
const [, command = ''] = /^HEALTHCHECK .* CMD (\[.*\])$/m.exec(dockerfile.replaceAll('\\\n', '')) ?? [];
const [, flag, script] = z
  .tuple([z.literal('/opt/kube-register/lib/node'), z.string(), z.string()])
  .parse(JSON.parse(command));

function certificate(file: string): string {
  return readFileSync(new URL(`../../certificates/${file}`, import.meta.url), 'utf8');
}

/** The exit code of the check where KUBE_REGISTER_LISTEN says this. */
async function health(listen: string | undefined): Promise<unknown> {
  const env = { PATH: process.env['PATH'] ?? '', ...(listen !== undefined && { KUBE_REGISTER_LISTEN: listen }) };
  const [code] = await once(spawn(process.execPath, [flag, script], { env, stdio: 'ignore' }), 'exit');
  return code;
}

/** The port of a daemon that listens at this host and answers like that. */
async function daemon(host: string, status = 200, scheme = 'http'): Promise<number> {
  const listener: RequestListener = (request, response) => {
    response.statusCode = request.url === '/healthz' ? status : 404;
    response.end();
  };
  const tls = { cert: certificate('server.pem'), key: certificate('server.key') };
  const server = (scheme === 'http' ? createServer(listener) : createTlsServer(tls, listener)).listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

describe('the health check of the image', () => {
  it.each([
    ['127.0.0.1', '[::]'],
    ['::1', '[::]'],
    ['127.0.0.1', '0.0.0.0'],
    ['127.0.0.1', 'localhost'],
    ['127.0.0.9', '127.0.0.9'],
    ['::1', '[::1]'],
  ])('is well where the daemon listens at %s and LISTEN says %s', async (host, listen) => {
    expect(await health(`${listen}:${await daemon(host)}`)).toBe(0);
  });

  it('is not well where the daemon is not, or where nothing answers', async () => {
    expect(await health(`[::]:${await daemon('127.0.0.1', 503)}`)).toBe(1);
    expect(await health('127.0.0.1:1')).toBe(1);
  });

  it('asks over https where WEB_CONFIG_FILE has a certificate', async () => {
    expect(await health(`[::]:${await daemon('127.0.0.1', 200, 'https')}`)).toBe(0);
    expect(await health(`[::]:${await daemon('127.0.0.1', 503, 'https')}`)).toBe(1);
  });

  it('is well where the daemon listens nowhere', async () => {
    expect(await health('off')).toBe(0);
  });

  it('knows the default of LISTEN', () => {
    expect(script).toContain(`process.env.KUBE_REGISTER_LISTEN || '${rowOf('LISTEN').default}'`);
  });
});
