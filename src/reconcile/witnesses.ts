/** The three witnesses of a node's life: what fleet, its kubelet and Kubernetes say of it in this pass. */
import { usableAddress } from '../address.ts';
import type { KubeletAnswer } from '../kubelet/kubelet.ts';
import type { Machine } from './machines.ts';
import { ADDRESS, markOf } from './marks.ts';
import type { GivenName, Node, Resolution } from './resolve.ts';

/** Everything that one pass saw. Complete, or there is no observation. */
export interface Observation {
  /** By id: every machine that fleet lists. */
  readonly machines: ReadonlyMap<string, Machine>;
  /** Records of the listing that name no machine. */
  readonly skippedRecords: number;
  readonly nodes: readonly Node[];
  /** By machine id, for candidates: what NODE_NAME gives. */
  readonly names: ReadonlyMap<string, GivenName>;
  readonly resolution: Resolution;
  /** By address: the kubelets that were asked. */
  readonly kubelets: ReadonlyMap<string, KubeletAnswer>;
}

export interface Testimony {
  readonly fleet: 'matches' | 'no-match' | 'not-listed';
  readonly kubelet: 'healthy' | 'answers' | 'silent' | 'unasked';
  /** What the kubelet's word rests on, for people. */
  readonly kubeletDetail: string;
  /** Where the kubelet is asked, undefined when it cannot be. */
  readonly address: string | undefined;
  /** `unread`: it was not asked, because the kubelet's word sufficed. */
  readonly kubernetes: 'ready' | 'not-ready' | 'none' | 'unread';
  /** While this is true the node is never deregistered, whatever fleet says. */
  readonly alive: boolean;
}

/** What was seen of the machines: enough to know whom to ask about a node. */
type Sight = Pick<Observation, 'machines' | 'resolution'> & {
  readonly machinesAt: ReadonlyMap<string, readonly Machine[]>;
};

/** The machines by every address that fleet gives them. */
export function machinesByAddress(machines: Iterable<Machine>): ReadonlyMap<string, readonly Machine[]> {
  const at = new Map<string, Machine[]>();
  for (const machine of machines) {
    for (const address of machine.addresses) {
      const tenants = at.get(address);
      if (tenants === undefined) at.set(address, [machine]);
      else tenants.push(machine);
    }
  }
  return at;
}

/**
 * Where a node's kubelet is asked: at its machine's address; for a marked node that no machine comes to, at the address the
 * node carries, unless fleet gives that address to another machine, whose kubelet would answer for it.
 */
export function whereToAsk(node: Node, sight: Sight): { readonly address: string } | { readonly problem: string } {
  const match = sight.resolution.byNode.get(node.name);
  if (match !== undefined) return { address: match.machine.address };

  const marked = sight.machines.get(markOf(node) ?? '');
  const own = marked !== undefined && !sight.resolution.byMachine.has(marked.id) ? marked : undefined;
  if (own?.address !== undefined) return { address: own.address };

  const carried = node.identity.addresses[0] ?? usableAddress(node.annotations.get(ADDRESS) ?? '');
  if (carried === undefined) return { problem: 'the node carries no address' };
  const tenant = sight.machinesAt.get(carried)?.find((machine) => machine !== own);
  if (tenant !== undefined) return { problem: `fleet gives its address ${carried} to machine ${tenant.id}` };
  return { address: carried };
}

/** Hears the witnesses of every node that has a mark or a machine, by node name. */
export function hearWitnesses(observation: Observation): ReadonlyMap<string, Testimony> {
  const { machines, resolution, nodes } = observation;
  const sight: Sight = { machines, resolution, machinesAt: machinesByAddress(machines.values()) };
  const heard = new Map<string, Testimony>();
  for (const node of nodes) {
    if (markOf(node) === undefined && !resolution.byNode.has(node.name)) continue;
    heard.set(node.name, hear(node, sight, observation.kubelets));
  }
  return heard;
}

function hear(node: Node, sight: Sight, kubelets: ReadonlyMap<string, KubeletAnswer>): Testimony {
  const place = whereToAsk(node, sight);
  const address = 'address' in place ? place.address : undefined;
  const answer = address === undefined ? undefined : kubelets.get(address);
  const kubelet = answer?.state ?? 'unasked';
  const kubernetes = node.now?.ready ?? 'unread';
  return {
    fleet: fleetSays(node, sight),
    kubelet,
    kubeletDetail: answer?.detail ?? ('problem' in place ? place.problem : `${place.address} was not asked`),
    address,
    kubernetes,
    // What was not read cannot be told, and who cannot tell does not act.
    alive: kubelet === 'healthy' || kubelet === 'answers' || kubernetes === 'ready' || kubernetes === 'unread',
  };
}

function fleetSays(node: Node, sight: Sight): Testimony['fleet'] {
  const match = sight.resolution.byNode.get(node.name);
  const machine = match?.machine ?? sight.machines.get(markOf(node) ?? '');
  if (machine === undefined) return 'not-listed';
  return machine.matches ? 'matches' : 'no-match';
}

/** `kubelet silent; Kubernetes says NotReady` */
export function describe({ kubelet, kubernetes }: Testimony): string {
  const said = {
    ready: 'says Ready',
    'not-ready': 'says NotReady',
    none: 'keeps no Ready condition',
    unread: 'not asked',
  };
  return `kubelet ${kubelet === 'unasked' ? 'cannot be asked' : kubelet}; Kubernetes ${said[kubernetes]}`;
}
