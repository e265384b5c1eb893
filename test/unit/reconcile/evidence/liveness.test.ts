/** Whether a node is alive: where its kubelet is asked, whose answer it is that comes from there, and what both prove. */
import { describe, expect, it } from 'vitest';
import {
  describe as describeEvidence,
  describeReady,
  type Evidence,
  livenessOf,
} from '../../../../src/reconcile/evidence/liveness.ts';
import { ADDRESS } from '../../../../src/reconcile/evidence/marks.ts';
import type { Node } from '../../../../src/reconcile/evidence/node.ts';
import { running, verdictOf } from '../cluster.ts';
import { clone, ERAS, HOUR, MINUTE, machine, node, observed, ours, planAt, Watch, type World } from '../world.ts';

const A = machine('a', '10.0.0.1');
const B = machine('b', '10.0.0.2');
const up = { ready: 'true' } as const;

function evidenceOf(name: string, world: World): Evidence | undefined {
  return planAt(0, world).evidence.get(name);
}

/** `10.0.0.1`, or `10.0.0.1 is that of x` where an answer there is another node's. */
function endpointsOf(asked: Node, world: World): readonly string[] {
  const observation = observed({ ...world, nodes: [asked, ...(world.nodes ?? [])] });
  const endpoints = livenessOf(observation, observation.pairing).endpointsOf(asked);
  return endpoints.map(({ address, otherNode, isContested }) => {
    if (otherNode === undefined) return address;
    return `${address} ${isContested === true ? 'may be' : 'is'} that of ${otherNode.name}`;
  });
}

describe('the machine of a node', () => {
  it.each([
    [
      'is the one that it is paired with, whatever it reports and whatever its mark says',
      { mark: 'z', machineId: 'image', addresses: ['10.0.0.1'], ...up },
      'a',
      'matches',
    ],
    ['else the listed one whose id it reports', { mark: 'z', machineId: 'a' }, 'a', 'matches'],
    [
      'else the one that its mark names, though the id that it reports is another, unlisted one',
      { mark: 'b', machineId: 'image' },
      'b',
      'no-match',
    ],
    ['else the one that its mark names, listed or not', { mark: 'z' }, 'z', 'not-listed'],
  ] as const)('%s', (_, traits, machineId, fleet) => {
    const machines = [A, machine('b', '10.0.0.2', { role: 'etcd' })];
    expect(evidenceOf('host', { machines, nodes: [node('host', traits)] })).toMatchObject({ machineId, fleet });
  });

  it('is the listed one that its mark names, though it reports the id of another listed one: one image gives its id to every kubelet', () => {
    const machines = [A, B, machine('c', '10.0.0.3')];
    const nodes = [
      ours('host', 'b', '10.0.0.9', { machineId: 'a', origin: 'own-name' }),
      node('host-a', { ...up, machineId: 'a' }),
    ];
    expect(evidenceOf('host', { machines, nodes })).toMatchObject({
      machineId: 'b',
      fleet: 'matches',
      successor: undefined,
    });
  });

  it('is not known of nodes without a mark and without a machine, and these are not weighed', () => {
    const nodes = [node('10.0.0.1'), ours('x', 'z', '10.0.0.9'), node('by-hand', { machineId: 'a' })];
    expect([...planAt(0, { machines: [A], nodes }).evidence.keys()]).toEqual(['10.0.0.1', 'x']);
  });
});

