/** The verdict of every node that bears our mark: kept, watched, or deregistered. The rules an operator trusts. */
import { formatDuration } from '../duration.ts';
import { type Deregister, fingerprint } from './action.ts';
import { isKept, markOf } from './marks.ts';
import { type Grace, isFutile, type Memory, PASSES_TO_BELIEVE, watch, watchedSince } from './memory.ts';
import type { Now, Policy } from './policy.ts';
import type { Node } from './resolve.ts';
import type { NodeVerdict, Reason } from './verdict.ts';
import { describe, isHeard, type Observation, type Testimony } from './witnesses.ts';

/** The mass guard at work: so many nodes look gone that the daemon doubts its own eyes. */
export interface Hold {
  readonly gone: number;
  readonly managed: number;
  readonly limitPercent: number;
  /** `held: 7 of 12 managed nodes look gone (58 %, limit 34 %): ...` with the way out. */
  readonly message: string;
}

export interface Deregistration {
  readonly actions: readonly Deregister[];
  /** By node name, for every node with our mark. */
  readonly verdicts: ReadonlyMap<string, NodeVerdict>;
  readonly graces: ReadonlyMap<string, Grace>;
  readonly hold: Hold | undefined;
  /** Nodes with our mark. */
  readonly managed: number;
}

/** A marked node that is not alive in this pass. */
interface Gone {
  readonly node: Node;
  readonly testimony: Testimony;
  readonly reason: Reason;
  readonly grace: Grace;
  readonly graceMs: number;
  /** What an operator put in the way, for people. */
  readonly veto: string | undefined;
}

/**
 *     alive, and fleet says     verdict             not alive, and fleet says   deregistered after   reason
 *       matches                 keep                  matches                   UNHEALTHY_GRACE      unhealthy
 *       matches (Ready only)    probe-suspect         no longer matches         MISSING_GRACE        metadata-changed
 *       no longer matches       unmatched             not listed                MISSING_GRACE        machine-gone
 *       not listed              orphan
 *
 * Then, in this order: an operator's veto, a setting that spares, the mass guard, the grace, the pacing.
 */
export function planDeregistrations(
  { nodes }: Observation,
  testimonies: ReadonlyMap<string, Testimony>,
  memory: Memory,
  policy: Policy,
  now: Now,
): Deregistration {
  const elapsedMs = watchedSince(memory, now.monotonicMs, policy.intervalMs);
  const verdicts = new Map<string, NodeVerdict>();
  const gone: Gone[] = [];
  let managed = 0;
  let kept = 0;
  for (const node of nodes) {
    const testimony = testimonies.get(node.name);
    const mark = markOf(node);
    if (testimony === undefined || mark === undefined) continue;
    managed += 1;
    if (isKept(node)) kept += 1;
    if (testimony.alive) {
      verdicts.set(node.name, aliveVerdict(node, testimony));
      continue;
    }
    const reason = reasonFor(testimony);
    gone.push({
      node,
      testimony,
      reason,
      grace: watch(memory.graces.get(node.uid), { reason, mark }, elapsedMs),
      graceMs: reason === 'unhealthy' ? policy.unhealthyGraceMs : policy.missingGraceMs,
      veto: vetoOf(node),
    });
  }

  const hold = guard(gone.filter(({ node }) => !isKept(node)).length, managed - kept, policy);
  const chosen = hold === undefined ? choose(gone, managed, { policy, memory, now }) : new Set<Gone>();
  for (const each of gone) verdicts.set(each.node.name, goneVerdict(each, { hold, chosen, policy }));
  return {
    actions: [...chosen].map(deregister),
    verdicts,
    // A hold ends every grace, so that the nodes that recover last are not the first to go.
    graces: new Map(hold === undefined ? gone.map(({ node, grace }) => [node.uid, grace]) : []),
    hold,
    managed,
  };
}

function aliveVerdict(node: Node, testimony: Testimony): NodeVerdict {
  const said = describe(testimony);
  const mark = markOf(node);
  switch (testimony.fleet) {
    case 'matches':
      return isHeard(testimony) || testimony.kubernetes === 'unread'
        ? { name: 'keep', reason: said }
        : { name: 'probe-suspect', ...suspicion(testimony) };
    case 'no-match':
      return {
        name: 'unmatched',
        reason: `machine ${mark} no longer matches the selector, but the node is alive: ${said}`,
        next: 'kept: somebody runs a kubelet there that fleet does not',
      };
    case 'not-listed':
      return {
        name: 'orphan',
        reason: `fleet does not list machine ${mark}, but the node is alive: ${said}`,
        next: "kept: fleet's agent is down there, not the node",
      };
  }
}

/** A kubelet that is silent, or one that nobody can ask, though Kubernetes calls its node Ready. */
function suspicion(testimony: Testimony): Pick<NodeVerdict, 'reason' | 'next'> {
  const said = describe(testimony);
  if (testimony.kubelet === 'unasked') {
    return {
      reason: `${said}, where ${testimony.kubeletDetail}`,
      next: 'kept while Kubernetes calls it Ready; if it is left over from another name of its machine: kubectl delete node',
    };
  }
  return {
    reason: `${said}: the health check is wrong, not the node (${testimony.kubeletDetail})`,
    next: 'kept; see KUBE_REGISTER_HEALTHZ_URL',
  };
}

