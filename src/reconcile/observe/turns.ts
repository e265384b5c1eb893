/** Whether a pass is so large that it makes way for the event loop between its steps. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { atOnce, inTurns, type Steps } from '../../time/steps.ts';
import type { Lists } from '../evidence/pair.ts';

/** Machines and nodes together. All steps of a pass over fewer take some 20 ms. */
const LARGE = 2_000;

type Sizes = Pick<Lists, 'machines'> & { readonly nodes: { readonly length: number } };

/** Runs the steps of a pass over these lists: at once, or in turns with the event loop where they are large. */
export async function inTurnsIfLarge<T>(lists: Sizes, steps: Steps<T>, turnMs?: number): Promise<T> {
  return isLarge(lists) ? inTurns(steps, turnMs) : atOnce(steps);
}

/** Waits for a turn of the event loop where the lists are large. */
export async function turnIfLarge(lists: Sizes): Promise<void> {
  if (isLarge(lists)) await nextTurn();
}

function isLarge({ machines, nodes }: Sizes): boolean {
  return machines.size + nodes.length > LARGE;
}
