/** `kube-register explain`: the evidence about one machine or node, the rule that applies to it, and what comes next. */

import { KUBELET_WORDS } from '../reconcile/evidence/liveness.ts';
import type { Reason } from '../reconcile/plan/verdict.ts';
import type { NodeStatus, Status } from '../status/document.ts';
import { type OverviewRow, overviewOf } from '../status/overview.ts';
import { MACHINE_HELP, NODE_HELP } from '../status/verdict-help.ts';
import { onOneLine } from '../text/quote.ts';
import { formatDuration } from '../time/duration.ts';
import { ageOf, lasting } from './status.ts';
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
  const { machine, node } = row;
  const now = Date.parse(status.now);
  const sections: (readonly [string, readonly (readonly [string, string])[]])[] = [
    [titleOf(row), verdictLines(row, now)],
    ['Evidence', evidenceLines(row, status, now)],
  ];
  if (node !== undefined) sections.push(['Annotations', markLines(node, now)]);
  sections.push(['The rule', ruleLines(row, status)]);
  const past = status.history.filter(
    (entry) => entry.node === node?.name || (machine !== undefined && entry.machine === machine.id),
  );
  if (past.length > 0) {
    sections.push([
      'What was done',
      past.map(({ at, kind, result, reason }) => [`${ageOf(at, now)} ago`, `${kind}, ${result}: ${reason}`] as const),
    ]);
  }
  return sections
    .map(([title, lines]) => {
      const heading = terminal.paint({ text: title, style: 'heading' });
      return [heading, ...lines.map(([name, text]) => `  ${name.padEnd(12)} ${onOneLine(text, 1_000)}`)].join('\n');
    })
    .join('\n\n');
}

function titleOf({ machine, node }: OverviewRow): string {
  return [machine && `machine ${machine.id}`, node && `node ${node.name}`]
    .filter((part) => part !== undefined)
    .join(', ');
}

function verdictLines({ machine, node }: OverviewRow, now: number): readonly (readonly [string, string])[] {
  return [machine, node].flatMap((one) => {
    if (one === undefined) return [];
    const whose = 'name' in one ? 'node' : 'machine';
    const due = one.due === null ? '' : ` (${one.due})`;
    const lines: (readonly [string, string])[] = [
      [whose, `${one.verdict}${lasting(one.since, now)}: ${one.reason}`],
      ...(one.next === null ? [] : [['', `${one.next}${due}`] as const]),
    ];
    return lines;
  });
}

function evidenceLines(
  { machine, node }: OverviewRow,
  status: Status,
  now: number,
): readonly (readonly [string, string])[] {
  return [
    ['fleet', fleetText({ machine, node }, status)],
    ...kubeletLines({ machine, node }, now),
    ['Kubernetes', kubernetesText(node)],
    ...aliveLines(node, status),
  ];
}

type Pair = Pick<OverviewRow, 'machine' | 'node'>;

function fleetText({ machine, node }: Pair, { rules: { selector }, machines }: Status): string {
  const wanted = selector === '' ? 'every machine' : `METADATA=${selector}`;
  if (machine === undefined) {
    const ids = [node?.mark, node?.reportedId].filter((id) => id != null);
    const named = ids.map((id) => machines.find((one) => one.id === id)).find((one) => one !== undefined);
    const id = named?.id ?? ids[0];
    if (id === undefined) return 'no machine matches this node';
    return named === undefined
      ? `does not list machine ${id}`
      : `lists machine ${id}, ${named.node === null ? named.verdict : `whose node is ${named.node}`}`;
  }
  const metadata = Object.entries(machine.metadata).map(([key, value]) => `${key}=${value}`);
  const has = metadata.length === 0 ? 'without metadata' : `with ${metadata.join(', ')}`;
  const where = machine.addresses.length === 0 ? 'without an address' : `at ${machine.addresses.join(', ')}`;
  return `lists it ${where}, ${has}; that ${machine.matches ? 'matches' : 'does not match'} ${wanted}`;
}

function kubeletLines({ machine, node }: Pair, now: number): readonly (readonly [string, string])[] {
  const own = machine?.kubelet;
  const evidence = node?.evidence;
  const lines: (readonly [string, string])[] = [];
  if (own) lines.push(['kubelet', `${KUBELET_WORDS[own.state]}${lasting(own.since, now)}: ${own.detail}`]);
  // A node's kubelet is also asked at addresses that are not its machine's.
  if (evidence && evidence.kubeletDetail !== own?.detail) {
    lines.push(['kubelet', `${KUBELET_WORDS[evidence.kubelet]}: ${evidence.kubeletDetail}`]);
  }
  return lines.length > 0 ? lines : [['kubelet', 'not asked']];
}

const READY = {
  true: 'Ready',
  false: 'NotReady',
  unknown: 'Unknown: its kubelet has stopped posting',
  none: 'the node has no Ready condition',
  unreadable: 'its status cannot be read',
  unread: 'not read in this pass, because its kubelet is reachable',
} as const;

