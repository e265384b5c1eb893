import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadline } from '../../../src/network/deadline.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a deadline', () => {
  it('aborts its signal once the time is over, with the reason that it was given', () => {
    const reason = new Error('too late');
    const deadline = new Deadline(new AbortController().signal, 1_000, reason);
    vi.advanceTimersByTime(999);
    expect([deadline.signal.aborted, deadline.hasPassed]).toEqual([false, false]);
    vi.advanceTimersByTime(1);
    expect([deadline.signal.aborted, deadline.hasPassed, deadline.signal.reason]).toEqual([true, true, reason]);
  });

  it('ends early with the other signal, for its reason, and has not passed then, nor later', () => {
    const stop = new AbortController();
    const deadline = new Deadline(stop.signal, 1_000);
    stop.abort('stopped');
    vi.advanceTimersByTime(2_000);
    expect([deadline.signal.aborted, deadline.hasPassed, deadline.signal.reason]).toEqual([true, false, 'stopped']);
  });

  it('is over from the start where the other signal is aborted', () => {
    const deadline = new Deadline(AbortSignal.abort('stopped'), 1_000);
    expect([deadline.signal.aborted, deadline.hasPassed, deadline.signal.reason]).toEqual([true, false, 'stopped']);
  });

  it('leaves neither a timer nor a listener behind once it is forgotten', () => {
    const stop = new AbortController();
    const deadline = new Deadline(stop.signal, 1_000);
    deadline.forget();
    expect(vi.getTimerCount()).toBe(0);
    stop.abort();
    expect(deadline.signal.aborted).toBe(false);
  });
});
