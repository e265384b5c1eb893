/** How the daemons of a schedule are set up. */
import type { Policy } from '../../src/reconcile/plan/policy.ts';
import type { Chance } from './chance.ts';
import { MINUTE, SECOND } from './time.ts';

export const INTERVAL_MS = 30 * SECOND;
/** What a write that is under way has once the daemon is to stop. */
export const DRAIN_MS = 4 * SECOND;
/** These are slower: one schedule in so many plays the clients that are shipped. */
const REAL_CLIENTS_EVERY = 50;

export interface Conditions {
  /** Without OWNER_ID, which is that of the copy's fleet. */
  readonly policy: Omit<Policy, 'ownerId'>;
  readonly namedBy: 'address' | 'metadata';
  /** Copy 1 applies nothing. */
  readonly dryRun: boolean;
  /** It speaks through the clients that are shipped, above a simulated transport. */
  readonly hasRealClients: boolean;
  /** A second fleet has its hosts registered with the same API server. */
  readonly hasOtherFleet: boolean;
}

export function drawConditions(chance: Chance, seed: number): Conditions {
  return {
    policy: {
      neverDeregister: chance.strikes(0.04) ? 'KUBE_REGISTER_POLICY=register-only' : undefined,
      adopt: chance.strikes(0.9),
      missingGraceMs: chance.pick([0, 0, 2 * MINUTE, 5 * MINUTE]) ?? 0,
      unhealthyGraceMs: chance.pick([2 * MINUTE, 2 * MINUTE, 3 * MINUTE, 8 * MINUTE, Number.POSITIVE_INFINITY]) ?? 0,
      maxDeregisterPercent: chance.pick([34, 60, 100]) ?? 34,
      intervalMs: INTERVAL_MS,
      nodeLabels: ['zone'],
    },
    namedBy: chance.strikes(0.7) ? 'address' : 'metadata',
    dryRun: chance.strikes(0.1),
    hasRealClients: seed % REAL_CLIENTS_EVERY === 0,
    hasOtherFleet: chance.strikes(0.12),
  };
}

export function isDry({ dryRun }: Conditions, copy: number): boolean {
  return dryRun && copy === 1;
}

export function describeConditions({ policy, namedBy, dryRun, hasRealClients, hasOtherFleet }: Conditions): string {
  const { missingGraceMs, unhealthyGraceMs, maxDeregisterPercent, adopt, neverDeregister } = policy;
  return [
    `missing grace ${missingGraceMs / SECOND} s, unhealthy grace ${unhealthyGraceMs / SECOND} s, limit ${maxDeregisterPercent} %`,
    `nodes are named by ${namedBy}`,
    ...(hasRealClients ? ['the clients that are shipped'] : []),
    ...(hasOtherFleet ? ['two fleets'] : []),
    ...(adopt ? [] : ['ADOPT=false']),
    ...(dryRun ? ['DRY_RUN=true for copy 1'] : []),
    ...(neverDeregister === undefined ? [] : [neverDeregister]),
  ].join('; ');
}
