import { describe, expect, it } from 'vitest';
import { Once } from '../../../src/log/once.ts';

const INTERVAL = 30_000;

describe('what is told once', () => {
  it('is forgotten when it has been gone for ten minutes, so that keys which never come back take no memory', () => {
    const once = new Once();
    let peak = 0;
    for (let pass = 0; pass < 1_000; pass += 1) {
      expect(once.news([`takeover ${pass}`], pass * INTERVAL).size).toBe(1);
      peak = Math.max(peak, once.remembered);
    }
    expect(peak).toBeLessThan(30);
  });
});
