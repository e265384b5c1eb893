/** Which IP addresses can be a machine's, and the one way in which each is written. */
import { isIPv4, isIPv6 } from 'node:net';

/**
 * The address as dotted IPv4 or as lower-case compressed IPv6 (RFC 5952), or undefined when no machine can be reached at
 * it: not an IP address (octets with leading zeros are none), unspecified, broadcast, multicast, or bound to a zone
 * (`fe80::1%eth0`). An IPv4 address inside IPv6 (`::ffff:10.0.0.1`) is the IPv4 address. Loopback is usable.
 */
export function usableAddress(text: string): string | undefined {
  if (isIPv4(text)) return isUsableIPv4(text) ? text : undefined;
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const address = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(address);
  if (mapped !== null) return usableAddress(`${dotted(mapped[1])}.${dotted(mapped[2])}`);
  return address === '::' || /^ff[0-9a-f]{2}:/.test(address) ? undefined : address;
}

/**
 * The name under which DNS keeps the names of an address (RFC 1035, RFC 3596): `1.0.0.10.in-addr.arpa`. The address is one that
 * `usableAddress` wrote.
 */
export function reverseName(address: string): string {
  if (isIPv4(address)) return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  const [head = [], tail] = address.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - head.length - tail.length }, () => '0');
  const groups = [...head, ...zeros, ...(tail ?? [])].map((group) => group.padStart(4, '0'));
  return `${[...groups.join('')].reverse().join('.')}.ip6.arpa`;
}

function isUsableIPv4(address: string): boolean {
  const first = Number.parseInt(address, 10);
  const isMulticast = first >= 224 && first <= 239;
  return !isMulticast && address !== '0.0.0.0' && address !== '255.255.255.255';
}

/** One 16-bit group of IPv6 as two octets: `a01` is 10.1. */
function dotted(group = ''): string {
  const value = Number.parseInt(group, 16);
  return `${value >> 8}.${value & 0xff}`;
}
