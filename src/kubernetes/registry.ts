/** What the API server says of nodes and can be asked to do: the one interface behind which every API version fits. */

/** One node ("minion" in v1beta1 and v1beta2). Metadata is always there; the rest only where it was read whole. */
export interface NodeRecord {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  /** Set from its deletion on until the last finalizer is removed. */
  readonly leaving: Leaving | undefined;
  /** Undefined when the server answered with metadata only. */
  readonly facts: NodeFacts | undefined;
}

/** A node that was deleted and stays until others have removed their finalizers. */
export interface Leaving {
  /** metadata.deletionTimestamp, as the server writes it. */
  readonly since: string;
  readonly finalizers: readonly string[];
}

/** What an API server can do with nodes, which depends on its release. */
export interface Era {
  /** For people: `v0.8.4, using API v1beta2`. */
  readonly server: string;
  /** Equal for servers that can do the same: what was learned from one holds for the other, whatever their versions say. */
  readonly abilities: string;
  /**
   * Before v0.9: the server asks the kubelets itself, lists a minion only while its kubelet answers, and refuses to delete the
   * others. There a listed minion is reporting, and one that is not listed may be registered.
   */
  readonly hidesMinions: boolean;
  /** From v0.13 on: labels and annotations of a node can be changed. */
  readonly canUpdate: boolean;
  /** From v0.4 on: a node keeps its annotations. v0.2 takes them and drops them. */
  readonly keepsAnnotations: boolean;
  /** False on v0.10 to v0.12, where nobody writes conditions: there nothing is reporting, and the kubelet and fleet decide. */
  readonly keepsConditions: boolean;
  /**
   * From v1.0 on only the kubelet writes Ready=False, and the node controller writes Unknown for one that is silent. Before, controllers
   * wrote False or None for a silent kubelet.
   */
  readonly falseIsReporting: boolean;
  /** Whether Events about nodes are sent to it: only with API v1, which is what kubectl reads. */
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
  readonly ready: ReadyCondition;
  /**
   * Where Ready is Unknown: lastHeartbeatTime of that condition. Only the kubelet writes it; the node controller of v1.0 to v1.20 leaves it as it
   * is when it writes Unknown: https://github.com/kubernetes/kubernetes/blob/v1.0.7/pkg/cloudprovider/nodecontroller/nodecontroller.go
   */
  readonly heardAt?: string;
  /** spec.unschedulable: the node is cordoned. Undefined when it has a shape that cannot be read. */
  readonly unschedulable: boolean | undefined;
}

/**
 * The condition Ready: True (`Full` in v1beta1 and v1beta2), False, or Unknown (`None` in those). `none`: there is no such condition. `unreadable`:
 * the status has a shape that is not known, so nothing is known from it.
 */
export type ReadyCondition = 'true' | 'false' | 'unknown' | 'none' | 'unreadable';

/** A node to create. Never capacity or conditions: the kubelet reports those. */
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
 * `exists`: it was there already. `labels-refused`: nothing was created, because of the labels. Where the server asks kubelets
 * itself: `kubelet-unreached`: it says that it does not reach this node's kubelet, and took nothing (v0.2). `held-up`: it answers
 * other requests, and not this one, because the kubelet of any registered node accepts connections and does not answer (v0.2,
 * v0.4): that says nothing about this node.
 */
type CreateOutcome = 'created' | 'exists' | 'labels-refused' | 'kubelet-unreached' | 'held-up';
/** `gone`: there is no such node any more, or another one has its name now. `conflict`: it was changed since it was read. */
type UpdateOutcome = 'updated' | 'gone' | 'conflict';
/** `leaving`: deleted, and kept by the server until its finalizers are done. `changed`: the node is not the one that was read. */
type RemoveOutcome = 'removed' | 'leaving' | 'gone' | 'changed';

/** The nodes of one API server. Everything throws RequestError when the server did not do what was asked. */
export interface NodeRegistry {
  /** Every node, completely; with facts only where the server sends them with the list. */
  list(signal: AbortSignal): Promise<NodeListing>;
  /** Every node, completely, with facts, in pages where the server pages. */
  listWhole(signal: AbortSignal): Promise<NodeListing>;
  /** One node with facts, or undefined when there is none of that name. */
  read(name: string, signal: AbortSignal): Promise<NodeRecord | undefined>;
  create(draft: NodeDraft, signal: AbortSignal): Promise<CreateOutcome>;
  /** Detects the server again, however recent the last detection is. */
  identify(signal: AbortSignal): Promise<Era>;
  /** Changes the node of that name only while its uid and its resourceVersion are the given ones. */
  update(
    name: string,
    uid: string,
    resourceVersion: string,
    change: MetadataChange,
    signal: AbortSignal,
  ): Promise<UpdateOutcome>;
  /**
   * Deletes with uid and resourceVersion as preconditions, in one request that nothing precedes. Servers before v1.5 ignore both, servers
   * before v1.20 the resourceVersion, and delete. Throws where minions hide.
   */
  remove(name: string, uid: string, resourceVersion: string, signal: AbortSignal): Promise<RemoveOutcome>;
  close(): void;
}
