/** Logs that a token cannot be read from its file any more, and that it can again. */

import type { TokenReadListener } from '../credentials/token-file.ts';
import type { Clock } from '../time/clock.ts';
import { Conditions } from './conditions.ts';
import type { Log } from './log-events.ts';

/** Makes a listener for any number of files. */
export function tokenReadLog(log: Log, clock: Clock): TokenReadListener {
  const unreadable = new Conditions({ reminds: true, logsEnds: true });
  return (file, problem) => {
    const due = unreadable.update(file, problem, clock.monotonic());
    if (problem === undefined) {
      if (due === undefined) return;
      const message = `${due.preface}token in ${file} readable again after ${due.lasted}`;
      log.write('credential-file-readable-again', message, due.figures);
      return;
    }
    const message = `${problem}; the last token that was read stays in use`;
    if (due === undefined) log.debug(message);
    else log.write('credential-file-unreadable', due.preface + message, due.figures);
  };
}
