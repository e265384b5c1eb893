/** Renders the status page in steps: the whole page, and the parts that are sent when they change. */

import type { Status } from '../../status/document.ts';
import { countVerdicts, type OverviewRow, overviewSteps } from '../../status/overview.ts';
import { type Summary, summarize } from '../../status/summary.ts';
import { meaningOf } from '../../status/verdict-help.ts';
import { onOneLine } from '../../text/quote.ts';
import type { Steps } from '../../time/steps.ts';
import { renderFacts, renderRules, renderSummary } from './facts.ts';
import { renderHistory } from './history.ts';
import { type Html, html, NOTHING } from './html.ts';
import { COLUMNS, rowSteps } from './rows.ts';

/** The page at one time, in parts that are sent when they change. */
export interface View {
  /** See shownOf. */
  readonly shown: string;
  /** The daemon's time, ISO 8601. */
  readonly now: string;
  /** HTML by the part's name. */
  readonly parts: ReadonlyMap<string, string>;
  /** HTML by the row's key, in order. */
  readonly rows: ReadonlyMap<string, string>;
}

/** What the parts are made of. */
interface Sight {
  readonly status: Status;
  readonly summary: Summary;
  readonly overview: readonly OverviewRow[];
}

const PARTS = {
  title: ({ status: { clusterName }, summary: { sentence } }: Sight) =>
    html`${sentence} ${nameOf(clusterName ?? 'kube-register')}`,
  name: ({ status: { clusterName } }: Sight) => html`${nameOf(clusterName ?? '')}`,
  about: ({ status }: Sight) => renderAbout(status),
  notice: ({ status }: Sight) => renderNotice(status),
  summary: ({ status, summary }: Sight) => renderSummary(status, summary),
  facts: ({ status }: Sight) => renderFacts(status),
  history: ({ status: { history } }: Sight) => renderHistory(history),
  tally: ({ overview }: Sight) => renderTally(overview),
  rules: ({ status }: Sight) => renderRules(status),
};

const LONGEST = 300;

function nameOf(cluster: string): string {
  return onOneLine(cluster, LONGEST);
}

/** The view of a status. Rows change only with a pass, so those of a view of the same pass are used again. */
export function* viewSteps(status: Status, before?: View): Steps<View> {
  const shown = shownOf(status);
  const overview = yield* overviewSteps(status);
  const sight: Sight = { status, overview, summary: summarize(status, overview) };
  yield;
  return {
    shown,
    now: status.now,
    parts: new Map(Object.entries(PARTS).map(([name, render]) => [name, render(sight).text])),
    rows: before?.shown === shown ? before.rows : yield* rowSteps(overview, status.rules.selector),
  };
}

/** The version of a status: the start of the process and the number of the pass. */
function shownOf({ startedAt, pass }: Status): string {
  return `${Date.parse(startedAt)}-${pass.number}`;
}

function renderAbout({ version, rules }: Status): Html {
  const selector = onOneLine(rules.selector, LONGEST);
  const machines = selector === '' ? html`every machine` : html`machines with <code>${selector}</code>`;
  return html`${version}, ${machines}, times in UTC`;
}

function renderNotice({ dryRun }: Status): Html {
  return dryRun ? html`<p><b>Dry run:</b> no node is changed; each row shows what would be done.</p>` : NOTHING;
}

/** The number of rows of each verdict, with its meaning as a title. The script makes each a link that filters the rows. */
function renderTally(rows: readonly OverviewRow[]): Html {
  return html`<ul>
<li><span data-filter=""><b>${rows.length}</b> in total</span></li>${countVerdicts(rows).map(
    ({ verdict, count, concern }) => html`
<li><span data-filter="verdict:${verdict}" title="${meaningOf(verdict)}"><b class="mark ${concern}">${count}</b> ${verdict}</span></li>`,
  )}</ul>`;
}

/** As the placeholder of the filter. */
const FILTER_SYNTAX = 'rack=r1 unreachable -verdict:keep';

/**
 * The whole page in texts, one for each row. `version` is that of its assets. Its references are relative, because a proxy may serve it under
 * any path.
 */
export function* pageTexts({ shown, now, parts, rows }: View, version: string): Iterable<string> {
  const part = (name: keyof typeof PARTS) => parts.get(name) ?? '';
  const head = Object.entries(COLUMNS).map(([name, words]) => `<th scope="col" data-column="${name}">${words}</th>`);
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title data-part="title">${part('title')}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="icon.svg">
<link rel="stylesheet" href="page.css">
<script src="page.js" defer></script>
</head>
<body data-shown="${shown}" data-now="${now}" data-version="${version}">
<header>
<h1>kube-register <span data-part="name">${part('name')}</span></h1>
<p data-part="about">${part('about')}</p>
<p id="live" role="status"></p>
</header>
<main>
<div data-part="notice">${part('notice')}</div>
<div data-part="summary" role="status">${part('summary')}</div>
<section aria-label="At a glance" data-part="facts">${part('facts')}</section>
<section aria-label="Last changes" data-part="history">${part('history')}</section>
<section aria-labelledby="roster">
<h2 id="roster">Machines and nodes</h2>
<div class="tools">
<nav aria-label="By verdict" data-part="tally">${part('tally')}</nav>
<p id="filter"><output for="words"></output> <label for="words">Filter</label> <input id="words" type="search" placeholder="${FILTER_SYNTAX}" autocomplete="off" spellcheck="false" aria-keyshortcuts="/"></p>
</div>
<table aria-labelledby="roster">
<thead><tr>${head.join('')}</tr></thead>
<tbody>
`;
  yield* rows.values();
  yield `</tbody>
</table>
<p id="empty" role="status"></p>
</section>
<aside id="details" class="details" aria-label="Details" tabindex="-1" hidden></aside>
</main>
<footer>
<p id="keys"><kbd>/</kbd> filter, <kbd>j</kbd> <kbd>k</kbd> next and previous row, <kbd>Enter</kbd> details, <kbd>Esc</kbd> close. The filter takes words, <code>-word</code> for rows without it, and <code>verdict:held,queued</code>.</p>
<div data-part="rules">${part('rules')}</div>
<p>For programs: <a href="status">/status</a>, <a href="metrics">/metrics</a></p>
</footer>
</body>
</html>
`;
}
