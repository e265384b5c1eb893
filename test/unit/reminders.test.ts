import { describe, expect, it } from 'vitest';
import { Reminders } from '../../src/telemetry/reminders.ts';
import { INTERVAL, MINUTE } from './world.ts';

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
    expect(reminders.over('x', 300.5)).toEqual({ lastedMs: 200, times: 2 });
    expect(reminders.over('x', 400)).toBeUndefined();
    expect(reminders.found('x', 'down', 500)).toEqual({ preface: '', figures: {} });
  });
});
