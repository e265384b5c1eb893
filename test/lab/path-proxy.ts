/** A reverse proxy that shows a server under a path, as nginx does with `location /a/b/ { proxy_pass http://server/; }`. */
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { pipeline } from 'node:stream';

export interface PathProxy {
  /** Ends with a slash. */
  readonly url: string;
  close(): Promise<void>;
}

/** `path` begins and ends with a slash. Whatever is not below it is 404. */
export async function startPathProxy(to: string, path: string): Promise<PathProxy> {
  const server = createServer((asked, answer) => {
    const { method, url = '', headers } = asked;
    if (!url.startsWith(path)) {
      answer.writeHead(404).end();
      return;
    }
    const forwarded = request(new URL(url.slice(path.length - 1), to), { method, headers, agent: false }, (real) => {
      answer.writeHead(real.statusCode ?? 502, real.headers);
      pipeline(real, answer, () => {});
    });
    forwarded.on('error', () => answer.destroy());
    answer.once('close', () => forwarded.destroy());
    pipeline(asked, forwarded, () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
  return {
    url: `http://127.0.0.1:${address.port}${path}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
