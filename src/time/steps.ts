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

/** How long the steps of one turn take, in ms. */
const TURN_MS = 20;

/** Runs the steps, with a turn of the event loop at the beginning and whenever `turnMs` have gone by. */
export async function inTurns<T>(steps: Steps<T>, turnMs = TURN_MS): Promise<T> {
  await nextTurn();
  let began = performance.now();
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (performance.now() - began < turnMs) continue;
    await nextTurn();
    began = performance.now();
  }
}

/** Acts on each item; it may be interrupted after each. */
export function* forEach<T>(items: Iterable<T>, act: (item: T) => void): Steps<void> {
  for (const item of items) {
    act(item);
    yield;
  }
}
