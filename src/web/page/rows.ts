/** The rows of the page's table: one line each, for a machine with its node or a node without a machine. */

import { parseSelector } from '../../fleet/selector.ts';
import { KUBELET_WORDS } from '../../reconcile/evidence/liveness.ts';
import type { NodeStatus } from '../../status/document.ts';
import { mostUrgentSteps, type OverviewRow, withDelay } from '../../status/overview.ts';
import { meaningOf } from '../../status/verdict-help.ts';
import { onOneLine } from '../../text/quote.ts';
import { forEach, type Steps } from '../../time/steps.ts';
import { type Html, html, NOTHING } from './html.ts';
import { moment } from './moment.ts';

/** The longest texts from others, in characters. The page about the machine has them whole. */
const LONGEST = { name: 80, id: 8, pair: 60, sentence: 200 };
const MOST = { pairs: 8, addresses: 3 };

/** The columns in their order, with their headings. */
export const COLUMNS = {
  verdict: 'Verdict',
  since: 'Since',
  machine: 'Machine',
  node: 'Node',
  ready: 'Ready',
  kubelet: 'Kubelet',
  next: 'Next, and why',
  metadata: 'Metadata',
};

/** The metadata that each matching machine has because the selector asks for it. */
type KnownPairs = ReadonlyMap<string, string>;

/** The rows by key, in order. A machine or node keeps its key. */
export function* rowSteps(overview: readonly OverviewRow[], selector: string): Steps<ReadonlyMap<string, string>> {
  const known = pairsOf(selector);
  const rows = new Map<string, string>();
  yield* forEach(yield* mostUrgentSteps(overview), (row) => {
    const key = keyOf(row);
    rows.set(key, renderRow(row, key, known).text);
  });
  return rows;
}

/** The key of a row. It is JSON, because an HTML parser changes some control characters. */
function keyOf({ machine, node }: OverviewRow): string {
  return machine === undefined ? `node ${JSON.stringify(node?.name)}` : `machine ${JSON.stringify(machine.id)}`;
}

/** What `/explain` is asked about the row. */
function queryOf({ machine, node }: Pick<OverviewRow, 'machine' | 'node'>): string {
  const about = machine === undefined ? { node: node?.name ?? '' } : { machine: machine.id };
  return new URLSearchParams(about).toString();
}

/** The pairs of `k=v` in a selector; none where it cannot be read. */
function pairsOf(selector: string): KnownPairs {
  try {
    const { requirements } = parseSelector(selector);
    return new Map(
      requirements
        .filter(({ operator, values }) => operator === 'in' && values.size === 1)
        .map(({ key, values }) => [key, [...values].join()]),
    );
  } catch {
    return new Map();
  }
}

function renderRow(row: OverviewRow, key: string, known: KnownPairs): Html {
  const { node, verdict, concern } = row;
  return html`<tr data-key="${key}" data-verdict="${verdict.verdict}" data-concern="${concern}">
<td><b class="mark ${concern}" title="${meaningOf(verdict.verdict)}">${verdict.verdict}</b></td>
<td>${verdict.since === null ? NOTHING : moment(verdict.since, 'age')}</td>
${machineCell(row)}
<td>${nodeName(row)}</td>
<td>${node === undefined ? NOTHING : readinessOf(node)}</td>
<td>${kubeletWord(row)}</td>
<td>${nextAndWhy(row)}</td>
${metadataCell(row, known)}</tr>
`;
}

/** The address and the beginning of the ID; as title, the whole ID and the other addresses, in which the filter looks too. */
function machineCell(row: OverviewRow): Html {
  const { machine, node } = row;
  const [address = 'no address', ...others] = (machine ?? node)?.addresses ?? [];
  const id = machine?.id ?? node?.mark ?? null;
  const title = [
    ...(id === null ? [] : [`machine ${id}`]),
    ...others.slice(0, MOST.addresses - 1),
    ...(machine === undefined ? [isListed(node) ? 'its machine has its own row' : 'missing from fleet'] : []),
  ].map((text) => onOneLine(text, LONGEST.name));
  const code = id === null ? NOTHING : html` <code>${onOneLine(id.slice(0, LONGEST.id), LONGEST.id)}</code>`;
  return html`<th scope="row" title="${title.join(', ')}"><a href="explain?${queryOf(row)}">${onOneLine(address, LONGEST.name)}</a>${code}</th>`;
}

/** Whether fleet lists the node's machine, which is not matched with it. */
function isListed(node: NodeStatus | undefined): boolean {
  return node?.evidence != null && node.evidence.fleet !== 'not-listed';
}

function nodeName({ machine, node }: OverviewRow): Html {
  const name = node?.name ?? machine?.node;
  return name == null ? html`<small>none</small>` : html`<span>${onOneLine(name, LONGEST.name)}</span>`;
}

/** As kubectl prints them; unread where its kubelet is reachable. */
const READINESS: Readonly<Record<NonNullable<NodeStatus['evidence']>['node'], string>> = {
  true: 'Ready',
  false: 'NotReady',
  unknown: 'Unknown',
  none: 'none',
  unreadable: 'unreadable',
  unread: '',
};

function readinessOf({ evidence, ready }: NodeStatus): string {
  const own = READINESS[evidence?.node ?? 'unread'];
  return own === '' ? READINESS[ready ?? 'unread'] : own;
}

function kubeletWord({ machine, node }: OverviewRow): Html {
  const state = machine?.kubelet?.state ?? node?.evidence?.kubelet ?? 'unasked';
  return state === 'unasked' ? html`<small>not checked</small>` : html`<span>${KUBELET_WORDS[state]}</span>`;
}

/** Verdicts whose next step is what came of an action. */
const ACTED: ReadonlySet<string> = new Set(['register', 'adopt', 'deregister']);

/** What happens next where it has a time or came of an action, then the reason, then what else happens next. */
function nextAndWhy({ verdict: { verdict, reason, next, due } }: OverviewRow): Html {
  const why = html`<span>${onOneLine(reason, LONGEST.sentence)}</span>`;
  if (next === null) return why;
  if (ACTED.has(verdict)) return html`<b>${onOneLine(next, LONGEST.sentence)}</b> ${why}`;
  if (due === null) return html`${why} <i>${onOneLine(next, LONGEST.sentence)}</i>`;
  // The time is in place of the delay, which would not be updated, and first, because the rest may be cut.
  return html`<b>${moment(due, 'due')}: ${onOneLine(withDelay(next, ''), LONGEST.sentence)}</b> ${why}`;
}

/** The pairs that the selector does not ask for anyway; in the others only the filter looks. */
function metadataCell({ machine }: OverviewRow, known: KnownPairs): Html {
  const pairs = Object.entries(machine?.metadata ?? {});
  const own = pairs.filter(([key, value]) => known.get(key) !== value);
  const shared = pairs.filter(([key, value]) => known.get(key) === value).map((pair) => pair.join('='));
  const shown = own
    .slice(0, MOST.pairs)
    .map(([key, value]) => html`<span>${onOneLine(`${key}=${value}`, LONGEST.pair)}</span> `);
  const more = own.length - shown.length;
  const words = shared.length === 0 ? NOTHING : html` data-words="${onOneLine(shared.join(' '), LONGEST.sentence)}"`;
  return html`<td${words}>${shown}${more > 0 ? html`<small>and ${more} more</small>` : NOTHING}</td>`;
}