describe('the kubelet of a node is asked', () => {
  it('at its machine’s address first, then at those that the node reports, then at the one in our annotation, once each', () => {
    const asked = node('x', {
      mark: 'a',
      machineId: 'a',
      addresses: ['10.0.0.12', '10.0.0.1'],
      annotations: { [ADDRESS]: '10.0.0.13' },
    });
    expect(endpointsOf(asked, { machines: [A] })).toEqual(['10.0.0.1', '10.0.0.12', '10.0.0.13']);
  });

  it.each(['127.0.0.1', '::1', '0.0.0.0', '169.254.1.1', '224.0.0.1', '255.255.255.255', 'not an address', ''])(
    'not at %j in the annotation, which is somebody else’s to everybody',
    (address) => {
      expect(endpointsOf(node('x', { mark: 'z', annotations: { [ADDRESS]: address } }), {})).toEqual([]);
    },
  );

  it('at the address of its machine, though that no longer matches', () => {
    expect(endpointsOf(node('x', { mark: 'e' }), { machines: [machine('e', '10.0.0.5', { role: 'etcd' })] })).toEqual([
      '10.0.0.5',
    ]);
  });

  it('at every address that fleet gives to its machine: an answer where a clone may be keeps it and proves nothing else', () => {
    const world: World = { machines: [clone('c', '10.0.0.1', '10.0.0.2')], kubelets: { '10.0.0.1': 'healthy' } };
    const asked = ours('x', 'c', '10.0.0.2');
    expect(endpointsOf(asked, world)).toEqual(['10.0.0.2', '10.0.0.1']);
    const evidence = evidenceOf('x', { ...world, nodes: [asked] });
    expect(evidence).toMatchObject({ kubelet: 'healthy', alive: true, answeredAt: [] });
  });
});

describe('an answer at an address is not this node’s', () => {
  // Its machine is gone, so it is never paired.
  const asked = ours('x', 'x', '10.0.0.9');

  it('when another node is reporting that reports the address', () => {
    const other = node('y', { ...up, addresses: ['10.0.0.9'] });
    expect(endpointsOf(asked, { nodes: [other] })).toEqual(['10.0.0.9 is that of y']);
  });

  it('when another node is reporting that reports no address and has this one in our annotation', () => {
    const other = node('y', { ...up, mark: 'y', annotations: { [ADDRESS]: '10.0.0.9' } });
    expect(endpointsOf(asked, { nodes: [other] })).toEqual(['10.0.0.9 is that of y']);
  });

  it('when fleet gives the address to a machine whose node is reporting and reports no address at all', () => {
    const other = node('y', { ...up, machineId: 'b' });
    expect(endpointsOf(asked, { machines: [machine('b', '10.0.0.9')], nodes: [other] })).toEqual([
      '10.0.0.9 is that of y',
    ]);
  });

  it('when fleet gives the address to a machine whose node is reporting and reports only what all nodes report', () => {
    const nat = { ...up, addresses: ['10.0.2.15'] };
    const nodes = [node('y', { ...nat, machineId: 'b' }), node('z', { ...nat, machineId: 'a' })];
    expect(endpointsOf(asked, { machines: [A, machine('b', '10.0.0.9')], nodes })).toEqual(['10.0.0.9 is that of y']);
  });

  it('when fleet gives the address to its own machine, and another node of that machine or of none that fleet lists reports it', () => {
    const machines = [machine('x', '10.0.0.9')];
    for (const machineId of ['x', 'image']) {
      const other = node('y', { ...up, machineId, addresses: ['10.0.0.9'] });
      expect(endpointsOf(asked, { machines, nodes: [other] })).toEqual(['10.0.0.9 is that of y']);
    }
  });

  it('when the other node is reporting that it is not ready, on v1.0 and later', () => {
    const other = node('y', { ready: 'false', addresses: ['10.0.0.9'] });
    expect(endpointsOf(asked, { nodes: [other] })).toEqual(['10.0.0.9 is that of y']);
    expect(endpointsOf(asked, { nodes: [other], era: ERAS['v0.17'] })).toEqual(['10.0.0.9']);
  });
});

