/** Every event that the log tells of, with its level and its meaning; and the log that tells of no other. */
import type { Logger } from 'pino';

type Level = 'info' | 'warn' | 'error' | 'fatal';

/** Names are a contract: people search for them and alert on them. The table in README.md is this list, in this order. */
export const LOG_EVENTS = {
  started: ['info', 'The program runs; with its version and where it listens.'],
  stopping: ['info', 'A signal asked for the end.'],
  stopped: ['info', 'It has stopped, and everything under way has ended.'],
  'stopped-late': ['warn', 'It ends, and what is still under way is given up.'],
  'setting-regretted': ['warn', 'A setting is allowed, and likely to be regretted.'],
  'credentials-unusable': ['fatal', 'A file of credentials cannot be used: the program ends with exit code 1.'],
  'cannot-listen': ['fatal', 'The address of `LISTEN` cannot be had: the program ends with exit code 1.'],
  'credential-file-unreadable': ['warn', 'A token cannot be read from its file any more: the last one stays in use.'],
  'credential-file-readable-again': ['info', 'The token can be read again, and is used.'],
  'log-lines-dropped': [
    'warn',
    'Nothing read the log for a while, and lines were dropped: how many, and for how long.',
  ],
  'clock-stepped': ['warn', 'The wall clock was set: the schedule is made anew.'],
  'schedule-problem': ['warn', 'The library that keeps the schedule has a problem.'],
  'page-failed': ['error', 'A page could not be made: its answer was 500.'],
  'web-server-problem': ['error', 'The server of the pages has a problem, and goes on.'],

  'first-pass': ['info', 'The figures of the first good pass.'],
  'hourly-figures': ['info', 'The figures, every hour.'],
  'api-server': ['info', 'Which API server it is, and the version it is spoken to in; again when that changes.'],
  'fleet-unreachable': [
    'error',
    'fleet does not give what it is asked for: what that was, what came of it, what to check.',
  ],
  'fleet-answers-again': ['info', 'fleet does.'],
  'kubernetes-unreachable': ['error', 'The API server does not give what it is asked for.'],
  'kubernetes-answers-again': ['info', 'The API server does.'],
  'passes-failing': ['error', 'A pass failed for another reason: its time was over, or a mistake in the program.'],
  'passes-succeed-again': ['info', 'A pass has succeeded.'],
  'no-machine-matches': ['warn', 'No machine matches `METADATA`; with the metadata that there is.'],
  'machines-match': ['info', 'Some machines match by now.'],
  'deregistrations-held': ['error', 'The deletion guard is active: the numbers, the nodes, and the way out.'],
  'hold-over': ['info', 'The deletion guard is inactive again; every grace period starts anew.'],
  'worked-around': ['warn', 'A label, a record or a whole list was left out, and the rest is done without it.'],
  'grace-restarted': [
    'warn',
    'A node is now gone for a reason with another grace period, which begins: both reasons, and the new time.',
  ],
  'undone-by-others': [
    'warn',
    'Something else deletes a node or changes what was written on it: what, how often, and when it is done again.',
  ],
  alternating: ['warn', 'A machine id or a node belongs to two hosts in turns: both values, and what to do.'],

  'verdict-warning': [
    'warn',
    'A verdict changed for the worse: a person may have to do something about it. The field `verdict` has it.',
  ],
  verdict: ['info', 'A verdict changed otherwise, as back to `keep`. The field `verdict` has it.'],

  registered: ['info', 'A node was registered.'],
  adopted: ['info', 'A node was adopted.'],
  updated: ['info', 'The labels or annotations of a node were brought up to date.'],
  deregistered: ['info', 'A node was deregistered, and why.'],
  'action-unneeded': ['info', 'What was to be done was done already: another copy, or a person, was quicker.'],
  'dry-run': ['info', 'What would be done. The field `action` has the kind.'],
  'last-look-refused': ['warn', 'The last check before a delete stopped it, and why.'],
  'action-failed': ['error', 'Something could not be done, and why. The field `action` has the kind.'],
  'action-failure-over': ['info', 'What failed was done, or nothing asks for it any more.'],
  'pass-summary': ['info', 'How much a pass has done.'],

  'events-not-written': ['warn', 'Events about nodes are not written, and why. Nothing else suffers.'],
  'events-written-again': ['info', 'Events are written.'],
  'events-dropped-at-end': ['warn', 'The program ends before all Events are written.'],
} as const satisfies Record<string, readonly [Level, string]>;

export type LogEvent = keyof typeof LOG_EVENTS;

/** What a line has beside its event, its level and its message. */
export type Fields = Readonly<Record<string, unknown>> & { readonly event?: never };

export interface Log {
  /** Writes one line, at the level of its event. */
  say(event: LogEvent, message: string, fields?: Fields): void;
  /** For those who look into the program: not an event. */
  debug(message: string): void;
}

export function logOf(logger: Logger): Log {
  return {
    say: (event, message, fields = {}) => logger[LOG_EVENTS[event][0]]({ event, ...fields }, message),
    debug: (message) => logger.debug(message),
  };
}
