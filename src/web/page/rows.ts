/** The rows of the page's table: a machine with its node, or a node without a machine. */

import { KUBELET_WORDS } from '../../reconcile/evidence/liveness.ts';
import type { MachineStatus, NodeStatus, Status } from '../../status/document.ts';
import { mostUrgentFirst, type OverviewRow, overviewOf, withDelay } from '../../status/overview.ts';
import { onOneLine } from '../../text/quote.ts';
import { type Html, html, NOTHING } from './html.ts';
import { shortMoment } from './moment.ts';

/** The longest texts from others, in characters. */
const LONGEST = { name: 80, pair: 60, sentence: 300 };
const MOST = { pairs: 8, addresses: 3 };

/** The rows by key, in order. A machine or node keeps its key. */
export function renderRows(status: Pick<Status, 'machines' | 'nodes'>): ReadonlyMap<string, string> {
  return new Map(
    mostUrgentFirst(overviewOf(status)).map((row) => {
      const key = keyOf(row);
      return [key, renderRow(row, key).text];
    }),
  );
}

/** The key of a row. It is JSON, because an HTML parser changes some control characters. */
function keyOf({ machine, node }: OverviewRow): string {
  return machine === undefined ? `node ${JSON.stringify(node?.name)}` : `machine ${JSON.stringify(machine.id)}`;
}

function renderRow(row: OverviewRow, key: string): Html {
  const { machine, node, verdict, concern } = row;
  return html`<tr data-key="${key}" data-verdict="${verdict.verdict}" data-concern="${concern}">
<th scope="row">${machineCell(row)}</th>
<td>${machine === undefined ? NOTHING : metadataCell(machine)}</td>
<td>${kubeletCell(row)}</td>
<td>${nodeCell(machine, node)}</td>
<td>${verdictCell(row)}</td>
<td>${nextCell(row)}</td></tr>
`;
}

/** The address of the row. */
function titleOf({ machine, node }: OverviewRow): string {
  return onOneLine((machine ?? node)?.addresses[0] ?? 'no address', LONGEST.name);
}

function machineCell(row: OverviewRow): Html {
  const { machine, node } = row;
  const others = (machine?.addresses ?? []).slice(1, MOST.addresses).map((each) => onOneLine(each, LONGEST.name));
  const also = others.length === 0 ? NOTHING : html` <small>and ${others.join(', ')}</small>`;
  const mark = node?.mark ?? null;
  const id = machine?.id ?? mark;
  return html`<b>${titleOf(row)}</b>${also}${id === null ? NOTHING : html` <code>${onOneLine(id, LONGEST.name)}</code>`}${
    machine === undefined
      ? html` <small>${isListed(node) ? 'its machine has its own row' : 'missing from fleet'}</small>`
      : NOTHING
  }`;
}

/** Whether fleet lists the node's machine, which is not matched with it. */
function isListed(node: NodeStatus | undefined): boolean {
  return node?.evidence != null && node.evidence.fleet !== 'not-listed';
}

function metadataCell({ metadata }: MachineStatus): Html {
  const pairs = Object.entries(metadata);
  const shown = pairs
    .slice(0, MOST.pairs)
    .map(([key, value]) => html`<span>${onOneLine(`${key}=${value}`, LONGEST.pair)}</span> `);
  const more = pairs.length - shown.length;
  return html`${shown}${more > 0 ? html`<small>and ${more} more</small>` : NOTHING}`;
}

function kubeletCell({ machine, node, verdict }: OverviewRow): Html {
  // The reason may contain it already.
  const detailed = (detail: string) =>
    verdict.reason.includes(detail) ? NOTHING : html` <small>${onOneLine(detail, LONGEST.sentence)}</small>`;
  if (machine?.kubelet != null) {
    const { state, since, detail } = machine.kubelet;
    return html`<b>${KUBELET_WORDS[state]}</b>${sinceThen(since)}${state === 'healthy' ? NOTHING : detailed(detail)}`;
  }
  const evidence = node?.evidence ?? null;
  if (evidence === null || evidence.kubelet === 'unasked') return html`<small>not checked</small>`;
  return html`<b>${KUBELET_WORDS[evidence.kubelet]}</b>${detailed(evidence.kubeletDetail)}`;
}

const ORIGINS: Readonly<Record<NodeStatus['origin'], string>> = {
  registered: 'registered',
  adopted: 'adopted',
  managed: 'managed',
  unmarked: 'unmanaged',
};

/** As kubectl prints them. */
const READINESS: Readonly<Record<NonNullable<NodeStatus['evidence']>['node'], string>> = {
  true: 'Ready',
  false: 'NotReady',
  unknown: 'Unknown',
  none: 'no Ready condition',
  unreadable: 'status cannot be read',
  unread: '',
};

function nodeCell(machine: MachineStatus | undefined, node: NodeStatus | undefined): Html {
  if (node === undefined) return html`<b>${machine?.node == null ? 'none' : onOneLine(machine.node, LONGEST.name)}</b>`;
  const origin = node.otherOwner === null ? ORIGINS[node.origin] : 'managed by another kube-register';
  const readiness = node.evidence === null ? '' : READINESS[node.evidence.node];
  const since = dateOf(node.managedSince);
  const said = readiness === '' ? origin : `${origin}, ${readiness}`;
  return html`<b>${onOneLine(node.name, LONGEST.name)}</b> <small>${said}</small>${since === null ? NOTHING : html` ${small(since)}`}`;
}

/** The text if it is a time; annotations may be anything. */
function dateOf(text: string | null): string | null {
  return text !== null && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) ? text : null;
}

function verdictCell({ verdict, concern }: OverviewRow): Html {
  const since = concern === 'trouble' || concern === 'watch' ? sinceThen(verdict.since) : NOTHING;
  return html`<b class="mark ${concern}">${verdict.verdict}</b>${since} <span>${onOneLine(verdict.reason, LONGEST.sentence)}</span>`;
}

function nextCell({ verdict: { next, due } }: OverviewRow): Html {
  if (next === null) return NOTHING;
  // Without the delay, which would not be updated; the time is beside it.
  const what = due === null ? next : withDelay(next, '');
  return html`<span>${onOneLine(what, LONGEST.sentence)}</span>${due === null ? NOTHING : html` ${small(due)}`}`;
}

function sinceThen(since: string | null): Html {
  return since === null ? NOTHING : html` since ${small(since)}`;
}

function small(iso: string): Html {
  return html`<small>${shortMoment(iso)}</small>`;
}
