import { gunzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { shared } from '../../../src/web/shared-body.ts';

describe('a body that is shared', () => {
  it('is made once within a second, and anew after it or when it would be another one', () => {
    const made: string[] = [];
    let [version, ms] = [1, 5_000];
    const body = shared(
      () => `made ${made.push('')} times`,
      () => version,
      { monotonic: () => ms },
    );
    const first = body();
    ms += 999;
    expect(body()).toBe(first);
    ms += 1;
    expect(body().bytes.toString()).toBe('made 2 times');
    version = 2;
    expect(body().bytes.toString()).toBe('made 3 times');
  });

  it('is not kept when nobody asks for it', () => {
    vi.useFakeTimers();
    const made: string[] = [];
    const body = shared(
      () => `made ${made.push('')} times`,
      () => 1,
      { monotonic: () => 0 },
    );
    body();
    vi.advanceTimersByTime(1_000);
    expect(body().bytes.toString()).toBe('made 2 times');
    vi.useRealTimers();
  });

  it('is zipped once', async () => {
    const body = shared(
      () => 'text',
      () => 1,
      { monotonic: () => 0 },
    )();
    const gzipped = await body.gzipped();
    expect(gunzipSync(gzipped).toString()).toBe('text');
    expect(await body.gzipped()).toBe(gzipped);
  });
});
