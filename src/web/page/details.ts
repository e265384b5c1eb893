/** The page about one machine or node: all that `kube-register explain` says. The script shows its main part beside the table. */

import type { Status } from '../../status/document.ts';
import { type Explanation, explain, type Line, type Section } from '../../status/explanation.ts';
import type { Command } from '../../status/explanation-commands.ts';
import { type OverviewRow, overviewSteps } from '../../status/overview.ts';
import { onOneLine } from '../../text/quote.ts';
import type { Steps } from '../../time/steps.ts';
import { type Html, html, NOTHING } from './html.ts';
import { moment } from './moment.ts';

/** The longest texts from others, in characters. */
const LONGEST = { name: 120, text: 1_000 };

export interface DetailsPage {
  readonly isFound: boolean;
  readonly html: string;
}

/** The page for a query of `queryOf`, or one that says that there is no such row. */
export function* detailsSteps(status: Status, query: string): Steps<DetailsPage> {
  const row = rowFor(yield* overviewSteps(status), new URLSearchParams(query));
  const explanation = row === undefined ? undefined : explain(row, status);
  const main =
    row === undefined || explanation === undefined
      ? html`<h2>Not found</h2>
<p>There is no such machine or node: it may have been deregistered, or fleet no longer lists it.</p>`
      : renderDetails(row, explanation);
  return { isFound: row !== undefined, html: frame(main, explanation?.title ?? 'not found', status) };
}

function rowFor(rows: readonly OverviewRow[], query: URLSearchParams): OverviewRow | undefined {
  const [id, name] = [query.get('machine'), query.get('node')];
  return rows.find(({ machine, node }) => (id === null ? name !== null && node?.name === name : machine?.id === id));
}

/** The commands come after the verdict, where they are seen without scrolling. */
function renderDetails({ verdict, concern }: OverviewRow, { title, sections, commands }: Explanation): Html {
  const [first, ...others] = sections.map(renderSection);
  return html`<h2>${onOneLine(title, 2 * LONGEST.name)}</h2>
<p class="mark ${concern}">${verdict.verdict}</p>
${first ?? NOTHING}${
  commands.length === 0
    ? NOTHING
    : html`<h3>To type</h3>
`
}${commands.map(renderCommand)}${others}`;
}

function renderSection({ title, lines }: Section): Html {
  return html`<h3>${title}</h3>
<dl>${lines.map(renderLine)}</dl>
`;
}

function renderCommand({ purpose, command }: Command): Html {
  return html`<figure><figcaption>${purpose}</figcaption><pre>${onOneLine(command, LONGEST.text)}</pre></figure>
`;
}

function renderLine({ name, text }: Line): Html {
  const parts = text.map((part) =>
    typeof part === 'string' ? html`${withinLine(part)}` : moment(part.time, part.form),
  );
  return html`
<div><dt>${name}</dt><dd>${parts}</dd></div>`;
}

/** On one line, with the space at either end, which separates it from the times beside it. */
function withinLine(text: string): string {
  const [start, end] = [text.startsWith(' ') ? ' ' : '', text.endsWith(' ') ? ' ' : ''];
  return `${start}${onOneLine(text, LONGEST.text)}${end}`;
}

function frame(main: Html, title: string, { now }: Status): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${onOneLine(title, LONGEST.name)}: kube-register</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="icon.svg">
<link rel="stylesheet" href="page.css">
</head>
<body>
<header>
<h1><a href="./">kube-register</a></h1>
<p>State at ${moment(now, 'at')} UTC; <a href="./">all machines and nodes</a></p>
</header>
<main class="details">
${main}</main>
</body>
</html>
`.text;
}