function kubernetesText(node: OverviewRow['node']): string {
  if (node === undefined) return 'no node';
  const { leaving } = node;
  const facts = [
    READY[node.evidence?.node ?? node.ready ?? 'unread'],
    node.reportedId === null ? undefined : `reports machine ID ${node.reportedId}`,
    node.addresses.length === 0 ? undefined : `reports ${node.addresses.join(', ')}`,
    leaving === null
      ? undefined
      : `deleted at ${leaving.since}, finalizers: ${leaving.finalizers.join(', ') || 'none'}`,
  ].filter((part) => part !== undefined);
  return facts.join('; ');
}

/** What the verdict rests on. */
function aliveLines(node: OverviewRow['node'], status: Status): readonly (readonly [string, string])[] {
  if (node?.evidence == null) return [];
  const { alive, answeredAt, successor } = node.evidence;
  const answered = answeredAt.length === 0 ? 'never' : `at ${answeredAt.join(', ')}`;
  return [
    ['alive', alive ? 'yes' : 'no'],
    ['answered', `${answered}, since ${status.startedAt}`],
    ...(successor === null ? [] : [['other node', `${successor} of the same machine is reporting`] as const]),
  ];
}

function markLines(node: NodeStatus, now: number): readonly (readonly [string, string])[] {
  if (node.otherOwner !== null) {
    return [['owner', `${node.otherOwner}: managed by another kube-register, never changed by this one`]];
  }
  if (node.mark === null) return [['managed', 'no: it is never deregistered']];
  const origin = node.origin === 'managed' ? '' : `, ${node.origin} by this daemon`;
  const since = node.managedSince === null ? '' : `, since ${node.managedSince} (${ageOf(node.managedSince, now)})`;
  const name = { named: 'named by kube-register', 'own-name': 'named by its kubelet' };
  return [
    ['managed', `for machine ${node.mark}${since}${origin}`],
    ...(node.nameOrigin === null ? [] : [['name', name[node.nameOrigin]] as const]),
  ];
}

function ruleLines({ machine, node }: OverviewRow, { rules, guard }: Status): readonly (readonly [string, string])[] {
  const help = node === undefined ? helpOf(MACHINE_HELP, machine?.verdict) : helpOf(NODE_HELP, node.verdict);
  const lines: (readonly [string, string])[] = [
    ['means', help.means],
    ['you may', help.mayDo],
  ];
  if (node?.mark != null) lines.push(...deregisterLines(node, rules));
  if (guard.held) lines.push(['guard', guard.message ?? 'deletion guard active']);
  return lines.map(([name, text]) => [name, text.replaceAll('`', '')]);
}

function helpOf(table: Readonly<Record<string, { means: string; mayDo: string }>>, verdict = '') {
  const help = Object.hasOwn(table, verdict) ? table[verdict] : undefined;
  return help ?? { means: 'unknown verdict', mayDo: 'use the kube-register version of the daemon' };
}

/** When the node would be deregistered, by the reason that applies to it now. */
function deregisterLines(node: NodeStatus, rules: Status['rules']): readonly (readonly [string, string])[] {
  const veto = vetoLines(node);
  if (node.evidence === null || node.leaving !== null) return veto;
  if (rules.neverDeregister !== null) return [['deregisters', `never: ${rules.neverDeregister}`], ...veto];
  const [reason, when] = reasonOf(node.evidence);
  const isUnhealthy = reason === 'unhealthy';
  const graceMs = isUnhealthy ? rules.unhealthyGraceMs : rules.missingGraceMs;
  const setting = isUnhealthy ? 'UNHEALTHY_GRACE' : 'MISSING_GRACE';
  const grace =
    graceMs === null ? `never: ${setting}=never` : `after ${formatDuration(graceMs)} of watched time (${setting})`;
  const needsAnswer = isUnhealthy || reason === 'metadata-changed';
  const unheard = needsAnswer ? ', if its kubelet has been reachable since this process started' : '';
  return [
    ['deregisters', `a node that is not alive, ${when} (${reason}): ${grace}${unheard}; an alive one: never`],
    ...veto,
  ];
}

/** The reason that would be given, and its condition in words. */
function reasonOf({ fleet, successor }: NonNullable<NodeStatus['evidence']>): readonly [Reason, string] {
  if (successor !== null) return ['left-over', 'while another node of its machine is reporting'];
  switch (fleet) {
    case 'matches':
      return ['unhealthy', 'whose machine matches'];
    case 'no-match':
      return ['metadata-changed', 'whose machine no longer matches'];
    case 'not-listed':
      return ['machine-gone', 'whose machine is missing from fleet'];
  }
}

function vetoLines({ name, veto }: NodeStatus): readonly (readonly [string, string])[] {
  switch (veto) {
    case 'keep':
      return [['veto', `kube-register.io/keep is set: kubectl annotate node ${name} kube-register.io/keep-`]];
    case 'cordoned':
      return [['veto', `the node is cordoned: kubectl uncordon ${name}`]];
    case 'unreadable':
      return [['veto', 'its spec.unschedulable cannot be read']];
    case null:
      return [];
  }
}
