/** The tests that a mutant of the plan has to fail: those of pure functions, and of passes over a small cluster in memory. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // On a busy machine a test that only takes long must not fail the first run.
    testTimeout: 60_000,
    // A run for a mutant loads each module once, not once for each file of tests.
    isolate: false,
    include: ['test/unit/reconcile/**/*.test.ts'],
    setupFiles: ['test/mutation/one-seed.ts'],
  },
});
