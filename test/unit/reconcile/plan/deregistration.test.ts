/** The rows of the table of deregistration: which nodes are kept, as what, and when the others go. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MACHINE_ID } from '../../../../src/reconcile/evidence/marks.ts';
import { EMPTY_MEMORY, type Memory } from '../../../../src/reconcile/plan/memory/memory.ts';
import type { Plan } from '../../../../src/reconcile/plan/plan.ts';
import type { Policy } from '../../../../src/reconcile/plan/policy.ts';
import type { Reason } from '../../../../src/reconcile/plan/verdict.ts';
import {
  beside,
  bystanders,
  ERAS,
  INTERVAL,
  MINUTE,
  machine,
  type NodeTraits,
  node,
  observed,
  ours,
  planAt,
  told,
  Watch,
  type World,
  watchUntilDeregistered,
} from '../world.ts';

const NAME = '10.0.0.1';
const A = machine('a', NAME);
const elsewhere = machine('a', NAME, { role: 'etcd' });
const healthy = { [NAME]: 'healthy' } as const;
const up = { ready: 'true' } as const;
const NEVER = Number.POSITIVE_INFINITY;

/** A managed node of machine a among eleven. */
function oneNode(traits: NodeTraits, machines: World['machines'], more: World = {}): World {
  return beside(bystanders(10), {
    machines: machines ?? [],
    nodes: [ours(NAME, 'a', NAME, traits), ...(more.nodes ?? [])],
    ...(more.kubelets && { kubelets: more.kubelets }),
    ...(more.era && { era: more.era }),
    ...(more.unasked && { unasked: more.unasked }),
  });
}

/** The same node when its kubelet answers: it has been heard. */
const heardIn = (world: World): World => ({ ...world, kubelets: { ...world.kubelets, ...healthy } });

const wordsIn = (plan: Plan | undefined) => plan?.nodes.get(NAME);

/** The other node of machine a, whose kubelet posts. */
const renamed = node('host-a', { ...up, mark: 'a', origin: 'own-name', machineId: 'a', addresses: [NAME] });

