import { describe, expect, it } from 'vitest';
import { MACHINE_VERDICTS, NODE_VERDICTS } from '../../../src/reconcile/plan/verdict.ts';
import type { Status } from '../../../src/status/document.ts';
import { summarize } from '../../../src/status/summary.ts';
import { aMachine, aNode, aStatus, EVIDENCE, INACTIVE } from './status-sketch.ts';

const { pass, rules } = aStatus();
const away = {
  endpoint: 'http://10.0.0.9:8080',
  up: false,
  since: '2026-01-02T00:02:00.000Z',
  problem: 'no answer',
  slowMs: null,
};

function sentence(traits: Partial<Status>): string {
  const { concern, sentence } = summarize(aStatus(traits));
  return `${concern}: ${sentence}`;
}

/** Nodes of as many machines, each with this verdict. */
function nodes(verdict: string, count: number, due: string | null = null) {
  const names = Array.from({ length: count }, (_, index) => `node-${index}`);
  return {
    machines: names.map((name) => aMachine({ id: name, node: name })),
    nodes: names.map((name) => aNode({ name, machine: name, verdict, due })),
  };
}

describe('the summary', () => {
  it('of a dry run is that nothing is done, and what would be', () => {
    const actions = ['register', 'register', 'deregister'].map((kind) => ({
      kind,
      node: 'n',
      result: 'dry-run',
      detail: null,
    }));
    const last = { startedAt: '', durationMs: 1, failures: {}, actions };
    expect(sentence({ dryRun: true, pass: { ...pass, last }, ...nodes('orphan', 1) })).toBe(
      'watch: Dry run: no node is changed. Nodes that would be registered: 2, deregistered: 1. 1 node is orphan: alive, but fleet does not list its machine.',
    );
  });

  it('tells of a node that was deregistered from one that will be, and of what is worth a look besides', () => {
    const actions = [{ kind: 'deregister', node: 'node-0', result: 'done', detail: null }];
    const last = { startedAt: '', durationMs: 1, failures: {}, actions };
    expect(sentence({ pass: { ...pass, last }, ...nodes('deregister', 1) })).toBe('trouble: 1 node was deregistered.');
    const { machines, nodes: two } = nodes('deregister', 2);
    const waiting = aMachine({ id: 'w', verdict: 'waiting' });
    expect(sentence({ pass: { ...pass, last }, machines: [...machines, waiting], nodes: two })).toBe(
      'trouble: 1 node was deregistered. 1 node is not alive: it will be deregistered in one of the next passes unless it recovers. To check: 1 waiting.',
    );
  });

  it.each<[string, Partial<Status>]>([
    [
      'watch: No status yet: the first pass is running.',
      { counts: null, pass: { number: 0, running: true, last: null, lastSuccess: null, next: null } },
    ],
    [
      'watch: No status yet: no pass has ended.',
      { counts: null, pass: { number: 0, running: false, last: null, lastSuccess: null, next: null } },
    ],
    ['trouble: Requests to fleet have failed for 3m: nothing is changed until they succeed.', { fleet: away }],
    [
      'trouble: Requests to the API server have failed for 3m: nothing is changed until they succeed.',
      { kubernetes: { ...away, server: null } },
    ],
    [
      'trouble: Requests to fleet and the API server have failed: nothing is changed until they succeed.',
      { fleet: away, kubernetes: { ...away, since: aStatus().now, server: null } },
    ],
    [
      'trouble: The last pass failed: it took longer than 2m. The next pass tries again.',
      {
        pass: {
          ...pass,
          last: {
            startedAt: pass.lastSuccess ?? '',
            durationMs: 1,
            failures: { timeout: 'it took longer\nthan 2m' },
            actions: [],
          },
        },
      },
    ],
    [
      'trouble: No pass has succeeded for 1h; one is due every 30s.',
      { pass: { ...pass, lastSuccess: '2026-01-01T23:05:00.000Z' } },
    ],
    [
      'trouble: The deletion guard is active: 7 of 12 managed nodes are not alive; no node is deregistered.',
      {
        guard: { ...INACTIVE, held: true, kind: 'mass', gone: 7, managed: 12 },
        counts: { machines: {}, nodes: { held: 7 }, managed: 12, held: 7, undone: 0 },
      },
    ],
    [
      'trouble: The deletion guard is active: the machines of 2 deregistered nodes returned; no node is deregistered.',
      { guard: { ...INACTIVE, held: true, kind: 'returned', gone: 2, managed: 12 } },
    ],
    [
      'trouble: Node 10.0.0.1 could not be registered: 403.',
      {
        pass: {
          ...pass,
          last: {
            startedAt: '',
            durationMs: 1,
            failures: {},
            actions: [{ kind: 'register', node: '10.0.0.1', result: 'failed', detail: '403' }],
          },
        },
      },
    ],
    [
      'trouble: 1 node is not alive: it will be deregistered in 4m12s unless it recovers.',
      nodes('in-grace', 1, '2026-01-02T00:09:12.000Z'),
    ],
    [
      'trouble: 3 nodes are not alive: the first will be deregistered in one of the next passes unless it recovers.',
      nodes('queued', 3),
    ],
    [
      'trouble: 2 machines cannot get a node: conflict.',
      { machines: [aMachine({ id: 'a', verdict: 'conflict' }), aMachine({ id: 'b', verdict: 'conflict' })] },
    ],
    [
      'trouble: 1 node is not alive: it will be deregistered in one of the next passes unless it recovers. 2 machines cannot get a node: 1 unnamed, 1 refused.',
      {
        nodes: [aNode({ name: 'n', verdict: 'queued' })],
        machines: [aMachine({ id: 'a', verdict: 'unnamed' }), aMachine({ id: 'b', verdict: 'refused' })],
      },
    ],
    [
      'watch: No machine matches role=kubernetes.',
      { counts: { machines: { listed: 3, matched: 0 }, nodes: {}, managed: 0, held: 0, undone: 0 } },
    ],
    [
      'watch: fleet lists no machine.',
      {
        rules: { ...rules, selector: '' },
        counts: { machines: { listed: 0, matched: 0 }, nodes: {}, managed: 0, held: 0, undone: 0 },
      },
    ],
    [
      'watch: 12 machines match, 12 nodes are kept. 1 node is orphan: alive, but fleet does not list its machine. To check: 2 waiting.',
      {
        machines: [aMachine({ id: 'a', verdict: 'waiting' }), aMachine({ id: 'b', verdict: 'waiting' })],
        nodes: [aNode({ name: 'c', verdict: 'orphan' })],
      },
    ],
    ['well: All is well: 12 machines match, 12 nodes are kept.', {}],
    [
      'watch: 12 machines match, 12 nodes are kept. The kubelet of 1 node is unreachable. 1 node is orphan: alive, but fleet does not list its machine.',
      {
        nodes: [
          aNode({ name: 'a', evidence: { ...EVIDENCE, alive: true, node: 'true' } }),
          aNode({ name: 'b', verdict: 'orphan' }),
        ],
      },
    ],
    [
      'well: All is well: 12 machines match, 12 nodes are kept, 1 would be registered.',
      { source: 'observation', machines: [aMachine({ id: 'a', verdict: 'register' })] },
    ],
    ['trouble: 1 node is not alive.', { source: 'observation', nodes: [aNode({ name: 'n', verdict: 'in-grace' })] }],
    [
      'well: All is well: 1 machine matches, 1 node is kept, 1 will be registered, 2 nodes are unmanaged.',
      {
        counts: { machines: { matched: 1 }, nodes: { keep: 1, foreign: 2 }, managed: 1, held: 0, undone: 0 },
        machines: [aMachine({ id: 'a', verdict: 'register' })],
        nodes: [aNode({ name: 'x', verdict: 'foreign' }), aNode({ name: 'y', verdict: 'foreign' })],
      },
    ],
  ])('is %s', (expected, traits) => {
    expect(sentence(traits)).toBe(expected);
  });

  it('does not call it worth a look that ADOPT=false leaves nodes as they are', () => {
    expect(sentence(nodes('recognised', 1))).toContain('To check: 1 recognised');
    expect(sentence({ ...nodes('recognised', 1), rules: { ...rules, adopt: false } })).toContain('All is well');
    const never = aNode({
      name: 'n',
      verdict: 'recognised',
      next: 'not adopted: the API server cannot change a minion',
    });
    expect(sentence({ nodes: [never] })).toContain('All is well');
  });

  describe('does not call anything well', () => {
    it.each(NODE_VERDICTS)('where a node is %s, as a warning', (verdict) => {
      const warned = { nodes: [aNode({ name: 'n', verdict, warning: true })] };
      expect(sentence(warned)).toMatch(/^(trouble|watch): /);
      expect(sentence(warned)).not.toContain('All is well');
    });

    it.each(MACHINE_VERDICTS)('where a machine without a node is %s, as a warning', (verdict) => {
      expect(sentence({ machines: [aMachine({ id: 'm', verdict, warning: true })] })).toMatch(/^(trouble|watch): /);
    });

    it('where a machine whose node is well warns', () => {
      const machines = [aMachine({ id: 'm', node: 'n', warning: true })];
      const status = { machines, nodes: [aNode({ name: 'n', machine: 'm' })] };
      expect(sentence(status)).toBe('watch: 12 machines match, 12 nodes are kept. To check: 1 has-node.');
    });

    it('where something warns that is no verdict, even with ADOPT=false', () => {
      const warnings = ['something else deleted node n', 'another', 'a third'];
      const said = 'Something else deleted node n (and 2 more warnings).';
      expect(sentence({ warnings })).toBe(`watch: 12 machines match, 12 nodes are kept. ${said}`);
      expect(sentence({ warnings, ...nodes('in-grace', 1) })).toMatch(/^trouble: .* \(and 2 more warnings\)\.$/);
      const recognised = { nodes: [aNode({ name: 'n', verdict: 'recognised', warning: true })] };
      expect(sentence({ ...recognised, rules: { ...rules, adopt: false } })).toContain('To check: 1 recognised');
    });
  });

  it('says of a node in conflict that it is kept, and not that it goes', () => {
    expect(sentence({ nodes: [aNode({ name: 'n', verdict: 'conflict', warning: true })] })).toBe(
      'trouble: 1 node kept: 1 conflict.',
    );
  });

  it('counts those as kept that are alive and yet to check, and says what to check', () => {
    const counts = { machines: { matched: 5 }, nodes: { keep: 5, orphan: 5 }, managed: 10, held: 0, undone: 0 };
    expect(sentence({ counts, ...nodes('orphan', 5) })).toBe(
      'watch: 5 machines match, 10 nodes are kept. 5 nodes are orphan: alive, but fleet does not list their machines.',
    );
    for (const verdict of ['unmatched', 'probe-suspect', 'not-posting', 'unheard']) {
      expect(sentence(nodes(verdict, 2))).toMatch(new RegExp(`2 nodes are ${verdict}: .*, (but|and) .*\\.$`));
    }
  });

  it('says of several failed actions what they have in common', () => {
    const failing = (...kinds: string[]) => {
      const actions = kinds.map((kind, index) => ({ kind, node: `n-${index}`, result: 'failed', detail: '500' }));
      return sentence({ pass: { ...pass, last: { startedAt: '', durationMs: 1, failures: {}, actions } } });
    };
    expect(failing('register', 'register')).toBe('trouble: 2 nodes could not be registered; the first: n-0: 500.');
    expect(failing('adopt', 'register')).toBe('trouble: 2 actions failed in the last pass; the first: adopt n-0: 500.');
  });

  it('names the metadata that all machines in trouble have, and no other', () => {
    const rack = (name: string, value: string) =>
      aMachine({ id: name, node: name, metadata: { rack: value, role: 'k' } });
    const away = { ...EVIDENCE, alive: true, node: 'true' } as const;
    const status = (racks: readonly string[], others: readonly string[]) => ({
      machines: [...racks, ...others].map((value, index) => rack(`n-${index}`, value)),
      nodes: [
        ...racks.map((_, index) => aNode({ name: `n-${index}`, machine: `n-${index}`, evidence: away })),
        ...others.map((_, index) => {
          const name = `n-${racks.length + index}`;
          return aNode({ name, machine: name, evidence: { ...away, kubelet: 'healthy' } });
        }),
      ],
    });
    const all = 'The kubelets of 2 nodes are unreachable, all those with rack=r1.';
    expect(sentence(status(['r1', 'r1'], ['r2']))).toContain(all);
    for (const [racks, others] of [
      [
        ['r1', 'r1'],
        ['r2', 'r1'],
      ],
      [['r1', 'r2'], ['r3']],
      [['r1', 'r1'], []],
    ] as const) {
      expect(sentence(status(racks, others))).toContain('The kubelets of 2 nodes are unreachable.');
    }
    const { machines, nodes: dead } = status(['r1', 'r1'], ['r2']);
    const guard = { ...INACTIVE, held: true, kind: 'mass', gone: 2, managed: 3, nodes: ['n-0', 'n-1'] } as const;
    expect(sentence({ guard: { ...guard, nodes: [...guard.nodes] }, machines, nodes: dead })).toBe(
      'trouble: The deletion guard is active: 2 of 3 managed nodes are not alive, all those with rack=r1; no node is deregistered.',
    );
  });

  it('calls a slow server slow, unless it is unreachable', () => {
    const { kubernetes } = aStatus();
    const slow = 'The API server is slow: an answer took 8s, more than half of API_TIMEOUT.';
    expect(sentence({ kubernetes: { ...kubernetes, slowMs: 8_000 } })).toBe(
      `watch: 12 machines match, 12 nodes are kept. ${slow}`,
    );
    expect(sentence({ kubernetes: { ...kubernetes, slowMs: 8_000 }, ...nodes('queued', 1) })).toContain(slow);
    expect(sentence({ fleet: { ...away, slowMs: 8_000 } })).not.toContain('slow');
  });

  it('says first what stops everything', () => {
    const held = { guard: { ...INACTIVE, held: true, gone: 2, managed: 2 }, ...nodes('held', 2) };
    expect(sentence(held)).toContain('The deletion guard is active');
    expect(sentence({ ...held, source: 'observation' })).toContain('The deletion guard would be active');
    expect(sentence({ ...held, fleet: away })).toContain('Requests to fleet have failed');
  });

  it('repeats a stranger on one line, and not for ever', () => {
    const failures = { internal: `a\u0007\n${'b'.repeat(10_000)}` };
    const said = sentence({ pass: { ...pass, last: { startedAt: '', durationMs: 1, failures, actions: [] } } });
    expect(said).toMatch(/failed: a b+…\. The next pass tries again\.$/);
    expect(said.length).toBeLessThan(400);
  });
});
