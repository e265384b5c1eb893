/** What one copy did and heard in the pass that is running, and what it has watched since it started. */
import type { MachineRecord } from '../../src/fleet/machine.ts';
import type { KubeletState } from '../../src/kubelet/kubelet.ts';
import type { NodeDraft } from '../../src/kubernetes/registry.ts';
import type { Watch } from './oracle.ts';
import type { Host, StoredNode } from './world.ts';

/** A node's labels and annotations as a copy saw them last in this pass. */
interface Sighting {
  /** When it was seen first in this pass. */
  readonly first: Pick<Sighting, 'labels' | 'annotations'>;
  readonly uid: string;
  /** When it was read whole, in this pass. */
  readonly wholeAtMs: number | undefined;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly ready: StoredNode['ready'];
  readonly unschedulable: boolean;
}

export class CopyRecord {
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
  /** By the name of a node that was created: another that reports the same machine, and did so before the last listing. */
  readonly rivals = new Map<string, string>();
  readonly removed: StoredNode[] = [];
  /** Uids of the nodes that were read whole since the copy was started. */
  readonly read = new Set<string>();

  watches: ReadonlyMap<string, Watch> = new Map();
  unlisted: ReadonlyMap<string, number> = new Map();
  readonly lastNames = new Map<string, string>();
  /** Until when: by the name of a node that the server hides, and by what it refused to create. */
  readonly hidden = new Map<string, number>();
  readonly refused = new Map<string, number>();
  lastGoodMs: number | undefined;
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
    this.rivals.clear();
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
