/** Computations for tests of those who run them. */
import type { Steps } from '../../../src/time/steps.ts';

/** A computation that may be interrupted once. */
export function* inTwoSteps<T>(result: T): Steps<T> {
  yield;
  return result;
}
