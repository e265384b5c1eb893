/** The metrics for Prometheus. Alerts, dashboard and documents depend on their names. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RequestObserver } from '../http/http-client.ts';
import { TARGETS, type Target } from '../http/request-error.ts';
import type { KubeletState } from '../kubelet/kubelet.ts';
import type { Outcome } from '../reconcile/apply/apply.ts';
import type { Action } from '../reconcile/plan/action.ts';
import { NODE_VERDICTS, REASONS } from '../reconcile/plan/verdict.ts';
import { CAUSES, type Cause, type PassReport } from '../reconcile/reconciler.ts';
import { type Counts, MACHINE_STATES } from '../status/counts.ts';

/** Status codes whose series exist at 0 from the start; others appear when they first occur. */
const USUAL_CODES = ['200', 'error'] as const;

const PASS_SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 120];
const HEALTH_CHECK_SECONDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 2, 5, 10];
const REQUEST_SECONDS = [0.005, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];

/** Counts passes, actions, requests and health checks. */
export interface Metrics extends RequestObserver {
  /** A pass has ended; it was good when there are no `causes`. `at` is the time of day, in ms since 1970. */
  passEnded(causes: Iterable<Cause>, seconds: number, at: number): void;
  /** A pass was due while another was still running. */
  passSkipped(): void;
  /** Sets the gauges from a pass that observed everything; they stay until the next such pass. */
  passCounted(counts: Counts): void;
  /** Counts an attempt. An action that a dry run or the last check left out is not one. */
  actionEnded(outcome: Pick<Outcome, 'action' | 'result'>): void;
  /** Sets whether the server gave the last pass everything it asked for. */
  targetUp(target: Target, up: boolean): void;
  /** Sets the longest answer of the server in the last pass, where that took more than half of its timeout; 0 without one. */
  targetSlow(target: Target, ms: number): void;
  /** Counts an Event about a node that was written, or was given up. */
  eventEnded(written: boolean): void;
  healthCheckDone(state: KubeletState, seconds: number): void;
  /** The metrics in Prometheus' text format. */
  exposition(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/**
 * Makes the metrics, in a registry of their own. Series with known labels exist at 0 from the start, so that `rate()` and
 * `increase()` see the first event. Long because it lists every metric.
 */
export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const { counter, gauge, histogram } = makers(registry);

  gauge('kube_register_build_info', 'Always 1; the label has the version.', ['version']).set({ version }, 1);
  const up = gauge(
    'kube_register_up',
    '1 if fleet or Kubernetes gave the last pass everything it asked for, else 0; 0 before the first pass.',
    ['target'],
  );
  const slow = gauge(
    'kube_register_slow_answer_seconds',
    'The longest answer of fleet or Kubernetes in the last pass that took more than half of its timeout, in seconds; 0 without one.',
    ['target'],
  );

  const passes = counter('kube_register_passes_total', 'Passes that have ended, good or failed.');
  const passFailures = counter(
    'kube_register_pass_failures_total',
    'Failed passes, by cause; one pass can count for fleet and for kubernetes.',
    ['cause'],
  );
  const passSeconds = histogram(
    'kube_register_pass_duration_seconds',
    'Duration of passes in seconds, including failed ones.',
    PASS_SECONDS,
  );
  const passesSkipped = counter(
    'kube_register_passes_skipped_total',
    'Passes that were skipped because the previous one was still running.',
  );
  const lastPass = gauge(
    'kube_register_last_pass_timestamp_seconds',
    'End of the last pass, good or failed, in seconds since 1970; 0 before the first.',
  );
  const lastSuccess = gauge(
    'kube_register_last_success_timestamp_seconds',
    'End of the last good pass, in seconds since 1970; 0 before the first.',
  );

  const machines = gauge(
    'kube_register_machines',
    'Machines in the last complete list from fleet, by state; a machine can have several.',
    ['state'],
  );
  const nodes = gauge(
    'kube_register_nodes',
    'Nodes in the last complete list from the API server, by verdict; each node has one.',
    ['verdict'],
  );
  const managedNodes = gauge('kube_register_managed_nodes', 'Nodes with the annotations of this kube-register.');
  const heldNodes = gauge(
    'kube_register_deregistrations_held',
    'Nodes that are not alive and are kept because the deletion guard is active.',
  );

  const undoneWrites = gauge(
    'kube_register_undone_writes',
    'Registrations and changes of nodes that something else had undone in the last good pass; they are repeated at growing intervals.',
  );

  const attempts = (what: string, purpose: string, labelNames: string[] = []): Attempts => ({
    all: counter(`kube_register_${what}s_total`, `Attempts ${purpose}, including failed ones.`, labelNames),
    failed: counter(`kube_register_${what}_failures_total`, `Failed attempts ${purpose}.`, labelNames),
  });
  const tries: Readonly<Record<Action['kind'], Attempts>> = {
    register: attempts('registration', 'to register a node'),
    adopt: attempts('adoption', 'to adopt a node'),
    label: attempts('label_update', 'to update the labels or annotations of a node'),
    deregister: attempts('deregistration', 'to deregister a node, by reason', ['reason']),
  };
  const events = attempts('event', 'to write an Event about a node');

  const healthChecks = counter('kube_register_health_checks_total', 'Health checks of kubelets.');
  const healthCheckFailures = counter(
    'kube_register_health_check_failures_total',
    'Health checks that found the kubelet unhealthy or unreachable.',
  );
  const healthCheckSeconds = histogram(
    'kube_register_health_check_duration_seconds',
    'Duration of health checks in seconds, including failed ones.',
    HEALTH_CHECK_SECONDS,
    // Made once for thousands of checks: the histogram itself makes one like it for each value.
  ).labels();

  const requests = counter(
    'kube_register_requests_total',
    'HTTP requests to fleet and Kubernetes, by status code, or error without a response.',
    ['target', 'code'],
  );
  const requestSeconds = histogram(
    'kube_register_request_duration_seconds',
    'Duration of HTTP requests to fleet and Kubernetes in seconds.',
    REQUEST_SECONDS,
    ['target'],
  );
  const requestRetries = counter(
    'kube_register_request_retries_total',
    'Retries of HTTP requests to fleet and Kubernetes.',
    ['target'],
  );

  for (const target of TARGETS) {
    up.set({ target }, 0);
    slow.set({ target }, 0);
    for (const code of USUAL_CODES) requests.inc({ target, code }, 0);
    requestSeconds.zero({ target });
    requestRetries.inc({ target }, 0);
  }
  for (const cause of CAUSES) passFailures.inc({ cause }, 0);
  for (const state of MACHINE_STATES) machines.set({ state }, 0);
  for (const verdict of NODE_VERDICTS) nodes.set({ verdict }, 0);
  for (const reason of REASONS) {
    tries.deregister.all.inc({ reason }, 0);
    tries.deregister.failed.inc({ reason }, 0);
  }

  return {
    passEnded(causes, seconds, at) {
      const failed = [...causes];
      passes.inc();
      for (const cause of failed) passFailures.inc({ cause });
      passSeconds.observe(seconds);
      lastPass.set(at / 1000);
      if (failed.length === 0) lastSuccess.set(at / 1000);
    },
    passSkipped: () => passesSkipped.inc(),
    passCounted(counts) {
      for (const state of MACHINE_STATES) machines.set({ state }, counts.machines[state]);
      for (const verdict of NODE_VERDICTS) nodes.set({ verdict }, counts.nodes.get(verdict) ?? 0);
      managedNodes.set(counts.managed);
      heldNodes.set(counts.held);
      undoneWrites.set(counts.undone);
    },
    actionEnded({ action, result }) {
      if (result === 'dry-run' || result === 'refused') return;
      const { all, failed } = tries[action.kind];
      const labels: Record<string, string> = action.kind === 'deregister' ? { reason: action.reason } : {};
      all.inc(labels);
      if (result === 'failed') failed.inc(labels);
    },
    targetUp: (target, isUp) => up.set({ target }, isUp ? 1 : 0),
    targetSlow: (target, ms) => slow.set({ target }, ms / 1000),
    eventEnded(written) {
      events.all.inc();
      if (!written) events.failed.inc();
    },
    healthCheckDone(state, seconds) {
      healthChecks.inc();
      if (state !== 'healthy') healthCheckFailures.inc();
      healthCheckSeconds.observe(seconds);
    },
    requestDone(target, code, seconds) {
      requests.inc({ target, code });
      requestSeconds.observe({ target }, seconds);
    },
    requestRetried: (target) => requestRetries.inc({ target }),
    exposition: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

/** Counts one pass. `counts` is undefined when it did not observe everything. */
export function reportPass(
  metrics: Metrics,
  report: PassReport,
  counts: Counts | undefined,
  isUp: (target: Target) => boolean,
): void {
  if (!report.stopped) {
    metrics.passEnded(report.failures.keys(), report.durationMs / 1000, report.startedAt + report.durationMs);
  }
  if (counts !== undefined) metrics.passCounted(counts);
  for (const outcome of report.outcomes) metrics.actionEnded(outcome);
  for (const target of TARGETS) {
    metrics.targetUp(target, isUp(target));
    metrics.targetSlow(target, report.slowMs?.get(target) ?? 0);
  }
}

/** Two counters rather than one with a result label, as Prometheus advises: https://prometheus.io/docs/practices/instrumentation/#failures */
interface Attempts {
  readonly all: Counter;
  readonly failed: Counter;
}

function makers(registry: Registry) {
  const registers = [registry];
  return {
    counter: <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
      new Counter({ name, help, labelNames, registers }),
    gauge: <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
      new Gauge({ name, help, labelNames, registers }),
    histogram: <Label extends string>(name: string, help: string, buckets: number[], labelNames: Label[] = []) =>
      new Histogram({ name, help, buckets, labelNames, registers }),
  };
}
