/** Which node is a machine's: the claims, their order, and what they come to where they contradict each other. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../../../src/reconcile/evidence/machines.ts';
import type { Node } from '../../../../src/reconcile/evidence/node.ts';
import { isShared, type Pairing } from '../../../../src/reconcile/evidence/pair.ts';
import { clone, ERAS, machine, named, node, observed, type World } from '../world.ts';

function paired(machines: readonly Machine[], nodes: readonly Node[], world: World = {}): Pairing {
  return observed({ machines, nodes, ...world }).pairing;
}

/** `host-a by address`, or undefined where the machine has no node. */
function nodeOf({ byMachine }: Pairing, id: string): string | undefined {
  const found = byMachine.get(id);
  return found && `${found.node.name} by ${found.claim}`;
}

const A = machine('a', '10.0.0.1');
const B = machine('b', '10.0.0.2');
const up = { ready: 'true' } as const;

describe('the claim by id', () => {
  it.each([
    ['the node is reporting, at whatever address', { ...up, addresses: ['10.7.7.7'] }, 'host by id'],
    [
      'the node reports the address of the machine, though its kubelet is silent',
      { addresses: ['10.0.0.1'] },
      'host by id',
    ],
    ['the node does neither, so the id may be a stale one', { addresses: ['10.7.7.7'] }, undefined],
    ['the node was never read', { ...up, read: 'never' }, undefined],
    ['the node was read in an earlier pass', { ...up, read: 'stale' }, 'host by id'],
  ] as const)('%s', (_, traits, expected) => {
    expect(nodeOf(paired([A], [node('host', { machineId: 'a', ...traits })]), 'a')).toBe(expected);
  });

  it('does not rest on an address that fleet gives to two machines', () => {
    const silent = node('host', { machineId: 'a', addresses: ['10.0.0.1'] });
    expect(nodeOf(paired([A, machine('b', '10.0.0.1')], [silent]), 'a')).toBeUndefined();
  });

  it('is stronger than the name and the address of another node', () => {
    const nodes = [node('10.0.0.1', { ...up, addresses: ['10.0.0.1'] }), node('host', { ...up, machineId: 'a' })];
    expect(nodeOf(paired([A], nodes), 'a')).toBe('host by id');
  });
});

describe('the claim by address', () => {
  it.each([
    ['the node is reporting', 'host', up, 'host by address'],
    ['the node has the name that NODE_NAME gives the machine', '10.0.0.1', {}, '10.0.0.1 by address'],
    ['the node bears the mark of the machine', 'host', { mark: 'a' }, 'host by address'],
    [
      'the node is silent under another name and unmarked, so another host may have had the address',
      'host',
      {},
      undefined,
    ],
    ['the node is silent under another name and bears another mark', 'host', { mark: 'z' }, undefined],
    [
      'the node reports an id that fleet does not list, which says nothing (the id of an image)',
      'host',
      { ...up, machineId: 'image' },
      'host by address',
    ],
    [
      'the node was marked for another machine, for marks outlive addresses',
      'host',
      { ...up, mark: 'z' },
      'host by address',
    ],
  ] as const)('%s', (_, name, traits, expected) => {
    expect(nodeOf(paired([A], [node(name, { addresses: ['10.0.0.1'], ...traits })]), 'a')).toBe(expected);
  });

  it.each([up, { mark: 'a' }, { ...up, mark: 'a' }])(
    'is none where the node reports the id of another listed machine, whatever else agrees: %j',
    (traits) => {
      const others = node('10.0.0.1', { machineId: 'b', addresses: ['10.0.0.1'], ...traits });
      expect(nodeOf(paired([A, B], [others]), 'a')).toBeUndefined();
    },
  );

  it('is none at an address that fleet gives to two machines, be the other no candidate', () => {
    const reporting = node('host', { ...up, addresses: ['10.0.0.1'] });
    for (const other of [
      machine('b', '10.0.0.1'),
      machine('b', '10.0.0.1', { role: 'etcd' }),
      clone('b', '10.0.0.1', '10.0.0.9'),
    ]) {
      expect(nodeOf(paired([A, other], [reporting]), 'a')).toBeUndefined();
    }
  });

  it('is stronger than the name of another node', () => {
    const nodes = [node('box', up), node('host', { ...up, addresses: ['10.0.0.1'] })];
    expect(nodeOf(paired([A], nodes, { names: named({ a: 'box' }) }), 'a')).toBe('host by address');
  });
});

