/** What Prometheus scrapes. The names are a contract: alerts, dashboard and README depend on them. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RequestObserver } from '../http/http-client.ts';
import type { Target } from '../http/request-error.ts';
import type { KubeletState } from '../kubelet/kubelet.ts';
import type { Outcome } from '../reconcile/apply/apply.ts';
import type { Action } from '../reconcile/plan/action.ts';
import { NODE_VERDICTS, REASONS } from '../reconcile/plan/verdict.ts';
import { CAUSES, type Cause, type PassReport } from '../reconcile/reconciler.ts';
import { type Counts, MACHINE_STATES } from '../status/counts.ts';

const TARGETS = ['fleet', 'kubernetes'] as const satisfies readonly Target[];
/** The codes that every healthy and every broken server gives; others appear when they first occur. */
const USUAL_CODES = ['200', 'error'] as const;

const PASS_SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 120];
const HEALTH_CHECK_SECONDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 2, 5, 10];
const REQUEST_SECONDS = [0.005, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];

/** Everything that is counted, in the words of the program. */
export interface Metrics extends RequestObserver {
  /** A pass has ended, well when there are no `causes`. `at` is the time of day, in ms since 1970. */
  passEnded(causes: Iterable<Cause>, seconds: number, at: number): void;
  /** A pass was due while another was still running. */
  passSkipped(): void;
  /** What a pass saw and decided; it stands until another sees everything. */
  passCounted(counts: Counts): void;
  /** An action that was not begun, because of a dry run or the last check, is no attempt. */
  actionEnded(outcome: Pick<Outcome, 'action' | 'result'>): void;
  /** Whether the server answered the last pass as it should. */
  targetUp(target: Target, up: boolean): void;
  /** An Event about a node was written, or was not and never will be. */
  eventEnded(written: boolean): void;
  healthCheckDone(state: KubeletState, seconds: number): void;
  /** All of it in Prometheus' text format. */
  exposition(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/**
 * Makes the metrics, in a registry of their own. All series that are known beforehand are there at 0 at once, so that
 * `rate()` and `increase()` see the first event.
 */
export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const { counter, gauge, histogram } = makers(registry);

  gauge('kube_register_build_info', 'Always 1; the label tells the version that runs.', ['version']).set(
    { version },
    1,
  );
  const up = gauge(
    'kube_register_up',
    'Whether fleet or Kubernetes answered the last pass as it should: 1 or 0. 0 until the first answer.',
    ['target'],
  );

  const passes = counter('kube_register_passes_total', 'Passes that have ended, well or not.');
  const passFailures = counter(
    'kube_register_pass_failures_total',
    'Passes that ended with an error, by what failed; one pass can count for fleet and for kubernetes.',
    ['cause'],
  );
  const passSeconds = histogram(
    'kube_register_pass_duration_seconds',
    'How long passes took, in seconds, failed ones included.',
    PASS_SECONDS,
  );
  const passesSkipped = counter(
    'kube_register_passes_skipped_total',
    'Passes that did not start because the one before was still running.',
  );
  const lastPass = gauge(
    'kube_register_last_pass_timestamp_seconds',
    'When the last pass ended, well or not, in seconds since 1970; 0 before the first.',
  );
  const lastSuccess = gauge(
    'kube_register_last_success_timestamp_seconds',
    'When the last pass without an error ended, in seconds since 1970; 0 before the first.',
  );

  const machines = gauge(
    'kube_register_machines',
    'Machines that fleet listed when it last answered completely, by state; a machine can be in several.',
    ['state'],
  );
  const nodes = gauge(
    'kube_register_nodes',
    'Nodes of the API server when it last answered completely, by their verdict; each node has one.',
    ['verdict'],
  );
  const managedNodes = gauge('kube_register_managed_nodes', 'Nodes that have the annotations of this kube-register.');
  const heldNodes = gauge(
    'kube_register_deregistrations_held',
    'Nodes that are not alive and are kept because the deletion guard is active.',
  );

  const attempts = (what: string, purpose: string, labelNames: string[] = []): Attempts => ({
    all: counter(`kube_register_${what}s_total`, `Attempts ${purpose}, failed ones included.`, labelNames),
    failed: counter(`kube_register_${what}_failures_total`, `Failed attempts ${purpose}.`, labelNames),
  });
  const tries: Readonly<Record<Action['kind'], Attempts>> = {
    register: attempts('registration', 'to register a node'),
    adopt: attempts('adoption', 'to adopt a node that registered itself'),
    label: attempts('label_update', 'to bring the labels or annotations of a node up to date'),
    deregister: attempts('deregistration', 'to deregister a node, by reason', ['reason']),
  };
  const events = attempts('event', 'to write an Event about a node');

  const healthChecks = counter('kube_register_health_checks_total', 'Kubelets that were asked for their health.');
  const healthCheckFailures = counter(
    'kube_register_health_check_failures_total',
    'Health checks that got no answer, or one that does not call the kubelet healthy.',
  );
  const healthCheckSeconds = histogram(
    'kube_register_health_check_duration_seconds',
    'How long health checks took, in seconds, failed ones included.',
    HEALTH_CHECK_SECONDS,
  );

  const requests = counter(
    'kube_register_requests_total',
    'HTTP requests to fleet and Kubernetes, by the status of the answer, or error when none came.',
    ['target', 'code'],
  );
  const requestSeconds = histogram(
    'kube_register_request_duration_seconds',
    'How long HTTP requests to fleet and Kubernetes took, in seconds.',
    REQUEST_SECONDS,
    ['target'],
  );
  const requestRetries = counter(
    'kube_register_request_retries_total',
    'HTTP requests to fleet and Kubernetes that were sent again after a failure.',
    ['target'],
  );

  for (const target of TARGETS) {
    up.set({ target }, 0);
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
    },
    actionEnded({ action, result }) {
      if (result === 'dry-run' || result === 'refused') return;
      const { all, failed } = tries[action.kind];
      const labels: Record<string, string> = action.kind === 'deregister' ? { reason: action.reason } : {};
      all.inc(labels);
      if (result === 'failed') failed.inc(labels);
    },
    targetUp: (target, isUp) => up.set({ target }, isUp ? 1 : 0),
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

/** Counts one pass. `counts` is undefined when it did not see everything. */
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
  for (const target of TARGETS) metrics.targetUp(target, isUp(target));
}

/** Two counters, as Prometheus advises, rather than one with a label that tells how it ended. */
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
