/** Where a node's kubelet is asked, and what its answers come to. */
import { describe, expect, it } from 'vitest';
import { ADDRESS } from '../../src/reconcile/marks.ts';
import { EMPTY_MEMORY } from '../../src/reconcile/memory.ts';
import { makePlan } from '../../src/reconcile/plan.ts';
import { loudest, machinesByAddress, placesToAsk } from '../../src/reconcile/witnesses.ts';
import { machine, node, observed, ours, POLICY, planAt } from './world.ts';

const A = machine('a', '10.0.0.1');
/** A machine that is nobody's to register, so that it comes to no node. */
const TENANT = machine('t', '10.0.0.1', { role: 'etcd' });

/** A machine whose id was cloned: fleet lists it with several addresses, so none of them is the one. */
function clone(id: string, ...addresses: string[]) {
  return { ...machine(id, undefined), addresses, problem: 'several addresses' };
}

describe('the kubelet of a node', () => {
  const places = (nodes: ReturnType<typeof node>[], machines: ReturnType<typeof machine>[], name = 'x') => {
    const world = observed({ machines, nodes });
    const asked = nodes.find((each) => each.name === name);
    return asked && placesToAsk(asked, world);
  };

  it('is asked at its machine’s address, then at those that the node carries, and at each once', () => {
    const carrying = node('x', {
      mark: 'a',
      machineId: 'a',
      addresses: ['10.0.0.2', '10.0.0.1'],
      annotations: { [ADDRESS]: '10.0.0.3' },
    });
    expect(places([carrying], [A])).toEqual({ addresses: ['10.0.0.1', '10.0.0.2', '10.0.0.3'], problem: undefined });
  });

  it('is asked at the address that we wrote on the node, when it reports no other', () => {
    const world = {
      nodes: [node('x', { mark: 'a', annotations: { [ADDRESS]: '10.0.0.3' } })],
      kubelets: { '10.0.0.3': 'healthy' },
    } as const;
    expect(planAt(0, world).testimonies.get('x')).toMatchObject({ addresses: ['10.0.0.3'], alive: true });
  });

  it('cannot be asked when the node carries no address', () => {
    expect(places([node('x', { mark: 'a' })], [])).toEqual({ addresses: [], problem: 'the node carries no address' });
  });

  it('is not asked at an address that fleet gives to another machine', () => {
    expect(places([ours('x', 'z', '10.0.0.1')], [TENANT])).toEqual({
      addresses: [],
      problem: 'fleet gives its address 10.0.0.1 to machine t',
    });
  });

  it('is asked at any address of its own machine, though that has several', () => {
    expect(places([ours('x', 'c', '10.0.0.2')], [clone('c', '10.0.0.1', '10.0.0.2')])?.addresses).toEqual(['10.0.0.2']);
  });

  it.each([
    ['before', [clone('c', '10.0.0.1', '10.0.0.2'), TENANT]],
    ['after', [TENANT, clone('c', '10.0.0.1', '10.0.0.2')]],
  ])('is not asked at an address that its machine, listed %s the other, shares with another', (_, machines) => {
    expect(places([ours('x', 'c', '10.0.0.1')], machines)).toEqual({
      addresses: [],
      problem: 'fleet gives its address 10.0.0.1 to machine t',
    });
  });

  it('is not asked at the address of a machine that its mark names but that came to another node', () => {
    const nodes = [ours('old', 'a', '10.0.0.7'), node('host-a', { machineId: 'a', ready: 'ready' })];
    expect(places(nodes, [A], 'old')?.addresses).toEqual(['10.0.0.7']);
    const plan = planAt(0, { machines: [A], nodes, kubelets: { '10.0.0.1': 'healthy' } });
    expect(plan.testimonies.get('old')).toMatchObject({ kubelet: 'silent', alive: false });
  });
});

describe('the machines at an address', () => {
  it('are all that fleet gives it', () => {
    const [one, other] = [clone('c', '10.0.0.1', '10.0.0.2'), machine('b', '10.0.0.1')];
    expect(machinesByAddress([one, other])).toEqual(
      new Map([
        ['10.0.0.1', [one, other]],
        ['10.0.0.2', [one]],
      ]),
    );
  });
});

describe('of the answers of one kubelet at several addresses', () => {
  const answers = new Map(
    (['healthy', 'answers', 'silent'] as const).map((state) => [state, { state, detail: `it is ${state}` }]),
  );

  it.each([
    [['silent', 'answers', 'healthy'], 'healthy'],
    [['silent', 'answers'], 'answers'],
    [['never asked', 'silent'], 'silent'],
    [['never asked'], undefined],
  ])('%j the best counts: %s', (addresses, best) => {
    expect(loudest(addresses, answers)?.state).toBe(best);
  });
});

describe('the witnesses', () => {
  it('are heard of nodes with a mark or a machine, and of no others', () => {
    const nodes = [node('10.0.0.1'), ours('x', 'z', '10.0.0.9'), node('by-hand')];
    expect([...planAt(0, { machines: [A], nodes }).testimonies.keys()]).toEqual(['10.0.0.1', 'x']);
  });

  it('tell where a kubelet was not asked, and why', () => {
    const nodes = [
      ours('x', 'z', '10.0.0.9', { addresses: ['10.0.0.8', '10.0.0.9'] }),
      ours('y', 'y', '10.0.0.1'),
      node('z', { mark: 'z' }),
    ];
    const unasked = { ...observed({ machines: [TENANT], nodes }), kubelets: new Map() };
    const { testimonies } = makePlan(unasked, EMPTY_MEMORY, POLICY, { monotonicMs: 0, wall: '' });
    expect([...testimonies.values()].map(({ kubelet, kubeletDetail }) => [kubelet, kubeletDetail])).toEqual([
      ['unasked', '10.0.0.8, 10.0.0.9 was not asked'],
      ['unasked', 'fleet gives its address 10.0.0.1 to machine t'],
      ['unasked', 'the node carries no address'],
    ]);
  });
});
