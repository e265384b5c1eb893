/** Whether a node is alive (DESIGN 4), and by what evidence: pure. */
import { usableAddress } from '../address.ts';
import type { KubeletAnswer } from '../kubelet/kubelet.ts';
import type { Era, ReadyCondition } from '../kubernetes/registry.ts';
import { type Machine, machinesByAddress } from './machines.ts';
import { addressesOf, isReporting, type Node, reports } from './node.ts';
import type { Listed, Pairing } from './pair.ts';

/** Everything that one pass saw. Complete, or there is no observation. */
export interface Observation extends Listed {
  readonly pairing: Pairing;
  /** Records of the listing that name no machine. */
  readonly skippedRecords: number;
  /** Why the API server could not list its nodes; there are none then, and that says nothing. */
  readonly unlistable: string | undefined;
  /** By address: the kubelets that were asked. */
  readonly kubelets: ReadonlyMap<string, KubeletAnswer>;
}

/** One address at which a node's kubelet is asked. */
export interface Place {
  readonly address: string;
  /** The other node whose kubelet it is that answers there: an answer is not this node's. */
  readonly tenant: Node | undefined;
}

/** What is known of a node's life in this pass. */
export interface Evidence {
  /** The machine paired with it, else the listed one that its mark names, else the listed one whose id it reports. */
  readonly machine: Machine | undefined;
  /** Its machine's id; where fleet lists none, the one that its mark names. */
  readonly machineId: string | undefined;
  readonly fleet: 'matches' | 'no-match' | 'not-listed';
  /** `unasked`: it has no address, or not all were asked. */
  readonly kubelet: 'healthy' | 'answers' | 'silent' | 'unasked';
  /** What the kubelet's answer rests on, for people. */
  readonly kubeletDetail: string;
  readonly places: readonly Place[];
  /** Where its own kubelet answered. */
  readonly answeredAt: readonly string[];
  readonly isReporting: boolean;
  /** `unread`: it was not read in this pass, because its kubelet answered. */
  readonly ready: ReadyCondition | 'unread';
  /** Another node of its machine that is reporting. */
  readonly successor: Node | undefined;
  /** While this is true the node is never deregistered, whatever fleet says. */
  readonly alive: boolean;
}

/** What tells of a node's life, for all nodes of a pass. */
export interface Liveness {
  /** Where its kubelet is asked: its machine's address first. */
  placesOf(node: Node): readonly Place[];
  evidenceOf(node: Node, kubelets: ReadonlyMap<string, KubeletAnswer>): Evidence;
}

/** Works from the pairing alone, so that it can tell whom to ask before anybody was asked. */
export function livenessOf(listed: Listed, pairing: Pairing): Liveness {
  const { machines, nodes, era } = listed;
  const machineIdOf = (node: Node) => idOfMachine(node, machines, pairing);
  const tenantOf = tenants(listed, pairing);
  const reporting = new Map<string, Node[]>();
  for (const node of nodes) {
    const id = isReporting(node, era) ? machineIdOf(node) : undefined;
    if (id !== undefined) reporting.set(id, [...(reporting.get(id) ?? []), node]);
  }

  function placesOf(node: Node): readonly Place[] {
    const machine = machines.get(machineIdOf(node) ?? '');
    const written = usableAddress(node.mark?.address ?? '');
    const addresses = [machine?.address, ...addressesOf(node), written].filter((address) => address !== undefined);
    return [...new Set(addresses)].map((address) => ({ address, tenant: tenantOf(address, node) }));
  }

  function evidenceOf(node: Node, kubelets: ReadonlyMap<string, KubeletAnswer>): Evidence {
    const machineId = machineIdOf(node);
    const machine = machines.get(machineId ?? '');
    const places = placesOf(node);
    const isUp = isReporting(node, era);
    const kubelet = kubeletOf(places, kubelets);
    const ready = node.facts !== undefined && (node.isFresh || isUp) ? node.facts.ready : 'unread';
    return {
      machine,
      machineId,
      fleet: machine === undefined ? 'not-listed' : machine.matches ? 'matches' : 'no-match',
      ...kubelet,
      places,
      isReporting: isUp,
      ready,
      successor: reporting.get(machineId ?? '')?.find(({ name }) => name !== node.name),
      // Whoever cannot tell does not act.
      alive: isUp || kubelet.kubelet !== 'silent' || ready === 'unread' || ready === 'unreadable',
    };
  }

  return { placesOf, evidenceOf };
}

