/** The daemon as a process: made from its settings, run until a signal or for one pass, and ended in time. */

import { CredentialError } from '../credentials/credential-error.ts';
import type { Log } from '../log/log-events.ts';
import type { Settings } from '../settings/settings.ts';
import { systemClock } from '../time/clock.ts';
import { hostPort, ListenError } from '../web/listen.ts';
import { pageRoutes } from '../web/page/routes.ts';
import { startWebServer, type WebServer } from '../web/server.ts';
import { type Assembly, assemble } from './assemble.ts';
import type { Signals } from './signals.ts';
import { VERSION } from './version.ts';

/** Stopped, or done; failed. */
const EXIT = { done: 0, failed: 1 } as const;
/** How long a stop may take before the process ends all the same: a little less than the 5 s that are promised. */
const STOP_MS = 4_800;

export interface Process {
  readonly log: Log;
  readonly signals: Signals;
  /** The version of Node, for the log. */
  readonly nodeVersion: string;
}

/** Resolves with the exit code. */
export async function serve(settings: Settings, { log, signals, nodeVersion }: Process): Promise<number> {
  void signals.stopped.then((signal) => log.write('stopping', `${signal}: stopping; a second signal ends it at once`));
  let assembly: Assembly;
  try {
    assembly = await assemble(settings, { log, clock: systemClock, version: VERSION });
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error;
    log.write('credentials-unusable', error.message);
    return EXIT.failed;
  }
  try {
    return settings.once
      ? await runOnce(assembly, signals, log)
      : await runDaemon(settings, assembly, { log, signals, nodeVersion });
  } finally {
    assembly.close();
  }
}

async function runOnce({ daemon }: Assembly, { stopped }: Signals, log: Log): Promise<number> {
  const message = `kube-register ${VERSION} makes one pass; it does not listen (KUBE_REGISTER_ONCE)`;
  log.write('started', message, { version: VERSION });
  const pass = daemon.runOnce();
  const isStopped = await Promise.race([pass.then(() => false), stopped.then(() => true)]);
  if (isStopped && !(await endsInTime(daemon.stop()))) return EXIT.done;
  const { failures, outcomes, stopped: cutShort } = await pass;
  await endsInTime(daemon.stop());
  if (cutShort) return EXIT.done;
  const failed = failures.size > 0 || outcomes.some(({ result }) => result === 'failed');
  return failed ? EXIT.failed : EXIT.done;
}

async function runDaemon(
  settings: Settings,
  { daemon, metrics }: Assembly,
  { log, signals, nodeVersion }: Process,
): Promise<number> {
  let server: WebServer | undefined;
  if (settings.listen !== 'off') {
    const routes = {
      metrics: () => metrics.exposition(),
      healthz: () => daemon.healthz(),
      readyz: () => daemon.readyz(),
      status: () => daemon.status(),
      ...pageRoutes(
        daemon,
        { listen: settings.listen.host, pageHosts: settings.pageHosts },
        { log, clock: systemClock },
      ),
    };
    try {
      server = await startWebServer({ listen: settings.listen, routes, log, clock: systemClock });
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      log.write('cannot-listen', error.message);
      return EXIT.failed;
    }
  }
  const where = server === undefined ? {} : { listen: hostPort(server.address) };
  log.write('started', `kube-register ${VERSION} has started`, { version: VERSION, nodejs: nodeVersion, ...where });
  signals.onPassWanted(() => daemon.requestPass());
  daemon.start();

  await signals.stopped;
  const inTime = await endsInTime(Promise.all([daemon.stop(), server?.close()]));
  if (inTime) log.write('stopped', 'kube-register has stopped');
  else log.write('stopped-late', 'kube-register ends, though what was under way has not: it is given up');
  return EXIT.done;
}

/** Waits for the end, but not longer than a stop may take; whether it came. */
async function endsInTime(ending: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), STOP_MS);
  });
  const ended = await Promise.race([ending.then(() => true), deadline]);
  clearTimeout(timer);
  return ended;
}
