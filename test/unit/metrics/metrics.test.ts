import { describe, expect, it } from 'vitest';
import { createMetrics, type Metrics, reportPass } from '../../../src/metrics/metrics.ts';
import type { Outcome } from '../../../src/reconcile/apply/apply.ts';
import type { Action } from '../../../src/reconcile/plan/action.ts';
import type { PassReport } from '../../../src/reconcile/reconciler.ts';
import { ERAS, ours } from '../reconcile/world.ts';

/** The contract: every name with its type and the labels it can have. */
const CONTRACT = `
  kube_register_adoption_failures_total counter
  kube_register_adoptions_total counter
  kube_register_build_info gauge version
  kube_register_deregistration_failures_total counter reason
  kube_register_deregistrations_held gauge
  kube_register_deregistrations_total counter reason
  kube_register_event_failures_total counter
  kube_register_events_total counter
  kube_register_health_check_duration_seconds histogram
  kube_register_health_check_failures_total counter
  kube_register_health_checks_total counter
  kube_register_label_update_failures_total counter
  kube_register_label_updates_total counter
  kube_register_last_pass_timestamp_seconds gauge
  kube_register_last_success_timestamp_seconds gauge
  kube_register_machines gauge state
  kube_register_managed_nodes gauge
  kube_register_nodes gauge verdict
  kube_register_pass_duration_seconds histogram
  kube_register_pass_failures_total counter cause
  kube_register_passes_skipped_total counter
  kube_register_passes_total counter
  kube_register_registration_failures_total counter
  kube_register_registrations_total counter
  kube_register_request_duration_seconds histogram target
  kube_register_request_retries_total counter target
  kube_register_requests_total counter target,code
  kube_register_slow_answer_seconds gauge target
  kube_register_undone_writes gauge
  kube_register_up gauge target`
  .trim()
  .split('\n')
  .map((line) => line.trim());

/** Every series that is there before anything has happened. */
const SERIES_AT_START = [
  ...['fleet', 'kubernetes'].flatMap((target) => [
    `kube_register_up{target="${target}"}`,
    `kube_register_slow_answer_seconds{target="${target}"}`,
    `kube_register_request_duration_seconds_count{target="${target}"}`,
    `kube_register_request_retries_total{target="${target}"}`,
    `kube_register_requests_total{target="${target}",code="200"}`,
    `kube_register_requests_total{target="${target}",code="error"}`,
  ]),
  ...['fleet', 'kubernetes', 'timeout', 'internal'].map(
    (cause) => `kube_register_pass_failures_total{cause="${cause}"}`,
  ),
  ...['unhealthy', 'metadata-changed', 'machine-gone', 'left-over'].flatMap((reason) => [
    `kube_register_deregistrations_total{reason="${reason}"}`,
    `kube_register_deregistration_failures_total{reason="${reason}"}`,
  ]),
  ...['listed', 'matched', 'healthy', 'silent', 'conflict', 'unusable'].map(
    (state) => `kube_register_machines{state="${state}"}`,
  ),
  ...[
    ...['keep', 'adopt', 'recognised', 'probe-suspect', 'not-posting', 'unmatched', 'orphan', 'unheard', 'conflict'],
    ...['in-grace', 'queued', 'deregister', 'held', 'vetoed', 'spared', 'leaving', 'left-over', 'foreign'],
  ].map((verdict) => `kube_register_nodes{verdict="${verdict}"}`),
  ...['registration', 'adoption', 'label_update', 'event'].flatMap((what) => [
    `kube_register_${what}s_total`,
    `kube_register_${what}_failures_total`,
  ]),
  'kube_register_passes_total',
  'kube_register_passes_skipped_total',
  'kube_register_pass_duration_seconds_count',
  'kube_register_last_pass_timestamp_seconds',
  'kube_register_last_success_timestamp_seconds',
  'kube_register_managed_nodes',
  'kube_register_deregistrations_held',
  'kube_register_undone_writes',
  'kube_register_health_checks_total',
  'kube_register_health_check_failures_total',
  'kube_register_health_check_duration_seconds_count',
];

