/** The verdicts of nodes that are kept: those that are alive, and those that are not and are kept all the same. */
import type { Leaving } from '../../kubernetes/registry.ts';
import { formatDuration } from '../../time/duration.ts';
import { describe, describeReady, type Evidence } from '../evidence/liveness.ts';
import { isKept, type Mark } from '../evidence/marks.ts';
import type { Node } from '../evidence/node.ts';
import type { PlanInput } from './input.ts';
import { MISMATCH_MS, type Mismatch } from './memory/graces.ts';
import { describeFinalizers } from './obstacles.ts';
import type { NodeVerdict, Reason } from './verdict.ts';

export type MarkedNode = Node & { readonly mark: Mark };

/** A marked node and what is known of it in this pass. */
export interface MarkedRow {
  readonly node: MarkedNode;
  readonly known: Evidence;
  /** The reason why it would be deregistered if it is not alive. */
  readonly reason: Reason;
  /** Why an operator keeps it; undefined without a veto. */
  readonly veto: string | undefined;
  readonly mismatch: Mismatch | undefined;
  /** The addresses at which its kubelet was reachable for this process; none after `probe-suspect`, until it is reachable again. */
  readonly answered: readonly string[];
}

/** The text of each reason, in front of `for 3m10s of 15m`. */
export const REASON_TEXTS: Readonly<Record<Reason, string>> = {
  unhealthy: 'not alive',
  'metadata-changed': 'its machine no longer matches',
  'machine-gone': 'missing from fleet',
  'left-over': 'another node of its machine is reporting',
};

/** The verdict of a node that was deleted and still exists. */
export function leavingVerdict(node: Node, { since }: Leaving): NodeVerdict {
  return {
    name: 'leaving',
    reason: `deleted at ${since}; it waits for ${describeFinalizers(node)}`,
    next: `will be removed once its finalizers are gone; if their controller no longer runs: kubectl patch node ${node.name} --type=merge -p '{"metadata":{"finalizers":null}}'`,
    isWarning: true,
  };
}

/** The verdict of a marked node that is alive. */
export function aliveVerdict(row: MarkedRow, input: PlanInput): NodeVerdict {
  const { node, known } = row;
  const found = describe(known);
  switch (known.fleet) {
    case 'no-match':
      return {
        name: 'unmatched',
        reason: `machine ${known.machineId} no longer matches the selector, but the node is alive: ${found}`,
        next: 'kept; stop the kubelet on that machine, or correct its metadata or KUBE_REGISTER_METADATA',
        isWarning: true,
      };
    case 'not-listed':
      return {
        name: 'orphan',
        reason: `machine ${known.machineId} is missing from fleet, but the node is alive: ${found} (${known.kubeletDetail})`,
        next: `kept; check that fleet and its etcd run on that machine and that no other host has its address; if that machine is gone: kubectl delete node ${node.name}`,
        isWarning: true,
      };
    case 'matches':
      return (
        mismatchVerdict(row, input) ??
        secondNodeVerdict(row, input) ??
        unreadableVerdict(row) ??
        nowhereVerdict(row, input) ??
        keepVerdict(row, input)
      );
  }
}

/** The verdict of a node that is as it should be; or whose kubelet has been unreachable for less than ten minutes, which most deaths begin with. */
function keepVerdict({ known, mismatch }: MarkedRow, { observation: { era } }: PlanInput): NodeVerdict {
  if (mismatch?.kind !== 'probe-suspect') return { name: 'keep', reason: describe(known) };
  const reason = `${describe(known)} (${known.kubeletDetail})`;
  if (era.hidesMinions) return { name: 'keep', reason, next: 'kept while the API server lists it' };
  if (known.ready === 'unknown') return { name: 'keep', reason, next: POSTS_RARELY, isWarning: true };
  if (mismatch.watchedMs < MARKED_BY_NOW_MS) {
    return {
      name: 'keep',
      reason,
      next: 'kept while the node is reporting; if its kubelet is dead, Kubernetes marks the node Unknown (by default after 40s), and the grace period begins',
    };
  }
  return {
    name: 'keep',
    reason,
    next: 'kept; check KUBE_REGISTER_HEALTHZ_URL and firewalls: its kubelet is probably alive, since Kubernetes marks a dead node Unknown after 40s by default',
    isWarning: true,
  };
}

/** For a kubelet that posts between passes in which its node is Unknown. */
const POSTS_RARELY =
  'kept; its kubelet posts less often than the controller manager waits: compare --node-status-update-frequency with --node-monitor-grace-period; check KUBE_REGISTER_HEALTHZ_URL and firewalls';

/** From here on a dead kubelet is less likely than a health check that does not reach it: Kubernetes would have marked the node by now. */
const MARKED_BY_NOW_MS = 90_000;

/** The verdict when the status has an unknown shape and the kubelet is unreachable: it is unknown whether the node is alive. */
function unreadableVerdict({ node, known }: MarkedRow): NodeVerdict | undefined {
  if (known.ready !== 'unreadable' || known.answeredAt.length > 0) return undefined;
  return {
    name: 'unheard',
    reason: `${describe(known)}: it is unknown whether the node is alive`,
    next: `kept while its status cannot be read; to see it: kubectl get node ${node.name} -o yaml`,
    isWarning: true,
  };
}

/** The verdict of a node that is not reporting and has no address at which its kubelet could be checked. */
function nowhereVerdict({ node, known }: MarkedRow, { observation: { era } }: PlanInput): NodeVerdict | undefined {
  if (known.endpoints.length > 0 || known.isReporting || known.ready === 'unread' || !era.keepsConditions)
    return undefined;
  return {
    name: 'unheard',
    reason: `${describe(known)} (${known.kubeletDetail}): it is unknown whether the node is alive`,
    next: `kept; if it is dead: kubectl delete node ${node.name}`,
    isWarning: true,
  };
}

