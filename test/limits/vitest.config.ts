/** What the program bears, what its commands print, every release of the API server, and the simulation's own tests: apart from `npm test`, because they take long. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/limits/**/*.test.ts'],
    globalSetup: ['test/integration/build-program.ts'],
    maxWorkers: 2,
    testTimeout: 30_000,
  },
});