describe('an answer at the address of its machine may be this node’s', () => {
  const asked = ours('x', 'x', '10.0.0.9', { machineId: 'x' });

  it.each([
    ['fleet lists its machine without an address', machine('b', undefined)],
    ['fleet lists its machine elsewhere', machine('b', '10.0.0.2')],
    ['its machine is not listed', machine('c', '10.0.0.3')],
  ])('though another node reports the address, with another machine id: two hosts have it (%s)', (_case, other) => {
    const machines = [machine('x', '10.0.0.9'), other];
    const otherNode = node('y', { ...up, machineId: 'b', addresses: ['10.0.0.9'] });
    expect(endpointsOf(asked, { machines, nodes: [otherNode] })).toEqual(['10.0.0.9 may be that of y']);
  });

  it('though the node of another listed machine reports the address, whatever this one reports', () => {
    const machines = [machine('x', '10.0.0.9'), machine('b', undefined)];
    const otherNode = node('y', { ...up, machineId: 'b', addresses: ['10.0.0.9'] });
    expect(endpointsOf(ours('x', 'x', '10.0.0.9'), { machines, nodes: [otherNode] })).toEqual([
      '10.0.0.9 may be that of y',
    ]);
  });

  it('which keeps it, and proves nothing: the kubelet was not heard', () => {
    const world = {
      machines: [machine('x', '10.0.0.9'), machine('b', undefined)],
      nodes: [asked, node('y', { ...up, machineId: 'b', addresses: ['10.0.0.9'] })],
      kubelets: { '10.0.0.9': 'healthy' as const },
    };
    expect(evidenceOf('x', world)).toMatchObject({ alive: true, kubelet: 'healthy', answeredAt: [] });
    expect(new Watch().passFor(10 * MINUTE, world).nodes.get('x')).toMatchObject({
      name: 'not-posting',
      isWarning: true,
    });
    expect(evidenceOf('x', { ...world, kubelets: {} })).toMatchObject({ alive: false, kubelet: 'silent' });
  });
});

describe('an answer at an address is this node’s', () => {
  const asked = ours('x', 'x', '10.0.0.9');

  it.each(['unknown', 'none', 'unreadable'] as const)(
    'when the other node that reports it is not reporting: %s',
    (ready) => {
      expect(endpointsOf(asked, { nodes: [node('y', { ready, addresses: ['10.0.0.9'] })] })).toEqual(['10.0.0.9']);
    },
  );

  it('when the other node has it in our annotation alone and reports another address: it has moved', () => {
    const other = node('y', { ...up, mark: 'y', addresses: ['10.0.0.8'], annotations: { [ADDRESS]: '10.0.0.9' } });
    expect(endpointsOf(asked, { nodes: [other] })).toEqual(['10.0.0.9']);
  });

  it('when fleet gives it to a machine whose node reports an address that is its alone: the record is stale', () => {
    const other = node('y', { ...up, machineId: 'b', addresses: ['10.0.0.2'] });
    expect(endpointsOf(asked, { machines: [machine('b', '10.0.0.9')], nodes: [other] })).toEqual(['10.0.0.9']);
  });

  it('when fleet gives it to a machine whose node is not reporting, or that has none', () => {
    const machines = [machine('b', '10.0.0.9')];
    expect(endpointsOf(asked, { machines, nodes: [node('10.0.0.9')] })).toEqual(['10.0.0.9']);
    expect(endpointsOf(asked, { machines })).toEqual(['10.0.0.9']);
  });

  it('when fleet gives the address to its own machine and to another one: either may answer there', () => {
    const own = ours('x', 'x', '10.0.0.9');
    const other = node('y', { ...up, machineId: 'b', addresses: ['10.0.0.9'] });
    const machines = [machine('x', '10.0.0.9'), machine('b', '10.0.0.9')];
    expect(endpointsOf(own, { machines, nodes: [other] })).toEqual(['10.0.0.9']);
  });

  it('when it is the node’s own address and nobody else’s, though all nodes report another one besides', () => {
    const nat = '10.0.2.15';
    const nodes = [1, 2].map((last) => node(`y${last}`, { ...up, addresses: [`10.0.0.${last}`, nat] }));
    const also = node('x', { mark: 'x', addresses: ['10.0.0.9', nat] });
    expect(endpointsOf(also, { nodes })).toEqual(['10.0.0.9', `${nat} is that of y1`]);
  });

  it('when a left-over of the other node reports its old address too: the record that fleet keeps of it is stale all the same', () => {
    // b moved away from here and was renamed on the way; fleet still lists it at x's address.
    const other = node('y', { ...up, machineId: 'b', addresses: ['10.0.0.2'] });
    const leftOver = ours('y-old', 'b', '10.0.0.2', { machineId: 'b' });
    expect(endpointsOf(asked, { machines: [machine('b', '10.0.0.9')], nodes: [other, leftOver] })).toEqual([
      '10.0.0.9',
    ]);
  });
});

