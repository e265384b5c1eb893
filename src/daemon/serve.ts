/** Runs the daemon as a process: until a signal, or for one pass. */

import { CredentialError } from '../credentials/credential-error.ts';
import type { Log } from '../log/log-events.ts';
import type { Settings } from '../settings/settings.ts';
import { systemClock } from '../time/clock.ts';
import { hostPort, ListenError } from '../web/listen.ts';
import type { WebServer } from '../web/server.ts';
import { type Assembly, assemble } from './assemble.ts';
import { listenProblem, serveWeb } from './serve-web.ts';
import type { Signals } from './signals.ts';
import { VERSION } from './version.ts';

/** 0: stopped or done; 1: failed. */
const EXIT = { done: 0, failed: 1 } as const;
/** How long stopping may take before the process exits anyway: a little less than the documented 5 s. */
const STOP_MS = 4_800;

export interface Process {
  readonly log: Log;
  readonly signals: Signals;
  /** The version of Node, for the log. */
  readonly nodeVersion: string;
}

/** Runs the daemon and resolves with the exit code. */
export async function serve(settings: Settings, { log, signals, nodeVersion }: Process): Promise<number> {
  void signals.stopped.then((signal) => log.write('stopping', `${signal}: stopping; a second signal exits at once`));
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
  const message = `kube-register ${VERSION} runs one pass and does not listen (KUBE_REGISTER_ONCE)`;
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
  assembly: Assembly,
  { log, signals, nodeVersion }: Process,
): Promise<number> {
  const { daemon } = assembly;
  let server: WebServer | undefined;
  try {
    server = await serveWeb(settings, assembly, log);
  } catch (error) {
    if (error instanceof CredentialError) log.write('credentials-unusable', error.message);
    else if (error instanceof ListenError) log.write('cannot-listen', await listenProblem(settings, error, signals));
    else throw error;
    return EXIT.failed;
  }
  const where = server === undefined ? {} : { listen: hostPort(server.address) };
  log.write('started', `kube-register ${VERSION} has started`, { version: VERSION, nodejs: nodeVersion, ...where });
  signals.onPassRequested(() => daemon.requestPass());
  daemon.start();

  await signals.stopped;
  const inTime = await endsInTime(Promise.all([daemon.stop(), server?.close()]));
  if (inTime) log.write('stopped', 'kube-register has stopped');
  else log.write('stopped-late', 'kube-register stops and gives up what is unfinished');
  return EXIT.done;
}

/** Waits until it has ended, but no longer than stopping may take. Resolves with whether it has. */
async function endsInTime(ending: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), STOP_MS);
  });
  const ended = await Promise.race([ending.then(() => true), deadline]);
  clearTimeout(timer);
  return ended;
}
