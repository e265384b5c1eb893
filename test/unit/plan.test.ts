import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ADDRESS, LABELS, MACHINE_ID, MANAGED, SINCE } from '../../src/reconcile/marks.ts';
import { EMPTY_MEMORY } from '../../src/reconcile/memory.ts';
import {
  bystanders,
  INTERVAL,
  MINUTE,
  machine,
  node,
  observed,
  ours,
  planAt,
  told,
  watchUntilDeregistered,
} from './world.ts';

const A = machine('a', '10.0.0.1');
const healthy = { '10.0.0.1': 'healthy', '10.0.0.2': 'healthy' } as const;

describe('a machine without a node', () => {
  it('is registered once its kubelet is healthy, with name, address and marks, and nothing that is the kubelet’s to tell', () => {
    const [action] = planAt(0, { machines: [A], kubelets: healthy }).actions;
    expect(action).toMatchObject({ kind: 'register', draft: { name: '10.0.0.1', address: '10.0.0.1' } });
    const draft = action?.kind === 'register' ? action.draft : undefined;
    expect(draft?.labels).toEqual(new Map([[MANAGED, 'true']]));
    expect(draft?.annotations).toEqual(
      new Map([
        [MACHINE_ID, 'a'],
        [ADDRESS, '10.0.0.1'],
        [SINCE, '2026-01-02T00:00:00.000Z'],
      ]),
    );
  });

  it.each(['silent', 'answers'] as const)('waits while its kubelet is only %s', (state) => {
    const plan = planAt(0, { machines: [A], kubelets: { '10.0.0.1': state } });
    expect(plan.actions).toEqual([]);
    expect(plan.machines.get('a')?.name).toBe('waiting');
  });

  it('is not registered when it does not match, or has no address', () => {
    const machines = [machine('a', '10.0.0.1', { role: 'etcd' }), machine('b', undefined)];
    const plan = planAt(0, { machines, kubelets: healthy });
    expect(plan.actions).toEqual([]);
    expect([...plan.machines.values()].map(({ name }) => name)).toEqual(['not-selected', 'unusable']);
  });

  it('is registered under the name its last node had', () => {
    const before = planAt(0, {
      machines: [A],
      nodes: [node('host-a', { machineId: 'a', ready: 'ready' })],
      kubelets: healthy,
    });
    expect(told(planAt(INTERVAL, { machines: [A], kubelets: healthy }, before.memory))).toEqual(['register host-a']);
  });

  it('is registered under the name NODE_NAME gives when another node has the old one by now', () => {
    const before = planAt(0, {
      machines: [A],
      nodes: [node('host', { machineId: 'a', ready: 'ready' })],
      kubelets: healthy,
    });
    const world = { machines: [A], nodes: [node('host', { uid: 'new', machineId: 'z' })], kubelets: healthy };
    expect(told(planAt(INTERVAL, world, before.memory))).toEqual(['register 10.0.0.1']);
  });

  it.each(['fd00::1', 'UPPER', 'with space'])(
    'is not registered under a name that the server would refuse: %s',
    (name) => {
      const names = new Map([['a', { name }]]);
      const plan = planAt(0, { machines: [A], kubelets: healthy, names });
      expect(plan.actions).toEqual([]);
      expect(plan.machines.get('a')?.name).toBe('unnamed');
    },
  );

  it('is in conflict when the node of its name reports another machine’s id', () => {
    const plan = planAt(0, { machines: [A], nodes: [node('10.0.0.1', { machineId: 'z' })], kubelets: healthy });
    expect(plan.actions).toEqual([]);
    expect(plan.machines.get('a')?.name).toBe('conflict');
  });

  it('of two at one address only the smallest id is registered, even under names that differ', () => {
    const names = new Map([
      ['a', { name: 'name-a' }],
      ['b', { name: 'name-b' }],
    ]);
    const plan = planAt(0, { machines: [machine('b', '10.0.0.1'), A], kubelets: healthy, names });
    expect(told(plan)).toEqual(['register name-a']);
    expect(plan.machines.get('b')?.name).toBe('conflict');
  });

  it('goes on being registered while the mass guard holds', () => {
    const gone = [ours('x', 'x', '10.5.0.1'), ours('y', 'y', '10.5.0.2')];
    const plan = planAt(0, { machines: [A], nodes: gone, kubelets: healthy });
    expect(plan.hold).toBeDefined();
    expect(told(plan)).toEqual(['register 10.0.0.1']);
  });
});

