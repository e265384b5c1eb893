/** What every planner of a pass is given. */
import type { Evidence, Observation } from '../evidence/liveness.ts';
import type { Alternations } from './alternations.ts';
import type { Memory } from './memory/memory.ts';
import type { Now, Policy } from './policy.ts';

export interface PlanInput {
  readonly observation: Observation;
  /** By node name, for the nodes that are managed or have a machine. */
  readonly evidence: ReadonlyMap<string, Evidence>;
  readonly alternations: Alternations;
  readonly memory: Memory;
  readonly policy: Policy;
  readonly now: Now;
}
