/** Long computations in steps: between two of them the event loop serves health checks, requests and signals. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** A computation that yields where it may be interrupted, and returns its result. */
export type Steps<T> = Generator<undefined, T>;

/** Runs all steps at once. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Runs the steps with a turn of the event loop before each. */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    await nextTurn();
    const { done, value } = steps.next();
    if (done) return value;
  }
}
