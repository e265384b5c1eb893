/** What an observer of the wire is told, at the moment when it happens. */
import type { MachineRecord } from '../../src/fleet/machine.ts';
import type { KubeletState } from '../../src/kubelet/kubelet.ts';
import type { MetadataChange, NodeDraft } from '../../src/kubernetes/registry.ts';
import type { StoredNode } from './node-store.ts';
import type { Release } from './release.ts';

/** `fleet` and `kubernetes` are requests of their clients, `kubelet` a health check. */
export type Server = 'fleet' | 'kubernetes' | 'kubelet';

/** A write that a server is about to carry out. */
export interface Write {
  readonly copy: number;
  /** The server that carries it out. */
  readonly release: Release;
  /** When the request left the copy. */
  readonly sentAtMs: number;
  /** The node as it is before. */
  readonly node: StoredNode;
}

export interface Wiretap {
  /** A request leaves the copy. */
  requested(copy: number, server: Server, request: string): void;
  /** A page that fleet gave to the copy; the last one says so. */
  listedMachines(copy: number, records: readonly MachineRecord[], isLast: boolean): void;
  /** A health check was answered, or was not. */
  checkedKubelet(copy: number, address: string, state: KubeletState): void;
  /** The whole list of nodes was answered. */
  listedNodes(copy: number): void;
  sawNode(copy: number, node: StoredNode, isWhole: boolean): void;
  creating(copy: number, draft: NodeDraft, release: Release): void;
  updating(write: Write, change: MetadataChange): void;
  removing(write: Write): void;
}

/** One copy's way to the servers: its process can be stopped and killed. */
export interface Line {
  readonly copy: number;
  readonly fleet: 'default' | 'other';
  /** Resolves when the process runs, never when it was killed. */
  running(): Promise<void>;
}
