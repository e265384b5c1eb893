/** The check of the clocks: whether fleet and the API server have the time that we have. */
import { formatDuration } from '../../../time/duration.ts';
import { type Finding, named, ok, skipped, warning, wrong } from '../finding.ts';
import type { Offset } from './observed.ts';

const TOLERATED_MS = 5_000;
/** Tokens and certificates are refused because of less. */
const HARMFUL_MS = 60_000;

/** What each server told, undefined where it did not. */
export interface Clocks {
  readonly fleet: Offset | undefined;
  readonly kubernetes: Offset | undefined;
}

export function checkClocks({ fleet, kubernetes }: Clocks): Finding {
  const told = [
    { who: 'fleet', offset: fleet },
    { who: 'the API server', offset: kubernetes },
  ].flatMap(({ who, offset }) => (offset === undefined ? [] : [{ who, offset }]));
  if (told.length === 0) return named('clock', skipped('not known: no server told its time'));
  const off = told.filter(({ offset }) => atLeast(offset) > TOLERATED_MS);
  if (off.length === 0) {
    return named(
      'clock',
      ok(`as that of ${told.map(({ who }) => who).join(' and ')}, give or take ${formatDuration(TOLERATED_MS)}`),
    );
  }
  const each = off.map(({ who, offset }) => {
    const ms = (offset.least + offset.most) / 2;
    return `${who} is ${formatDuration(Math.round(Math.abs(ms) / 1_000) * 1_000)} ${ms > 0 ? 'ahead of' : 'behind'} this machine`;
  });
  const harm =
    'tokens and certificates can seem expired, or not valid yet, and times on nodes are off; graces do not suffer';
  const sentence = `${each.join(', ')}: ${harm}`;
  const mend = 'timedatectl set-ntp true';
  return named(
    'clock',
    off.some(({ offset }) => atLeast(offset) > HARMFUL_MS) ? wrong(sentence, mend) : warning(sentence, mend),
  );
}

/** How far they are apart without doubt. */
function atLeast({ least, most }: Offset): number {
  if (least > 0) return least;
  return most < 0 ? -most : 0;
}
