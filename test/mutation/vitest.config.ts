/** The tests that a mutant of the plan has to fail: those of pure functions, and of passes over a small cluster in memory. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/unit/reconcile/**/*.test.ts'],
    setupFiles: ['test/mutation/one-seed.ts'],
  },
});
