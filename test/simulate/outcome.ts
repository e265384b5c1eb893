/** T2 and T3: what a calm cluster has to come to. Knows the hosts and none of the rules; verdicts count only as what a person was told. */
import type { Conditions } from './conditions.ts';
import { answerOf, type Host, reportedAddresses, reportedId, runsKubelet } from './host.ts';
import { fleetOf } from './judge.ts';
import { POST_STANDS_MS } from './kubelets.ts';
import type { StoredNode } from './node-store.ts';
import { isKept, markOf } from './promises.ts';
import type { Told } from './warnings.ts';
import type { World } from './world.ts';

/** Something that is not as it should be, and of which nobody was told. */
export interface Fault {
  readonly rule: string;
  readonly what: string;
}

export interface CalmCluster {
  readonly world: World;
  readonly conditions: Conditions;
  /** By the number of the copy: what its last pass told. */
  readonly told: ReadonlyMap<number, Told>;
}

/** T2: each running, matching host has exactly one node that its kubelet keeps up, and no node stands that nobody keeps up; or a warning says so. */
export function faultOf(cluster: CalmCluster): Fault | undefined {
  if (hasPinnedAddress(cluster.world)) return undefined;
  for (const host of cluster.world.hosts) {
    const fault = isWorking(host, cluster.world) ? hostFault(host, cluster) : undefined;
    if (fault !== undefined) return { rule: 'T2 each host has its node', what: fault };
  }
  for (const node of cluster.world.nodes.values()) {
    const fault = cluster.world.isListed(node) ? nodeFault(node, cluster) : undefined;
    if (fault !== undefined) return { rule: 'T2 each node has its kubelet', what: fault };
  }
  return undefined;
}

/** A known limit: a kubelet goes by the address of another host, which two hosts have exchanged, say. Nothing on the wire tells it from its own. */
export function hasPinnedAddress({ hosts }: World): boolean {
  const addresses = new Map(hosts.map((host) => [host.address, host]));
  return hosts.some((host) => runsKubelet(host) && (addresses.get(host.nodeName) ?? host) !== host);
}

/** T3: two copies of one fleet say the same, but of what changes from moment to moment. */
export function disagreement({ world, told, conditions }: CalmCluster): Fault | undefined {
  const [first, second] = [told.get(0)?.verdicts(), told.get(1)?.verdicts()];
  if (first === undefined || second === undefined || conditions.dryRun) return undefined;
  for (const what of new Set([...first.keys(), ...second.keys()])) {
    const [one, other] = [first.get(what), second.get(what)];
    if (one !== other && !isOfTwins(what, world) && !isLongKnown(one, other))
      return { rule: 'T3 two daemons agree', what: `${what} is ${one} to copy 0 and ${other} to copy 1` };
  }
  return undefined;
}

/** Verdicts that keep a node. Which of them fits may rest on what a copy saw earlier: where a kubelet was reachable, which nodes reported together. */
const KEEPING = ['held', 'unheard', 'spared', 'vetoed', 'orphan', 'not-posting', 'unmatched', 'recognised'];

function isLongKnown(one = '', other = ''): boolean {
  return KEEPING.includes(one) && KEEPING.includes(other);
}

/** Two hosts have the machine id, or are behind the node: which of them is seen is chance. */
function isOfTwins(what: string, { hosts, nodes }: World): boolean {
  const isTwin = (host: Host) =>
    hosts.some(({ name, machineId, nodeName }) => {
      return name !== host.name && (machineId === host.machineId || nodeName === host.nodeName);
    });
  const [kind, name = ''] = what.split(' ');
  const node = nodes.get(name);
  const about = hosts.filter((host) => (kind === 'node' ? node && isRelated(node, host) : host.machineId === name));
  return about.some(isTwin);
}

/** It is on, fleet lists it as a machine of the daemon's, and its kubelet is healthy and can be reached. */
function isWorking(host: Host, world: World): boolean {
  const isListed = host.hasAgent && host.metadata['role'] === 'kubernetes';
  return host.isOn && isListed && !host.isFirewalled && answerOf(host) === 'healthy' && world.isCalm;
}

