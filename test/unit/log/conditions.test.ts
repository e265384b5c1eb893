import { describe, expect, it } from 'vitest';
import { Conditions, type Due } from '../../../src/log/conditions.ts';
import { INTERVAL, MINUTE } from '../reconcile/world.ts';

const HOUR = 60 * MINUTE;
const LASTING = { reminds: true, logsEnds: true };
const VERDICTS = { reminds: false, logsEnds: true };
const NOTES = { reminds: false, logsEnds: false };

/** Updates one condition with what `stateAt` gives, every `stepMs` from `fromMs` to before `endMs`; returns the lines with their seconds. */
function play(
  conditions: Conditions,
  stateAt: (ms: number) => string | undefined,
  [fromMs, endMs]: readonly [number, number],
  stepMs = 1_000,
) {
  const lines: [second: number, line: string][] = [];
  for (let ms = fromMs; ms < endMs; ms += stepMs) {
    const state = stateAt(ms);
    const due = conditions.update('x', state, ms);
    if (due !== undefined) lines.push([ms / 1_000, due.preface + (state ?? `up after ${due.lasted}`)]);
  }
  return lines;
}

const down = () => 'down';
const up = () => undefined;
/** Down in even seconds. */
const flap = (ms: number) => (ms % 2_000 === 0 ? 'down' : undefined);

describe('a condition that lasts', () => {
  it('is logged when it begins, then after 1, 2, 4, 8, 16, 32 and 64 minutes, and then once an hour', () => {
    const lines = play(new Conditions(LASTING), down, [0, 5 * HOUR], INTERVAL);
    expect(lines.map(([second]) => second / 60)).toEqual([0, 1, 2, 4, 8, 16, 32, 64, 124, 184, 244]);
  });

  it('has no figures at first, and then how long it has lasted and how often it was found', () => {
    const conditions = new Conditions(LASTING);
    expect(conditions.update('x', 'down', 0)).toMatchObject({ preface: '', figures: {} });
    conditions.update('x', 'down', 0.5 * MINUTE);
    expect(conditions.update('x', 'down', 1.5 * MINUTE)).toEqual({
      preface: 'still, for 1m30s (3 times): ',
      figures: { lastedMs: 90_000, times: 3 },
      lasted: '1m30s',
      times: '3 times',
    });
  });

  it('has no reminders that make up for those that were missed', () => {
    const conditions = new Conditions(LASTING);
    conditions.update('x', 'down', 0);
    expect(conditions.update('x', 'down', 10 * HOUR)).toBeDefined();
    expect(conditions.update('x', 'down', 11 * HOUR - 1)).toBeUndefined();
    expect(conditions.update('x', 'down', 11 * HOUR)).toBeDefined();
  });

  it('is not another condition', () => {
    const conditions = new Conditions(LASTING);
    conditions.update('x', 'down', 0);
    expect(conditions.update('y', 'down', MINUTE)).toMatchObject({ preface: '', figures: {} });
    expect(conditions.update('y', 'down', MINUTE)).toBeUndefined();
  });

  it('is logged with its duration when it ends, and begins anew after that', () => {
    const conditions = new Conditions(LASTING);
    expect(conditions.update('x', undefined, 0)).toBeUndefined();
    conditions.update('x', 'down', 100.25);
    conditions.update('x', 'down', 200);
    expect([conditions.isPresent('x'), conditions.has('x')]).toEqual([true, true]);
    const figures = { lastedMs: 200, times: 2 };
    expect(conditions.update('x', undefined, 300.5)).toMatchObject({
      preface: '',
      figures,
      lasted: '0s',
      times: '2 times',
    });
    expect([conditions.isPresent('x'), conditions.has('x')]).toEqual([false, true]);
    expect(conditions.update('x', undefined, 400)).toBeUndefined();
    expect(conditions.update('x', 'down', 500)).toMatchObject({ preface: '', figures: {} });
    expect(conditions.update('x', undefined, 600)).toMatchObject({
      figures: { lastedMs: 100, times: 1 },
      times: 'once',
    });
  });

  it('is forgotten ten minutes after its end', () => {
    const conditions = new Conditions(LASTING);
    conditions.update('x', 'down', 0);
    for (const ms of [MINUTE, 2 * MINUTE, 11 * MINUTE - 1]) conditions.update('x', undefined, ms);
    expect(conditions.keys()).toEqual(['x']);
    expect(conditions.update('x', undefined, 11 * MINUTE)).toBeUndefined();
    expect(conditions.keys()).toEqual([]);
  });
});

