import { defineConfig } from 'vitest/config';

console.log(`node ${process.version}`);

export default defineConfig({
  test: {
    include: ['test/{unit,integration}/**/*.test.ts'],
    testTimeout: 20_000,
    // By default one core is left idle; these tests mostly wait.
    maxWorkers: 2,
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary'] },
  },
});
