/** The words for what a pass decides: one verdict for every machine and every node, with a reason a person can read. */

/** Also the values of the metric label `verdict`, where known series start at 0. */
export const NODE_VERDICTS = [
  /** Its machine matches and it is alive. */
  'keep',
  /** Unmarked, alive, and a machine's: it is marked in this pass. */
  'adopt',
  /** Unmarked and a machine's, but not (or not yet) to be adopted. */
  'recognised',
  /** It is reporting, but its kubelet has not answered for ten minutes. */
  'probe-suspect',
  /** Its kubelet answers, but it has not been reporting for ten minutes. */
  'not-posting',
  /** Alive, though its machine no longer matches. */
  'unmatched',
  /** Alive, though fleet does not list its machine. */
  'orphan',
  /** Not alive, but this process never had an answer from its kubelet: silence proves nothing. */
  'unheard',
  /** Several nodes could be one machine's, or an address or id goes back and forth: none of them is deregistered. */
  'conflict',
  /** Not alive; its grace period is running. */
  'in-grace',
  /** Its grace period is over, and it waits for its turn. */
  'queued',
  /** It is deregistered in this pass. */
  'deregister',
  /** Not alive, but the deletion guard is active. */
  'held',
  /** Not alive, but an operator keeps it or has cordoned it. */
  'vetoed',
  /** Not alive, but the settings never deregister it. */
  'spared',
  /** It was deleted and waits for finalizers. */
  'leaving',
  /** Unmanaged and not alive, and another node of its machine is reporting: only a person can delete it. */
  'left-over',
  /** Unmanaged and without a machine: never touched. */
  'foreign',
] as const;

export type NodeVerdictName = (typeof NODE_VERDICTS)[number];

export const MACHINE_VERDICTS = [
  /** Its metadata does not match the selector. */
  'not-selected',
  /** It matches, but has no address that can be used. */
  'unusable',
  /** It has its node; the node's verdict says the rest. */
  'has-node',
  /** It is registered in this pass. */
  'register',
  /** It was registered, and the API server hides it while it does not reach its kubelet (before v0.9). */
  'hidden',
  /** It has no node, and either its kubelet is not healthy yet or an unpaired node may be its own. */
  'waiting',
  /** Its node, its name or its address is another machine's. */
  'conflict',
  /** It has no name that the API server would take. */
  'unnamed',
  /** The API server refused it a moment ago; it would be futile to ask again so soon. */
  'refused',
  /** Something else removes its node again and again; it is registered again after a growing time. */
  'undone',
] as const;

export type MachineVerdictName = (typeof MACHINE_VERDICTS)[number];

/** Why a node that is not alive is deregistered. Also the values of the metric label `reason`. */
export const REASONS = ['unhealthy', 'metadata-changed', 'machine-gone', 'left-over'] as const;
export type Reason = (typeof REASONS)[number];

export interface Verdict<Name extends string> {
  readonly name: Name;
  /** One sentence without a full stop, with the numbers. */
  readonly reason: string;
  /** What happens next, for people, where anything does. */
  readonly next?: string;
  /** When that is due if nothing changes, in ms from now. */
  readonly dueInMs?: number;
  /** Something is wrong that a person should know of. */
  readonly isWarning?: boolean;
}

export type NodeVerdict = Verdict<NodeVerdictName>;
export type MachineVerdict = Verdict<MachineVerdictName> & { readonly node?: string };
