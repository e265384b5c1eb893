/** What /status serves: every machine and every node, what was seen of it, its verdict, since when, and what happens next. */
import type { Clock } from '../clock.ts';
import type { Target } from '../http/request-error.ts';
import type { Machine } from '../reconcile/machines.ts';
import { markOf } from '../reconcile/marks.ts';
import type { PassReport } from '../reconcile/reconciler.ts';
import type { Node } from '../reconcile/resolve.ts';
import type { Verdict } from '../reconcile/verdict.ts';
import type { Chronicle, Subject } from './chronicle.ts';
import type { Counts } from './counts.ts';

/** What the status has to know beside the last passes. */
export interface StatusFrame {
  readonly version: string;
  readonly dryRun: boolean;
  /** Wall ms. */
  readonly startedAt: number;
  readonly nextPass: Date | undefined;
  readonly passRunning: boolean;
}

/** The last pass, and the last that saw anything, with its figures. */
export interface LastPasses {
  readonly last: PassReport | undefined;
  readonly good: { readonly report: PassReport; readonly counts: Counts } | undefined;
}

/** A value that is plain JSON. Times are ISO 8601; what is not known is null. */
export function makeStatus(frame: StatusFrame, { last, good }: LastPasses, chronicle: Chronicle, clock: Clock) {
  const seen = good?.report.seen;
  const goodEnded = good === undefined ? undefined : good.report.startedAt + good.report.durationMs;
  const verdict = (kind: Subject['kind'], id: string, given: Verdict<string> | undefined) =>
    given === undefined ? {} : describeVerdict(given, chronicle.since(kind, id), goodEnded);
  return {
    version: frame.version,
    dryRun: frame.dryRun,
    startedAt: iso(frame.startedAt),
    now: iso(clock.wall()),
    pass: {
      running: frame.passRunning,
      last: last === undefined ? null : describePass(last),
      lastSuccess: iso(goodEnded),
      next: frame.nextPass?.toISOString() ?? null,
    },
    fleet: describeServer('fleet', chronicle),
    kubernetes: { ...describeServer('kubernetes', chronicle), server: seen?.observation.era.server ?? null },
    guard: {
      held: seen?.plan.hold !== undefined,
      since: iso(chronicle.heldSince),
      message: seen?.plan.hold?.message ?? null,
    },
    counts: good === undefined ? null : { ...good.counts, nodes: Object.fromEntries(good.counts.nodes) },
    machines: [...(seen?.observation.machines.values() ?? [])].map((machine) => ({
      ...describeMachine(machine, seen),
      ...verdict('machine', machine.id, seen?.plan.machines.get(machine.id)),
    })),
    nodes: (seen?.observation.nodes ?? []).map((node) => ({
      ...describeNode(node, seen),
      ...verdict('node', node.name, seen?.plan.nodes.get(node.name)),
    })),
  };
}

export type Status = ReturnType<typeof makeStatus>;

function describePass({ startedAt, durationMs, failures, outcomes }: PassReport) {
  return {
    startedAt: iso(startedAt),
    durationMs: Math.round(durationMs),
    failures: Object.fromEntries(failures),
    actions: outcomes.map(({ action, result, detail }) => ({
      kind: action.kind,
      node: action.kind === 'register' ? action.draft.name : action.node.name,
      result,
      detail: detail ?? null,
    })),
  };
}

function describeServer(target: Target, chronicle: Chronicle) {
  const state = chronicle.server(target);
  return { up: state?.up ?? null, since: iso(state?.since), problem: state?.problem ?? null };
}

function describeVerdict({ name, reason, next, dueInMs }: Verdict<string>, since?: number, goodEnded?: number) {
  return {
    verdict: name,
    reason,
    since: iso(since),
    next: next ?? null,
    due: dueInMs === undefined || goodEnded === undefined ? null : iso(goodEnded + dueInMs),
  };
}

function describeMachine(machine: Machine, seen: PassReport['seen']) {
  const kubelet = machine.address === undefined ? undefined : seen?.observation.kubelets.get(machine.address);
  return {
    id: machine.id,
    addresses: machine.addresses,
    metadata: Object.fromEntries(machine.metadata),
    matches: machine.matches,
    kubelet: kubelet ?? null,
    node: seen?.plan.machines.get(machine.id)?.node ?? null,
  };
}

function describeNode(node: Node, seen: PassReport['seen']) {
  const testimony = seen?.plan.testimonies.get(node.name);
  return {
    name: node.name,
    uid: node.uid,
    mark: markOf(node) ?? null,
    machine: seen?.observation.resolution.byNode.get(node.name)?.machine.id ?? null,
    addresses: node.identity.addresses,
    witnesses:
      testimony === undefined
        ? null
        : {
            fleet: testimony.fleet,
            kubelet: testimony.kubelet,
            kubeletDetail: testimony.kubeletDetail,
            kubernetes: testimony.kubernetes,
          },
  };
}

function iso(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
