import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import type { PassReport } from '../../src/reconcile/reconciler.ts';
import { Chronicle } from '../../src/telemetry/chronicle.ts';
import { countPass } from '../../src/telemetry/counts.ts';
import { makeStatus } from '../../src/telemetry/status.ts';
import { failedPass, goodPass, STARTED } from './pass-report.ts';
import { bystanders, INTERVAL, machine, ours } from './world.ts';

const clock: Clock = { wall: () => STARTED + 90_000, monotonic: () => 90_000 };

function statusAfter(...reports: readonly PassReport[]) {
  const chronicle = new Chronicle();
  let good: Parameters<typeof makeStatus>[1]['good'];
  for (const report of reports) {
    chronicle.record(report, report.startedAt, report.startedAt - STARTED);
    if (report.seen !== undefined) good = { report, counts: countPass(report.seen.observation, report.seen.plan) };
  }
  const frame = {
    version: '1.2.3',
    dryRun: false,
    startedAt: STARTED,
    nextPass: new Date(STARTED),
    passRunning: false,
  };
  return makeStatus(frame, { last: reports.at(-1), good }, chronicle, clock);
}

const others = bystanders(4);
const world = {
  machines: [machine('a', '10.0.0.1', { rack: 'r1' }), ...others.machines],
  nodes: [ours('10.0.0.1', 'a', '10.0.0.1'), ...others.nodes],
  kubelets: others.kubelets,
};

describe('the status', () => {
  it('before the first pass says that nothing is known', () => {
    expect(statusAfter()).toMatchObject({
      version: '1.2.3',
      pass: { last: null, lastSuccess: null, next: '2026-01-02T00:00:00.000Z' },
      fleet: { up: null, since: null, problem: null },
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
      kubelet: { state: 'silent', detail: '10.0.0.1 silent' },
      node: '10.0.0.1',
      verdict: 'has-node',
      reason: 'its node, found by mark',
      since: '2026-01-02T00:00:00.000Z',
      next: null,
      due: null,
    });
  });

  it('has one entry for each node, with its witnesses, its verdict, since when, and what happens when', () => {
    const first = goodPass(world);
    const second = goodPass(world, { ms: INTERVAL, memory: first.seen.plan.memory });
    const { nodes } = statusAfter(first, second);
    expect(nodes).toHaveLength(5);
    expect(nodes[0]).toEqual({
      name: '10.0.0.1',
      uid: 'uid-10.0.0.1',
      mark: 'a',
      machine: 'a',
      addresses: ['10.0.0.1'],
      witnesses: { fleet: 'matches', kubelet: 'silent', kubeletDetail: '10.0.0.1 silent', kubernetes: 'not-ready' },
      verdict: 'in-grace',
      reason: 'not alive for 30s of 30m, seen in 2 passes; kubelet silent; Kubernetes says NotReady',
      since: '2026-01-02T00:00:00.000Z',
      next: 'deregistered in 29m30s',
      due: '2026-01-02T00:30:00.012Z',
    });
  });

  it('keeps what the last good pass saw when one fails, and says what failed since when', () => {
    const status = statusAfter(
      goodPass(world),
      failedPass({ fleet: 'no answer' }, INTERVAL),
      failedPass({ fleet: 'still none' }, 2 * INTERVAL),
    );
    expect(status.nodes).toHaveLength(5);
    expect(status.fleet).toEqual({ up: false, since: '2026-01-02T00:00:30.000Z', problem: 'still none' });
    expect(status.kubernetes.up).toBe(true);
    expect(status.pass.last?.failures).toEqual({ fleet: 'still none' });
    expect(status.pass.lastSuccess).toBe('2026-01-02T00:00:00.012Z');
  });

  it('says since when the guard holds', () => {
    const gone = { machines: others.machines, nodes: others.nodes };
    const first = goodPass(gone);
    const status = statusAfter(first, goodPass(gone, { ms: INTERVAL, memory: first.seen.plan.memory }));
    expect(status.guard).toMatchObject({ held: true, since: '2026-01-02T00:00:00.000Z' });
    expect(status.guard.message).toContain('held: 4 of 4');
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
