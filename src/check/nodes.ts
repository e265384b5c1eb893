/** The check of the nodes: what a first pass would see and do, and where machines are in each other's way. */
import type { Clock } from '../clock.ts';
import { RequestError } from '../http/request-error.ts';
import { connectNodes } from '../kubernetes/connect.ts';
import { plural } from '../plural.ts';
import type { Observation } from '../reconcile/liveness.ts';
import { EMPTY_MEMORY } from '../reconcile/memory.ts';
import { ObservationError, observe, type Sources } from '../reconcile/observe.ts';
import { makePlan, type Plan } from '../reconcile/plan.ts';
import type { Policy } from '../reconcile/policy.ts';
import type { Settings } from '../settings/settings.ts';
import type { ApiServerSeen } from './api-server.ts';
import { because, type CheckName, examples, type Finding, named, ok, warning, wrong } from './finding.ts';
import { MORE_FILES, mendOf } from './mends.ts';
import { rightMissed } from './rights.ts';

/** `failure` says why the nodes could not be read. */
export type NodesLook =
  | { readonly seen: { readonly observation: Observation; readonly plan: Plan } }
  | { readonly seen: undefined; readonly failure: Error | undefined };

/** `sources` are all but the nodes; undefined where the machines or their kubelets are not known. Throws the signal's reason alone. */
export async function lookAtNodes(
  { http }: ApiServerSeen,
  settings: Settings,
  sources: Omit<Sources, 'nodes'> | undefined,
  policy: Policy,
  clock: Clock,
  signal: AbortSignal,
): Promise<NodesLook> {
  const nodes = connectNodes({ http, apiVersion: settings.api.version, clock });
  try {
    if (sources === undefined) {
      await nodes.list(signal);
      return { seen: undefined, failure: undefined };
    }
    const nowMs = clock.monotonic();
    const now = { monotonicMs: nowMs, wall: new Date(clock.wall()).toISOString() };
    const plan = (observation: Observation) => makePlan(observation, EMPTY_MEMORY, policy, now);
    const options = { memory: EMPTY_MEMORY, ownerId: policy.ownerId, nowMs, plan };
    return { seen: await observe({ ...sources, nodes }, options, signal) };
  } catch (error) {
    signal.throwIfAborted();
    const cause = error instanceof ObservationError ? error.failures.get('kubernetes') : error;
    if (!(cause instanceof Error)) throw error;
    return { seen: undefined, failure: cause };
  }
}

/** What else was found. */
export interface Context {
  /** The check because of which no pass could be made. */
  readonly missing: CheckName;
  /** Whether that check found something to be wrong. */
  readonly isWrong: (check: CheckName) => boolean;
  /** The API server's. */
  readonly endpoint: string | undefined;
}

export function checkNodes(look: NodesLook, { missing, ...context }: Context): readonly Finding[] {
  if (look.seen === undefined) {
    if (look.failure === undefined) return [named('nodes', because(missing)), named('conflicts', because(missing))];
    return [named('nodes', unreadable(look.failure, context)), named('conflicts', because('nodes'))];
  }
  const { observation, plan } = look.seen;
  const counts = count([...plan.nodes.values()].map(({ name }) => name));
  const todo = count(plan.actions.map(({ kind }) => kind));
  const sentence = `${plural(plan.nodes.size, 'node')}${list(counts, ': ')}; a first pass would ${list(todo) || 'change nothing'}`;
  const findings = [named('nodes', ok(sentence)), ...doubts(observation, plan).map((found) => named('nodes', found))];
  return [...findings, named('conflicts', checkConflicts(plan))];
}

/** Without the nodes every pass fails: if no other check told why, this one does. */
function unreadable(failure: Error, { isWrong, endpoint }: Omit<Context, 'missing'>) {
  // What this machine lacks to ask kubelets.
  if (!(failure instanceof RequestError)) return wrong(failure.message, MORE_FILES);
  const teller = tellersOf(failure).find(isWrong);
  return teller === undefined ? wrong(failure.message, mendOf(failure, endpoint)) : because(teller);
}

/** The checks that may tell better than the nodes what a request for them failed of. */
function tellersOf(failure: RequestError): readonly CheckName[] {
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

function doubts({ unlistable }: Observation, { hold, nodes }: Plan) {
  const suspects = [...nodes].filter(([, { name }]) => name === 'probe-suspect').map(([node]) => node);
  return [
    ...(unlistable === undefined
      ? []
      : [warning(`they cannot be listed now: ${unlistable}`, 'fleetctl list-units | grep kubelet')]),
    ...(hold === undefined
      ? []
      : [warning(hold.message, 'kubectl get nodes --selector kube-register.io/managed=true')]),
    ...(suspects.length === 0
      ? []
      : [
          warning(
            `${examples(`${suspects.length} that Kubernetes calls Ready, while the kubelet does not answer`, suspects)} (see kubelets)`,
            'KUBE_REGISTER_HEALTHZ_URL=http://{ip}:PORT/healthz',
          ),
        ]),
  ];
}

function checkConflicts({ machines }: Plan) {
  const each = [...machines]
    .filter(([, { name }]) => name === 'conflict')
    .map(([id, { reason }]) => `${id}: ${reason}`);
  if (each.length === 0) return ok('no two machines want one node, name or address');
  return wrong(examples(plural(each.length, 'machine'), each), 'fleetctl list-machines --full');
}

function count(words: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** `: 10 keep, 2 foreign`; nothing for none. */
function list(counts: ReadonlyMap<string, number>, before = ''): string {
  return counts.size === 0 ? '' : before + [...counts].map(([word, number]) => `${word} ${number}`).join(', ');
}
