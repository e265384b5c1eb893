/** The events of the log, each with its level and its meaning, and the log that writes them. */
import type { Logger } from 'pino';

type Level = 'info' | 'warn' | 'error' | 'fatal';

/** Operators search for these names and alert on them. deploy/docs/log-events.md is made of this table, in this order. */
export const LOG_EVENTS = {
  started: ['info', 'The daemon starts: its version and where it listens.'],
  settings: [
    'info',
    'At start: which cluster, where fleet and the API server are, and the settings that differ from their defaults; secrets by path.',
  ],
  stopping: ['info', 'A signal asks the daemon to stop.'],
  stopped: ['info', 'The daemon has stopped; nothing is left unfinished.'],
  'stopped-late': ['warn', 'The daemon stops and gives up what is unfinished.'],
  'setting-regretted': ['warn', 'A setting is valid, but is likely to be a mistake.'],
  'credentials-unusable': ['fatal', 'A file of credentials cannot be used: the program exits with code 1.'],
  'cannot-listen': ['fatal', 'The program cannot listen on `LISTEN` and exits with code 1.'],
  'web-config-unusable': [
    'warn',
    'The web configuration file, or a file that it names, has a mistake: the last version stays in force.',
  ],
  'web-config-in-force': ['info', 'Another version of the web configuration file is in force, or the last one again.'],
  'credential-file-unreadable': [
    'warn',
    'A token cannot be read from its file: the last one that was read stays in use.',
  ],
  'credential-file-readable-again': ['info', 'The token can be read again, and is used.'],
  'log-lines-dropped': ['warn', 'Nothing read the log for a while: how many lines were dropped, and for how long.'],
  'clock-stepped': ['warn', 'The wall clock was set: the schedule starts again.'],
  'schedule-problem': ['warn', 'The library for cron schedules reports a problem.'],
  'page-failed': ['error', 'The web server could not make an answer and sent 500.'],
  'web-server-problem': ['error', 'The web server has a problem and continues.'],

  'first-pass': ['info', 'The figures of the first good pass.'],
  'hourly-figures': ['info', 'The figures, every hour.'],
  'api-server': ['info', 'The version of the API server and the API version in use; again when either changes.'],
  'fleet-unreachable': ['error', 'A request to fleet failed: which one, the cause, what to check.'],
  'fleet-reachable-again': ['info', 'Requests to fleet succeed again: after how long.'],
  'kubernetes-unreachable': ['error', 'A request to the API server failed: which one, the cause, what to check.'],
  'kubernetes-reachable-again': ['info', 'Requests to the API server succeed again: after how long.'],
  'fleet-slow': ['warn', 'An answer of fleet took more than half of `FLEET_TIMEOUT`: how long.'],
  'fleet-fast-again': ['info', 'Answers of fleet are no longer slow: after how long.'],
  'kubernetes-slow': ['warn', 'An answer of the API server took more than half of `API_TIMEOUT`: how long.'],
  'kubernetes-fast-again': ['info', 'Answers of the API server are no longer slow: after how long.'],
  'passes-failing': ['error', 'A pass failed for another cause: its time was over, or an error in the program.'],
  'passes-succeed-again': ['info', 'A pass has succeeded: after how long.'],
  'no-machine-matches': ['warn', 'No machine matches `METADATA`: the metadata that the machines have.'],
  'machines-match': ['info', 'Some machines match again: after how long.'],
  'deregistrations-held': ['error', 'The deletion guard is active: the numbers, the nodes, and what to do.'],
  'hold-over': ['info', 'The deletion guard is inactive again; all grace periods restart.'],
  'worked-around': ['warn', 'A label, a record or a whole list is left out; everything else is done.'],
  'grace-restarted': [
    'warn',
    'A node is now gone for another reason, with another grace period: both reasons, and the new time.',
  ],
  'undone-by-others': [
    'warn',
    'Something else deletes a node, or changes what was written on it: what, how often, and when it is written again.',
  ],
  alternating: ['warn', 'A machine ID or a node alternates between two hosts: both values, and what to do.'],

  'verdict-warning': ['warn', 'A verdict that a person may have to act on. The field `verdict` has it.'],
  verdict: ['info', 'Another verdict, or the end of one. The field `verdict` has it.'],

  registered: ['info', 'A node was registered.'],
  adopted: ['info', 'A node was adopted.'],
  updated: ['info', 'The labels or annotations of a node were updated.'],
  deregistered: ['info', 'A node was deregistered, and why.'],
  'action-unneeded': ['info', 'An action was not needed: another copy, or a person, was quicker.'],
  'dry-run': ['info', 'What would be done. The field `action` has the kind.'],
  'last-check-refused': ['warn', 'The last check before a delete stopped it, and why.'],
  'action-failed': ['error', 'An action failed, and why. The field `action` has the kind.'],
  'action-failure-over': ['info', 'An action no longer fails, or is no longer needed: after how long.'],
  'pass-summary': ['info', 'How many actions a pass has done.'],

  'events-not-written': ['warn', 'Events about nodes cannot be written, and why. Everything else continues.'],
  'events-written-again': ['info', 'Events are written again: after how long.'],
  'events-dropped-at-end': ['warn', 'The daemon stops before all Events are written.'],
} as const satisfies Record<string, readonly [Level, string]>;

export type LogEvent = keyof typeof LOG_EVENTS;

/** What a line has besides its event, level and message. */
export type Fields = Readonly<Record<string, unknown>> & { readonly event?: never };

export interface Log {
  /** Writes one line, at the level of its event. */
  write(event: LogEvent, message: string, fields?: Fields): void;
  /** Writes a line without an event, at the debug level. */
  debug(message: string): void;
}

/** Makes a log that writes to this logger. */
export function logOf(logger: Logger): Log {
  return {
    write: (event, message, fields = {}) => logger[LOG_EVENTS[event][0]]({ event, ...fields }, message),
    debug: (message) => logger.debug(message),
  };
}
