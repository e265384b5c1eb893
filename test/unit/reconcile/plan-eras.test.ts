/** What is planned for API servers before v0.13, which list a minion only while its kubelet answers and can change none. */
import { describe, expect, it } from 'vitest';
import { eraOf } from '../../src/kubernetes/era.ts';
import { EMPTY_MEMORY, FUTILE_MS, type Memory } from '../../src/reconcile/memory.ts';
import { bystanders, INTERVAL, MINUTE, machine, node, ours, planAt, told, watchUntilDeregistered } from './world.ts';

const V0_2 = eraOf({ version: 'v0.2+', apiVersion: 'v1beta1' });
const V0_5 = eraOf({ version: 'v0.5.6', apiVersion: 'v1beta2' });
const V0_8 = eraOf({ version: 'v0.8.4', apiVersion: 'v1beta2' });
const V1 = eraOf({ version: 'v1.20.2', apiVersion: 'v1' });

const M = machine('m', '10.0.0.1', { zone: 'a', 'a.b': 'c' });
const healthy = { '10.0.0.1': 'healthy' } as const;

/** A memory in which a name was registered a moment ago. */
function registered(name: string, server = V0_8.server): Memory {
  return { ...EMPTY_MEMORY, server, hidden: new Map([[name, FUTILE_MS]]) };
}

describe('a minion that is listed', () => {
  const listed = { machines: [M], kubelets: healthy, era: V0_8 };

  it('without a mark is recognised and never adopted', () => {
    const plan = planAt(0, { ...listed, nodes: [node('10.0.0.1', { ready: 'ready' })] });
    expect(plan.actions).toEqual([]);
    expect(plan.nodes.get('10.0.0.1')).toMatchObject({
      name: 'recognised',
      next: 'never marked: the API server (v0.8.4, spoken to in v1beta2) cannot change a minion',
    });
  });

  it('with a mark is kept, though its label is missing', () => {
    const plan = planAt(0, { ...listed, nodes: [node('10.0.0.1', { ready: 'ready', mark: 'm' })] });
    expect(plan.actions).toEqual([]);
    expect(plan.nodes.get('10.0.0.1')?.name).toBe('keep');
  });

  it('is an orphan when its machine leaves fleet, and never deregistered', () => {
    const world = { nodes: [ours('10.0.0.1', 'm', '10.0.0.1', { ready: 'ready' })], era: V0_8 };
    expect(planAt(0, world).nodes.get('10.0.0.1')?.name).toBe('orphan');
    expect(watchUntilDeregistered(world)).toBeUndefined();
  });
});

describe('a machine whose minion is not listed', () => {
  const world = { machines: [M], kubelets: healthy, era: V0_8 };

  it('is registered, and not again while the server may be hiding it', () => {
    expect(told(planAt(0, world))).toEqual(['register 10.0.0.1']);
    const plan = planAt(INTERVAL, world, registered('10.0.0.1'));
    expect(plan.actions).toEqual([]);
    expect(plan.machines.get('m')?.name).toBe('hidden');
    expect(plan.machines.get('m')?.reason).toContain('http://10.0.0.1:10250/healthz');
  });

  it('is not registered again in the passes after that either', () => {
    const second = planAt(INTERVAL, world, registered('10.0.0.1'));
    expect(told(planAt(2 * INTERVAL, world, second.memory))).toEqual([]);
    expect(planAt(FUTILE_MS, world, second.memory).memory.hidden.size).toBe(0);
  });

  it('is registered again after ten minutes', () => {
    expect(told(planAt(FUTILE_MS, world, registered('10.0.0.1')))).toEqual(['register 10.0.0.1']);
  });

  it('is registered again at once when it was listed meanwhile', () => {
    const seen = { ...world, nodes: [node('10.0.0.1', { ready: 'ready' })] };
    const { memory } = planAt(INTERVAL, seen, registered('10.0.0.1'));
    expect(told(planAt(2 * INTERVAL, world, memory))).toEqual(['register 10.0.0.1']);
  });

  it('is registered again at once by another server', () => {
    const upgraded = { ...world, era: V1 };
    expect(told(planAt(INTERVAL, upgraded, registered('10.0.0.1')))).toEqual(['register 10.0.0.1']);
  });
});

