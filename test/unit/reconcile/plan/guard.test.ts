/** The deletion guard: nothing is deregistered while too many nodes are not alive, or after deletes that were wrong. */
import { describe, expect, it } from 'vitest';
import { guard } from '../../../../src/reconcile/plan/guard.ts';
import { EMPTY_MEMORY, type Memory } from '../../../../src/reconcile/plan/memory/memory.ts';
import { Cluster, deletesOf, running } from '../cluster.ts';
import type { NodeTraits } from '../world.ts';
import {
  beside,
  bystanders,
  HOUR,
  INTERVAL,
  MINUTE,
  machine,
  node,
  ours,
  POLICY,
  planAt,
  told,
  Watch,
  type World,
  watchUntilDeregistered,
} from '../world.ts';

/** `gone` dead nodes among `managed`, all of machines that fleet lists no more. */
function mass(gone: number, managed: number): Required<Pick<World, 'machines' | 'nodes' | 'kubelets'>> {
  const others = bystanders(managed - gone);
  return { ...others, nodes: [...dead(gone), ...others.nodes] };
}

const dead = (count: number, traits: NodeTraits = {}) =>
  Array.from({ length: count }, (_, index) =>
    ours(`dead-${index}`, `m${index}`, `10.1.${index >> 8}.${index & 255}`, traits),
  );

const names = (count: number) => Array.from({ length: count }, (_, index) => `n${String(index).padStart(4, '0')}`);
const none = EMPTY_MEMORY;

describe('the deletion guard, by percentage', () => {
  it.each([
    [1, 2, 34, false, 'one alone is never too many'],
    [1, 1, 34, true, 'all are gone, be it only one'],
    [2, 2, 99, true, 'all are gone'],
    [0, 5, 34, false, 'none is gone'],
    [0, 0, 34, false, 'there are none'],
    [2, 5, 34, true, '40 %'],
    [2, 6, 34, false, '33.3 %'],
    [34, 100, 34, false, 'exactly the limit'],
    [35, 100, 34, true, 'one above the limit'],
    [11, 32, 34, true, '34.375 %, which is 34 only when it is rounded'],
    [344, 1000, 34, true, '34.4 %, which is 34 only when it is rounded'],
    [340, 1000, 34, false, 'exactly the limit of a thousand'],
    [341, 1000, 34, true, '34.1 %'],
    [335, 1000, 33, true, '33.5 %, which is 34 when it is rounded'],
    [2, 3, 66, true, '66.67 %, which is 66 when it is cut off'],
    [2, 10, 0, true, 'with 0, more than one is too many'],
    [1, 10, 0, false, 'with 0, one alone is not'],
    [5, 5, 100, false, '100 switches it off'],
  ])('%d of %d with a limit of %d: %s (%s)', (gone, counted, maxDeregisterPercent, expected, _) => {
    const hold = guard({ notAlive: names(gone), stillHeld: [], listed: 0, counted, managed: counted }, none, {
      ...POLICY,
      maxDeregisterPercent,
    });
    expect(hold !== undefined).toBe(expected);
  });

  it('says the numbers, the first ten names, and the way out', () => {
    const hold = guard(
      { notAlive: names(12).reverse(), stillHeld: [], listed: 0, counted: 20, managed: 21 },
      none,
      POLICY,
    );
    expect(hold).toEqual({
      kind: 'mass',
      gone: 12,
      managed: 20,
      limitPercent: 34,
      nodes: names(12),
      message:
        'deletion guard active: 12 of 20 managed nodes are not alive (60%, limit 34%): ' +
        'n0000, n0001, n0002, n0003, n0004, n0005, n0006, n0007, n0008, n0009 and 2 more; no node is deregistered; ' +
        'repair their kubelets or the network to them; if their machines are gone: kubectl delete node NAME, or restart with ' +
        'KUBE_REGISTER_MAX_DEREGISTER_PERCENT=100, wait for the grace period, and restart with the old value',
    });
  });

  it('says so of one node in the singular', () => {
    const { message } =
      guard({ notAlive: names(1), stillHeld: [], listed: 1, counted: 1, managed: 1 }, none, POLICY) ?? {};
    expect(message).toMatch(/^deletion guard active: 1 of 1 managed node is not alive \(100%, limit 34%\): n0000; /);
  });

  it('says no number beside ten names', () => {
    const hold = guard({ notAlive: names(10), stillHeld: [], listed: 0, counted: 20, managed: 20 }, none, POLICY);
    expect(hold?.message).toContain(', n0008, n0009; no node is deregistered');
  });

  it('does not advise a restart while fleet lists one of the machines: its node would be unheard', () => {
    const { message } =
      guard({ notAlive: names(12), stillHeld: [], listed: 1, counted: 20, managed: 20 }, none, POLICY) ?? {};
    expect(message).toMatch(/; if their machines are gone: kubectl delete node NAME$/);
    const world = mass(7, 12);
    expect(planAt(0, world).hold?.message).toContain('restart with');
    const listed = { ...world, machines: [...world.machines, machine('m0', '10.1.0.0')] };
    expect(planAt(0, listed).hold?.message).not.toContain('restart with');
  });

  it('has nothing to hold where nothing is ever deregistered', () => {
    const policy = { ...POLICY, neverDeregister: 'KUBE_REGISTER_POLICY=register-only' };
    expect(
      guard({ notAlive: names(5), stillHeld: [], listed: 0, counted: 5, managed: 5 }, none, policy),
    ).toBeUndefined();
  });
});

