/**
 * What DESIGN sections 3 and 4 say of one observation, worked out the plainest way: every machine against every node. It shares no
 * code with the program, whose plan has to come to the same.
 */
import { isIP } from 'node:net';
import type { NodeRecord } from '../../src/kubernetes/registry.ts';
import type { Machine } from '../../src/reconcile/machines.ts';
import type { Policy } from '../../src/reconcile/policy.ts';
import type { Node } from '../../src/reconcile/resolve.ts';
import type { Observation } from '../../src/reconcile/witnesses.ts';

export const MACHINE_ID = 'kube-register.io/machine-id';
export const ADDRESS = 'kube-register.io/address';
export const SINCE = 'kube-register.io/since';
export const LABELS = 'kube-register.io/labels';
export const MANAGED = 'kube-register.io/managed';
const KEEP = 'kube-register.io/keep';

export type NamedBy = 'ip' | 'metadata';

/** How long a copy has watched a node in one row of the witness table. */
export interface Watch {
  readonly row: string;
  readonly ms: number;
  readonly passes: number;
  /** Deregistrations that came to nothing: who failed lately goes to the end of the queue. */
  readonly failures: number;
}

/** What a copy knows from the passes before. */
export interface Past {
  readonly watches: ReadonlyMap<string, Watch>;
  readonly lastNames: ReadonlyMap<string, string>;
  /** The verdict that says why a machine is not registered under that name again so soon. */
  futile(machine: Machine, name: string): 'refused' | 'hidden' | undefined;
  /** What counts of the time since the good pass before. */
  readonly elapsedMs: number;
}

export interface Judgement {
  /** By machine id: the verdict, and the name of the node that is or becomes its own. */
  readonly machines: ReadonlyMap<string, { readonly verdict: string; readonly node?: string }>;
  /** By node name: the verdicts that are right; more than one where the pacing decides. */
  readonly nodes: ReadonlyMap<string, readonly string[]>;
  /** By node uid, for every marked node that is not alive. */
  readonly watches: ReadonlyMap<string, Watch>;
  /** By node name: the grace of a node that is not alive, ms. */
  readonly graces: ReadonlyMap<string, number>;
  /** Marked nodes. */
  readonly managed: number;
  readonly isHeld: boolean;
  /** By node name: addresses that had to be asked, and were not. */
  readonly unasked: ReadonlyMap<string, readonly string[]>;
  /** Names of marked nodes whose kubelet was not heard, and which were not read in this pass. */
  readonly unread: readonly string[];
}

/** The mark; an empty one is none. */
export function markOf({ annotations }: Pick<NodeRecord, 'annotations'>): string | undefined {
  return annotations.get(MACHINE_ID) || undefined;
}

export function isKept({ labels, annotations }: Pick<NodeRecord, 'labels' | 'annotations'>): boolean {
  return [labels.get(KEEP), annotations.get(KEEP)].some((value) => value !== undefined && value !== 'false');
}