describe('a condition whose state changes', () => {
  it('is logged three times at once, and then with the count at growing intervals', () => {
    const lines = play(new Conditions(LASTING), (ms) => `text ${ms}`, [0, 9 * MINUTE]);
    expect(lines.map(([second]) => second)).toEqual([0, 1, 2, 3, 63, 126, 252, 504]);
    expect(lines.at(-1)?.[1]).toBe('changed 505 times in 8m24s: text 504000');
  });

  it('has an end that does not wait for the calm', () => {
    const conditions = new Conditions(LASTING);
    play(conditions, (ms) => `text ${ms}`, [0, 9 * MINUTE]);
    expect(play(conditions, up, [9 * MINUTE, 10 * MINUTE])).toEqual([[540, 'up after 9m']]);
    const again = play(conditions, down, [10 * MINUTE, 12 * MINUTE]);
    expect(again).toEqual([
      [600, 'down'],
      [660, 'still, for 1m (61 times): down'],
    ]);
  });

  it('is in the log with the last state after ten calm minutes', () => {
    const conditions = new Conditions(VERDICTS);
    const verdict = (ms: number) => (ms % 2_000 === 0 ? 'orphan' : 'conflict');
    play(conditions, verdict, [0, 70 * MINUTE]);
    expect(play(conditions, () => 'orphan', [70 * MINUTE, 90 * MINUTE])).toEqual([
      [4_800, 'changed 4201 times in 1h10m, steady for 10m: orphan'],
    ]);
    expect(conditions.update('x', 'conflict', 91 * MINUTE)?.preface).toBe('');
  });
});

describe('a condition that flaps', () => {
  it('is logged three times, then with its count at growing intervals, and never as ended while it goes on', () => {
    const lines = play(new Conditions(LASTING), flap, [0, 9 * MINUTE]);
    expect(lines).toEqual([
      [0, 'down'],
      [1, 'up after 1s'],
      [2, 'down'],
      [3, 'up after 1s'],
      [4, 'down'],
      [5, 'up after 1s'],
      [6, 'changed 7 times in 6s: down'],
      [66, 'changed 67 times in 1m6s: down'],
      [132, 'changed 133 times in 2m12s: down'],
      [264, 'changed 265 times in 4m24s: down'],
      [528, 'changed 529 times in 8m48s: down'],
    ]);
  });

  it('and stays away has its end in the log after ten calm minutes, with figures, and then begins as a new one', () => {
    const conditions = new Conditions(LASTING);
    play(conditions, flap, [0, 90_000]);
    expect(play(conditions, up, [90_000, 689_000])).toEqual([]);
    expect(conditions.update('x', undefined, 689_000)).toEqual({
      preface: 'changed 90 times in 1m29s, steady for 10m: ',
      figures: { lastedMs: 1_000, times: 1, flaps: 90, flappedMs: 89_000 },
      lasted: '1s',
      times: 'once',
    });
    expect(play(conditions, (ms) => (ms < 701_000 ? 'down' : undefined), [700_000, 800_000])).toEqual([
      [700, 'down'],
      [701, 'up after 1s'],
    ]);
  });

  it('and stays is reminded of, and its end is logged', () => {
    const conditions = new Conditions(LASTING);
    play(conditions, flap, [0, 50_000]);
    expect(play(conditions, down, [50_000, 40 * MINUTE], 10_000)).toEqual([
      [70, 'changed 51 times in 50s: down'],
      [140, 'still, for 1m30s (10 times): down'],
      [280, 'still, for 3m50s (24 times): down'],
      [560, 'still, for 8m30s (52 times): down'],
      [1_120, 'still, for 17m50s (108 times): down'],
      [2_190, 'still, for 35m40s (215 times): down'],
    ]);
    expect(conditions.update('x', undefined, 41 * MINUTE)).toMatchObject({ preface: '', lasted: '40m10s' });
  });

  it('has few lines, however long each time is', () => {
    const lines = play(
      new Conditions(LASTING),
      (ms) => (ms % (3 * MINUTE) < 2 * MINUTE ? 'down' : undefined),
      [0, 10 * HOUR],
      5_000,
    );
    expect(lines.length).toBeLessThan(25);
  });

  it.each([
    [1_000, 1_000],
    [4 * MINUTE, MINUTE],
    [9 * MINUTE, 9 * MINUTE],
    [MINUTE, 9 * MINUTE],
    [1_000, 3 * MINUTE],
  ])('for %d ms and not for %d ms is never there while the log says that it ended', (onMs, offMs) => {
    const conditions = new Conditions(LASTING);
    let last: string | undefined;
    let wrong = 0;
    for (let ms = 0; ms < 10 * HOUR; ms += 1_000) {
      const state = ms % (onMs + offMs) < onMs ? 'down' : undefined;
      if (conditions.update('x', state, ms) !== undefined) last = state;
      if (state !== undefined && last === undefined) wrong += 1;
    }
    expect(wrong).toBe(0);
  });
});