describe('a node without a mark', () => {
  const self = node('host-a', { machineId: 'a', addresses: ['10.0.0.1'], labels: { zone: 'hand-made' } });

  it('is adopted once its kubelet answers, and nothing else of it is changed', () => {
    const plan = planAt(0, { machines: [A], nodes: [self], kubelets: { '10.0.0.1': 'answers' } });
    expect(plan.nodes.get('host-a')?.name).toBe('adopt');
    expect(plan.actions).toMatchObject([
      {
        kind: 'adopt',
        change: {
          labels: new Map([[MANAGED, 'true']]),
          annotations: new Map([
            [MACHINE_ID, 'a'],
            [ADDRESS, '10.0.0.1'],
            [SINCE, '2026-01-02T00:00:00.000Z'],
          ]),
        },
      },
    ]);
  });

  it('is adopted when Kubernetes calls it Ready though its kubelet is silent', () => {
    const ready = node('host-a', { machineId: 'a', ready: 'ready' });
    expect(told(planAt(0, { machines: [A], nodes: [ready] }))).toEqual(['adopt host-a']);
  });

  it('is never adopted when it is dead', () => {
    const plan = planAt(0, { machines: [A], nodes: [self] });
    expect(plan.actions).toEqual([]);
    expect(plan.nodes.get('host-a')?.name).toBe('recognised');
  });

  it('is recognised but never marked with ADOPT=false, and no phantom is made beside it', () => {
    const plan = planAt(0, { machines: [A], nodes: [self], kubelets: healthy }, EMPTY_MEMORY, { adopt: false });
    expect(plan.actions).toEqual([]);
    expect(plan.nodes.get('host-a')?.name).toBe('recognised');
  });

  it('is foreign, and never deregistered, when it is dead and no machine comes to it', () => {
    const world = {
      nodes: [node('by-hand', { addresses: ['10.0.0.9'] }), ...bystanders(5).nodes],
      kubelets: bystanders(5).kubelets,
    };
    expect(planAt(0, world).nodes.get('by-hand')?.name).toBe('foreign');
    expect(watchUntilDeregistered(world)).toBeUndefined();
  });

  it('is never deregistered, nor counted as managed, when it is dead and a machine comes to it', () => {
    const others = bystanders(10);
    const world = { ...others, machines: [A, ...others.machines], nodes: [self, ...others.nodes] };
    expect(watchUntilDeregistered(world)).toBeUndefined();
    expect(planAt(0, world).managed).toBe(10);
  });
});

describe('a mark that names another machine', () => {
  const stays = { machines: [A], nodes: [ours('10.0.0.1', 'old', '10.0.0.1')], kubelets: healthy };

  it('is rewritten when fleet has not listed that machine for three good passes', () => {
    const first = planAt(0, stays);
    const second = planAt(INTERVAL, stays, first.memory);
    const third = planAt(2 * INTERVAL, stays, second.memory);
    expect([first, second, third].map(told)).toEqual([[], [], ['adopt 10.0.0.1']]);
    expect(third.actions).toMatchObject([{ change: { annotations: new Map([[MACHINE_ID, 'a']]) } }]);
  });

  it('is remembered by that machine’s id, and no other mark is', () => {
    const nodes = [...stays.nodes, node('by-hand'), ours('b', 'b', '10.0.0.2')];
    const world = { ...stays, machines: [A, machine('b', '10.0.0.2')], nodes };
    expect(planAt(0, world).memory.unlisted).toEqual(new Map([['old', 1]]));
  });

  it('starts counting anew when fleet lists that machine in between', () => {
    const listed = { ...stays, machines: [A, machine('old', '10.0.0.7')] };
    const passes = [stays, stays, listed, stays, stays];
    let memory = EMPTY_MEMORY;
    for (const [index, world] of passes.entries()) {
      const plan = planAt(index * INTERVAL, world, memory);
      expect(told(plan)).not.toContain('adopt 10.0.0.1');
      memory = plan.memory;
    }
  });
});

