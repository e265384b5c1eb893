/** Runs any command but the daemon, from its arguments to its exit code. The daemon does not load this. */
import { existsSync } from 'node:fs';
import type { Signals } from '../daemon/signals.ts';
import { VERSION } from '../daemon/version.ts';
import { readSettings } from '../settings/settings.ts';
import { runCheck } from './check/run-check.ts';
import { placed, readUnit, UnitError, type UnitSettings } from './check/unit.ts';
import type { Asked, Command, SettingsCommand } from './cli/command.ts';
import type { CommandLine } from './cli/command-line.ts';
import { commandRow } from './cli/commands.ts';
import { completionScript } from './cli/completion.ts';
import { helpText } from './cli/help.ts';
import { manifestsText } from './cli/manifests.ts';
import { runShow } from './run-show.ts';
import { OutputError, Terminal } from './terminal/terminal.ts';

const EXIT = { done: 0, failed: 1, badSettings: 2 } as const;

type NamedCommand = Exclude<Command, { readonly name: 'daemon' }>;
type TextCommand = Exclude<NamedCommand, SettingsCommand>;
type Line = Omit<CommandLine, 'command'>;

interface Surroundings {
  readonly host: NodeJS.Process;
  readonly terminal: Terminal;
  readonly signals: Signals;
}

/** Runs a command and resolves with its exit code. */
export async function runCommand(
  command: NamedCommand,
  line: Line,
  host: NodeJS.Process,
  signals: Signals,
): Promise<number> {
  const terminal = new Terminal(host);
  try {
    return await perform(command, line, { host, terminal, signals });
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    terminal.note(`kube-register ${command.name}: ${error.message}`);
    return EXIT.failed;
  }
}

async function perform(command: NamedCommand, line: Line, around: Surroundings): Promise<number> {
  const { rest, mistakes } = line;
  const { host, terminal, signals } = around;
  // A wrong setting in the environment must not keep a person from reading help.
  if (takesNoSettings(command)) {
    if (mistakes.length > 0) return refuse(mistakes, host);
    await terminal.print(await textOf(command));
    return EXIT.done;
  }
  if (command.name === 'check' && command.unit !== undefined) {
    return checkUnit({ ...command, unit: command.unit }, line, around);
  }
  const reading = { reader: 'person', earlierMistakes: mistakes } as const;
  const invocation = readSettings(rest, host.env, existsSync, reading);
  if (invocation.kind === 'mistakes') return refuse(invocation.lines, host);
  if (command.name === 'check') return runCheck(invocation, { terminal, signals, output: command.output });
  return runShow(command, invocation.settings, { terminal, signals });
}

/** Prints mistakes, one line each. */
function refuse(mistakes: readonly string[], { stderr }: NodeJS.Process): number {
  stderr.write(`${mistakes.join('\n')}\n`);
  return EXIT.badSettings;
}

function takesNoSettings(command: NamedCommand): command is TextCommand {
  return command.name === 'version' || !commandRow(command.name).takesSettings;
}

/** Checks with the settings of a unit, in its environment and not in that of this process. */
async function checkUnit(
  { unit: path, output }: Asked<'check'> & { readonly unit: string },
  { rest, mistakes }: Line,
  { host, terminal, signals }: Surroundings,
): Promise<number> {
  let unit: UnitSettings;
  try {
    unit = readUnit(path);
  } catch (error) {
    if (error instanceof UnitError) return refuse([...mistakes, error.message], host);
    throw error;
  }
  const invocation = readSettings([...unit.flags, ...rest], unit.env, existsSync, { earlierMistakes: mistakes });
  if (invocation.kind === 'mistakes') {
    const lines = invocation.lines.map((each) => placed(each, unit));
    return refuse(lines, host);
  }
  return runCheck({ ...invocation, unit }, { terminal, signals, output });
}

async function textOf(command: TextCommand): Promise<string> {
  switch (command.name) {
    case 'version':
      return `kube-register ${VERSION}`;
    case 'help':
      return helpText(command.topic);
    case 'manifests':
      return manifestsText(command.manifests);
    case 'completion':
      return completionScript(command.shell);
  }
}
