/** The last registrations, adoptions and deregistrations on the page, each with its reason. */

import { DONE } from '../../reconcile/plan/action.ts';
import type { PastAction } from '../../status/document.ts';
import type { Concern } from '../../status/overview.ts';
import { onOneLine } from '../../text/quote.ts';
import { type Html, html, NOTHING } from './html.ts';
import { moment } from './moment.ts';

const LONGEST = { name: 80, sentence: 400 };
/** The number of actions that are shown without a click. */
const MAX_OPEN = 3;

export function renderHistory(history: readonly PastAction[]): Html {
  if (history.length === 0) {
    return html`<p>No node was registered, adopted or deregistered since this process started.</p>`;
  }
  const earlier = history.slice(MAX_OPEN);
  return html`<ol>${history.slice(0, MAX_OPEN).map(renderAction)}</ol>${
    earlier.length === 0
      ? NOTHING
      : html`<details><summary>${earlier.length} earlier</summary><ol>${earlier.map(renderAction)}</ol></details>`
  }`;
}

function renderAction(action: PastAction): Html {
  const { at, node, machine, reason } = action;
  const { concern, words } = describeResult(action);
  const whose = machine === null ? NOTHING : html` <code>${onOneLine(machine, LONGEST.name)}</code>`;
  return html`
<li><small>${moment(at)}</small> <b class="mark ${concern}">${words}</b> <p><b>${onOneLine(node, LONGEST.name)}</b>${whose} <span>${onOneLine(reason, LONGEST.sentence)}</span></p></li>`;
}

function describeResult({ kind, result }: PastAction): { readonly concern: Concern; readonly words: string } {
  switch (result) {
    case 'done':
      return { concern: kind === 'deregister' ? 'watch' : 'well', words: DONE[kind] };
    case 'unneeded':
      return { concern: 'idle', words: `already ${DONE[kind]}` };
    case 'refused':
      return { concern: 'watch', words: `not ${DONE[kind]}` };
    case 'failed':
      return { concern: 'trouble', words: `could not ${kind}` };
  }
}