/** The verdict of a second node of one machine, on servers where nobody writes conditions. */
function secondNodeVerdict({ node, known }: MarkedRow, { observation }: PlanInput): NodeVerdict | undefined {
  const { era, pairing } = observation;
  const paired = pairing.byMachine.get(known.machineId ?? '')?.node;
  if (era.keepsConditions || paired === undefined || paired === node) return undefined;
  return {
    name: 'conflict',
    reason: `machine ${known.machineId} also has node ${paired.name}, and this API server does not show which of them its kubelet uses`,
    next: `kept; if its kubelet does not use this name: kubectl delete node ${node.name}`,
    isWarning: true,
  };
}

/** The verdict of a node whose kubelet and Ready condition disagree; undefined during the first ten minutes. */
export function mismatchVerdict(
  { node, known, mismatch }: Pick<MarkedRow, 'known' | 'mismatch'> & { readonly node: Node },
  { observation }: PlanInput,
): NodeVerdict | undefined {
  if (mismatch === undefined || mismatch.watchedMs < MISMATCH_MS) return undefined;
  const lasted = formatDuration(wholeSeconds(mismatch.watchedMs));
  return mismatch.kind === 'probe-suspect'
    ? probeSuspect(known, lasted)
    : notPosting(node, known, lasted, observation.givenNames);
}

function probeSuspect(known: Evidence, lasted: string): NodeVerdict {
  return {
    name: 'probe-suspect',
    reason: `${describeReady(known)}, but ${lackOfAnswer(known)} for ${lasted} (${known.kubeletDetail})`,
    next:
      known.ready === 'unknown'
        ? POSTS_RARELY
        : 'kept; check KUBE_REGISTER_HEALTHZ_URL and firewalls; if the kubelet is dead, check that the controller manager runs and marks dead nodes',
    isWarning: true,
  };
}

function lackOfAnswer({ kubelet }: Evidence): string {
  return kubelet === 'silent' ? 'its kubelet has been unreachable' : 'answers may have been those of another host';
}

function notPosting(node: Node, known: Evidence, lasted: string, givenNames: ReadonlySet<string>): NodeVerdict {
  const remedy = givenNames.has(node.name)
    ? 'set --hostname-override of that kubelet to this name, or KUBE_REGISTER_NODE_NAME to the name that it uses'
    : `if it uses another name now: kubectl delete node ${node.name}`;
  return {
    name: 'not-posting',
    reason: `its kubelet is reachable, but the node has not been Ready for ${lasted} (${describe(known)})`,
    next: `kept; that kubelet uses another node name or cannot reach the API server; ${remedy}`,
    isWarning: true,
  };
}

/** The verdict of a node that is not alive and is kept whatever its grace period; undefined for the others. */
export function keptVerdict(row: MarkedRow, { observation, policy }: PlanInput): NodeVerdict | undefined {
  const { node, known, reason, veto, answered } = row;
  const found = `${REASON_TEXTS[reason]}; ${describe(known)}`;
  if (observation.pairing.contested.has(node.name)) {
    return {
      name: 'conflict',
      reason: `several nodes match machine ${known.machineId}; ${describe(known)}`,
      next: `kept; if it is not in use: kubectl delete node ${node.name}`,
      isWarning: true,
    };
  }
  if (veto !== undefined) return vetoed(row, found, veto);
  if (policy.neverDeregister !== undefined) {
    return { name: 'spared', reason: found, next: `kept: ${policy.neverDeregister}` };
  }
  if ((reason === 'unhealthy' ? policy.unhealthyGraceMs : policy.missingGraceMs) === Number.POSITIVE_INFINITY) {
    const setting = reason === 'unhealthy' ? 'KUBE_REGISTER_UNHEALTHY_GRACE' : 'KUBE_REGISTER_MISSING_GRACE';
    return { name: 'spared', reason: found, next: `kept: ${setting}=never` };
  }
  const needsAnswer = reason === 'unhealthy' || reason === 'metadata-changed';
  if (needsAnswer && !known.endpoints.some(({ address }) => answered.includes(address))) {
    return {
      name: 'unheard',
      reason: `${found}; no earlier answer from its kubelet is known, so the node may be alive`,
      next: `kept; if it is dead: kubectl delete node ${node.name}; if it is alive, check KUBE_REGISTER_HEALTHZ_URL`,
      isWarning: true,
    };
  }
  return undefined;
}

function vetoed({ node, known, reason: row }: MarkedRow, reason: string, veto: string): NodeVerdict {
  const next = isKept(node) ? undefined : remedyFor(row, node.name, known);
  const kept = `kept: ${veto}`;
  if (next === undefined) return { name: 'vetoed', reason, next: kept };
  return { name: 'vetoed', reason, next: `${kept}; ${next}`, isWarning: true };
}

/** What to do about a cordoned node that will hardly be alive again. */
function remedyFor(row: Reason, name: string, { fleet }: Evidence): string | undefined {
  if (row === 'left-over') return `if it is not in use: kubectl delete node ${name}`;
  return fleet === 'not-listed' ? `if the machine is retired: kubectl delete node ${name}` : undefined;
}

/** Why the node is kept whatever happens to it. A `spec.unschedulable` that cannot be read keeps it too. */
export function vetoOf(node: Node): string | undefined {
  if (isKept(node)) return 'kube-register.io/keep is set';
  if (node.facts === undefined) return undefined;
  if (node.facts.unschedulable === true) return 'the node is cordoned';
  return node.facts.unschedulable === undefined ? 'its spec.unschedulable cannot be read' : undefined;
}

/** `ms` without the fraction of a second. */
export function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1_000) * 1_000;
}
