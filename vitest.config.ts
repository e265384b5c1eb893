import { defineConfig } from 'vitest/config';

console.log(`node ${process.version}`);

export default defineConfig({
  test: {
    // Tests wait for timeouts and for processes: with more workers than the two cores that CI has, no core is idle meanwhile.
    maxWorkers: 4,
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary'] },
    projects: [
      // One process runs many of these files: to start one and to import the same modules anew costs more than most of them.
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          exclude: ['test/unit/daemon/**'],
          testTimeout: 20_000,
          isolate: false,
        },
      },
      {
        test: {
          name: 'integration',
          // The schedule's tests count timers, so no other file may share their process.
          include: ['test/integration/**/*.test.ts', 'test/unit/daemon/*.test.ts'],
          globalSetup: ['test/integration/build-program.ts'],
          testTimeout: 20_000,
        },
      },
    ],
  },
});
