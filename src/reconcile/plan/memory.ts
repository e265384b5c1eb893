/** What one good pass leaves for the next. It lives in the process alone: after a restart every grace period starts anew. */
import type { Era, NodeFacts } from '../../kubernetes/registry.ts';
import type { LastNode } from '../evidence/pair.ts';
import type { Reason } from './verdict.ts';

/** How long a node has been seen not alive, in rows that share one grace period. */
export interface Grace {
  readonly reason: Reason;
  /** The machine that the mark named. */
  readonly mark: string;
  /** Watched time, which is not the time that went by: see `watchedSince`. */
  readonly watchedMs: number;
  /** Good passes in a row that saw it, this one included. */
  readonly passes: number;
  /** Deregistrations that failed; those that failed before go to the end of the queue. */
  readonly failures: number;
}

/** A row of the table in DESIGN 4, for one machine. */
type Row = Pick<Grace, 'reason' | 'mark'>;

/** Half of life: a node that is only reporting, or whose kubelet only answers. */
export interface Doubt {
  readonly kind: 'probe-suspect' | 'not-posting';
  readonly watchedMs: number;
}

/** What was read of a node, and when (monotonic ms). */
export interface Read {
  readonly facts: NodeFacts;
  readonly atMs: number;
}

/** The values that something had, the latest last, each with the time (monotonic ms) at which it began. */
export type Changes = readonly { readonly value: string; readonly atMs: number }[];

/** A node that was deregistered and has not been forgotten yet. */
export interface Deregistered {
  readonly name: string;
  readonly uid: string;
  readonly atMs: number;
  /** When its machine was back with a kubelet that answers. */
  readonly returnedAtMs: number | undefined;
}

/** What a change writes: null takes away. */
export type Wanted = ReadonlyMap<string, string | null>;

/** A change that was made and may be undone by others. */
export interface Done {
  /** What was written last, by what it was written to. */
  readonly wanted: Wanted;
  readonly times: number;
  readonly atMs: number;
  /** When it was last seen not to stand. */
  readonly missingAtMs: number | undefined;
}

export interface Memory {
  /** Monotonic ms of the last good pass; undefined before the first. */
  readonly lastGoodMs: number | undefined;
  /** By node uid. */
  readonly graces: ReadonlyMap<string, Grace>;
  /** By node uid. */
  readonly doubts: ReadonlyMap<string, Doubt>;
  /** By node uid: the addresses at which its kubelet has answered this process. */
  readonly answered: ReadonlyMap<string, readonly string[]>;
  /** By node uid: the machine that has held a node with another machine's mark, and for how many good passes in a row. */
  readonly held: ReadonlyMap<string, { readonly machineId: string; readonly passes: number }>;
  /** By machine id: the last node it was paired with. */
  readonly lastNodes: ReadonlyMap<string, LastNode>;
  /** By node uid: what a metadata-only list does not repeat. */
  readonly reads: ReadonlyMap<string, Read>;
  /** By `address MACHINE` or `id NODE-UID`. */
  readonly changes: ReadonlyMap<string, Changes>;
  /** By machine id. */
  readonly deregistered: ReadonlyMap<string, Deregistered>;
  /** By `register MACHINE` or `mark NODE-UID`. */
  readonly done: ReadonlyMap<string, Done>;
  /** What is known of this server only: see `Era.abilities`. Undefined before the first good pass. */
  readonly abilities: string | undefined;
  /** Names registered with a server that hides minions, and until when (monotonic ms) it would be futile to register them again. */
  readonly hidden: ReadonlyMap<string, number>;
  /** Requests that the API server refused for what they say, and until when (monotonic ms) it would be futile to repeat them. */
  readonly futile: ReadonlyMap<string, number>;
}

export const EMPTY_MEMORY: Memory = {
  lastGoodMs: undefined,
  graces: new Map(),
  doubts: new Map(),
  answered: new Map(),
  held: new Map(),
  lastNodes: new Map(),
  reads: new Map(),
  changes: new Map(),
  deregistered: new Map(),
  done: new Map(),
  abilities: undefined,
  hidden: new Map(),
  futile: new Map(),
};

