/** What one good pass leaves for the next. It is kept in the process alone: after a restart every grace period starts again. */
import type { Era, NodeFacts } from '../../../kubernetes/registry.ts';
import type { LastNode } from '../../evidence/pair.ts';
import type { Held } from '../guard.ts';
import type { Changes } from './changes.ts';
import { type Grace, isInRow, type Mismatch } from './graces.ts';
import type { Writes } from './writes.ts';

/** What was read of a node, and when (monotonic ms). */
interface Read {
  readonly facts: NodeFacts;
  readonly atMs: number;
}

/** A node that was deregistered within the last hour, or whose machine returned within it. */
export interface Deregistered {
  readonly name: string;
  readonly uid: string;
  /** Monotonic ms of the delete. */
  readonly atMs: number;
  /** Monotonic ms at which its machine returned with a reachable kubelet. */
  readonly returnedAtMs: number | undefined;
}

/** What the plan of a pass knows of earlier passes. Times are monotonic ms. */
export interface Memory {
  /** The last good pass; undefined before the first. */
  readonly lastGoodMs: number | undefined;
  /** By node uid. */
  readonly graces: ReadonlyMap<string, Grace>;
  /** By node uid. */
  readonly mismatches: ReadonlyMap<string, Mismatch>;
  /** By node uid: the addresses at which its kubelet was reachable for this process. */
  readonly answered: ReadonlyMap<string, readonly string[]>;
  /** The uids of nodes that were probe-suspect after their kubelet was last reachable: an unreachable one does not mean a dead one. */
  readonly suspects: ReadonlySet<string>;
  /** By node uid: see `Past`. */
  readonly besideOthers: ReadonlyMap<string, number>;
  /** By node uid: the machine that matches a node with another machine's annotations, and in how many consecutive good passes. */
  readonly rematched: ReadonlyMap<string, { readonly machineId: string; readonly passes: number }>;
  /** By machine id: the last node it was paired with. */
  readonly lastNodes: ReadonlyMap<string, LastNode>;
  /** By node uid: what a metadata-only list does not repeat. */
  readonly reads: ReadonlyMap<string, Read>;
  /** By `address MACHINE` or `id NODE-UID`. */
  readonly changes: ReadonlyMap<string, Changes>;
  /** By machine id. */
  readonly deregistered: ReadonlyMap<string, Deregistered>;
  /** The hold of too many nodes that are not alive; undefined where there is none. */
  readonly held: Held | undefined;
  readonly writes: Writes;
  /** The `Era.abilities` of the server that this was learned from; undefined before the first good pass. */
  readonly abilities: string | undefined;
  /** Names registered with a server that hides minions, and until when they are not registered again. */
  readonly hidden: ReadonlyMap<string, number>;
  /** By fingerprint of a request that the API server refused for its content: until when it is not repeated. */
  readonly refused: ReadonlyMap<string, number>;
}

export const EMPTY_MEMORY: Memory = {
  lastGoodMs: undefined,
  graces: new Map(),
  mismatches: new Map(),
  answered: new Map(),
  suspects: new Set(),
  besideOthers: new Map(),
  rematched: new Map(),
  lastNodes: new Map(),
  reads: new Map(),
  changes: new Map(),
  deregistered: new Map(),
  held: undefined,
  writes: new Map(),
  abilities: undefined,
  hidden: new Map(),
  refused: new Map(),
};

/** A refused request is repeated after this time, or as soon as its content differs. */
export const RETRY_REFUSED_MS = 10 * 60_000;

/** What was read of a node is used for this time. */
export const READ_VALID_MS = 10 * 60_000;

/** Deregistered nodes are remembered for this time, and for as long again after their machines returned. */
const RETURN_MS = 60 * 60_000;

/** Names are remembered for this many machines, the latest first: more than any cluster has. */
const MAX_LAST_NODES = 20_000;

