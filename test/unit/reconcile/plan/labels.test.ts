/** The labels that are copied from fleet's metadata: what is written, what goes, and what is left alone. */
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../../../src/reconcile/evidence/machines.ts';
import { LABELS, MANAGED } from '../../../../src/reconcile/evidence/marks.ts';
import { EMPTY_MEMORY } from '../../../../src/reconcile/plan/memory/memory.ts';
import { machine, ours, planAt } from '../world.ts';

const labelled = machine('a', '10.0.0.1', { rack: 'r 1', zone: 'b' });
const kubelets = { '10.0.0.1': 'healthy' } as const;

/** The plan for a node with these labels, of which we wrote those in `written`. */
function planFor(
  labels: Record<string, string>,
  written: string,
  of: Machine = labelled,
  nodeLabels = ['rack', 'zone'],
  others: readonly Machine[] = [],
) {
  const annotations = written === '' ? {} : { [LABELS]: written };
  const node = ours('10.0.0.1', 'a', '10.0.0.1', { ready: 'true', labels, annotations });
  return planAt(0, { machines: [of, ...others], nodes: [node], kubelets }, EMPTY_MEMORY, { nodeLabels });
}

describe('labels from metadata', () => {
  it('are copied at registration, cleaned to label syntax, and listed as ours', () => {
    const [action] = planAt(0, { machines: [labelled], kubelets }, EMPTY_MEMORY, {
      nodeLabels: ['rack', 'zone'],
    }).actions;
    const draft = action?.kind === 'register' ? action.draft : undefined;
    expect(draft?.labels).toEqual(
      new Map([
        ['rack', 'r-1'],
        ['zone', 'b'],
        [MANAGED, 'true'],
      ]),
    );
    expect(draft?.annotations.get(LABELS)).toBe('rack,zone');
  });

  it('need no change when they are all there', () => {
    expect(planFor({ rack: 'r-1', zone: 'b' }, 'rack,zone').actions).toEqual([]);
  });

  it('follow the metadata, and go when the machine loses the key and another still has it', () => {
    const moved = machine('a', '10.0.0.1', { rack: 'r2' });
    const other = machine('b', '10.0.0.2', { zone: 'b' });
    expect(planFor({ rack: 'r-1', zone: 'b' }, 'rack,zone', moved, ['rack', 'zone'], [other]).actions).toMatchObject([
      {
        kind: 'label',
        change: {
          labels: new Map([
            ['zone', null],
            ['rack', 'r2'],
          ]),
          annotations: new Map([[LABELS, 'rack']]),
        },
      },
    ]);
  });

  it('go when their key leaves NODE_LABELS', () => {
    expect(planFor({ rack: 'r-1', zone: 'b' }, 'rack,zone', labelled, ['rack']).actions).toMatchObject([
      { change: { labels: new Map([['zone', null]]), annotations: new Map([[LABELS, 'rack']]) } },
    ]);
    expect(planFor({ rack: 'r-1' }, 'rack', labelled, []).actions).toMatchObject([
      { change: { labels: new Map([['rack', null]]), annotations: new Map([[LABELS, null]]) } },
    ]);
  });

  it('of a key that others wrote are left alone, and that is said', () => {
    const { actions, notes } = planFor({ rack: 'theirs', zone: 'b' }, 'zone');
    expect(actions).toEqual([]);
    expect(notes).toEqual([
      {
        kind: 'foreign',
        key: 'uid-10.0.0.1 rack',
        text: 'node 10.0.0.1: label rack was not written by kube-register and is not changed',
      },
    ]);
  });

  it('that cannot be represented are said', () => {
    const odd = machine('a', '10.0.0.1', { rack: 'x'.repeat(64), zone: 'b' });
    expect(planFor({ zone: 'b' }, 'zone', odd).notes).toEqual([
      {
        kind: 'label',
        key: 'a rack',
        text: expect.stringContaining('"rack" is not copied to a label: the value "xxx'),
      },
    ]);
  });

  it('are the first of two keys that become one label, and the other is told of', () => {
    const twice = machine('a', '10.0.0.1', { 'a b': 'first', 'a-b': 'second' });
    const { actions, notes } = planAt(0, { machines: [twice], kubelets }, EMPTY_MEMORY, { nodeLabels: ['a b', 'a-b'] });
    expect(actions).toMatchObject([
      {
        draft: {
          labels: new Map([
            ['a-b', 'first'],
            [MANAGED, 'true'],
          ]),
        },
      },
    ]);
    expect(notes).toEqual([
      {
        kind: 'label',
        key: 'a a-b',
        text: 'machine a: metadata "a-b" is not copied to a label: another metadata key has the same label key a-b',
      },
    ]);
  });
});

describe('a key in NODE_LABELS that no machine has', () => {
  const typo = '"rack"';

  it('takes nothing off, for it is more likely a mistake, and is warned of', () => {
    const { actions, notes } = planFor({ rack: 'r-1', zone: 'b' }, 'rack,zone', labelled, [typo, 'zone']);
    expect(actions).toEqual([]);
    expect(notes).toEqual([
      {
        kind: 'absent',
        key: typo,
        text: 'KUBE_REGISTER_NODE_LABELS: no machine has metadata "\\"rack\\""; no label is removed meanwhile; check the key',
      },
    ]);
  });

  it('hinders no label from being written, and what we wrote stays listed as ours', () => {
    expect(planFor({ zone: 'b' }, 'zone', labelled, [typo, 'rack']).actions).toMatchObject([
      { change: { labels: new Map([['rack', 'r-1']]), annotations: new Map([[LABELS, 'rack,zone']]) } },
    ]);
  });

  it('is not warned of while fleet lists no machine at all', () => {
    expect(planAt(0, {}, EMPTY_MEMORY, { nodeLabels: ['rack'] }).notes).toEqual([]);
  });

  it('is one that any machine has, matching or not', () => {
    const etcd = machine('e', '10.0.0.5', { role: 'etcd', rack: 'r9' });
    const bare = machine('a', '10.0.0.1');
    const { actions } = planFor({ rack: 'r-1' }, 'rack', bare, ['rack'], [etcd]);
    expect(actions).toMatchObject([{ change: { labels: new Map([['rack', null]]) } }]);
  });
});
