/** In what the releases of Kubernetes that the lab stands for differ. */
import type { NodeRules } from './node-rules.ts';

export type KubernetesVersion = 'v0.12.2' | 'v0.13.2' | 'v0.17.1' | 'v1.0.7' | 'v1.5.8' | 'v1.9.2' | 'v1.20.2';

/** From old to new. */
export const API_VERSIONS = ['v1beta1', 'v1beta2', 'v1beta3', 'v1'] as const;
export type ApiVersion = (typeof API_VERSIONS)[number];

/**
 * Lists of metadata only: as asked for (`yes`), answered whole when the client takes that too (`ignored`), refused when they are
 * its first choice (`406`), or never heard of: the parameters of a media type are not looked at (`unheard`).
 */
export type MetadataLists = 'yes' | 'ignored' | '406' | 'unheard';

/** Which preconditions of a delete are looked at. */
export type Preconditions = 'both' | 'uid' | 'none';

/** An update that was made for another resourceVersion than the node's, or for none (`wanted` is empty). */
export interface StaleUpdate {
  readonly name: string;
  readonly wanted: string;
  readonly current: string;
}

interface Words {
  readonly message: string;
  readonly reason?: string;
  readonly details?: object;
}

export interface Era {
  /** The API versions that are switched on unless told otherwise. */
  readonly apis: readonly ApiVersion[];
  /** Paths that answer everybody, and know no nodes. */
  readonly publicPaths: readonly string[];
  /** Whether a client can ask what it may do (authorization.k8s.io/v1). */
  readonly accessReviews: boolean;
  /** Whether /api says what kind it is, and where the server is. */
  readonly apiHasKind: boolean;
  /** What /version says beside gitVersion. */
  readonly build: object;
  readonly metadataLists: MetadataLists;
  readonly paging: boolean;
  readonly remainingItemCount: boolean;
  readonly preconditions: Preconditions;
  /** Whether a deleted node stays as long as it has finalizers. */
  readonly finalizers: boolean;
  readonly dryRun: boolean;
  /** How selectors are treated: `parsed` refuses those that it cannot parse, and lists all the same; `ignored` lists whatever they are. */
  readonly selectors: 'used' | 'parsed' | 'ignored';
  /** What a selector that cannot be parsed is answered with. */
  readonly badSelector: 400 | 500;
  readonly deletesCollections: boolean;
  /** What a delete of all nodes answers for items when there are none. */
  readonly emptyDeletion: '[]' | 'null';
  /** What a successful delete says. */
  readonly deleted: 'code' | 'details';
  readonly deleteMissing: 404 | 500;
  /** Whether the status has a path of its own; without one it changes with the node. */
  readonly statusPath: boolean;
  /** Whether an update that changes nothing gets a new resourceVersion. */
  readonly alwaysWrites: boolean;
  /** Whether an update without resourceVersion is taken. */
  readonly unconditionalUpdates: boolean;
  readonly notReadyTaint: boolean;
  /** What a patch may be: nothing at all, any content type as a merge patch, or the three standard ones. */
  readonly patches: 'none' | 'any' | 'standard';
  readonly bodies: Bodies;
  readonly nodes: NodeShape;
  readonly rules: NodeRules;
  readonly errors: Errors;
}

/** How bodies are read. */
interface Bodies {
  readonly kinds: readonly string[];
  /** The API versions in which a body may be written, whatever its path. */
  readonly apis: readonly ApiVersion[];
  /** Whether any content type is JSON. */
  readonly anyType: boolean;
  /** What a body that cannot be read is answered with. */
  readonly unreadable: 400 | 500;
  /** A body without a kind: taken for a node of the path's API version, or for one without defaults in the server's own form. */
  readonly withoutKind: 'node' | 'bare';
  readonly unknownKind: (kind: string, version: string) => string;
  readonly resourceVersionOnCreate: string;
  readonly unsupported: string;
}

/** Which fields nodes have. */
export interface NodeShape {
  readonly selfLink: boolean;
  /** The field's name in errors; none when it is not filled in. */
  readonly externalId: string | undefined;
  /** Whether the status has the addresses. A minion has its hostIP in any case. */
  readonly statusAddresses: boolean;
  /** Empty where the status has none at all. */
  readonly nodeInfo: readonly string[];
  readonly daemonEndpoints: boolean;
  readonly allocatable: boolean;
  readonly taints: boolean;
  readonly capacityIn: 'spec' | 'status';
  readonly heartbeat: 'lastProbeTime' | 'lastHeartbeatTime';
  /** Whether the answer to a create has it. */
  readonly resourceVersionOfNew: boolean;
}

interface Errors {
  /** What nodes are called. */
  readonly resource: 'minion' | 'node' | 'nodes';
  /** Where details have the name. */
  readonly nameIn: 'id' | 'name';
  /** Whether the errors of the router, before a node is looked at, are plain text. */
  readonly plainRouter: boolean;
  /** Whether the causes of a refusal name their field in the message too. */
  readonly fieldInCauses: boolean;
  /** Whether the Status of 406 has no kind. */
  readonly bareNotAcceptable: boolean;
  readonly notAcceptable: Words;
  readonly unsupportedPatch: Words;
  readonly stale: (update: StaleUpdate) => string;
  readonly nameMismatch: (inBody: string, inPath: string) => string;
}
