/** Where the kubelet of a node is asked by what earlier passes learned, and when an answer there may be that of either of two hosts. */
import { describe, expect, it } from 'vitest';
import { isStillAt, NO_PAST, type Past } from '../../../../src/reconcile/evidence/endpoints.ts';
import { livenessOf } from '../../../../src/reconcile/evidence/liveness.ts';
import { ADDRESS } from '../../../../src/reconcile/evidence/marks.ts';
import type { Node } from '../../../../src/reconcile/evidence/node.ts';
import { clone, ERAS, HOUR, MINUTE, machine, type NodeTraits, node, observed, ours, type World } from '../world.ts';

const up = { ready: 'true' } as const;
const OWN = '10.0.0.9';
const ELSEWHERE = '10.0.0.8';

/** `10.0.0.1`, or `10.0.0.1 is that of x` where an answer there is another node's. */
function endpointsOf(asked: Node, world: World, past: Partial<Past> = {}): readonly string[] {
  const observation = observed({ ...world, nodes: [asked, ...(world.nodes ?? [])] });
  const endpoints = livenessOf(observation, observation.pairing, { ...NO_PAST, ...past }).endpointsOf(asked);
  return endpoints.map(({ address, otherNode, isContested }) => {
    if (otherNode === undefined) return `${address}${isContested === true ? ' may be its own' : ''}`;
    return `${address} ${isContested === true ? 'may be' : 'is'} that of ${otherNode.name}`;
  });
}

const answered = (...addresses: readonly string[]) =>
  new Map<string, readonly string[]>(addresses.length === 0 ? [] : [['uid-x', addresses]]);

describe('where its kubelet answered before', () => {
  const past = { answered: answered(ELSEWHERE) };

  it.each<[string, NodeTraits, World, readonly string[]]>([
    ['fleet does not list its machine', {}, {}, [OWN, ELSEWHERE]],
    ['its machine is not known by ID', {}, { machines: [machine('x', OWN)] }, [OWN, ELSEWHERE]],
    ['it reports the ID of its machine', { machineId: 'x' }, { machines: [machine('x', OWN)] }, [OWN, ELSEWHERE]],
    [
      'it reports the ID of its machine and fleet has another one there',
      { machineId: 'x' },
      { machines: [machine('x', OWN), machine('y', ELSEWHERE)] },
      [OWN, ELSEWHERE],
    ],
    ['nobody writes conditions', {}, { era: ERAS['v0.12'] }, [OWN, ELSEWHERE]],
    [
      'but not where nobody writes conditions and fleet has another machine there',
      {},
      { era: ERAS['v0.12'], machines: [machine('y', ELSEWHERE)] },
      [OWN],
    ],
  ])('it is asked again: %s', (_, traits, world, expected) => {
    expect(endpointsOf(ours('x', 'x', OWN, traits), world, past)).toEqual(expected);
  });

  it('it is not asked for another node', () => {
    expect(endpointsOf(ours('other', 'x', OWN), {}, past)).toEqual([OWN]);
  });

  it('it is not asked for a node that was never read, where nobody writes conditions and fleet has another machine', () => {
    const world = { era: ERAS['v0.12'], machines: [machine('x', OWN), machine('y', ELSEWHERE)] };
    expect(endpointsOf(ours('x', 'x', OWN, { read: 'never' }), world, past)).toEqual([OWN]);
  });
});

it('a node is asked at the address that is its name, unless fleet has another machine there', () => {
  const named = ours(ELSEWHERE, 'x', OWN, { addresses: [OWN] });
  const own = machine('x', OWN);
  expect(endpointsOf(named, { machines: [own] })).toEqual([OWN, ELSEWHERE]);
  expect(endpointsOf(named, { machines: [own, machine('y', ELSEWHERE)] })).toEqual([OWN]);
});

it('a node may be at the address that is its name where fleet lists its machine, and another one', () => {
  const named = ours(ELSEWHERE, 'x', OWN, { machineId: 'x', addresses: [OWN] });
  const machines = [clone('x', OWN, ELSEWHERE), machine('y', ELSEWHERE)];
  expect(endpointsOf(named, { machines })).toEqual([OWN, `${ELSEWHERE} may be its own`]);
});

describe('at the address of the machine whose ID it reports', () => {
  const machines = [machine('a', OWN), machine('b', ELSEWHERE)];

  it('it is asked too while its annotation names another machine', () => {
    expect(endpointsOf(ours('x', 'a', OWN, { machineId: 'b' }), { machines })).toEqual([OWN, ELSEWHERE]);
  });
});

