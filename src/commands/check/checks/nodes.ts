/** The checks of the nodes: what a first pass would observe and do, and which nodes need attention. */

import { RequestError } from '../../../http/request-error.ts';
import { connectNodes } from '../../../kubernetes/connect.ts';
import type { Observation } from '../../../reconcile/evidence/liveness.ts';
import type { Candidate } from '../../../reconcile/evidence/machines.ts';
import { ObservationError, observe, type Sources } from '../../../reconcile/observe/observe.ts';
import { EMPTY_MEMORY } from '../../../reconcile/plan/memory/memory.ts';
import { makePlan, type Plan } from '../../../reconcile/plan/plan.ts';
import type { Policy } from '../../../reconcile/plan/policy.ts';
import type { Settings } from '../../../settings/settings.ts';
import { plural } from '../../../text/plural.ts';
import { tally } from '../../../text/tally.ts';
import type { Clock } from '../../../time/clock.ts';
import { type CheckName, type Finding, named, ok, skippedBy, wrong } from '../finding.ts';
import { mendOf, type Place, RAISE_FILE_LIMIT } from '../mends.ts';
import type { ApiServerSeen } from './api-server.ts';
import { checkConflicts, checkMachineIds } from './conflicts.ts';
import { nodeWarnings } from './node-warnings.ts';
import { rightMissed } from './rights.ts';

/** `failure` says why the nodes could not be read. */
export type NodesResult =
  | { readonly seen: { readonly observation: Observation; readonly plan: Plan; readonly wallMs: number } }
  | { readonly seen: undefined; readonly failure: Error | undefined };

/** `sources` are all but the nodes; undefined where the machines or their kubelets are not known. Throws the signal's reason alone. */
export async function inspectNodes(
  { http }: ApiServerSeen,
  settings: Settings,
  sources: Omit<Sources, 'nodes'> | undefined,
  policy: Policy,
  clock: Clock,
  signal: AbortSignal,
): Promise<NodesResult> {
  const nodes = connectNodes({ http, apiVersion: settings.api.version, clock });
  try {
    if (sources === undefined) {
      await nodes.list(signal);
      return { seen: undefined, failure: undefined };
    }
    const nowMs = clock.monotonic();
    const wallMs = clock.wall();
    const now = { monotonicMs: nowMs, wall: new Date(wallMs).toISOString() };
    const plan = (observation: Observation) => makePlan(observation, EMPTY_MEMORY, policy, now);
    const options = { memory: EMPTY_MEMORY, ownerId: policy.ownerId, nowMs, plan };
    return { seen: { ...(await observe({ ...sources, nodes }, options, signal)), wallMs } };
  } catch (error) {
    signal.throwIfAborted();
    const cause = error instanceof ObservationError ? error.failures.get('kubernetes') : error;
    if (!(cause instanceof Error)) throw error;
    return { seen: undefined, failure: cause };
  }
}

/** What the other checks found. */
export interface Context {
  /** The check that found what a pass lacks. */
  readonly missing: CheckName;
  /** Whether that check found something to be wrong. */
  readonly isWrong: (check: CheckName) => boolean;
  /** The API server's. */
  readonly place: Place | undefined;
}

/** The checks that need to see what a first pass sees. */
const OTHERS = ['conflicts', 'machine-ids'] as const satisfies readonly CheckName[];

/** The findings where another check found what a pass lacks. */
export function nodesNotChecked(cause: CheckName): readonly Finding[] {
  return [named('nodes', skippedBy(cause)), ...OTHERS.map((check) => named(check, skippedBy(cause)))];
}

/** `free` are machines that the check `names` is about. */
export function checkNodes(
  result: NodesResult,
  free: readonly Candidate[],
  { missing, ...context }: Context,
): readonly Finding[] {
  if (result.seen === undefined) {
    if (result.failure === undefined) return nodesNotChecked(missing);
    const others = OTHERS.map((check) => named(check, skippedBy('nodes')));
    return [named('nodes', unreadable(result.failure, context)), ...others];
  }
  const { observation, plan, wallMs } = result.seen;
  const counts = tally([...plan.nodes.values()].map(({ name }) => name));
  const todo = tally(plan.actions.map(({ kind }) => kind));
  const sentence = `${plural(plan.nodes.size, 'node')}${list(counts, ': ')}; a first pass would ${list(todo) || 'change nothing'}`;
  const conflicts = checkConflicts(observation, plan, new Set(free.map(({ id }) => id)));
  return [
    ...[ok(sentence), ...nodeWarnings(observation, plan, wallMs)].map((found) => named('nodes', found)),
    ...conflicts.map((found) => named('conflicts', found)),
    ...checkMachineIds(observation).map((found) => named('machine-ids', found)),
  ];
}

/** Without the nodes every pass fails. This check says why, unless another check does. */
function unreadable(failure: Error, { isWrong, place }: Omit<Context, 'missing'>) {
  // What this machine lacks to ask kubelets.
  if (!(failure instanceof RequestError)) return wrong(failure.message, RAISE_FILE_LIMIT);
  const explaining = checksOf(failure).find(isWrong);
  return explaining === undefined ? wrong(failure.message, mendOf(failure, place)) : skippedBy(explaining);
}

/** The checks that explain a failed request for nodes better. */
function checksOf(failure: RequestError): readonly CheckName[] {
  switch (failure.status) {
    case 401:
      return ['credentials'];
    case 403:
      return [`right-${rightMissed(failure)}-nodes`, 'credentials'];
    case 404:
      return ['api-server'];
    default:
      return [];
  }
}

/** `: 10 keep, 2 unmanaged`; nothing for none. */
function list(counts: ReadonlyMap<string, number>, before = ''): string {
  return counts.size === 0 ? '' : before + [...counts].map(([word, number]) => `${word} ${number}`).join(', ');
}
