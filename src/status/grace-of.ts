/** Which grace period applies to a node that is not alive. */
import type { NodeStatus, Status } from './document.ts';

/** The setting and its ms, null for `never`. UNHEALTHY_GRACE is for a node whose machine matches and has no other node. */
export function graceOf(
  evidence: NodeStatus['evidence'],
  { unhealthyGraceMs, missingGraceMs }: Status['rules'],
): readonly [setting: 'UNHEALTHY_GRACE' | 'MISSING_GRACE', graceMs: number | null] {
  const isUnhealthy = evidence?.fleet === 'matches' && evidence.successor === null;
  return isUnhealthy ? ['UNHEALTHY_GRACE', unhealthyGraceMs] : ['MISSING_GRACE', missingGraceMs];
}
