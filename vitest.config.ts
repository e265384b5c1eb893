import { defineConfig } from 'vitest/config';

console.log(`node ${process.version}`);

export default defineConfig({
  test: {
    include: ['test/{unit,integration}/**/*.test.ts'],
    testTimeout: 20_000,
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary'] },
  },
});
