/** The program from its arguments to its exit code: the daemon, or a command. */
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { useUtc } from '../daemon/schedule.ts';
import { serve } from '../daemon/serve.ts';
import type { Signals } from '../daemon/signals.ts';
import { startSmall } from '../daemon/v8-memory.ts';
import { logOf } from '../log/log-events.ts';
import { createLogger } from '../log/logger.ts';
import { type Invocation, readSettings } from '../settings/settings.ts';
import { readCommandLine } from './cli/command-line.ts';

/** Settings that cannot be used. */
const BAD_SETTINGS = 2;

/** Runs kube-register for a process and resolves with its exit code. */
export async function run(host: NodeJS.Process, signals: Signals): Promise<number> {
  useUtc(host.env);
  const { command, rest, mistakes } = readCommandLine(host.argv.slice(2));
  if (command.name !== 'daemon') {
    // Loaded only here: the daemon needs nothing of it.
    const { runCommand } = await import('./run-command.ts');
    return runCommand(command, { rest, mistakes }, host, signals);
  }
  const invocation = readSettings(rest, host.env, existsSync, { earlierMistakes: mistakes });
  if (invocation.kind === 'run') return runDaemon(invocation, host, signals);
  host.stderr.write(`${invocation.lines.join('\n')}\n`);
  return BAD_SETTINGS;
}

async function runDaemon(
  { settings, warnings }: Extract<Invocation, { kind: 'run' }>,
  host: NodeJS.Process,
  signals: Signals,
): Promise<number> {
  startSmall();
  const noColor = (host.env['NO_COLOR'] ?? '') !== '';
  const logger = await createLogger({ level: settings.logLevel, format: settings.logFormat, noColor });
  const log = logOf(logger);
  for (const warning of warnings) log.write('setting-regretted', warning);
  const exitCode = await serve(settings, { log, signals, nodeVersion: host.version });
  // A person may read the log of one pass in a pager, as slowly as they like.
  if (settings.once) await Promise.race([promisify(logger.flush.bind(logger))(), signals.stopped]);
  return exitCode;
}
