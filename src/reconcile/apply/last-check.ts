/** The last check before a delete: everything that the delete depends on is read again, and the delete follows at once. */
import type { KubeletAnswer } from '../../kubelet/kubelet.ts';
import type { NodeRecord } from '../../kubernetes/registry.ts';
import { isStillAt, type KubeletEndpoint } from '../evidence/endpoints.ts';
import { isKept } from '../evidence/marks.ts';
import { addressesOf, hasPosted, isReporting, toNode } from '../evidence/node.ts';
import type { ApplyOptions, Clients, Deregister } from '../plan/action.ts';

/** A reason not to delete. `alive`: the node is alive. */
export interface Objection {
  readonly result: 'refused' | 'failed';
  readonly detail: string;
  readonly alive?: boolean;
}

/** The ms that a check may take beyond HEALTHZ_TIMEOUT. */
const MARGIN_MS = 5_000;

/**
 * Reads the version of the API server; then, in parallel, checks the kubelet at every address and reads the node and the other nodes at its
 * addresses. Returns the node as it is now, `gone`, or the reason against its deletion. A check that took too long by either clock is
 * discarded: the monotonic clock of a suspended machine stops. Throws RequestError, or the reason of the signal `begin`.
 */
export async function checkBeforeDelete(
  action: Deregister,
  { nodes, kubelets, clock }: Clients,
  { begin, checkTimeoutMs, ownerId }: ApplyOptions,
): Promise<NodeRecord | 'gone' | Objection> {
  const began = { monotonic: clock.monotonic(), wall: clock.wall() };
  const { node, endpoints, era } = action;
  const now = await nodes.identify(begin);
  if (now.abilities !== era.abilities) return refused(`the API server has changed to ${now.server}`);

  const others = new Set(endpoints.flatMap(({ otherNode }) => otherNode?.name ?? []));
  const [answers, current, ...otherRecords] = await Promise.all([
    Promise.all(endpoints.map(({ address }) => kubelets.check(address, begin))),
    nodes.read(node.name, begin),
    ...[...others].map((name) => nodes.read(name, begin)),
  ]);
  begin.throwIfAborted();
  const present = new Map(otherRecords.flatMap((record) => (record === undefined ? [] : [[record.name, record]])));
  const sign = endpoints
    .map((endpoint, index) => signOfLife(endpoint, answers[index], present, action, ownerId))
    .find((each) => each !== undefined);
  if (sign !== undefined) return { result: 'refused', detail: sign, alive: true };
  if (current === undefined) return 'gone';
  const objection = objectionTo(action, current, ownerId);
  if (objection !== undefined) return objection;
  const tookMs = Math.max(clock.monotonic() - began.monotonic, Math.abs(clock.wall() - began.wall));
  if (tookMs > checkTimeoutMs + MARGIN_MS) {
    return {
      result: 'failed',
      detail: `the last check took ${Math.ceil(tookMs / 1_000)}s and is discarded (limit ${Math.round((checkTimeoutMs + MARGIN_MS) / 1_000)}s)`,
    };
  }
  return current;
}

/** Why the answer means that the node is alive, or undefined. */
function signOfLife(
  { address, otherNode, isContested }: KubeletEndpoint,
  answer: KubeletAnswer | undefined,
  present: ReadonlyMap<string, NodeRecord>,
  { era }: Deregister,
  ownerId: string,
): string | undefined {
  if (answer === undefined || answer.state === 'silent') return undefined;
  const current = present.get(otherNode?.name ?? '');
  const isAnothers =
    isContested !== true &&
    otherNode !== undefined &&
    current !== undefined &&
    isStillAt(otherNode, toNode(current, ownerId), address, era);
  return isAnothers ? undefined : `its kubelet is reachable: ${answer.detail}`;
}

/** Why a node is not to be deleted as it is now, or undefined. */
function objectionTo(
  { node, endpoints, era, machineId }: Deregister,
  record: NodeRecord,
  ownerId: string,
): Objection | undefined {
  const current = toNode(record, ownerId);
  if (current.uid !== node.uid) return refused('another node has its name now');
  if (current.mark?.machineId !== machineId) return refused('its kube-register annotations have changed');
  if (current.leaving !== undefined) return refused('it is being deleted already');
  if (current.facts === undefined) return refused('it could not be read completely');
  if (current.facts.ready === 'unreadable') return refused('its status cannot be read');
  const now = { facts: current.facts, hasPosted: hasPosted(node.facts, current.facts) };
  if (isReporting(now, era)) return { ...refused('it is reporting again'), alive: true };
  if (isKept(current)) return refused('kube-register.io/keep is set');
  if (current.facts.unschedulable !== false) return refused('it is cordoned');
  const unchecked = addressesOf(current).find((address) => !endpoints.some((endpoint) => endpoint.address === address));
  return unchecked === undefined ? undefined : refused(`it reports address ${unchecked} now, which was not checked`);
}

function refused(detail: string): Objection {
  return { result: 'refused', detail };
}
