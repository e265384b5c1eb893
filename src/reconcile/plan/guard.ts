/** The deletion guard: nothing is deregistered while too many nodes are not alive, or after deletes that were wrong. */
import { firstNames } from '../../text/names.ts';
import { plural } from '../../text/plural.ts';
import type { Memory } from './memory/memory.ts';
import type { Policy } from './policy.ts';

/** The deletion guard is active: nothing is deregistered. */
export interface Hold {
  /** `mass`: too many nodes are not alive. `returned`: machines of deregistered nodes returned. */
  readonly kind: 'mass' | 'returned';
  /** A `mass` hold of nodes that would no longer be too many. */
  readonly isLasting?: boolean;
  /** The number of managed nodes that are not alive, or of deregistered nodes whose machines returned. */
  readonly gone: number;
  readonly managed: number;
  readonly limitPercent: number;
  /** The names of the nodes. */
  readonly nodes: readonly string[];
  /** One sentence with the numbers, the names and what to do. */
  readonly message: string;
}

/** The share of the managed nodes, in percent, above which returned machines mean that deletes were wrong. */
const RETURNED_PERCENT = 5;
const NAMES_SHOWN = 10;

/** Another way to deregister nodes whose machines are missing from fleet. After a restart a node of a listed machine is kept: it is `unheard`. */
const RESTART =
  ', or restart with KUBE_REGISTER_MAX_DEREGISTER_PERCENT=100, wait for the grace period, and restart with the old value';

/** The nodes that the guard counts. Vetoed, leaving and left-over nodes are in none of the numbers but `managed`. */
interface Counted {
  /** The names of the nodes that are not alive. */
  readonly notAlive: readonly string[];
  /** The nodes that were held in the last pass and are not alive still. */
  readonly stillHeld: readonly { readonly name: string; readonly isVetoed: boolean }[];
  /** How many of those that are not alive have a machine that fleet lists. */
  readonly listed: number;
  readonly counted: number;
  readonly managed: number;
}

/** What the `mass` hold of a pass leaves for the next one. */
export interface Held {
  /** The uids of the nodes that it holds. */
  readonly uids: ReadonlySet<string>;
  /** The number of nodes that counted when too many of them were not alive. */
  readonly counted: number;
}

/** The hold of this pass, or undefined. */
export function guard(
  found: Counted,
  { deregistered, held }: Pick<Memory, 'deregistered' | 'held'>,
  policy: Policy,
): Hold | undefined {
  if (policy.neverDeregister !== undefined) return undefined;
  return holdOfReturned(found.managed, deregistered) ?? massHold(found, held, policy);
}

/**
 * The hold of too many nodes that are not alive, also while another one is told. It lasts until its nodes are alive, deleted or all vetoed: vetoes on
 * some of them, or new machines, do not let the others go. One node alone, which was all that there was, is not held by this.
 */
export function massHold(
  { notAlive, stillHeld, listed, counted }: Counted,
  held: Held | undefined,
  { maxDeregisterPercent: limit }: Policy,
): Hold | undefined {
  const now = holdOf(notAlive, { listed, counted, limit });
  if (now !== undefined || held === undefined) return now;
  if (stillHeld.length < 2 || stillHeld.every(({ isVetoed }) => isVetoed)) return undefined;
  const names = stillHeld.map(({ name }) => name);
  return holdOf(names, { listed, counted: held.counted, limit, isLasting: true });
}

function holdOfReturned(managed: number, deregistered: Memory['deregistered']): Hold | undefined {
  const returned = [...deregistered.values()].filter(({ returnedAtMs }) => returnedAtMs !== undefined);
  if (returned.length <= 1 || !exceeds(returned.length, managed, RETURNED_PERCENT)) return undefined;
  const names = returned.map(({ name }) => name).sort();
  return {
    kind: 'returned',
    gone: names.length,
    managed,
    limitPercent: RETURNED_PERCENT,
    nodes: names,
    message:
      `deletion guard active: the machines of ${names.length} deregistered nodes returned with a reachable kubelet: ` +
      `${firstNames(names, NAMES_SHOWN)}; the nodes that are not alive now may return too; no node is deregistered until 1h after the last return; ` +
      'check the network to the kubelets',
  };
}

interface Numbers extends Pick<Counted, 'listed' | 'counted'> {
  readonly limit: number;
  readonly isLasting?: boolean;
}

function holdOf(notAlive: readonly string[], { listed, counted, limit, isLasting = false }: Numbers): Hold | undefined {
  if (limit >= 100 || notAlive.length === 0) return undefined;
  const isTooMany = notAlive.length > 1 && exceeds(notAlive.length, counted, limit);
  if (!isTooMany && notAlive.length < counted) return undefined;
  const names = [...notAlive].sort();
  const [since, until] = isLasting ? [' of when it began', ' until these are alive or deleted'] : ['', ''];
  return {
    kind: 'mass',
    ...(isLasting && { isLasting }),
    gone: names.length,
    managed: counted,
    limitPercent: limit,
    nodes: names,
    message:
      `deletion guard active: ${names.length} of ${plural(counted, 'managed node')}${since} ${names.length === 1 ? 'is' : 'are'} not alive ` +
      `(${Math.round((names.length / counted) * 100)}%, limit ${limit}%): ${firstNames(names, NAMES_SHOWN)}; no node is deregistered${until}; ` +
      `repair their kubelets or the network to them; if their machines are gone: kubectl delete node NAME${listed > 0 ? '' : RESTART}`,
  };
}

/** Nothing is rounded before it is compared. */
function exceeds(part: number, whole: number, percent: number): boolean {
  return part * 100 > percent * whole;
}
