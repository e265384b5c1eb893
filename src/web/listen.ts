/** Listens on the address of `KUBE_REGISTER_LISTEN`. */
import { once } from 'node:events';
import type { Server } from 'node:net';
import { urlHost } from '../network/address.ts';

/** An address to listen on. */
export interface ListenAddress {
  /** An IP address, IPv6 without brackets, or a host name. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/** `cannot listen on [::]:10271: another program has this port; set KUBE_REGISTER_LISTEN to another host:port or off` */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  /** `EADDRINUSE` and its like; empty where Node gives none. */
  readonly code: string;

  constructor(listen: ListenAddress, problem: string, cause: unknown) {
    super(`cannot listen on ${hostPort(listen)}: ${problem}; ${OTHER_PORT}`, { cause });
    this.code = codeOf(cause);
  }
}

/** What to do where a port cannot be had. */
export const OTHER_PORT = 'set KUBE_REGISTER_LISTEN to another host:port or off';

/** Why an address cannot be listened on, by the code of the error. */
export const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program has this port',
  EACCES: 'this user may not open this port',
  EADDRNOTAVAIL: 'this machine does not have this address',
  ENOTFOUND: 'no address is known for this host name',
  EAI_AGAIN: 'the name server does not answer for this host name',
};

/** EAFNOSUPPORT: the kernel has no IPv6. EADDRNOTAVAIL: no interface has. */
const IPV6_IS_OFF = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL']);

/** Starts listening. `::` includes IPv4, and is IPv4 alone where IPv6 is off. Throws ListenError. */
export async function listenAt(server: Server, listen: ListenAddress): Promise<void> {
  const addresses = listen.host === '::' ? [listen, { ...listen, host: '0.0.0.0' }] : [listen];
  for (const [index, address] of addresses.entries()) {
    try {
      server.listen({ ...address });
      await once(server, 'listening');
      return;
    } catch (error) {
      const isLast = index === addresses.length - 1;
      if (isLast || !IPV6_IS_OFF.has(codeOf(error))) throw listenError(address, error);
    }
  }
}

/** The address as KUBE_REGISTER_LISTEN has it: `[::]:10271`. */
export function hostPort({ host, port }: ListenAddress): string {
  return `${urlHost(host)}:${port}`;
}

/** Whether the host of LISTEN is all addresses. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** Where clients on this machine find what listens there: at the loopback where it listens on all addresses. */
export function seenFromHere({ host, port }: ListenAddress): ListenAddress {
  return { host: isWildcard(host) ? '127.0.0.1' : host, port };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function listenError(address: ListenAddress, cause: unknown): ListenError {
  const problem = LISTEN_PROBLEMS[codeOf(cause)] ?? (cause instanceof Error ? cause.message : String(cause));
  return new ListenError(address, problem, cause);
}
