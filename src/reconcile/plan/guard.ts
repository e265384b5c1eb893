/** The deletion guard: while too much looks gone, or deletes have proved wrong, the daemon doubts what it sees. */
import type { Memory } from './memory.ts';
import type { Policy } from './policy.ts';

/** The deletion guard is active: nothing is deregistered. */
export interface Hold {
  /** `mass`: too many nodes look gone. `returned`: machines of deregistered nodes came back. */
  readonly kind: 'mass' | 'returned';
  /** Of the managed nodes that count, those that look gone, or those whose machines came back. */
  readonly gone: number;
  readonly managed: number;
  readonly limitPercent: number;
  /** The names of the nodes. */
  readonly nodes: readonly string[];
  /** One sentence with the numbers, the names and the way out. */
  readonly message: string;
}

/** More returned machines than this share of the managed nodes, in percent, mean that deletes were wrong. */
const RETURNED_PERCENT = 5;
const NAMES_SHOWN = 10;

/** `gone` names the nodes that are not alive among the `counted`; both without nodes that are vetoed, leaving or left over. */
export function guard(
  { gone, counted, managed }: { gone: readonly string[]; counted: number; managed: number },
  deregistered: Memory['deregistered'],
  { neverDeregister, maxDeregisterPercent }: Policy,
): Hold | undefined {
  if (neverDeregister !== undefined) return undefined;
  const returned = [...deregistered.values()].filter(({ returnedAtMs }) => returnedAtMs !== undefined);
  if (returned.length > 1 && exceeds(returned.length, managed, RETURNED_PERCENT)) {
    const names = returned.map(({ name }) => name).sort();
    return {
      kind: 'returned',
      gone: names.length,
      managed,
      limitPercent: RETURNED_PERCENT,
      nodes: names,
      message:
        `deletion guard active: the machines of ${names.length} deregistered nodes came back with a kubelet that answers ` +
        `(${describeNames(names)}), so nodes that look gone may be alive; nothing is deregistered for an hour after the last of them came back`,
    };
  }
  if (maxDeregisterPercent >= 100 || gone.length === 0) return undefined;
  const isTooMany = gone.length > 1 && exceeds(gone.length, counted, maxDeregisterPercent);
  if (!isTooMany && gone.length < counted) return undefined;
  const names = [...gone].sort();
  return {
    kind: 'mass',
    gone: names.length,
    managed: counted,
    limitPercent: maxDeregisterPercent,
    nodes: names,
    message:
      `deletion guard active: ${names.length} of ${counted} managed nodes look gone ` +
      `(${Math.round((names.length / counted) * 100)}%, limit ${maxDeregisterPercent}%): ${describeNames(names)}; nothing is deregistered. ` +
      'If they really are gone: kubectl delete node NAME; or restart with ' +
      'KUBE_REGISTER_MAX_DEREGISTER_PERCENT=100, wait for the grace period, and restart with the old value',
  };
}

/** The first ten names, and how many more there are. */
function describeNames(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).join(', ');
  return names.length > NAMES_SHOWN ? `${shown} and ${names.length - NAMES_SHOWN} more` : shown;
}

/** Nothing is rounded before it is compared. */
function exceeds(part: number, whole: number, percent: number): boolean {
  return part * 100 > percent * whole;
}
