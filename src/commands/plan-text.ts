/** The plan as text: what would be done and what is watched, some of each kind; with `-o wide` all, and what would be written. */
import { addTo } from '../reconcile/evidence/multimap.ts';
import { onOneLine } from '../text/quote.ts';
import { tally } from '../text/tally.ts';
import type { PlanDocument, Step, Watched } from './plan.ts';
import { widthOf, wrap } from './terminal/layout.ts';
import type { Terminal } from './terminal/terminal.ts';

const SIGNS = {
  deregister: ['-', 'removed', 'deregister'],
  register: ['+', 'added', 'register'],
  adopt: ['~', 'changed', 'adopt'],
  label: ['~', 'changed', 'update'],
} as const;
const KINDS = ['deregister', 'register', 'adopt', 'label'] as const satisfies readonly Step['kind'][];

/** A plan with more steps than this is shown without what each of them writes. */
const STEPS_IN_FULL = 5;
/** So many steps of a kind, and watched rows of a verdict, are shown of many. */
const SHOWN_OF_MANY = 10;

/** Verdicts that rest on earlier passes. */
const NEEDS_DAEMON: ReadonlySet<string> = new Set(['in-grace', 'queued', 'unheard']);

const ONE_PASS_ONLY =
  'plan observes once. A running daemon knows how much of a grace period is over and which kubelets were reachable: kube-register status.';

/** The last line counts the steps and the machines and nodes that wait. */
export function planText(plan: PlanDocument, isWide: boolean, terminal: Terminal): string {
  const { held, steps, watched, notes } = plan;
  const isInFull = isWide || steps.length <= STEPS_IN_FULL;
  const mostShown = isWide ? Number.POSITIVE_INFINITY : SHOWN_OF_MANY;
  const byVerdict = groupsOf(watched, ({ kind, verdict }) => `${kind} ${verdict}`);
  const lines = [
    ...KINDS.flatMap((kind) => {
      const lines = steps.filter((step) => step.kind === kind).map((step) => stepText(step, isInFull, terminal));
      return firstOf(lines, mostShown, `to ${SIGNS[kind][2]}`);
    }),
    ...[...byVerdict.values()].flatMap((rows) =>
      firstOf(
        rows.map((row) => watchedText(row, terminal)),
        mostShown,
        rows[0]?.verdict ?? '',
      ),
    ),
    ...(held === null ? [] : [terminal.paint({ text: held, style: 'trouble' })]),
    ...(watched.some(({ verdict }) => NEEDS_DAEMON.has(verdict)) ? [ONE_PASS_ONLY] : []),
    ...firstOf(
      notes.map((note) => terminal.paint({ text: `note: ${note}`, style: 'watch' })),
      mostShown,
      'notes',
    ),
    sumText(plan),
  ];
  const { columns } = terminal;
  if (columns === undefined) return lines.join('\n');
  return lines.flatMap((line) => line.split('\n').flatMap((one) => fitted(one, columns))).join('\n');
}

/** A line that is wider than the window, broken between words; its further lines are indented by two more columns. */
function fitted(line: string, columns: number): readonly string[] {
  if (widthOf(line) <= columns) return [line];
  const [indent = ''] = /^ */.exec(line) ?? [];
  const [first, ...others] = wrap(line.slice(indent.length), columns - indent.length - 2);
  return [`${indent}${first}`, ...others.map((other) => `${indent}  ${other}`)];
}

function groupsOf<T>(all: readonly T[], keyOf: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) addTo(groups, keyOf(one), one);
  return groups;
}

/** The first lines, and how many more there are. */
function firstOf(lines: readonly string[], most: number, what: string): readonly string[] {
  if (lines.length <= most) return lines;
  return [
    ...lines.slice(0, most),
    `  ... ${lines.length - most} more ${what} (all of them: kube-register plan -o wide)`,
  ];
}

function watchedText({ kind, id, verdict, reason, next }: Watched, terminal: Terminal): string {
  const then = next === null ? '' : `; ${next}`;
  return terminal.paint({ text: `! ${kind} ${id}: ${verdict}: ${reason}${then}`, style: 'watch' });
}

function stepText(
  { kind, node, machine, reason, labels, annotations }: Step,
  isInFull: boolean,
  terminal: Terminal,
): string {
  const [sign, style, verb] = SIGNS[kind];
  const whose = machine === null ? '' : ` of machine ${machine}`;
  const head = terminal.paint({ text: `${sign} ${verb} node ${node}${whose}: ${reason}`, style });
  if (!isInFull) return head;
  const lines = [
    ...Object.entries(labels).map((pair) => ['label', ...pair] as const),
    ...Object.entries(annotations).map((pair) => ['annotation', ...pair] as const),
  ].map(([what, key, value]) => {
    const text = onOneLine(value === null ? `- ${what} ${key}` : `+ ${what} ${key}=${value}`, 1_000);
    return `    ${terminal.paint({ text, style: value === null ? 'removed' : 'added' })}`;
  });
  return [head, ...lines].join('\n');
}

function sumText({ steps, watched }: PlanDocument): string {
  const waiting = [...tally(watched.map(({ verdict }) => verdict))].map(([verdict, count]) => `${count} ${verdict}`);
  const others = waiting.length === 0 ? '' : ` Not changed: ${waiting.join(', ')}.`;
  if (steps.length === 0) return `Nothing to do.${others}`;
  const counts = KINDS.map((kind) => `${steps.filter((step) => step.kind === kind).length} to ${SIGNS[kind][2]}`);
  return `${counts.join(', ')}.${others} This command changed nothing.`;
}
