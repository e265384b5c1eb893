/**
 * Watches the wire and the reports of every copy, and tells which rule of DESIGN was broken. It shares no code with the plan; of the
 * reports it believes which nodes were seen and what the witnesses said of them, and counts the rest anew.
 */
import type { NodeDraft } from '../../src/kubernetes/registry.ts';
import type { Plan } from '../../src/reconcile/plan.ts';
import type { Policy } from '../../src/reconcile/policy.ts';
import type { PassReport } from '../../src/reconcile/reconciler.ts';
import type { Observation } from '../../src/reconcile/witnesses.ts';
import type { Release, Wiretap } from './servers.ts';
import type { Host, StoredNode, World } from './world.ts';

const MACHINE_ID = 'kube-register.io/machine-id';
const ADDRESS = 'kube-register.io/address';
const LABELS = 'kube-register.io/labels';
const MANAGED = 'kube-register.io/managed';
const KEEP = 'kube-register.io/keep';

export class BrokenRule extends Error {
  override readonly name = 'BrokenRule';

  /** `rule` is DESIGN's, in its own words and with its section. */
  constructor(rule: string, what: string) {
    super(`${what}\n  DESIGN ${rule}`);
  }
}

/** A node as a copy saw it last in this pass. */
interface Sighting {
  readonly isWhole: boolean;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly ready: StoredNode['ready'];
  readonly unschedulable: boolean;
}

/** How long a copy has watched a node in one row of the witness table, counted anew here. */
interface Watch {
  readonly row: string;
  readonly ms: number;
  readonly passes: number;
}

interface Removal {
  readonly node: StoredNode;
  readonly addresses: readonly string[];
}

/** What one copy did and heard in the pass that is running, and what it has watched since it started. */
class CopyRecord {
  requests = 0;
  writes = 0;
  lastListedAtMs = Number.NEGATIVE_INFINITY;
  /** Hosts whose kubelets answered. */
  readonly heard = new Set<Host>();
  readonly sightings = new Map<string, Sighting>();
  readonly removals: Removal[] = [];
  watches: ReadonlyMap<string, Watch> = new Map();
  lastGoodMs: number | undefined;

  beginPass(): void {
    this.requests = 0;
    this.writes = 0;
    this.lastListedAtMs = Number.NEGATIVE_INFINITY;
    this.heard.clear();
    this.sightings.clear();
    this.removals.length = 0;
  }
}

export class Referee implements Wiretap {
  /** The first rule that was broken. It is thrown too, but the daemon isolates what goes wrong in an action. */
  broken: BrokenRule | undefined;
  readonly #world: World;
  readonly #release: Release;
  readonly #policy: Policy;
  readonly #copies = new Map<number, CopyRecord>();
  /** Names of what is to be seen of a run: a simulation in which nothing is deleted proves nothing. */
  readonly counts = new Map<string, number>();

  constructor(world: World, release: Release, policy: Policy) {
    this.#world = world;
    this.#release = release;
    this.#policy = policy;
  }

  /** The copy was started, or started again: it remembers nothing. */
  started(copy: number): void {
    this.#copies.set(copy, new CopyRecord());
  }

  /** Judges what a schedule finds when all is over. */
  expect(isSo: boolean, rule: string, what: () => string): void {
    if (!isSo) this.#refuse(rule, what());
  }

  beginPass(copy: number): void {
    this.#of(copy).beginPass();
  }

  requested(copy: number): void {
    this.#of(copy).requests += 1;
  }

  heardKubelet(copy: number, host: Host): void {
    this.#of(copy).heard.add(host);
  }

  listing(copy: number): void {
    this.#of(copy).lastListedAtMs = this.#world.nowMs;
  }

