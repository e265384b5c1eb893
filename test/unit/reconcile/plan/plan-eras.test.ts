/** What is planned for API servers of other ages: before v0.9 they hide minions, before v0.13 none can be changed, before v1.0 False is not the kubelet's word. */
import { describe, expect, it } from 'vitest';
import { eraOf } from '../../../../src/kubernetes/era.ts';
import { LABELS, MANAGED } from '../../../../src/reconcile/evidence/marks.ts';
import { EMPTY_MEMORY, type Memory, RETRY_REFUSED_MS } from '../../../../src/reconcile/plan/memory/memory.ts';
import {
  beside,
  bystanders,
  ERAS,
  INTERVAL,
  MINUTE,
  machine,
  node,
  ours,
  planAt,
  told,
  Watch,
  type World,
  watchUntilDeregistered,
} from '../world.ts';

const V0_2 = eraOf({ version: 'v0.2+', apiVersion: 'v1beta1' });
const V0_5 = eraOf({ version: 'v0.5.6', apiVersion: 'v1beta2' });
const V0_8 = ERAS['v0.8'];
const V1 = ERAS['v1.20'];

const M = machine('m', '10.0.0.1', { zone: 'a', 'a.b': 'c' });
const healthy = { '10.0.0.1': 'healthy' } as const;

/** A memory in which a name was registered a moment ago. */
function registered(name: string): Memory {
  return { ...EMPTY_MEMORY, abilities: V0_8.abilities, hidden: new Map([[name, RETRY_REFUSED_MS]]) };
}

/** A dead managed node of machine m, which fleet lists or not, among ten. */
function deadIn(
  era: keyof typeof ERAS,
  machines: World['machines'] = [],
  ready: 'none' | 'false' | 'unknown' = 'none',
): World {
  return {
    ...beside(bystanders(10), { machines, nodes: [ours('10.0.0.1', 'm', '10.0.0.1', { ready })] }),
    era: ERAS[era],
  };
}

describe('where a row can come to a delete', () => {
  it.each([
    ['v0.8', 'none', undefined, 'orphan'],
    ['v0.9', 'none', 15 * MINUTE, 'in-grace'],
    ['v0.12', 'none', 15 * MINUTE, 'in-grace'],
    ['v0.13', 'false', 15 * MINUTE, 'in-grace'],
    ['v0.17', 'false', 15 * MINUTE, 'in-grace'],
    ['v0.17', 'unknown', 15 * MINUTE, 'in-grace'],
    ['v1.0', 'false', undefined, 'orphan'],
    ['v1.0', 'unknown', 15 * MINUTE, 'in-grace'],
    ['v1.20', 'unknown', 15 * MINUTE, 'in-grace'],
  ] as const)('%s, Ready=%s: after %s ms, %s until then', (era, ready, ms, verdict) => {
    const world = deadIn(era, [], ready);
    expect(planAt(0, world).nodes.get('10.0.0.1')?.name).toBe(verdict);
    expect(watchUntilDeregistered(world)?.ms).toBe(ms);
  });

  it.each(['v0.9', 'v0.12', 'v0.17'] as const)(
    'on %s a machine that matches is unhealthy after its own grace, once it was heard',
    (era) => {
      const world = deadIn(era, [M]);
      expect(watchUntilDeregistered(world)).toBeUndefined();
      const before = { ...world, kubelets: { ...world.kubelets, ...healthy } };
      expect(watchUntilDeregistered(world, { before })?.ms).toBe(30 * MINUTE);
    },
  );

  it('on v0.8 the guard finds nobody gone, for whoever is listed is alive', () => {
    expect(planAt(0, { nodes: [ours('x', 'x', '10.0.0.9', { ready: 'none' })], era: V0_8 }).hold).toBeUndefined();
  });
});