describe('the deletion guard over a world', () => {
  it.each([
    [11, 32, true],
    [10, 32, false],
    [34, 100, false],
    [35, 100, true],
  ])('%d of %d gone: %s', (gone, managed, holds) => {
    expect(planAt(0, mass(gone, managed)).hold !== undefined).toBe(holds);
  });

  it('holds everything for as long as it lasts', () => {
    const world = mass(7, 12);
    expect(watchUntilDeregistered(world)).toBeUndefined();
    const words = [...planAt(0, world).nodes.values()].filter(({ name }) => name === 'held');
    expect(words).toHaveLength(7);
    expect(words[0]).toMatchObject({
      reason: 'missing from fleet; kubelet unreachable; node Unknown',
      next: 'kept while the deletion guard is active; then a new grace period of 15m begins',
      isWarning: true,
    });
  });

  it('holds nodes too whose grace was over before so many went', () => {
    const world = mass(7, 12);
    const due = { reason: 'machine-gone', passes: 40, watchedMs: 20 * MINUTE, failures: 0 } as const;
    const graces = new Map(world.nodes.map((each, index) => [each.uid, { ...due, mark: `m${index}` }]));
    expect(told(planAt(0, world, { ...EMPTY_MEMORY, graces }))).toEqual([]);
  });

  it('ends all graces, so that who recovers last is not the first to go', () => {
    const watch = new Watch();
    watch.passes(20, mass(2, 10));
    expect(watch.pass(mass(7, 10)).memory.graces.size).toBe(0);
    expect([...watch.pass(mass(2, 10)).memory.graces.values()]).toMatchObject([
      { watchedMs: 0, passes: 1 },
      { watchedMs: 0, passes: 1 },
    ]);
  });

  it.each<[string, NodeTraits]>([
    ['vetoed by annotation', { annotations: { 'kube-register.io/keep': 'true' } }],
    ['vetoed by label', { labels: { 'kube-register.io/keep': 'true' } }],
    ['cordoned', { cordoned: true }],
    ['of an unreadable cordon', { cordoned: 'cannot tell' }],
    ['leaving', { leaving: ['x'] }],
  ])('counts nodes that are %s in neither number, be they dead or alive', (_, traits) => {
    const others = bystanders(4);
    const world = (nodes: World['nodes'] = []) => ({ ...others, nodes: [...others.nodes, ...nodes] });
    // Two of six would hold; with these two among the dead it is two of four, or none of four.
    expect(planAt(0, world(dead(2, traits))).hold).toBeUndefined();
    const living = others.nodes.map((each, index) =>
      index < 2 ? ours(each.name, `by-${each.name}`, each.name, { ready: 'true', ...traits }) : each,
    );
    expect(planAt(0, { ...others, nodes: [...living, ...dead(2)] }).hold).toMatchObject({ gone: 2, managed: 4 });
  });

  it('counts left-over nodes in neither number: their machines are well', () => {
    const others = bystanders(4);
    const leftOver = others.nodes.slice(0, 3).map(({ name }) => ours(`old-${name}`, `by-${name}`, name));
    const plan = planAt(0, { ...others, nodes: [...others.nodes, ...leftOver] });
    expect(plan.hold).toBeUndefined();
    const half = planAt(0, { ...others, nodes: [...others.nodes, ...leftOver, ...dead(3)] });
    expect(half.hold).toMatchObject({ gone: 3, managed: 7 });
  });

  it('counts nodes that are kept for other reasons: unheard, spared and in conflict are not alive either', () => {
    const others = bystanders(3);
    const silent = [1, 2].map((last) => machine(`s${last}`, `10.2.0.${last}`));
    const world = beside(others, {
      machines: silent,
      nodes: silent.map(({ id }, index) => ours(`10.2.0.${index + 1}`, id, `10.2.0.${index + 1}`)),
    });
    expect(planAt(0, world).hold).toMatchObject({ gone: 2, managed: 5 });
    const grace = { unhealthyGraceMs: Number.POSITIVE_INFINITY };
    expect(planAt(0, world, EMPTY_MEMORY, grace).hold).toMatchObject({ gone: 2, managed: 5 });
  });

  it('counts our nodes alone', () => {
    const world = beside(bystanders(3), {
      nodes: [node('by-hand'), node('theirs', { mark: 'z', owner: 'west' }), ...dead(1)],
    });
    expect(planAt(0, world).hold).toBeUndefined();
    expect(planAt(0, { nodes: [node('by-hand')] }).hold).toBeUndefined();
  });

  it('is switched off by 100', () => {
    expect(watchUntilDeregistered(mass(5, 5), { policy: { maxDeregisterPercent: 100 } })?.ms).toBe(15 * MINUTE);
  });
});