describe('a node that is alive is never deregistered, whatever fleet says', () => {
  it.each<[string, string, NodeTraits, World['machines'], World]>([
    ['keep', 'its kubelet answers and posts', up, [A], { kubelets: healthy }],
    ['keep', 'its kubelet posts that it is not ready, and answers', { ready: 'false' }, [A], { kubelets: healthy }],
    ['probe-suspect', 'its kubelet posts, and nothing answers', up, [A], {}],
    ['probe-suspect', 'its kubelet posts that it is not ready, and nothing answers', { ready: 'false' }, [A], {}],
    ['not-posting', 'its kubelet answers an error, and posts nothing', {}, [A], { kubelets: { [NAME]: 'answers' } }],
    [
      'not-posting',
      'its kubelet answers, and the node never had a condition',
      { ready: 'none' },
      [A],
      { kubelets: healthy },
    ],
    ['unmatched', 'its machine no longer matches; its kubelet answers', {}, [elsewhere], { kubelets: healthy }],
    ['unmatched', 'its machine no longer matches; its kubelet posts', up, [elsewhere], {}],
    [
      'orphan',
      'fleet does not list its machine; its kubelet answers (is fleet’s agent down?)',
      {},
      [],
      { kubelets: healthy },
    ],
    ['orphan', 'fleet does not list its machine; its kubelet posts (does a listing lie?)', up, [], {}],
    [
      'orphan',
      'fleet does not list its machine; the node has no usable address',
      { addresses: [], annotations: { 'kube-register.io/address': '' } },
      [],
      {},
    ],
    ['keep', 'it was not read in this pass', { read: 'stale' }, [A], {}],
    ['orphan', 'it was never read', { read: 'never' }, [], {}],
    [
      'unheard',
      'its status has a shape that nobody knows, and its kubelet is silent',
      { ready: 'unreadable' },
      [A],
      {},
    ],
    ['keep', 'its kubelet was not asked', {}, [A], { unasked: [NAME] }],
  ])('%s: %s', (verdict, _, traits, machines, more) => {
    const world = oneNode(traits, machines, more);
    const watch = new Watch();
    watch.pass(heardIn(world));
    const words = wordsIn(watch.passFor(60 * MINUTE, world));
    expect(words?.name).toBe(verdict);
    expect(words?.isWarning).toBe(verdict === 'keep' ? undefined : true);
    expect(watchUntilDeregistered(world, { before: heardIn(world) })).toBeUndefined();
  });

  it.each<[string, NodeTraits, World, string]>([
    [
      'probe-suspect',
      up,
      {},
      'check KUBE_REGISTER_HEALTHZ_URL and firewalls; if the kubelet is dead, check that the controller manager runs',
    ],
    ['not-posting', {}, { kubelets: healthy }, 'that kubelet uses another node name or cannot reach the API server'],
  ])(
    '%s is said after ten minutes of watched time, with both causes: a death and a birth pass through it',
    (verdict, traits, more, causes) => {
      const world = oneNode(traits, [A], more);
      const watch = new Watch();
      expect(wordsIn(watch.passFor(10 * MINUTE - INTERVAL, world))?.name).toBe('keep');
      const words = wordsIn(watch.pass(world));
      expect(words?.name).toBe(verdict);
      expect(words?.reason).toContain(' for 10m');
      expect(words?.next).toContain(causes);
    },
  );

  it('the ten minutes are watched: an outage adds two intervals at most', () => {
    const world = oneNode(up, [A]);
    const { memory } = planAt(0, world);
    expect(planAt(60 * MINUTE, world, memory).memory.mismatches.get(`uid-${NAME}`)).toEqual({
      kind: 'probe-suspect',
      watchedMs: 2 * INTERVAL,
    });
  });

  it('the ten minutes begin anew after a pass that saw both signs, or the other one', () => {
    const suspect = oneNode(up, [A]);
    for (const between of [heardIn(suspect), oneNode({}, [A], { kubelets: healthy })]) {
      const watch = new Watch();
      watch.passFor(9 * MINUTE, suspect);
      watch.pass(between);
      expect(watch.pass(suspect).memory.mismatches.get(`uid-${NAME}`)?.watchedMs).toBe(0);
    }
  });

  it('a node that was not read again is as doubtful as before', () => {
    const quiet = oneNode({}, [A], { kubelets: healthy });
    const watch = new Watch();
    watch.passFor(9 * MINUTE, quiet);
    const before = watch.memory.mismatches.get(`uid-${NAME}`);
    expect(
      watch.pass(oneNode({ read: 'stale' }, [A], { kubelets: healthy })).memory.mismatches.get(`uid-${NAME}`),
    ).toEqual(before);
  });

  it('not-posting is none where nobody writes conditions', () => {
    const world = oneNode({ ready: 'none' }, [A], { kubelets: healthy, era: ERAS['v0.12'] });
    expect(wordsIn(new Watch().passFor(20 * MINUTE, world))?.name).toBe('keep');
  });

  it.each([
    [
      'the name is what NODE_NAME gives, so its kubelet has to learn it',
      undefined,
      /--hostname-override .* KUBE_REGISTER_NODE_NAME/,
      /kubectl delete/,
    ],
    [
      'the name is not what NODE_NAME gives now',
      { name: 'box' },
      new RegExp(`kubectl delete node ${NAME}`),
      /hostname-override/,
    ],
  ])('the way out of not-posting: %s', (_, given, expected, not) => {
    const names = given && { names: new Map([['a', given]]) };
    const next = wordsIn(
      new Watch().passFor(20 * MINUTE, { ...oneNode({ machineId: 'a' }, [A], { kubelets: healthy }), ...names }),
    )?.next;
    expect(next).toMatch(expected);
    expect(next).not.toMatch(not);
  });

  it('an orphan is told of with the URL and what answered', () => {
    expect(wordsIn(planAt(0, oneNode({}, [], { kubelets: healthy })))).toEqual({
      name: 'orphan',
      reason: `machine a is missing from fleet, but the node is alive: kubelet healthy; node Unknown (${NAME} healthy)`,
      next: `kept; check that fleet and its etcd run on that machine and that no other host has its address; if that machine is gone: kubectl delete node ${NAME}`,
      isWarning: true,
    });
  });
});

