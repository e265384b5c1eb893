/** Tells from a request whether its client is on this machine, and whether a page of another web site made it. */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIPv4 } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Headers by which a proxy says that it forwards a request of somebody else. */
const FORWARDED = ['Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Real-IP', 'Via'] as const;

export interface Client {
  /** The peer's address, IPv4 without the form of IPv6. */
  readonly address: string;
  /**
   * The peer has a loopback address, or the very address that it connected to. Linux drops packets from outside with such a source, so
   * nobody else can have it. A proxy on this machine has it too.
   */
  readonly isHere: boolean;
  /** The first header by which a proxy says that its client is somebody else. */
  readonly forwardedBy: string | undefined;
}

/** The client of a request. */
export function clientOf({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): Client {
  const address = plain(socket.remoteAddress);
  const isHere = address !== '' && (isLoopback(address) || address === plain(socket.localAddress));
  return { address, isHere, forwardedBy: FORWARDED.find((name) => headers[name.toLowerCase()] !== undefined) };
}

/**
 * Whether a page of another web site made the browser send this request, other than by a link. Such a page cannot read the response, but
 * it could hold the streams of the page. Browsers send these headers to https and to loopback addresses: https://www.w3.org/TR/fetch-metadata/
 */
export function isFromOtherSite({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const site = headers['sec-fetch-site'];
  return (site === 'cross-site' || site === 'same-site') && headers['sec-fetch-mode'] !== 'navigate';
}

function isLoopback(address: string): boolean {
  return loopback.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

/** A socket for IPv6 has IPv4 addresses as `::ffff:10.0.0.1`. */
function plain(address = ''): string {
  return address.replace(/^::ffff:(?=[\d.]+$)/i, '');
}
