/** Watches the wire and the reports of every copy, and tells which rule of DESIGN was broken. It believes no verdict: see the oracle. */
import type { MachineRecord } from '../../src/fleet/machine.ts';
import type { KubeletState } from '../../src/kubelet/kubelet.ts';
import type { MetadataChange, NodeDraft } from '../../src/kubernetes/registry.ts';
import type { Machine } from '../../src/reconcile/machines.ts';
import type { Policy } from '../../src/reconcile/policy.ts';
import type { PassReport } from '../../src/reconcile/reconciler.ts';
import {
  ADDRESS,
  isKept,
  type Judgement,
  judge,
  LABELS,
  MACHINE_ID,
  MANAGED,
  markOf,
  type NamedBy,
  SINCE,
  type Watch,
} from './oracle.ts';
import type { Wiretap } from './servers.ts';
import type { Host, StoredNode, World } from './world.ts';

/** A node's labels and annotations as a copy saw them last in this pass. */
interface Sighting {
  /** When it was seen first in this pass. */
  readonly first: Pick<Sighting, 'labels' | 'annotations'>;
  readonly uid: string;
  readonly isWhole: boolean;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly ready: StoredNode['ready'];
  readonly unschedulable: boolean;
}

export class BrokenRule extends Error {
  override readonly name = 'BrokenRule';
  readonly rule: string;

  /** `rule` is DESIGN's, in its own words and with its section. */
  constructor(rule: string, what: string) {
    super(`${what}\n  DESIGN ${rule}`);
    this.rule = rule;
  }
}

/** How a daemon was set up. */
export interface Conditions {
  readonly policy: Policy;
  readonly namedBy: NamedBy;
  /** Copy 1 applies nothing. */
  readonly dryRun: boolean;
  /** It speaks through the clients that are shipped, above a simulated transport. */
  readonly hasRealClients: boolean;
}

const MINUTE = 60_000;
const FUTILE_MS = 10 * MINUTE;
/** What a write that is under way has once the daemon is to stop. */
const DRAIN_MS = 4_000;

/** What one copy did and heard in the pass that is running, and what it has watched since it started. */
class CopyRecord {
  requests = 0;
  writes = 0;
  failures = 0;
  lastListedAtMs = Number.NEGATIVE_INFINITY;
  readonly machines = new Map<string, MachineRecord[]>();
  /** By address. */
  readonly kubelets = new Map<
    string,
    { readonly state: KubeletState; readonly host: Host | undefined; readonly atMs: number }
  >();
  /** By uid. */
  readonly sightings = new Map<string, Sighting>();
  /** By name: the uid that it had. */
  readonly lastSeen = new Map<string, string>();
  readonly created = new Map<string, NodeDraft>();
  readonly removed: StoredNode[] = [];

  watches: ReadonlyMap<string, Watch> = new Map();
  unlisted: ReadonlyMap<string, number> = new Map();
  readonly lastNames = new Map<string, string>();
  /** Until when: by the name of a node that the server hides, and by what it refused to create. */
  readonly hidden = new Map<string, number>();
  readonly refused = new Map<string, number>();
  lastGoodMs: number | undefined;
  /** When the plan of the pass was made. */
  judgedAtMs = 0;
  server: string | undefined;
  stoppedAtMs = Number.POSITIVE_INFINITY;

  beginPass(): void {
    this.requests = 0;
    this.writes = 0;
    this.failures = 0;
    this.lastListedAtMs = Number.NEGATIVE_INFINITY;
    this.machines.clear();
    this.kubelets.clear();
    this.sightings.clear();
    this.lastSeen.clear();
    this.created.clear();
    this.removed.length = 0;
  }

  /** Another server answers: what was learned of the one before is forgotten. */
  meet(server: string): void {
    if (this.server !== undefined && this.server !== server) {
      this.watches = new Map();
      this.unlisted = new Map();
      this.hidden.clear();
      this.refused.clear();
    }
    this.server = server;
  }
}

