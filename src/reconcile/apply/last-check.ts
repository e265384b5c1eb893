/** The last check before a delete: what the plan rests on is asked once more, and nothing comes between it and the delete. */
import type { KubeletAnswer } from '../../kubelet/kubelet.ts';
import type { NodeRecord } from '../../kubernetes/registry.ts';
import { isStillTenant, type Place } from '../evidence/liveness.ts';
import { isKept } from '../evidence/marks.ts';
import { addressesOf, isReporting, toNode } from '../evidence/node.ts';
import type { Clients, Deregister, Limits } from '../plan/action.ts';

/** A reason not to delete. `alive`: there is a sign of life. */
export interface Objection {
  readonly result: 'refused' | 'failed';
  readonly detail: string;
  readonly alive?: boolean;
}

/** What a check may take beyond HEALTHZ_TIMEOUT. */
const MARGIN_MS = 5_000;

/**
 * Asks which API server it is; then, side by side, the kubelet at every address, the node, and the nodes whose kubelets are passed over. Returns the
 * node as it is now, `gone`, or what speaks against its deletion. When it took too long by either clock (a suspended machine's monotonic clock
 * stands), what it found is not believed. Throws RequestError, or the reason of the signal `begin`.
 */
export async function checkBeforeDelete(
  action: Deregister,
  { nodes, kubelets, clock }: Clients,
  { begin, checkTimeoutMs, ownerId }: Limits,
): Promise<NodeRecord | 'gone' | Objection> {
  const began = { monotonic: clock.monotonic(), wall: clock.wall() };
  const { node, places, era } = action;
  const now = await nodes.identify(begin);
  if (now.abilities !== era.abilities) return refused(`the API server is ${now.server} now`);

  const tenants = new Map(places.flatMap(({ tenant }) => (tenant === undefined ? [] : [[tenant.name, tenant]])));
  const [answers, current, ...inhabitants] = await Promise.all([
    Promise.all(places.map(({ address }) => kubelets.check(address, begin))),
    nodes.read(node.name, begin),
    ...[...tenants.keys()].map((name) => nodes.read(name, begin)),
  ]);
  begin.throwIfAborted();
  const present = new Map(inhabitants.flatMap((record) => (record === undefined ? [] : [[record.name, record]])));
  const sign = places
    .map((place, index) => signOfLife(place, answers[index], present, action, ownerId))
    .find((each) => each !== undefined);
  if (sign !== undefined) return { result: 'refused', detail: sign, alive: true };
  if (current === undefined) return 'gone';
  const objection = objectionTo(action, current, ownerId);
  if (objection !== undefined) return objection;
  const tookMs = Math.max(clock.monotonic() - began.monotonic, Math.abs(clock.wall() - began.wall));
  if (tookMs > checkTimeoutMs + MARGIN_MS) {
    return { result: 'failed', detail: `the last check took ${Math.round(tookMs / 1_000)}s, and is not believed` };
  }
  return current;
}

function signOfLife(
  { address, tenant, isContested }: Place,
  answer: KubeletAnswer | undefined,
  present: ReadonlyMap<string, NodeRecord>,
  { era }: Deregister,
  ownerId: string,
): string | undefined {
  if (answer === undefined || answer.state === 'silent') return undefined;
  const current = present.get(tenant?.name ?? '');
  const isAnothers =
    isContested !== true &&
    tenant !== undefined &&
    current !== undefined &&
    isStillTenant(tenant, toNode(current, ownerId), address, era);
  return isAnothers ? undefined : `its kubelet answers after all: ${answer.detail}`;
}

/** Why a node is not to be deleted as it is now, or undefined. */
function objectionTo(
  { node, places, era, machineId }: Deregister,
  record: NodeRecord,
  ownerId: string,
): Objection | undefined {
  const current = toNode(record, ownerId);
  if (current.uid !== node.uid) return refused('it is another node of the same name by now');
  if (current.mark?.machineId !== machineId) return refused('its mark is not the one we saw');
  if (current.leaving !== undefined) return refused('it is being deleted already');
  if (current.facts === undefined) return refused('it could not be read whole');
  if (current.facts.ready === 'unreadable') return refused('its status cannot be read');
  if (isReporting(current, era)) return { ...refused('it is reporting after all'), alive: true };
  if (isKept(current)) return refused('kube-register.io/keep is set on it');
  if (current.facts.unschedulable !== false) return refused('it is cordoned');
  const unasked = addressesOf(current).find((address) => !places.some((place) => place.address === address));
  return unasked === undefined ? undefined : refused(`it reports the address ${unasked} now, which was not asked`);
}

function refused(detail: string): Objection {
  return { result: 'refused', detail };
}
