/** Whether a pass is so large that it makes way for the event loop between its steps. */
import { atOnce, inTurns, type Steps } from '../../time/steps.ts';
import type { Lists } from '../evidence/pair.ts';

/** Machines and nodes together. All steps of a pass over fewer take some 20 ms. */
const LARGE = 2_000;

/** Runs the steps of a pass over these lists: at once, or in turns with the event loop where they are large. */
export async function inTurnsIfLarge<T>(
  { machines, nodes }: Pick<Lists, 'machines' | 'nodes'>,
  steps: Steps<T>,
): Promise<T> {
  return machines.size + nodes.length > LARGE ? inTurns(steps) : atOnce(steps);
}
