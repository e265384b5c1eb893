/** The tests that a mutant of the plan has to fail: those of pure functions, which take two seconds. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/unit/{action,machines,marks,memory,plan,plan-eras,resolve,verdicts,witnesses}.test.ts'],
    setupFiles: ['test/mutation/one-seed.ts'],
  },
});
