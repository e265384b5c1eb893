/** The result of one check: a state, a sentence, and what mends it. */

/**
 * - `warning`: it works, but is risky, or may be temporary
 * - `wrong`: something does not work until it is mended
 * - `skipped`: unknown, and the sentence says why
 */
export type State = 'ok' | 'warning' | 'wrong' | 'skipped';

/** Every check and what it checks, in the order of the findings. Names are a contract: programs read them. */
export const CHECKS = {
  settings: 'The settings are valid, and none is risky.',
  fleet: 'fleet is reachable, and which API it serves.',
  machines: 'fleet lists machines, some match `METADATA`, and these have a usable address.',
  kubelets: 'The kubelets of these machines are healthy, and at which URLs.',
  'api-server': 'The API server is reachable, its version, and what kube-register can do there.',
  tls: 'The certificate of the API server is verified.',
  credentials: 'The API server accepts the credentials, and they do not expire soon.',
  'right-list-nodes': 'The user may list nodes; without this right every pass fails.',
  'right-get-nodes': 'The user may get single nodes.',
  'right-create-nodes': 'The user may register nodes.',
  'right-patch-nodes': 'The user may adopt nodes and keep their labels up to date.',
  'right-delete-nodes': 'The user may deregister nodes, where the settings allow it.',
  'right-create-events': 'The user may write Events, where the settings ask for them.',
  nodes: 'The nodes can be read; what a first pass would do, and which nodes need attention.',
  conflicts: 'No two machines share a node, a name or an address.',
  'machine-ids': 'No two nodes report the same machine ID.',
  names: 'The API server accepts the names that `NODE_NAME` gives.',
  labels: 'The metadata of `NODE_LABELS` can be copied to labels.',
  'other-daemons': 'No second kube-register was found at work on this API server.',
  clock: 'The clocks of fleet and the API server agree with the clock of this machine.',
  listener: 'The address of `LISTEN` is free, or a kube-register listens there. `WEB_CONFIG_FILE` can be used.',
  'pass-time': 'Observing takes less time than a pass may take, and no answer more than half of its timeout.',
} as const;
export type CheckName = keyof typeof CHECKS;
export const CHECK_NAMES = Object.keys(CHECKS) as CheckName[];

export interface Finding {
  /** A check may have several findings. */
  readonly check: CheckName;
  readonly state: State;
  /** Without a full stop. */
  readonly sentence: string;
  /** A command or a setting that mends it. */
  readonly mend?: string;
}

/** A finding without the name of its check. */
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

/** The finding of a check that needs what another check found missing. */
export function skippedBy(check: CheckName): Found {
  return skipped(`not checked: see ${check}`);
}

export function named(check: CheckName, found: Found): Finding {
  return { check, ...found };
}

const EXAMPLES = 3;

/** `3 machines: a; b; c`, with the first three of many. */
export function examples(count: string, each: readonly string[]): string {
  return `${count}: ${few(each)}`;
}

/** `a; b; c; and 2 more`. */
export function few(each: readonly string[]): string {
  const more = each.length > EXAMPLES ? [`and ${each.length - EXAMPLES} more`] : [];
  return [...each.slice(0, EXAMPLES), ...more].join('; ');
}

/** From best to worst. */
const RANKS: readonly State[] = ['ok', 'skipped', 'warning', 'wrong'];

/** The worst state of each check. */
export function worstOf(findings: readonly Finding[]): ReadonlyMap<CheckName, State> {
  const worst = new Map<CheckName, State>();
  for (const { check, state } of findings) {
    const before = worst.get(check);
    if (before === undefined || RANKS.indexOf(state) > RANKS.indexOf(before)) worst.set(check, state);
  }
  return worst;
}