describe('a list that hangs', () => {
  it('does not keep machines from being registered, and names the kubelets that do not answer', () => {
    const hung = [machine('h', '10.0.0.3'), machine('i', '10.0.0.2')];
    const world = { machines: [M, ...hung], kubelets: healthy, era: V0_8, unlistable: 'no answer within 10 s' };
    const plan = planAt(0, world);
    expect(told(plan)).toEqual(['register 10.0.0.1']);
    expect(plan.notes).toEqual([
      {
        key: 'unlistable 10.0.0.2 10.0.0.3',
        text: expect.stringMatching(/these do not answer: 10\.0\.0\.2, 10\.0\.0\.3 \(no/),
      },
    ]);
  });

  it('says so when all that fleet lists answer', () => {
    const plan = planAt(0, { machines: [M], kubelets: healthy, era: V0_8, unlistable: 'no answer within 10 s' });
    expect(plan.notes[0]?.text).toContain('all that fleet lists answer');
  });
});

describe('labels', () => {
  const policy = { nodeLabels: ['zone', 'a.b'] };

  function drafted(era: typeof V1) {
    const plan = planAt(0, { machines: [M], kubelets: healthy, era }, EMPTY_MEMORY, policy);
    const [action] = plan.actions;
    return {
      labels: action?.kind === 'register' ? [...action.draft.labels.keys()] : undefined,
      list: action?.kind === 'register' ? action.draft.annotations.get('kube-register.io/labels') : undefined,
    };
  }

  it.each([
    ['v0.2', V0_2, [], undefined],
    ['v0.5', V0_5, ['zone'], 'zone'],
    ['v0.8', V0_8, ['zone', 'kube-register.io/managed'], 'zone'],
    ['v1', V1, ['zone', 'a.b', 'kube-register.io/managed'], 'a.b,zone'],
  ])('of a server of %s are those that it keeps', (_, era, labels, list) => {
    expect(drafted(era)).toEqual({ labels, list });
  });

  it('that a server does not keep are noted', () => {
    const plan = planAt(0, { machines: [M], kubelets: healthy, era: V0_5 }, EMPTY_MEMORY, policy);
    expect(plan.notes.map(({ text }) => text)).toContainEqual(
      expect.stringContaining('(v0.5.6, spoken to in v1beta2) keeps no label a.b'),
    );
  });
});

describe('an upgrade', () => {
  it.each(['UPPER', 'fd00::1', 'with space'])('leaves behind the name %j, which the server no longer takes', (name) => {
    const nodes = [node(name, { ready: 'ready', addresses: ['10.0.0.1'] })];
    const { memory } = planAt(0, { machines: [M], kubelets: healthy, nodes, era: V0_8 });
    const upgraded = { machines: [M], kubelets: healthy, era: V1 };
    expect(told(planAt(INTERVAL, upgraded, memory))).toEqual(['register 10.0.0.1']);
  });

  it('starts every grace anew', () => {
    const by = bystanders(5);
    const world = { ...by, nodes: [...by.nodes, ours('gone', 'g', '10.0.0.9')], era: V1 };
    let memory = EMPTY_MEMORY;
    for (let ms = 0; ms < 14 * MINUTE; ms += INTERVAL) memory = planAt(ms, world, memory).memory;
    const upgraded = { ...world, era: eraOf({ version: 'v1.21.0', apiVersion: 'v1' }) };
    const plan = planAt(14 * MINUTE, upgraded, memory);
    expect([...plan.memory.graces.values()]).toMatchObject([{ watchedMs: 0, passes: 1 }]);
  });
});
