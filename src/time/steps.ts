/** Long computations in steps: between two of them the event loop serves health checks, requests and signals. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import pLimit from 'p-limit';

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
const TURN_MS = 10;
/** However many computations there are, one of them takes a turn: the event loop is not to wait for all. */
const limit = pLimit(1);

/** Runs the steps, so many in each turn of the event loop as begin within `turnMs`. */
export async function inTurns<T>(steps: Steps<T>, turnMs = TURN_MS): Promise<T> {
  for (;;) {
    const { done, value } = await limit(() => takeTurn(steps, turnMs));
    if (done) return value;
  }
}

async function takeTurn<T>(steps: Steps<T>, turnMs: number): Promise<IteratorResult<undefined, T>> {
  await nextTurn();
  const began = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done || performance.now() - began >= turnMs) return step;
  }
}

/** One step of `forEach` acts on so many items: a step for each would cost as much as what is done with most of them. */
const CHUNK = 100;

/** What `make` makes of each item, in order; it may be interrupted after every hundred. */
export function* mapEach<T, Made>(items: Iterable<T>, make: (item: T) => Made): Steps<Made[]> {
  const all: Made[] = [];
  yield* forEach(items, (item) => all.push(make(item)));
  return all;
}

/** Acts on each item; it may be interrupted after every hundred. */
export function* forEach<T>(items: Iterable<T>, act: (item: T) => void): Steps<void> {
  let count = 0;
  for (const item of items) {
    act(item);
    count += 1;
    if (count % CHUNK === 0) yield;
  }
}
