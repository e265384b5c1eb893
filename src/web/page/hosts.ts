/** By which names the page may be opened: a stranger's name that leads here must not show a stranger's page the cluster. */
import { isIPv4, isIPv6 } from 'node:net';
import { quote } from '../../text/quote.ts';

export interface OwnNames {
  /** The host of KUBE_REGISTER_LISTEN. */
  readonly listen: string;
  /** What this machine calls itself. */
  readonly hostname: string;
  /** KUBE_REGISTER_PAGE_HOSTS. */
  readonly pageHosts: readonly string[];
}

/** Why a request with this Host header is not answered, or undefined when it is. */
export type HostCheck = (host: string | undefined) => HostProblem | undefined;

interface HostProblem {
  /** An HTTP status: 421 is Misdirected Request, https://www.rfc-editor.org/rfc/rfc9110#status.421 */
  readonly status: 400 | 421;
  readonly message: string;
}

/**
 * With DNS rebinding a web site makes its own name lead to this server, and reads the answers from its visitors' browsers. It
 * cannot do that with an address, with a name without a dot, or with a name that is not its own.
 */
export function hostCheck({ listen, hostname, pageHosts }: OwnNames): HostCheck {
  const names = new Set([listen, hostname, ...pageHosts].map(normal));
  return (host) => {
    if (host === undefined || host === '') return { status: 400, message: 'the request names no Host' };
    const name = nameIn(host);
    if (name !== undefined && (isNobodys(name) || names.has(name))) return undefined;
    return {
      status: 421,
      message: `the page is not shown under the name ${quote(name ?? host)}: add it to KUBE_REGISTER_PAGE_HOSTS, or use an IP address`,
    };
  };
}

/** The Host header without its port; undefined when it is none. */
function nameIn(host: string): string | undefined {
  const { v6, name } = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^:[\]@/]+))(?::\d*)?$/.exec(host)?.groups ?? {};
  if (v6 !== undefined) return isIPv6(v6) ? v6 : undefined;
  return name === undefined ? undefined : normal(name);
}

function normal(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** Names that no web site can have. */
function isNobodys(name: string): boolean {
  return isIPv4(name) || isIPv6(name) || !name.includes('.') || name.endsWith('.localhost');
}
