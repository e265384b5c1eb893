/** What every planner of a pass is given. */
import type { Evidence, Observation } from '../evidence/liveness.ts';
import type { Memory } from './memory.ts';
import type { Now, Policy } from './policy.ts';
import type { Steadiness } from './steadiness.ts';

export interface PlanInput {
  readonly observation: Observation;
  /** By node name, for the nodes with our mark or a machine. */
  readonly evidence: ReadonlyMap<string, Evidence>;
  readonly steadiness: Steadiness;
  readonly memory: Memory;
  readonly policy: Policy;
  readonly now: Now;
}
