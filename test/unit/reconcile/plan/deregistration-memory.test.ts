/** What deregistration remembers of nodes for later passes: where their kubelets were reachable, and how long they were reporting beside others. */
import { describe, expect, it } from 'vitest';
import { INTERVAL, MINUTE, machine, type NodeTraits, node, ours, Watch, type World } from '../world.ts';

const NAME = '10.0.0.1';
const SECOND = '10.5.0.1';
const UID = `uid-${NAME}`;
const A = machine('a', NAME);
const up = { ready: 'true' } as const;
const healthy = { [NAME]: 'healthy' } as const;

/** A managed node of machine a, which reports the machine's ID, and others. */
const world = (traits: NodeTraits, others: World['nodes'] = [], more: World = {}): World => ({
  machines: [A],
  nodes: [ours(NAME, 'a', NAME, { machineId: 'a', ...traits }), ...others],
  ...more,
});

describe('the addresses at which a kubelet was reachable', () => {
  const both = { addresses: [NAME, SECOND], ...up };
  const at = (kubelets: World['kubelets'] = {}) => world(both, [], { kubelets });

  it('are not remembered of a kubelet that was never reachable', () => {
    expect(new Watch().passes(2, at()).memory.answered).toEqual(new Map());
  });

  it('grow by each new one, and none is forgotten', () => {
    const watch = new Watch();
    expect(watch.pass(at(healthy)).memory.answered).toEqual(new Map([[UID, [NAME]]]));
    const all = new Map([[UID, [NAME, SECOND]]]);
    expect(watch.pass(at({ ...healthy, [SECOND]: 'healthy' })).memory.answered).toEqual(all);
    expect(watch.pass(at(healthy)).memory.answered).toEqual(all);
    expect(watch.pass(at()).memory.answered).toEqual(all);
  });

  it('are the same map as before where the pass adds none', () => {
    const watch = new Watch();
    const { answered } = watch.pass(at(healthy)).memory;
    expect(watch.pass(at(healthy)).memory.answered).toBe(answered);
  });

  it('prove nothing after ten minutes of a kubelet that is unreachable while its node is reporting, until it is reachable', () => {
    const watch = new Watch();
    watch.pass(at(healthy));
    expect(watch.passFor(10 * MINUTE - INTERVAL, at()).memory.suspects).toEqual(new Set());
    const { memory } = watch.pass(at());
    expect(memory.suspects).toEqual(new Set([UID]));
    expect(memory.answered).toEqual(new Map([[UID, [NAME]]]));
    expect(watch.pass(at(healthy)).memory.suspects).toEqual(new Set());
  });
});

describe('the time for which a node was reporting beside others', () => {
  const twin = (addresses: readonly string[], traits: NodeTraits = {}) =>
    ours('host-a', 'a', NAME, { ...up, machineId: 'a', origin: 'own-name', addresses, ...traits });
  const stranger = node('host-b', { ...up, machineId: 'b', addresses: [NAME] });
  const besideAfter = (passes: number, each: World) => new Watch().passes(passes, each).memory.besideOthers;

  it.each<[string, World]>([
    ['it is the only node', world(up)],
    ['it is the only node and has no address', world({ ...up, addresses: [], annotations: {} })],
    ['it is not reporting, and another node of its machine at its address is', world({}, [twin([NAME])])],
    ['it is not reporting, and a node of another machine at its address is', world({}, [stranger])],
    ['another node at its address is not reporting', world(up, [node('host-b', { addresses: [NAME] })])],
  ])('is none when %s', (_, each) => {
    expect(besideAfter(2, each).has(UID)).toBe(false);
  });

  it.each<[string, World]>([
    ['another node of its machine, at another address', world(up, [twin(['10.0.0.9'])])],
    ['a node of another machine at its address', world(up, [stranger])],
    ['such a node at one of its two addresses', world({ ...up, addresses: [SECOND, NAME] }, [stranger])],
  ])('begins at zero and grows with each pass beside %s', (_, each) => {
    expect([1, 2, 3].map((passes) => besideAfter(passes, each).get(UID))).toEqual([0, INTERVAL, 2 * INTERVAL]);
  });

  it('stays as it was while it is alone, and goes on beside the next one', () => {
    const watch = new Watch();
    watch.passes(3, world(up, [stranger]));
    expect(watch.passes(3, world(up)).memory.besideOthers.get(UID)).toBe(2 * INTERVAL);
    expect(watch.pass(world(up, [stranger])).memory.besideOthers.get(UID)).toBe(3 * INTERVAL);
  });
});