function reasonFor({ fleet }: Testimony): Reason {
  if (fleet === 'matches') return 'unhealthy';
  return fleet === 'no-match' ? 'metadata-changed' : 'machine-gone';
}

function vetoOf(node: Node): string | undefined {
  if (isKept(node)) return 'kube-register.io/keep is set on it';
  if (node.now?.unschedulable === true) return 'it is cordoned: somebody is at work there';
  return undefined;
}

function guard(gone: number, managed: number, { maxDeregisterPercent, neverDeregister }: Policy): Hold | undefined {
  if (neverDeregister !== undefined || maxDeregisterPercent >= 100 || gone === 0) return undefined;
  const tooMany = gone > 1 && (gone / managed) * 100 > maxDeregisterPercent;
  if (!tooMany && gone < managed) return undefined;
  return {
    gone,
    managed,
    limitPercent: maxDeregisterPercent,
    message:
      `held: ${gone} of ${managed} managed nodes look gone (${Math.round((gone / managed) * 100)} %, limit ${maxDeregisterPercent} %); ` +
      'nothing is deregistered. If they really are gone: kubectl delete node NAME; or restart with ' +
      'KUBE_REGISTER_MAX_DEREGISTER_PERCENT=100, wait for the grace, and restart with the old value',
  };
}

/** At most 1 % of the managed nodes, and at least one: the longest gone first, behind them those that failed before. */
function choose(
  gone: readonly Gone[],
  managed: number,
  { policy, memory, now }: { policy: Policy; memory: Memory; now: Now },
): ReadonlySet<Gone> {
  const due = gone.filter(
    (each) =>
      each.veto === undefined &&
      !isSpared(each, policy) &&
      remainingMs(each, policy.intervalMs) === 0 &&
      !isFutile(memory, fingerprint(deregister(each)), now.monotonicMs),
  );
  due.sort(
    (a, b) =>
      a.grace.failures - b.grace.failures ||
      b.grace.watchedMs - a.grace.watchedMs ||
      b.grace.passes - a.grace.passes ||
      (a.node.name < b.node.name ? -1 : 1),
  );
  return new Set(due.slice(0, Math.max(1, Math.floor(managed / 100))));
}

function isSpared({ graceMs }: Gone, { neverDeregister }: Policy): boolean {
  return neverDeregister !== undefined || graceMs === Number.POSITIVE_INFINITY;
}

/** Zero once the grace has been watched to its end and enough passes saw it. */
function remainingMs({ grace, graceMs }: Gone, intervalMs: number): number {
  return Math.max(graceMs - grace.watchedMs, (PASSES_TO_BELIEVE - grace.passes) * intervalMs, 0);
}

function goneVerdict(
  gone: Gone,
  { hold, chosen, policy }: { hold: Hold | undefined; chosen: ReadonlySet<Gone>; policy: Policy },
): NodeVerdict {
  const reason = explain(gone);
  if (gone.veto !== undefined) return { name: 'vetoed', reason, next: `kept: ${gone.veto}` };
  if (policy.neverDeregister !== undefined) return { name: 'spared', reason, next: `kept: ${policy.neverDeregister}` };
  if (isSpared(gone, policy)) {
    const setting = gone.reason === 'unhealthy' ? 'KUBE_REGISTER_UNHEALTHY_GRACE' : 'KUBE_REGISTER_MISSING_GRACE';
    return { name: 'spared', reason, next: `kept: ${setting}=never` };
  }
  if (hold !== undefined) return { name: 'held', reason, next: 'its grace starts anew when the hold ends' };
  if (chosen.has(gone)) return { name: 'deregister', reason, next: 'deregistered in this pass' };
  const dueInMs = remainingMs(gone, policy.intervalMs);
  if (dueInMs > 0)
    return { name: 'in-grace', reason, next: `deregistered in ${formatDuration(wholeSeconds(dueInMs))}`, dueInMs };
  return { name: 'queued', reason, next: 'deregistered when its turn comes' };
}

/** `missing from fleet for 3m10s of 15m, seen in 7 passes; kubelet silent; Kubernetes says NotReady` */
function explain({ node, testimony, reason, grace, graceMs }: Gone): string {
  const state = {
    unhealthy: 'not alive',
    'metadata-changed': `machine ${markOf(node)} no longer matches,`,
    'machine-gone': 'missing from fleet',
  };
  const of = Number.isFinite(graceMs) ? ` of ${formatDuration(graceMs)}` : '';
  const passes = grace.passes === 1 ? '1 pass' : `${grace.passes} passes`;
  return `${state[reason]} for ${formatDuration(wholeSeconds(grace.watchedMs))}${of}, seen in ${passes}; ${describe(testimony)}`;
}

function deregister(gone: Gone): Deregister {
  const { node, reason, testimony } = gone;
  return { kind: 'deregister', node, reason, addresses: testimony.addresses, why: explain(gone) };
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1_000) * 1_000;
}