describe('a managed node that is not alive is deregistered', () => {
  const rows: readonly (readonly [Reason, number, string, World['machines'], World])[] = [
    ['left-over', 15, 'another node of its machine is reporting', [A], { nodes: [renamed], kubelets: healthy }],
    ['machine-gone', 15, 'fleet does not list its machine', [], {}],
    ['metadata-changed', 15, 'its machine no longer matches', [elsewhere], {}],
    ['unhealthy', 30, 'its machine matches', [A], {}],
  ];

  it.each(rows)('as %s after %d minutes: %s', (reason, minutes, _, machines, more) => {
    const world = oneNode({}, machines, more);
    const end = watchUntilDeregistered(world, {
      before: heardIn({ ...world, nodes: (world.nodes ?? []).filter((each) => each !== renamed) }),
    });
    expect(end?.ms).toBe(minutes * MINUTE);
    expect(end?.plan.actions.filter(({ kind }) => kind === 'deregister')).toMatchObject([
      { node: { name: NAME }, reason, machineId: 'a', endpoints: [{ address: NAME }] },
    ]);
    expect(wordsIn(end?.plan)).toMatchObject({ name: 'deregister', next: 'will be deregistered in this pass' });
  });

  it.each(rows.map(([reason, , ...rest]) => [reason, ...rest] as const))(
    'and never one without our mark: %s, %s',
    (_, __, machines, more) => {
      const world = oneNode({ annotations: { [MACHINE_ID]: '' } }, machines, more);
      expect(watchUntilDeregistered(world, { before: heardIn(world) })).toBeUndefined();
      const theirs = oneNode({ owner: 'west' }, machines, more);
      expect(watchUntilDeregistered(theirs, { before: heardIn(theirs) })).toBeUndefined();
    },
  );

  it.each(['none', 'unknown'] as const)('whether its Ready is %s', (ready) => {
    expect(watchUntilDeregistered(oneNode({ ready }, []))?.ms).toBe(15 * MINUTE);
  });

  it('with the numbers in its verdict on the way', () => {
    expect(wordsIn(new Watch().passes(8, oneNode({}, [])))).toEqual({
      name: 'in-grace',
      reason: 'missing from fleet for 3m30s of 15m, seen in 8 passes; kubelet unreachable; node Unknown',
      next: 'will be deregistered in 11m30s',
      dueInMs: 11.5 * MINUTE,
    });
  });

  it('though the kubelet of another node, which is reporting there, answers at its address', () => {
    const other = node('host-b', { ...up, machineId: 'b', addresses: [NAME] });
    const world = beside(oneNode({ machineId: 'a' }, [], { kubelets: healthy }), {
      machines: [machine('b', NAME)],
      nodes: [other],
    });
    const actions = watchUntilDeregistered(world)?.plan.actions.filter(({ kind }) => kind === 'deregister');
    expect(actions).toMatchObject([{ reason: 'machine-gone', endpoints: [{ otherNode: { name: 'host-b' } }] }]);
  });
});

