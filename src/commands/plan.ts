/** `kube-register plan`: prints the plan of one pass, and changes nothing. */
import { type Action, nodeName } from '../reconcile/plan/action.ts';
import type { PassReport } from '../reconcile/reconciler.ts';
import type { Settings } from '../settings/settings.ts';
import type { MachineStatus, NodeStatus, Status } from '../status/document.ts';
import { concernOf } from '../status/overview.ts';
import type { Asked } from './cli/command.ts';
import { planText } from './plan-text.ts';
import { asObserved } from './status/observed.ts';
import { OBSERVING, type ShowOptions } from './status/show.ts';
import { openObserver, StatusError } from './status-source.ts';

type Seen = NonNullable<PassReport['seen']>;

/** One thing that would be done. */
export interface Step {
  readonly kind: Action['kind'];
  readonly node: string;
  readonly machine: string | null;
  readonly reason: string;
  /** What would be written: null takes a key away. */
  readonly labels: Readonly<Record<string, string | null>>;
  readonly annotations: Readonly<Record<string, string | null>>;
}

/** A machine or node that no step is about, and that is not as it should be: a machine without a node, a node that is not alive, a warning. */
export interface Watched {
  readonly kind: 'machine' | 'node';
  /** The machine's id or the node's name. */
  readonly id: string;
  readonly verdict: string;
  readonly reason: string;
  readonly next: string | null;
}

/** A plan as JSON and YAML have it. Its fields are a contract. */
export interface PlanDocument {
  /** Why nothing is deregistered now, while the deletion guard is active. */
  readonly held: string | null;
  readonly steps: readonly Step[];
  readonly watched: readonly Watched[];
  /** What was left out of a step, and why. */
  readonly notes: readonly string[];
}

/** Prints the plan; whether it has steps. Throws StatusError where fleet or the API server did not answer. */
export async function showPlan(
  { output }: Asked<'plan'>,
  settings: Settings,
  { terminal, signal }: ShowOptions,
): Promise<boolean> {
  const observer = await openObserver(settings, signal);
  try {
    const { status, report } = await terminal.whileAtWork(OBSERVING, observer.observe());
    if (report.seen === undefined) throw new StatusError('nothing was observed');
    const plan = planDocument(report.seen, asObserved(status));
    if (output === 'json') await terminal.printJson(plan, 2);
    else if (output === 'yaml') await terminal.printYaml(plan);
    else if (output === 'name') {
      if (plan.steps.length > 0) await terminal.print(plan.steps.map(({ node }) => terminal.plain(node)).join('\n'));
    } else await terminal.print(planText(plan, output === 'wide', terminal));
    return plan.steps.length > 0;
  } finally {
    observer.close();
  }
}

/** The plan of a pass; `status` is that of the same pass. */
export function planDocument({ plan, observation: { era } }: Seen, status: Status): PlanDocument {
  const dropped = era.keepsAnnotations
    ? []
    : [`the API server (${era.server}) keeps no annotations, so none are listed`];
  const isWritten = plan.actions.some(({ kind }) => kind !== 'deregister');
  return {
    held: plan.hold?.message ?? null,
    steps: plan.actions.map((action) => stepOf(action, plan, era.keepsAnnotations)),
    watched: [
      ...status.nodes.filter(isWatched).map((node) => watched('node', node.name, node)),
      ...status.machines.filter(isUnregistered).map((machine) => watched('machine', machine.id, machine)),
    ],
    notes: [...plan.notes.map(({ text }) => text), ...(isWritten ? dropped : [])],
  };
}

/** A node that a step deregisters is told of there. */
function isWatched(node: NodeStatus): boolean {
  if (node.verdict === 'deregister') return false;
  return node.warning || (node.mark !== null && concernOf(node) === 'trouble');
}

/** A machine that gets no node, whether it waits or something is wrong; and warnings about the others. */
function isUnregistered(machine: MachineStatus): boolean {
  return machine.warning || !['has-node', 'register', 'not-selected'].includes(machine.verdict);
}

function watched(kind: Watched['kind'], id: string, { verdict, reason, next }: NodeStatus | MachineStatus): Watched {
  return { kind, id, verdict, reason, next };
}

function stepOf(action: Action, { machines, nodes }: Seen['plan'], keepsAnnotations: boolean): Step {
  const node = nodeName(action);
  const machine = 'machine' in action ? action.machine.id : null;
  const verdict = action.kind === 'register' ? machines.get(action.machine.id) : nodes.get(node);
  const written = action.kind === 'register' ? action.draft : action.kind === 'deregister' ? undefined : action.change;
  return {
    kind: action.kind,
    node,
    machine,
    // The verdict of a node that is kept up to date is about something else.
    reason: action.kind === 'label' ? 'its annotations or labels are out of date' : (verdict?.reason ?? ''),
    labels: Object.fromEntries(written?.labels ?? []),
    annotations: keepsAnnotations ? Object.fromEntries(written?.annotations ?? []) : {},
  };
}
