import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCandidate, type Machine } from '../../src/reconcile/machines.ts';
import { type GivenName, type Node, type Resolution, resolve, STEPS } from '../../src/reconcile/resolve.ts';
import { machine, node } from './world.ts';

function resolved(machines: readonly Machine[], nodes: readonly Node[], names?: Record<string, string>): Resolution {
  const candidates = machines.filter(isCandidate);
  const given = candidates.map(({ id, address }): [string, GivenName] => [id, { name: names?.[id] ?? address }]);
  return resolve(candidates, nodes, new Map(given));
}

/** `host-a by machine id`, or undefined where the machine has no node. */
function nodeOf(resolution: Resolution, id: string): string | undefined {
  const match = resolution.byMachine.get(id);
  return match && `${match.node.name} by ${STEPS[match.step]}`;
}

const A = machine('a', '10.0.0.1');
const B = machine('b', '10.0.0.2');

describe('a machine comes to', () => {
  it('the node that reports its id, whatever the node is called', () => {
    const nodes = [node('10.0.0.1'), node('host-a', { machineId: 'a' })];
    expect(nodeOf(resolved([A], nodes), 'a')).toBe('host-a by machine id');
  });

  it('the node that bears its mark and reports its address', () => {
    expect(nodeOf(resolved([A], [node('x', { mark: 'a', addresses: ['10.0.0.1'] })]), 'a')).toBe('x by mark');
  });

  it('the node that bears its mark and is Ready, though at another address', () => {
    expect(nodeOf(resolved([A], [node('x', { mark: 'a', addresses: ['10.7.7.7'], ready: 'ready' })]), 'a')).toBe(
      'x by mark',
    );
  });

  it('no node that bears its mark but is neither Ready nor at its address', () => {
    expect(nodeOf(resolved([A], [node('x', { mark: 'a', addresses: ['10.7.7.7'] })]), 'a')).toBeUndefined();
  });

  it('the node of the name that NODE_NAME gives it', () => {
    expect(nodeOf(resolved([A], [node('box')], { a: 'box' }), 'a')).toBe('box by name');
  });

  it('the node that reports its address', () => {
    expect(nodeOf(resolved([A], [node('host-a', { addresses: ['10.0.0.1'] })]), 'a')).toBe('host-a by address');
  });

  it('no node that reports the id of another machine, by mark, name or address', () => {
    const other = { machineId: 'z', mark: 'a', addresses: ['10.0.0.1'], ready: 'ready' } as const;
    expect(nodeOf(resolved([A], [node('10.0.0.1', other)]), 'a')).toBeUndefined();
  });

  it('no node of a name, when NODE_NAME gives it none', () => {
    for (const names of [new Map(), new Map([['a', { problem: 'no name in the DNS' }]])]) {
      const resolution = resolve([A].filter(isCandidate), [node('10.0.0.1'), node('undefined')], names);
      expect(resolution.byMachine.size + resolution.conflicts.size).toBe(0);
    }
  });

  it('no node because both have an empty value', () => {
    const nameless = resolve([A].filter(isCandidate), [node('', { mark: '' })], new Map([['a', { name: '' }]]));
    expect(nodeOf(nameless, 'a')).toBeUndefined();
  });
});

describe('when several nodes match at one step', () => {
  const twins = [node('one', { machineId: 'a' }), node('two', { machineId: 'a' })];

  it('the only one that is Ready and at the address decides', () => {
    const living = node('three', { machineId: 'a', ready: 'ready', addresses: ['10.0.0.1'] });
    expect(nodeOf(resolved([A], [...twins, living]), 'a')).toBe('three by machine id');
  });

  it('the next step is asked when none of them is', () => {
    const marked = node('two', { machineId: 'a', mark: 'a', addresses: ['10.0.0.1'] });
    expect(nodeOf(resolved([A], [node('one', { machineId: 'a' }), marked]), 'a')).toBe('two by mark');
  });

  it('and no step decides, that is a conflict, lest a third node be made', () => {
    const resolution = resolved([A], twins);
    expect(nodeOf(resolution, 'a')).toBeUndefined();
    expect(resolution.conflicts.get('a')).toMatchObject({
      kind: 'ambiguous',
      nodes: [{ name: 'one' }, { name: 'two' }],
    });
  });

  it('they are contested, for their condition has to be known, and no other is', () => {
    const alone = node('alone', { machineId: 'b' });
    expect([...resolved([A, B], [...twins, alone]).contested].map(({ name }) => name)).toEqual(['one', 'two']);
  });
});

