/** The units under a real systemd, apart from all other tests: they need root, and a container that lets a systemd boot within it. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/systemd/**/*.test.ts'],
    testTimeout: 120_000,
  },
});
