/** The URLs at which a kubelet may be asked, taken apart once so that no check parses one. */
import { urlHost } from '../network/address.ts';

/** One URL template, for every address. */
export interface HealthUrl {
  readonly secure: boolean;
  readonly port: number;
  /** With the query, ready to be sent. */
  readonly path: string;
  /** For people, without the query. */
  show(address: string): string;
}

/** Reads `http://{ip}:10255/healthz`, where `{ip}` is the whole host. Throws TypeError when it is no URL. */
export function parseHealthUrl(template: string): HealthUrl {
  const { protocol, port, pathname, search } = new URL(template.replace('{ip}', '192.0.2.1'));
  const secure = protocol === 'https:';
  const portNumber = port === '' ? (secure ? 443 : 80) : Number(port);
  return {
    secure,
    port: portNumber,
    path: pathname + search,
    show: (address) => `${protocol}//${urlHost(address)}:${portNumber}${pathname}`,
  };
}
