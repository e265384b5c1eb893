/** One sentence about a status: that all is well, or the most urgent problem. */

import { DONE } from '../reconcile/plan/action.ts';
import { plural } from '../text/plural.ts';
import { onOneLine } from '../text/quote.ts';
import { tally } from '../text/tally.ts';
import { formatAge } from '../time/duration.ts';
import type { Status } from './document.ts';
import { inCommon } from './in-common.ts';
import { type Concern, type OverviewRow, overviewOf } from './overview.ts';
import { toCheck } from './to-check.ts';
import { between, ended, LONGEST, tallyOf } from './words.ts';

export interface Summary {
  readonly concern: Concern;
  /** One line with a full stop and without control characters. */
  readonly sentence: string;
}

const MINUTE = 60_000;

/** The most urgent first: what stops every pass comes before what concerns single nodes. */
const PROBLEMS: readonly ((status: Status, rows: readonly OverviewRow[]) => Summary | undefined)[] = [
  nothingKnown,
  serversFail,
  passFailed,
  passesLate,
  guardActive,
  actionsFailed,
  rowsInTrouble,
  nothingMatches,
  dryRun,
  rowsToLookAt,
];

/** The summary of the first problem that the status has; its rows may be given. The time is its `now`. */
export function summarize(status: Status, rows = overviewOf(status)): Summary {
  for (const problem of PROBLEMS) {
    const summary = problem(status, rows);
    if (summary !== undefined) return summary;
  }
  return allIsWell(status);
}

function nothingKnown({ pass, counts }: Status): Summary | undefined {
  if (pass.last !== null && counts !== null) return undefined;
  if (pass.last !== null && Object.keys(pass.last.failures).length > 0) return undefined;
  return {
    concern: 'watch',
    sentence: pass.running ? 'No status yet: the first pass is running.' : 'No status yet: no pass has ended.',
  };
}

function serversFail({ now, fleet, kubernetes }: Status): Summary | undefined {
  const failing = [
    { name: 'fleet', ...fleet },
    { name: 'the API server', ...kubernetes },
  ].filter(({ up }) => up === false);
  if (failing.length === 0) return undefined;
  const since = failing.map((server) => server.since ?? now).toSorted();
  const lasted = between(since.at(-1) ?? now, now);
  const names = failing.map(({ name }) => name).join(' and ');
  return {
    concern: 'trouble',
    sentence: `Requests to ${names} have failed${lasted}: nothing is changed until they succeed.`,
  };
}

function passFailed({ pass }: Status): Summary | undefined {
  const [problem] = Object.values(pass.last?.failures ?? {});
  if (problem === undefined) return undefined;
  return {
    concern: 'trouble',
    sentence: `The last pass failed: ${ended(problem)} The next pass tries again.`,
  };
}

/** A pass hangs, or the daemon begins none. */
function passesLate({ now, pass, rules }: Status): Summary | undefined {
  if (pass.lastSuccess === null) return undefined;
  const ageMs = Date.parse(now) - Date.parse(pass.lastSuccess);
  if (ageMs <= 3 * rules.intervalMs + 2 * MINUTE) return undefined;
  return {
    concern: 'trouble',
    sentence: `No pass has succeeded for ${formatAge(ageMs)}; one is due every ${formatAge(rules.intervalMs)}.`,
  };
}

function guardActive(status: Status, rows: readonly OverviewRow[]): Summary | undefined {
  const { held, kind, gone, managed, nodes } = status.guard;
  if (!held) return undefined;
  const names = new Set(nodes);
  const concerned = rows.filter(({ node }) => node !== undefined && names.has(node.name));
  const why =
    kind === 'returned'
      ? `the machines of ${plural(gone ?? 0, 'deregistered node')} returned`
      : `${gone} of ${plural(managed ?? 0, 'managed node')} are not alive${inCommon(concerned, rows)}`;
  return {
    concern: 'trouble',
    sentence: `The deletion guard ${status.source === 'observation' ? 'would be' : 'is'} active: ${why}; no node is deregistered.`,
  };
}

function actionsFailed({ pass }: Status): Summary | undefined {
  const failed = (pass.last?.actions ?? []).filter(({ result }) => result === 'failed');
  const [first] = failed;
  if (first === undefined) return undefined;
  const because = first.detail === null ? '' : `: ${first.detail}`;
  if (failed.length === 1) {
    return { concern: 'trouble', sentence: ended(`Node ${first.node} could not be ${doneWord(first.kind)}${because}`) };
  }
  const isOneKind = failed.every(({ kind }) => kind === first.kind);
  const what = isOneKind
    ? `${plural(failed.length, 'node')} could not be ${doneWord(first.kind)}`
    : `${plural(failed.length, 'action')} failed in the last pass`;
  const kind = isOneKind ? '' : `${first.kind} `;
  return { concern: 'trouble', sentence: ended(`${what}; the first: ${kind}${first.node}${because}`) };
}

/** `registered` for `register`; an action of a newer version as it is. */
function doneWord(kind: string): string {
  return Object.entries(DONE).find(([known]) => known === kind)?.[1] ?? kind;
}

/** Verdicts of nodes that are not alive and are deregistered unless they recover. */
const DYING: ReadonlySet<string> = new Set(['in-grace', 'queued', 'deregister', 'held']);

