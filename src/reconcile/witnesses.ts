/** The three witnesses of a node's life: what fleet, its kubelet and Kubernetes say of it in this pass. */
import { usableAddress } from '../address.ts';
import type { KubeletAnswer } from '../kubelet/kubelet.ts';
import type { Era } from '../kubernetes/registry.ts';
import type { Machine } from './machines.ts';
import { ADDRESS, markOf } from './marks.ts';
import type { GivenName, Node, Resolution } from './resolve.ts';

/** Everything that one pass saw. Complete, or there is no observation. */
export interface Observation {
  /** By id: every machine that fleet lists. */
  readonly machines: ReadonlyMap<string, Machine>;
  /** By every address that fleet gives them. */
  readonly machinesAt: ReadonlyMap<string, readonly Machine[]>;
  /** Records of the listing that name no machine. */
  readonly skippedRecords: number;
  readonly era: Era;
  readonly nodes: readonly Node[];
  /** Why the API server could not list its nodes; there are none then, and that says nothing. */
  readonly unlistable: string | undefined;
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
  /** Where the kubelet is asked; empty when it cannot be. */
  readonly addresses: readonly string[];
  /** `unread`: it was not asked, because the kubelet's word sufficed. */
  readonly kubernetes: 'ready' | 'not-ready' | 'none' | 'unread';
  /** While this is true the node is never deregistered, whatever fleet says. */
  readonly alive: boolean;
}

/** What was seen of the machines: enough to know whom to ask about a node. */
export type Sight = Pick<Observation, 'machines' | 'machinesAt' | 'resolution'>;

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

/** Where a node's kubelet is asked: the likeliest address first, none when there is nobody to ask. */
export interface Places {
  readonly addresses: readonly string[];
  /** Why there is no address, for people. */
  readonly problem: string | undefined;
}

/**
 * A kubelet is asked at its machine's address, and at every address that the node carries, unless fleet gives that address to
 * another machine, whose kubelet would answer for it. One answer is a sign of life.
 */
export function placesToAsk(node: Node, sight: Sight): Places {
  const own = ownMachine(node, sight);
  const carried = [...node.identity.addresses, usableAddress(node.annotations.get(ADDRESS) ?? '')];
  const addresses = new Set(own?.address === undefined ? [] : [own.address]);
  let problem: string | undefined;
  for (const address of carried) {
    if (address === undefined) continue;
    const tenant = sight.machinesAt.get(address)?.find((machine) => machine !== own);
    if (tenant === undefined) addresses.add(address);
    else problem = `fleet gives its address ${address} to machine ${tenant.id}`;
  }
  if (addresses.size > 0) return { addresses: [...addresses], problem: undefined };
  return { addresses: [], problem: problem ?? 'the node carries no address' };
}

/** The machine that came to the node, else the one whose id it reports or its mark names, unless that came to another node. */
function ownMachine(node: Node, sight: Sight): Machine | undefined {
  const match = sight.resolution.byNode.get(node.name);
  if (match !== undefined) return match.machine;
  const named = namedMachine(node, sight);
  return named !== undefined && sight.resolution.byMachine.has(named.id) ? undefined : named;
}

function namedMachine({ identity, annotations }: Node, { machines }: Sight): Machine | undefined {
  return machines.get(identity.machineId) ?? machines.get(markOf({ annotations }) ?? '');
}

/** Hears the witnesses of every node that has a mark or a machine, by node name. */
export function hearWitnesses(observation: Observation): ReadonlyMap<string, Testimony> {
  const { resolution, nodes } = observation;
  const heard = new Map<string, Testimony>();
  for (const node of nodes) {
    if (markOf(node) === undefined && !resolution.byNode.has(node.name)) continue;
    heard.set(node.name, hear(node, observation, observation.kubelets));
  }
  return heard;
}

function hear(node: Node, sight: Sight, kubelets: ReadonlyMap<string, KubeletAnswer>): Testimony {
  const { addresses, problem } = placesToAsk(node, sight);
  const answer = loudest(addresses, kubelets);
  const kubelet = answer?.state ?? 'unasked';
  const kubernetes = node.now?.ready ?? 'unread';
  return {
    fleet: fleetSays(node, sight),
    kubelet,
    kubeletDetail: answer?.detail ?? problem ?? `${addresses.join(', ')} was not asked`,
    addresses,
    kubernetes,
    // What was not read cannot be told, and who cannot tell does not act.
    alive: isHeard({ kubelet }) || kubernetes === 'ready' || kubernetes === 'unread',
  };
}

/** Whether the kubelet gave any answer at all. */
export function isHeard({ kubelet }: Pick<Testimony, 'kubelet'>): boolean {
  return kubelet === 'healthy' || kubelet === 'answers';
}

/** Of the answers from several addresses of one kubelet, the best; undefined when none of them was asked. */
export function loudest(
  addresses: readonly string[],
  kubelets: ReadonlyMap<string, KubeletAnswer>,
): KubeletAnswer | undefined {
  const answers = addresses.flatMap((address) => kubelets.get(address) ?? []);
  return (
    answers.find(({ state }) => state === 'healthy') ?? answers.find(({ state }) => state === 'answers') ?? answers[0]
  );
}

function fleetSays(node: Node, sight: Sight): Testimony['fleet'] {
  const machine = sight.resolution.byNode.get(node.name)?.machine ?? namedMachine(node, sight);
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
