/** The tests of the single files, apart from `npm test`: they have to be built first. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/binary/**/*.test.ts'], testTimeout: 60_000 },
});
