/** Runs one command and gives its exit code: what is asked, printed, and done at the end. */
import { setTimeout as pause } from 'node:timers/promises';
import { CredentialError } from '../credentials/credential-error.ts';
import type { Signals } from '../daemon/signals.ts';
import type { Settings } from '../settings/settings.ts';
import type { Status } from '../status/document.ts';
import { plural } from '../text/plural.ts';
import { quote } from '../text/quote.ts';
import type { Asked, SettingsCommand } from './cli/command.ts';
import { explainText, rowsAbout } from './explain.ts';
import { planDocument, planText } from './plan.ts';
import { statusText } from './status.ts';
import { openObserver, openSource, StatusError, type StatusSource } from './status-source.ts';
import { OutputError, type Terminal } from './terminal.ts';

/** `todo`: the plan has steps. */
const EXIT = { done: 0, failed: 1, todo: 3 } as const;
/** How often a daemon that is watched is asked whether it has made another pass. */
const WATCH_EVERY_MS = 2_000;

export interface CommandOptions {
  readonly terminal: Terminal;
  readonly signals: Signals;
}

/** Never rejects because of a server, a file or a reader: what is wrong is said on the standard error. */
export async function runCommand(
  command: Exclude<SettingsCommand, { readonly name: 'check' }>,
  settings: Settings,
  { terminal, signals }: CommandOptions,
): Promise<number> {
  const stop = new AbortController();
  void signals.stopped.then(() => stop.abort(new StatusError('interrupted')));
  try {
    return command.name === 'plan'
      ? await showPlan(command, settings, terminal, stop.signal)
      : await showSeen(command, settings, terminal, stop.signal);
  } catch (error) {
    if (!(error instanceof StatusError || error instanceof CredentialError || error instanceof OutputError))
      throw error;
    // As `| head` does it once it has seen enough.
    if (error instanceof OutputError && error.readerHasGone) return EXIT.done;
    const problems = error instanceof StatusError ? error.problems : [error.message];
    for (const problem of problems) terminal.note(`kube-register ${command.name}: ${problem}`);
    return EXIT.failed;
  }
}

/** Machines at one address, or nodes that name one machine, are few; more than that is a beginning that many have. */
const MOST_EXPLAINED = 5;
const OBSERVING = 'observing fleet, kubelets and Kubernetes';

/** The commands that a daemon can answer as well as we can. */
async function showSeen(
  command: Asked<'status' | 'explain'>,
  settings: Settings,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const source = await terminal.whileAtWork(OBSERVING, openSource(settings, command.daemon, signal));
  try {
    if (command.name === 'status') await showStatus(command, source, terminal, signal);
    else await explain(command, source, terminal);
    return EXIT.done;
  } finally {
    source.close();
  }
}

async function showStatus(
  { output, watch }: Asked<'status'>,
  source: StatusSource,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const print = (status: Status) =>
    output === 'text'
      ? terminal.print(statusText(status, source.origin, terminal))
      : terminal.printJson(status, watch ? undefined : 2);
  if (!watch) return print(await terminal.whileAtWork(OBSERVING, source.read()));
  await watchStatus(source, { terminal, signal }, async (status) => {
    if (output === 'text' && terminal.isWatched) terminal.clear();
    await print(status);
  });
}

/** Prints after each pass, until the signal. While the daemon is unreachable it tries again: fleet may move or restart it. */
async function watchStatus(
  { origin, read }: StatusSource,
  { terminal, signal }: { terminal: Terminal; signal: AbortSignal },
  print: (status: Status) => Promise<void>,
): Promise<void> {
  let shown: string | undefined;
  let problem: string | undefined;
  let intervalMs = WATCH_EVERY_MS;
  while (!signal.aborted) {
    try {
      const status = await terminal.whileAtWork(OBSERVING, read());
      const version = `${status.startedAt} ${status.pass.number} ${status.pass.running}`;
      if (version !== shown) await print(status);
      shown = version;
      problem = undefined;
      if (!('daemon' in origin)) intervalMs = status.rules.intervalMs;
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      if (error.message !== problem && !signal.aborted) terminal.note(`${error.message}; trying again`);
      problem = error.message;
    }
    await pause(intervalMs, undefined, { signal }).catch(() => {});
  }
}

async function explain({ output, subject }: Asked<'explain'>, source: StatusSource, terminal: Terminal): Promise<void> {
  const status = await terminal.whileAtWork(OBSERVING, source.read());
  const rows = rowsAbout(status, subject);
  if (rows.length === 0) {
    const { machines, nodes } = status;
    throw new StatusError(
      `no machine or node matches ${quote(subject)} (${plural(machines.length, 'machine')}, ${plural(nodes.length, 'node')}): give a machine ID, its first characters, a node name or an address`,
    );
  }
  if (rows.length > MOST_EXPLAINED) {
    const some = rows.slice(0, 3).map(({ machine, node }) => machine?.id ?? node?.name);
    throw new StatusError(
      `${quote(subject)} matches ${rows.length} machines and nodes, such as ${some.join(', ')}: give more characters`,
    );
  }
  if (output === 'json') {
    const told = rows.map(({ machine, node }) => ({ machine: machine ?? null, node: node ?? null }));
    await terminal.printJson(told, 2);
  } else await terminal.print(rows.map((row) => explainText(row, status, terminal)).join('\n\n'));
}

async function showPlan(
  { output }: Asked<'plan'>,
  settings: Settings,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const observer = await openObserver(settings, signal);
  try {
    const { status, report } = await terminal.whileAtWork(OBSERVING, observer.observe());
    if (report.seen === undefined) throw new StatusError('nothing was observed');
    const plan = planDocument(report.seen, status);
    await (output === 'json' ? terminal.printJson(plan, 2) : terminal.print(planText(plan, terminal)));
    return plan.steps.length > 0 ? EXIT.todo : EXIT.done;
  } finally {
    observer.close();
  }
}