const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** A row counts, and a mark is rewritten, only after this many good passes in a row. */
export const PASSES_TO_BELIEVE = 3;

/** A refused request is repeated after this long, or as soon as it would say something else. */
export const FUTILE_MS = 10 * MINUTE;

/** What was read of a node stands for so long. */
export const READ_STANDS_MS = 10 * MINUTE;

/** Half of life is told of after so much watched time: a death and a birth both pass through it. */
export const DOUBT_MS = 10 * MINUTE;

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

/** `unhealthy` has a grace period of its own; the other reasons share one. */
export function sharesGrace(a: Reason, b: Reason): boolean {
  return (a === 'unhealthy') === (b === 'unhealthy');
}

/** The node's grace after a good pass that saw it in this row. Another grace period, or another machine's mark, starts anew. */
export function watch(before: Grace | undefined, row: Row, elapsedMs: number): Grace {
  if (!isInRow(before, row)) return { ...row, watchedMs: 0, passes: 1, failures: 0 };
  return { ...before, ...row, watchedMs: before.watchedMs + elapsedMs, passes: before.passes + 1 };
}

/** The same for half of life. */
export function watchDoubt(before: Doubt | undefined, kind: Doubt['kind'], elapsedMs: number): Doubt {
  return { kind, watchedMs: before?.kind === kind ? before.watchedMs + elapsedMs : 0 };
}

/**
 * What a pass leaves that saw everything and then ran into its deadline, so that it is not a good one: what it learned stays, and
 * nodes that it saw alive are no longer watched, but no grace and no count has gone on.
 */
export function unwatched(after: Memory, before: Memory): Memory {
  return {
    ...after,
    lastGoodMs: before.lastGoodMs,
    graces: keptOf(before.graces, (uid, grace) => isInRow(after.graces.get(uid), grace)),
    doubts: keptOf(before.doubts, (uid, { kind }) => after.doubts.get(uid)?.kind === kind),
    held: keptOf(before.held, (uid, { machineId }) => after.held.get(uid)?.machineId === machineId),
  };
}

function keptOf<T>(map: ReadonlyMap<string, T>, isKept: (key: string, value: T) => boolean): ReadonlyMap<string, T> {
  const kept = new Map<string, T>();
  for (const [key, value] of map) if (isKept(key, value)) kept.set(key, value);
  return kept;
}

function isInRow(grace: Grace | undefined, { reason, mark }: Row): grace is Grace {
  return grace !== undefined && sharesGrace(grace.reason, reason) && grace.mark === mark;
}

/** `nodes` with `seen` added as the latest, and the oldest dropped beyond the cap; itself where nothing is new. */
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
  for (const id of next?.keys() ?? []) {
    if (next === undefined || next.size <= NAMES_KEPT) break;
    next.delete(id);
  }
  return next ?? nodes;
}

/** How many changes are kept of each thing: enough to see values of several hosts come back. */
const CHANGES_KEPT = 8;

/** How often values have to come back: twice in A, B, A, B. */
const RETURNS = 2;

/** The changes of a thing after it was seen to have this value; an empty value says nothing. */
export function seeValue(before: Changes | undefined, value: string, nowMs: number): Changes {
  const changes = before ?? [];
  if (value === '' || changes.at(-1)?.value === value) return changes;
  return [...changes, { value, atMs: nowMs }].slice(-CHANGES_KEPT);
}

/**
 * Two values between which a thing goes back and forth, or undefined: within an hour values came back twice, as in A, B, A, B. Three hosts
 * show A, C, B, A, C.
 */
export function alternation(changes: Changes | undefined, nowMs: number): readonly [string, string] | undefined {
  if (changes === undefined || changes.length < RETURNS + 2) return undefined;
  const recent = changes.filter((_, index, all) => (all[index + 1]?.atMs ?? nowMs) >= nowMs - HOUR);
  const values = recent.map(({ value }) => value);
  const returns = values.filter((value, index) => values.indexOf(value) < index).length;
  const last = values.at(-1);
  const other = values.at(-2);
  if (returns < RETURNS || last === undefined || other === undefined) return undefined;
  return [other, last];
}

