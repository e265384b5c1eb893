import { setImmediate as nextTurn } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { shared } from '../../../src/web/shared-body.ts';

/** A body that says how often it was made, at a time and of a version that the test sets. */
function counted() {
  const state = { version: 1, ms: 5_000, made: 0 };
  const body = shared(
    async () => {
      state.made += 1;
      return Buffer.from(`made ${state.made} times`);
    },
    () => state.version,
    { monotonic: () => state.ms },
  );
  return { state, body, text: async () => (await body()).bytes.toString() };
}

describe('a body that is shared', () => {
  it('is made once within a second, and anew after it or when it would be another one', async () => {
    const { state, body, text } = counted();
    const first = await body();
    state.ms += 999;
    expect(await body()).toBe(first);
    state.ms += 1;
    expect(await text()).toBe('made 2 times');
    state.version = 2;
    expect(await text()).toBe('made 3 times');
  });

  it('is not kept when nobody asks for it', async () => {
    vi.useFakeTimers();
    const { text } = counted();
    await text();
    vi.advanceTimersByTime(1_000);
    expect(await text()).toBe('made 2 times');
    vi.useRealTimers();
  });

  it('is made one at a time, and once for all who ask while one of an older version is made', async () => {
    let version = 1;
    const makings: ((bytes: Buffer) => void)[] = [];
    const body = shared(
      () => new Promise((resolve) => makings.push(resolve)),
      () => version,
      { monotonic: () => 0 },
    );
    const first = [body(), body()];
    await vi.waitFor(() => expect(makings).toHaveLength(1));
    version = 2;
    const second = [body(), body()];
    version = 3;
    const third = body();
    await nextTurn();
    expect(makings).toHaveLength(1);
    makings[0]?.(Buffer.from('first'));
    for (const made of first) expect((await made).bytes.toString()).toBe('first');
    await vi.waitFor(() => expect(makings).toHaveLength(2));
    makings[1]?.(Buffer.from('of version 3'));
    for (const made of [...second, third]) expect((await made).bytes.toString()).toBe('of version 3');
    expect(makings).toHaveLength(2);
  });

  it('is made anew when it could not be made', async () => {
    const makings = [() => Promise.reject(new Error('not now')), async () => Buffer.from('text')];
    const body = shared(
      () => makings.shift()?.() ?? expect.unreachable(),
      () => 1,
      { monotonic: () => 0 },
    );
    await Promise.all([body(), body()].map((made) => expect(made).rejects.toThrow('not now')));
    expect((await body()).bytes.toString()).toBe('text');
  });

  it('is zipped once', async () => {
    const body = await shared(
      async () => Buffer.from('text'),
      () => 1,
      { monotonic: () => 0 },
    )();
    const gzipped = await body.gzipped();
    expect(gunzipSync(gzipped).toString()).toBe('text');
    expect(await body.gzipped()).toBe(gzipped);
  });
});
