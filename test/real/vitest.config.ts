/** The tests against real servers, apart from `npm test`: they need programs that not every machine has. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/real/**/*.test.ts'],
    globalSetup: ['test/real/demand-programs.ts', 'test/integration/build-program.ts'],
    // Each file starts servers of its own: more of them at once would only wait for each other.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