/** The key in `Memory.changes` of what a node reports of itself. */
export function identityKey(uid: string): string {
  return `id ${uid}`;
}

/** Whether the node has reported another identity so lately that it may change back. One that only became more complete is the same. */
export function isUnsettled({ changes }: Pick<Memory, 'changes'>, uid: string, nowMs: number): boolean {
  const [last, before] = (changes.get(identityKey(uid)) ?? []).slice(-2).reverse();
  if (last === undefined || before === undefined || nowMs - last.atMs >= READ_STANDS_MS) return false;
  const parts = last.value.split(' ');
  return before.value.split(' ').some((part) => !parts.includes(part));
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
  return keptOf(untilMs, (_key, until) => until > nowMs);
}

/** What is still hidden of what was: no node of these names is listed. */
export function stillHidden(
  { hidden }: Memory,
  nodes: Iterable<{ readonly name: string }>,
  nowMs: number,
): Memory['hidden'] {
  if (hidden.size === 0) return hidden;
  const still = new Map(notOver(hidden, nowMs));
  for (const { name } of nodes) still.delete(name);
  return still;
}

/** How often others have undone a change, and how long to wait before it is made again (ms from now; 0: now). */
export function undoing(memory: Memory, key: string, wanted: Wanted, nowMs: number): { times: number; waitMs: number } {
  const done = memory.done.get(key);
  if (done === undefined || !repeats(done, wanted)) return { times: 0, waitMs: 0 };
  const pauseMs = done.times < 2 ? 0 : Math.min(2 ** (done.times - 2) * MINUTE, HOUR);
  return { times: done.times, waitMs: Math.max(done.atMs + pauseMs - nowMs, 0) };
}

/** The memory of what was done after it was done once more. */
export function doneOnceMore(before: Done | undefined, wanted: Wanted, nowMs: number): Done {
  const times = before !== undefined && repeats(before, wanted) ? before.times + 1 : 1;
  return { wanted: new Map([...(before?.wanted ?? []), ...wanted]), times, atMs: nowMs, missingAtMs: undefined };
}

/** Whether a change writes anything that was written last already. */
function repeats(done: Done, wanted: Wanted): boolean {
  return [...wanted].some(([key, value]) => done.wanted.get(key) === value);
}

/** What is left of what was done: what has stood for an hour is forgotten. `missing` holds what does not stand in this pass. */
export function stillUndoable(memory: Memory, missing: ReadonlySet<string>, nowMs: number): Memory['done'] {
  const still = new Map<string, Done>();
  for (const [key, done] of memory.done) {
    const { atMs, missingAtMs = atMs } = done;
    if (missing.has(key)) still.set(key, { ...done, missingAtMs: nowMs });
    else if (nowMs - Math.max(atMs, missingAtMs) <= HOUR) still.set(key, done);
  }
  return still;
}

/**
 * The deregistered nodes whose machines may still come back, or came back in the last hour. `isBack` tells whether the machine of one is back
 * with a kubelet that answers.
 */
export function watchReturns(
  { deregistered }: Memory,
  isBack: (machineId: string, node: Deregistered) => boolean,
  nowMs: number,
): Memory['deregistered'] {
  const seen = [...deregistered].map(([id, node]) => {
    const returnedAtMs = node.returnedAtMs ?? (isBack(id, node) ? nowMs : undefined);
    return [id, { ...node, returnedAtMs }] as const;
  });
  return new Map(seen.filter(([, { atMs, returnedAtMs = atMs }]) => nowMs - returnedAtMs <= HOUR));
}

/** What is left of a memory when a server with other abilities answers: what is known of machines. */
export function recall(memory: Memory, { abilities }: Era): Memory {
  if (memory.abilities === undefined || memory.abilities === abilities) return memory;
  const { lastGoodMs, lastNodes, deregistered } = memory;
  return { ...EMPTY_MEMORY, lastGoodMs, lastNodes, deregistered };
}