describe('what the answers come to', () => {
  const asked = ours('x', 'x', '10.0.0.9', { addresses: ['10.0.0.8', '10.0.0.9'] });
  const world = (kubelets: World['kubelets'] = {}, more: World = {}) => ({ nodes: [asked], kubelets, ...more });

  it.each([
    ['all silent', {}, 'silent', '10.0.0.8 silent; 10.0.0.9 silent', []],
    [
      'healthy at any of them',
      { '10.0.0.8': 'answers', '10.0.0.9': 'healthy' },
      'healthy',
      '10.0.0.9 healthy',
      ['10.0.0.8', '10.0.0.9'],
    ],
    ['an answer at the last of them', { '10.0.0.9': 'answers' }, 'answers', '10.0.0.9 answers', ['10.0.0.9']],
    [
      'healthy at the first, which a later answer does not change',
      { '10.0.0.8': 'healthy', '10.0.0.9': 'answers' },
      'healthy',
      '10.0.0.8 healthy',
      ['10.0.0.8', '10.0.0.9'],
    ],
    [
      'the first of several that are healthy',
      { '10.0.0.8': 'healthy', '10.0.0.9': 'healthy' },
      'healthy',
      '10.0.0.8 healthy',
      ['10.0.0.8', '10.0.0.9'],
    ],
    [
      'the first of several alike',
      { '10.0.0.8': 'answers', '10.0.0.9': 'answers' },
      'answers',
      '10.0.0.8 answers',
      ['10.0.0.8', '10.0.0.9'],
    ],
  ] as const)('%s', (_, kubelets, kubelet, kubeletDetail, answeredAt) => {
    expect(evidenceOf('x', world(kubelets))).toMatchObject({ kubelet, kubeletDetail, answeredAt });
  });

  it('one of them was not asked and the others are silent: nobody can tell', () => {
    expect(evidenceOf('x', world({}, { unasked: ['10.0.0.9'] }))).toMatchObject({
      kubelet: 'unasked',
      kubeletDetail: 'not checked: 10.0.0.9',
      alive: true,
    });
  });

  it('none was asked: all are named', () => {
    expect(evidenceOf('x', world({}, { unasked: ['10.0.0.8', '10.0.0.9'] }))).toMatchObject({
      kubelet: 'unasked',
      kubeletDetail: 'not checked: 10.0.0.8, 10.0.0.9',
      answeredAt: [],
    });
  });

  it('one of them was not asked and another answers: that suffices', () => {
    expect(evidenceOf('x', world({ '10.0.0.8': 'healthy' }, { unasked: ['10.0.0.9'] }))).toMatchObject({
      kubelet: 'healthy',
    });
  });

  it('an answer that is another node’s is none, and the words say whose it is', () => {
    const nodes = [asked, node('y', { ...up, addresses: ['10.0.0.8', '10.0.0.9'] })];
    expect(evidenceOf('x', { nodes, kubelets: { '10.0.0.8': 'healthy' } })).toMatchObject({
      kubelet: 'silent',
      kubeletDetail: 'the kubelet at 10.0.0.8 belongs to node y; 10.0.0.9 silent',
      answeredAt: [],
      alive: false,
    });
  });

  it('a node without any address cannot be asked, so it is alive', () => {
    expect(evidenceOf('x', { nodes: [node('x', { mark: 'x' })] })).toMatchObject({
      kubelet: 'unasked',
      kubeletDetail: 'the node has no usable address',
      answeredAt: [],
      alive: true,
    });
  });
});