function hostFault(host: Host, { world, told }: CalmCluster): string | undefined {
  // Before v0.13 a kubelet is reached by whatever node has its address: one that no daemon manages may stand beside its own.
  const isCounted = (node: StoredNode) => world.release.conditionsBy === 'kubelet' || markOf(node) !== undefined;
  const kept = [...world.nodes.values()].filter((node) => keepsUp(host, node, world));
  const nodes = kept.length > 1 ? kept.filter(isCounted) : kept;
  const others = world.hosts.filter((other) => other !== host && nodes.some((node) => keepsUp(other, node, world)));
  if (nodes.length === 1 && (others.length === 0 || sayTheSame([host, ...others]))) return undefined;
  const copies = [...told].filter(([copy]) => fleetOf(copy) === host.fleet).map(([, each]) => each);
  const related = [...world.nodes.values()].filter((node) => isRelated(node, host));
  // Without a node controller a node stays Ready that its kubelet left for another name, and nobody can tell.
  if (related.some((node) => isUnwatched(node, world))) return undefined;
  const isWarned = (each: Host) => copies.some((copy) => isToldOf(each, copy, world));
  // Of hosts that share a node, whoever gives the others names of their own mends this one too.
  if (isWarned(host) || (others.length > 0 && others.every(isWarned))) return undefined;
  const found = nodes.map(({ name }) => name).join(', ') || 'no node';
  const shared = others.length > 0 ? ` together with ${others.map(({ name }) => name).join(', ')}` : '';
  return [
    `${host.name} at ${host.address}, whose kubelet calls itself ${host.nodeName}, keeps up ${found}${shared}`,
    ...copies.map((each) => `its machine is ${each.describeMachine(host.machineId)}`),
    ...related.flatMap(({ name }) => copies.map((each) => `node ${name} is ${each.describe(name)}`)),
  ].join('\n      ');
}

function isToldOf(host: Host, copy: Told, world: World): boolean {
  const related = [...world.nodes.values()].filter((node) => isRelated(node, host));
  return (
    copy.isMachineWarned(host.machineId) ||
    related.some(({ name }) => copy.isNodeWarned(name)) ||
    [host.machineId, host.nodeName, host.address].some((text) => copy.isMentioned(text))
  );
}

function nodeFault(node: StoredNode, { world, told, conditions }: CalmCluster): string | undefined {
  if (world.hosts.some((host) => keepsUp(host, node, world))) return undefined;
  // Nobody tells of a node that no daemon manages where nobody writes conditions.
  const isManaged = markOf(node) !== undefined;
  if (world.release.conditionsBy === 'nobody' && !isManaged) return undefined;
  // v0.9 asks whatever kubelet is where DNS says.
  if (world.release.conditionsBy === 'controller' && !isManaged && node.ready === 'true') return undefined;
  if (isUnwatched(node, world)) return undefined;
  // An operator who keeps or cordons a node knows of it.
  if (isKept(node) || node.unschedulable) return undefined;
  const copies = [...told.values()];
  if (copies.some((each) => each.isNodeWarned(node.name) || each.isMentioned(node.name))) return undefined;
  const { neverDeregister, unhealthyGraceMs, missingGraceMs } = conditions.policy;
  const isSpared =
    neverDeregister !== undefined || Math.max(unhealthyGraceMs, missingGraceMs) === Number.POSITIVE_INFINITY;
  if (isSpared && copies.some((each) => each.verdictOn(node.name) === 'spared')) return undefined;
  const mark = markOf(node) ?? 'nothing';
  return [
    `node ${node.name} (${node.ready}, at ${node.addresses.join()}, marked ${mark.slice(0, 8)}) stands, and no kubelet keeps it up`,
    ...copies.map((each) => `it is ${each.describe(node.name)}`),
  ].join('\n      ');
}

/** Two kubelets of one name that report the same look like one. */
function sayTheSame(hosts: readonly Host[]): boolean {
  return new Set(hosts.map((host) => [reportedId(host), ...reportedAddresses(host)].join())).size === 1;
}

/** Without a node controller a node stays Ready for ever: where something answers at its address, or no daemon manages it, nobody can tell. */
function isUnwatched(node: StoredNode, world: World): boolean {
  if (world.controllers.has('node controller') || node.ready !== 'true') return false;
  const isAnswered = [...node.addresses, node.annotations.get('kube-register.io/address') ?? ''].some(
    (address) => world.answerAt(address) !== undefined,
  );
  return isAnswered || markOf(node) === undefined;
}

/** A kubelet keeps a node up that posts to it; before v0.13 nobody posts, and it does when the server reaches it there. */
function keepsUp(host: Host, node: StoredNode, world: World): boolean {
  if (!runsKubelet(host) || !world.isNodeOf(node, host)) return false;
  if (world.release.conditionsBy !== 'kubelet') return answerOf(host) !== undefined;
  const post = node.posts.get(host.name);
  return post !== undefined && world.nowMs - post.lastMs <= POST_STANDS_MS;
}

/** A warning about such a node is one about the host. */
function isRelated(node: StoredNode, host: Host): boolean {
  return (
    [host.nodeName, host.address, host.name, host.metadata['host']].includes(node.name) ||
    node.addresses.includes(host.address) ||
    node.machineId === host.machineId ||
    markOf(node) === host.machineId
  );
}
