/** The verdicts: one for every machine and every node of a pass, each with a reason. */

/** Also the values of the metric label `verdict`, where known series start at 0. */
export const NODE_VERDICTS = [
  /** Its machine matches and it is alive. */
  'keep',
  /** Unmanaged, alive and matched with a machine: it is adopted in this pass. */
  'adopt',
  /** Unmanaged and matched with a machine, but not (or not yet) adopted. */
  'recognised',
  /** It is reporting, but its kubelet has been unreachable for ten minutes. */
  'probe-suspect',
  /** Its kubelet is reachable, but it has not been reporting for ten minutes. */
  'not-posting',
  /** Alive, though its machine no longer matches. */
  'unmatched',
  /** Alive, though fleet does not list its machine. */
  'orphan',
  /** Not alive, but this process has no earlier answer from its kubelet, so it may be alive. */
  'unheard',
  /** Several nodes match one machine equally, or an address or ID alternates: none of them is deregistered. */
  'conflict',
  /** Not alive; its grace period is running. */
  'in-grace',
  /** Its grace period is over; it is deregistered in one of the next passes. */
  'queued',
  /** It is deregistered in this pass. */
  'deregister',
  /** Not alive, but the deletion guard is active. */
  'held',
  /** Not alive, but an operator keeps it or has cordoned it. */
  'vetoed',
  /** Not alive, but the settings never let it be deregistered. */
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
  /** It was registered, but the API server (before v0.9) does not list it while it does not reach its kubelet. */
  'hidden',
  /** It has no node, and either its kubelet is not healthy yet or an unpaired node may be its own. */
  'waiting',
  /** Its node, name or address belongs to another machine, or several nodes match it equally. */
  'conflict',
  /** It has no name that the API server accepts. */
  'unnamed',
  /** The API server refused the request within the last ten minutes. */
  'refused',
  /** Something else deletes its node after each registration; it is registered again after 1, 2, 4 and up to 60 minutes. */
  'undone',
] as const;

export type MachineVerdictName = (typeof MACHINE_VERDICTS)[number];

/** Why a node that is not alive is deregistered. Also the values of the metric label `reason`. */
export const REASONS = ['unhealthy', 'metadata-changed', 'machine-gone', 'left-over'] as const;
export type Reason = (typeof REASONS)[number];

export interface Verdict<Name extends string> {
  readonly name: Name;
  /** What was found: one sentence without a full stop, with the numbers. */
  readonly reason: string;
  /** What happens next and what a person can do. */
  readonly next?: string;
  /** The ms until that happens if nothing changes. */
  readonly dueInMs?: number;
  /** A person should know of it. */
  readonly isWarning?: boolean;
}

export type NodeVerdict = Verdict<NodeVerdictName>;
export type MachineVerdict = Verdict<MachineVerdictName> & { readonly node?: string };
