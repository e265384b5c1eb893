/** Runs status, explain or plan: from whom it reads, what it prints, and its exit code. */
import { CredentialError } from '../credentials/credential-error.ts';
import type { Signals } from '../daemon/signals.ts';
import { kubectlFileNote } from '../settings/api-server.ts';
import type { Settings } from '../settings/settings.ts';
import type { Asked, SettingsCommand } from './cli/command.ts';
import { showExplanation } from './explain.ts';
import { showPlan } from './plan.ts';
import { OBSERVING, type ShowOptions, showStatus } from './status/show.ts';
import { openSource, StatusError } from './status-source.ts';
import type { Terminal } from './terminal/terminal.ts';

/** `todo`: the plan has steps. `noDaemon`: what was printed is an observation, for no daemon was found on this machine. */
const EXIT = { done: 0, failed: 1, todo: 3, noDaemon: 4 } as const;

export interface CommandOptions {
  readonly terminal: Terminal;
  readonly signals: Signals;
}

/** Never rejects because of a server or a file: what is wrong is said on the standard error. Throws OutputError. */
export async function runShow(
  command: Exclude<SettingsCommand, { readonly name: 'check' }>,
  settings: Settings,
  { terminal, signals }: CommandOptions,
): Promise<number> {
  const stop = new AbortController();
  void signals.stopped.then(() => stop.abort(new StatusError('interrupted')));
  const options = { terminal, signal: stop.signal };
  try {
    if (command.name !== 'plan') return await showSeen(command, settings, options);
    noteAccess(command, settings, terminal);
    return (await showPlan(command, settings, options)) ? EXIT.todo : EXIT.done;
  } catch (error) {
    if (!(error instanceof StatusError || error instanceof CredentialError)) throw error;
    const problems = error instanceof StatusError ? error.problems : [error.message];
    for (const problem of problems) terminal.note(`kube-register ${command.name}: ${problem}`);
    return EXIT.failed;
  }
}

/** Says where the API server comes from, where no setting names it. */
function noteAccess({ name }: SettingsCommand, { api }: Settings, terminal: Terminal): void {
  const note = kubectlFileNote(api);
  if (note !== undefined) terminal.note(`kube-register ${name}: ${note}`);
}

/** The commands that a daemon can answer as well as we can. */
async function showSeen(
  command: Asked<'status' | 'explain'>,
  settings: Settings,
  options: ShowOptions,
): Promise<number> {
  const source = await options.terminal.whileAtWork(OBSERVING, openSource(settings, command.daemon, options.signal));
  try {
    if ('withoutDaemon' in source.origin) noteAccess(command, settings, options.terminal);
    if (command.name === 'status') await showStatus(command, source, options);
    else await showExplanation(command, source, options);
    return 'daemon' in source.origin ? EXIT.done : EXIT.noDaemon;
  } finally {
    source.close();
  }
}
