/** The tests of what commands show in a real terminal, apart from `npm test`: they need tmux. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/terminal/**/*.test.ts'],
    globalSetup: ['test/integration/build-program.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
