/** `kube-register plan`: prints the plan of one pass as a diff, and changes nothing. */
import { type Action, nodeName } from '../reconcile/plan/action.ts';
import type { PassReport } from '../reconcile/reconciler.ts';
import type { MachineStatus, NodeStatus, Status } from '../status/document.ts';
import { concernOf } from '../status/overview.ts';
import type { Terminal } from './terminal.ts';

type Seen = NonNullable<PassReport['seen']>;

/** One thing that would be done. */
interface Step {
  readonly kind: Action['kind'];
  readonly node: string;
  readonly machine: string | null;
  readonly reason: string;
  /** What would be written: null takes a key away. */
  readonly labels: Readonly<Record<string, string | null>>;
  readonly annotations: Readonly<Record<string, string | null>>;
}

/** A managed node that is not alive, and what follows if a daemon watches; or a node or machine whose verdict is a warning. */
interface Watched {
  readonly kind: 'machine' | 'node';
  /** The machine's id or the node's name. */
  readonly id: string;
  readonly verdict: string;
  readonly reason: string;
  readonly next: string | null;
}

export interface PlanDocument {
  /** Why nothing is deregistered now, while the deletion guard is active. */
  readonly held: string | null;
  readonly steps: readonly Step[];
  readonly watched: readonly Watched[];
  /** What was left out of a step, and why. */
  readonly notes: readonly string[];
}

export function planDocument({ plan }: Seen, status: Status): PlanDocument {
  return {
    held: plan.hold?.message ?? null,
    steps: plan.actions.map((action) => stepOf(action, plan)),
    watched: [
      ...status.nodes.filter(isWatched).map((node) => watched('node', node.name, node)),
      ...status.machines.filter(({ warning }) => warning).map((machine) => watched('machine', machine.id, machine)),
    ],
    notes: plan.notes.map(({ text }) => text),
  };
}

function isWatched(node: NodeStatus): boolean {
  return node.warning || (node.mark !== null && concernOf(node) === 'trouble');
}

function watched(kind: Watched['kind'], id: string, { verdict, reason, next }: NodeStatus | MachineStatus): Watched {
  return { kind, id, verdict, reason, next };
}

function stepOf(action: Action, { machines, nodes }: Seen['plan']): Step {
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
    annotations: Object.fromEntries(written?.annotations ?? []),
  };
}

const SIGNS = {
  register: ['+', 'added', 'register'],
  adopt: ['~', 'changed', 'adopt'],
  label: ['~', 'changed', 'update'],
  deregister: ['-', 'removed', 'deregister'],
} as const;

/** Verdicts that rest on earlier passes. */
const NEEDS_DAEMON: ReadonlySet<string> = new Set(['in-grace', 'queued', 'unheard']);

const ONE_PASS_ONLY =
  'plan observes once. A running daemon knows how much of a grace period is over and which kubelets were reachable: kube-register status.';

export function planText({ held, steps, watched, notes }: PlanDocument, terminal: Terminal): string {
  const parts = [
    ...steps.map((step) => stepText(step, terminal)),
    ...watched.map(({ kind, id, verdict, reason, next }) =>
      terminal.paint({
        text: `! ${kind} ${id}: ${verdict}: ${reason}${next === null ? '' : `; ${next}`}`,
        style: 'watch',
      }),
    ),
    ...(held === null ? [] : [terminal.paint({ text: held, style: 'trouble' })]),
    ...(watched.some(({ verdict }) => NEEDS_DAEMON.has(verdict)) ? [ONE_PASS_ONLY] : []),
    ...notes.map((note) => terminal.paint({ text: `note: ${note}`, style: 'watch' })),
    sumText(steps),
  ];
  return parts.join('\n');
}

function stepText({ kind, node, machine, reason, labels, annotations }: Step, terminal: Terminal): string {
  const [sign, style, verb] = SIGNS[kind];
  const whose = machine === null ? '' : ` of machine ${machine}`;
  const head = terminal.paint({ text: `${sign} ${verb} node ${node}${whose}: ${reason}`, style });
  const lines = [
    ...Object.entries(labels).map((pair) => ['label', ...pair] as const),
    ...Object.entries(annotations).map((pair) => ['annotation', ...pair] as const),
  ].map(([what, key, value]) => {
    const text = value === null ? `    - ${what} ${key}` : `    + ${what} ${key}=${value}`;
    return `    ${terminal.paint({ text, style: value === null ? 'removed' : 'added' })}`;
  });
  return [head, ...lines].join('\n');
}

function sumText(steps: readonly Step[]): string {
  if (steps.length === 0) return 'Nothing to do.';
  const count = (kind: Step['kind']) => steps.filter((step) => step.kind === kind).length;
  return `${count('register')} to register, ${count('adopt')} to adopt, ${count('label')} to update, ${count('deregister')} to deregister. Nothing was changed.`;
}
