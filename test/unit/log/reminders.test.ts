import { describe, expect, it } from 'vitest';
import { Reminders } from '../../../src/log/reminders.ts';
import { INTERVAL, MINUTE } from '../reconcile/world.ts';

const HOUR = 60 * MINUTE;

describe('a reminder', () => {
  it('is due after 1, 2, 4, 8, 16, 32 and 64 minutes, and then once an hour', () => {
    const reminders = new Reminders();
    reminders.found('x', 'down', 0);
    const due: number[] = [];
    for (let ms = INTERVAL; ms <= 5 * HOUR; ms += INTERVAL) {
      if (reminders.found('x', 'down', ms) !== undefined) due.push(ms / MINUTE);
    }
    expect(due).toEqual([1, 2, 4, 8, 16, 32, 64, 124, 184, 244]);
  });

  it('says how long it has lasted by then, and how often it was found', () => {
    const reminders = new Reminders();
    reminders.found('x', 'down', 0);
    reminders.found('x', 'down', 0.5 * MINUTE);
    expect(reminders.found('x', 'down', 1.5 * MINUTE)).toEqual({
      preface: 'still, after 1m30s (3 times): ',
      figures: { lastedMs: 90_000, times: 3 },
    });
  });

  it('is not made up for, however late it comes', () => {
    const reminders = new Reminders();
    reminders.found('x', 'down', 0);
    expect(reminders.found('x', 'down', 10 * HOUR)).toBeDefined();
    expect(reminders.found('x', 'down', 11 * HOUR - 1)).toBeUndefined();
    expect(reminders.found('x', 'down', 11 * HOUR)).toBeDefined();
  });

  it('of one thing is not one of another', () => {
    const reminders = new Reminders();
    reminders.found('x', 'down', 0);
    expect(reminders.found('y', 'down', MINUTE)).toEqual({ preface: '', figures: {} });
    expect(reminders.found('y', 'down', MINUTE)).toBeUndefined();
  });
});

describe('what lasts', () => {
  it('is said at once and without figures when it begins, and with figures when it is told otherwise', () => {
    const reminders = new Reminders();
    expect(reminders.found('x', 'down', 0)).toEqual({ preface: '', figures: {} });
    expect(reminders.found('x', 'refused', 1_000)).toEqual({ preface: '', figures: { lastedMs: 1_000, times: 2 } });
    expect(reminders.found('x', 'down', 2_000)).toBeUndefined();
  });

  it('is told otherwise five times at the most, and by reminders', () => {
    const reminders = new Reminders();
    const said = Array.from({ length: 1_000 }, (_, second) => reminders.found('x', `text ${second}`, second * 1_000));
    const news = said.filter((due) => due?.preface === '');
    expect([news.length, said.filter((due) => due !== undefined).length]).toEqual([5, 10]);
  });

  it('has lasted until it is over, and begins anew after that', () => {
    const reminders = new Reminders();
    expect(reminders.over('x', 0)).toBeUndefined();
    reminders.found('x', 'down', 100.25);
    reminders.found('x', 'down', 200);
    const lasted = { lastedMs: 200, times: 2 };
    expect([reminders.lasts('x'), reminders.remembers('x')]).toEqual([true, true]);
    expect(reminders.over('x', 300.5)).toEqual({ preface: '', figures: lasted, lasted });
    expect([reminders.lasts('x'), reminders.remembers('x')]).toEqual([false, true]);
    expect(reminders.over('x', 400)).toBeUndefined();
    expect(reminders.found('x', 'down', 500)).toEqual({ preface: '', figures: {} });
  });

  it('and was over ten minutes ago is forgotten', () => {
    const reminders = new Reminders();
    reminders.found('x', 'down', 0);
    reminders.over('x', MINUTE);
    for (const ms of [2 * MINUTE, 11 * MINUTE - 1, 11 * MINUTE]) expect(reminders.over('x', ms)).toBeUndefined();
    expect(reminders.remembers('x')).toBe(false);
  });
});

describe('what comes and goes', () => {
  /** Down in this second and well in the next, until `endMs`; returns what is told, with the seconds. */
  function flap(reminders: Reminders<string>, endMs: number) {
    const told: [number, string][] = [];
    for (let ms = 0; ms < endMs; ms += 2_000) {
      const [found, over] = [reminders.found('x', 'down', ms), reminders.over('x', ms + 1_000)];
      if (found !== undefined) told.push([ms / 1_000, `${found.preface}down`]);
      if (over !== undefined) told.push([ms / 1_000 + 1, `${over.preface}well after ${over.lasted.lastedMs}`]);
    }
    return told;
  }

  it('is told as what lasts three times, and then with its count after 1, 2, 4 and 8 minutes', () => {
    expect(flap(new Reminders(), 9 * MINUTE)).toEqual([
      [0, 'down'],
      [1, 'well after 1000'],
      [2, 'down'],
      [3, 'well after 1000'],
      [4, 'down'],
      [5, 'well after 1000'],
      [60, 'on and off, 31 times in 1m: down'],
      [120, 'on and off, 61 times in 2m: down'],
      [240, 'on and off, 121 times in 4m: down'],
      [480, 'on and off, 241 times in 8m: down'],
    ]);
  });

  it('and stays away is told to be over after ten minutes, with its figures, and then as new again', () => {
    const reminders = new Reminders();
    flap(reminders, 90_000);
    expect(reminders.over('x', 119_000)).toBeUndefined();
    const lasted = { lastedMs: 1_000, times: 1 };
    expect(reminders.over('x', 2 * MINUTE)).toEqual({
      preface: 'on and off, 45 times in 1m29s: ',
      figures: { ...lasted, flaps: 45, flappedMs: 89_000 },
      lasted,
    });
    reminders.found('x', 'down', 2 * MINUTE);
    reminders.over('x', 121_000);
    expect(reminders.over('x', 4 * MINUTE - 1)).toBeUndefined();
    expect(reminders.over('x', 12 * MINUTE)?.preface).toBe('on and off, 46 times in 2m1s, and steady for 9m59s: ');
    expect(reminders.over('x', 13 * MINUTE)).toBeUndefined();
    expect(reminders.found('x', 'down', 14 * MINUTE)).toEqual({ preface: '', figures: {} });
    expect(reminders.over('x', 15 * MINUTE)?.preface).toBe('');
  });

  it('and stays is told with the next that is due, then reminded of, and its end is told', () => {
    const reminders = new Reminders();
    flap(reminders, 50_000);
    const told: [number, string | undefined][] = [];
    for (let ms = 50_000; ms <= 45 * MINUTE; ms += 10_000) {
      const due = reminders.found('x', 'down', ms);
      if (due !== undefined) told.push([ms / 1_000, due.preface]);
    }
    expect(told).toEqual([
      [60, 'on and off, 26 times in 50s: '],
      [660, 'still, after 10m10s (62 times): '],
      [1_270, 'still, after 20m20s (123 times): '],
      [2_490, 'still, after 40m40s (245 times): '],
    ]);
    expect(reminders.over('x', 46 * MINUTE)?.preface).toBe('');
  });

  it('has no reminders of its own, however long each time is', () => {
    const reminders = new Reminders();
    let lines = 0;
    for (let ms = 0; ms < 10 * HOUR; ms += 5_000) {
      const isDown = ms % (3 * MINUTE) < 2 * MINUTE;
      if ((isDown ? reminders.found('x', 'down', ms) : reminders.over('x', ms)) !== undefined) lines += 1;
    }
    expect(lines).toBeLessThan(25);
  });
});