describe('the claim by name', () => {
  const names = named({ a: 'box', b: 'other' });

  it.each([
    ['the node reports no address, for its kubelet never posted', {}, 'box by name'],
    ['the node reports an address that no machine has', { addresses: ['10.7.7.7'] }, 'box by name'],
    [
      'the node reports the address of another candidate, so the name has moved',
      { addresses: ['10.0.0.2'] },
      undefined,
    ],
    [
      'the node reports both addresses, and then its own is the stronger claim',
      { addresses: ['10.0.0.1', '10.0.0.2'] },
      'box by address',
    ],
    ['the node reports the id of another listed machine', { machineId: 'b' }, undefined],
    ['the node reports an id that fleet does not list', { machineId: 'image' }, 'box by name'],
    ['the node bears the mark of another machine', { mark: 'z' }, 'box by name'],
    [
      'the node reports the ID of the machine, which is not enough for a claim by ID',
      { machineId: 'a' },
      'box by name',
    ],
    ['the node was never read', { read: 'never' }, 'box by name'],
  ] as const)('%s', (_, traits, expected) => {
    expect(nodeOf(paired([A, B], [node('box', traits)], { names }), 'a')).toBe(expected);
  });

  it('holds where the other address is that of a machine that does not match', () => {
    const etcd = machine('e', '10.0.0.5', { role: 'etcd' });
    expect(nodeOf(paired([A, etcd], [node('box', { addresses: ['10.0.0.5'] })], { names }), 'a')).toBe('box by name');
  });

  it('is none where the other address is that of a candidate and of a machine that does not match', () => {
    const etcd = machine('e', '10.0.0.2', { role: 'etcd' });
    expect(nodeOf(paired([A, B, etcd], [node('box', { addresses: ['10.0.0.2'] })], { names }), 'a')).toBeUndefined();
  });

  it('holds where the node reports the address of the machine, which another machine has too, and bears the mark', () => {
    const box = node('box', { mark: 'a', addresses: ['10.0.0.1'] });
    expect(nodeOf(paired([A, machine('b', '10.0.0.1')], [box], { names }), 'a')).toBe('box by name');
  });

  it('is none where NODE_NAME gives no name', () => {
    for (const given of [new Map(), new Map([['a', { problem: 'no name in the DNS' }]])]) {
      const { byMachine, conflicts } = paired([A], [node('10.0.0.1'), node('undefined')], { names: given });
      expect(byMachine.size + conflicts.size).toBe(0);
    }
  });

  it('is none because both have an empty value', () => {
    expect(nodeOf(paired([A], [node('', { mark: '' })], { names: named({ a: '' }) }), 'a')).toBeUndefined();
  });

  it('is stronger than a mark', () => {
    const nodes = [node('host', { ...up, mark: 'a', origin: 'own-name' }), node('box')];
    expect(nodeOf(paired([A], nodes, { names }), 'a')).toBe('box by name');
  });
});

