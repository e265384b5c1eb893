/** The tests of the page in a real browser, apart from `npm test`: they need Chromium. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    globalSetup: ['test/browser/chromium.ts', 'test/integration/build-program.ts'],
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The kubelets of the showcase have a port of their own, and two browsers would only wait for each other.
    fileParallelism: false,
  },
});