/** The value of every series, by its name with labels. */
async function scrape(metrics: Metrics): Promise<ReadonlyMap<string, number>> {
  const { body } = await metrics.exposition();
  const samples = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

/** The series of ours that are not 0, except the parts of histograms. */
async function whatCounts(metrics: Metrics): Promise<Record<string, number>> {
  const series = [...(await scrape(metrics))].filter(
    ([name, value]) => value !== 0 && /^kube_register_(?!build_info|\w+_(bucket|sum)\b)/.test(name),
  );
  return Object.fromEntries(series);
}

/** `name type labels` of every metric of ours, as Prometheus sees them. */
async function exposed(metrics: Metrics): Promise<string[]> {
  const { body } = await metrics.exposition();
  return [...body.matchAll(/^# TYPE (kube_register_\w+) (\w+)$/gm)].map(([, name = '', type = '']) => {
    const sample = new RegExp(`^${name}(?:_count)?(?:\\{(.*)\\})? `, 'm').exec(body)?.[1] ?? '';
    const labels = [...sample.matchAll(/(\w+)="/g)].map(([, label]) => label).join(',');
    return `${name} ${type} ${labels}`.trim();
  });
}

const machine = {
  id: '0123456789abcdef0123456789abcdef',
  metadata: new Map(),
  matches: true,
  address: '10.0.0.1',
  addresses: ['10.0.0.1'],
  problem: undefined,
};
const none: ReadonlyMap<string, string> = new Map();
const node = ours('n', machine.id, '10.0.0.1');
const draft = { name: '10.0.0.1', address: '10.0.0.1', labels: none, annotations: none };
const change = { labels: none, annotations: none };
const wanted = {
  machineId: machine.id,
  address: '10.0.0.1',
  followsAddress: true,
  ownerId: 'default',
  origin: 'named',
  since: '',
  labels: none,
  removesLabels: true,
} as const;

const register: Action = { kind: 'register', machine, draft };
const adopt: Action = { kind: 'adopt', machine, node, wanted, change };
const label: Action = { kind: 'label', machine, node, wanted, change };
const deregister: Action = {
  kind: 'deregister',
  node,
  reason: 'left-over',
  machineId: machine.id,
  endpoints: [],
  era: ERAS['v1.20'],
  why: 'it was',
};

const goodPass: PassReport = {
  startedAt: 1_700_000_000_000,
  durationMs: 2_500,
  seen: undefined,
  outcomes: [],
  failures: new Map(),
  stopped: false,
};

describe('the metrics', () => {
  it('have the names, types and labels that alerts depend on, and no others of ours', async () => {
    expect((await exposed(createMetrics('1.2.3'))).sort()).toEqual(CONTRACT);
  });

  it('are all there at 0 before anything has happened', async () => {
    const series = await scrape(createMetrics('1.2.3'));
    expect(SERIES_AT_START.filter((name) => series.get(name) !== 0)).toEqual([]);
    expect(series.get('kube_register_build_info{version="1.2.3"}')).toBe(1);
  });

  it('come with those of the process, in the text format of Prometheus', async () => {
    const { contentType, body } = await createMetrics('1.2.3').exposition();
    expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(body).toMatch(/^process_resident_memory_bytes \d+/m);
  });

  it('do not share a registry', async () => {
    createMetrics('1.2.3').passSkipped();
    expect(await whatCounts(createMetrics('1.2.3'))).toEqual({});
  });

  it('count a health check as failed unless the kubelet is healthy', async () => {
    const metrics = createMetrics('1.2.3');
    metrics.healthCheckDone('healthy', 0.01);
    metrics.healthCheckDone('answers', 0.02);
    metrics.healthCheckDone('silent', 2);
    expect(await whatCounts(metrics)).toEqual({
      kube_register_health_checks_total: 3,
      kube_register_health_check_failures_total: 2,
      kube_register_health_check_duration_seconds_count: 3,
    });
  });

  it('count requests by target and answer, and those that were sent again', async () => {
    const metrics = createMetrics('1.2.3');
    metrics.requestDone('fleet', 'error', 10);
    metrics.requestRetried('fleet');
    metrics.requestDone('fleet', '503', 0.1);
    metrics.requestDone('kubernetes', '200', 0.1);
    expect(await whatCounts(metrics)).toEqual({
      'kube_register_requests_total{target="fleet",code="error"}': 1,
      'kube_register_requests_total{target="fleet",code="503"}': 1,
      'kube_register_requests_total{target="kubernetes",code="200"}': 1,
      'kube_register_request_retries_total{target="fleet"}': 1,
      'kube_register_request_duration_seconds_count{target="fleet"}': 2,
      'kube_register_request_duration_seconds_count{target="kubernetes"}': 1,
    });
  });

  it('count Events, and those that were not written once more', async () => {
    const metrics = createMetrics('1.2.3');
    metrics.eventEnded(true);
    metrics.eventEnded(false);
    expect(await whatCounts(metrics)).toEqual({
      kube_register_events_total: 2,
      kube_register_event_failures_total: 1,
    });
  });

  it('count a tick that finds a pass running', async () => {
    const metrics = createMetrics('1.2.3');
    metrics.passSkipped();
    expect(await whatCounts(metrics)).toEqual({ kube_register_passes_skipped_total: 1 });
  });
});

describe('the report of a pass', () => {
  const report = async (...passes: readonly Partial<PassReport>[]) => {
    const metrics = createMetrics('1.2.3');
    for (const pass of passes) reportPass(metrics, { ...goodPass, ...pass }, undefined, () => false);
    return whatCounts(metrics);
  };

  it('dates the last pass and the last good one', async () => {
    expect(await report({}, { startedAt: 1_700_000_030_000, failures: new Map([['fleet', 'refused']]) })).toEqual({
      kube_register_passes_total: 2,
      kube_register_pass_duration_seconds_count: 2,
      'kube_register_pass_failures_total{cause="fleet"}': 1,
      kube_register_last_pass_timestamp_seconds: 1_700_000_032.5,
      kube_register_last_success_timestamp_seconds: 1_700_000_002.5,
    });
  });

  it('counts a pass for which both servers failed once, and each cause', async () => {
    const failures = new Map([
      ['fleet', 'refused'],
      ['kubernetes', 'refused'],
    ] as const);
    expect(await report({ failures })).toMatchObject({
      kube_register_passes_total: 1,
      'kube_register_pass_failures_total{cause="fleet"}': 1,
      'kube_register_pass_failures_total{cause="kubernetes"}': 1,
    });
  });

  it('does not count a pass that was cut short because the daemon stops, but what it did', async () => {
    expect(await report({ stopped: true, outcomes: [{ action: register, result: 'done' }] })).toEqual({
      kube_register_registrations_total: 1,
    });
  });

  it('counts every attempt, and those that failed once more', async () => {
    const outcomes = [register, adopt, label, deregister].flatMap((action): Outcome[] => [
      { action, result: 'done' },
      { action, result: 'unneeded' },
      { action, result: 'failed' },
    ]);
    expect(await report({ stopped: true, outcomes })).toEqual({
      kube_register_registrations_total: 3,
      kube_register_registration_failures_total: 1,
      kube_register_adoptions_total: 3,
      kube_register_adoption_failures_total: 1,
      kube_register_label_updates_total: 3,
      kube_register_label_update_failures_total: 1,
      'kube_register_deregistrations_total{reason="left-over"}': 3,
      'kube_register_deregistration_failures_total{reason="left-over"}': 1,
    });
  });

  it('does not take for an attempt what a dry run or the last check kept from being begun', async () => {
    const outcomes: Outcome[] = [
      { action: register, result: 'dry-run' },
      { action: deregister, result: 'refused' },
    ];
    expect(await report({ stopped: true, outcomes })).toEqual({});
  });

  it('tells which servers are up', async () => {
    const metrics = createMetrics('1.2.3');
    reportPass(metrics, { ...goodPass, stopped: true }, undefined, (target) => target === 'fleet');
    expect(await whatCounts(metrics)).toEqual({ 'kube_register_up{target="fleet"}': 1 });
  });

  it('tells how long the slow answers of the last pass took, until a pass has none', async () => {
    const metrics = createMetrics('1.2.3');
    const stopped = { ...goodPass, stopped: true };
    reportPass(metrics, { ...stopped, slowMs: new Map([['kubernetes', 8_300]]) }, undefined, () => false);
    expect(await whatCounts(metrics)).toEqual({ 'kube_register_slow_answer_seconds{target="kubernetes"}': 8.3 });
    reportPass(metrics, stopped, undefined, () => false);
    expect(await whatCounts(metrics)).toEqual({});
  });

  it('shows what the last complete pass saw, and takes back what is no longer so', async () => {
    const metrics = createMetrics('1.2.3');
    const stopped = { ...goodPass, stopped: true };
    const machines = { listed: 3, matched: 3, healthy: 2, silent: 1, conflict: 0, unusable: 0 };
    const isUp = () => false;
    reportPass(metrics, stopped, { machines, nodes: new Map([['held', 2]]), managed: 3, held: 2, undone: 2 }, isUp);
    reportPass(metrics, stopped, { machines, nodes: new Map([['keep', 3]]), managed: 3, held: 0, undone: 1 }, isUp);
    reportPass(metrics, stopped, undefined, isUp);
    expect(await whatCounts(metrics)).toEqual({
      'kube_register_machines{state="listed"}': 3,
      'kube_register_machines{state="matched"}': 3,
      'kube_register_machines{state="healthy"}': 2,
      'kube_register_machines{state="silent"}': 1,
      'kube_register_nodes{verdict="keep"}': 3,
      kube_register_managed_nodes: 3,
      kube_register_undone_writes: 1,
    });
  });
});
