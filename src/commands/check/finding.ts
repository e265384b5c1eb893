/** What one check came to: a state, a sentence, and what mends it. */

/**
 * - `warning`: it works, but is likely to be regretted, or may pass by itself
 * - `wrong`: something does not work until somebody mends it
 * - `skipped`: it cannot be told, and the sentence says why
 */
export type State = 'ok' | 'warning' | 'wrong' | 'skipped';

/** Every check and what it looks at, in the order in which findings are told. Names are a contract: programs read them. */
export const CHECKS = {
  settings: 'The settings can be read, go together, and none is likely to be regretted.',
  fleet: 'fleet answers, and which API it serves.',
  machines: 'There are machines, some match `METADATA`, and those have an address.',
  kubelets: 'The kubelets of these machines are healthy, and at which URL.',
  'api-server': 'The API server answers, which one it is, and what can be done there.',
  tls: 'Its certificate is checked.',
  credentials: 'The API server takes what is sent, and that does not expire soon.',
  'right-list-nodes': 'The user may list nodes, without which every pass fails.',
  'right-get-nodes': 'The user may read single nodes whole.',
  'right-create-nodes': 'The user may register nodes.',
  'right-patch-nodes': 'The user may adopt nodes and keep their labels up to date.',
  'right-delete-nodes': 'The user may deregister nodes, where that is ever done.',
  'right-create-events': 'The user may write Events, where they are written.',
  nodes: 'The nodes can be read; what a first pass would do, and what it would doubt.',
  conflicts: 'No two machines want one node, name or address.',
  'machine-ids': 'No two nodes report one machine ID.',
  names: 'The API server would take the names that `NODE_NAME` gives.',
  labels: 'The metadata of `NODE_LABELS` can be copied to labels.',
  'other-daemons': 'No two copies are at work on this API server, as far as can be told.',
  clock: 'fleet and the API server have the time that this machine has.',
  listener: 'The address of `LISTEN` is free, or a kube-register has it.',
  'pass-time': 'To look at everything takes less time than a pass has.',
} as const;
export type CheckName = keyof typeof CHECKS;
export const CHECK_NAMES = Object.keys(CHECKS) as CheckName[];

export interface Finding {
  /** A check that finds several things has several findings, one of which may be that something is well. */
  readonly check: CheckName;
  readonly state: State;
  /** Without a full stop. */
  readonly sentence: string;
  /** A command or a setting to paste, after a look at it. */
  readonly mend?: string;
}

/** What was found, before the check's name is put to it. */
export type Found = Omit<Finding, 'check'>;

export function ok(sentence: string): Found {
  return { state: 'ok', sentence };
}

export function warning(sentence: string, mend: string): Found {
  return { state: 'warning', sentence, mend };
}

export function wrong(sentence: string, mend: string): Found {
  return { state: 'wrong', sentence, mend };
}

export function skipped(sentence: string): Found {
  return { state: 'skipped', sentence };
}

/** The finding of a check that needs what another one found to be missing. */
export function because(check: CheckName): Found {
  return skipped(`not checked, because of ${check}`);
}

export function named(check: CheckName, found: Found): Finding {
  return { check, ...found };
}

const EXAMPLES = 3;

/** `3 machines: a; b; c`, of many the first few. */
export function examples(count: string, each: readonly string[]): string {
  return `${count}: ${few(each)}`;
}

/** `a; b; c; and 2 more`. */
export function few(each: readonly string[]): string {
  const more = each.length > EXAMPLES ? [`and ${each.length - EXAMPLES} more`] : [];
  return [...each.slice(0, EXAMPLES), ...more].join('; ');
}