describe('silence proves nothing of a kubelet that never answered', () => {
  const cases: readonly (readonly [Reason, World['machines']])[] = [
    ['unhealthy', [A]],
    ['metadata-changed', [elsewhere]],
  ];

  it.each(cases)('%s: unheard, and kept', (_, machines) => {
    const world = oneNode({}, machines);
    expect(watchUntilDeregistered(world)).toBeUndefined();
    expect(wordsIn(planAt(0, world))).toMatchObject({
      name: 'unheard',
      reason: expect.stringContaining('no earlier answer from its kubelet is known, so the node may be alive'),
      next: `kept; if it is dead: kubectl delete node ${NAME}; if it is alive, check KUBE_REGISTER_HEALTHZ_URL`,
      isWarning: true,
    });
    expect(planAt(0, world).memory.graces.size).toBe(0);
  });

  it.each(cases)('%s: heard at an address that is not asked now, so that was another host', (_, machines) => {
    const at = (address: string) =>
      oneNode(
        { addresses: [address], annotations: { 'kube-register.io/address': address }, machineId: 'a' },
        machines?.map((each) => ({ ...each, address, addresses: [address] })),
      );
    const before = { ...at('10.0.0.77'), kubelets: { ...bystanders(10).kubelets, '10.0.0.77': 'healthy' as const } };
    expect(wordsIn(planAt(INTERVAL, at(NAME), planAt(0, before).memory))?.name).toBe('unheard');
  });

  it.each(cases)('%s: heard by the answer of another node’s kubelet, which was not its own', (_, machines) => {
    const other = ours('host-b', 'b', NAME, {
      ...up,
      origin: 'own-name',
      addresses: [NAME, '10.0.0.2'],
      machineId: 'b',
    });
    const world = beside(oneNode({}, machines), { machines: [machine('b', '10.0.0.2')], nodes: [other] });
    const plan = planAt(INTERVAL, world, planAt(0, heardIn(world)).memory);
    expect(wordsIn(plan)?.name).toBe('unheard');
  });

  it('heard, and then probe-suspect for ten minutes: a firewall has closed the health port, so its silence tells nothing', () => {
    const watch = new Watch();
    watch.pass(heardIn(oneNode(up, [A])));
    watch.passFor(10 * MINUTE, oneNode(up, [A]));
    const silent = oneNode({}, [A]);
    expect(wordsIn(watch.pass(silent))?.name).toBe('unheard');
    expect(wordsIn(watch.passFor(60 * MINUTE, silent))?.name).toBe('unheard');
    watch.pass(heardIn(silent));
    expect(wordsIn(watch.pass(silent))?.name).toBe('in-grace');
  });

  it('heard, and probe-suspect for less: an ordinary death, told without a doubt about the health check until Kubernetes would have marked it', () => {
    const watch = new Watch();
    watch.pass(heardIn(oneNode(up, [A])));
    const kept = { name: 'keep', reason: expect.stringMatching(/^kubelet unreachable; node Ready \(.+\)$/) };
    expect(wordsIn(watch.passFor(1 * MINUTE, oneNode(up, [A])))).toEqual({
      ...kept,
      next: 'kept while the node is reporting; if its kubelet is dead, Kubernetes marks the node Unknown (by default after 40s), and the grace period begins',
    });
    expect(wordsIn(watch.passFor(8 * MINUTE, oneNode(up, [A])))).toEqual({
      ...kept,
      next: 'kept; check KUBE_REGISTER_HEALTHZ_URL and firewalls: its kubelet is probably alive, since Kubernetes marks a dead node Unknown after 40s by default',
      isWarning: true,
    });
    expect(wordsIn(watch.pass(oneNode({}, [A])))?.name).toBe('in-grace');
  });

  it('the probe-suspect is forgotten as fleet drops the machine and as the metadata changes, but not the closed port', () => {
    for (const machines of [[], [elsewhere]]) {
      const watch = new Watch();
      watch.pass(heardIn(oneNode(up, [A])));
      watch.passFor(10 * MINUTE, oneNode(up, machines));
      expect(wordsIn(watch.pass(oneNode({}, [A])))?.name).toBe('unheard');
    }
  });

  it('is not asked of a node whose machine is gone, or whose other name is in use', () => {
    expect(wordsIn(planAt(0, oneNode({}, [])))?.name).toBe('in-grace');
    expect(wordsIn(planAt(0, oneNode({}, [A], { nodes: [renamed], kubelets: healthy })))?.name).toBe('in-grace');
  });

  it('starts over with the process: whoever was heard by the last one was not heard by this one', () => {
    expect(EMPTY_MEMORY.answered.size).toBe(0);
  });
});