describe('at the address of the machine that its annotation names', () => {
  const machines = [machine('a', OWN), machine('b', ELSEWHERE)];
  const atB = { mark: 'a', addresses: [ELSEWHERE] };

  it('it is asked too while another machine matches it', () => {
    expect(endpointsOf(node('x', { ...up, ...atB }), { machines })).toEqual([ELSEWHERE, OWN]);
  });

  it('it is asked too while it reports the ID of a third machine, which has another node', () => {
    const all = [...machines, machine('c', '10.0.0.3')];
    const nodes = [node('y', { ...up, addresses: ['10.0.0.3'], machineId: 'c' })];
    expect(endpointsOf(node('x', { ...up, ...atB, machineId: 'c' }), { machines: all, nodes })).toContain(OWN);
  });

  it('it is not asked when it reports the ID of the machine that matches it', () => {
    expect(endpointsOf(node('x', { ...up, ...atB, machineId: 'b' }), { machines })).toEqual([ELSEWHERE]);
  });

  it('it is not asked where nobody writes conditions', () => {
    const asked = node(ELSEWHERE, { ...atB, ready: 'none' });
    expect(endpointsOf(asked, { machines, era: ERAS['v0.12'] })).toEqual([ELSEWHERE]);
  });
});

describe('at the addresses of the machines that it was paired with last', () => {
  const lastNodes = new Map([
    ['a', { uid: 'uid-x' }],
    ['b', { uid: 'uid-x' }],
    ['c', { uid: 'uid-other' }],
    ['d', { uid: 'uid-x' }],
  ]);
  const machines = [
    machine('a', '10.0.0.1'),
    machine('b', '10.0.0.2'),
    machine('c', '10.0.0.3'),
    machine('d', undefined),
    machine('e', '10.0.0.5'),
  ];

  it('it is asked when its own machine is not listed', () => {
    expect(endpointsOf(ours('x', 'x', OWN), { machines }, { lastNodes })).toEqual([OWN, '10.0.0.1', '10.0.0.2']);
  });

  it('it is asked when another machine matches it now', () => {
    const all = [...machines, machine('x', OWN)];
    expect(endpointsOf(ours('x', 'x', OWN), { machines: all }, { lastNodes })).toEqual([OWN, '10.0.0.1', '10.0.0.2']);
  });

  it('it is not asked at that of a machine which another node matches now', () => {
    const all = [machine('a', '10.0.0.1'), machine('x', OWN)];
    const nodes = [node('10.0.0.1', { ...up, addresses: ['10.0.0.1'], machineId: 'a' })];
    expect(endpointsOf(ours('x', 'x', OWN), { machines: all, nodes }, { lastNodes })).toEqual([OWN]);
  });
});