describe('a minion that is listed before v0.9', () => {
  const listed = { machines: [M], kubelets: healthy, era: V0_8 };

  it('without a mark is recognised and never adopted', () => {
    const plan = planAt(0, { ...listed, nodes: [node('10.0.0.1', { ready: 'true' })] });
    expect(plan.actions).toEqual([]);
    expect(plan.nodes.get('10.0.0.1')).toMatchObject({
      name: 'recognised',
      next: 'not adopted: the API server (v0.8.4, using API v1beta2) cannot update minions',
    });
  });

  it('with a mark is kept, though its label and its origin are missing', () => {
    const plan = planAt(0, { ...listed, nodes: [node('10.0.0.1', { ready: 'true', mark: 'm' })] });
    expect(plan.actions).toEqual([]);
    expect(plan.nodes.get('10.0.0.1')?.name).toBe('keep');
  });

  it('is an orphan when its machine leaves fleet, and never deregistered', () => {
    const world = { nodes: [ours('10.0.0.1', 'm', '10.0.0.1', { ready: 'true' })], era: V0_8 };
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
    expect(planAt(RETRY_REFUSED_MS, world, second.memory).memory.hidden.size).toBe(0);
  });

  it('is registered again after ten minutes', () => {
    expect(told(planAt(RETRY_REFUSED_MS, world, registered('10.0.0.1')))).toEqual(['register 10.0.0.1']);
  });

  it('is registered again at once when it was listed meanwhile', () => {
    const seen = { ...world, nodes: [node('10.0.0.1', { ready: 'true' })] };
    const { memory } = planAt(INTERVAL, seen, registered('10.0.0.1'));
    expect(told(planAt(2 * INTERVAL, world, memory))).toEqual(['register 10.0.0.1']);
  });

  it('is registered again at once by a server that can do other things', () => {
    expect(told(planAt(INTERVAL, { ...world, era: V1 }, registered('10.0.0.1')))).toEqual(['register 10.0.0.1']);
  });
});

describe('a list that hangs', () => {
  it('does not keep machines from being registered, and names the kubelets that hang, not those that refuse connections', () => {
    const others = [machine('h', '10.0.0.3'), machine('i', '10.0.0.2'), machine('j', '10.0.0.4')];
    const kubelets = { ...healthy, '10.0.0.2': 'hung', '10.0.0.3': 'hung', '10.0.0.4': 'silent' } as const;
    const world = { machines: [M, ...others], kubelets, era: V0_8, unlistable: 'no answer within 10 s' };
    const plan = planAt(0, world);
    expect(told(plan)).toEqual(['register 10.0.0.1']);
    expect(plan.notes).toEqual([
      {
        kind: 'unlistable',
        key: '10.0.0.2 10.0.0.3',
        text: expect.stringMatching(
          /^cannot list minions: no answer within 10 s; .*; check the kubelets that do not reply: 10\.0\.0\.2, 10\.0\.0\.3$/,
        ),
      },
    ]);
  });

  it('says so when all kubelets reply', () => {
    const plan = planAt(0, { machines: [M], kubelets: healthy, era: V0_8, unlistable: 'no answer within 10 s' });
    expect(plan.notes[0]?.text).toContain('all kubelets that fleet lists reply; check those of other minions');
  });
});

describe('labels', () => {
  const policy = { nodeLabels: ['zone', 'a.b'] };

  function drafted(era: typeof V1) {
    const plan = planAt(0, { machines: [M], kubelets: healthy, era }, EMPTY_MEMORY, policy);
    const [action] = plan.actions;
    return {
      labels: action?.kind === 'register' ? [...action.draft.labels.keys()] : undefined,
      list: action?.kind === 'register' ? action.draft.annotations.get(LABELS) : undefined,
    };
  }

  it.each([
    ['v0.2', V0_2, [], undefined],
    ['v0.5', V0_5, ['zone'], 'zone'],
    ['v0.8', V0_8, ['zone', MANAGED], 'zone'],
    ['v1', V1, ['zone', 'a.b', MANAGED], 'a.b,zone'],
  ])('of a server of %s are those that it keeps', (_, era, labels, list) => {
    expect(drafted(era)).toEqual({ labels, list });
  });

  it('that a server does not keep are noted', () => {
    const plan = planAt(0, { machines: [M], kubelets: healthy, era: V0_5 }, EMPTY_MEMORY, policy);
    expect(plan.notes.map(({ text }) => text)).toContainEqual(
      expect.stringContaining('(v0.5.6, using API v1beta2) does not keep label a.b'),
    );
  });
});

describe('an upgrade', () => {
  const by = bystanders(5);
  const world = { ...by, nodes: [...by.nodes, ours('gone', 'g', '10.0.0.9')] };
  const graceAfter = (before: keyof typeof ERAS, after: typeof V1) => {
    const watch = new Watch();
    watch.passFor(14 * MINUTE, { ...world, era: ERAS[before] });
    return watch.pass({ ...world, era: after }).memory.graces.get('uid-gone');
  };

  it('to a server that can do other things starts every grace anew', () => {
    expect(graceAfter('v0.17', V1)).toMatchObject({ watchedMs: 0, passes: 1 });
  });

  it('to a patch release, or to another release that can do the same, starts none anew', () => {
    for (const version of ['v1.20.4', 'v1.21.0', 'v1.9.2']) {
      expect(graceAfter('v1.20', eraOf({ version, apiVersion: 'v1' }))).toMatchObject({ watchedMs: 14.5 * MINUTE });
    }
  });
});