describe('a veto', () => {
  it.each<[string, NodeTraits, string]>([
    ['the annotation', { annotations: { 'kube-register.io/keep': 'true' } }, 'kube-register.io/keep is set'],
    ['the label', { labels: { 'kube-register.io/keep': 'true' } }, 'kube-register.io/keep is set'],
    ['other words', { annotations: { 'kube-register.io/keep': 'yes' } }, 'kube-register.io/keep is set'],
    ['a cordon', { cordoned: true }, 'the node is cordoned'],
    ['a cordon that cannot be read', { cordoned: 'cannot tell' }, 'its spec.unschedulable cannot be read'],
  ])('by %s keeps a node that is not alive', (_, traits, why) => {
    const world = oneNode(traits, []);
    expect(watchUntilDeregistered(world)).toBeUndefined();
    expect(wordsIn(planAt(0, world))).toMatchObject({ name: 'vetoed', next: expect.stringContaining(`kept: ${why}`) });
  });

  it('is taken back with `false`', () => {
    expect(watchUntilDeregistered(oneNode({ annotations: { 'kube-register.io/keep': 'false' } }, []))?.ms).toBe(
      15 * MINUTE,
    );
  });

  it('ends the grace: what goes on afterwards begins anew', () => {
    const watch = new Watch();
    watch.passFor(14 * MINUTE, oneNode({}, []));
    expect(watch.pass(oneNode({ cordoned: true }, [])).memory.graces.size).toBe(0);
    expect(watch.pass(oneNode({}, [])).memory.graces.get(`uid-${NAME}`)).toMatchObject({ watchedMs: 0, passes: 1 });
  });

  it('by cordon on a machine that is gone from fleet is a warning with the command: it was retired', () => {
    expect(wordsIn(planAt(0, oneNode({ cordoned: true }, [])))).toMatchObject({
      next: `kept: the node is cordoned; if the machine is retired: kubectl delete node ${NAME}`,
      isWarning: true,
    });
    expect(wordsIn(planAt(0, heardIn(oneNode({ cordoned: true }, []))))?.name).toBe('orphan');
    for (const [traits, machines] of [
      [{ cordoned: true }, [A]],
      [{ labels: { 'kube-register.io/keep': '' } }, []],
      [{ cordoned: true, labels: { 'kube-register.io/keep': '' } }, []],
    ] as const) {
      expect(wordsIn(planAt(0, oneNode(traits, machines)))?.isWarning).toBeUndefined();
    }
  });

  it('comes before the settings, and a conflict before both', () => {
    const never = { neverDeregister: 'KUBE_REGISTER_POLICY=register-only' };
    expect(wordsIn(planAt(0, oneNode({ cordoned: true }, []), EMPTY_MEMORY, never))?.name).toBe('vetoed');
    const twin = ours('twin', 'a', NAME, { cordoned: true, machineId: 'a' });
    const twins = oneNode({ cordoned: true, machineId: 'a' }, [A], { nodes: [twin] });
    expect(wordsIn(planAt(0, twins, EMPTY_MEMORY, never))?.name).toBe('conflict');
  });
});

describe('the settings', () => {
  it.each<[World['machines'], Partial<Policy>, string]>([
    [[], { neverDeregister: 'KUBE_REGISTER_POLICY=register-only' }, 'KUBE_REGISTER_POLICY=register-only'],
    [[A], { neverDeregister: 'KUBE_REGISTER_ONCE=true' }, 'KUBE_REGISTER_ONCE=true'],
    [[], { missingGraceMs: NEVER }, 'KUBE_REGISTER_MISSING_GRACE=never'],
    [[elsewhere], { missingGraceMs: NEVER }, 'KUBE_REGISTER_MISSING_GRACE=never'],
    [[A], { unhealthyGraceMs: NEVER }, 'KUBE_REGISTER_UNHEALTHY_GRACE=never'],
  ])('%# spare a node that is not alive', (machines, policy, why) => {
    const world = oneNode({}, machines);
    expect(watchUntilDeregistered(world, { policy, before: heardIn(world) })).toBeUndefined();
    expect(wordsIn(planAt(0, world, EMPTY_MEMORY, policy))).toMatchObject({ name: 'spared', next: `kept: ${why}` });
  });

  it('MISSING_GRACE=never keeps a left-over too, and each setting its own rows alone', () => {
    const leftOver = oneNode({}, [A], { nodes: [renamed], kubelets: healthy });
    expect(wordsIn(planAt(0, leftOver, EMPTY_MEMORY, { missingGraceMs: NEVER }))?.name).toBe('spared');
    expect(watchUntilDeregistered(leftOver, { policy: { unhealthyGraceMs: NEVER } })?.ms).toBe(15 * MINUTE);
    const unhealthy = oneNode({}, [A]);
    expect(
      watchUntilDeregistered(unhealthy, { policy: { missingGraceMs: NEVER }, before: heardIn(unhealthy) })?.ms,
    ).toBe(30 * MINUTE);
  });

  it('end a grace that was running under others', () => {
    const world = oneNode({}, []);
    const { memory } = planAt(0, world);
    expect(planAt(INTERVAL, world, memory, { missingGraceMs: NEVER }).memory.graces.size).toBe(0);
  });
});