export function judge(observation: Observation, past: Past, policy: Policy, namedBy: NamedBy): Judgement {
  const { nodes, kubelets, era } = observation;
  const machines = [...observation.machines.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const { owned, disputed } = nodesOf(machines.filter(isCandidate), nodes, namedBy);
  const ownerOf = (node: Node) => machines.find(({ id }) => owned.get(id) === node);

  const witnesses = new Map(
    nodes.map((node) => {
      const owner = ownerOf(node);
      const named =
        machines.find(({ id }) => id === node.identity.machineId) ?? machines.find(({ id }) => id === markOf(node));
      const own = owner ?? (named !== undefined && owned.has(named.id) ? undefined : named);
      const asked = placesOf(node, own, machines);
      const isHeard = asked.some((address) => isSignOfLife(kubelets.get(address)?.state));
      const speaker = owner ?? named;
      const fleet = speaker === undefined ? 'not listed' : hasRole(speaker) ? 'matches' : 'no longer matches';
      return [
        node,
        { owner, asked, isHeard, fleet, isAlive: isHeard || node.now === undefined || node.now.ready === 'ready' },
      ];
    }),
  );

  const watches = new Map<string, Watch>();
  const graces = new Map<string, number>();
  const marked = nodes.filter((node) => markOf(node) !== undefined);
  for (const node of marked) {
    const witness = witnesses.get(node);
    if (witness === undefined || witness.isAlive) continue;
    const row = `${witness.fleet} ${markOf(node)}`;
    const before = past.watches.get(node.uid);
    const isSame = before?.row === row;
    watches.set(node.uid, {
      row,
      ms: isSame ? before.ms + past.elapsedMs : 0,
      passes: isSame ? before.passes + 1 : 1,
      failures: isSame ? before.failures : 0,
    });
    graces.set(node.name, witness.fleet === 'matches' ? policy.unhealthyGraceMs : policy.missingGraceMs);
  }
  const free = marked.filter((node) => !isKept(node));
  const gone = free.filter((node) => watches.has(node.uid)).length;
  const limit = policy.maxDeregisterPercent;
  const isGuarded = limit < 100 && policy.neverDeregister === undefined;
  const isHeld = isGuarded && ((gone > 1 && 100 * gone > limit * free.length) || (gone > 0 && gone === free.length));

  const verdicts = new Map<string, readonly string[]>();
  const unasked = new Map<string, readonly string[]>();
  const unread: string[] = [];
  for (const node of nodes) {
    const witness = witnesses.get(node);
    if (witness === undefined) continue;
    const { owner, asked, isHeard, fleet, isAlive } = witness;
    const mark = markOf(node);
    if (mark !== undefined && !isHeard) {
      const missed = asked.filter((address) => !kubelets.has(address));
      if (missed.length > 0) unasked.set(node.name, missed);
      if (node.now === undefined) unread.push(node.name);
    }
    if (mark === undefined) verdicts.set(node.name, [unmarkedVerdict()]);
    else if (isAlive) verdicts.set(node.name, [aliveVerdict()]);
    else verdicts.set(node.name, goneVerdicts());

    function unmarkedVerdict(): string {
      if (owner === undefined) return 'foreign';
      const shows = isHeard || node.now?.ready === 'ready';
      return policy.adopt && !era.hidesMinions && shows ? 'adopt' : 'recognised';
    }

    function aliveVerdict(): string {
      if (fleet === 'not listed') return 'orphan';
      if (fleet === 'no longer matches') return 'unmatched';
      return isHeard || node.now === undefined ? 'keep' : 'probe-suspect';
    }

    function goneVerdicts(): readonly string[] {
      const graceMs = graces.get(node.name) ?? 0;
      const watch = watches.get(node.uid);
      if (isKept(node) || node.now?.unschedulable === true) return ['vetoed'];
      if (policy.neverDeregister !== undefined || graceMs === Number.POSITIVE_INFINITY) return ['spared'];
      if (isHeld) return ['held'];
      const isDue = watch !== undefined && watch.ms >= graceMs && watch.passes >= 3;
      return isDue ? ['deregister', 'queued'] : ['in-grace'];
    }
  }

  const judged = judgeMachines(machines, owned, disputed, { observation, past, namedBy });
  return { machines: judged, nodes: verdicts, watches, graces, managed: marked.length, isHeld, unasked, unread };
}

type Candidate = Machine & { readonly address: string };

function hasRole({ metadata }: Machine): boolean {
  return metadata.get('role') === 'kubernetes';
}

function isCandidate(machine: Machine): machine is Candidate {
  return hasRole(machine) && machine.address !== undefined && new Set(machine.addresses).size === 1;
}

function isSignOfLife(state: string | undefined): boolean {
  return state === 'healthy' || state === 'answers';
}

function nameOf({ address, metadata }: Candidate, namedBy: NamedBy): string | undefined {
  return namedBy === 'ip' ? address : metadata.get('host');
}

/** Every machine comes to the node of its first step that decides; of those that come to one node one has it. */
function nodesOf(machines: readonly Candidate[], nodes: readonly Node[], namedBy: NamedBy) {
  const claims: { machine: Candidate; node: Node; step: number }[] = [];
  const disputed = new Set<string>();
  for (const machine of machines) {
    const fits = (node: Node, step: number): boolean => {
      const { machineId, addresses } = node.identity;
      if (step === 1) return machineId === machine.id;
      if (machineId !== '' && machineId !== machine.id) return false;
      const isAtAddress = addresses.includes(machine.address);
      if (step === 2) return markOf(node) === machine.id && (node.now?.ready === 'ready' || isAtAddress);
      return step === 3 ? node.name === nameOf(machine, namedBy) : isAtAddress;
    };
    for (const step of [1, 2, 3, 4]) {
      const fitting = nodes.filter((node) => fits(node, step));
      if (fitting.length > 0) disputed.add(machine.id);
      const sure = fitting.filter(
        (node) => node.now?.ready === 'ready' && node.identity.addresses.includes(machine.address),
      );
      const [node, ...others] = fitting.length === 1 ? fitting : sure;
      if (node === undefined || others.length > 0) continue;
      claims.push({ machine, node, step });
      break;
    }
  }
  const owned = new Map<string, Node>();
  const rank = ({ machine, node, step }: (typeof claims)[number]) =>
    `${step} ${markOf(node) === machine.id ? 0 : 1} ${machine.id}`;
  for (const claim of claims.sort((a, b) => (rank(a) < rank(b) ? -1 : 1))) {
    if ([...owned.values()].includes(claim.node)) continue;
    owned.set(claim.machine.id, claim.node);
    disputed.delete(claim.machine.id);
  }
  return { owned, disputed };
}

/** Where its kubelet has to be asked, unless it was heard at another of these. */
function placesOf(node: Node, own: Machine | undefined, machines: readonly Machine[]): readonly string[] {
  const carried = [...node.identity.addresses, node.annotations.get(ADDRESS) ?? ''].filter((each) => isIP(each) !== 0);
  const free = carried.filter(
    (address) => !machines.some((other) => other !== own && other.addresses.includes(address)),
  );
  return own?.address === undefined ? free : [own.address, ...free];
}

function judgeMachines(
  machines: readonly Machine[],
  owned: ReadonlyMap<string, Node>,
  disputed: ReadonlySet<string>,
  { observation, past, namedBy }: { observation: Observation; past: Past; namedBy: NamedBy },
): Judgement['machines'] {
  const names = new Set(observation.nodes.map(({ name }) => name));
  const addresses = new Set<string>();
  const judged = new Map<string, { readonly verdict: string; readonly node?: string }>();
  for (const machine of machines) {
    const node = owned.get(machine.id)?.name;
    if (!hasRole(machine)) judged.set(machine.id, { verdict: 'not-selected' });
    else if (!isCandidate(machine)) judged.set(machine.id, { verdict: 'unusable' });
    else if (node !== undefined) judged.set(machine.id, { verdict: 'has-node', node });
    else if (disputed.has(machine.id)) judged.set(machine.id, { verdict: 'conflict' });
    else if (observation.kubelets.get(machine.address)?.state !== 'healthy')
      judged.set(machine.id, { verdict: 'waiting' });
    else judged.set(machine.id, newcomer(machine));
  }
  return judged;

  function newcomer(machine: Candidate): { readonly verdict: string; readonly node?: string } {
    const last = past.lastNames.get(machine.id);
    const name = last !== undefined && !names.has(last) ? last : nameOf(machine, namedBy);
    if (name === undefined) return { verdict: 'unnamed' };
    if (names.has(name)) return { verdict: 'conflict' };
    if (!/^[a-z0-9.-]+$/.test(name)) return { verdict: 'unnamed' };
    if (addresses.has(machine.address)) return { verdict: 'conflict' };
    const futile = past.futile(machine, name);
    if (futile !== undefined) return { verdict: futile };
    names.add(name);
    addresses.add(machine.address);
    return { verdict: 'register', node: name };
  }
}
