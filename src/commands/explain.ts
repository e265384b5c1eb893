/** `kube-register explain`: every fact that the witnesses gave on one machine or node, the rule that applies, and what comes next. */
import { formatDuration } from '../duration.ts';
import { onOneLine } from '../quote.ts';
import { type OverviewRow, overviewOf } from '../telemetry/overview.ts';
import type { Status } from '../telemetry/status-document.ts';
import { MACHINE_HELP, NODE_HELP } from '../telemetry/verdict-help.ts';
import { ageOf, lasting } from './status.ts';
import type { Terminal } from './terminal.ts';

/** So much of an id is enough, if no other begins alike. */
const SHORTEST_PREFIX = 4;

/**
 * The rows that the operator means: by id of a machine, name of a node, address, or else the beginning of an id. Several are meant where
 * machines share an address, or two nodes name one machine.
 */
export function rowsAbout(status: Status, subject: string): readonly OverviewRow[] {
  const rows = overviewOf(status);
  const exact = rows.filter(
    ({ machine, node }) =>
      machine?.id === subject ||
      node?.name === subject ||
      node?.mark === subject ||
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
    ['What the witnesses say', witnessLines(row, status, now)],
  ];
  if (node !== undefined) sections.push(['What is written on the node', markLines(node, now)]);
  sections.push(['The rule', ruleLines(row, status)]);
  const past = status.history.filter(
    (deed) => deed.node === node?.name || (machine !== undefined && deed.machine === machine.id),
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

function witnessLines(
  { machine, node }: OverviewRow,
  status: Status,
  now: number,
): readonly (readonly [string, string])[] {
  return [
    ['fleet', fleetText({ machine, node }, status)],
    ...kubeletLines({ machine, node }, now),
    ['Kubernetes', kubernetesText(node)],
  ];
}

type Pair = Pick<OverviewRow, 'machine' | 'node'>;

function fleetText({ machine, node }: Pair, { rules: { selector }, machines }: Status): string {
  const wanted = selector === '' ? 'which every machine does' : `METADATA=${selector}`;
  if (machine === undefined) {
    const id = node?.reportedId ?? node?.mark;
    if (id == null) return 'no machine came to this node, and it names none';
    const named = machines.find((one) => one.id === id);
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
  const heard = node?.witnesses;
  const lines: (readonly [string, string])[] = [];
  if (own) lines.push(['kubelet', `${own.state}${lasting(own.since, now)}: ${own.detail}`]);
  // A node may be asked for at other addresses than its machine's.
  if (heard && heard.kubeletDetail !== own?.detail) lines.push(['kubelet', `${heard.kubelet}: ${heard.kubeletDetail}`]);
  return lines.length > 0 ? lines : [['kubelet', 'was not asked']];
}

const READY = {
  ready: 'calls it Ready',
  'not-ready': 'does not call it Ready',
  none: 'keeps no Ready condition',
  unread: 'lists it; whether it is Ready was not read, for nothing depends on it',
} as const;

function kubernetesText(node: OverviewRow['node']): string {
  if (node === undefined) return 'has no node for it';
  const said = READY[node.witnesses?.kubernetes ?? node.ready ?? 'unread'];
  const reports = [
    node.reportedId === null ? undefined : `it reports machine id ${node.reportedId}`,
    node.addresses.length === 0 ? undefined : `it has the addresses ${node.addresses.join(', ')}`,
  ].filter((part) => part !== undefined);
  return [said, ...reports].join('; ');
}

function markLines(node: NonNullable<OverviewRow['node']>, now: number): readonly (readonly [string, string])[] {
  if (node.mark === null) return [['mark', 'none: it is never deregistered']];
  const origin = node.origin === 'managed' ? '' : `, ${node.origin} by this daemon`;
  const since = node.managedSince === null ? '' : `, since ${node.managedSince} (${ageOf(node.managedSince, now)})`;
  return [['mark', `of machine ${node.mark}${since}${origin}`]];
}

function ruleLines({ machine, node }: OverviewRow, { rules, guard }: Status): readonly (readonly [string, string])[] {
  const help = node === undefined ? helpOf(MACHINE_HELP, machine?.verdict) : helpOf(NODE_HELP, node.verdict);
  const lines: (readonly [string, string])[] = [
    ['means', help.means],
    ['you may', help.mayDo],
  ];
  if (node?.mark != null) lines.push(...deathLines(node, rules));
  if (guard.held) lines.push(['guard', guard.message ?? 'holds']);
  return lines.map(([name, text]) => [name, text.replaceAll('`', '')]);
}

function helpOf(table: Readonly<Record<string, { means: string; mayDo: string }>>, verdict = '') {
  const help = Object.hasOwn(table, verdict) ? table[verdict] : undefined;
  return help ?? { means: 'this program does not know that verdict', mayDo: 'ask with the version of the daemon' };
}

/** The row of the witness table that the node is in. */
function deathLines(
  { witnesses }: NonNullable<OverviewRow['node']>,
  rules: Status['rules'],
): readonly (readonly [string, string])[] {
  if (witnesses === null) return [];
  if (rules.neverDeregister !== null) return [['deregisters', `never: ${rules.neverDeregister}`]];
  const isUnhealthy = witnesses.fleet === 'matches';
  const graceMs = isUnhealthy ? rules.unhealthyGraceMs : rules.missingGraceMs;
  const setting = isUnhealthy ? 'UNHEALTHY_GRACE' : 'MISSING_GRACE';
  const when = {
    matches: 'while fleet lists its machine',
    'no-match': 'whose machine no longer matches',
    'not-listed': 'whose machine fleet does not list',
  };
  const grace =
    graceMs === null ? `never: ${setting}=never` : `after ${setting}, ${formatDuration(graceMs)} of watched time`;
  return [['deregisters', `a node that is not alive, ${when[witnesses.fleet]}: ${grace}; one that is alive: never`]];
}
