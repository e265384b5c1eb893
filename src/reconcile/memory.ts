/** What one good pass leaves for the next. It lives in the process alone: after a restart every grace starts anew. */
import type { Era } from '../kubernetes/registry.ts';
import type { Node } from './resolve.ts';
import type { Reason } from './verdict.ts';

/** How long a node has been seen in one row of the witness table. */
export interface Grace {
  readonly reason: Reason;
  /** The machine that the mark named. */
  readonly mark: string;
  /** Watched time, which is not the time that went by: see `watchedSince`. */
  readonly watchedMs: number;
  /** Good passes in a row that saw it, this one included. */
  readonly passes: number;
  /** Deregistrations that failed; who failed lately goes to the end of the queue. */
  readonly failures: number;
}

/** A row of the witness table, for one machine. */
type Row = Pick<Grace, 'reason' | 'mark'>;

export interface Memory {
  /** Monotonic ms of the last good pass; undefined before the first. */
  readonly lastGoodMs: number | undefined;
  /** By node uid. */
  readonly graces: ReadonlyMap<string, Grace>;
  /** By machine id: good passes in a row that found it in a mark but not in fleet's listing. */
  readonly unlisted: ReadonlyMap<string, number>;
  /** By machine id: the name of the last node it was seen with. */
  readonly lastNames: ReadonlyMap<string, string>;
  /** By node uid: what a metadata-only list does not repeat. */
  readonly identities: ReadonlyMap<string, Node['identity']>;
  /** What is known of this server only: see `Era.server`. Undefined before the first good pass. */
  readonly server: string | undefined;
  /** Names registered with a server that hides minions, and until when (monotonic ms) it would be futile to register them again. */
  readonly hidden: ReadonlyMap<string, number>;
  /** Requests that the API server refused for what they say, and until when (monotonic ms) it would be futile to repeat them. */
  readonly futile: ReadonlyMap<string, number>;
}

export const EMPTY_MEMORY: Memory = {
  lastGoodMs: undefined,
  graces: new Map(),
  unlisted: new Map(),
  lastNames: new Map(),
  identities: new Map(),
  server: undefined,
  hidden: new Map(),
  futile: new Map(),
};

/** A row counts, and a machine is believed to be gone, only after this many good passes in a row. */
export const PASSES_TO_BELIEVE = 3;

/** A refused request is repeated after this long, or as soon as it would say something else. */
export const FUTILE_MS = 10 * 60_000;

/** Names are remembered for this many machines, the latest first: more than any cluster has. */
const NAMES_KEPT = 20_000;

/**
 * The time that counts between two good passes: what went by, but never more than two intervals, so that failed, late or
 * missed passes, and a suspended machine, add nothing.
 */
export function watchedSince(memory: Memory, nowMs: number, intervalMs: number): number {
  if (memory.lastGoodMs === undefined) return 0;
  return Math.min(Math.max(nowMs - memory.lastGoodMs, 0), 2 * intervalMs);
}

/** The node's grace after a good pass that saw it in this row. Another row, or another machine's mark, starts anew. */
export function watch(before: Grace | undefined, row: Row, elapsedMs: number): Grace {
  if (!isInRow(before, row)) return { ...row, watchedMs: 0, passes: 1, failures: 0 };
  return { ...before, watchedMs: before.watchedMs + elapsedMs, passes: before.passes + 1 };
}

/**
 * What a pass leaves that saw everything and then ran into its deadline, so that it is not a good one: what it learned stays, and
 * whom it saw alive or listed is no longer watched, but no grace and no count has gone on.
 */
export function unwatched(after: Memory, before: Memory): Memory {
  const graces = [...before.graces].filter(([uid, grace]) => isInRow(after.graces.get(uid), grace));
  const unlisted = [...before.unlisted].filter(([id]) => after.unlisted.has(id));
  return { ...after, lastGoodMs: before.lastGoodMs, graces: new Map(graces), unlisted: new Map(unlisted) };
}

function isInRow(grace: Grace | undefined, { reason, mark }: Row): grace is Grace {
  return grace?.reason === reason && grace.mark === mark;
}

/** `names` with `seen` added as the latest, and the oldest dropped beyond the cap. */
export function rememberNames(
  names: ReadonlyMap<string, string>,
  seen: Iterable<readonly [machineId: string, name: string]>,
): ReadonlyMap<string, string> {
  const next = new Map(names);
  for (const [id, name] of seen) {
    next.delete(id);
    next.set(id, name);
  }
  for (const id of next.keys()) {
    if (next.size <= NAMES_KEPT) break;
    next.delete(id);
  }
  return next;
}

/** Whether the server refused a request of this fingerprint so lately that it would refuse it again. */
export function isFutile({ futile }: Memory, fingerprint: string, nowMs: number): boolean {
  return (futile.get(fingerprint) ?? 0) > nowMs;
}

/** Whether a node of this name was registered so lately, and is hidden, that to register it again would tell nothing new. */
export function isHidden({ hidden }: Memory, name: string, nowMs: number): boolean {
  return (hidden.get(name) ?? 0) > nowMs;
}

/** What is not over yet, of what is remembered until a time. */
export function notOver(untilMs: ReadonlyMap<string, number>, nowMs: number): ReadonlyMap<string, number> {
  return new Map([...untilMs].filter(([, until]) => until > nowMs));
}

/** What is left of a memory when another server answers: the names of machines, which are ours. */
export function recall(memory: Memory, { server }: Era): Memory {
  if (memory.server === undefined || memory.server === server) return memory;
  return { ...EMPTY_MEMORY, lastGoodMs: memory.lastGoodMs, lastNames: memory.lastNames };
}