describe('when two machines come to one node', () => {
  const bothWays = (one: Machine, other: Machine) => [
    [one, other],
    [other, one],
  ];

  it('the earlier step wins, whatever the ids', () => {
    const shared = node('10.0.0.1', { machineId: 'b', addresses: ['10.0.0.1'] });
    expect(nodeOf(resolved([A, B], [shared]), 'b')).toBe('10.0.0.1 by machine id');
    const byMark = node('10.0.0.1', { mark: 'b', ready: 'ready' });
    const resolution = resolved([A, B], [byMark]);
    expect(nodeOf(resolution, 'b')).toBe('10.0.0.1 by mark');
    expect(resolution.conflicts.get('a')).toMatchObject({ kind: 'taken', by: { id: 'b' } });
  });

  it('the earlier step wins, also where no mark speaks for it', () => {
    const shared = node('box', { addresses: ['10.0.0.1'] });
    for (const machines of bothWays(A, B)) {
      const resolution = resolved(machines, [shared], { a: 'name-a', b: 'box' });
      expect(nodeOf(resolution, 'b')).toBe('box by name');
      expect(resolution.conflicts.get('a')).toMatchObject({ kind: 'taken', by: { id: 'b' } });
    }
  });

  it('at one step the machine that the mark names wins, in whatever order fleet lists them', () => {
    // Not Ready and at another address, so the mark alone makes no claim.
    const shared = node('box', { mark: 'b', addresses: ['10.3.3.3'] });
    for (const machines of bothWays(A, machine('b', '10.0.0.1'))) {
      const resolution = resolved(machines, [shared], { a: 'box', b: 'box' });
      expect(nodeOf(resolution, 'b')).toBe('box by name');
      expect(resolution.conflicts.get('a')).toMatchObject({ kind: 'taken', by: { id: 'b' } });
    }
  });

  it('the node is shared, and no other is', () => {
    const [shared, own] = [node('10.0.0.1'), node('own', { machineId: 'c' })];
    const resolution = resolved([A, machine('b', '10.0.0.1'), machine('c', '10.0.0.3')], [shared, own]);
    expect([...resolution.shared]).toEqual([shared]);
  });

  it('else the smallest id wins, in whatever order fleet lists them', () => {
    for (const machines of bothWays(A, machine('b', '10.0.0.1'))) {
      expect(nodeOf(resolved(machines, [node('10.0.0.1')]), 'a')).toBe('10.0.0.1 by name');
    }
  });
});

describe('whatever the world', () => {
  const id = fc.constantFrom('a', 'b', 'c');
  const address = fc.constantFrom('10.0.0.1', '10.0.0.2');
  const machines = fc.uniqueArray(fc.record({ id, address }), { selector: (each) => each.id });
  const traits = fc.record({
    name: fc.constantFrom('10.0.0.1', '10.0.0.2', 'host-a', 'host-b'),
    mark: fc.option(id, { nil: '' }),
    machineId: fc.option(id, { nil: '' }),
    addresses: fc.uniqueArray(address),
    ready: fc.constantFrom('ready' as const, 'not-ready' as const, 'none' as const),
  });
  const nodes = fc.uniqueArray(traits, { selector: ({ name }) => name });
  const world = fc.record({ machines, nodes }).map((given) => ({
    machines: given.machines.map((each) => machine(each.id, each.address)),
    nodes: given.nodes.map(({ name, ...rest }) => node(name, rest)),
  }));

  it('a machine has at most one node and a node at most one machine, or the machine is in conflict', () => {
    fc.assert(
      fc.property(world, ({ machines, nodes }) => {
        const resolution = resolved(machines, nodes);
        expect(resolution.byMachine.size).toBe(resolution.byNode.size);
        for (const [id, match] of resolution.byMachine) {
          expect(resolution.byNode.get(match.node.name)?.machine.id).toBe(id);
          expect(resolution.conflicts.has(id)).toBe(false);
        }
      }),
    );
  });

  it('no machine comes to a node that reports the id of another', () => {
    fc.assert(
      fc.property(world, ({ machines, nodes }) => {
        for (const { machine, node } of resolved(machines, nodes).byMachine.values()) {
          expect(['', machine.id]).toContain(node.identity.machineId);
        }
      }),
    );
  });

  it('the order of machines and nodes decides nothing', () => {
    fc.assert(
      fc.property(world, ({ machines, nodes }) => {
        const forth = resolved(machines, nodes);
        const back = resolved([...machines].reverse(), [...nodes].reverse());
        for (const { id } of machines) expect(nodeOf(back, id)).toBe(nodeOf(forth, id));
        expect([...back.conflicts.keys()].sort()).toEqual([...forth.conflicts.keys()].sort());
      }),
    );
  });
});
