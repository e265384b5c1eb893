/** What the plan says of nodes that no planner decides on, and what it forgets. */
import { describe, expect, it } from 'vitest';
import { ADDRESS } from '../../../../src/reconcile/evidence/marks.ts';
import type { Node } from '../../../../src/reconcile/evidence/node.ts';
import { EMPTY_MEMORY, type Memory } from '../../../../src/reconcile/plan/memory/memory.ts';
import { clone, machine, node, ours, planAt, Watch, type World } from '../world.ts';

const NAME = '10.0.0.1';
const A = machine('a', NAME);
const up = { ready: 'true' } as const;

describe('an unmanaged node without a machine', () => {
  const verdictOf = (traits: Parameters<typeof node>[1], more: World = {}) =>
    planAt(0, { ...more, nodes: [node('by-hand', traits), ...(more.nodes ?? [])] }).nodes.get('by-hand');
  const reporting = { machines: [A], nodes: [ours(NAME, 'a', NAME, { ...up, machineId: 'a' })] };

  it('of another daemon is foreign with the OWNER_ID of that daemon, though it is not reporting', () => {
    expect(verdictOf({ mark: 'z', owner: 'west' })).toEqual({
      name: 'foreign',
      reason: 'managed by the kube-register with KUBE_REGISTER_OWNER_ID=west',
      next: 'never touched',
    });
  });

  it('that is not reporting is never touched, with the command for a dead one', () => {
    expect(verdictOf({})).toEqual({
      name: 'foreign',
      reason: 'unmanaged and not reporting: no machine matches it',
      next: 'never touched; if it is dead: kubectl delete node by-hand',
      isWarning: true,
    });
  });

  it('that is reporting is no left-over, though it reports the ID of a machine whose node is reporting too', () => {
    const verdict = verdictOf({ ...up, machineId: 'a', addresses: ['10.7.7.7'] }, reporting);
    expect(verdict).toMatchObject({ name: 'foreign', reason: 'unmanaged: no machine matches it' });
    expect(verdict?.isWarning).toBeUndefined();
  });
});

describe('a machine whose address alternates', () => {
  const at = (address: string, nodes: World['nodes'] = []): World => ({ machines: [machine('a', address)], nodes });
  const lastOf = (nodes: World['nodes']) => {
    const watch = new Watch();
    for (const address of [NAME, '10.0.0.2', NAME]) watch.pass(at(address, nodes));
    return watch.pass(at('10.0.0.2', nodes));
  };

  it('covers a node that is its own by the annotation alone, and says what to do about both hosts', () => {
    const plan = lastOf([ours('host', 'a', '10.0.0.9'), node('by-hand')]);
    expect(plan.nodes.get('host')).toEqual({
      name: 'conflict',
      reason: `fleet lists machine a alternately at ${NAME} and at 10.0.0.2: two hosts have the same /etc/machine-id`,
      next: 'kept; on all of these hosts but one: rm /etc/machine-id && systemd-machine-id-setup && reboot',
      isWarning: true,
    });
    expect(plan.nodes.get('by-hand')?.name).toBe('foreign');
  });
});

describe('a machine without a node, at whose address the kubelet of another node answers', () => {
  const B = machine('b', '10.0.0.2');
  const nodeOf = (node: Node, machines = [B]) => {
    const world = { machines, nodes: [node], kubelets: { '10.0.0.2': 'healthy', [NAME]: 'healthy' } } as const;
    const { evidence, memory } = planAt(0, world);
    return { answeredAt: evidence.get(node.name)?.answeredAt, last: memory.lastNodes.get('b')?.name };
  };

  it('is remembered as the one of that node, which has no machine: its host may be reinstalled', () => {
    expect(nodeOf(ours('host', 'gone', '10.0.0.2'))).toEqual({ answeredAt: ['10.0.0.2'], last: 'host' });
  });

  it('is not where that node is not ours', () => {
    expect(nodeOf(node('host', { addresses: ['10.0.0.2'], machineId: 'gone' })).last).toBeUndefined();
  });

  it('is not where that node has a machine', () => {
    const host = ours('host', 'a', NAME, { machineId: 'a', annotations: { [ADDRESS]: '10.0.0.2' } });
    expect(nodeOf(host, [A, B])).toEqual({ answeredAt: [NAME, '10.0.0.2'], last: undefined });
  });
});

describe('the registration of a node', () => {
  const write = { values: new Map(), times: 1, atMs: 0, missingAtMs: undefined };
  const grace = { reason: 'machine-gone', mark: 'a', watchedMs: 0, passes: 1, failures: 0 } as const;
  /** Machine a was registered as the node `uid-10.0.0.1`, and the node of this uid is not alive. */
  const dead = (uid: string): Memory => ({
    ...EMPTY_MEMORY,
    lastNodes: new Map([['a', { name: NAME, uid: `uid-${NAME}`, origin: 'named' }]]),
    graces: new Map([[uid, grace]]),
    writes: new Map([['register a', write]]),
  });
  const remembered = (memory: Memory, nodes: World['nodes']) =>
    planAt(0, { machines: [clone('a')], nodes: nodes ?? [] }, memory).memory.writes.has('register a');
  const itself = ours(NAME, 'a', NAME);

  it('is forgotten once the node is gone, when it was not alive before', () => {
    expect(remembered(dead(`uid-${NAME}`), [])).toBe(false);
  });

  it('is remembered while the node is listed', () => {
    expect(remembered(dead(`uid-${NAME}`), [itself])).toBe(true);
  });

  it('is remembered when the node was alive before, and another one was not', () => {
    expect(remembered(dead('another'), [])).toBe(true);
    expect(remembered(dead('another'), [itself])).toBe(true);
  });
});