describe('a conflict', () => {
  const twin = ours('twin', 'a', NAME, { machineId: 'a' });

  it('keeps all the nodes between which nobody can tell, and ends their graces', () => {
    const world = oneNode({ machineId: 'a' }, [A], { nodes: [twin] });
    expect(watchUntilDeregistered(world, { before: heardIn(world) })).toBeUndefined();
    for (const name of [NAME, 'twin']) {
      expect(planAt(0, world).nodes.get(name)).toMatchObject({
        name: 'conflict',
        next: `kept; if it is not in use: kubectl delete node ${name}`,
        isWarning: true,
      });
    }
    const watch = new Watch();
    watch.pass(heardIn(oneNode({}, [A])));
    expect(watch.pass(oneNode({}, [A])).memory.graces.size).toBe(1);
    expect(watch.pass(world).memory.graces.size).toBe(0);
  });

  it('does not keep a node that fits less well', () => {
    const leftOver = ours('old', 'a', '10.0.0.88', { machineId: 'a' });
    const alive = { ...up, machineId: 'a', addresses: [NAME] };
    const world = oneNode({}, [A], { nodes: [node('one', alive), node('two', alive), leftOver], kubelets: healthy });
    expect(planAt(0, world).nodes.get('old')?.name).toBe('in-grace');
  });
});

describe('a node that is leaving', () => {
  it('is told of with its finalizers, has no row and no turn, and hides no other', () => {
    const leaving = ours('10.0.0.7', 'g', '10.0.0.7', { leaving: ['x/y'] });
    const world = oneNode({}, [], { nodes: [leaving] });
    const plan = planAt(0, world, memoryWith([NAME, 'a', 20], ['10.0.0.7', 'g', 60]), { missingGraceMs: MINUTE });
    expect(told(plan)).toEqual([`deregister ${NAME}`]);
    expect(plan.nodes.get('10.0.0.7')).toEqual({
      name: 'leaving',
      reason: 'deleted at 2026-01-01T00:00:00Z; it waits for finalizers x/y',
      next: 'will be removed once its finalizers are gone; if their controller no longer runs: kubectl patch node 10.0.0.7 --type=merge -p \'{"metadata":{"finalizers":null}}\'',
      isWarning: true,
    });
    expect(plan.memory.graces.has('uid-10.0.0.7')).toBe(false);
  });

  it('is `leaving` though its kubelet answers and posts', () => {
    expect(wordsIn(planAt(0, oneNode({ ...up, leaving: [] }, [A], { kubelets: healthy })))).toMatchObject({
      name: 'leaving',
      reason: expect.stringContaining('waits for the API server'),
    });
  });
});

type LongGone = readonly [
  name: string,
  mark: string,
  minutes: number,
  more?: { passes?: number; failures?: number; reason?: Reason },
];

/** A memory in which nodes have been gone for so long. */
function memoryWith(...gone: readonly LongGone[]): Memory {
  return {
    ...EMPTY_MEMORY,
    graces: new Map(
      gone.map(([name, mark, minutes, more]) => [
        `uid-${name}`,
        { reason: 'machine-gone', mark, watchedMs: minutes * MINUTE, passes: 5, failures: 0, ...more },
      ]),
    ),
  };
}

