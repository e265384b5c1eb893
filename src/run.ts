/** The program from its arguments to its exit code: settings, parts, signals, and the end. */
import { existsSync } from 'node:fs';
import { type Assembly, assemble } from './assemble.ts';
import { systemClock } from './clock.ts';
import { CredentialError } from './credential-error.ts';
import { liveInUtc } from './schedule.ts';
import { readSettings, type Settings } from './settings/settings.ts';
import type { Signals } from './signals.ts';
import { type Log, logOf } from './telemetry/log-events.ts';
import { createLogger } from './telemetry/logger.ts';
import { ListenError, placeOf, startWebServer, type WebServer } from './telemetry/web-server.ts';
import { VERSION } from './version.ts';

/** Stopped, or done; failed; settings that cannot be used. */
const EXIT = { done: 0, failed: 1, badSettings: 2 } as const;
/** How long a stop may take before the process ends all the same: a little less than the 5 s that are promised. */
const STOP_MS = 4_800;

/** Runs kube-register for a process and resolves with its exit code. */
export async function run(host: NodeJS.Process, signals: Signals): Promise<number> {
  liveInUtc(host.env);
  const invocation = readSettings(host.argv.slice(2), host.env, existsSync);
  switch (invocation.kind) {
    case 'help':
      return say(invocation.text.trimEnd(), host);
    case 'version':
      return say(`kube-register ${VERSION}`, host);
    case 'mistakes':
      host.stderr.write(`${invocation.lines.join('\n')}\n`);
      return EXIT.badSettings;
    case 'run': {
      const { settings, warnings } = invocation;
      const noColor = (host.env['NO_COLOR'] ?? '') !== '';
      const log = logOf(await createLogger({ level: settings.logLevel, format: settings.logFormat, noColor }));
      for (const warning of warnings) log.say('setting-regretted', warning);
      return runWith(settings, log, { host, signals });
    }
  }
}

/** Resolves with the exit code once the text is written, or is known not to be. */
function say(text: string, { stdout, stderr }: NodeJS.Process): Promise<number> {
  return new Promise((resolve) => {
    // Without a listener the error would be thrown once more, and end the process with its stack.
    stdout.once('error', (error: NodeJS.ErrnoException) => {
      stderr.write(`kube-register: nothing can be written to the standard output (${error.code ?? error.message})\n`);
      resolve(EXIT.failed);
    });
    stdout.write(`${text}\n`, (error) => {
      if (!error) resolve(EXIT.done);
    });
  });
}

async function runWith(
  settings: Settings,
  log: Log,
  { host, signals }: { host: NodeJS.Process; signals: Signals },
): Promise<number> {
  void signals.stopped.then((signal) => log.say('stopping', `${signal}: stopping; a second signal ends it at once`));
  let assembly: Assembly;
  try {
    assembly = await assemble(settings, { log, clock: systemClock, version: VERSION });
  } catch (error) {
    if (!(error instanceof CredentialError)) throw error;
    log.say('credentials-unusable', error.message);
    return EXIT.failed;
  }
  try {
    return settings.once
      ? await runOnce(assembly, signals, log)
      : await runDaemon(settings, assembly, signals, { log, host });
  } finally {
    assembly.close();
  }
}

async function runOnce({ daemon }: Assembly, { stopped }: Signals, log: Log): Promise<number> {
  const message = `kube-register ${VERSION} makes one pass; it does not listen (KUBE_REGISTER_ONCE)`;
  log.say('started', message, { version: VERSION });
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
  signals: Signals,
  { log, host }: { log: Log; host: NodeJS.Process },
): Promise<number> {
  let server: WebServer | undefined;
  if (settings.listen !== 'off') {
    const routes = {
      metrics: () => metrics.exposition(),
      healthz: () => daemon.healthz(),
      readyz: () => daemon.readyz(),
      status: () => daemon.status(),
    };
    try {
      server = await startWebServer({ listen: settings.listen, routes, log });
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      log.say('cannot-listen', error.message);
      return EXIT.failed;
    }
  }
  const where = server === undefined ? {} : { listen: placeOf(server.address) };
  log.say('started', `kube-register ${VERSION} has started`, { version: VERSION, node: host.version, ...where });
  signals.onPassWanted(() => daemon.requestPass());
  daemon.start();

  await signals.stopped;
  const inTime = await endsInTime(Promise.all([daemon.stop(), server?.close()]));
  if (inTime) log.say('stopped', 'kube-register has stopped');
  else log.say('stopped-late', 'kube-register ends, though what was under way has not: it is given up');
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