describe('the deletion guard, by machines that came back', () => {
  const returned = (count: number, away = 0): Memory => ({
    ...EMPTY_MEMORY,
    deregistered: new Map(
      [
        ...names(count)
          .reverse()
          .map((name) => [name, 0] as const),
        ...names(away).map((name) => [`away ${name}`, undefined] as const),
      ].map(([name, returnedAtMs]) => [`m-${name}`, { name, uid: name, atMs: 0, returnedAtMs }]),
    ),
  });

  it.each([
    [1, 10, false, 'one alone may be a repair'],
    [2, 39, true, '5.1 %'],
    [2, 40, false, 'exactly 5 %'],
    [5, 100, false, 'exactly 5 %'],
    [6, 100, true, '6 %'],
    [51, 1000, true, '5.1 %, which is 5 only when it is rounded'],
  ])('%d of %d: %s (%s)', (count, managed, expected, _) => {
    const hold = guard({ notAlive: [], stillHeld: [], listed: 0, counted: managed, managed }, returned(count), POLICY);
    expect(hold !== undefined).toBe(expected);
  });

  it('counts those alone that came back', () => {
    expect(
      guard({ notAlive: [], stillHeld: [], listed: 0, counted: 10, managed: 10 }, returned(1, 5), POLICY),
    ).toBeUndefined();
  });

  it('holds with 100 % too, names the nodes, and says how long', () => {
    expect(
      guard({ notAlive: [], stillHeld: [], listed: 0, counted: 8, managed: 8 }, returned(2), {
        ...POLICY,
        maxDeregisterPercent: 100,
      }),
    ).toEqual({
      kind: 'returned',
      gone: 2,
      managed: 8,
      limitPercent: 5,
      nodes: ['n0000', 'n0001'],
      message:
        'deletion guard active: the machines of 2 deregistered nodes returned with a reachable kubelet: n0000, n0001; ' +
        'the nodes that are not alive now may return too; no node is deregistered until 1h after the last return; ' +
        'check the network to the kubelets',
    });
  });

  /** Two of eight nodes were deregistered at 0. */
  const others = bystanders(6);
  const gone = (atMs = 0): Memory => ({
    ...EMPTY_MEMORY,
    deregistered: new Map(
      [1, 2].map((last) => [`r${last}`, { name: `10.3.0.${last}`, uid: `old-${last}`, atMs, returnedAtMs: undefined }]),
    ),
  });
  const listed = [1, 2].map((last) => machine(`r${last}`, `10.3.0.${last}`));

  it.each<[string, World, boolean]>([
    [
      'fleet lists them and their kubelets answer',
      { machines: listed, kubelets: { '10.3.0.1': 'healthy', '10.3.0.2': 'answers' } },
      true,
    ],
    ['fleet lists them and their kubelets are silent', { machines: listed }, false],
    [
      'nodes of their names are made anew, and report',
      { nodes: [1, 2].map((last) => node(`10.3.0.${last}`, { ready: 'true' })) },
      true,
    ],
    ['nodes of their names are made anew, by us', { nodes: [1, 2].map((last) => node(`10.3.0.${last}`)) }, false],
    [
      'the nodes are there still, for the list is old',
      { nodes: [1, 2].map((last) => node(`10.3.0.${last}`, { uid: `old-${last}`, ready: 'true' })) },
      false,
    ],
    ['only one of them is back', { machines: listed, kubelets: { '10.3.0.1': 'healthy' } }, false],
  ])('notices that machines came back: %s', (_, world, expected) => {
    expect(planAt(INTERVAL, beside(others, world), gone()).hold?.kind === 'returned').toBe(expected);
  });

  it('notices machines that came back with another selector’s metadata, whose kubelets somebody asked', () => {
    const etcd = [1, 2].map((last) => machine(`r${last}`, `10.3.0.${last}`, { role: 'etcd' }));
    const world = beside(others, { machines: etcd, kubelets: { '10.3.0.1': 'healthy', '10.3.0.2': 'healthy' } });
    expect(planAt(INTERVAL, world, gone()).hold?.kind).toBe('returned');
  });

  it('holds until an hour after the last of them came back, though they are away again', () => {
    const back = beside(others, { machines: listed, kubelets: { '10.3.0.1': 'healthy', '10.3.0.2': 'healthy' } });
    const { memory } = planAt(10 * MINUTE, back, gone());
    expect(planAt(10 * MINUTE + HOUR, others, memory).hold?.kind).toBe('returned');
    expect(planAt(10 * MINUTE + HOUR + 1, others, memory).hold).toBeUndefined();
  });

  it('does not count machines that come back after more than an hour', () => {
    const back = beside(others, { machines: listed, kubelets: { '10.3.0.1': 'healthy', '10.3.0.2': 'healthy' } });
    expect(planAt(HOUR, back, gone()).hold?.kind).toBe('returned');
    const { memory } = planAt(HOUR + 1, others, gone());
    expect(planAt(HOUR + INTERVAL, back, memory).hold).toBeUndefined();
  });
});

