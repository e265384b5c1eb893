/** Watches the wire and the reports of every copy, and tells which rule of DESIGN was broken. It believes no verdict: see the oracle. */
import type { MachineRecord } from '../../src/fleet/machine.ts';
import type { KubeletState } from '../../src/kubelet/kubelet.ts';
import type { MetadataChange, NodeDraft } from '../../src/kubernetes/registry.ts';
import type { PassReport } from '../../src/reconcile/reconciler.ts';
import { CopyRecord } from './copy-record.ts';
import { BrokenRule, type Conditions, type Court, DRAIN_MS } from './court.ts';
import { judgePass } from './passes.ts';
import type { Wiretap } from './servers.ts';
import type { Host, StoredNode, World } from './world.ts';
import { judgeCreation, judgeDeletion, judgeUpdate } from './writes.ts';

export class Referee implements Wiretap, Court {
  /** The first rule that was broken. It is thrown too, but the daemon isolates what goes wrong in an action. */
  broken: BrokenRule | undefined;
  readonly world: World;
  readonly conditions: Conditions;
  readonly #copies = new Map<number, CopyRecord>();
  /** Names of what is to be seen of a run: a simulation in which nothing is deleted proves nothing. */
  readonly counts = new Map<string, number>();

  constructor(world: World, conditions: Conditions) {
    this.world = world;
    this.conditions = conditions;
  }

  /** The copy was started, or started again: it remembers nothing. */
  started(copy: number): void {
    this.#copies.set(copy, new CopyRecord());
  }

  /** SIGTERM. */
  stopping(copy: number): void {
    this.#of(copy).stoppedAtMs = this.world.nowMs;
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
      !begins || record.stoppedAtMs > this.world.nowMs,
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
    kubelets.set(address, { state, host, atMs: kubelets.get(address)?.atMs ?? this.world.nowMs });
  }

  listing(copy: number): void {
    this.#of(copy).lastListedAtMs = this.world.nowMs;
  }

  sawNode(copy: number, node: StoredNode, isWhole: boolean): void {
    const before = this.#of(copy).sightings.get(node.uid);
    // What a list of metadata does not tell is known from the last reading.
    const { ready, unschedulable } = isWhole ? node : (before ?? { ready: 'none' as const, unschedulable: false });
    const metadata = { labels: new Map(node.labels), annotations: new Map(node.annotations) };
    if (isWhole) this.#of(copy).read.add(node.uid);
    this.#of(copy).lastSeen.set(node.name, node.uid);
    this.#of(copy).sightings.set(node.uid, {
      uid: node.uid,
      first: before?.first ?? metadata,
      wholeAtMs: isWhole ? this.world.nowMs : before?.wholeAtMs,
      ...metadata,
      ready,
      unschedulable,
    });
  }

  creating(copy: number, draft: NodeDraft): void {
    const record = this.#writing(copy);
    record.created.set(draft.name, draft);
    judgeCreation(this, copy, record, draft);
  }

  updating(copy: number, node: StoredNode, change: MetadataChange): void {
    judgeUpdate(this, copy, this.#writing(copy), node, change);
  }

  removing(copy: number, node: StoredNode): void {
    judgeDeletion(this, copy, this.#writing(copy), node);
  }

  /** Judges the pass as a whole. */
  endPass(copy: number, report: PassReport): void {
    judgePass(this, copy, this.#of(copy), report);
  }

  #writing(copy: number): CopyRecord {
    const record = this.#of(copy);
    this.expect(
      this.world.nowMs <= record.stoppedAtMs + DRAIN_MS,
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
