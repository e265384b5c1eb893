/** A proxy before the API server: what goes through is noted, and a test can act right before a request does. */
import { readFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { onTestFinished } from 'vitest';
import type { Servers } from './servers.ts';

export interface Gate {
  readonly url: string;
  /** `DELETE /api/v1/nodes/a`, in order of arrival, without queries. */
  readonly requests: readonly string[];
  /** Acts once, before the first request of this kind from now on goes through. */
  before(kind: RegExp, act: () => Promise<unknown>): void;
}

/** It is gone when the test is. */
export async function startGate({ authority, url }: Servers): Promise<Gate> {
  const { certFile, keyFile } = await authority.serverAt('gate', ['127.0.0.1']);
  const ca = readFileSync(authority.caFile);
  const agent = new Agent({ ca, keepAlive: true });
  const requests: string[] = [];
  const acts: { readonly kind: RegExp; readonly act: () => Promise<unknown> }[] = [];

  const server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (asked, answer) => {
    const { method = '', url: path = '', headers } = asked;
    const what = `${method} ${path.replace(/\?.*/, '')}`;
    requests.push(what);
    const index = acts.findIndex(({ kind }) => kind.test(what));
    const [due] = index === -1 ? [] : acts.splice(index, 1);
    Promise.resolve(due?.act()).then(
      () => {
        const forwarded = request(url + path, { method, headers, agent }, (real) => {
          answer.writeHead(real.statusCode ?? 502, real.headers);
          pipeline(real, answer, () => {});
        });
        pipeline(asked, forwarded, () => {});
        forwarded.on('error', () => answer.destroy());
      },
      (error) => answer.destroy(error),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
    agent.destroy();
  });
  return {
    url: `https://127.0.0.1:${portOf(server.address())}`,
    requests,
    before: (kind, act) => void acts.push({ kind, act }),
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the gate does not listen');
  return address.port;
}
