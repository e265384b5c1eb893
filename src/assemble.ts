/** Makes the daemon's parts from settings and puts them together. */
import { randomBytes } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { reverseName } from './address.ts';
import type { Clock } from './clock.ts';
import { Daemon } from './daemon.ts';
import { createFleetClient } from './fleet/client.ts';
import { createHttpClient, type RetryOptions } from './http/axios-client.ts';
import { createKubeletProber } from './kubelet/prober.ts';
import { connectNodes } from './kubernetes/connect.ts';
import { readApiAccess } from './kubernetes/credentials.ts';
import { createEventLog } from './kubernetes/events.ts';
import { createNamer } from './reconcile/naming.ts';
import type { Policy } from './reconcile/policy.ts';
import { Reconciler } from './reconcile/reconciler.ts';
import { createSchedule, type Schedule } from './schedule.ts';
import type { Settings } from './settings/settings.ts';
import { EventRecorder } from './telemetry/event-recorder.ts';
import type { Log } from './telemetry/log-events.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';
import { Reporter } from './telemetry/reporter.ts';
import { tokenReadLog } from './telemetry/token-read-log.ts';
import { readTlsFiles } from './tls-files.ts';
import { tokenFileReader } from './token-file.ts';

export interface Surroundings {
  readonly log: Log;
  readonly clock: Clock;
  readonly version: string;
}

export interface Assembly {
  readonly daemon: Daemon;
  readonly metrics: Metrics;
  /** Closes what the parts keep open; after the daemon has stopped. */
  close(): void;
}

const RETRIES: RetryOptions = { count: 2, minMs: 200, maxMs: 2_000, budgetMs: 10_000 };
const DNS_PATIENCE = { timeout: 2_000, tries: 2 };

/** Reads the files that the settings name and makes everything, without a connection to anybody. Throws CredentialError. */
export async function assemble(settings: Settings, { log, clock, version }: Surroundings): Promise<Assembly> {
  const metrics = createMetrics(version);
  const onTokenRead = tokenReadLog(log, clock);
  const fleetHttp = createHttpClient({
    target: 'fleet',
    endpoint: settings.fleet.endpoint,
    tls: { ...(await readTlsFiles(settings.fleet, 'KUBE_REGISTER_FLEET')), insecureSkipVerify: false },
    timeoutMs: settings.fleet.timeoutMs,
    observer: metrics,
    retries: RETRIES,
  });
  const { endpoint, tls, token } = await readApiAccess({ ...settings.api, onTokenRead });
  if (tls.insecureSkipVerify && !settings.api.insecureSkipTlsVerify) {
    log.say(
      'setting-regretted',
      "KUBE_REGISTER_KUBECONFIG: insecure-skip-tls-verify: the server's certificate is not checked: whoever is in between can answer for the API server and read the credentials",
    );
  }
  const kubernetesHttp = createHttpClient({
    target: 'kubernetes',
    endpoint,
    tls,
    ...(token === undefined ? {} : { token }),
    timeoutMs: settings.api.timeoutMs,
    observer: metrics,
    retries: RETRIES,
  });
  const { urlTemplates, timeoutMs, concurrency, tokenFile } = settings.kubelet;
  const kubelets = createKubeletProber({
    urlTemplates,
    timeoutMs,
    concurrency,
    tls: await readTlsFiles(settings.kubelet, 'KUBE_REGISTER_KUBELET'),
    ...(tokenFile === undefined
      ? {}
      : { token: await tokenFileReader(tokenFile, 'KUBE_REGISTER_KUBELET_TOKEN_FILE', onTokenRead) }),
    observer: metrics,
  });

  const resolver = new Resolver(DNS_PATIENCE);
  const schedule = createSchedule(settings.schedule, { clock, log });
  const policy = policyOf(settings, schedule);
  const reconciler = new Reconciler({
    sources: {
      fleet: createFleetClient({ http: fleetHttp }),
      selector: settings.selector,
      kubelets,
      nodes: connectNodes({ http: kubernetesHttp, apiVersion: settings.api.version, clock }),
      namer: createNamer(settings.nodeName, (address) => resolver.resolvePtr(reverseName(address)), clock),
    },
    policy,
    clock,
    passTimeoutMs: settings.passTimeoutMs,
    dryRun: settings.dryRun,
  });
  const events = createEventLog(kubernetesHttp, () => randomBytes(8).toString('hex'));
  const daemon = new Daemon({
    reconciler,
    schedule,
    clock,
    reporter: new Reporter(log, settings.selector.text),
    events: settings.events && !settings.dryRun ? new EventRecorder({ events, log, clock, metrics }) : undefined,
    metrics,
    version,
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
      resolver.cancel();
    },
  };
}

function policyOf(settings: Settings, schedule: Schedule): Policy {
  return {
    neverDeregister: neverDeregister(settings),
    adopt: settings.adopt,
    missingGraceMs: settings.missingGraceMs,
    unhealthyGraceMs: settings.unhealthyGraceMs,
    maxDeregisterPercent: settings.maxDeregisterPercent,
    intervalMs: schedule.intervalMs,
    nodeLabels: settings.nodeLabels,
  };
}

function neverDeregister({ once, policy }: Settings): string | undefined {
  if (policy === 'register-only') return 'KUBE_REGISTER_POLICY=register-only';
  return once ? 'KUBE_REGISTER_ONCE=true: a single pass cannot watch a grace' : undefined;
}
