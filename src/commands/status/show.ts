/** `kube-register status`: reads the status, filters it, and prints it in the wanted form, once or after each pass. */

import { setTimeout as pause } from 'node:timers/promises';
import { MACHINE_VERDICTS, NODE_VERDICTS } from '../../reconcile/plan/verdict.ts';
import type { Status } from '../../status/document.ts';
import { namesLike, SHORTEST_PREFIX } from '../../status/find.ts';
import { overviewOf } from '../../status/overview.ts';
import { plural } from '../../text/plural.ts';
import { quote } from '../../text/quote.ts';
import type { Asked } from '../cli/command.ts';
import { StatusError, type StatusSource } from '../status-source.ts';
import { Screen } from '../terminal/screen.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { type ShownRows, shownRows, statusOf } from './filter.ts';
import { statusLines } from './status.ts';

type StatusCommand = Asked<'status'>;

/** What a command needs beside its flags. */
export interface ShowOptions {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** What the progress line of a command says. */
export const OBSERVING = 'observing fleet, kubelets and Kubernetes';
/** How often a daemon that is watched is asked whether it has made another pass. */
const WATCH_EVERY_MS = 2_000;

/** Throws StatusError where a name of the command is unknown, too. */
export async function showStatus(command: StatusCommand, source: StatusSource, options: ShowOptions): Promise<void> {
  const { terminal } = options;
  if (command.watch) return watchStatus(command, source, options);
  const status = await terminal.whileAtWork(OBSERVING, source.read());
  const shown = shownRows(status, command);
  if (shown.unknown.length > 0) throw new StatusError(...shown.unknown.map((name) => unknownText(status, name)));
  const { size } = terminal;
  // The prompt of the shell takes the last line.
  const window = size === undefined || command.output === 'wide' ? undefined : { ...size, rows: size.rows - 1 };
  await printStatus(command, { source, status, shown, window }, terminal);
}

/** `no machine or node matches "x"`, with what is like it, or why nothing is known. */
export function unknownText(status: Status, name: string): string {
  const { machines, nodes, counts } = status;
  const what = `no machine or node matches ${quote(name)}`;
  if (counts === null) {
    const why = Object.values(status.pass.last?.failures ?? {})[0] ?? 'the first pass has not ended';
    return `${what}: no pass has succeeded yet, so nothing is known; ${why}`;
  }
  if (isVerdict(name)) return `${what}; it is a verdict: kube-register status --verdict ${name}`;
  const gone = status.history.find(
    ({ kind, result, node, machine }) => kind === 'deregister' && result === 'done' && [node, machine].includes(name),
  );
  if (gone !== undefined) return `${what}: node ${gone.node} was deregistered at ${gone.at}: ${gone.reason}`;
  const near = namesLike(overviewOf(status), name);
  if (near.length > 0) return `${what}; did you mean ${near.map((each) => quote(each).slice(1, -1)).join(', ')}?`;
  return `${what} (${plural(machines.length, 'machine')}, ${plural(nodes.length, 'node')}): give a machine ID or at least its first ${SHORTEST_PREFIX} characters, a node name or an address`;
}

function isVerdict(word: string): boolean {
  return [...MACHINE_VERDICTS, ...NODE_VERDICTS].some((verdict) => verdict === word);
}

interface Printed {
  readonly source: StatusSource;
  readonly status: Status;
  readonly shown: ShownRows;
  readonly window: Terminal['size'];
}

async function printStatus(
  command: StatusCommand,
  { source, status, shown, window }: Printed,
  terminal: Terminal,
): Promise<void> {
  const { output, watch } = command;
  switch (output) {
    case 'json':
      return terminal.printJson(statusOf(status, shown.rows), watch ? undefined : 2);
    case 'yaml':
      return terminal.printYaml(statusOf(status, shown.rows));
    case 'name': {
      const names = new Set(shown.rows.map(({ machine, node }) => node?.name ?? machine?.id ?? ''));
      return names.size === 0 ? undefined : terminal.print([...names].map((name) => terminal.plain(name)).join('\n'));
    }
    case 'text':
    case 'wide': {
      const view = { shown, filter: command, isWide: output === 'wide', window };
      return terminal.print(statusLines(status, source.origin, view, terminal).join('\n'));
    }
  }
}

/** Shows each pass, until the signal. While the daemon is unreachable it tries again: fleet may move or restart it. */
async function watchStatus(command: StatusCommand, source: StatusSource, options: ShowOptions): Promise<void> {
  const { terminal } = options;
  const isText = command.output === 'text' || command.output === 'wide';
  const watcher = isText && terminal.canDraw ? drawing(command, source, terminal) : printing(command, source, terminal);
  try {
    await follow(source, options, watcher);
  } finally {
    watcher.close();
  }
}

/** Whoever is shown each status that is read, and each problem. */
interface Watcher {
  show(status: Status): Promise<void> | void;
  complain(problem: string): void;
  close(): void;
}

async function follow(
  { origin, read }: StatusSource,
  { signal, terminal }: ShowOptions,
  watcher: Watcher,
): Promise<void> {
  let intervalMs = WATCH_EVERY_MS;
  while (!signal.aborted && terminal.hasReader) {
    try {
      const status = await read();
      await watcher.show(status);
      if (!('daemon' in origin)) intervalMs = status.rules.intervalMs;
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      if (!signal.aborted) watcher.complain(`${error.message}; trying again`);
    }
    await pause(intervalMs, undefined, { signal }).catch(() => {});
  }
}

/** Prints each pass once, one below the other. */
function printing(command: StatusCommand, source: StatusSource, terminal: Terminal): Watcher {
  let printed: string | undefined;
  let problem: string | undefined;
  return {
    show: async (status) => {
      const version = `${status.startedAt} ${status.pass.number} ${status.pass.running}`;
      if (version !== printed) {
        const shown = shownRows(status, command);
        await printStatus(command, { source, status, shown, window: undefined }, terminal);
      }
      printed = version;
      problem = undefined;
    },
    complain: (text) => {
      if (text !== problem) terminal.note(text);
      problem = text;
    },
    close: () => {},
  };
}

/** Draws the last status in place, again when the window changes. */
function drawing(command: StatusCommand, source: StatusSource, terminal: Terminal): Watcher {
  const screen = new Screen(terminal);
  let last: Status | undefined;
  let problem: string | undefined;
  const draw = () => {
    const window = terminal.size;
    if (window === undefined) return;
    if (last === undefined) return screen.draw([terminal.paint({ text: problem ?? OBSERVING, style: 'watch' })]);
    const shown = shownRows(last, command);
    const seen = problem === undefined ? {} : { problem: `${problem}. Below is the status of ${last.now}.` };
    const view = { shown, filter: command, isWide: command.output === 'wide', window, ...seen };
    screen.draw(statusLines(last, source.origin, view, terminal).slice(0, window.rows));
  };
  const stopListening = terminal.onResize(draw);
  draw();
  return {
    show: (status) => {
      last = status;
      problem = undefined;
      draw();
    },
    complain: (text) => {
      problem = text;
      draw();
    },
    close: () => {
      stopListening();
      screen.close();
    },
  };
}
