/** `kube-register explain`: the evidence about one machine or node, the rule that applies to it, and what comes next. */

import type { Status } from '../status/document.ts';
import { explain, lineText, type Section } from '../status/explanation.ts';
import { type OverviewRow, overviewOf } from '../status/overview.ts';
import { onOneLine } from '../text/quote.ts';
import type { Terminal } from './terminal.ts';

/** So much of an id is enough, if no other begins alike. */
const SHORTEST_PREFIX = 4;

/**
 * The rows that the operator means: by id of a machine, name of a node, address, or else the beginning of an id. There are several where
 * machines share an address, or where several nodes belong to one machine.
 */
export function rowsAbout(status: Status, subject: string): readonly OverviewRow[] {
  const rows = overviewOf(status);
  const exact = rows.filter(
    ({ machine, node }) =>
      machine?.id === subject ||
      node?.name === subject ||
      node?.mark === subject ||
      node?.reportedId === subject ||
      [machine, node].some((one) => one?.addresses.includes(subject)),
  );
  if (exact.length > 0 || subject.length < SHORTEST_PREFIX) return exact;
  // What fleetctl prints of an id ends with dots.
  const prefix = subject.replace(/\.\.\.$/, '');
  return rows.filter(({ machine, node }) => (machine?.id ?? node?.mark)?.startsWith(prefix));
}

export function explainText(row: OverviewRow, status: Status, terminal: Terminal): string {
  const now = Date.parse(status.now);
  const { title, sections, commands } = explain(row, status);
  const [verdict, ...others] = sections;
  const all: readonly Section[] = [
    { title, lines: verdict?.lines ?? [] },
    ...others,
    {
      title: 'To type',
      lines: commands.map(({ purpose, command }) => ({ name: '', text: [`${command}  # ${purpose}`] })),
    },
  ];
  return all
    .filter(({ lines }) => lines.length > 0)
    .map(({ title: heading, lines }) =>
      [
        terminal.paint({ text: heading, style: 'heading' }),
        ...lines.map((each) => `  ${each.name.padEnd(12)} ${onOneLine(lineText(each, now), 1_000)}`),
      ].join('\n'),
    )
    .join('\n\n');
}
