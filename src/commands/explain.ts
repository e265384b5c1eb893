/** `kube-register explain`: the evidence about one machine or node, the rule that applies to it, what comes next, and what to type. */

import type { Status } from '../status/document.ts';
import { explain, lineText, type Section } from '../status/explanation.ts';
import { rowsAbout } from '../status/find.ts';
import { type OverviewRow, overviewOf } from '../status/overview.ts';
import { summarize } from '../status/summary.ts';
import { onOneLine, quote } from '../text/quote.ts';
import type { Asked } from './cli/command.ts';
import { FIND_DAEMON, withoutDaemonText } from './status/head.ts';
import { OBSERVING, type ShowOptions, unknownText } from './status/show.ts';
import { StatusError, type StatusSource } from './status-source.ts';
import { wrap } from './terminal/layout.ts';
import type { Style, Terminal } from './terminal/terminal.ts';

/** Machines at one address, or nodes that name one machine, are few; more than that is a beginning that many have. */
const MOST_EXPLAINED = 5;

/** Throws StatusError where nothing matches the subject, or too much. */
export async function showExplanation(
  { output, subject }: Asked<'explain'>,
  source: StatusSource,
  { terminal }: Pick<ShowOptions, 'terminal'>,
): Promise<void> {
  const status = await terminal.whileAtWork(OBSERVING, source.read());
  const rows = rowsAbout(overviewOf(status), subject);
  if (rows.length === 0) throw new StatusError(unknownText(status, subject));
  if (rows.length > MOST_EXPLAINED) {
    const some = rows.slice(0, 3).map(({ machine, node }) => machine?.id ?? node?.name);
    throw new StatusError(
      `${quote(subject)} matches ${rows.length} machines and nodes, such as ${some.join(', ')}: give more characters`,
    );
  }
  if (output !== 'text') {
    const told = rows.map((row) => documentOf(row, status));
    return output === 'yaml' ? terminal.printYaml(told) : terminal.printJson(told, 2);
  }
  const head =
    'withoutDaemon' in source.origin
      ? [withoutDaemonText(source.origin.withoutDaemon), `To find it: ${FIND_DAEMON}`]
      : [];
  await terminal.print(
    [
      ...head.map((text) => paragraph(text, 'trouble', terminal)),
      ...troubleAbove(status, terminal),
      ...rows.map((row) => explainText(row, status, terminal)),
    ].join('\n\n'),
  );
}

/** What stops every pass concerns each machine: the evidence is as old as that. */
function troubleAbove(status: Status, terminal: Terminal): readonly string[] {
  const isStopped = [status.fleet.up, status.kubernetes.up].includes(false) || status.guard.held;
  if (!isStopped) return [];
  const { sentence, concern } = summarize(status);
  return [paragraph(sentence, concern, terminal)];
}

function documentOf(row: OverviewRow, status: Status) {
  const { machine, node } = row;
  const { commands } = explain(row, status);
  return { source: status.source, machine: machine ?? null, node: node ?? null, commands };
}

/** The sections one below the other, and the commands at the end. */
function explainText(row: OverviewRow, status: Status, terminal: Terminal): string {
  const now = Date.parse(status.now);
  const { title, sections, commands } = explain(row, status);
  const [verdict, ...others] = sections;
  const all: readonly Section[] = [{ title, lines: verdict?.lines ?? [] }, ...others];
  const told = all
    .filter(({ lines }) => lines.length > 0)
    .map(({ title: heading, lines }) =>
      [
        terminal.paint({ text: heading, style: 'heading' }),
        ...lines.flatMap((each) => indented(each.name, onOneLine(lineText(each, now), 1_000), terminal)),
      ].join('\n'),
    );
  const typed = commands.flatMap(({ purpose, command }) => [`  # ${purpose}`, `  ${terminal.plain(command)}`]);
  return [...told, [terminal.paint({ text: 'Commands', style: 'heading' }), ...typed].join('\n')].join('\n\n');
}

const INDENT = 15;

/** The text beside its name; in a window it is broken between words. */
function indented(name: string, text: string, { columns }: Terminal): readonly string[] {
  const lines = wrap(text, columns === undefined ? undefined : columns - INDENT);
  return lines.map((line, at) => `${(at === 0 ? `  ${name}` : '').padEnd(INDENT)}${line}`);
}

/** A paragraph of its own, broken between words in a window. */
function paragraph(text: string, style: Style, terminal: Terminal): string {
  return wrap(text, terminal.columns)
    .map((line) => terminal.paint({ text: line, style }))
    .join('\n');
}