describe('a node is alive', () => {
  const verdict = (traits: Parameters<typeof ours>[3], world: World = {}) =>
    evidenceOf('x', { nodes: [ours('x', 'x', '10.0.0.9', traits)], ...world })?.alive;

  it.each([
    ['its kubelet posts that it is ready', { ready: 'true' }, {}, true],
    ['its kubelet posts that it is not ready', { ready: 'false' }, {}, true],
    [
      'its kubelet was silent when Ready=False was written, before v1.0',
      { ready: 'false' },
      { era: ERAS['v0.17'] },
      false,
    ],
    ['its kubelet answers', {}, { kubelets: { '10.0.0.9': 'healthy' } }, true],
    ['its kubelet answers with an error', {}, { kubelets: { '10.0.0.9': 'answers' } }, true],
    ['its kubelet does neither', {}, {}, false],
    ['it never had a condition, and its kubelet is silent', { ready: 'none' }, {}, false],
    ['its status has a shape that is not known', { ready: 'unreadable' }, {}, true],
    ['it was not read in this pass and was silent before', { read: 'stale' }, {}, true],
    ['it was never read', { read: 'never' }, {}, true],
    [
      'a server before v0.9 lists it, which it does only while its kubelet answers it',
      { ready: 'none' },
      { era: ERAS['v0.8'] },
      true,
    ],
    ['a server of v0.9 lists it, which it does of dead ones too', { ready: 'none' }, { era: ERAS['v0.9'] }, false],
    ['a server of v0.12 lists it, where nobody writes conditions', { ready: 'none' }, { era: ERAS['v0.12'] }, false],
  ] as const)('%s: %s', (_, traits, world, expected) => {
    expect(verdict(traits, world)).toBe(expected);
  });
});

describe('whether a node has an address of its own', () => {
  const nat = '10.0.2.15';

  it.each([
    ['it reports one, besides one that all nodes report', [nat, '10.0.0.9'], true],
    ['it reports only what all nodes report', [nat], false],
    ['it reports none', [], false],
  ] as const)('%s: %s', (_, addresses, expected) => {
    const nodes = [ours('x', 'x', '10.0.0.9', { addresses }), node('y', { ...up, addresses: ['10.0.0.8', nat] })];
    expect(evidenceOf('x', { nodes })?.hasOwnAddress).toBe(expected);
  });
});

describe('what is said of a node', () => {
  const wordsOf = (traits: Parameters<typeof ours>[3], world: World = {}) => {
    const evidence = evidenceOf('x', { nodes: [ours('x', 'x', '10.0.0.9', traits)], ...world }) ?? expect.fail();
    return [describeEvidence(evidence), describeReady(evidence)];
  };

  it.each([
    ['node Ready', { ready: 'true' }, {}],
    ['node NotReady', { ready: 'false' }, {}],
    ['node Unknown', { ready: 'unknown' }, {}],
    ['node without a Ready condition', { ready: 'none' }, {}],
    ['node status cannot be read', { ready: 'unreadable' }, {}],
    ['node not read', { ready: 'unknown', read: 'stale' }, {}],
    ['node Ready', { ready: 'true', read: 'stale' }, {}],
    ['node not read', { read: 'never' }, { era: ERAS['v0.8'] }],
  ] as const)('%s, where it is %j', (words, traits, world) => {
    expect(wordsOf(traits, world)).toEqual([`kubelet unreachable; ${words}`, words]);
  });

  it.each([
    ['healthy', { kubelets: { '10.0.0.9': 'healthy' } }],
    ['unhealthy', { kubelets: { '10.0.0.9': 'answers' } }],
    ['not checked', { unasked: ['10.0.0.9'] }],
  ] as const)('kubelet %s', (words, world) => {
    expect(wordsOf(up, world)).toEqual([`kubelet ${words}; node Ready`, 'node Ready']);
  });
});

