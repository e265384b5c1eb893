/** The commands that a person types, each from its arguments to its exit code. The daemon does not load them. */
import { existsSync } from 'node:fs';
import type { Signals } from '../daemon/signals.ts';
import { VERSION } from '../daemon/version.ts';
import { readSettings } from '../settings/settings.ts';
import { runCheck } from './check/run-check.ts';
import { placed, readUnit, UnitError, type UnitSettings } from './check/unit.ts';
import type { Asked, Command, SettingsCommand } from './cli/command.ts';
import type { CommandLine } from './cli/command-line.ts';
import { completionScript } from './cli/completion.ts';
import { helpText } from './cli/help.ts';
import { manifestsText } from './cli/manifests.ts';
import { runCommand } from './run-command.ts';
import { OutputError, Terminal } from './terminal.ts';

const EXIT = { done: 0, failed: 1, badSettings: 2 } as const;

type TypedCommand = Exclude<Command, { readonly name: 'daemon' }>;
type TextCommand = Exclude<TypedCommand, SettingsCommand>;

/** Runs a command and resolves with its exit code. */
export async function runTyped(
  command: TypedCommand,
  { rest, mistakes }: Omit<CommandLine, 'command'>,
  host: NodeJS.Process,
  signals: Signals,
): Promise<number> {
  const terminal = new Terminal(host);
  // A wrong setting in the environment must not keep a person from reading help.
  if (takesNoSettings(command)) return mistakes.length > 0 ? refuse(mistakes, host) : printText(command, terminal);
  if (command.name === 'check' && command.unit !== undefined) {
    return checkUnit({ ...command, unit: command.unit }, { rest, mistakes }, host, signals);
  }
  const reading = { reader: 'person', earlierMistakes: mistakes } as const;
  const invocation = readSettings(rest, host.env, existsSync, reading);
  if (invocation.kind === 'mistakes') return refuse(invocation.lines, host);
  if (command.name === 'check') return runCheck(invocation, { terminal, signals, output: command.output });
  return runCommand(command, invocation.settings, { terminal, signals });
}

/** Prints mistakes, one line each. */
function refuse(mistakes: readonly string[], { stderr }: NodeJS.Process): number {
  stderr.write(`${mistakes.join('\n')}\n`);
  return EXIT.badSettings;
}

function takesNoSettings(command: TypedCommand): command is TextCommand {
  return !['check', 'status', 'explain', 'plan'].includes(command.name);
}

/** Checks with the settings of a unit, in its environment and not in that of this process. */
async function checkUnit(
  { unit: path, output }: Asked<'check'> & { readonly unit: string },
  { rest, mistakes }: Omit<CommandLine, 'command'>,
  host: NodeJS.Process,
  signals: Signals,
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
    const lines = invocation.lines.map((line) => placed(line, unit));
    return refuse(lines, host);
  }
  return runCheck({ ...invocation, unit }, { terminal: new Terminal(host), signals, output });
}

async function printText(command: TextCommand, terminal: Terminal): Promise<number> {
  switch (command.name) {
    case 'version':
      return say(`kube-register ${VERSION}`, terminal);
    case 'help':
      return say(helpText(command.topic), terminal);
    case 'manifests':
      return say(await manifestsText(command.manifests), terminal);
    case 'completion':
      return say(completionScript(command.shell), terminal);
  }
}

/** Resolves with the exit code once the text is written, or is known not to be. */
async function say(text: string, terminal: Terminal): Promise<number> {
  try {
    await terminal.print(text);
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    if (error.readerHasGone) return EXIT.done;
    terminal.note(`kube-register: ${error.message}`);
    return EXIT.failed;
  }
}
