/** The mutants that no test kills, each with the reason why none can. */
import type { Survivor } from './change.ts';
import { SURVIVORS_OF_EVIDENCE } from './survivors-of-evidence.ts';
import { SURVIVORS_OF_PLAN } from './survivors-of-plan.ts';

/** All of them. */
export const SURVIVORS: readonly Survivor[] = [...SURVIVORS_OF_EVIDENCE, ...SURVIVORS_OF_PLAN];