describe('labels from metadata', () => {
  const labelled = machine('a', '10.0.0.1', { rack: 'r 1', zone: 'b' });
  const policy = { nodeLabels: ['rack', 'zone', 'absent'] };
  const plan = (labels: Record<string, string>, written: string, from = labelled) =>
    planAt(
      0,
      {
        machines: [from],
        nodes: [
          ours('10.0.0.1', 'a', '10.0.0.1', { labels, annotations: written === '' ? {} : { [LABELS]: written } }),
        ],
        kubelets: healthy,
      },
      EMPTY_MEMORY,
      policy,
    );

  it('are copied at registration, cleaned to label syntax, and listed as ours', () => {
    const [action] = planAt(0, { machines: [labelled], kubelets: healthy }, EMPTY_MEMORY, policy).actions;
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
    expect(plan({ rack: 'r-1', zone: 'b' }, 'rack,zone').actions).toEqual([]);
  });

  it('follow the metadata, and go when the key goes', () => {
    const moved = machine('a', '10.0.0.1', { rack: 'r2' });
    expect(plan({ rack: 'r-1', zone: 'b' }, 'rack,zone', moved).actions).toMatchObject([
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

  it('leave a key alone that was there before us, and say so', () => {
    const { actions, notes } = plan({ rack: 'theirs', zone: 'b' }, 'zone');
    expect(actions).toEqual([]);
    expect(notes).toEqual([
      {
        key: 'foreign label uid-10.0.0.1 rack',
        text: 'node 10.0.0.1: the label rack was there before us and is left alone',
      },
    ]);
  });

  it('say what cannot be represented', () => {
    const odd = machine('a', '10.0.0.1', { rack: 'x'.repeat(64), zone: 'b' });
    const { notes } = plan({ zone: 'b' }, 'zone', odd);
    expect(notes).toEqual([
      { key: 'label a rack', text: expect.stringContaining('"rack" is not copied to a label: the value "xxx') },
    ]);
  });

  it('are the first of two keys that become one label, and the other is told of', () => {
    const twice = machine('a', '10.0.0.1', { 'a b': 'first', 'a-b': 'second' });
    const nodeLabels = ['a b', 'a-b'];
    const { actions, notes } = planAt(0, { machines: [twice], kubelets: healthy }, EMPTY_MEMORY, { nodeLabels });
    const labels = new Map([
      ['a-b', 'first'],
      [MANAGED, 'true'],
    ]);
    expect(actions).toMatchObject([{ draft: { labels } }]);
    expect(notes).toEqual([
      {
        key: 'label a a-b',
        text: 'machine a: metadata "a-b" is not copied to a label: another metadata key became the label a-b already',
      },
    ]);
  });

  it('put the managed label back when it is missing', () => {
    const bare = node('10.0.0.1', {
      mark: 'a',
      addresses: ['10.0.0.1'],
      annotations: { [ADDRESS]: '10.0.0.1', [SINCE]: 'then' },
    });
    expect(planAt(0, { machines: [A], nodes: [bare], kubelets: healthy }).actions).toMatchObject([
      { kind: 'label', change: { labels: new Map([[MANAGED, 'true']]), annotations: new Map() } },
    ]);
  });
});

/** A marked node of machine a in a world of ten living ones. */
function oneNode(traits: Parameters<typeof ours>[3], machines: readonly ReturnType<typeof machine>[], kubelets = {}) {
  const others = bystanders(10);
  return {
    machines: [...machines, ...others.machines],
    nodes: [ours('10.0.0.1', 'a', '10.0.0.1', traits), ...others.nodes],
    kubelets: { ...others.kubelets, ...kubelets },
  };
}
const elsewhere = machine('a', '10.0.0.1', { role: 'etcd' });

describe('a node that is alive is never deregistered', () => {
  it.each([
    ['keep', 'matches, kubelet healthy', {}, [A], { '10.0.0.1': 'healthy' }],
    ['keep', 'matches, kubelet answers 500 and Kubernetes says NotReady', {}, [A], { '10.0.0.1': 'answers' }],
    ['probe-suspect', 'matches, and only Kubernetes calls it Ready', { ready: 'ready' }, [A], {}],
    ['unmatched', 'no longer matches, kubelet answers', {}, [elsewhere], { '10.0.0.1': 'answers' }],
    ['unmatched', 'no longer matches, Ready (maybe fleet is stopping the unit)', { ready: 'ready' }, [elsewhere], {}],
    ['orphan', 'not listed, kubelet healthy (maybe fleet’s agent is down)', {}, [], { '10.0.0.1': 'healthy' }],
    ['orphan', 'not listed, Ready (maybe a listing lies)', { ready: 'ready' }, [], {}],
    ['keep', 'not read in this pass, so nothing is known', { unread: true }, [A], {}],
  ] as const)('%s: fleet says: %s', (verdict, _situation, traits, machines, kubelets) => {
    const world = oneNode(traits, machines, kubelets);
    expect(planAt(0, world).nodes.get('10.0.0.1')?.name).toBe(verdict);
    expect(watchUntilDeregistered(world)).toBeUndefined();
  });
});

describe('a node that is not alive is deregistered', () => {
  it.each([
    ['unhealthy', 30 * MINUTE, 'matches', [A]],
    ['metadata-changed', 15 * MINUTE, 'no longer matches', [elsewhere]],
    ['machine-gone', 15 * MINUTE, 'is not listed', []],
  ] as const)('as %s after %d ms when its machine %s', (reason, graceMs, _situation, machines) => {
    const end = watchUntilDeregistered(oneNode({}, machines));
    expect(end?.ms).toBe(graceMs);
    expect(end?.plan.actions).toMatchObject([{ kind: 'deregister', node: { name: '10.0.0.1' }, reason }]);
    expect(end?.plan.nodes.get('10.0.0.1')?.name).toBe('deregister');
  });

  it('also when the server keeps no conditions', () => {
    expect(watchUntilDeregistered(oneNode({ ready: 'none' }, []))?.ms).toBe(15 * MINUTE);
  });

  it('with the numbers in its verdict on the way', () => {
    const world = oneNode({}, []);
    let memory = EMPTY_MEMORY;
    for (let pass = 0; pass < 7; pass += 1) memory = planAt(pass * INTERVAL, world, memory).memory;
    const verdict = planAt(7 * INTERVAL, world, memory).nodes.get('10.0.0.1');
    expect(verdict).toMatchObject({
      name: 'in-grace',
      reason: 'missing from fleet for 3m30s of 15m, seen in 8 passes; kubelet silent; Kubernetes says NotReady',
      next: 'deregistered in 11m30s',
      dueInMs: 11.5 * MINUTE,
    });
  });

  it('though fleet gives its address to another machine, whose kubelet does not speak for it', () => {
    const world = oneNode({ machineId: 'a' }, [machine('new', '10.0.0.1', { role: 'etcd' })], {
      '10.0.0.1': 'healthy',
    });
    expect(watchUntilDeregistered(world)?.plan.actions).toMatchObject([{ reason: 'machine-gone', addresses: [] }]);
  });

  it.each([
    ['register-only', { neverDeregister: 'KUBE_REGISTER_POLICY=register-only' }],
    ['MISSING_GRACE=never', { missingGraceMs: Number.POSITIVE_INFINITY }],
  ])('but never with %s', (_name, policy) => {
    const world = oneNode({}, []);
    expect(watchUntilDeregistered(world, { policy })).toBeUndefined();
    expect(planAt(0, world, EMPTY_MEMORY, policy).nodes.get('10.0.0.1')?.name).toBe('spared');
  });

  it.each([
    ['the veto annotation', { annotations: { 'kube-register.io/keep': 'true' } }],
    ['the veto as a label', { labels: { 'kube-register.io/keep': 'true' } }],
    ['a veto in other words', { annotations: { 'kube-register.io/keep': 'yes' } }],
    ['a cordon', { cordoned: true }],
  ])('but never with %s', (_name, traits) => {
    const world = oneNode(traits, []);
    expect(watchUntilDeregistered(world)).toBeUndefined();
    expect(planAt(0, world).nodes.get('10.0.0.1')?.name).toBe('vetoed');
  });

  it('also when the veto is taken back with false', () => {
    const world = oneNode({ annotations: { 'kube-register.io/keep': 'false' } }, []);
    expect(watchUntilDeregistered(world)?.ms).toBe(15 * MINUTE);
  });
});

describe('a node that goes', () => {
  const due = { reason: 'unhealthy', mark: 'a', passes: 90, watchedMs: 40 * MINUTE, failures: 0 } as const;
  const memory = { ...EMPTY_MEMORY, graces: new Map([['uid-10.0.0.1', due]]) };

  it('is not brought up to date in the same pass', () => {
    const world = oneNode({ annotations: { [ADDRESS]: '10.0.0.99' } }, [A, machine('b', '10.0.0.2')]);
    world.nodes.push(ours('10.0.0.2', 'b', '10.0.0.2', { annotations: { [ADDRESS]: '10.0.0.98' } }));
    expect(told(planAt(0, world))).toEqual(['label 10.0.0.1', 'label 10.0.0.2']);
    expect(told(planAt(0, world, memory))).toEqual(['deregister 10.0.0.1', 'label 10.0.0.2']);
  });

  it('stays for ten minutes when the server refused to delete it', () => {
    const world = oneNode({}, [A]);
    const futile = new Map([['deregister uid-10.0.0.1', 10 * MINUTE]]);
    const plan = planAt(0, world, { ...memory, futile });
    expect(told(plan)).toEqual([]);
    expect(plan.nodes.get('10.0.0.1')?.name).toBe('queued');
    expect(told(planAt(10 * MINUTE, world, { ...memory, futile }))).toEqual(['deregister 10.0.0.1']);
  });
});

describe('what a metadata-only list does not repeat', () => {
  it('is remembered of every node that is there, by its uid', () => {
    const nodes = [node('x', { machineId: 'a', addresses: ['10.0.0.1'] }), node('by-hand')];
    const { memory } = planAt(0, { machines: [A], nodes }, planAt(0, { nodes: [node('gone')] }).memory);
    expect(memory.identities).toEqual(
      new Map([
        ['uid-x', { machineId: 'a', addresses: ['10.0.0.1'] }],
        ['uid-by-hand', { machineId: '', addresses: [] }],
      ]),
    );
  });
});

describe('records of fleet that name no machine', () => {
  it('are told of by their number, and not where there are none', () => {
    expect(planAt(0, { skippedRecords: 2 }).notes).toEqual([
      { key: 'skipped', text: 'fleet lists records that name no machine (2): they are skipped' },
    ]);
    expect(planAt(0, {}).notes).toEqual([]);
  });
});

describe('grace is watched time', () => {
  const gone = oneNode({}, []);
  const alive = oneNode({}, [], { '10.0.0.1': 'healthy' });

  it('of which an outage adds two intervals at most', () => {
    const first = planAt(0, gone);
    const afterAnHour = planAt(60 * MINUTE, gone, first.memory);
    expect(afterAnHour.memory.graces.get('uid-10.0.0.1')).toMatchObject({ watchedMs: 2 * INTERVAL, passes: 2 });
  });

  it('that a good pass which sees another row drops', () => {
    const first = planAt(0, gone);
    const second = planAt(INTERVAL, gone, first.memory);
    const third = planAt(2 * INTERVAL, alive, second.memory);
    expect(third.memory.graces.has('uid-10.0.0.1')).toBe(false);
    const fourth = planAt(3 * INTERVAL, gone, third.memory);
    expect(fourth.memory.graces.get('uid-10.0.0.1')).toMatchObject({ watchedMs: 0, passes: 1 });
  });

  it('that starts anew when the reason becomes another', () => {
    const first = planAt(0, gone);
    const second = planAt(INTERVAL, oneNode({}, [A]), first.memory);
    expect(second.memory.graces.get('uid-10.0.0.1')).toMatchObject({ reason: 'unhealthy', watchedMs: 0 });
  });

  it('that starts anew when the mark becomes another machine’s', () => {
    const first = planAt(0, gone);
    const remarked = oneNode({ annotations: { [MACHINE_ID]: 'other' } }, []);
    const second = planAt(INTERVAL, remarked, first.memory);
    expect(second.memory.graces.get('uid-10.0.0.1')).toMatchObject({ mark: 'other', watchedMs: 0, passes: 1 });
  });

  it('that belongs to one uid', () => {
    const first = planAt(0, gone);
    const second = planAt(INTERVAL, oneNode({ uid: 'made anew' }, []), first.memory);
    expect(second.memory.graces.get('made anew')).toMatchObject({ watchedMs: 0, passes: 1 });
  });

  it('and ends only after three good passes, whatever the clock says', () => {
    const policy = { missingGraceMs: 0 };
    let memory = EMPTY_MEMORY;
    const kinds = [0, 1, 2].map((ms) => {
      const plan = planAt(ms, gone, memory, policy);
      memory = plan.memory;
      return told(plan);
    });
    expect(kinds).toEqual([[], [], ['deregister 10.0.0.1']]);
  });
});

describe('the mass guard', () => {
  /** `gone` dead nodes among `managed`, all of machines that fleet lists no more. */
  function mass(gone: number, managed: number) {
    const others = bystanders(managed - gone);
    const dead = Array.from({ length: gone }, (_, index) => ours(`dead-${index}`, `m${index}`, `10.1.0.${index + 1}`));
    return { ...others, nodes: [...dead, ...others.nodes] };
  }

  it.each([
    [1, 2, false],
    [1, 1, true],
    [2, 5, true],
    [2, 6, false],
    [34, 100, false],
    [35, 100, true],
    [5, 5, true],
  ])('when %d of %d are gone, holds: %s', (gone, managed, holds) => {
    expect(planAt(0, mass(gone, managed)).hold !== undefined).toBe(holds);
  });

  it('holds everything for as long as it lasts, and says the numbers and the way out', () => {
    const world = mass(7, 12);
    expect(watchUntilDeregistered(world)).toBeUndefined();
    const plan = planAt(0, world);
    expect(plan.hold?.message).toContain('held: 7 of 12 managed nodes look gone (58 %, limit 34 %)');
    expect(plan.hold?.message).toContain('kubectl delete node');
    expect([...plan.nodes.values()].filter(({ name }) => name === 'held')).toHaveLength(7);
  });

  it('starts every grace anew when it ends, so that who recovers last is not the first to go', () => {
    const before = planAt(0, mass(2, 10));
    const during = planAt(INTERVAL, mass(7, 10), before.memory);
    expect(during.memory.graces.size).toBe(0);
    const after = planAt(2 * INTERVAL, mass(2, 10), during.memory);
    expect([...after.memory.graces.values()]).toMatchObject([{ watchedMs: 0 }, { watchedMs: 0 }]);
  });

  it('holds nodes too whose grace was over before so many went', () => {
    const world = mass(7, 12);
    const due = { reason: 'machine-gone', passes: 40, watchedMs: 20 * MINUTE, failures: 0 } as const;
    const graces = new Map(world.nodes.map((each, index) => [each.uid, { ...due, mark: `m${index}` }]));
    const plan = planAt(0, world, { ...EMPTY_MEMORY, graces });
    expect(told(plan)).toEqual([]);
    expect([...plan.nodes.values()].filter(({ name }) => name === 'held')).toHaveLength(7);
  });

  it('has nothing to hold where no node bears our mark, or nothing is ever deregistered', () => {
    expect(planAt(0, { nodes: [node('by-hand')] }).hold).toBeUndefined();
    const policy = { neverDeregister: 'KUBE_REGISTER_POLICY=register-only' };
    expect(planAt(0, mass(7, 12), EMPTY_MEMORY, policy).hold).toBeUndefined();
  });

  it('counts vetoed nodes in neither number', () => {
    const world = mass(2, 6);
    const kept = ours('kept', 'k', '10.2.0.1', { annotations: { 'kube-register.io/keep': 'true' } });
    expect(planAt(0, { ...world, nodes: [...world.nodes, kept] }).hold).toBeUndefined();
    const vetoedAlive = world.nodes.map((each) =>
      each.name.startsWith('dead')
        ? each
        : { ...each, annotations: new Map([...each.annotations, ['kube-register.io/keep', 'true']]) },
    );
    expect(planAt(0, { ...world, nodes: vetoedAlive }).hold).toMatchObject({ gone: 2, managed: 2 });
  });

  it('is switched off by 100', () => {
    expect(watchUntilDeregistered(mass(5, 5), { policy: { maxDeregisterPercent: 100 } })?.ms).toBe(15 * MINUTE);
  });
});

describe('pacing', () => {
  const dead = (index: number) => ours(`dead-${index}`, `m${index}`, `10.1.0.${index + 1}`);
  const world = (gone: number, managed: number) => {
    const others = bystanders(managed - gone);
    return { ...others, nodes: [...Array.from({ length: gone }, (_, index) => dead(index)), ...others.nodes] };
  };

  it.each([
    [3, 10, 1],
    [3, 199, 1],
    [3, 200, 2],
    [5, 400, 4],
  ])('of %d due among %d, %d go in a pass and the others are queued', (gone, managed, go) => {
    const end = watchUntilDeregistered(world(gone, managed));
    expect(end?.plan.actions).toHaveLength(go);
    expect([...(end?.plan.nodes.values() ?? [])].filter(({ name }) => name === 'queued')).toHaveLength(gone - go);
  });

  it('takes the longest watched first, though as many passes saw the other', () => {
    const others = bystanders(20);
    const grace = { reason: 'machine-gone', passes: 5, failures: 0 } as const;
    const graces = new Map([
      ['uid-dead-1', { ...grace, mark: 'm1', watchedMs: 20 * MINUTE }],
      ['uid-dead-5', { ...grace, mark: 'm5', watchedMs: 25 * MINUTE }],
    ]);
    const given = { ...others, nodes: [dead(1), dead(5), ...others.nodes] };
    expect(told(planAt(0, given, { ...EMPTY_MEMORY, graces }))).toEqual(['deregister dead-5']);
  });

  it.each([
    ['one of them in more passes', 6, 'deregister dead-5'],
    ['each in as many passes: by name', 5, 'deregister dead-1'],
  ])('of two watched for as long, %s', (_, passes, expected) => {
    const others = bystanders(20);
    const grace = { reason: 'machine-gone', watchedMs: 20 * MINUTE, failures: 0 } as const;
    const graces = new Map([
      ['uid-dead-1', { ...grace, mark: 'm1', passes: 5 }],
      ['uid-dead-5', { ...grace, mark: 'm5', passes }],
    ]);
    for (const nodes of [
      [dead(1), dead(5), ...others.nodes],
      [dead(5), dead(1), ...others.nodes],
    ]) {
      expect(told(planAt(0, { ...others, nodes }, { ...EMPTY_MEMORY, graces }))).toEqual([expected]);
    }
  });

  it('puts behind the others whose deregistration failed', () => {
    const others = bystanders(20);
    const grace = { reason: 'machine-gone', passes: 5, watchedMs: 20 * MINUTE } as const;
    const graces = new Map([
      ['uid-dead-1', { ...grace, mark: 'm1', failures: 1 }],
      ['uid-dead-5', { ...grace, mark: 'm5', failures: 0 }],
    ]);
    const given = { ...others, nodes: [dead(1), dead(5), ...others.nodes] };
    expect(told(planAt(0, given, { ...EMPTY_MEMORY, graces }))).toEqual(['deregister dead-5']);
  });

  it('takes the longest gone first', () => {
    const others = bystanders(20);
    let memory = planAt(0, { ...others, nodes: [dead(5), ...others.nodes] }).memory;
    let plan = planAt(0, others);
    for (let ms = INTERVAL; !plan.actions.some(({ kind }) => kind === 'deregister'); ms += INTERVAL) {
      plan = planAt(ms, { ...others, nodes: [dead(1), dead(5), ...others.nodes] }, memory);
      memory = plan.memory;
    }
    expect(told(plan)).toEqual(['deregister dead-5']);
  });
});

describe('whatever the world', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd');
  const address = fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3');
  const state = fc.constantFrom('healthy' as const, 'answers' as const, 'silent' as const);
  const world = fc.record({
    machines: fc.uniqueArray(
      fc
        .record({ id, address: fc.option(address, { nil: undefined }), role: fc.constantFrom('kubernetes', 'etcd') })
        .map((each) => machine(each.id, each.address, { role: each.role })),
      { selector: (each) => each.id },
    ),
    nodes: fc.uniqueArray(
      fc
        .record({
          name: fc.constantFrom('10.0.0.1', '10.0.0.2', 'host-a', 'host-b', 'host-c'),
          mark: fc.option(id, { nil: '' }),
          machineId: fc.option(id, { nil: '' }),
          addresses: fc.uniqueArray(address),
          ready: fc.constantFrom('ready' as const, 'not-ready' as const, 'none' as const),
          cordoned: fc.boolean(),
          unread: fc.boolean(),
        })
        .map(({ name, ...traits }) => node(name, traits)),
      { selector: ({ name }) => name },
    ),
    kubelets: fc.dictionary(address, state),
  });
  const impatient = { missingGraceMs: 0, unhealthyGraceMs: 0, maxDeregisterPercent: 100 };
  const runs = { numRuns: 500 };

  it('every machine and every node has one verdict, and the same arguments give the same plan', () => {
    fc.assert(
      fc.property(world, (given) => {
        const plan = planAt(0, given);
        expect([...plan.machines.keys()].sort()).toEqual(given.machines.map((each) => each.id).sort());
        expect([...plan.nodes.keys()].sort()).toEqual(given.nodes.map((each) => each.name).sort());
        expect(planAt(0, given)).toEqual(plan);
      }),
      runs,
    );
  });

  it('only marked nodes are deregistered, never one that is alive, cordoned or unread, and one a pass of so few', () => {
    fc.assert(
      fc.property(world, (given) => {
        let memory = EMPTY_MEMORY;
        for (let pass = 0; pass < 4; pass += 1) {
          const plan = planAt(pass * INTERVAL, given, memory, impatient);
          memory = plan.memory;
          const going = plan.actions.flatMap((action) => (action.kind === 'deregister' ? [action] : []));
          expect(going.length).toBeLessThanOrEqual(pass < 2 ? 0 : 1);
          for (const { node: each, addresses } of going) {
            expect(each.annotations.get(MACHINE_ID)).toBeTruthy();
            expect(each.now).toMatchObject({ unschedulable: false });
            expect(each.now?.ready).not.toBe('ready');
            for (const asked of addresses)
              expect(observed(given).kubelets.get(asked)?.state ?? 'silent').toBe('silent');
          }
        }
      }),
      runs,
    );
  });

  it('no node is registered under a name that is there, nor two under one name or address', () => {
    fc.assert(
      fc.property(world, (given) => {
        const drafts = planAt(0, given).actions.flatMap((action) => (action.kind === 'register' ? [action.draft] : []));
        const names = drafts.map(({ name }) => name);
        expect(names.filter((name) => given.nodes.some((each) => each.name === name))).toEqual([]);
        expect(new Set(names).size).toBe(names.length);
        expect(new Set(drafts.map((draft) => draft.address)).size).toBe(drafts.length);
      }),
      runs,
    );
  });
});
