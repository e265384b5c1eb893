/** The last registrations, adoptions and deregistrations on the page, each with its reason. */

import { DONE } from '../../reconcile/plan/action.ts';
import type { PastAction } from '../../status/document.ts';
import type { Concern } from '../../status/overview.ts';
import { onOneLine } from '../../text/quote.ts';
import { type Html, html, NOTHING } from './html.ts';
import { moment } from './moment.ts';

const LONGEST = { name: 80, sentence: 400 };
/** So many are shown at once; the others are behind a click. */
const AT_A_GLANCE = 3;

export function renderHistory(history: readonly PastAction[]): Html {
  if (history.length === 0) {
    return html`<p>Nothing has been registered, adopted or deregistered since this process began.</p>`;
  }
  const earlier = history.slice(AT_A_GLANCE);
  return html`<ol>${history.slice(0, AT_A_GLANCE).map(renderAction)}</ol>${
    earlier.length === 0
      ? NOTHING
      : html`<details><summary>${earlier.length} earlier</summary><ol>${earlier.map(renderAction)}</ol></details>`
  }`;
}

function renderAction(action: PastAction): Html {
  const { at, node, machine, reason } = action;
  const { concern, words } = told(action);
  const whose = machine === null ? NOTHING : html` <code>${onOneLine(machine, LONGEST.name)}</code>`;
  return html`
<li><small>${moment(at)}</small> <b class="mark ${concern}">${words}</b> <p><b>${onOneLine(node, LONGEST.name)}</b>${whose} <span>${onOneLine(reason, LONGEST.sentence)}</span></p></li>`;
}

function told({ kind, result }: PastAction): { readonly concern: Concern; readonly words: string } {
  switch (result) {
    case 'done':
      return { concern: kind === 'deregister' ? 'watch' : 'well', words: DONE[kind] };
    case 'unneeded':
      return { concern: 'idle', words: `${DONE[kind]} by another` };
    case 'refused':
      return { concern: 'watch', words: `not ${DONE[kind]}` };
    case 'failed':
      return { concern: 'trouble', words: `could not ${kind}` };
  }
}
