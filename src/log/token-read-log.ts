/** Says when the token in a file cannot be read any more, now and then while that lasts, and when it can again. */

import type { TokenReadListener } from '../credentials/token-file.ts';
import type { Clock } from '../time/clock.ts';
import { formatAge } from '../time/duration.ts';
import type { Log } from './log-events.ts';
import { Reminders } from './reminders.ts';

/** Listens to any number of files. */
export function tokenReadLog(log: Log, clock: Clock): TokenReadListener {
  const unreadable = new Reminders<string>();
  return (file, problem) => {
    if (problem === undefined) {
      const end = unreadable.over(file, clock.monotonic());
      if (end === undefined) return;
      const message = `${end.preface}${file}: the token can be read again after ${formatAge(end.lasted.lastedMs)}`;
      log.say('credential-file-readable-again', message, end.figures);
      return;
    }
    const due = unreadable.found(file, problem, clock.monotonic());
    const message = `${problem}; the token that was read last stays in use`;
    if (due === undefined) log.debug(message);
    else log.say('credential-file-unreadable', due.preface + message, due.figures);
  };
}
