/** Reports of passes over the small worlds of world.ts, as the reconciler would give them. */
import type { Outcome } from '../../../src/reconcile/apply/apply.ts';
import type { Node } from '../../../src/reconcile/evidence/node.ts';
import { EMPTY_MEMORY, type Memory } from '../../../src/reconcile/plan/memory/memory.ts';
import type { Policy } from '../../../src/reconcile/plan/policy.ts';
import type { Cause, PassReport } from '../../../src/reconcile/reconciler.ts';
import { observed, planAt } from '../reconcile/world.ts';

/** The same nodes, of which no kubelet posts any more. */
export function dead(nodes: readonly Node[]): readonly Node[] {
  return nodes.map((node) => ({ ...node, facts: node.facts && { ...node.facts, ready: 'unknown' } }));
}

type World = Parameters<typeof observed>[0];

export const STARTED = Date.UTC(2026, 0, 2);

/** A good pass, `ms` after the first. */
export function goodPass(
  world: World,
  {
    ms = 0,
    memory = EMPTY_MEMORY,
    outcomes = [],
    policy = {},
  }: { ms?: number; memory?: Memory; outcomes?: readonly Outcome[]; policy?: Partial<Policy> } = {},
): PassReport & { readonly seen: NonNullable<PassReport['seen']> } {
  const seen = { observation: observed(world), plan: planAt(ms, world, memory, policy) };
  return { startedAt: STARTED + ms, durationMs: 12, seen, outcomes, failures: new Map(), stopped: false };
}

export function failedPass(failures: Partial<Record<Cause, string>>, ms = 0): PassReport {
  const causes = Object.entries(failures) as [Cause, string][];
  return {
    startedAt: STARTED + ms,
    durationMs: 12,
    seen: undefined,
    outcomes: [],
    failures: new Map(causes),
    stopped: false,
  };
}