describe('a grace', () => {
  const gone = oneNode({}, []);
  const graceIn = (plan: Plan) => plan.memory.graces.get(`uid-${NAME}`);

  it('is watched time, of which an outage adds two intervals at most', () => {
    const first = planAt(0, gone);
    expect(graceIn(planAt(60 * MINUTE, gone, first.memory))).toMatchObject({ watchedMs: 2 * INTERVAL, passes: 2 });
  });

  it.each<[string, World]>([
    ['life', oneNode({}, [], { kubelets: healthy })],
    ['its kubelet’s post', oneNode(up, [])],
    ['a status that cannot be read', oneNode({ ready: 'unreadable' }, [])],
    ['that it is unheard', oneNode({}, [A])],
    ['nothing of it', bystanders(10)],
    ['the mark of another machine', oneNode({ annotations: { [MACHINE_ID]: 'z' } }, [])],
    ['another node of its name', oneNode({ uid: 'made anew' }, [])],
  ])('ends with a good pass that sees %s', (_, between) => {
    const watch = new Watch();
    watch.passFor(10 * MINUTE, gone);
    watch.pass(between);
    expect(graceIn(watch.pass(gone))).toMatchObject({ watchedMs: 0, passes: 1 });
  });

  it('is shared by left-over, machine-gone and metadata-changed', () => {
    const watch = new Watch();
    watch.pass(heardIn(gone));
    watch.passFor(5 * MINUTE, gone);
    watch.passFor(5 * MINUTE, oneNode({}, [elsewhere]));
    const last = watch.passFor(4 * MINUTE - INTERVAL, oneNode({}, [A], { nodes: [renamed], kubelets: healthy }));
    expect(graceIn(last)).toMatchObject({ reason: 'left-over', watchedMs: 14.5 * MINUTE });
    expect(last.notes.filter(({ kind }) => kind === 'takeover')).toEqual([]);
    expect(told(watch.pass(gone))).toContain(`deregister ${NAME}`);
  });

  it('of unhealthy is its own: another one begins at zero, and the log says so with the new time', () => {
    const unhealthy = oneNode({}, [A]);
    const watch = new Watch();
    watch.pass(heardIn(unhealthy));
    watch.passFor(20 * MINUTE, unhealthy);
    const took = watch.pass(gone);
    expect(graceIn(took)).toMatchObject({ reason: 'machine-gone', watchedMs: 0, passes: 1 });
    expect(took.notes.map(({ text }) => text)).toEqual([
      `node ${NAME}: missing from fleet (before: not alive); a new grace period begins; it will be deregistered in 15m`,
    ]);
    expect(watch.pass(gone).notes).toEqual([]);
    const back = watch.pass(unhealthy);
    expect(graceIn(back)).toMatchObject({ reason: 'unhealthy', watchedMs: 0 });
    expect(back.notes.map(({ text }) => text)).toEqual([
      `node ${NAME}: not alive (before: missing from fleet); a new grace period begins; it will be deregistered in 30m`,
    ]);
  });

  it('ends only after three good passes in a row, whatever the clock says', () => {
    const policy = { missingGraceMs: 0 };
    let memory = EMPTY_MEMORY;
    const kinds = [0, 1, 2].map((ms) => {
      const plan = planAt(ms, gone, memory, policy);
      memory = plan.memory;
      return told(plan);
    });
    expect(kinds).toEqual([[], [], [`deregister ${NAME}`]]);
    expect(wordsIn(planAt(0, gone, EMPTY_MEMORY, policy))).toMatchObject({
      next: 'will be deregistered in 1m',
      dueInMs: 2 * INTERVAL,
    });
  });
});

describe('pacing', () => {
  const dead = (index: number) => ours(`dead-${index}`, `m${index}`, `10.1.0.${index + 1}`);
  const world = (gone: number, managed: number) => {
    const others = bystanders(managed - gone);
    return { ...others, nodes: [...Array.from({ length: gone }, (_, index) => dead(index)), ...others.nodes] };
  };
  const two = { ...bystanders(20), nodes: [dead(1), dead(5), ...bystanders(20).nodes] };

  it.each([
    [3, 10, 1],
    [3, 199, 1],
    [3, 200, 2],
    [5, 400, 4],
  ])('of %d due among %d, %d go in a pass and the others are queued', (gone, managed, go) => {
    const end = watchUntilDeregistered(world(gone, managed));
    expect(end?.plan.actions).toHaveLength(go);
    const queued = [...(end?.plan.nodes.values() ?? [])].filter(({ name }) => name === 'queued');
    expect(queued).toHaveLength(gone - go);
    expect(
      queued.every(
        ({ next }) =>
          next === 'will be deregistered in one of the next passes (at most 1% of the managed nodes a pass)',
      ),
    ).toBe(true);
  });

  it.each<[string, readonly LongGone[], string]>([
    [
      'the longest watched goes first',
      [
        ['dead-1', 'm1', 20],
        ['dead-5', 'm5', 25],
      ],
      'dead-5',
    ],
    [
      'of two watched for as long, the one that more passes saw',
      [
        ['dead-1', 'm1', 20],
        ['dead-5', 'm5', 20, { passes: 6 }],
      ],
      'dead-5',
    ],
    [
      'of two that are alike, the first by name',
      [
        ['dead-1', 'm1', 20],
        ['dead-5', 'm5', 20],
      ],
      'dead-1',
    ],
    [
      'one whose delete failed goes behind the others, however long it is gone',
      [
        ['dead-1', 'm1', 90, { failures: 1 }],
        ['dead-5', 'm5', 20],
      ],
      'dead-5',
    ],
    [
      'of two that failed, the one that failed less',
      [
        ['dead-1', 'm1', 90, { failures: 2 }],
        ['dead-5', 'm5', 20, { failures: 1 }],
      ],
      'dead-5',
    ],
  ])('%s', (_, gone, expected) => {
    for (const nodes of [two.nodes, [...two.nodes].reverse()]) {
      expect(told(planAt(0, { ...two, nodes }, memoryWith(...gone)))).toEqual([`deregister ${expected}`]);
    }
  });

  it('passes over one that the server refused to delete, for ten minutes', () => {
    const refused = new Map([['deregister uid-dead-1', 10 * MINUTE]]);
    const memory = { ...memoryWith(['dead-1', 'm1', 25], ['dead-5', 'm5', 20]), refused };
    const plan = planAt(0, two, memory);
    expect(told(plan)).toEqual(['deregister dead-5']);
    expect(plan.nodes.get('dead-1')?.name).toBe('queued');
    expect(told(planAt(10 * MINUTE, two, memory))).toEqual(['deregister dead-1']);
  });
});