describe('the claim by mark', () => {
  const own = { ...up, mark: 'a', origin: 'own-name' } as const;

  it.each([
    ['the kubelet chose the name and is reporting', 'host', own, 'host by mark'],
    [
      'the node was marked by a release that wrote no origin, under a name that NODE_NAME would not give',
      'host',
      { ...up, mark: 'a' },
      'host by mark',
    ],
    [
      'NODE_NAME gave the name, so it goes with the address and not with the machine',
      'host',
      { ...own, origin: 'named' },
      undefined,
    ],
    ['the name is an address, and no origin was written', '10.6.6.6', { ...up, mark: 'a' }, undefined],
    [
      'the name is what NODE_NAME gives to another machine, and no origin was written',
      '10.0.0.2',
      { ...up, mark: 'a' },
      undefined,
    ],
    ['the node is not reporting', 'host', { ...own, ready: 'unknown' }, undefined],
    [
      'the node reports an address that no listed machine has',
      'host',
      { ...own, addresses: ['10.7.7.7'] },
      'host by mark',
    ],
    ['the node reports the address of another candidate', 'host', { ...own, addresses: ['10.0.0.2'] }, undefined],
    [
      'the node reports the address of a listed machine that does not match',
      'host',
      { ...own, addresses: ['10.0.0.5'] },
      undefined,
    ],
    ['the node reports the id of another listed machine', 'host', { ...own, machineId: 'b' }, undefined],
  ] as const)('%s', (_, name, traits, expected) => {
    // B has a node of its own, so that its claims are not in the way.
    const machines = [A, B, machine('e', '10.0.0.5', { role: 'etcd' })];
    const nodes = [node(name, traits), node('host-b', { ...up, machineId: 'b' })];
    expect(nodeOf(paired(machines, nodes), 'a')).toBe(expected);
  });
});

describe('no claim', () => {
  it('by mark holds under a name that NODE_NAME gives to another machine, where no origin was written', () => {
    const nodes = [node('other', { ...up, mark: 'a' }), node('host-b', { ...up, machineId: 'b' })];
    const names = named({ a: 'box', b: 'other' });
    expect(paired([A, B], nodes, { names }).byNode.has('other')).toBe(false);
  });

  it('is that of a machine that does not match, or that fleet lists at several addresses', () => {
    const machines = [machine('e', '10.0.0.5', { role: 'etcd' }), clone('c', '10.0.0.6', '10.0.0.7')];
    const nodes = [
      node('10.0.0.5', { ...up, machineId: 'e', addresses: ['10.0.0.5'] }),
      node('c', { ...up, machineId: 'c' }),
    ];
    expect(paired(machines, nodes).byMachine.size).toBe(0);
  });
});

describe('the id of an unlisted machine', () => {
  it('that all kubelets report, for they run in containers of one image, hinders no claim', () => {
    const image = { ...up, machineId: 'image' };
    const nodes = [node('host-a', { ...image, addresses: ['10.0.0.1'] }), node('10.0.0.2', image)];
    const pairing = paired([A, B], nodes);
    expect([nodeOf(pairing, 'a'), nodeOf(pairing, 'b')]).toEqual(['host-a by address', '10.0.0.2 by name']);
  });
});

describe('an address that is shared', () => {
  it('is one that fleet gives to two machines, whatever they are', () => {
    const machines = [A, machine('e', '10.0.0.1', { role: 'etcd' }), B, clone('c', '10.0.0.3', '10.0.0.4')];
    const observation = observed({ machines });
    const addresses = [...observation.machinesAt.keys()];
    expect(addresses.filter((address) => isShared(observation, address))).toEqual(['10.0.0.1']);
    expect(isShared(observation, '10.9.9.9')).toBe(false);
  });

  it('makes the name that was made of it no sign either, unless the mark agrees', () => {
    const machines = [A, machine('b', '10.0.0.1')];
    expect(paired(machines, [node('10.0.0.1')]).byMachine.size).toBe(0);
    expect(nodeOf(paired(machines, [node('10.0.0.1', { mark: 'b' })]), 'b')).toBe('10.0.0.1 by name');
  });
});

describe('a node that is leaving', () => {
  it.each([
    { machineId: 'a', ...up },
    { addresses: ['10.0.0.1'], ...up },
    {},
    { mark: 'a', origin: 'own-name', ...up },
  ] as const)('takes no claim, whatever speaks for it: %j', (traits) => {
    const pairing = paired([A], [node('10.0.0.1', { ...traits, leaving: ['x'] })]);
    expect([pairing.byMachine.size, pairing.conflicts.size]).toEqual([0, 0]);
  });
});

