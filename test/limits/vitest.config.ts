/** What the program bears: floods, endless answers, broken connections by the hundred. Apart from `npm test`, because it takes long. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/limits/**/*.test.ts'],
    globalSetup: ['test/integration/build-program.ts'],
    maxWorkers: 2,
    testTimeout: 30_000,
  },
});
