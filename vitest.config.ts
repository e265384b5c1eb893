import { defineConfig } from 'vitest/config';

console.log(`node ${process.version}`);

export default defineConfig({
  test: {
    // By default one core is left idle; these tests mostly wait.
    maxWorkers: 2,
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary'] },
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 20_000 } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/integration/build-program.ts'],
          testTimeout: 20_000,
        },
      },
    ],
  },
});
