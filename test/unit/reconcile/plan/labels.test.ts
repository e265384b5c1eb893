/** The labels that are copied from fleet's metadata: what is written, what goes, and what is left alone. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../../../../src/reconcile/evidence/machines.ts';
import {
  ADDRESS,
  LABELS,
  MACHINE_ID,
  MANAGED,
  ORIGIN,
  OWNER,
  SINCE,
} from '../../../../src/reconcile/evidence/marks.ts';
import { changeFor, type WantedMetadata } from '../../../../src/reconcile/plan/labels.ts';
import { EMPTY_MEMORY } from '../../../../src/reconcile/plan/memory/memory.ts';
import { machine, node, ours, planAt } from '../world.ts';

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
    for (const keys of [
      ['rack', 'zone'],
      ['zone', 'rack'],
    ]) {
      expect(planFor({ rack: 'r-1', zone: 'b' }, 'rack,zone', labelled, keys).actions).toEqual([]);
    }
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

describe('the change that a node needs', () => {
  /** Mostly these, sometimes another or none. */
  const near = (usual: string) =>
    fc.oneof({ weight: 8, arbitrary: fc.constant(usual) }, fc.constantFrom('other', '', undefined));
  const labels = fc.dictionary(fc.constantFrom('rack', 'zone'), fc.constantFrom('1', '2'), { noNullPrototype: true });
  const present = (map: Record<string, string | null | undefined>) =>
    Object.fromEntries(Object.entries(map).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  const wantedOf = (
    all: Record<string, string>,
    flags: Pick<WantedMetadata, 'followsAddress' | 'removesLabels'>,
  ): WantedMetadata => ({
    ...flags,
    machineId: 'a',
    address: '10.0.0.1',
    ownerId: 'default',
    origin: 'named',
    since: 'now',
    labels: new Map(Object.entries(all)),
  });
  const cases = labels
    .chain((wanted) =>
      fc.record({
        wanted: fc.constant(wanted),
        followsAddress: fc.boolean(),
        removesLabels: fc.boolean(),
        annotations: fc.record({
          [MACHINE_ID]: near('a'),
          [ADDRESS]: near('10.0.0.1'),
          [SINCE]: near('then'),
          [ORIGIN]: near('named'),
          [OWNER]: near('default'),
          [LABELS]: fc.oneof(near(Object.keys(wanted).sort().join()), fc.constantFrom('rack', 'rack,zone')),
        }),
        labels: fc.oneof(fc.constant(wanted), labels),
        managed: near('true'),
      }),
    )
    .map(({ annotations, labels: has, managed, wanted, ...flags }) => ({
      has: { labels: present({ ...has, [MANAGED]: managed }), annotations: present(annotations) },
      wanted: wantedOf(wanted, flags),
    }));

  it('is the same whether or not the quick check for nodes that have everything is tried', () => {
    let quick = 0;
    fc.assert(
      fc.property(cases, ({ has, wanted }) => {
        const found = changeFor(node('x', has), wanted);
        if (found.change === undefined && found.notes.length === 0) quick += 1;
        // The quick check says no to a node with somebody else's label, and that label changes nothing but the notes.
        const theirs = node('x', { ...has, labels: { ...has.labels, theirs: 'yes' } });
        const slow = changeFor(theirs, { ...wanted, labels: new Map([...wanted.labels, ['theirs', 'no']]) });
        expect(slow.notes.at(-1)?.key).toBe('uid-x theirs');
        expect({ ...slow, notes: slow.notes.slice(0, -1) }).toEqual(found);
      }),
      { numRuns: 500 },
    );
    expect(quick).toBeGreaterThan(25);
  });

  it.each<[string, Record<string, string>, boolean]>([
    ['no labels', {}, false],
    ['labels', { zone: 'b', rack: 'a' }, false],
    ['the address of its machine', {}, true],
  ])('is found without a copy of anything where it has everything: %s', (_, all, followsAddress) => {
    const written = Object.keys(all).length === 0 ? {} : { [LABELS]: 'rack,zone' };
    const whole = ours('x', 'a', '10.0.0.1', { labels: all, annotations: written });
    const wanted = wantedOf(all, { followsAddress, removesLabels: true });
    expect(changeFor(whole, wanted)).toBe(changeFor(whole, wanted));
  });

  it('takes an empty list of our labels away, and writes no key that is empty', () => {
    const emptied = ours('x', 'a', '10.0.0.1', { annotations: { [LABELS]: '' } });
    const listOf = (all: Record<string, string>) =>
      changeFor(emptied, wantedOf(all, { followsAddress: false, removesLabels: false })).change?.annotations;
    expect([listOf({}), listOf({ rack: '1' })]).toEqual([new Map([[LABELS, null]]), new Map([[LABELS, 'rack']])]);
  });

  it('leaves nothing to be changed', () => {
    fc.assert(
      fc.property(cases, ({ has, wanted }) => {
        const { change } = changeFor(node('x', has), wanted);
        const after = {
          labels: present({ ...has.labels, ...Object.fromEntries(change?.labels ?? []) }),
          annotations: present({ ...has.annotations, ...Object.fromEntries(change?.annotations ?? []) }),
        };
        expect(changeFor(node('x', after), wanted).change).toBeUndefined();
      }),
    );
  });
});
