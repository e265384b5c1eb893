/** What one copy of the daemon was told, and what it sent, in the pass that runs. */
import type { MachineRecord } from '../../src/fleet/machine.ts';
import type { StoredNode } from './node-store.ts';
import type { Server } from './wiretap.ts';

/** A node as the copy saw it last. */
export interface Sighting {
  readonly uid: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  /** Undefined while only its metadata was seen. */
  readonly whole: { readonly unschedulable: boolean } | undefined;
  readonly isLeaving: boolean;
}

export class Seen {
  /** SIGTERM came then. */
  stoppedAtMs = Number.POSITIVE_INFINITY;
  readonly requests: Record<Server, number> = { fleet: 0, kubernetes: 0, kubelet: 0 };
  writes = 0;
  deletes = 0;
  isFleetComplete = false;
  areNodesListed = false;
  /** By id: every address that fleet gave for it. */
  readonly machines = new Map<string, Set<string>>();
  /** By name. */
  readonly nodes = new Map<string, Sighting>();

  beginPass(): void {
    Object.assign(this.requests, { fleet: 0, kubernetes: 0, kubelet: 0 });
    this.writes = 0;
    this.deletes = 0;
    this.isFleetComplete = false;
    this.areNodesListed = false;
    this.machines.clear();
    this.nodes.clear();
  }

  listedMachines(records: readonly MachineRecord[], isLast: boolean): void {
    for (const { id, address } of records) {
      const addresses = this.machines.get(id) ?? new Set();
      if (address !== undefined) addresses.add(address);
      this.machines.set(id, addresses);
    }
    if (isLast) this.isFleetComplete = true;
  }

  sawNode({ name, uid, labels, annotations, unschedulable, deletedAtMs }: StoredNode, isWhole: boolean): void {
    const before = this.nodes.get(name);
    const whole = isWhole ? { unschedulable } : before?.uid === uid ? before.whole : undefined;
    const metadata = { labels: new Map(labels), annotations: new Map(annotations) };
    this.nodes.set(name, { uid, ...metadata, whole, isLeaving: deletedAtMs !== undefined });
  }
}
