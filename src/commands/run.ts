/** The program from its arguments to its exit code: what is asked for, with which settings, and who does it. */
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { useUtc } from '../daemon/schedule.ts';
import { serve } from '../daemon/serve.ts';
import type { Signals } from '../daemon/signals.ts';
import { VERSION } from '../daemon/version.ts';
import { logOf } from '../log/log-events.ts';
import { createLogger } from '../log/logger.ts';
import { type Invocation, readSettings } from '../settings/settings.ts';
import { runCheck } from './check/run-check.ts';
import { placed, readUnit, UnitError, type UnitSettings } from './check/unit.ts';
import type { Asked, Command, SettingsCommand } from './cli/command.ts';
import { readCommandLine } from './cli/command-line.ts';
import { completionScript } from './cli/completion.ts';
import { helpText } from './cli/help.ts';
import { manifestsText } from './cli/manifests.ts';
import { runCommand } from './run-command.ts';
import { OutputError, Terminal } from './terminal.ts';

/** Stopped, or done; failed; settings that cannot be used. */
const EXIT = { done: 0, failed: 1, badSettings: 2 } as const;

/** Runs kube-register for a process and resolves with its exit code. */
export async function run(host: NodeJS.Process, signals: Signals): Promise<number> {
  useUtc(host.env);
  const terminal = new Terminal(host);
  const { command, rest, mistakes } = readCommandLine(host.argv.slice(2));
  if (takesNoSettings(command)) return mistakes.length > 0 ? refuse(mistakes, host) : printText(command, terminal);
  if (command.name === 'check' && command.unit !== undefined) return checkUnit(command, rest, mistakes, host, signals);
  const invocation = readSettings(rest, host.env, existsSync, {
    reader: command.name === 'daemon' ? 'daemon' : 'person',
    earlierMistakes: mistakes,
  });
  if (invocation.kind === 'mistakes') return refuse(invocation.lines, host);
  if (command.name === 'check') return runCheck(invocation, { terminal, signals, output: command.output });
  if (command.name !== 'daemon') return runCommand(command, invocation.settings, { terminal, signals });
  return runDaemon(invocation, host, signals);
}

/** Checks with the settings of a unit, in its environment and not in that of this process. */
async function checkUnit(
  { unit: path = '', output }: Asked<'check'>,
  rest: readonly string[],
  earlierMistakes: readonly string[],
  host: NodeJS.Process,
  signals: Signals,
): Promise<number> {
  let unit: UnitSettings;
  try {
    unit = readUnit(path);
  } catch (error) {
    if (error instanceof UnitError) return refuse([...earlierMistakes, error.message], host);
    throw error;
  }
  const invocation = readSettings([...unit.flags, ...rest], unit.env, existsSync, { earlierMistakes });
  if (invocation.kind === 'mistakes')
    return refuse(
      invocation.lines.map((line) => placed(line, unit)),
      host,
    );
  return runCheck({ ...invocation, unit }, { terminal: new Terminal(host), signals, output });
}

async function runDaemon(
  { settings, warnings }: Extract<Invocation, { kind: 'run' }>,
  host: NodeJS.Process,
  signals: Signals,
): Promise<number> {
  const noColor = (host.env['NO_COLOR'] ?? '') !== '';
  const logger = await createLogger({ level: settings.logLevel, format: settings.logFormat, noColor });
  const log = logOf(logger);
  for (const warning of warnings) log.write('setting-regretted', warning);
  const exitCode = await serve(settings, { log, signals, nodeVersion: host.version });
  // A person may read the log of one pass in a pager, as slowly as they like.
  if (settings.once) await Promise.race([promisify(logger.flush.bind(logger))(), signals.stopped]);
  return exitCode;
}

function refuse(mistakes: readonly string[], { stderr }: NodeJS.Process): number {
  stderr.write(`${mistakes.join('\n')}\n`);
  return EXIT.badSettings;
}

type TextCommand = Exclude<Command, SettingsCommand | { readonly name: 'daemon' }>;

/** A wrong setting in the environment must not keep a person from reading help. */
function takesNoSettings(command: Command): command is TextCommand {
  return !['daemon', 'check', 'status', 'explain', 'plan'].includes(command.name);
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
