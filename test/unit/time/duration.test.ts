import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/time/duration.ts';

describe('parseDuration', () => {
  it.each([
    ['30', 30_000],
    ['0', 0],
    ['1.5', 1_500],
    ['45s', 45_000],
    ['500ms', 500],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1h2m3s', 3_723_000],
    ['1h30m', 5_400_000],
    ['2m500ms', 120_500],
    ['1.5h', 5_400_000],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    '',
    ' ',
    'soon',
    '-5s',
    '5 s',
    '5d',
    's',
    '1s1h',
    '1s1s',
    '1e3',
    '.5s',
    '5.',
    '1h30',
    '9'.repeat(400),
    '٣s',
  ])('does not take %j for a duration', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it('answers any text at all with whole milliseconds or with undefined', () => {
    const almost = fc
      .array(fc.constantFrom('1', '0', '.', 'h', 'm', 's', 'ms', '-', ' '))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(fc.string(), almost), (text) => {
        const ms = parseDuration(text);
        expect(ms === undefined || (Number.isSafeInteger(ms) && ms >= 0)).toBe(true);
      }),
    );
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [500, '500ms'],
    [999.6, '1s'],
    [1_500, '1.5s'],
    [45_000, '45s'],
    [59_999, '59.999s'],
    [60_000, '1m'],
    [899_999, '14m59s'],
    [3_600_000, '1h'],
    [3_601_000, '1h1s'],
    [3_723_000, '1h2m3s'],
    [129_600_000, '36h'],
    [Number.POSITIVE_INFINITY, 'never'],
    [-1, '0s'],
  ])('writes %d as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('is read back exactly: every second, and below a minute every millisecond', () => {
    const wholeSeconds = fc.nat({ max: 10_000_000 }).map((seconds) => seconds * 1_000);
    fc.assert(
      fc.property(fc.oneof(wholeSeconds, fc.nat({ max: 59_999 })), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });

  it('never claims a second that has not passed', () => {
    fc.assert(
      fc.property(fc.nat({ max: 100_000_000 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBeLessThanOrEqual(ms);
      }),
    );
  });
});
