/** The last registrations, adoptions and deregistrations on the page: alike ones of a pass are one line with their count. */

import { DONE } from '../../reconcile/plan/action.ts';
import type { PastAction } from '../../status/document.ts';
import type { Concern } from '../../status/overview.ts';
import { plural } from '../../text/plural.ts';
import { onOneLine } from '../../text/quote.ts';
import { type Html, html, NOTHING } from './html.ts';
import { moment } from './moment.ts';

const LONGEST = { name: 80, sentence: 400 };
/** The number of lines that are shown without a click, and of names in a line. */
const MOST = { open: 3, names: 10 };

/** Actions of the same kind with the same result in the same pass. */
type Group = readonly [PastAction, ...PastAction[]];

export function renderHistory(history: readonly PastAction[]): Html {
  if (history.length === 0) {
    return html`<p>No node was registered, adopted or deregistered since this process started.</p>`;
  }
  const groups = groupsOf(history);
  const last = groups
    .slice(0, MOST.open)
    .map((group) => html`<span>${headOf(group)} ${moment(group[0].at, 'ago')}</span> `);
  return html`<details><summary>Last changes: ${last}</summary>
<ol>${groups.map(renderGroup)}</ol></details>`;
}

function groupsOf(history: readonly PastAction[]): readonly Group[] {
  const groups = new Map<string, [PastAction, ...PastAction[]]>();
  for (const action of history) {
    const key = [action.at, action.kind, action.result, action.times].join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [action]);
    else group.push(action);
  }
  return [...groups.values()];
}

/** `registered 950 nodes`, `could not register 10.0.0.7 ×4`. */
function headOf(group: Group): Html {
  const [first] = group;
  const { concern, words } = describeResult(first);
  const count = countOf(group);
  const what = count === 1 ? onOneLine(first.node, LONGEST.name) : plural(count, 'node');
  const again = first.times === 1 ? NOTHING : html` <b>×${first.times}</b>`;
  return html`<b class="mark ${concern}">${words}</b> ${what}${again}`;
}

/** Not all that a pass did are kept, but their number is. */
function countOf([first, ...others]: Group): number {
  return first.times > 1 ? 1 + others.length : Math.max(1 + others.length, first.inPass);
}

function renderGroup(group: Group): Html {
  const [first] = group;
  const since = first.times === 1 ? NOTHING : html`, the first ${moment(first.firstAt, 'ago')}`;
  return html`
<li>${moment(first.at, 'ago')} <p>${headOf(group)}${since}${namesOf(group)} <small>${reasonOf(group)}</small></p></li>`;
}

function namesOf(group: Group): Html {
  const count = countOf(group);
  if (count === 1) return NOTHING;
  const names = group.slice(0, MOST.names).map(({ node }) => onOneLine(node, LONGEST.name));
  const more = count - names.length;
  return html`: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function reasonOf(group: Group): string {
  const reason = onOneLine(group[0].reason, LONGEST.sentence);
  return group.length === 1 || reason === '' ? reason : `${onOneLine(group[0].node, LONGEST.name)}: ${reason}`;
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