describe('of several nodes that claim a machine at one level', () => {
  const twin = (name: string, traits = {}) => node(name, { machineId: 'a', addresses: ['10.0.0.1'], ...traits });

  it.each([
    ['the only one that is reporting', [twin('one'), twin('two', up)], 'two by id'],
    [
      'the reporting one, though the other is the one at the address',
      [twin('one'), node('two', { ...up, machineId: 'a' })],
      'two by id',
    ],
    [
      'of those that report, the one at the address',
      [twin('one', { ...up, addresses: ['10.7.7.7'] }), twin('two', up), twin('three')],
      'two by id',
    ],
    [
      'of those that report there, the one with the mark',
      [twin('one', up), twin('two', { ...up, mark: 'a' }), twin('three', { mark: 'a' })],
      'two by id',
    ],
    ['of those that are silent, the one with the mark', [twin('one'), twin('two', { mark: 'a' })], 'two by id'],
  ])('it is %s', (_, nodes, expected) => {
    for (const each of [nodes, [...nodes].reverse()]) {
      expect(nodeOf(paired([A], each), 'a')).toBe(expected);
    }
  });

  it('none is better than the others: a conflict that names them, and no weaker claim is tried', () => {
    const nodes = [twin('one', up), twin('two', up), node('box')];
    const pairing = paired([A], nodes, { names: named({ a: 'box' }) });
    expect(nodeOf(pairing, 'a')).toBeUndefined();
    expect(pairing.conflicts.get('a')).toMatchObject({
      kind: 'ambiguous',
      claim: 'id',
      nodes: [{ name: 'one' }, { name: 'two' }],
    });
    expect([...pairing.contested].sort()).toEqual(['one', 'two']);
  });

  it('only the best are contested, not those that fit less', () => {
    expect([...paired([A], [twin('one', up), twin('two', up), twin('dead')]).contested].sort()).toEqual(['one', 'two']);
  });
});

describe('of several machines that claim a node at one level', () => {
  const shared = (traits = {}) => node('box', { ...up, addresses: ['10.0.0.1', '10.0.0.2'], ...traits });
  const orders = [
    [A, B],
    [B, A],
  ];

  it('the one that its mark names has it, in whatever order fleet lists them', () => {
    for (const machines of orders) {
      const pairing = paired(machines, [shared({ mark: 'b' })]);
      expect([nodeOf(pairing, 'a'), nodeOf(pairing, 'b')]).toEqual([undefined, 'box by address']);
      expect(pairing.conflicts.get('a')).toMatchObject({ kind: 'taken', by: { id: 'b' } });
      expect(pairing.contested.size).toBe(0);
    }
  });

  it('else the smallest id has it', () => {
    for (const machines of orders) {
      const pairing = paired(machines, [shared()]);
      expect([nodeOf(pairing, 'a'), nodeOf(pairing, 'b')]).toEqual(['box by address', undefined]);
      expect(pairing.conflicts.get('b')).toMatchObject({ kind: 'taken', by: { id: 'a' } });
    }
  });

  it('the other one has the node that it claims by a weaker claim, and no conflict', () => {
    for (const machines of orders) {
      const pairing = paired(machines, [shared(), node('10.0.0.2')]);
      expect([nodeOf(pairing, 'a'), nodeOf(pairing, 'b')]).toEqual(['box by address', '10.0.0.2 by name']);
      expect(pairing.conflicts.size).toBe(0);
    }
  });

  it('the stronger claim wins, whatever the ids and the mark say', () => {
    const pairing = paired([A, B], [shared({ machineId: 'b', mark: 'a' })]);
    expect([nodeOf(pairing, 'a'), nodeOf(pairing, 'b')]).toEqual([undefined, 'box by id']);
  });
});

describe('where claims meet', () => {
  it('a node that two machines claim at different levels is read anew, and one that has a single claim is not', () => {
    const nodes = [node('10.0.0.1', { ...up, addresses: ['10.0.0.2'] }), node('host', { ...up, machineId: 'c' })];
    const pairing = paired([A, B, machine('c', '10.0.0.3')], nodes, { names: named({ a: '10.0.0.1', b: '10.0.0.1' }) });
    expect([...pairing.claimedTwice]).toEqual([]);
    const moved = [node('10.0.0.1', { ...up, machineId: 'image', addresses: ['10.0.0.1', '10.0.0.2'] })];
    expect([...paired([A, B], moved).claimedTwice]).toEqual(['10.0.0.1']);
  });

  it('all nodes that one machine claims are read anew, be one claim stronger', () => {
    const nodes = [node('host', { ...up, machineId: 'a' }), node('10.0.0.1')];
    expect([...paired([A], nodes).claimedTwice].sort()).toEqual(['10.0.0.1', 'host']);
  });
});