/** The memory that is valid for the server that answers now: with other abilities, only what is known of machines and of their addresses. */
export function memoryFor(memory: Memory, { abilities }: Era): Memory {
  if (memory.abilities === undefined || memory.abilities === abilities) return memory;
  const { lastGoodMs, lastNodes, deregistered, held, answered, besideOthers } = memory;
  return { ...EMPTY_MEMORY, lastGoodMs, lastNodes, deregistered, held, answered, besideOthers };
}

/**
 * The memory after a pass that observed everything and then ran into its deadline, so that it is not a good one. What it learned stays, and
 * nodes that it saw alive are no longer watched, but no grace period and no count goes on.
 */
export function withoutProgress(after: Memory, before: Memory): Memory {
  return {
    ...after,
    lastGoodMs: before.lastGoodMs,
    graces: filterMap(before.graces, (uid, grace) => isInRow(after.graces.get(uid), grace)),
    mismatches: filterMap(before.mismatches, (uid, { kind }) => after.mismatches.get(uid)?.kind === kind),
    besideOthers: filterMap(before.besideOthers, (uid) => after.besideOthers.has(uid)),
    rematched: filterMap(before.rematched, (uid, { machineId }) => after.rematched.get(uid)?.machineId === machineId),
  };
}

function filterMap<T>(map: ReadonlyMap<string, T>, isKept: (key: string, value: T) => boolean): ReadonlyMap<string, T> {
  const kept = new Map<string, T>();
  for (const [key, value] of map) if (isKept(key, value)) kept.set(key, value);
  return kept;
}

/** `nodes` with `seen` added as the latest, and the oldest dropped beyond the maximum; the same map when nothing is new. */
export function rememberNodes(
  nodes: Memory['lastNodes'],
  seen: Iterable<readonly [machineId: string, node: LastNode]>,
): Memory['lastNodes'] {
  let next: Map<string, LastNode> | undefined;
  for (const [id, node] of seen) {
    const before = nodes.get(id);
    if (before?.uid === node.uid && before.name === node.name && before.origin === node.origin) continue;
    next ??= new Map(nodes);
    next.delete(id);
    next.set(id, node);
  }
  if (next === undefined) return nodes;
  for (const id of next.keys()) {
    if (next.size <= MAX_LAST_NODES) break;
    next.delete(id);
  }
  return next;
}

/** Whether the server refused a request of this fingerprint within the last ten minutes. */
export function isRefused({ refused }: Memory, fingerprint: string, nowMs: number): boolean {
  return (refused.get(fingerprint) ?? 0) > nowMs;
}

/** Whether a node of this name was registered within the last ten minutes with a server that hides it. */
export function isHidden({ hidden }: Memory, name: string, nowMs: number): boolean {
  return (hidden.get(name) ?? 0) > nowMs;
}

/** The entries whose time is not over. */
export function withoutExpired(untilMs: ReadonlyMap<string, number>, nowMs: number): ReadonlyMap<string, number> {
  return filterMap(untilMs, (_key, until) => until > nowMs);
}

/** The hidden names that are still not listed and whose time is not over. */
export function stillHidden(
  { hidden }: Memory,
  nodes: Iterable<{ readonly name: string }>,
  nowMs: number,
): Memory['hidden'] {
  if (hidden.size === 0) return hidden;
  const still = new Map(withoutExpired(hidden, nowMs));
  for (const { name } of nodes) still.delete(name);
  return still;
}

/**
 * The deregistered nodes whose machines may still return, or returned within the last hour. `hasReturned` tells whether the machine of
 * one is back with a reachable kubelet.
 */
export function trackReturns(
  { deregistered }: Memory,
  hasReturned: (machineId: string, node: Deregistered) => boolean,
  nowMs: number,
): Memory['deregistered'] {
  const seen = [...deregistered].map(([id, node]) => {
    const returnedAtMs = node.returnedAtMs ?? (hasReturned(id, node) ? nowMs : undefined);
    return [id, { ...node, returnedAtMs }] as const;
  });
  return new Map(seen.filter(([, { atMs, returnedAtMs = atMs }]) => nowMs - returnedAtMs <= RETURN_MS));
}