describe('records of fleet that name no machine', () => {
  it('are told of by their number, and not where there are none', () => {
    expect(planAt(0, { skippedRecords: 2 }).notes).toEqual([
      {
        kind: 'skipped',
        key: '',
        text: 'fleet lists records without a machine ID (2), which are skipped; to see them: etcdctl ls --recursive /_coreos.com/fleet/machines',
      },
    ]);
    expect(planAt(0, {}).notes).toEqual([]);
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
          owner: fc.constantFrom('default', 'west'),
          origin: fc.constantFrom('named' as const, 'own-name' as const),
          machineId: fc.option(id, { nil: '' }),
          addresses: fc.uniqueArray(address),
          ready: fc.constantFrom(
            'true' as const,
            'false' as const,
            'unknown' as const,
            'none' as const,
            'unreadable' as const,
          ),
          cordoned: fc.constantFrom(true, false, false, 'cannot tell' as const),
          read: fc.constantFrom('fresh' as const, 'fresh' as const, 'stale' as const, 'never' as const),
          leaving: fc.option(fc.constant(['x']), { nil: [], freq: 1 }),
        })
        .map(({ name, leaving, ...traits }) => node(name, leaving.length > 0 ? { ...traits, leaving } : traits)),
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

  it('only our nodes are deregistered: none that posts, is vetoed, leaving, unread, or answers where no other node that posts has the address', () => {
    fc.assert(
      fc.property(world, (given) => {
        // Whoever answered before was heard.
        let memory = planAt(
          -INTERVAL,
          {
            ...given,
            kubelets: Object.fromEntries(['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((each) => [each, 'healthy'])),
          },
          EMPTY_MEMORY,
          impatient,
        ).memory;
        for (let pass = 0; pass < 4; pass += 1) {
          const plan = planAt(pass * INTERVAL, given, memory, impatient);
          memory = plan.memory;
          const going = plan.actions.flatMap((action) => (action.kind === 'deregister' ? [action] : []));
          expect(going.length).toBeLessThanOrEqual(pass < 1 ? 0 : 1);
          for (const { node: each, endpoints } of going) {
            expect(each.mark).toBeDefined();
            expect(each.leaving).toBeUndefined();
            expect(each.facts).toMatchObject({ unschedulable: false });
            expect(['unknown', 'none']).toContain(each.facts?.ready);
            expect(each.isFresh).toBe(true);
            for (const { address: asked, otherNode } of endpoints) {
              const isSilent = (observed(given).kubelets.get(asked)?.state ?? 'silent') === 'silent';
              expect(isSilent || ['true', 'false'].includes(otherNode?.facts?.ready ?? '')).toBe(true);
            }
          }
        }
      }),
      runs,
    );
  });

  it('no node is registered under a name that is there, nor two under one name or address, nor one at an address of two machines', () => {
    fc.assert(
      fc.property(world, (given) => {
        const drafts = planAt(0, given).actions.flatMap((action) => (action.kind === 'register' ? [action.draft] : []));
        const names = drafts.map(({ name }) => name);
        expect(names.filter((name) => given.nodes.some((each) => each.name === name))).toEqual([]);
        expect(new Set(names).size).toBe(names.length);
        for (const draft of drafts)
          expect(given.machines.filter((each) => each.address === draft.address)).toHaveLength(1);
      }),
      runs,
    );
  });
});