describe('a condition without reminders', () => {
  it('is logged when it begins and when it ends', () => {
    const lines = play(new Conditions(VERDICTS), (ms) => (ms < HOUR ? 'orphan' : undefined), [0, 2 * HOUR], INTERVAL);
    expect(lines).toEqual([
      [0, 'orphan'],
      [3_600, 'up after 1h'],
    ]);
  });

  it('that another line reports is not logged, and neither is its end', () => {
    const conditions = new Conditions(VERDICTS);
    expect(conditions.update('x', 'held', 0, { isSilent: true })).toBeUndefined();
    expect(conditions.update('x', undefined, MINUTE)).toBeUndefined();
    expect(conditions.update('x', 'orphan', 2 * MINUTE)?.preface).toBe('');
    expect(conditions.update('x', 'held', 3 * MINUTE, { isSilent: true })).toBeUndefined();
    expect(conditions.update('x', undefined, 4 * MINUTE)?.lasted).toBe('2m');
  });

  it('whose end another line reports has ended in the log', () => {
    const conditions = new Conditions(VERDICTS);
    conditions.update('x', 'in-grace', 0);
    expect(conditions.update('x', undefined, MINUTE, { isSilent: true })).toBeUndefined();
    expect(conditions.update('x', 'held', 2 * MINUTE, { isSilent: true })).toBeUndefined();
    expect(conditions.update('x', undefined, 3 * MINUTE)).toBeUndefined();
  });
});

describe('conditions whose ends are not logged', () => {
  const keysOf = (lines: ReadonlyMap<string, Due>) => [...lines.keys()];
  const all = (...keys: readonly string[]) => new Map(keys.map((key) => [key, '']));

  it('are logged when they begin, without figures', () => {
    const conditions = new Conditions(NOTES);
    expect(keysOf(conditions.updateAll(all('a', 'b'), 0))).toEqual(['a', 'b']);
    expect(keysOf(conditions.updateAll(all('a', 'c'), 1_000))).toEqual(['c']);
    expect(keysOf(conditions.updateAll(all('a'), HOUR))).toEqual([]);
    expect(conditions.updateAll(all('a', 'b'), HOUR + 1_000).get('b')?.figures).toEqual({});
  });

  it('have few lines when they flap, and the last while they are there', () => {
    const conditions = new Conditions(NOTES);
    const lines = play(conditions, flap, [0, 1_000_000]);
    expect(lines.map(([second]) => second)).toEqual([0, 2, 4, 64, 128, 256, 512]);
    expect(lines.at(-1)?.[1]).toBe('changed 513 times in 8m32s: down');
    expect(play(conditions, down, [1_000_000, 1_000_000 + HOUR])).toEqual([
      [1_024, 'changed 1001 times in 16m40s: down'],
    ]);
  });

  it('take no memory for keys that never come back', () => {
    const conditions = new Conditions(NOTES);
    let most = 0;
    for (let pass = 0; pass < 1_000; pass += 1) {
      expect(conditions.updateAll(all(`takeover ${pass}`), pass * INTERVAL).size).toBe(1);
      most = Math.max(most, conditions.keys().length);
    }
    expect(most).toBeLessThan(30);
  });
});

describe('of states that are worse and better', () => {
  const flapFor = (conditions: Conditions, seconds: number) => {
    const lines: [second: number, state: string][] = [];
    for (let second = 0; second < seconds; second += 1) {
      const [state, rank] = second % 7 === 0 ? ['bad', 1] : ['good', 0];
      if (conditions.update('x', state, second * 1_000, { rank }) !== undefined) lines.push([second, state]);
    }
    return lines;
  };

  it('the worse one is never withheld behind a line about the better one', () => {
    const lines = flapFor(new Conditions(VERDICTS), 1_000);
    const good = lines.filter(([second, state]) => state === 'good' && second < 990);
    for (const line of good) {
      const [second, state] = lines[lines.indexOf(line) + 1] ?? [Number.NaN, ''];
      expect([state, second - line[0] <= 7]).toEqual(['bad', true]);
    }
    expect(good.some(([second]) => second > 10)).toBe(true);
    expect(lines.length).toBeLessThan(20);
  });

  it('the better one is logged once it has lasted', () => {
    const conditions = new Conditions(VERDICTS);
    flapFor(conditions, 100);
    const last = Array.from({ length: 700 }, (_, second) =>
      conditions.update('x', 'good', (100 + second) * 1_000, { rank: 0 }),
    );
    expect(last.filter((due) => due !== undefined)).toHaveLength(1);
  });
});
