/** A node as one pass knows it. */
import { describe, expect, it } from 'vitest';
import { addressesOf, hasOwnName, isReporting, reports, toNode } from '../../../../src/reconcile/evidence/node.ts';
import { ERAS, node, record } from '../world.ts';

describe('what was read of a node', () => {
  const { facts, ...metadata } = record('x', { machineId: 'a', mark: 'a' });

  it('in this pass is fresh, and stands before what was read earlier', () => {
    const earlier = { machineId: 'old', addresses: [], ready: 'true', unschedulable: false } as const;
    expect(toNode({ ...metadata, facts }, 'default', earlier)).toMatchObject({
      facts: { machineId: 'a' },
      isFresh: true,
    });
  });

  it('in an earlier pass stands, but is not fresh', () => {
    expect(toNode({ ...metadata, facts: undefined }, 'default', facts)).toMatchObject({
      facts: { machineId: 'a' },
      isFresh: false,
    });
  });

  it('is nothing where it was never read', () => {
    expect(toNode({ ...metadata, facts: undefined }, 'default')).toMatchObject({ facts: undefined, isFresh: false });
  });

  it('tells nothing where it was never read, except on a server that hides minions', () => {
    const unread = { facts: undefined };
    expect([addressesOf(unread), reports(unread, ''), isReporting(unread, ERAS['v1.20'])]).toEqual([[], false, false]);
    expect(isReporting(unread, ERAS['v0.8'])).toBe(true);
  });

  it('has its mark, or the owner that it belongs to', () => {
    expect(toNode({ ...metadata, facts }, 'default')).toMatchObject({
      mark: { machineId: 'a' },
      otherOwner: undefined,
    });
    expect(toNode({ ...metadata, facts }, 'east')).toMatchObject({ mark: undefined, otherOwner: 'default' });
  });
});

describe('a name is the kubelet’s own', () => {
  it.each([
    ['when its origin says so, though NODE_NAME would give it', '10.0.0.1', { mark: 'a', origin: 'own-name' }, true],
    [
      'not when its origin says that NODE_NAME gave it, though it would not now',
      'host',
      { mark: 'a', origin: 'named' },
      false,
    ],
    ['when no origin was written and NODE_NAME would not give it', 'host', { mark: 'a' }, true],
    ['when it is unmarked and NODE_NAME would not give it', 'host', {}, true],
    ['not when NODE_NAME gives it to any machine', 'given', {}, false],
    ['not when it is an IPv4 address', '10.7.7.7', {}, false],
    ['not when it is an IPv6 address', 'fd00::1', {}, false],
  ] as const)('%s', (_, name, traits, expected) => {
    expect(hasOwnName(node(name, traits), new Set(['10.0.0.1', 'given']))).toBe(expected);
  });
});
