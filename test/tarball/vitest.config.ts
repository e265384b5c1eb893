/** The tests of the tarball, apart from `npm test`: they need root, the tarball, and what test/tarball/setup brings. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/tarball/**/*.test.ts'],
    globalSetup: ['test/tarball/make-root.ts'],
    testTimeout: 60_000,
  },
});