function idOfMachine(
  { name, facts, mark }: Node,
  machines: ReadonlyMap<string, Machine>,
  { byNode }: Pairing,
): string | undefined {
  const paired = byNode.get(name)?.machine.id;
  if (paired !== undefined) return paired;
  // One image gives its id to every kubelet, and it may be that of one listed host: a mark that names a listed machine is believed first.
  const reported = facts?.machineId ?? '';
  const marked = mark?.machineId;
  if (marked !== undefined && machines.has(marked)) return marked;
  return machines.has(reported) ? reported : marked;
}

/**
 * Whose answer it is that comes from an address, where it is not the node's own: another node is reporting that reports the address (or reports
 * none, and bears it in its mark), or that is the node of the machine to which fleet gives it and reports no address that no other node
 * that is reporting has.
 */
function tenants({ machines, nodes, era }: Listed, { byMachine }: Pairing) {
  const at = new Map<string, Node[]>();
  const add = (address: string, node: Node) => {
    const found = at.get(address);
    if (found === undefined) at.set(address, [node]);
    else if (!found.includes(node)) found.push(node);
  };
  const reporters = new Map<string, number>();
  const up = nodes.filter((node) => isReporting(node, era));
  for (const node of up) {
    for (const address of addressesOf(node)) reporters.set(address, (reporters.get(address) ?? 0) + 1);
  }
  for (const node of up) {
    const addresses = addressesOf(node);
    const written = usableAddress(node.mark?.address ?? '');
    for (const address of addresses) add(address, node);
    if (addresses.length === 0 && written !== undefined) add(written, node);
  }
  for (const [address, inhabitants] of machinesByAddress(machines.values())) {
    for (const { id } of inhabitants) {
      const node = byMachine.get(id)?.node;
      if (node === undefined || !isReporting(node, era)) continue;
      if (!addressesOf(node).some((each) => reporters.get(each) === 1)) add(address, node);
    }
  }
  return (address: string, node: Node) => at.get(address)?.find(({ name }) => name !== node.name);
}

/** The best answer of those that are the node's own. */
function kubeletOf(
  places: readonly Place[],
  kubelets: ReadonlyMap<string, KubeletAnswer>,
): Pick<Evidence, 'kubelet' | 'kubeletDetail' | 'answeredAt'> {
  if (places.length === 0) {
    return { kubelet: 'unasked', kubeletDetail: 'it has no address at which it could be asked', answeredAt: [] };
  }
  const asked = places.flatMap(({ address, tenant }) => {
    const answer = kubelets.get(address);
    return answer === undefined ? [] : [{ address, tenant, ...answer }];
  });
  const answers = asked.filter(({ state, tenant }) => state !== 'silent' && tenant === undefined);
  const best = answers.find(({ state }) => state === 'healthy') ?? answers[0];
  if (best !== undefined) {
    return { kubelet: best.state, kubeletDetail: best.detail, answeredAt: answers.map(({ address }) => address) };
  }
  if (asked.length < places.length) {
    const unasked = places.filter(({ address }) => !kubelets.has(address)).map(({ address }) => address);
    return { kubelet: 'unasked', kubeletDetail: `${unasked.join(', ')} was not asked`, answeredAt: [] };
  }
  const details = asked.map(({ state, address, tenant, detail }) =>
    state === 'silent' || tenant === undefined ? detail : `the kubelet at ${address} is that of node ${tenant.name}`,
  );
  return { kubelet: 'silent', kubeletDetail: details.join('; '), answeredAt: [] };
}

/** Whether a node at the same address by now is still the one to which its answers belong. */
export function isStillTenant(before: Node, current: Node, address: string, era: Era): boolean {
  const reportedIt = reports(before, address);
  return current.uid === before.uid && isReporting(current, era) && (!reportedIt || reports(current, address));
}

/** `kubelet unreachable; node Unknown` */
export function describe({ kubelet, ready }: Evidence): string {
  const words = { healthy: 'healthy', answers: 'unhealthy', silent: 'unreachable', unasked: 'not asked' };
  return `kubelet ${words[kubelet]}; ${READY_WORDS[ready]}`;
}

/** As kubectl prints them. */
const READY_WORDS: Readonly<Record<Evidence['ready'], string>> = {
  true: 'node Ready',
  false: 'node NotReady',
  unknown: 'node Unknown',
  none: 'node without a Ready condition',
  unreadable: 'node status cannot be read',
  unread: 'node not read',
};
