import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reservedAs, reverseName, urlHost, usableAddress } from '../../../src/network/address.ts';

describe('an address that can be a machine’s', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['127.0.0.2', '127.0.0.2'],
    ['127.255.255.254', '127.255.255.254'],
    ['1.0.0.0', '1.0.0.0'],
    ['10.0.0.255', '10.0.0.255'],
    ['169.253.1.1', '169.253.1.1'],
    ['240.0.0.1', '240.0.0.1'],
    ['223.255.255.255', '223.255.255.255'],
    ['::2', '::2'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8::0:0:1', '2001:db8::1'],
    ['FEC0:0000::1', 'fec0::1'],
    ['fd00::1', 'fd00::1'],
    ['ff::1', 'ff::1'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:127.0.0.2', '127.0.0.2'],
    ['0:0:0:0:0:FFFF:C000:0201', '192.0.2.1'],
  ])('%s is written %s', (text, written) => {
    expect(usableAddress(text)).toBe(written);
  });
});

describe('an address that cannot be a machine’s', () => {
  it.each([
    ['is empty', ''],
    ['is a name', 'localhost'],
    ['lacks an octet', '10.0.0'],
    ['has an octet with a leading zero', '10.0.0.01'],
    ['has an octet over 255', '10.0.0.256'],
    ['has a port', '10.0.0.1:80'],
    ['has a prefix length', '10.0.0.0/8'],
    ['has a space', '10.0.0.1 '],
    ['is a number', '167772161'],
    ['stands in brackets', '[::1]'],
    ['belongs to a zone', 'fe80::1%eth0'],
  ])('%s', (_why, text) => {
    expect(usableAddress(text)).toBeUndefined();
  });
});

describe('an address that is reserved', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['::1', 'loopback'],
    ['0:0::0:1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['0.0.0.1', 'unspecified'],
    ['0.255.255.255', 'unspecified'],
    ['0::0', 'unspecified'],
    ['::ffff:0.0.0.0', 'unspecified'],
    ['169.254.0.1', 'link-local'],
    ['169.254.169.254', 'link-local'],
    ['FE80::1', 'link-local'],
    ['febf:ffff::1', 'link-local'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['::ffff:224.0.0.1', 'multicast'],
    ['FF02::1', 'multicast'],
    ['255.255.255.255', 'broadcast'],
  ])('%s is %s, and no machine’s', (text, as) => {
    expect(reservedAs(text)).toBe(as);
    expect(usableAddress(text)).toBeUndefined();
  });

  it('is none of the others, and no text that is no address', () => {
    for (const text of ['10.0.0.1', '127.0.0.2', 'fd00::1', '', 'localhost', 'fe80::1%eth0']) {
      expect(reservedAs(text)).toBeUndefined();
    }
  });
});

describe('whatever it is given', () => {
  it('the outcome is an IP address that is its own canonical form', () => {
    const anything = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string());
    fc.assert(
      fc.property(anything, (text) => {
        const address = usableAddress(text);
        if (address === undefined) return;
        expect(isIP(address)).not.toBe(0);
        expect(usableAddress(address)).toBe(address);
      }),
    );
  });

  it('it stays the same address', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const address = usableAddress(text);
        if (address === undefined) return;
        const same = new BlockList();
        same.addAddress(text, 'ipv6');
        expect(same.check(isIP(address) === 4 ? `::ffff:${address}` : address, 'ipv6')).toBe(true);
      }),
    );
  });
});

describe('the name of an address in DNS', () => {
  it.each([
    ['10.0.0.1', '1.0.0.10.in-addr.arpa'],
    ['2001:db8::1', `${'1.0.0.0.'}${'0.0.0.0.'.repeat(5)}8.b.d.0.1.0.0.2.ip6.arpa`],
    ['1:2:3:4:5:6:7:8', '8.0.0.0.7.0.0.0.6.0.0.0.5.0.0.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.ip6.arpa'],
    ['::1', `1.${'0.'.repeat(31)}ip6.arpa`],
    ['fe80::', `${'0.'.repeat(28)}0.8.e.f.ip6.arpa`],
  ])('of %s is %s', (address, name) => {
    expect(reverseName(address)).toBe(name);
  });
});

it.each([
  ['10.0.0.1', '10.0.0.1'],
  ['fd00::1', '[fd00::1]'],
  ['node.example', 'node.example'],
])('%s is %s in a URL', (host, written) => {
  expect(urlHost(host)).toBe(written);
});
