/** Where a command reads the status: from a running daemon, else from one pass of its own that changes nothing. */
import { type Assembly, assemble } from '../daemon/assemble.ts';
import { VERSION } from '../daemon/version.ts';
import { GetError } from '../http/get-text.ts';
import { logOf } from '../log/log-events.ts';
import { createLogger } from '../log/logger.ts';
import type { PassReport } from '../reconcile/reconciler.ts';
import type { Settings } from '../settings/settings.ts';
import { type Status, statusDocument } from '../status/document.ts';
import { systemClock } from '../time/clock.ts';
import { getFromDaemon } from '../web/find-daemons.ts';
import { hostPort, seenFromHere } from '../web/listen.ts';
import { FIND_DAEMON, type Origin } from './status/head.ts';
import { asObserved } from './status/observed.ts';

/** A status could not be had; each problem names who was asked, what came of it, and what to check. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly problems: readonly string[];

  constructor(...problems: readonly string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

export interface StatusSource {
  readonly origin: Origin;
  /** Throws StatusError. */
  read(): Promise<Status>;
  close(): void;
}

const DAEMON_TIMEOUT_MS = 30_000;

/**
 * `asked` is the URL of a daemon that has to be the one. Without it the daemon that KUBE_REGISTER_LISTEN names on this machine is
 * asked, if there is one. Throws StatusError and CredentialError.
 */
export async function openSource(
  settings: Settings,
  asked: string | undefined,
  signal: AbortSignal,
): Promise<StatusSource> {
  const daemon = asked ?? daemonHere(settings);
  if (daemon !== undefined) {
    const first = await askDaemon(daemon, signal);
    if (first !== undefined) return sourceOf(daemon, first, signal);
    if (asked !== undefined)
      throw new StatusError(
        `GET ${daemon}/status: the connection was refused: is kube-register running there? check --daemon`,
      );
  }
  const own = await openObserver(settings, signal);
  const withoutDaemon =
    daemon === undefined
      ? 'No daemon was asked: KUBE_REGISTER_LISTEN has no fixed port, so it is not known whether one registers and deregisters nodes'
      : `No daemon answers at ${daemon}: unless one runs on another machine, no node is registered or deregistered`;
  const read = async () => {
    try {
      return asObserved((await own.observe()).status);
    } catch (error) {
      if (!(error instanceof StatusError) || signal.aborted) throw error;
      throw new StatusError(`${withoutDaemon} (${FIND_DAEMON}); observing from here failed too`, ...error.problems);
    }
  };
  return { origin: { withoutDaemon }, read, close: own.close };
}

/** The status of a daemon, and its URL, which is https where it has TLS. */
interface Seen {
  readonly status: Status;
  readonly daemon: string;
}

/** The first status is not requested twice. */
function sourceOf(daemon: string, first: Seen, signal: AbortSignal): StatusSource {
  let waiting: Seen | undefined = first;
  return {
    origin: { daemon: first.daemon },
    read: async () => {
      const seen = waiting ?? (await askDaemon(daemon, signal));
      waiting = undefined;
      if (seen === undefined)
        throw new StatusError(`GET ${daemon}/status: the connection was refused: the daemon has stopped`);
      return seen.status;
    },
    close: () => {},
  };
}

/** The URL of the daemon that these settings make listen on this machine. */
function daemonHere({ listen }: Settings): string | undefined {
  return listen === 'off' || listen.port === 0 ? undefined : `http://${hostPort(seenFromHere(listen))}`;
}

/** The status of the daemon at this URL; undefined when nothing listens there. Throws StatusError. */
async function askDaemon(daemon: string, signal: AbortSignal): Promise<Seen | undefined> {
  const place = daemon.replace('http://', '');
  try {
    const { url, status, body } = await getFromDaemon(place, '/status', DAEMON_TIMEOUT_MS, signal);
    if (status === 401 || status === 403) throw new StatusError(`GET ${url}: ${deniedSentence(status, place, url)}`);
    if (status !== 200) throw new StatusError(`GET ${url}: answered ${status}: is this kube-register?`);
    return { status: readStatus(url, body), daemon: url.replace(/\/status$/, '') };
  } catch (error) {
    if (!(error instanceof GetError)) throw error;
    if (error.refused) return undefined;
    throw new StatusError(`GET ${daemon}/status: ${error.message}`);
  }
}

/** Commands have no passwords and no certificates: on the machine of the daemon they need none. */
function deniedSentence(status: 401 | 403, place: string, url: string): string {
  const { name = '', port = '' } = /^\[?(?<name>.*?)\]?:(?<port>\d+)$/.exec(place)?.groups ?? {};
  if (status === 401 && /^(localhost|127\.[\d.]+|::1)$/.test(name))
    return `401: the daemon asks everyone for a login (KUBE_REGISTER_STATUS_ACCESS=login), and this command has none; log in on the page, ${url.replace(/status$/, '')}, or with curl -u USER ${url}`;
  const advice = `run this command there: ssh ${name} kube-register status; or through a tunnel: ssh -N -L ${port}:127.0.0.1:${port} ${name}`;
  return status === 403
    ? `403: the daemon shows its status only to clients on its own machine; ${advice}`
    : `401: the daemon asks for a login, which it does not on its own machine, unless KUBE_REGISTER_STATUS_ACCESS=login; ${advice}`;
}

function readStatus(url: string, body: string): Status {
  let read: unknown;
  try {
    read = JSON.parse(body);
  } catch {
    throw new StatusError(`GET ${url}: the response is not JSON: is this kube-register?`);
  }
  const parsed = statusDocument.safeParse(read);
  if (parsed.success) return parsed.data;
  throw new StatusError(
    `GET ${url}: this is not the status of kube-register ${VERSION}: another program or version runs there`,
  );
}

/** The status of one pass, and the report with its plan. */
interface OnePass {
  readonly status: Status;
  readonly report: PassReport;
}

export interface Observer {
  /** Throws StatusError when fleet or Kubernetes did not answer completely, and when the signal came. */
  observe(): Promise<OnePass>;
  close(): void;
}

/** Observes and plans as the daemon would, in a dry run and without a word in the log. Throws CredentialError. */
export async function openObserver(settings: Settings, signal: AbortSignal): Promise<Observer> {
  // Not ONCE, which never deregisters: the plan is to be that of the daemon.
  const harmless: Settings = { ...settings, dryRun: true, once: false, events: false, listen: 'off' };
  const log = logOf(await createLogger({ level: 'silent', format: 'json' }));
  const { daemon, close }: Assembly = await assemble(harmless, { log, clock: systemClock, version: VERSION });
  signal.addEventListener('abort', () => void daemon.stop(), { once: true });
  return {
    observe: async () => {
      // The signal may have come before there was a daemon to stop.
      signal.throwIfAborted();
      const report = await daemon.runOnce();
      if (report.stopped) throw new StatusError('interrupted');
      if (report.failures.size > 0) throw new StatusError(...report.failures.values());
      return { status: daemon.status(), report };
    },
    close,
  };
}