/** A node was or will be deregistered, or a machine cannot get a node, unless a person does something. */
function rowsInTrouble(status: Status, rows: readonly OverviewRow[]): Summary | undefined {
  const troubled = rows.filter(({ concern }) => concern === 'trouble');
  if (troubled.length === 0) return undefined;
  const deregistered = deregisteredIn(status);
  const isGone = ({ node }: OverviewRow) => node !== undefined && deregistered.has(node.name);
  const gone = troubled.filter(isGone);
  const rest = troubled.filter((row) => !isGone(row));
  const ofNodes = rest.filter(({ verdict, node }) => verdict === node);
  const going = ofNodes.filter(({ verdict }) => DYING.has(verdict.verdict));
  const stuck = ofNodes.filter(({ verdict }) => !DYING.has(verdict.verdict));
  const out = rest.filter(({ verdict, machine }) => verdict === machine);
  const sentences = [
    ...(gone.length > 0 ? [`${plural(gone.length, 'node')} ${gone.length === 1 ? 'was' : 'were'} deregistered.`] : []),
    ...(going.length > 0 ? [goingSentence(going, status)] : []),
    ...(stuck.length > 0 ? [`${plural(stuck.length, 'node')} kept: ${tallyOf(stuck)}.`] : []),
    ...(out.length > 0 ? [outSentence(out)] : []),
    ...toCheck(status, rows),
  ];
  return { concern: 'trouble', sentence: sentences.join(' ') };
}

/** The names of the nodes that the last pass has deregistered. */
function deregisteredIn({ pass }: Status): ReadonlySet<string> {
  const done = (pass.last?.actions ?? []).filter(({ kind, result }) => kind === 'deregister' && result === 'done');
  return new Set(done.map(({ node }) => node));
}

function goingSentence(rows: readonly OverviewRow[], { now, source }: Pick<Status, 'now' | 'source'>): string {
  const [due] = rows.flatMap(({ verdict }) => verdict.due ?? []).toSorted();
  const when = due === undefined ? ' in one of the next passes' : ` in ${formatAge(Date.parse(due) - Date.parse(now))}`;
  const [are, first] = rows.length === 1 ? ['is', 'it'] : ['are', 'the first'];
  const what = `${plural(rows.length, 'node')} ${are} not alive`;
  if (source === 'observation') return `${what}.`;
  return `${what}: ${first} will be deregistered${when} unless it recovers.`;
}

function outSentence(rows: readonly OverviewRow[]): string {
  const why = new Set(rows.map(({ verdict }) => verdict.verdict)).size === 1 ? rows[0]?.verdict.verdict : tallyOf(rows);
  return `${plural(rows.length, 'machine')} cannot get a node: ${why}.`;
}

function nothingMatches({ rules, counts, nodes }: Status): Summary | undefined {
  if (counts === null || counts.machines['matched'] !== 0) return undefined;
  const what =
    rules.selector === '' ? 'fleet lists no machine' : `No machine matches ${onOneLine(rules.selector, LONGEST)}`;
  const left = nodes.length === 0 ? '' : `, and the API server has ${plural(nodes.length, 'node')}`;
  return { concern: 'watch', sentence: `${what}${left}.` };
}

/** What a dry run would do. It changes nothing, so not all is well. */
function dryRun(status: Status, rows: readonly OverviewRow[]): Summary | undefined {
  const actions = status.pass.last?.actions ?? [];
  const counts = tally(actions.flatMap(({ kind, result }) => (result === 'dry-run' ? kind : [])));
  if (counts.size === 0) return undefined;
  const would = Object.entries(DONE).flatMap(([kind, done]) =>
    counts.has(kind) ? `${done}: ${counts.get(kind)}` : [],
  );
  const sentences = [`Dry run: no node is changed. Nodes that would be ${would.join(', ')}.`, ...toCheck(status, rows)];
  return { concern: 'watch', sentence: sentences.join(' ') };
}

function rowsToLookAt(status: Status, rows: readonly OverviewRow[]): Summary | undefined {
  const sentences = toCheck(status, rows);
  return sentences.length === 0
    ? undefined
    : { concern: 'watch', sentence: `${figures(status)}. ${sentences.join(' ')}` };
}

function allIsWell(status: Status): Summary {
  return { concern: 'well', sentence: `All is well: ${figures(status)}.` };
}

/** Verdicts of nodes that are kept, alive or not. */
const KEPT = [
  'keep',
  'adopt',
  'orphan',
  'unmatched',
  'probe-suspect',
  'not-posting',
  'unheard',
  'conflict',
  'vetoed',
  'spared',
] as const;

function figures({ counts, machines, source, pass }: Status): string {
  const matched = counts?.machines['matched'] ?? 0;
  const kept = KEPT.reduce((sum, verdict) => sum + (counts?.nodes[verdict] ?? 0), 0);
  const registering = machines.filter(({ verdict }) => verdict === 'register').length;
  const foreign = counts?.nodes['foreign'] ?? 0;
  return [
    `${plural(matched, 'machine')} ${matched === 1 ? 'matches' : 'match'}`,
    `${plural(kept, 'node')} ${kept === 1 ? 'is' : 'are'} kept`,
    ...(registering === 0 ? [] : [`${registering} ${registeringWords(source, pass, registering)} registered`]),
    ...(foreign === 0 ? [] : [`${plural(foreign, 'node')} ${foreign === 1 ? 'is' : 'are'} unmanaged`]),
  ].join(', ');
}

/** A daemon has registered them in its last pass, or is about to; a command only says what a daemon would do. */
function registeringWords(source: Status['source'], { last }: Status['pass'], count: number): string {
  if (source === 'observation') return 'would be';
  const isDone = last?.actions.some(({ kind, result }) => kind === 'register' && result === 'done') === true;
  return isDone ? (count === 1 ? 'was' : 'were') : 'will be';
}
