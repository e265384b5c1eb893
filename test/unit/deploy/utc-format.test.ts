import { describe, expect, it } from 'vitest';
import { UtcFormat } from '../../../deploy/binary/utc-format.ts';

/** As node-cron 4.6 asks. */
const PARTS = {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  weekday: 'short',
  hour12: false,
} as const;

/** ICU calls midnight 24 and no offset GMT+0; node-cron takes both. */
const SAME_TO_CRON: Readonly<Record<string, string>> = { '24': '00', 'GMT+0': 'GMT' };

describe('times in UTC without ICU', () => {
  it.each([
    '2026-01-01T00:00:00Z',
    '2026-02-28T23:59:59.999Z',
    '2028-02-29T12:05:07Z',
    '2026-11-28T09:30:00Z',
    '1999-12-31T23:00:00Z',
  ])('%s has the parts that ICU gives', (time) => {
    const date = new Date(time);
    for (const options of [PARTS, { timeZoneName: 'shortOffset' }] as const) {
      const zoned = { ...options, timeZone: 'Etc/UTC' };
      const wanted = new Intl.DateTimeFormat('en-US', zoned).formatToParts(date);
      const parts = new UtcFormat('en-US', zoned).formatToParts(date);
      for (const { type, value } of parts) {
        const same = wanted.find((part) => part.type === type)?.value ?? '';
        expect(`${type} ${value}`).toBe(`${type} ${SAME_TO_CRON[same] ?? same}`);
      }
      expect(parts).toHaveLength(options === PARTS ? 7 : 1);
    }
  });

  it('knows no other time zone', () => {
    expect(() => new UtcFormat('en-US', { timeZone: 'Europe/Berlin' })).toThrow(
      'the time zone Europe/Berlin is not UTC',
    );
  });
});
