/** The connections to one server: a pool with keep-alive, over TLS where the endpoint is https. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP } from 'node:net';
import type { PeerCertificate } from 'node:tls';
import { secureContextOf, type TlsMaterial } from '../credentials/tls-files.ts';
import type { Endpoint } from './endpoint.ts';
import { identityProblem } from './server-identity.ts';

/** How a server is verified, and which client certificate it gets. */
export interface TlsOptions extends TlsMaterial {
  readonly insecureSkipVerify: boolean;
  /** The name that the server's certificate must be for, where it is not the endpoint's host. */
  readonly servername?: string;
}

/** In ms. Servers and balancers close idle connections later than this: a request on a closed connection would fail. */
const IDLE_MS = 10_000;
/** As axios sets it for each request: another value would be four calls of the kernel before and after each. */
const PROBE_MS = 60_000;

/** The agent for an endpoint; no connection is opened yet. Throws an Error when the TLS material is unusable. */
export function createAgent({ baseUrl }: Endpoint, tls: TlsOptions): HttpAgent {
  const pooling = { keepAlive: true, keepAliveMsecs: PROBE_MS, timeout: IDLE_MS };
  if (!baseUrl.startsWith('https:')) return new HttpAgent(pooling);
  const { insecureSkipVerify, servername, ...material } = tls;
  return new HttpsAgent({
    ...pooling,
    secureContext: secureContextOf(material),
    rejectUnauthorized: !insecureSkipVerify,
    // An IP address is verified, but not sent: RFC 6066, section 3.
    ...(servername === undefined ? {} : { servername: isIP(servername) === 0 ? servername : '' }),
    checkServerIdentity: (host: string, certificate: PeerCertificate) =>
      identityProblem(servername ?? host, certificate, tls.legacy ?? false),
  });
}

/** Closes the idle connections. The cause that broke one connection may have broken them too. */
export function dropIdleConnections(agent: HttpAgent): void {
  for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
}
