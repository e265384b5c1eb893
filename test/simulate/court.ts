/** What the judges of a schedule share: the truth, how the daemon was set up, and the rule that is broken. */
import type { Policy } from '../../src/reconcile/policy.ts';
import type { NamedBy } from './oracle.ts';
import type { World } from './world.ts';

export class BrokenRule extends Error {
  override readonly name = 'BrokenRule';
  readonly rule: string;

  /** `rule` is DESIGN's, in its own words and with its section. */
  constructor(rule: string, what: string) {
    super(`${what}\n  DESIGN ${rule}`);
    this.rule = rule;
  }
}

/** How a daemon was set up. */
export interface Conditions {
  readonly policy: Policy;
  readonly namedBy: NamedBy;
  /** Copy 1 applies nothing. */
  readonly dryRun: boolean;
  /** It speaks through the clients that are shipped, above a simulated transport. */
  readonly hasRealClients: boolean;
}

/** Whether that copy is set up with DRY_RUN. */
export function isDry({ dryRun }: Conditions, copy: number): boolean {
  return dryRun && copy === 1;
}

/** What a write that is under way has once the daemon is to stop. */
export const DRAIN_MS = 4_000;

export interface Court {
  readonly world: World;
  readonly conditions: Conditions;
  /** Throws BrokenRule when it is not so. */
  expect(isSo: boolean, rule: string, what: () => string): void;
  /** Counts what is to be seen of a run. */
  count(what: string): void;
}
