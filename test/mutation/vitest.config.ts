/** The tests that a mutant of the plan has to fail: those of pure functions, and of passes over a small cluster in memory. */
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Tests that play whole stories, the quickest first: they find few mutants that the others do not, and take most of the time. */
const LAST = ['plan-eras', 'guard', 'living-nodes', 'living-nodes-that-move', 'deregistration', 'cases'];

/** A mutant is killed by the first test that fails. */
class QuickFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => LAST.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
    return files.toSorted((one, other) => place(one) - place(other));
  }
}

export default defineConfig({
  test: {
    // On a busy machine a test that only takes long must not fail the first run.
    testTimeout: 60_000,
    // A run for a mutant loads each module once, not once for each file of tests.
    isolate: false,
    sequence: { sequencer: QuickFirst },
    include: ['test/unit/reconcile/**/*.test.ts'],
    setupFiles: ['test/mutation/one-seed.ts'],
  },
});
