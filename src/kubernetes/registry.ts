/** What the API server says of nodes and can be asked to do: the one interface behind which every API version fits. */

/** One node ("minion" in v1beta1 and v1beta2). Metadata is always there; the rest only where it was read whole. */
export interface NodeRecord {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  /** Undefined when the server answered with metadata only. */
  readonly facts: NodeFacts | undefined;
}

/** What an API server can do with nodes, which depends on its age. */
export interface Era {
  /** For people, `v0.8.4, spoken to in v1beta2`: what was learned of a server is forgotten when this changes. */
  readonly server: string;
  /**
   * Before v0.13 (2014): the server asks the kubelets itself, and lists a minion only while its kubelet answers. There listed is
   * Ready, not listed may be registered all the same, and no minion can be changed.
   */
  readonly hidesMinions: boolean;
  /** Whether it is told of nodes in Events: only where it is spoken to in v1, which is what kubectl reads. */
  readonly takesEvents: boolean;
  /** Whether a label of that key would be kept: some servers drop it, some refuse the whole node because of it. */
  takesLabel(key: string): boolean;
}

/** What one listing came to. */
export interface NodeListing {
  readonly era: Era;
  readonly nodes: readonly NodeRecord[];
  /** Why a server that hides minions could list none (one hung kubelet holds up the whole list of v0.8), for people. */
  readonly unlistable?: string;
}

/** What a metadata-only list lacks. */
export interface NodeFacts {
  /** status.nodeInfo.machineID, or empty: the kubelet has not reported yet. */
  readonly machineId: string;
  /** The IP addresses in status.addresses (or hostIP), canonical, in the server's order. */
  readonly addresses: readonly string[];
  /** The condition Ready: `ready` is True (or Full, or listed: see Era), `not-ready` any other, `none` is a node without it. */
  readonly ready: 'ready' | 'not-ready' | 'none';
  /** spec.unschedulable: somebody cordoned it. */
  readonly unschedulable: boolean;
}

/** A node to create. Never capacity or conditions: those are the kubelet's to tell. */
export interface NodeDraft {
  readonly name: string;
  readonly address: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
}

/** Labels and annotations to set (a string) or to take away (null). Keys not named stay as they are. */
export interface MetadataChange {
  readonly labels: ReadonlyMap<string, string | null>;
  readonly annotations: ReadonlyMap<string, string | null>;
}

/**
 * `exists`: it was there already. `labels-refused`: nothing was created, because of the labels. `kubelet-unreached`: the
 * server (v0.2, v0.4) waits for an answer of the kubelet before it takes a minion, and gets none.
 */
type CreateOutcome = 'created' | 'exists' | 'labels-refused' | 'kubelet-unreached';
/** `gone`: there is no such node any more, or another one has its name now. */
type UpdateOutcome = 'updated' | 'gone';
/** `changed`: the node, or the server, is not the one that was looked at. */
type RemoveOutcome = 'removed' | 'gone' | 'changed';

/** The nodes of one API server. Everything throws RequestError when the server did not do what was asked. */
export interface NodeRegistry {
  /** Every node, completely; with facts only where the server sends them with the list. */
  list(signal: AbortSignal): Promise<NodeListing>;
  /** Every node, completely, with facts, in pages where the server pages. */
  listWhole(signal: AbortSignal): Promise<NodeListing>;
  /** One node with facts, or undefined when there is none of that name. */
  read(name: string, signal: AbortSignal): Promise<NodeRecord | undefined>;
  create(draft: NodeDraft, signal: AbortSignal): Promise<CreateOutcome>;
  /** Changes the node of that name only while its uid is the given one. */
  update(name: string, uid: string, change: MetadataChange, signal: AbortSignal): Promise<UpdateOutcome>;
  /** Deletes with uid and resourceVersion as preconditions. Servers before v1.20 ignore one or both, and delete. Never where minions hide. */
  remove(name: string, uid: string, resourceVersion: string, signal: AbortSignal): Promise<RemoveOutcome>;
  close(): void;
}