/** Whether that copy is set up with DRY_RUN. */
export function isDry({ dryRun }: Conditions, copy: number): boolean {
  return dryRun && copy === 1;
}

export class Referee implements Wiretap {
  /** The first rule that was broken. It is thrown too, but the daemon isolates what goes wrong in an action. */
  broken: BrokenRule | undefined;
  readonly #world: World;
  readonly #conditions: Conditions;
  readonly #copies = new Map<number, CopyRecord>();
  /** Names of what is to be seen of a run: a simulation in which nothing is deleted proves nothing. */
  readonly counts = new Map<string, number>();

  constructor(world: World, conditions: Conditions) {
    this.#world = world;
    this.#conditions = conditions;
  }

  /** The copy was started, or started again: it remembers nothing. */
  started(copy: number): void {
    this.#copies.set(copy, new CopyRecord());
  }

  /** SIGTERM. */
  stopping(copy: number): void {
    this.#of(copy).stoppedAtMs = this.#world.nowMs;
  }

  /** Judges what a schedule finds when all is over. */
  expect(isSo: boolean, rule: string, what: () => string): void {
    if (!isSo) this.#refuse(rule, what());
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  beginPass(copy: number): void {
    this.#of(copy).beginPass();
  }

  requested(copy: number, request: string): void {
    const record = this.#of(copy);
    record.requests += 1;
    if (request.startsWith('GET')) return;
    record.writes += 1;
    // A patch may be the second half of what was begun before: on old servers a look comes first.
    const begins = !request.startsWith('PATCH');
    this.expect(
      !begins || record.stoppedAtMs > this.#world.nowMs,
      '2: a stop begins nothing',
      () => `copy ${copy} sends ${request} after SIGTERM`,
    );
  }

  failed(copy: number): void {
    this.#of(copy).failures += 1;
  }

  listedMachine(copy: number, machine: MachineRecord): void {
    const { machines } = this.#of(copy);
    machines.set(machine.id, [...(machines.get(machine.id) ?? []), machine]);
  }

  heardKubelet(copy: number, address: string, state: KubeletState, host: Host | undefined): void {
    const { kubelets } = this.#of(copy);
    kubelets.set(address, { state, host, atMs: kubelets.get(address)?.atMs ?? this.#world.nowMs });
  }

  listing(copy: number): void {
    this.#of(copy).lastListedAtMs = this.#world.nowMs;
  }

  sawNode(copy: number, node: StoredNode, isWhole: boolean): void {
    const before = this.#of(copy).sightings.get(node.uid);
    // What a list of metadata does not tell is known from the last reading.
    const { ready, unschedulable } = isWhole ? node : (before ?? { ready: 'none' as const, unschedulable: false });
    const metadata = { labels: new Map(node.labels), annotations: new Map(node.annotations) };
    this.#of(copy).lastSeen.set(node.name, node.uid);
    this.#of(copy).sightings.set(node.uid, {
      uid: node.uid,
      first: before?.first ?? metadata,
      isWhole: isWhole || before?.isWhole === true,
      ...metadata,
      ready,
      unschedulable,
    });
  }

  creating(copy: number, draft: NodeDraft): void {
    const record = this.#writing(copy);
    record.created.set(draft.name, draft);
    const id = draft.annotations.get(MACHINE_ID);
    const other = [...this.#world.nodes.values()].find(
      ({ machineId, identifiedAtMs }) => machineId === id && identifiedAtMs < record.lastListedAtMs,
    );
    this.expect(other === undefined, '3: no phantom node is made beside a kubelet that registered itself', () => {
      return `copy ${copy} creates ${draft.name} for machine ${id}, which has the node ${other?.name}`;
    });
    const heardAtMs = record.kubelets.get(draft.address)?.atMs ?? Number.POSITIVE_INFINITY;
    this.expect(
      this.#world.release.era.hidesMinions || heardAtMs <= record.lastListedAtMs,
      '3: nodes are read again before a machine is registered',
      () => `copy ${copy} creates ${draft.name}, and has not listed the nodes since it heard its kubelet`,
    );
  }

  updating(copy: number, node: StoredNode, change: MetadataChange): void {
    const record = this.#writing(copy);
    const seen = record.sightings.get(node.uid);
    // The look that precedes a patch on old servers is for the uid alone.
    const looksFirst = this.#conditions.hasRealClients && !this.#world.release.era.checksUid;
    const base = looksFirst ? seen?.first : seen;
    const written = base?.annotations.get(LABELS)?.split(',') ?? [];
    const foreign = [...change.labels.keys()].find(
      (key) => key !== MANAGED && !written.includes(key) && base?.labels.has(key) !== false,
    );
    const expect = (isSo: boolean, rule: string, what: string) =>
      this.expect(isSo, `3: ${rule}`, () => `copy ${copy} changes ${node.name}: ${what}`);
    expect(
      foreign === undefined,
      'only the labels that we wrote ever change, or go',
      `the label ${foreign}, which it did not write`,
    );
    const listed = change.annotations.get(LABELS);
    const left = written.find(
      (key) =>
        listed !== undefined &&
        !listed?.split(',').includes(key) &&
        base?.labels.has(key) &&
        change.labels.get(key) !== null,
    );
    expect(left === undefined, 'labels that we wrote go when the metadata key goes', `it leaves the label ${left}`);
    const strange = [...change.annotations.keys()].find((key) => ![MACHINE_ID, ADDRESS, SINCE, LABELS].includes(key));
    expect(
      strange === undefined,
      'it gets our marks and labels, and nothing else of it is changed',
      `the annotation ${strange}`,
    );
    expect(
      base === undefined || !change.annotations.has(SINCE) || !base.annotations.has(SINCE),
      'since: when registered or adopted, never rewritten',
      'its since',
    );
    expect(
      !this.#world.release.era.hidesMinions,
      'adoption only where the server can update (section 5)',
      'of a server before v0.13',
    );
    const id = change.annotations.get(MACHINE_ID);
    if (typeof id !== 'string' || seen === undefined || base === undefined) return;

    expect(this.#conditions.policy.adopt, 'ADOPT=false recognises but never marks', `marks it for ${id}`);
    const before = markOf(base);
    if (before === undefined) {
      const places = [
        ...node.addresses,
        change.annotations.get(ADDRESS) ?? '',
        ...(record.machines.get(id) ?? []).map(({ address }) => address ?? ''),
      ];
      const isAlive =
        seen.ready === 'ready' || places.some((place) => (record.kubelets.get(place)?.state ?? 'silent') !== 'silent');
      expect(
        isAlive,
        'adopted once its kubelet answers or its node is Ready (never a dead one)',
        `adopts it, dead, for ${id}`,
      );
    } else if (before !== id) {
      const passes = record.machines.has(before) ? 0 : (record.unlisted.get(before) ?? 0) + 1;
      expect(
        passes >= 3,
        'rewritten when fleet has not listed that machine for three good passes',
        `takes it from ${before}, not listed in ${passes}`,
      );
    }
  }

  removing(copy: number, node: StoredNode): void {
    const record = this.#writing(copy);
    // Servers that do not compare the uid delete whatever has the name by now: with them the look is what counts.
    const uid = this.#world.release.checksUidOnDelete ? node.uid : (record.lastSeen.get(node.name) ?? node.uid);
    const seen = record.sightings.get(uid);
    record.removed.push({
      ...node,
      ...(seen ?? {}),
      labels: new Map(node.labels),
      annotations: new Map(node.annotations),
    });
    const last = this.#world.release.checksVersionOnDelete ? node : seen;
    const expect = (isSo: boolean, rule: string, what: string) =>
      this.expect(isSo, `4: ${rule}`, () => `copy ${copy} deletes ${node.name}, ${what}`);
    expect(!this.#world.release.era.hidesMinions, 'before v0.13 nothing is ever deleted', 'of a server before v0.13');
    expect(seen?.isWhole === true, 'the node is read again', 'which it did not read');
    if (seen === undefined || last === undefined) return;
    expect(markOf(last) !== undefined, 'only a node with our mark is ever deleted', 'which has no mark');
    expect(seen.ready !== 'ready', 'while Kubernetes calls it Ready, a node is never deregistered', 'which is Ready');
    expect(!isKept(last), 'without the veto kube-register.io/keep=true', 'which somebody keeps');
    expect(!last.unschedulable, 'not cordoned', 'which is cordoned');
    expect(
      this.#conditions.policy.neverDeregister === undefined,
      'POLICY=register-only never deregisters',
      'in spite of POLICY',
    );
  }

  /** Judges the pass as a whole. */
  endPass(copy: number, report: PassReport): void {
    const record = this.#of(copy);
    const most = 20 + 8 * (this.#world.nodes.size + this.#world.hosts.length);
    this.expect(
      record.requests <= most,
      '9: requests in a pass are bounded',
      () => `copy ${copy} sent ${record.requests}`,
    );
    const { seen } = report;
    if (seen === undefined) {
      this.expect(record.writes === 0, '2: a failed observation changes nothing', () => `copy ${copy} wrote`);
      this.count('observation failed');
      return;
    }
    this.expect(
      !isDry(this.#conditions, copy) || record.writes === 0,
      '4: DRY_RUN=true applies nothing',
      () => `copy ${copy} wrote`,
    );
    record.meet(seen.observation.era.server);
    this.#judgeSight(copy, record, seen);
    const judgement = this.#judgeVerdicts(copy, record, seen);
    this.#judgeActions(copy, record, report, judgement);
    for (const removed of record.removed) this.#judgeRemoval(copy, record, removed, judgement);
    this.#remember(record, report, judgement);
  }

  /** What the plan rests on has to be what was heard on the wire. */
  #judgeSight(copy: number, record: CopyRecord, { observation }: NonNullable<PassReport['seen']>): void {
    const { machines, nodes, kubelets } = observation;
    const listed = [...record.machines.keys()].sort().join();
    this.expect(
      [...machines.keys()].sort().join() === listed,
      '2: every machine that fleet lists',
      () => `copy ${copy} saw ${machines.size} machines of ${listed}`,
    );
    for (const [id, records] of record.machines) {
      const addresses = new Set(records.flatMap(({ address }) => address ?? []));
      const only = addresses.size === 1 ? [...addresses][0] : undefined;
      this.expect(machines.get(id)?.address === only, '2: one id with two addresses is no candidate', () => {
        return `copy ${copy} takes machine ${id} to be at ${machines.get(id)?.address}, and fleet says ${[...addresses].join(', ')}`;
      });
    }
    for (const { uid, name } of nodes) {
      this.expect(
        record.sightings.has(uid),
        '2: which nodes are registered',
        () => `copy ${copy} saw no node ${name} in this pass`,
      );
    }
    for (const address of kubelets.keys()) {
      this.expect(
        record.kubelets.has(address),
        '4: the kubelet is asked',
        () => `copy ${copy} did not ask ${address} in this pass`,
      );
    }
  }

  #judgeVerdicts(copy: number, record: CopyRecord, { observation, plan }: NonNullable<PassReport['seen']>): Judgement {
    const { policy, namedBy } = this.#conditions;
    const nowMs = plan.memory.lastGoodMs ?? 0;
    const elapsedMs = record.lastGoodMs === undefined ? 0 : Math.min(nowMs - record.lastGoodMs, 2 * policy.intervalMs);
    record.judgedAtMs = nowMs;
    const { watches, lastNames } = record;
    const judgement = judge(
      observation,
      { watches, lastNames, elapsedMs, futile: (machine, name) => this.#futile(record, machine, name) },
      policy,
      namedBy,
    );
    const what = (of: string, is: string | undefined, right: string) =>
      `copy ${copy} says ${is ?? 'nothing'} of ${of}, and right is ${right}`;
    this.expect(
      (plan.hold !== undefined) === judgement.isHeld,
      '4: mass guard',
      () => `copy ${copy} ${judgement.isHeld ? 'does not hold' : 'holds'}`,
    );
    for (const [id, right] of judgement.machines) {
      const verdict = plan.machines.get(id);
      this.count(`verdict ${verdict?.name}`);
      const isRight = verdict?.name === right.verdict && (right.node === undefined || verdict.node === right.node);
      this.expect(isRight, "3: which node is a machine's, and when one is registered", () => {
        return what(`machine ${id}`, `${verdict?.name} ${verdict?.node ?? ''}`, `${right.verdict} ${right.node ?? ''}`);
      });
    }
    for (const [name, right] of judgement.nodes) {
      const verdict = plan.nodes.get(name)?.name ?? 'nothing';
      this.count(`verdict ${verdict}`);
      this.expect(right.includes(verdict), '4: the verdict of a node', () =>
        what(`node ${name}`, verdict, right.join(' or ')),
      );
    }
    for (const [name, addresses] of judgement.unasked) {
      this.expect(
        false,
        '4: the kubelet is asked at its address',
        () => `copy ${copy} did not ask ${addresses.join(', ')} about node ${name}`,
      );
    }
    for (const { name, now, ...node } of observation.nodes) {
      const isSilent =
        judgement.nodes.get(name)?.includes('keep') === true &&
        now === undefined &&
        plan.testimonies.get(name)?.kubelet !== 'healthy' &&
        plan.testimonies.get(name)?.kubelet !== 'answers';
      this.expect(
        !isSilent || markOf(node) === undefined,
        '4: Kubernetes calls the node Ready, or does not',
        () => `copy ${copy} did not read node ${name}, whose kubelet is silent`,
      );
    }
    return judgement;
  }

  #futile(record: CopyRecord, machine: Machine, name: string): 'refused' | 'hidden' | undefined {
    const isRecent = (untilMs: number | undefined, nowMs: number) => untilMs !== undefined && untilMs > nowMs;
    if (isRecent(record.refused.get(requestOf(machine, name)), record.judgedAtMs)) return 'refused';
    return isRecent(record.hidden.get(name), record.judgedAtMs) ? 'hidden' : undefined;
  }

  /** What was done is what the verdicts say, and no more. */
  #judgeActions(copy: number, record: CopyRecord, { outcomes, stopped, seen }: PassReport, judgement: Judgement): void {
    const { policy } = this.#conditions;
    for (const { action, result, detail = '' } of outcomes) {
      this.count(`${action.kind} ${result}`);
      if (action.kind !== 'deregister') continue;
      if (result === 'done') this.count(`deregistered: ${action.reason}`);
      // Of an answer the rest tells which.
      if (result === 'refused') this.count(`last look: ${detail.replace(/(after all): .*/, '$1')}`);
    }
    if (judgement.isHeld) this.count('held');
    const failed = outcomes.filter(({ result }) => result === 'failed').length;
    this.expect(
      stopped || failed <= record.failures,
      '4: every write is harmless when the other copy has done it already',
      () => `copy ${copy} failed ${failed} times, the servers ${record.failures} times`,
    );

    const verdictsOf = (wanted: string) =>
      [...(seen?.plan.nodes ?? [])].filter(([, { name }]) => name === wanted).map(([name]) => name);
    const registering = [...judgement.machines.values()]
      .filter(({ verdict }) => verdict === 'register')
      .map(({ node }) => node);
    const names = (kind: string) =>
      outcomes.flatMap(({ action }) =>
        action.kind !== kind ? [] : action.kind === 'register' ? action.draft.name : action.node.name,
      );
    const isAll = (done: readonly (string | undefined)[], wanted: readonly (string | undefined)[]) =>
      done.every((name) => wanted.includes(name)) && (stopped || wanted.every((name) => done.includes(name)));
    this.expect(
      isAll(names('register'), registering),
      '3: a candidate without a node, whose kubelet is healthy, is registered',
      () => {
        return `copy ${copy} registers ${names('register')}, and right is ${registering}`;
      },
    );
    const leaving = verdictsOf('deregister');
    this.expect(
      isAll(names('deregister'), leaving),
      '4: what is deregistered',
      () => `copy ${copy} deregisters ${names('deregister')}, and its verdicts say ${leaving}`,
    );
    const pace = Math.max(1, Math.floor(judgement.managed / 100));
    this.expect(
      leaving.length <= pace,
      '4: at most 1 % of the managed nodes, and at least one',
      () => `copy ${copy} deregisters ${leaving.length} of ${judgement.managed}`,
    );
    const nodeOf = (name: string) => seen?.observation.nodes.find((node) => node.name === name);
    const watchOf = (name: string) => judgement.watches.get(nodeOf(name)?.uid ?? '');
    for (const name of verdictsOf('queued')) {
      const waits = watchOf(name);
      const isFutile = (record.refused.get(`deregister ${nodeOf(name)?.uid}`) ?? 0) > record.judgedAtMs;
      if (waits === undefined || waits.failures > 0 || isFutile) continue;
      this.expect(
        leaving.length > 0,
        '4: deregister after the grace',
        () => `copy ${copy} lets ${name} wait and deregisters none`,
      );
      for (const other of leaving.map(watchOf)) {
        this.expect(
          other !== undefined && (other.failures > 0 || other.ms >= waits.ms),
          '4: longest gone first',
          () => `copy ${copy} deregisters one gone for ${other?.ms} ms before one gone for ${waits.ms} ms`,
        );
      }
    }
    for (const [name, draft] of record.created) this.#judgeDraft(copy, name, draft, policy, record);
  }

  #judgeDraft(
    copy: number,
    name: string,
    { address, labels, annotations }: NodeDraft,
    policy: Policy,
    record: CopyRecord,
  ): void {
    const id = annotations.get(MACHINE_ID) ?? '';
    const machine = record.machines.get(id)?.at(-1);
    const marks = [
      annotations.get(ADDRESS) === address,
      annotations.has(SINCE),
      record.machines.get(id)?.some((each) => each.address === address) === true,
      labels.get(MANAGED) === 'true' || this.#world.release.era.hidesMinions,
    ];
    this.expect(
      marks.every((isSo) => isSo),
      '3: it gets name, address, marks and labels',
      () => `copy ${copy} creates ${name} with ${JSON.stringify([address, ...annotations, ...labels])}`,
    );
    const copied = [...labels].filter(([key]) => key !== MANAGED);
    for (const [key, value] of copied) {
      const original = machine?.metadata.get(key) ?? '';
      const isRight = policy.nodeLabels.includes(key) && /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/.test(value);
      const isSame = value === original || !/^[A-Za-z0-9]+$/.test(original);
      this.expect(
        isRight && isSame,
        '3: NODE_LABELS copies fleet metadata keys to node labels, cleaned to label syntax',
        () => `copy ${copy} gives ${name} the label ${key}=${value}, of ${original}`,
      );
    }
    const keys = annotations.get(LABELS) ?? '';
    this.expect(
      keys ===
        copied
          .map(([key]) => key)
          .sort()
          .join(),
      '3: the annotation labels lists the keys that we wrote',
      () => `copy ${copy} creates ${name} with labels=${keys}`,
    );
  }

  #judgeRemoval(copy: number, record: CopyRecord, node: StoredNode, { watches, graces, isHeld }: Judgement): void {
    const expect = (isSo: boolean, rule: string, what: string) =>
      this.expect(isSo, `4: ${rule}`, () => `copy ${copy} deletes ${node.name}, ${what}`);
    const watch = watches.get(node.uid);
    expect(!isHeld, 'nothing is deregistered while too many look gone', 'while it should hold');
    expect(
      watch !== undefined,
      'while the kubelet answers or Kubernetes calls it Ready, a node is never deregistered',
      'which it saw alive',
    );
    const graceMs = graces.get(node.name) ?? 0;
    expect((watch?.ms ?? 0) >= graceMs, 'grace is watched time', `watched for ${watch?.ms} ms of ${graceMs}`);
    expect((watch?.passes ?? 0) >= 3, 'three good passes in a row must have seen the row', `seen in ${watch?.passes}`);
    // A host that was installed anew is another machine, and of two with one address nobody can tell which of them answers.
    const places = [...node.addresses, node.annotations.get(ADDRESS) ?? ''];
    const keeper = [...record.kubelets].find(
      ([address, { host }]) =>
        host !== undefined &&
        places.includes(address) &&
        host.nodeName === node.name &&
        host.machineId === markOf(node) &&
        !this.#world.hosts.some((other) => other !== host && other.isOn && other.address === host.address),
    );
    expect(
      keeper === undefined,
      'while the kubelet answers, a node is never deregistered',
      `whose kubelet it heard at ${keeper?.[0]}`,
    );
  }

