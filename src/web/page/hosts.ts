/** The host names under which the page is served, as a protection against DNS rebinding. */
import { isIPv4, isIPv6 } from 'node:net';
import { quote } from '../../text/quote.ts';

export interface OwnNames {
  /** The host of KUBE_REGISTER_LISTEN. */
  readonly listen: string;
  /** The host name of this machine. */
  readonly hostname: string;
  /** KUBE_REGISTER_PAGE_HOSTS. */
  readonly pageHosts: readonly string[];
}

/** Why a request with this Host header is refused, or undefined. */
export type HostCheck = (host: string | undefined) => HostProblem | undefined;

interface HostProblem {
  /** An HTTP status: 421 is Misdirected Request, https://www.rfc-editor.org/rfc/rfc9110#status.421 */
  readonly status: 400 | 421;
  readonly message: string;
}

/**
 * Accepts IP addresses, names without a dot, and our own names. With DNS rebinding a web site resolves its own name to this server and reads
 * the page in the browsers of its visitors; these names are never those of a web site.
 */
export function hostCheck({ listen, hostname, pageHosts }: OwnNames): HostCheck {
  const names = new Set([listen, hostname, ...pageHosts].map(normal));
  return (host) => {
    if (host === undefined || host === '') return { status: 400, message: 'the request has no Host header' };
    const name = nameIn(host);
    if (name !== undefined && (isNoWebSite(name) || names.has(name))) return undefined;
    return {
      status: 421,
      message: `the page is not shown under the name ${quote(name ?? host)}: add it to KUBE_REGISTER_PAGE_HOSTS, or use an IP address`,
    };
  };
}

/** The host in a Host header, without the port; undefined when it is invalid. */
function nameIn(host: string): string | undefined {
  const { v6, name } = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:[\]@/]+))(?::\d*)?$/.exec(host)?.groups ?? {};
  if (v6 !== undefined) return isIPv6(v6) ? v6 : undefined;
  return name === undefined ? undefined : normal(name);
}

function normal(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** Whether no web site can have the name. */
function isNoWebSite(name: string): boolean {
  return isIPv4(name) || isIPv6(name) || !name.includes('.') || name.endsWith('.localhost');
}
