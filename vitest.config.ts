import { defineConfig } from 'vitest/config';

console.log(`node ${process.version}`);

export default defineConfig({
  test: {
    // Tests wait for timeouts and for processes: with more workers than the two cores that CI has, no core is idle meanwhile.
    maxWorkers: 4,
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary'] },
    projects: [
      // One process runs many of these files: to start one and to import the same modules anew costs more than most of them.
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 20_000, isolate: false } },
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
