/** Formats times in UTC as `Intl.DateTimeFormat('en-US')` does for node-cron, without the 7 MiB of ICU that it loads. */

/** The options that node-cron 4.6 gives: all parts of a time, or the offset of the zone. */
interface Options {
  readonly timeZone?: string;
  readonly timeZoneName?: 'shortOffset';
}

interface Part {
  readonly type: string;
  readonly value: string;
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
/** The names of a zone without offset, and no name where the process is in UTC (see `useUtc`). */
const UTC = [undefined, 'UTC', 'Etc/UTC'];

export class UtcFormat {
  readonly #offsetOnly: boolean;

  /** Throws RangeError for another time zone. */
  constructor(_locale: string, { timeZone, timeZoneName }: Options) {
    if (!UTC.includes(timeZone)) throw new RangeError(`the time zone ${timeZone} is not UTC`);
    this.#offsetOnly = timeZoneName !== undefined;
  }

  /** The parts that node-cron reads, and no others. */
  formatToParts(date: Date): Part[] {
    if (this.#offsetOnly) return [{ type: 'timeZoneName', value: 'GMT' }];
    const two = (value: number) => String(value).padStart(2, '0');
    return [
      { type: 'weekday', value: WEEKDAYS[date.getUTCDay()] ?? '' },
      { type: 'month', value: two(date.getUTCMonth() + 1) },
      { type: 'day', value: two(date.getUTCDate()) },
      { type: 'year', value: String(date.getUTCFullYear()) },
      { type: 'hour', value: two(date.getUTCHours()) },
      { type: 'minute', value: two(date.getUTCMinutes()) },
      { type: 'second', value: two(date.getUTCSeconds()) },
    ];
  }
}
