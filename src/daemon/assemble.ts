/** Makes the parts of the daemon from its settings and connects them. */
import { randomBytes } from 'node:crypto';
import { EventRecorder } from '../events/recorder.ts';
import { createFleetClient } from '../fleet/client.ts';
import { connectNodes } from '../kubernetes/connect.ts';
import { createEventLog } from '../kubernetes/events.ts';
import type { Log } from '../log/log-events.ts';
import { PassLog } from '../log/pass-log.ts';
import { logStart } from '../log/start-log.ts';
import { tokenReadLog } from '../log/token-read-log.ts';
import { createMetrics, type Metrics } from '../metrics/metrics.ts';
import type { Policy } from '../reconcile/plan/policy.ts';
import { Reconciler } from '../reconcile/reconciler.ts';
import type { Settings } from '../settings/settings.ts';
import type { Clock } from '../time/clock.ts';
import { openFleet, openKubelets, openKubernetes, openNamer } from './clients.ts';
import { Daemon } from './daemon.ts';
import { createSchedule, type Schedule } from './schedule.ts';
import { SlowAnswers } from './slow-answers.ts';
import { growWithMachines } from './v8-memory.ts';

export interface AssembleOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly version: string;
}

export interface Assembly {
  readonly daemon: Daemon;
  readonly metrics: Metrics;
  /** Closes connections; to be called after the daemon has stopped. */
  close(): void;
}

/** Reads the files that the settings name and makes the parts; sends no request. Throws CredentialError. */
export async function assemble(settings: Settings, { log, clock, version }: AssembleOptions): Promise<Assembly> {
  const metrics = createMetrics(version);
  const onTokenRead = tokenReadLog(log, clock);
  const slowAnswers = new SlowAnswers(metrics, settings);
  const fleetHttp = await openFleet(settings, slowAnswers);
  const { http: kubernetesHttp, access } = await openKubernetes(settings, slowAnswers, onTokenRead);
  if (access.tls.insecureSkipVerify && !settings.api.insecureSkipTlsVerify) {
    log.write(
      'setting-regretted',
      "KUBE_REGISTER_KUBECONFIG: insecure-skip-tls-verify: the server's certificate is not verified: anyone on the network path can impersonate the API server and read the credentials",
    );
  }
  const endpoints = { fleet: settings.fleet.endpoint, kubernetes: access.endpoint };
  logStart(log, { clusterName: settings.clusterName, endpoints, changed: settings.changed });
  const kubelets = await openKubelets(settings, metrics, onTokenRead);
  const naming = openNamer(settings, clock);
  const schedule = createSchedule(settings.schedule, { clock, log });
  const policy = policyOf(settings, schedule);
  const reconciler = new Reconciler({
    sources: {
      fleet: growWithMachines(createFleetClient({ http: fleetHttp })),
      selector: settings.selector,
      kubelets,
      nodes: connectNodes({ http: kubernetesHttp, apiVersion: settings.api.version, clock }),
      namer: naming.namer,
    },
    policy,
    clock,
    passTimeoutMs: settings.passTimeoutMs,
    checkTimeoutMs: settings.kubelet.timeoutMs,
    dryRun: settings.dryRun,
  });
  const events = createEventLog(kubernetesHttp, () => randomBytes(8).toString('hex'));
  const daemon = new Daemon({
    reconciler,
    schedule,
    clock,
    passLog: new PassLog(log, settings.selector.text),
    events: settings.events && !settings.dryRun ? new EventRecorder({ events, log, clock, metrics }) : undefined,
    metrics,
    slowAnswers,
    version,
    clusterName: settings.clusterName,
    endpoints,
    policy,
    selector: settings.selector.text,
    dryRun: settings.dryRun,
    passTimeoutMs: settings.passTimeoutMs,
  });
  return {
    daemon,
    metrics,
    close: () => {
      fleetHttp.close();
      kubernetesHttp.close();
      naming.close();
    },
  };
}

/** The part of the settings that plans depend on. */
export function policyOf(settings: Settings, { intervalMs }: Pick<Schedule, 'intervalMs'>): Policy {
  return {
    neverDeregister: neverDeregister(settings),
    adopt: settings.adopt,
    ownerId: settings.ownerId,
    missingGraceMs: settings.missingGraceMs,
    unhealthyGraceMs: settings.unhealthyGraceMs,
    maxDeregisterPercent: settings.maxDeregisterPercent,
    intervalMs,
    nodeLabels: settings.nodeLabels,
  };
}

function neverDeregister({ once, policy }: Settings): string | undefined {
  if (policy === 'register-only') return 'KUBE_REGISTER_POLICY=register-only';
  return once ? 'KUBE_REGISTER_ONCE=true: one pass cannot watch a grace period' : undefined;
}