describe('the deletion guard over many passes', () => {
  const ip = (last: number) => `10.0.0.${last}`;

  /** Ten nodes, of which the first four are not alive: 40 %. */
  async function fourOfTenHeld(): Promise<Cluster> {
    const cluster = running(10);
    await cluster.passes(3);
    for (let last = 1; last <= 4; last += 1) cluster.dies(`m${last}`, ip(last), ip(last));
    await cluster.passes(3);
    return cluster;
  }

  it('counts kubelets from one image, which all report the ID of one listed machine, though another node of it is reporting', async () => {
    const cluster = new Cluster();
    for (let last = 1; last <= 10; last += 1) cluster.runs(`m${last}`, ip(last), { machineId: 'm1' });
    await cluster.passes(3);
    for (let last = 2; last <= 10; last += 1) cluster.dies(`m${last}`, ip(last), ip(last));
    expect(await deletesOf(cluster)).toEqual([]);
  });

  it('lets the others not go when an operator keeps some of the nodes', async () => {
    const cluster = await fourOfTenHeld();
    cluster.changes(ip(1), { annotations: new Map([['kube-register.io/keep', 'true']]) });
    cluster.cordons(ip(2));
    expect(await deletesOf(cluster)).toEqual([]);
  });

  it('lets none go when machines are added, and says until when', async () => {
    const cluster = await fourOfTenHeld();
    for (const last of [11, 12, 13, 14]) cluster.runs(`m${last}`, ip(last));
    expect(await deletesOf(cluster)).toEqual([]);
    const { seen } = await cluster.pass();
    expect(seen?.plan.hold?.message).toContain(
      '4 of 10 managed nodes of when it began are not alive (40%, limit 34%): 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4; no node is deregistered until these are alive or deleted; ',
    );
  });

  it('lasts for two nodes too', async () => {
    const cluster = running(4);
    await cluster.passes(3);
    for (const last of [1, 2]) cluster.dies(`m${last}`, ip(last), ip(last));
    await cluster.passes(3);
    for (let last = 5; last <= 12; last += 1) cluster.runs(`m${last}`, ip(last));
    expect(await deletesOf(cluster)).toEqual([]);
  });

  it('tells of all nodes that are not alive once more of them die', async () => {
    const cluster = await fourOfTenHeld();
    cluster.dies('m5', ip(5), ip(5));
    await cluster.passes(3);
    const { seen } = await cluster.pass();
    expect(seen?.plan.hold?.message).toContain('5 of 10 managed nodes are not alive (50%, limit 34%): 10.0.0.1, ');
  });

  it('also of a node that dies later, while the first ones are held', async () => {
    const cluster = await fourOfTenHeld();
    for (const last of [11, 12, 13, 14]) cluster.runs(`m${last}`, ip(last));
    cluster.dies('m5', ip(5), ip(5));
    expect(await deletesOf(cluster)).toEqual([]);
  });

  it('ends once enough of its nodes are alive: then the grace period of the others begins', async () => {
    const cluster = await fourOfTenHeld();
    cluster.runs('m1', ip(1));
    expect((await deletesOf(cluster)).sort()).toEqual([2, 3, 4].map((last) => `deregister ${ip(last)}`));
  });

  it('ends once enough of its nodes were deleted', async () => {
    const cluster = await fourOfTenHeld();
    for (const last of [1, 2, 3]) cluster.nodes.delete(ip(last));
    expect(await deletesOf(cluster)).toEqual([`deregister ${ip(4)}`]);
  });

  it('takes no node in that dies while it only lasts', async () => {
    const cluster = await fourOfTenHeld();
    for (let last = 11; last <= 50; last += 1) cluster.runs(`m${last}`, ip(last));
    await cluster.pass();
    for (let last = 11; last <= 16; last += 1) cluster.dies(`m${last}`, ip(last), ip(last));
    await cluster.passes(3);
    for (let last = 1; last <= 4; last += 1) cluster.runs(`m${last}`, ip(last));
    expect(await deletesOf(cluster)).toHaveLength(6);
  });

  it('does not last for the only node that there was', async () => {
    const cluster = running(1);
    await cluster.passes(3);
    cluster.dies('m1', ip(1), ip(1));
    await cluster.passes(3);
    for (let last = 2; last <= 9; last += 1) cluster.runs(`m${last}`, ip(last));
    expect(await deletesOf(cluster)).toEqual([`deregister ${ip(1)}`]);
  });

  it('ends once an operator keeps all of its nodes', async () => {
    const cluster = await fourOfTenHeld();
    for (let last = 1; last <= 4; last += 1) cluster.cordons(ip(last));
    await cluster.pass();
    cluster.dies('m9', ip(9), ip(9));
    expect(await deletesOf(cluster)).toEqual([`deregister ${ip(9)}`]);
  });

  it('lasts also where it began while machines of deregistered nodes returned', async () => {
    const cluster = running(10);
    await cluster.passes(3);
    for (const last of [9, 10]) cluster.dies(`m${last}`, ip(last), ip(last));
    await cluster.passFor(20 * MINUTE);
    for (const last of [9, 10]) cluster.runs(`m${last}`, ip(last));
    expect((await cluster.pass()).seen?.plan.hold?.kind).toBe('returned');
    for (let last = 1; last <= 4; last += 1) cluster.dies(`m${last}`, ip(last), ip(last));
    await cluster.passes(3);
    for (let last = 11; last <= 20; last += 1) cluster.runs(`m${last}`, ip(last));
    expect([...(await deletesOf(cluster)), ...(await deletesOf(cluster))]).toEqual([]);
  });
});
