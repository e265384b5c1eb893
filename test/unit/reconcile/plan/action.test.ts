/** What tells one request from another. */
import { describe, expect, it } from 'vitest';
import { ADDRESS, LABELS, MACHINE_ID, MANAGED, ORIGIN, OWNER } from '../../../../src/reconcile/evidence/marks.ts';
import {
  type Action,
  fingerprint,
  labelFingerprint,
  machineIdOf,
  nodeName,
  writeOf,
} from '../../../../src/reconcile/plan/action.ts';
import { EMPTY_MEMORY } from '../../../../src/reconcile/plan/memory/memory.ts';
import { undoneBefore } from '../../../../src/reconcile/plan/upkeep.ts';
import { INTERVAL, MINUTE, machine, node, ours, planAt, watchUntilDeregistered } from '../world.ts';

const labelled = machine('a', '10.0.0.1', { rack: 'r1' });
const kubelets = { '10.0.0.1': 'healthy' } as const;

/** The action that a world with this node, or none, comes to. */
function actionOn(nodes: readonly ReturnType<typeof node>[], ms = 0, on = labelled): Action {
  const { actions } = planAt(ms, { machines: [on], nodes, kubelets }, EMPTY_MEMORY, { nodeLabels: ['rack'] });
  const [action] = actions;
  if (action === undefined) throw new Error('nothing is to be done');
  return action;
}

/** The machine's label, and that it is listed as ours. */
const rack = { rack: 'r1', [LABELS]: 'rack' };
const mark = { [MANAGED]: 'true', [MACHINE_ID]: 'a', [ADDRESS]: '10.0.0.1', [ORIGIN]: 'named', [OWNER]: 'default' };

const kinds = [
  ['register', [], { key: 'register a', values: { name: '10.0.0.1' } }],
  ['adopt', [node('10.0.0.1')], { key: 'mark uid-10.0.0.1', values: { ...mark, ...rack } }],
  ['label', [ours('10.0.0.1', 'a', '10.0.0.1')], { key: 'mark uid-10.0.0.1', values: rack }],
] as const;

describe.each(kinds)('the action to %s', (kind, nodes, write) => {
  it('is about one node and its machine', () => {
    expect(actionOn(nodes).kind).toBe(kind);
    expect(nodeName(actionOn(nodes))).toBe('10.0.0.1');
    expect(machineIdOf(actionOn(nodes))).toBe('a');
  });

  it('is undone when others change what it writes, except the time', () => {
    const { key, values } = writeOf(actionOn(nodes)) ?? {};
    expect({ key, values: Object.fromEntries(values ?? []) }).toEqual(write);
  });

  it('asks the same at another time, and is the same when it is undone', () => {
    expect(fingerprint(actionOn(nodes, INTERVAL))).toBe(fingerprint(actionOn(nodes)));
    expect(writeOf(actionOn(nodes, INTERVAL))).toEqual(writeOf(actionOn(nodes)));
  });

  it.each([
    ['other labels', machine('a', '10.0.0.1', { rack: 'r2' })],
    ['another machine', machine('b', '10.0.0.1', { rack: 'r1' })],
  ])('asks something else with %s', (_, other) => {
    const marked = nodes.map((each) => (kind === 'label' ? ours('10.0.0.1', other.id, '10.0.0.1') : each));
    expect(fingerprint(actionOn(marked, 0, other))).not.toBe(fingerprint(actionOn(nodes)));
  });

  it('is not repeated for ten minutes after the server refused it', () => {
    const refused = new Map([[fingerprint(actionOn(nodes)), 10 * MINUTE]]);
    const actionsAt = (ms: number) =>
      planAt(ms, { machines: [labelled], nodes, kubelets }, { ...EMPTY_MEMORY, refused }, { nodeLabels: ['rack'] })
        .actions;
    expect(actionsAt(INTERVAL)).toEqual([]);
    expect(actionsAt(10 * MINUTE)).toHaveLength(1);
  });
});

it('a registration that loses its labels leaves the change behind that the next pass would ask for', () => {
  const registration = actionOn([]);
  if (registration.kind !== 'register') throw new Error(`it is to ${registration.kind}`);
  const bare = node('10.0.0.1', { mark: 'a', origin: 'named', addresses: ['10.0.0.1'] });
  const { machine: registered, draft } = registration;
  expect(fingerprint(actionOn([bare]))).toBe(labelFingerprint(registered, draft.labels));
});

it('a delete can be undone by nobody, and is about one uid', () => {
  const policy = { maxDeregisterPercent: 100 };
  const [action] = watchUntilDeregistered({ nodes: [ours('x', 'x', '10.0.0.9')] }, { policy })?.plan.actions ?? [];
  if (action === undefined) throw new Error('nothing is to be done');
  expect([writeOf(action), fingerprint(action), nodeName(action)]).toEqual([undefined, 'deregister uid-x', 'x']);
  expect(machineIdOf(action)).toBe('x');
  const now = { monotonicMs: 0, wall: '' };
  expect(undoneBefore(action, ['node x', 'deleted'], EMPTY_MEMORY, now)).toEqual({ times: 0, waitMs: 0 });
});