describe('the other node of its machine', () => {
  const old = ours('old', 'a', '10.0.0.1', { machineId: 'a' });

  it('is none for the only one that is reporting', () => {
    const nodes = [ours('10.0.0.1', 'a', '10.0.0.1', up)];
    expect(evidenceOf('10.0.0.1', { machines: [A], nodes })).toMatchObject({ isReporting: true, successor: undefined });
  });

  it('is a successor while it is reporting, be it marked or not', () => {
    for (const mark of ['a', '']) {
      const nodes = [old, node('new', { ...up, mark, machineId: 'a', addresses: ['10.0.0.1'] })];
      expect(evidenceOf('old', { machines: [A], nodes })?.successor?.name).toBe('new');
    }
  });

  it('is none while its kubelet does not post', () => {
    const nodes = [old, node('new', { machineId: 'a', mark: 'a', addresses: ['10.0.0.1'] })];
    expect(evidenceOf('old', { machines: [A], nodes })?.successor).toBeUndefined();
  });

  it('is none where it is another machine’s', () => {
    const nodes = [old, node('new', { ...up, machineId: 'b', addresses: ['10.0.0.1'] })];
    expect(evidenceOf('old', { machines: [A, B], nodes })?.successor).toBeUndefined();
  });

  it('is none where both only report the id of an image, which fleet does not list', () => {
    const image = { machineId: 'image' };
    const nodes = [ours('one', 'x', '10.0.0.8', image), ours('two', 'y', '10.0.0.9', { ...image, ...up })];
    expect(evidenceOf('one', { nodes })?.successor).toBeUndefined();
  });
});

describe('the machine that a node was paired with last', () => {
  /** The host of 10.0.0.1 was installed anew; its kubelet reports no machine id, and the mark still names the old machine. */
  async function installedAnew() {
    const cluster = running(4);
    cluster.fleet.delete('m1');
    cluster.lists('m9', '10.0.0.1');
    cluster.posts('10.0.0.1', { machineId: '' });
    await cluster.pass();
    return cluster;
  }

  it('leads to its kubelet when neither its mark nor its id names a listed machine, and its address is another one', async () => {
    const cluster = await installedAnew();
    cluster.goesQuiet('10.0.0.1');
    cluster.kubelets.delete('10.0.0.1');
    cluster.lists('m9', '10.0.0.9');
    cluster.kubelets.set('10.0.0.9', 'answers');
    expect(await cluster.passFor(HOUR)).toEqual([]);
    expect(verdictOf(await cluster.pass(), '10.0.0.1')).toMatchObject({ name: 'orphan', isWarning: true });
  });

  it('does not keep the node when the kubelet is silent there too', async () => {
    const cluster = await installedAnew();
    cluster.goesQuiet('10.0.0.1');
    cluster.kubelets.delete('10.0.0.1');
    cluster.lists('m9', '10.0.0.9');
    expect(await cluster.passFor(HOUR)).toEqual(['deregister 10.0.0.1']);
  });

  it('does not keep the node when another node of that machine is reporting', async () => {
    const cluster = await installedAnew();
    cluster.goesQuiet('10.0.0.1');
    cluster.kubelets.delete('10.0.0.1');
    cluster.lists('m9', '10.0.0.9');
    cluster.kubelets.set('10.0.0.9', 'healthy');
    cluster.posts('10.0.0.9', { addresses: ['10.0.0.9'] });
    expect(await cluster.passFor(HOUR)).toContain('deregister 10.0.0.1');
  });
});