  sawNode(copy: number, node: StoredNode, isWhole: boolean): void {
    const before = this.#of(copy).sightings.get(node.uid);
    // What a list of metadata does not tell is known from the last reading.
    const { ready, unschedulable } = isWhole ? node : (before ?? { ready: 'none' as const, unschedulable: false });
    this.#of(copy).sightings.set(node.uid, {
      isWhole: isWhole || before?.isWhole === true,
      labels: new Map(node.labels),
      annotations: new Map(node.annotations),
      ready,
      unschedulable,
    });
  }

  creating(copy: number, { name, annotations }: NodeDraft): void {
    const record = this.#of(copy);
    record.writes += 1;
    this.#count('created');
    const id = annotations.get(MACHINE_ID);
    const other = [...this.#world.nodes.values()].find(
      (node) =>
        node.bornOf !== undefined &&
        node.bornOf === id &&
        node.machineId === id &&
        node.madeAtMs < record.lastListedAtMs,
    );
    if (other !== undefined) {
      this.#refuse(
        '3: no phantom node is made beside a kubelet that registered itself',
        `copy ${copy} creates ${name} for machine ${id}, which has the node ${other.name}`,
      );
    }
  }

  updating(copy: number, node: StoredNode, keys: readonly string[]): void {
    const record = this.#of(copy);
    record.writes += 1;
    this.#count('updated');
    const seen = record.sightings.get(node.uid);
    const written = seen?.annotations.get(LABELS)?.split(',') ?? [];
    const foreign = keys.find((key) => key !== MANAGED && !written.includes(key) && seen?.labels.has(key) !== false);
    if (foreign !== undefined) {
      this.#refuse(
        '3: only the labels that we wrote ever change, or go',
        `copy ${copy} changes the label ${foreign} of ${node.name}, which it did not write`,
      );
    }
  }

  removing(copy: number, node: StoredNode): void {
    const record = this.#of(copy);
    record.writes += 1;
    this.#count('deleted');
    const seen = record.sightings.get(node.uid);
    // Servers that compare the version delete nothing that was changed after the look; with others the look is what counts.
    const last = this.#release.checksVersionOnDelete ? node : seen;
    const refuse: (rule: string, what: string) => never = (rule, what) => this.#refuseDelete(copy, node, rule, what);
    if (seen?.isWhole !== true || last === undefined) refuse('4: the node is read again', 'which it did not read');
    if (!last.annotations.get(MACHINE_ID)) refuse('4: only a node with our mark is ever deleted', 'which has no mark');
    if (seen.ready === 'ready')
      refuse('4: while Kubernetes calls it Ready, a node is never deregistered', 'which is Ready');
    if (isKept(last)) refuse('4: without the veto kube-register.io/keep=true', 'which somebody keeps');
    if (last.unschedulable) refuse('4: not cordoned', 'which is cordoned');
    const carried = [...node.addresses, node.annotations.get(ADDRESS) ?? ''];
    record.removals.push({ node, addresses: carried.filter((address) => address !== '') });
  }

  /** Judges the pass as a whole. */
  endPass(copy: number, report: PassReport): void {
    const record = this.#of(copy);
    const most = 20 + 8 * (this.#world.nodes.size + this.#world.hosts.length);
    if (record.requests > most)
      this.#refuse('9: requests in a pass are bounded', `copy ${copy} sent ${record.requests}`);
    if (report.seen === undefined) {
      if (record.writes > 0) this.#refuse('2: a failed observation changes nothing', `copy ${copy} wrote`);
      this.#count('observation failed');
      return;
    }
    const { observation, plan } = report.seen;
    for (const { name } of [...plan.nodes.values(), ...plan.machines.values()]) this.#count(`verdict ${name}`);
    for (const { action, result } of report.outcomes) this.#count(`${action.kind} ${result}`);

    const { watches, managed, gone, free } = this.#watch(record, observation, plan);
    const { maxDeregisterPercent } = this.#policy;
    const isHeld =
      maxDeregisterPercent < 100 &&
      ((gone > 1 && (100 * gone) / free > maxDeregisterPercent) || (gone > 0 && gone === free));
    if (isHeld) this.#count('held');
    record.watches = isHeld ? new Map() : watches;

    const pace = Math.max(1, Math.floor(managed / 100));
    if (record.removals.length > pace) {
      this.#refuse(
        '4: at most 1 % of the managed nodes, and at least one',
        `copy ${copy} deletes ${record.removals.length} of ${managed}`,
      );
    }
    for (const removal of record.removals) {
      if (isHeld) {
        this.#refuseDelete(
          copy,
          removal.node,
          '4: nothing is deregistered while too many look gone',
          `while ${gone} of ${free} look gone`,
        );
      }
      this.#judgeRemoval(copy, removal, watches.get(removal.node.uid));
    }
  }

  /** What the copy has watched by now, and how many nodes bear our mark, look gone, and nobody keeps. */
  #watch(record: CopyRecord, observation: Observation, plan: Plan) {
    const nowMs = plan.memory.lastGoodMs ?? 0;
    const { intervalMs } = this.#policy;
    const elapsedMs = record.lastGoodMs === undefined ? 0 : Math.min(nowMs - record.lastGoodMs, 2 * intervalMs);
    record.lastGoodMs = nowMs;
    const watches = new Map<string, Watch>();
    let [managed, gone, free] = [0, 0, 0];
    for (const node of observation.nodes) {
      const mark = node.annotations.get(MACHINE_ID);
      const testimony = plan.testimonies.get(node.name);
      if (!mark || testimony === undefined) continue;
      managed += 1;
      if (!isKept(node)) free += 1;
      if (testimony.alive) continue;
      if (!isKept(node)) gone += 1;
      const row = `${testimony.fleet} ${mark}`;
      const before = record.watches.get(node.uid);
      watches.set(
        node.uid,
        before?.row === row ? { row, ms: before.ms + elapsedMs, passes: before.passes + 1 } : { row, ms: 0, passes: 1 },
      );
    }
    return { watches, managed, gone, free };
  }

  #judgeRemoval(copy: number, { node, addresses }: Removal, watch: Watch | undefined): void {
    const refuse: (rule: string, what: string) => never = (rule, what) => this.#refuseDelete(copy, node, rule, what);
    if (watch === undefined) refuse('4: while the kubelet answers, a node is never deregistered', 'which it saw alive');
    const graceMs = watch.row.startsWith('matches') ? this.#policy.unhealthyGraceMs : this.#policy.missingGraceMs;
    if (watch.ms < graceMs) refuse('4: grace is watched time', `watched for ${watch.ms} ms of ${graceMs}`);
    if (watch.passes < 3) refuse('4: three good passes in a row must have seen the row', `seen in ${watch.passes}`);
    // A host that was installed anew is another machine, and of two with one address nobody can tell which of them answers.
    const keeper = [...this.#of(copy).heard].find(
      (host) =>
        host.nodeName === node.name &&
        host.machineId === node.annotations.get(MACHINE_ID) &&
        !this.#world.hosts.some((other) => other !== host && other.isOn && other.address === host.address),
    );
    if (keeper !== undefined && addresses.includes(keeper.address)) {
      refuse(
        '4: while the kubelet answers, a node is never deregistered',
        `whose kubelet it heard at ${keeper.address}`,
      );
    }
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  #refuse(rule: string, what: string): never {
    const error = new BrokenRule(rule, what);
    this.broken ??= error;
    throw error;
  }

  #refuseDelete(copy: number, node: StoredNode, rule: string, what: string): never {
    return this.#refuse(rule, `copy ${copy} deletes ${node.name}, ${what}`);
  }

  #of(copy: number): CopyRecord {
    const record = this.#copies.get(copy);
    if (record === undefined) throw new Error(`copy ${copy} was not started`);
    return record;
  }
}

function isKept({ labels, annotations }: Pick<Sighting, 'labels' | 'annotations'>): boolean {
  return [labels.get(KEEP), annotations.get(KEEP)].some((value) => value !== undefined && value !== 'false');
}
