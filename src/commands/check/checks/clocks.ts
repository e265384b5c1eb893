/** The check of the clocks: how far those of fleet and the API server are from the clock of this machine. */
import { formatDuration } from '../../../time/duration.ts';
import { type Finding, named, ok, skipped, warning, wrong } from '../finding.ts';
import type { Offset } from './observed.ts';

const TOLERATED_MS = 5_000;
/** From this difference on, tokens and certificates are refused. */
const HARMFUL_MS = 60_000;

/** The offset of each server's clock; undefined where it sent no time. */
export interface Clocks {
  readonly fleet: Offset | undefined;
  readonly kubernetes: Offset | undefined;
}

export function checkClocks({ fleet, kubernetes }: Clocks): Finding {
  const known = [
    { who: 'fleet', offset: fleet },
    { who: 'the API server', offset: kubernetes },
  ].flatMap(({ who, offset }) => (offset === undefined ? [] : [{ who, offset }]));
  if (known.length === 0) return named('clock', skipped('unknown: no server sent its time'));
  const off = known.filter(({ offset }) => atLeast(offset) > TOLERATED_MS);
  if (off.length === 0) {
    return named('clock', ok(`within ${formatDuration(TOLERATED_MS)} of ${known.map(({ who }) => who).join(' and ')}`));
  }
  const each = off.map(({ who, offset }) => {
    const ms = (offset.least + offset.most) / 2;
    return `${who} is ${formatDuration(Math.round(Math.abs(ms) / 1_000) * 1_000)} ${ms > 0 ? 'ahead of' : 'behind'} this machine`;
  });
  const harm =
    'tokens and certificates can seem expired or not valid yet, and times on nodes are wrong; grace periods are not affected';
  const sentence = `${each.join(', ')}: ${harm}`;
  const mend = 'timedatectl set-ntp true';
  return named(
    'clock',
    off.some(({ offset }) => atLeast(offset) > HARMFUL_MS) ? wrong(sentence, mend) : warning(sentence, mend),
  );
}

/** The least difference that the offset allows, in ms. */
function atLeast({ least, most }: Offset): number {
  if (least > 0) return least;
  return most < 0 ? -most : 0;
}