describe('an answer where another node is reporting', () => {
  const other = node('y', { ...up, addresses: [OWN] });

  it.each([
    [5 * MINUTE - 1, 'is'],
    [5 * MINUTE, 'may be'],
  ])('may be its own once both were reporting for five minutes (%d ms): it %s that of the other', (ms, word) => {
    const besideOthers = new Map([['uid-x', ms]]);
    expect(endpointsOf(ours('x', 'x', OWN), { nodes: [other] }, { besideOthers })).toEqual([
      `${OWN} ${word} that of y`,
    ]);
  });

  it.each([
    ['has its annotation', 'x', 'may be'],
    ['does not', 'gone', 'is'],
  ])('counts there, at an address that it does not report, where its machine %s', (_, mark, word) => {
    const world = { machines: [machine('x', OWN)], nodes: [other] };
    const past = { besideOthers: new Map([['uid-x', HOUR]]) };
    const elsewhere = ours('x', mark, ELSEWHERE, { machineId: mark === 'x' ? '' : 'x', addresses: [ELSEWHERE] });
    expect(endpointsOf(elsewhere, world, past)).toEqual([`${OWN} ${word} that of y`, ELSEWHERE]);
  });

  it('is that of one of two hosts behind NAT or its own: it does not report the address, so they are not three', () => {
    const nodes = [node('y', { ...up, addresses: [OWN], machineId: 'y' }), node('v', { ...up, addresses: [OWN] })];
    const elsewhere = ours('x', 'x', OWN, { addresses: [ELSEWHERE] });
    const world = { machines: [machine('y', '10.0.0.2')], nodes };
    const past = { answered: answered(ELSEWHERE) };
    expect(endpointsOf(elsewhere, world, past)).toContain(`${OWN} may be that of y`);
  });

  /** Three hosts behind NAT. */
  const three = (traits: NodeTraits) => ['y', 'v', 'w'].map((name) => node(name, { ...up, ...traits }));
  const behindNat = three({ addresses: [OWN] });

  /** Where another node is too. */
  const SHARED = '10.0.0.2';
  const alsoThere = node('u', { ...up, addresses: [SHARED] });

  it.each([
    ['may be its own when its kubelet answered where no other node is', [ELSEWHERE], [other], 'may be'],
    ['may be its own when its kubelet answered only there', [OWN], behindNat, 'may be'],
    ['may be its own when three report it, and its kubelet never answered', [], behindNat, 'may be'],
    [
      'may be its own when three report it, and its kubelet answered at a former address',
      ['10.0.0.7'],
      behindNat,
      'may be',
    ],
    [
      'may be its own when three report it, and its kubelet answered where another node is',
      [SHARED],
      [...behindNat, alsoThere],
      'may be',
    ],
    ['is the other’s when three report it, and its kubelet answered elsewhere', [ELSEWHERE], behindNat, 'is'],
    [
      'is the other’s though its kubelet answered where another node is, too',
      [SHARED, ELSEWHERE],
      [...behindNat, alsoThere],
      'is',
    ],
  ])('%s', (_, addresses, nodes, word) => {
    const past = { besideOthers: new Map([['uid-x', HOUR]]), answered: answered(...addresses) };
    const reported = [OWN, ELSEWHERE, SHARED];
    expect(endpointsOf(ours('x', 'x', OWN, { addresses: reported }), { nodes }, past)[0]).toBe(
      `${OWN} ${word} that of y`,
    );
  });

  it.each([
    ['at the address', OWN, 'is'],
    ['at another one', '10.0.0.2', 'may be'],
  ])('of a node whose machine fleet lists %s: it %s its own', (_, address, word) => {
    const world = {
      machines: [machine('y', address)],
      nodes: [node('y', { ...up, addresses: [OWN], machineId: 'y' })],
    };
    expect(endpointsOf(ours('x', 'x', OWN), world)).toEqual([`${OWN} ${word} that of y`]);
  });

  /** Two hosts: the other node reports another machine ID than x, which reports the ID of its machine. */
  const both = [OWN, '10.0.0.7'];
  const asked = ours('x', 'x', OWN, { machineId: 'x', addresses: both });
  const twoHosts = { machines: [machine('x', OWN)], nodes: [node('y', { ...up, machineId: 'z', addresses: both })] };
  const manyHosts = { ...twoHosts, nodes: three({ machineId: 'z', addresses: both }) };

  it('may be its own at every address that two hosts have', () => {
    expect(endpointsOf(asked, twoHosts)).toEqual([`${OWN} may be that of y`, '10.0.0.7 may be that of y']);
  });

  it('may be its own at its machine’s address alone when three report it, and its kubelet answered elsewhere', () => {
    const past = { answered: answered(ELSEWHERE) };
    const asksMore = ours('x', 'x', OWN, { machineId: 'x', addresses: [...both, ELSEWHERE] });
    expect(endpointsOf(asksMore, manyHosts, past)).toEqual([
      `${OWN} may be that of y`,
      '10.0.0.7 is that of y',
      ELSEWHERE,
    ]);
  });

  it.each<[string, NodeTraits, NodeTraits, string]>([
    ['both report the ID of its machine', { machineId: 'x' }, { machineId: 'x' }, 'is'],
    ['the other reports no ID', { machineId: 'x' }, {}, 'is'],
    ['it does not report the ID of its machine', { machineId: 'image' }, { machineId: 'z' }, 'is'],
    ['the other has the annotation of a machine that is not listed', {}, { mark: 'z' }, 'is'],
    ['the other is the node of another listed machine', {}, { machineId: 'b' }, 'may be'],
  ])('is that of one host or of two: %s', (_, traits, others, word) => {
    const world = {
      machines: [machine('x', OWN), machine('b', '10.0.0.2')],
      nodes: [node('y', { ...up, addresses: [OWN], ...others })],
    };
    expect(endpointsOf(ours('x', 'x', OWN, traits), world)).toEqual([`${OWN} ${word} that of y`]);
  });

  it.each<[string, readonly string[], string]>([
    ['answered there alone', [OWN], 'is'],
    ['answered where fleet lists another machine', [ELSEWHERE], 'may be'],
    ['answered in both places', [OWN, ELSEWHERE], 'may be'],
    ['answered where fleet lists none', ['10.0.0.7'], 'is'],
  ])('of a node that has the address from fleet alone, and whose kubelet %s', (_, addresses, word) => {
    const machines = [machine('y', OWN), machine('z', ELSEWHERE)];
    const nodes = [node('y', { ...up, mark: 'y', machineId: 'y' })];
    const past = { answered: new Map([['uid-y', addresses]]) };
    expect(endpointsOf(ours('x', 'x', OWN), { machines, nodes }, past)).toEqual([`${OWN} ${word} that of y`]);
  });

  it('of a node that has the address from its annotation alone, and whose kubelet answered where the asked one is', () => {
    const world = { machines: [machine('x', ELSEWHERE)], nodes: [ours('y', 'gone', OWN, { ...up, addresses: [] })] };
    const past = { answered: new Map([['uid-y', [ELSEWHERE]]]) };
    expect(endpointsOf(ours('x', 'x', OWN), world, past)).toEqual([ELSEWHERE, `${OWN} is that of y`]);
  });

  it('at the address of the machine whose ID it reports is that of one of two hosts, also where it does not report it', () => {
    const world = { machines: [machine('x', OWN)], nodes: [node('y', { ...up, machineId: 'z', addresses: [OWN] })] };
    const elsewhere = ours('x', 'x', ELSEWHERE, { machineId: 'x', addresses: [ELSEWHERE] });
    expect(endpointsOf(elsewhere, world)).toEqual([`${OWN} may be that of y`, ELSEWHERE]);
  });

  it.each([
    ['it reports the ID of its machine', 'x', 'is'],
    ['it does not', 'image', 'may be'],
  ])('where it was before, and fleet lists another machine: %s', (_, machineId, word) => {
    const world = {
      machines: [machine('x', OWN), machine('y', ELSEWHERE)],
      nodes: [node('y', { ...up, machineId: 'y', addresses: [ELSEWHERE] })],
    };
    const former = ours('x', 'x', OWN, { machineId, addresses: [OWN] });
    expect(endpointsOf(former, world, { answered: answered(ELSEWHERE) })).toEqual([
      OWN,
      `${ELSEWHERE} ${word} that of y`,
    ]);
  });

  it('is the other’s when one of the two was never read', () => {
    const machines = [machine('x', OWN)];
    const unread = ours('x', 'x', OWN, { read: 'never' });
    expect(endpointsOf(unread, { machines, nodes: [other] })).toEqual([`${OWN} is that of y`]);
    const world = { machines, nodes: [ours('y', 'y', OWN, { read: 'never' })], era: ERAS['v0.8'] };
    expect(endpointsOf(ours('x', 'x', OWN, { machineId: 'x' }), world)).toEqual([`${OWN} is that of y`]);
  });

  it('may be its own at the other addresses of its machine, which fleet lists at several', () => {
    const machines = [clone('x', OWN, ELSEWHERE, '10.0.0.7')];
    const nodes = [node('y', { ...up, addresses: [ELSEWHERE] })];
    expect(endpointsOf(ours('x', 'x', OWN), { machines, nodes })).toEqual([
      OWN,
      `${ELSEWHERE} may be that of y`,
      '10.0.0.7 may be its own',
    ]);
  });
});

describe('an answer is still the other node’s', () => {
  const before = node('y', { ...up, addresses: [OWN] });
  const written = node('y', { ...up, mark: 'y', annotations: { [ADDRESS]: OWN } });

  it.each<[string, Node, Node, boolean]>([
    ['it is as it was', before, before, true],
    ['it was made anew', before, node('y', { ...up, uid: 'new', addresses: [OWN] }), false],
    ['it is not reporting', before, node('y', { addresses: [OWN] }), false],
    ['it reports another address', before, node('y', { ...up, addresses: [ELSEWHERE] }), false],
    ['it never reported this one', written, node('y', { ...up, mark: 'y' }), true],
  ])('while %s: %s', (_, then, now, expected) => {
    expect(isStillAt(then, now, OWN, ERAS['v1.20'])).toBe(expected);
  });
});
