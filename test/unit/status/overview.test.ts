import { describe, expect, it } from 'vitest';
import type { MachineStatus, NodeStatus } from '../../../src/status/document.ts';
import { mostUrgentFirst, overviewOf, withDelay } from '../../../src/status/overview.ts';
import { aMachine, aNode, EVIDENCE } from './status-sketch.ts';

/** `machine node verdict` of each row. */
function rows(machines: readonly MachineStatus[], nodes: readonly NodeStatus[]): readonly string[] {
  return overviewOf({ machines: [...machines], nodes: [...nodes] }).map(
    ({ machine, node, verdict }) => `${machine?.id ?? '-'} ${node?.name ?? '-'} ${verdict.verdict}`,
  );
}

describe('the overview', () => {
  it('has a machine beside its node, whose verdict says the rest', () => {
    const machine = aMachine({ id: 'a', node: 'one' });
    expect(rows([machine], [aNode({ name: 'one', machine: 'a', mark: 'a', verdict: 'in-grace' })])).toEqual([
      'a one in-grace',
    ]);
  });

  it('has a machine without a node, and a node without a machine, in rows of their own', () => {
    expect(rows([aMachine({ id: 'a', verdict: 'waiting' })], [aNode({ name: 'one', verdict: 'foreign' })])).toEqual([
      'a - waiting',
      '- one foreign',
    ]);
  });

  it('has a machine that no longer matches beside the node that names it', () => {
    const machine = aMachine({ id: 'a', matches: false, verdict: 'not-selected' });
    expect(rows([machine], [aNode({ name: 'one', mark: 'a', verdict: 'unmatched' })])).toEqual(['a one unmatched']);
    const reporting = aNode({ name: 'one', reportedId: 'a', mark: 'not listed', verdict: 'unmatched' });
    expect(rows([machine], [reporting])).toEqual(['a one unmatched']);
  });

  it('has a second node of a machine in a row of its own, and a second one that names it too', () => {
    const machine = aMachine({ id: 'a', node: 'new' });
    const left = aNode({ name: 'old', mark: 'a', verdict: 'probe-suspect' });
    expect(rows([machine], [aNode({ name: 'new', machine: 'a', mark: 'a' }), left])).toEqual([
      'a new keep',
      '- old probe-suspect',
    ]);
    const unmatched = aMachine({ id: 'a', verdict: 'not-selected' });
    expect(rows([unmatched], [left, aNode({ name: 'older', mark: 'a', verdict: 'orphan' })])).toHaveLength(2);
  });

  it('has the most urgent first, then by verdict, and by address as people count', () => {
    const machine = (address: string, verdict: string) => aMachine({ id: address, addresses: [address], verdict });
    const machines = [
      machine('10.0.0.10', 'register'),
      machine('10.0.0.9', 'register'),
      machine('10.0.0.1', 'not-selected'),
      machine('10.0.0.2', 'conflict'),
      machine('10.0.0.3', 'waiting'),
    ];
    const sorted = mostUrgentFirst(overviewOf({ machines, nodes: [] }));
    expect(sorted.map(({ machine: one }) => one?.id)).toEqual([
      '10.0.0.2',
      '10.0.0.3',
      '10.0.0.9',
      '10.0.0.10',
      '10.0.0.1',
    ]);
  });

  it('has a kept node whose kubelet is unreachable among those to check', () => {
    const concernFor = (kubelet: 'silent' | 'healthy') =>
      overviewOf({ machines: [], nodes: [aNode({ name: 'n', evidence: { ...EVIDENCE, alive: true, kubelet } })] })[0]
        ?.concern;
    expect([concernFor('silent'), concernFor('healthy')]).toEqual(['watch', 'well']);
  });

  it('calls a verdict of a later version something to look at', () => {
    expect(overviewOf({ machines: [aMachine({ id: 'a', verdict: 'toString' })], nodes: [] })[0]?.concern).toBe('watch');
  });

  it.each([
    ['will be deregistered in 29m30s', 'will be deregistered in 1m'],
    ['will be deregistered in 2h', 'will be deregistered in 1m'],
    [
      'will be registered again in 4m; find out who deletes it',
      'will be registered again in 1m; find out who deletes it',
    ],
    ['will be registered again within ten minutes', 'will be registered again within ten minutes'],
  ])('of %j makes %j as time goes by', (next, later) => {
    expect(withDelay(next, ' in 1m')).toBe(later);
  });

  it.each([
    ['foreign', false, 'idle'],
    ['foreign', true, 'watch'],
    ['keep', true, 'watch'],
    ['orphan', true, 'watch'],
    ['conflict', true, 'trouble'],
    ['in-grace', false, 'trouble'],
    ['register', true, 'trouble'],
  ])('is about %s, warning %s: %s', (verdict, warning, concern) => {
    const nodes = [aNode({ name: 'n', verdict, warning })];
    expect(overviewOf({ machines: [], nodes })[0]?.concern).toBe(concern);
  });

  it('shows the verdict of a machine that warns while that of its node does not', () => {
    const machine = aMachine({ id: 'a', node: 'one', warning: true });
    expect(rows([machine], [aNode({ name: 'one', machine: 'a' })])).toEqual(['a one has-node']);
    expect(rows([machine], [aNode({ name: 'one', machine: 'a', verdict: 'conflict', warning: true })])).toEqual([
      'a one conflict',
    ]);
  });

  it('hides neither a machine that warns nor the node that names it', () => {
    const machine = aMachine({ id: 'a', verdict: 'waiting', warning: true });
    expect(rows([machine], [aNode({ name: 'one', mark: 'a', verdict: 'unheard', warning: true })])).toEqual([
      'a - waiting',
      '- one unheard',
    ]);
  });

  it('puts a node beside the machine of its annotations rather than that of the id which it reports', () => {
    const machines = ['a', 'b'].map((id) => aMachine({ id, matches: false, verdict: 'not-selected' }));
    const node = aNode({ name: 'one', reportedId: 'b', mark: 'a', verdict: 'unmatched' });
    expect(rows(machines, [node])).toEqual(['a one unmatched', 'b - not-selected']);
  });
});
