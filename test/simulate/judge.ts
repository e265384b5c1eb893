/** Watches the wire and the passes of every copy: T1, the promises, and what occurred. It believes no verdict and knows none of the rules. */
import type { MachineRecord } from '../../src/fleet/machine.ts';
import type { KubeletState } from '../../src/kubelet/kubelet.ts';
import type { MetadataChange, NodeDraft } from '../../src/kubernetes/registry.ts';
import type { PassReport } from '../../src/reconcile/reconciler.ts';
import type { Conditions } from './conditions.ts';
import type { Observer } from './daemon.ts';
import { Findings } from './findings.ts';
import type { FleetName } from './host.ts';
import { lifeOf } from './life.ts';
import type { StoredNode } from './node-store.ts';
import { countPass } from './occurrences.ts';
import { markOf, ownerOf, Promises, type Writer } from './promises.ts';
import type { Release } from './release.ts';
import { Seen } from './seen.ts';
import { MINUTE } from './time.ts';
import type { Server, Wiretap, Write } from './wiretap.ts';
import type { World } from './world.ts';

export class Judge implements Wiretap, Observer {
  readonly findings: Findings;
  readonly #world: World;
  readonly #promises: Promises;
  readonly #seen = new Map<number, Seen>();
  /** When the last write left any copy. */
  wroteAtMs = 0;

  constructor(world: World, conditions: Conditions, tell: (what: string) => void) {
    this.#world = world;
    this.findings = new Findings(tell);
    this.#promises = new Promises(conditions, this.findings);
  }

  /** The copy was started, or started again: it remembers nothing. */
  started(copy: number): void {
    this.#seen.set(copy, new Seen());
  }

  stopping(copy: number): void {
    this.#of(copy).seen.stoppedAtMs = this.#world.nowMs;
  }

  beginPass(copy: number): void {
    this.#of(copy).seen.beginPass();
  }

  requested(copy: number, server: Server, request: string): void {
    const writer = this.#of(copy);
    writer.seen.requests[server] += 1;
    if (server !== 'kubernetes' || request.startsWith('GET')) return;
    writer.seen.writes += 1;
    this.wroteAtMs = this.#world.nowMs;
    this.#promises.sends(request, writer, this.#world);
  }

  listedMachines(copy: number, records: readonly MachineRecord[], isLast: boolean): void {
    this.#of(copy).seen.listedMachines(records, isLast);
  }

  checkedKubelet(_copy: number, _address: string, state: KubeletState): void {
    this.findings.count(`health check: ${state}`);
  }

  listedNodes(copy: number): void {
    this.#of(copy).seen.areNodesListed = true;
  }

  sawNode(copy: number, node: StoredNode, isWhole: boolean): void {
    this.#of(copy).seen.sawNode(node, isWhole);
  }

  creating(copy: number, draft: NodeDraft, _release: Release): void {
    this.#promises.creates(draft, this.#of(copy));
  }

  updating(write: Write, change: MetadataChange): void {
    this.#promises.updates(write, change, this.#of(write.copy));
  }

  removing(write: Write): void {
    const writer = this.#of(write.copy);
    writer.seen.deletes += 1;
    this.#promises.deletes(write, writer);
    this.#judgeLife(write, writer);
  }

  endPass(copy: number, report: PassReport): void {
    const writer = this.#of(copy);
    this.#promises.endsPass(report.seen !== undefined || report.stopped, writer);
    countPass(report, this.findings);
    this.#countRisks(writer, report);
  }

  /** T1: no node is deleted whose kubelet posts to it, or could be reached. */
  #judgeLife({ copy, node, sentAtMs }: Write, { seen }: Writer): void {
    const { life, host } = lifeOf(node, { copy, seen, atMs: sentAtMs }, this.#world);
    this.findings.count('deletes judged');
    this.findings.count(`delete of a node whose kubelet: ${life}`);
    const isKnown = life === 'posts' || life === 'reachable';
    const how = life === 'posts' ? 'posts to it' : `could be reached at ${host?.address}`;
    this.findings.expect(
      !isKnown,
      'T1',
      () => `copy ${copy} deletes node ${node.name}, and the kubelet of ${host?.name} ${how}`,
    );
  }

  /** Counts the nodes of running kubelets that nobody hears, or only half, and what verdict spared them. */
  #countRisks({ copy, owner, seen }: Writer, { seen: observed }: PassReport): void {
    if (observed === undefined) return;
    const world = this.#world;
    for (const node of world.nodes.values()) {
      if (markOf(node) === undefined || ownerOf(node) !== owner) continue;
      const { life, host } = lifeOf(node, { copy, seen, atMs: world.nowMs }, world);
      if (host === undefined || life === 'just begun') continue;
      const isUp = node.ready === 'true' || (node.ready === 'false' && world.release.isAtLeastV1);
      const isReached =
        host.kubelet !== 'hung' && !host.isFirewalled && !host.isCutOff && !world.cuts.has(`${copy} kubelets`);
      if (isUp && isReached) continue;
      const risk = isUp ? 'reports only' : isReached ? 'answers only' : 'neither';
      const verdict = observed.plan.nodes.get(node.name)?.name ?? 'none';
      this.findings.count(`kubelet runs, ${risk}: ${verdict}`);
    }
  }

  #of(copy: number): Writer {
    const seen = this.#seen.get(copy);
    if (seen === undefined) throw new Error(`copy ${copy} was not started`);
    return { copy, owner: fleetOf(copy), seen };
  }
}

/** Copies 0 and 1 are of the first fleet; copy 2 is of the other. */
export function fleetOf(copy: number): FleetName {
  return copy === 2 ? 'other' : 'default';
}

/** For how long without a write the cluster is called steady. */
export const STEADY_MS = 2 * MINUTE;
