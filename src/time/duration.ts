/** Parses and formats durations such as `30`, `45s` and `1h30m`. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const NUMBER = String.raw`\d+(?:\.\d+)?`;
const BARE_SECONDS = new RegExp(`^${NUMBER}$`);
const WITH_UNITS = new RegExp(
  `^(?:(?<h>${NUMBER})h)?(?:(?<m>${NUMBER})m)?(?:(?<s>${NUMBER})s)?(?:(?<ms>${NUMBER})ms)?$`,
);

/**
 * Parses a duration to milliseconds; undefined when the text is not one.
 *
 * A number alone is seconds, as for the Go program's -sync-interval. Units are h, m, s and ms, largest first.
 */
export function parseDuration(text: string): number | undefined {
  if (BARE_SECONDS.test(text)) return wholeMs(Number(text) * SECOND);
  const units = WITH_UNITS.exec(text)?.groups;
  if (text === '' || units === undefined) return undefined;
  const { h = '0', m = '0', s = '0', ms = '0' } = units;
  return wholeMs(Number(h) * HOUR + Number(m) * MINUTE + Number(s) * SECOND + Number(ms));
}

function wholeMs(ms: number): number | undefined {
  const rounded = Math.round(ms);
  return Number.isSafeInteger(rounded) ? rounded : undefined;
}

/**
 * Formats a duration so that parseDuration reads it back: `1h2m3s`, `45s`, `1.5s`, `500ms`.
 *
 * Exact to the millisecond below a minute; from a minute on, the fraction of a second is dropped, not rounded.
 * Infinity is `never`; a negative duration is `0s`.
 */
export function formatDuration(ms: number): string {
  if (ms === Number.POSITIVE_INFINITY) return 'never';
  const whole = Math.max(0, Math.round(ms));
  if (whole === 0) return '0s';
  if (whole < SECOND) return `${whole}ms`;
  if (whole < MINUTE) return `${whole / SECOND}s`;
  const hours = Math.floor(whole / HOUR);
  const minutes = Math.floor((whole % HOUR) / MINUTE);
  const seconds = Math.floor((whole % MINUTE) / SECOND);
  return [hours > 0 ? `${hours}h` : '', minutes > 0 ? `${minutes}m` : '', seconds > 0 ? `${seconds}s` : ''].join('');
}

const DAY = 24 * HOUR;

/** Formats a duration as kubectl formats an age: the two largest units, not rounded: `5d3h`, `2h13m`, `3m12s`, `45s`. */
export function formatAge(ms: number): string {
  const whole = Math.max(0, ms);
  const parts = [
    [Math.floor(whole / DAY), 'd'],
    [Math.floor((whole % DAY) / HOUR), 'h'],
    [Math.floor((whole % HOUR) / MINUTE), 'm'],
    [Math.floor((whole % MINUTE) / SECOND), 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return '0s';
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join('');
}