  #remember(record: CopyRecord, { seen, outcomes }: PassReport, { watches, isHeld, machines }: Judgement): void {
    if (seen === undefined) return;
    const { observation, plan } = seen;
    record.lastGoodMs = plan.memory.lastGoodMs;
    for (const [id, { verdict, node }] of machines)
      if (verdict === 'has-node' && node !== undefined) record.lastNames.set(id, node);
    record.unlisted = new Map(
      observation.nodes.flatMap((node) => {
        const mark = markOf(node);
        return mark === undefined || record.machines.has(mark)
          ? []
          : [[mark, (record.unlisted.get(mark) ?? 0) + 1] as const];
      }),
    );
    for (const { name } of observation.nodes) record.hidden.delete(name);
    // No grace runs during a hold, and all start anew when it ends.
    const kept = new Map(isHeld ? [] : watches);
    for (const { action, result, alive, futile } of outcomes) {
      const untilMs = this.#world.nowMs + FUTILE_MS;
      if (action.kind === 'deregister') {
        if (futile !== undefined) record.refused.set(`deregister ${action.node.uid}`, untilMs);
        const watch = kept.get(action.node.uid);
        if (alive === true) kept.delete(action.node.uid);
        else if (watch !== undefined && (result === 'failed' || result === 'refused'))
          kept.set(action.node.uid, { ...watch, failures: watch.failures + 1 });
      }
      if (action.kind !== 'register') continue;
      if (futile !== undefined && result === 'failed')
        record.refused.set(requestOf(action.machine, action.draft.name), untilMs);
      const isStored = result === 'unneeded' || (result === 'done' && observation.unlistable !== undefined);
      if (observation.era.hidesMinions && isStored) record.hidden.set(action.draft.name, untilMs);
    }
    record.watches = kept;
  }

  #writing(copy: number): CopyRecord {
    const record = this.#of(copy);
    this.expect(
      this.#world.nowMs <= record.stoppedAtMs + DRAIN_MS,
      '1: a stop is over in time',
      () => `copy ${copy} still writes`,
    );
    return record;
  }

  #refuse(rule: string, what: string): never {
    const error = new BrokenRule(rule, what);
    this.broken ??= error;
    throw error;
  }

  #of(copy: number): CopyRecord {
    const record = this.#copies.get(copy);
    if (record === undefined) throw new Error(`copy ${copy} was not started`);
    return record;
  }
}

/** The same for equal requests to create a node: the time of registration does not make it another. */
function requestOf({ id, metadata }: Machine, name: string): string {
  return `${id} ${name} ${metadata.get('zone') ?? ''}`;
}