describe('what counts as reporting', () => {
  const claims = (era: keyof typeof ERAS, ready: 'true' | 'false' | 'unknown' | 'none' | 'unreadable') =>
    nodeOf(paired([A], [node('host', { machineId: 'a', ready })], { era: ERAS[era] }), 'a') !== undefined;

  it.each([
    ['v1.20', 'true', true],
    ['v1.20', 'false', true],
    ['v1.20', 'unknown', false],
    ['v1.20', 'none', false],
    ['v1.20', 'unreadable', false],
    ['v1.0', 'false', true],
    ['v0.17', 'true', true],
    ['v0.17', 'false', false],
    ['v0.13', 'false', false],
    ['v0.12', 'none', false],
    ['v0.9', 'none', false],
    ['v0.8', 'none', true],
  ] as const)('on %s Ready=%s: %s', (era, ready, expected) => {
    expect(claims(era, ready)).toBe(expected);
  });
});

describe('whatever the world', () => {
  const id = fc.constantFrom('a', 'b', 'c');
  const address = fc.constantFrom('10.0.0.1', '10.0.0.2');
  const machines = fc.uniqueArray(fc.record({ id, address }), { selector: (each) => each.id });
  const traits = fc.record({
    name: fc.constantFrom('10.0.0.1', '10.0.0.2', 'host-a', 'host-b'),
    mark: fc.option(id, { nil: '' }),
    origin: fc.constantFrom('named' as const, 'own-name' as const),
    machineId: fc.option(fc.constantFrom('a', 'b', 'c', 'image'), { nil: '' }),
    addresses: fc.uniqueArray(address),
    ready: fc.constantFrom('true' as const, 'false' as const, 'unknown' as const, 'none' as const),
  });
  const nodes = fc.uniqueArray(traits, { selector: ({ name }) => name });
  const world = fc.record({ machines, nodes }).map((given) => ({
    machines: given.machines.map((each) => machine(each.id, each.address)),
    nodes: given.nodes.map(({ name, ...rest }) => node(name, rest)),
  }));
  const runs = { numRuns: 500 };

  it('a machine has at most one node and a node at most one machine, or the machine is in conflict', () => {
    fc.assert(
      fc.property(world, ({ machines, nodes }) => {
        const pairing = paired(machines, nodes);
        expect(pairing.byMachine.size).toBe(pairing.byNode.size);
        for (const [id, found] of pairing.byMachine) {
          expect(pairing.byNode.get(found.node.name)?.machine.id).toBe(id);
          expect(pairing.conflicts.has(id)).toBe(false);
        }
      }),
      runs,
    );
  });

  it('no machine has a node that reports the id of another listed machine', () => {
    fc.assert(
      fc.property(world, ({ machines, nodes }) => {
        const listed = new Set(machines.map((each) => each.id));
        for (const { machine, node } of paired(machines, nodes).byMachine.values()) {
          const reported = node.facts?.machineId ?? '';
          if (listed.has(reported)) expect(reported).toBe(machine.id);
        }
      }),
      runs,
    );
  });

  it('the order of machines and nodes decides nothing', () => {
    fc.assert(
      fc.property(world, ({ machines, nodes }) => {
        const forth = paired(machines, nodes);
        const back = paired([...machines].reverse(), [...nodes].reverse());
        for (const { id } of machines) expect(nodeOf(back, id)).toBe(nodeOf(forth, id));
        expect([...back.conflicts.keys()].sort()).toEqual([...forth.conflicts.keys()].sort());
        expect([...back.claimedTwice].sort()).toEqual([...forth.claimedTwice].sort());
        expect([...back.contested].sort()).toEqual([...forth.contested].sort());
      }),
      runs,
    );
  });
});
