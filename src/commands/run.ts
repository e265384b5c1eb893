/** The program from its arguments to its exit code: what is asked for, with which settings, and who does it. */
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { useUtc } from '../daemon/schedule.ts';
import { serve } from '../daemon/serve.ts';
import type { Signals } from '../daemon/signals.ts';
import { VERSION } from '../daemon/version.ts';
import { logOf } from '../log/log-events.ts';
import { createLogger } from '../log/logger.ts';
import { readCommandLine } from '../settings/command-line.ts';
import { readSettings } from '../settings/settings.ts';
import { runCheck } from './check/run-check.ts';
import { runCommand } from './run-command.ts';
import { OutputError, Terminal } from './terminal.ts';

/** Stopped, or done; failed; settings that cannot be used. */
const EXIT = { done: 0, failed: 1, badSettings: 2 } as const;

/** Runs kube-register for a process and resolves with its exit code. */
export async function run(host: NodeJS.Process, signals: Signals): Promise<number> {
  useUtc(host.env);
  const terminal = new Terminal(host);
  const { command, rest, mistakes } = readCommandLine(host.argv.slice(2));
  const invocation = readSettings(rest, host.env, existsSync, mistakes);
  switch (invocation.kind) {
    case 'help':
      return say(invocation.text.trimEnd(), terminal);
    case 'version':
      return say(`kube-register ${VERSION}`, terminal);
    case 'mistakes':
      if (command.name === 'check') return runCheck(invocation, { terminal, signals, output: command.output });
      host.stderr.write(`${invocation.lines.join('\n')}\n`);
      return EXIT.badSettings;
    case 'run': {
      const { settings, warnings } = invocation;
      if (command.name === 'check') return runCheck(invocation, { terminal, signals, output: command.output });
      if (command.name !== 'daemon') return runCommand(command, settings, { terminal, signals });
      const noColor = (host.env['NO_COLOR'] ?? '') !== '';
      const logger = await createLogger({ level: settings.logLevel, format: settings.logFormat, noColor });
      const log = logOf(logger);
      for (const warning of warnings) log.write('setting-regretted', warning);
      const exitCode = await serve(settings, { log, signals, nodeVersion: host.version });
      // A person may read the log of one pass in a pager, as slowly as they like.
      if (settings.once) await Promise.race([promisify(logger.flush.bind(logger))(), signals.stopped]);
      return exitCode;
    }
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
