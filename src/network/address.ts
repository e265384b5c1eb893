/** Which IP addresses can be a machine's, and the one way in which each is written. */
import { isIPv4, isIPv6 } from 'node:net';

/** What an address means to everyone that cannot be the address of one machine. `loopback` is 127.0.0.1 or ::1. */
export type Reserved = 'loopback' | 'unspecified' | 'link-local' | 'multicast' | 'broadcast';

/**
 * The address as dotted IPv4 or as lower-case compressed IPv6 (RFC 5952), or undefined when it is not an IP address (octets with
 * leading zeros are none), bound to a zone (`fe80::1%eth0`), or reserved. An IPv4 address inside IPv6 (`::ffff:10.0.0.1`) is the
 * IPv4 address. Of 127.0.0.0/8 only 127.0.0.1 is reserved.
 */
export function usableAddress(text: string): string | undefined {
  const address = canonical(text);
  return address === undefined || reservedFor(address) !== undefined ? undefined : address;
}

/** Why an IP address cannot be a machine's (RFC 6890); undefined when it can, or when the text is no IP address. */
export function reservedAs(text: string): Reserved | undefined {
  const address = canonical(text);
  return address === undefined ? undefined : reservedFor(address);
}

function canonical(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const address = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(address);
  return mapped === null ? address : `${dotted(mapped[1])}.${dotted(mapped[2])}`;
}

const RESERVED: readonly { readonly addresses: RegExp; readonly as: Reserved }[] = [
  { addresses: /^(127\.0\.0\.1|::1)$/, as: 'loopback' },
  { addresses: /^(0\..*|::)$/, as: 'unspecified' },
  { addresses: /^(169\.254\..*|fe[89ab][0-9a-f]:.*)$/, as: 'link-local' },
  { addresses: /^(2(2[4-9]|3\d)\..*|ff[0-9a-f]{2}:.*)$/, as: 'multicast' },
  { addresses: /^255\.255\.255\.255$/, as: 'broadcast' },
];

function reservedFor(address: string): Reserved | undefined {
  return RESERVED.find(({ addresses }) => addresses.test(address))?.as;
}

/** An address or a name as the host of a URL: IPv6 in brackets. */
export function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
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

/** One 16-bit group of IPv6 as two octets: `a01` is 10.1. */
function dotted(group = ''): string {
  const value = Number.parseInt(group, 16);
  return `${value >> 8}.${value & 0xff}`;
}
