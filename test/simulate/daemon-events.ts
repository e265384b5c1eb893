/** What happens to the daemons themselves: they are killed, stopped and started, their machine sleeps, their clock is wrong. */
import type { Chance } from './chance.ts';
import type { Conditions } from './conditions.ts';
import type { Daemon } from './daemon.ts';
import { MINUTE } from './time.ts';

export function happenToDaemon(
  daemons: ReadonlyMap<number, Daemon>,
  start: (copy: number) => void,
  chance: Chance,
  { hasOtherFleet }: Conditions,
): { readonly kind: string; readonly what: string } {
  const copy = chance.between(0, hasOtherFleet ? 2 : 1);
  const daemon = daemons.get(copy);
  if (daemon === undefined || daemon.isEnding || chance.strikes(0.15)) {
    start(copy);
    return { kind: 'daemon starts', what: `copy ${copy} is started anew` };
  }
  if (daemon.isStopped && chance.strikes(0.8)) {
    daemon.resume();
    return { kind: 'daemon goes on', what: `copy ${copy} goes on` };
  }
  switch (chance.pick(['clock', 'clock', 'end', 'stop', 'stop', 'suspend'] as const)) {
    case 'clock':
      daemon.clockOffMs = chance.between(-120, 120) * MINUTE;
      return {
        kind: 'clock is wrong',
        what: `the clock of copy ${copy} is wrong by ${daemon.clockOffMs / MINUTE} minutes`,
      };
    case 'end':
      daemon.terminate();
      return { kind: 'daemon is told to end', what: `copy ${copy} is told to end` };
    case 'suspend':
      daemon.stop('machine');
      return { kind: 'machine is suspended', what: `the machine of copy ${copy} is suspended` };
    default:
      daemon.stop();
      return { kind: 'daemon is stopped', what: `copy ${copy} is stopped` };
  }
}
