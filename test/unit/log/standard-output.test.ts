import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { describeDropped, LineWriter } from '../../../src/log/standard-output.ts';

const MIB = 1024 * 1024;

/** A pipe that holds so many bytes until somebody reads. */
class Pipe {
  taken = '';
  room = Number.POSITIVE_INFINITY;
  problem = 'EAGAIN';
  writes = 0;

  write(bytes: Buffer): number {
    this.writes += 1;
    if (this.room === 0) throw Object.assign(new Error(this.problem), { code: this.problem });
    const part = bytes.subarray(0, this.room);
    this.taken += part;
    this.room -= part.length;
    return part.length;
  }
}

let pipe: Pipe;
let writer: LineWriter;
let told: unknown[];

beforeEach(() => {
  vi.useFakeTimers();
  pipe = new Pipe();
  writer = new LineWriter(pipe, () => Date.now());
  told = [];
  writer.onDropped((dropped) => {
    told.push(dropped);
    writer.write('some are missing\n');
  });
});
afterEach(() => vi.useRealTimers());

/** Lines `0` to `count - 1`, each of 1 KiB. */
function writeMany(count: number): void {
  for (let index = 0; index < count; index += 1) writer.write(`${index}`.padEnd(1_023, '.').concat('\n'));
}

function read(bytes: number): void {
  pipe.room = bytes;
  vi.advanceTimersByTime(1_000);
}

/** The numbers of the lines that came, and any line that is not numbered. */
function lines(): string[] {
  return pipe.taken
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/\.*$/, ''));
}

describe('the lines of the log', () => {
  it('are written at once while somebody reads', () => {
    writer.write('a\n');
    expect(pipe.taken).toBe('a\n');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('come whole and in order however little is taken at a time', () => {
    pipe.room = 0;
    writeMany(100);
    for (let step = 0; step < 200; step += 1) read(777);
    expect(lines()).toEqual(Array.from({ length: 100 }, (_, index) => String(index)));
    expect(told).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('wait in a MiB of memory, and are dropped and counted beyond it', () => {
    pipe.room = 0;
    const before = process.memoryUsage().arrayBuffers;
    writeMany(20_000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * MIB);
    vi.advanceTimersByTime(60_000);
    read(Number.POSITIVE_INFINITY);
    expect(lines()).toEqual([...Array.from({ length: 1_024 }, (_, index) => String(index)), 'some are missing']);
    expect(told).toEqual([{ lines: 20_000 - 1_024, lastedMs: expect.any(Number) }]);
  });

  it('that are dropped are told of once, where they are missing, and those after them come', () => {
    pipe.room = 0;
    writeMany(1_100);
    // As long as anything waits, what is new is dropped: the gap is one.
    read(500 * 1_024);
    writeMany(10);
    expect(told).toEqual([]);
    read(Number.POSITIVE_INFINITY);
    writer.write('after\n');
    expect(lines().slice(1_022)).toEqual(['1022', '1023', 'some are missing', 'after']);
    expect(told).toMatchObject([{ lines: 86 }]);
  });

  it('cost no system call each while nobody reads, and few for another look', () => {
    pipe.room = 0;
    writeMany(500);
    expect(pipe.writes).toBe(1);
    vi.advanceTimersByTime(60_000);
    expect(pipe.writes).toBeLessThan(70);
  });

  it.each(['EPIPE', 'ENOSPC'])('wait as well when there is another problem (%s)', (problem) => {
    Object.assign(pipe, { room: 0, problem });
    writer.write('a\n');
    writer.finish();
    expect(pipe.taken).toBe('');
    read(10);
    expect(pipe.taken).toBe('a\n');
  });
});

describe('what waits at the end of the process', () => {
  beforeEach(() => vi.useRealTimers());

  it('is written as far as it is taken', () => {
    pipe.room = 0;
    writer.write('a\n');
    pipe.room = 2;
    writer.finish();
    expect(pipe.taken).toBe('a\n');
  });

  it('is given up soon when nothing is taken, and at last when little is', () => {
    pipe.room = 0;
    writeMany(1_000);
    const started = performance.now();
    writer.finish();
    expect(performance.now() - started).toBeLessThan(1_000);

    vi.spyOn(pipe, 'write').mockImplementation(() => {
      if (pipe.writes++ % 2 === 0) throw Object.assign(new Error('full'), { code: 'EAGAIN' });
      return 1;
    });
    const startedAgain = performance.now();
    writer.finish();
    expect(performance.now() - startedAgain).toBeLessThan(5_000);
  });

  it('can be waited for', async () => {
    const flushed = () => new Promise<void>((resolve) => writer.flush(resolve));
    await flushed();
    pipe.room = 0;
    writer.write('a\n');
    const waiting = flushed();
    pipe.room = 2;
    await waiting;
    expect(pipe.taken).toBe('a\n');
  });

  it('is not waited for when nobody will ever take it', async () => {
    Object.assign(pipe, { room: 0, problem: 'EPIPE' });
    writer.write('a\n');
    await new Promise<void>((resolve) => writer.flush(resolve));
    expect(pipe.taken).toBe('');
  });
});

it('is told in words', () => {
  expect(describeDropped({ lines: 1, lastedMs: 500 })).toBe('dropped 1 log line: nothing read the log for 500ms');
  expect(describeDropped({ lines: 20, lastedMs: 63_400 })).toBe('dropped 20 log lines: nothing read the log for 1m3s');
});
