import { describe, expect, it } from 'vitest';
import type { PassReport } from '../../../src/reconcile/reconciler.ts';
import { statusDocument } from '../../../src/status/document.ts';
import { bystanders, ERAS, INTERVAL, machine, node, ours, POLICY } from '../reconcile/world.ts';
import { dead, failedPass, goodPass } from './pass-report.ts';
import { statusAfter } from './status-after.ts';

const others = bystanders(4);
const world = {
  machines: [machine('a', '10.0.0.1', { rack: 'r1' }), ...others.machines],
  nodes: [ours('10.0.0.1', 'a', '10.0.0.1'), ...others.nodes],
  kubelets: others.kubelets,
};

describe('the status', () => {
  it('says that nothing is deregistered where the API server deletes no dead minions', () => {
    const { rules } = statusAfter(goodPass({ ...world, era: ERAS['v0.8'] }));
    expect(rules.neverDeregister).toBe('the API server (v0.8.4, using API v1beta2) does not delete dead minions');
    expect(statusAfter(goodPass({ ...world, era: ERAS['v0.9'] })).rules.neverDeregister).toBeNull();
  });

  it('before the first pass says that nothing is known', () => {
    expect(statusAfter()).toMatchObject({
      version: '1.2.3',
      clusterName: 'lab',
      pass: { last: null, lastSuccess: null, next: '2026-01-02T00:00:00.000Z' },
      fleet: { endpoint: 'unix:///var/run/fleet.sock', up: null, since: null, problem: null },
      kubernetes: { endpoint: 'https://10.0.0.9:6443', up: null },
      guard: { held: false },
      counts: null,
      machines: [],
      nodes: [],
    });
  });

  it('has one entry for each machine, with what was seen of it', () => {
    const { machines } = statusAfter(goodPass(world));
    expect(machines).toHaveLength(5);
    expect(machines[0]).toEqual({
      id: 'a',
      addresses: ['10.0.0.1'],
      metadata: { role: 'kubernetes', rack: 'r1' },
      matches: true,
      kubelet: { state: 'silent', detail: '10.0.0.1 silent', since: '2026-01-02T00:00:00.000Z' },
      node: '10.0.0.1',
      verdict: 'has-node',
      reason: 'node 10.0.0.1, matched by address',
      warning: false,
      since: '2026-01-02T00:00:00.000Z',
      next: null,
      due: null,
    });
  });

  it('has one entry for each node, with its evidence, its verdict, since when, and what happens when', () => {
    const alive = goodPass({ ...world, kubelets: { ...others.kubelets, '10.0.0.1': 'healthy' } }, { ms: -INTERVAL });
    const first = goodPass(world, { memory: alive.seen.plan.memory });
    const second = goodPass(world, { ms: INTERVAL, memory: first.seen.plan.memory });
    const { nodes } = statusAfter(first, second);
    expect(nodes).toHaveLength(5);
    expect(nodes[0]).toEqual({
      name: '10.0.0.1',
      uid: 'uid-10.0.0.1',
      mark: 'a',
      otherOwner: null,
      managedSince: '2026-01-01T00:00:00.000Z',
      origin: 'managed',
      machine: 'a',
      reportedId: null,
      addresses: ['10.0.0.1'],
      nameOrigin: 'named',
      ready: 'unknown',
      leaving: null,
      veto: null,
      evidence: {
        fleet: 'matches',
        kubelet: 'silent',
        kubeletDetail: '10.0.0.1 silent',
        node: 'unknown',
        alive: false,
        answeredAt: ['10.0.0.1'],
        successor: null,
      },
      verdict: 'in-grace',
      reason: 'not alive for 30s of 30m, seen in 2 passes; kubelet unreachable; node Unknown',
      warning: false,
      since: '2026-01-02T00:00:00.000Z',
      next: 'will be deregistered in 29m30s',
      due: '2026-01-02T00:30:00.012Z',
    });
  });

  it.each([
    ['keep', { annotations: { 'kube-register.io/keep': 'true' } }, { veto: 'keep' }],
    ['a cordon', { cordoned: true }, { veto: 'cordoned' }],
    ['a cordon of an unknown shape', { cordoned: 'cannot tell' }, { veto: 'unreadable' }],
    ['another owner', { mark: 'a', owner: 'blue' }, { mark: null, otherOwner: 'blue', origin: 'unmarked' }],
    [
      'finalizers',
      { leaving: ['example.com/f'] },
      { leaving: { since: expect.any(String), finalizers: ['example.com/f'] } },
    ],
    ['a name of its own', { mark: 'a', origin: 'own-name' }, { mark: 'a', nameOrigin: 'own-name' }],
  ] as const)('tells of a node that has %s', (_, traits, told) => {
    expect(statusAfter(goodPass({ nodes: [node('n', traits)] })).nodes[0]).toMatchObject(told);
  });

  it('names the other node of a machine that is reporting', () => {
    const old = ours('old', 'a', '10.0.0.1', { machineId: 'a' });
    const current = ours('new', 'a', '10.0.0.1', { machineId: 'a', ready: 'true' });
    const { nodes } = statusAfter(goodPass({ machines: [machine('a', '10.0.0.1')], nodes: [old, current] }));
    expect(nodes.map(({ evidence }) => evidence?.successor)).toEqual(['new', null]);
  });

  it('has the warnings that are no verdicts, each once, and not what is only left out', () => {
    const policy = { nodeLabels: ['!!!', 'none-has-it'] };
    const odd = {
      ...world,
      machines: [machine('a', '10.0.0.1', { '!!!': 'x' }), ...others.machines],
      skippedRecords: 2,
    };
    const pass = goodPass(odd, { policy });
    expect(pass.seen.plan.notes.map(({ kind }) => kind)).toContain('label');
    expect(statusAfter(pass).warnings).toEqual([
      'fleet lists records without a machine ID (2), which are skipped; to see them: etcdctl ls --recursive /_coreos.com/fleet/machines',
      'KUBE_REGISTER_NODE_LABELS: no machine has metadata "none-has-it"; no label is removed meanwhile; check the key',
    ]);
  });

  it.each([
    ['skipped', true],
    ['unlistable', true],
    ['absent', true],
    ['alternates', true],
    ['undone', true],
    ['label', false],
    ['foreign', false],
    ['takeover', false],
  ] as const)('has a note of kind %s among its warnings: %s', (kind, isWarning) => {
    const pass = goodPass(world);
    const notes = [{ kind, key: 'a', text: 'so' }];
    const noted = { ...pass, seen: { ...pass.seen, plan: { ...pass.seen.plan, notes } } };
    expect(statusAfter(noted).warnings).toEqual(isWarning ? ['so'] : []);
  });

  it('keeps what the last good pass saw when one fails, and says what failed since when', () => {
    const status = statusAfter(
      goodPass(world),
      failedPass({ fleet: 'no answer' }, INTERVAL),
      failedPass({ fleet: 'still none' }, 2 * INTERVAL),
    );
    expect(status.nodes).toHaveLength(5);
    expect(status.fleet).toMatchObject({ up: false, since: '2026-01-02T00:00:30.000Z', problem: 'still none' });
    expect(status.kubernetes.up).toBe(true);
    expect(status.pass.last?.failures).toEqual({ fleet: 'still none' });
    expect(status.pass.lastSuccess).toBe('2026-01-02T00:00:00.012Z');
  });

  it('is read over HTTP as it was written', () => {
    const status = statusAfter(goodPass(world), failedPass({ fleet: 'no answer' }, INTERVAL));
    expect(statusDocument.parse(JSON.parse(JSON.stringify(status)))).toEqual(status);
  });

  it('says since when the deletion guard is active, why, and for which nodes', () => {
    const gone = { machines: others.machines, nodes: dead(others.nodes) };
    const first = goodPass(gone);
    const status = statusAfter(first, goodPass(gone, { ms: INTERVAL, memory: first.seen.plan.memory }));
    expect(status.guard).toMatchObject({ held: true, since: '2026-01-02T00:00:00.000Z' });
    expect(status.guard).toMatchObject({
      kind: 'mass',
      gone: 4,
      managed: 4,
      nodes: others.nodes.map(({ name }) => name),
    });
    expect(status.guard.message).toContain('deletion guard active: 4 of 4');
  });

  it('says since when a kubelet is as it is, over passes that fail, too', () => {
    const healthy = { ...world, kubelets: { ...others.kubelets, '10.0.0.1': 'healthy' as const } };
    const since = (...reports: readonly PassReport[]) => statusAfter(...reports).machines[0]?.kubelet?.since;
    const [first, second] = [goodPass(world), goodPass(world, { ms: INTERVAL })];
    expect(since(first, failedPass({ fleet: 'no answer' }, INTERVAL))).toBe('2026-01-02T00:00:00.000Z');
    expect(since(first, second)).toBe('2026-01-02T00:00:00.000Z');
    expect(since(first, second, goodPass(healthy, { ms: 2 * INTERVAL }))).toBe('2026-01-02T00:01:00.000Z');
  });

  it('says by which rules it was decided, a grace that never ends as null', () => {
    expect(statusAfter().rules).toEqual({
      selector: 'role=kubernetes',
      neverDeregister: null,
      adopt: true,
      ownerId: 'default',
      missingGraceMs: 900_000,
      unhealthyGraceMs: null,
      maxDeregisterPercent: POLICY.maxDeregisterPercent,
      intervalMs: POLICY.intervalMs,
    });
  });

  it('remembers what was done to nodes, the latest first, with the reason', () => {
    const joins = { machines: [machine('b', '10.0.0.2')], nodes: [], kubelets: { '10.0.0.2': 'healthy' as const } };
    const [registration] = goodPass(joins).seen.plan.actions;
    if (registration === undefined) throw new Error('nothing is registered');
    const status = statusAfter(
      goodPass(joins, { outcomes: [{ action: registration, result: 'failed', detail: 'answered 503' }] }),
      goodPass(joins, { ms: INTERVAL, outcomes: [{ action: registration, result: 'done' }] }),
      goodPass({ ...joins, nodes: [ours('10.0.0.2', 'b', '10.0.0.2')] }, { ms: 2 * INTERVAL }),
    );
    const reason = 'the kubelet at 10.0.0.2 is healthy, and its machine had no node';
    const about = { kind: 'register', node: '10.0.0.2', machine: 'b' };
    const once = (at: string) => ({ ...about, at, firstAt: at, times: 1, inPass: 1 });
    expect(status.history).toEqual([
      { ...once('2026-01-02T00:00:30.000Z'), result: 'done', reason },
      { ...once('2026-01-02T00:00:00.000Z'), result: 'failed', reason: `${reason}: answered 503` },
    ]);
    expect(status.nodes[0]?.origin).toBe('registered');
  });

  it('counts an action that fails in the same way again and again, and starts anew when it fails in another way', () => {
    const joins = { machines: [machine('b', '10.0.0.2')], nodes: [], kubelets: { '10.0.0.2': 'healthy' as const } };
    const [registration] = goodPass(joins).seen.plan.actions;
    if (registration === undefined) throw new Error('no registration is planned');
    const details = ['answered 503', 'answered 503', 'answered 503', 'answered 403'];
    const status = statusAfter(
      ...details.map((detail, index) =>
        goodPass(joins, { ms: index * INTERVAL, outcomes: [{ action: registration, result: 'failed', detail }] }),
      ),
    );
    expect(status.history).toMatchObject([
      { times: 1, at: '2026-01-02T00:01:30.000Z', firstAt: '2026-01-02T00:01:30.000Z' },
      { times: 3, at: '2026-01-02T00:01:00.000Z', firstAt: '2026-01-02T00:00:00.000Z' },
    ]);
  });

  it('counts the registrations of a pass, also those that are too many for the history', () => {
    const joins = { machines: [machine('b', '10.0.0.2')], nodes: [], kubelets: { '10.0.0.2': 'healthy' as const } };
    const [registration] = goodPass(joins).seen.plan.actions;
    if (registration === undefined) throw new Error('no registration is planned');
    const outcomes = Array.from({ length: 950 }, () => ({ action: registration, result: 'done' as const }));
    const { history } = statusAfter(goodPass(joins, { outcomes }));
    expect(history.length).toBeLessThan(30);
    expect(new Set(history.map(({ inPass }) => inPass))).toEqual(new Set([950]));
  });

  it.each([
    [{ result: 'done' }, 'registered'],
    [{ result: 'unneeded', detail: 'it was registered already' }, 'it was registered already'],
    [{ result: 'failed', detail: 'answered 503' }, 'could not be registered: answered 503'],
    [{ result: 'dry-run' }, 'would be registered: this is a dry run'],
  ] as const)('says what came of a registration that was %j', (outcome, next) => {
    const joins = { machines: [machine('b', '10.0.0.2')], nodes: [], kubelets: { '10.0.0.2': 'healthy' as const } };
    const outcomes = goodPass(joins).seen.plan.actions.map((action) => ({ action, ...outcome }));
    expect(statusAfter(goodPass(joins, { outcomes })).machines[0]).toMatchObject({
      verdict: 'register',
      next,
      warning: outcome.result === 'failed',
    });
  });

  it('forgets how a node came to its mark when the node is gone', () => {
    const joins = { machines: [machine('b', '10.0.0.2')], nodes: [], kubelets: { '10.0.0.2': 'healthy' as const } };
    const outcomes = goodPass(joins).seen.plan.actions.map((action) => ({ action, result: 'done' as const }));
    const made = { ...joins, nodes: [ours('10.0.0.2', 'b', '10.0.0.2')] };
    const status = statusAfter(
      goodPass(joins, { outcomes }),
      goodPass(joins, { ms: INTERVAL }),
      goodPass(joins, { ms: 2 * INTERVAL }),
      goodPass(made, { ms: 3 * INTERVAL }),
    );
    expect(status.nodes[0]?.origin).toBe('managed');
  });

  it('does not let many registrations drive a deregistration out of its memory', () => {
    const gone = { machines: others.machines, nodes: [...world.nodes], kubelets: others.kubelets };
    const node = gone.nodes[0];
    const joins = { machines: [machine('b', '10.0.0.2')], nodes: [], kubelets: { '10.0.0.2': 'healthy' as const } };
    const [registration] = goodPass(joins).seen.plan.actions;
    if (node === undefined || registration === undefined) throw new Error('the world is not as it should be');
    const seen = goodPass(gone).seen.observation.nodes.find(({ name }) => name === node.name);
    if (seen === undefined) throw new Error('the node is not seen');
    const deregistration = {
      kind: 'deregister',
      node: seen,
      reason: 'machine-gone',
      machineId: 'a',
      endpoints: [],
      era: ERAS['v1.20'],
      why: 'missing from fleet for 15m of 15m',
    } as const;
    const status = statusAfter(
      goodPass(gone, { outcomes: [{ action: deregistration, result: 'done' }] }),
      ...Array.from({ length: 200 }, (_, index) =>
        goodPass(joins, { ms: (index + 1) * INTERVAL, outcomes: [{ action: registration, result: 'done' }] }),
      ),
    );
    expect(status.history.length).toBeLessThan(100);
    expect(status.history.at(-1)).toMatchObject({
      kind: 'deregister',
      node: '10.0.0.1',
      machine: 'a',
      reason: 'machine-gone: missing from fleet for 15m of 15m',
    });
  });

  it('is plain JSON, whatever the metadata keys are called', () => {
    const odd = {
      ...machine('a', '10.0.0.1'),
      metadata: new Map([
        ['__proto__', 'x'],
        ['role', 'kubernetes'],
      ]),
    };
    const text = JSON.stringify(statusAfter(goodPass({ machines: [odd] })));
    expect(JSON.parse(text).machines[0].metadata).toHaveProperty('role', 'kubernetes');
    expect(text).toContain('"__proto__":"x"');
  });
});
