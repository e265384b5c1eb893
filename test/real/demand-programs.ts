/** Ends the run before any test when a program is missing: these tests never skip. */
import { findPrograms } from './programs.ts';

export default function demandPrograms(): void {
  try {
    findPrograms();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exit(1);
  }
}
