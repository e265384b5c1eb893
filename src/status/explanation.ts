/** What is known of one machine or node, in sections: its verdict, the evidence, the rule that applies, what was done, what to type. */

import { KUBELET_WORDS } from '../reconcile/evidence/liveness.ts';
import type { Reason } from '../reconcile/plan/verdict.ts';
import { formatAge, formatDuration } from '../time/duration.ts';
import type { NodeStatus, Status } from './document.ts';
import { type Command, commandsFor } from './explanation-commands.ts';
import { graceOf } from './grace-of.ts';
import { isKeptUnreachable, type OverviewRow, withDelay } from './overview.ts';
import { MACHINE_HELP, NODE_HELP, NOT_REGISTERED_HELP, UNREACHABLE_HELP } from './verdict-help.ts';

/** A time in a text: `for` how long, how long `ago`, `at` which time, or `due` when. A terminal prints the age once; a page keeps it up to date. */
export interface TextTime {
  /** ISO 8601. */
  readonly time: string;
  readonly form: 'for' | 'ago' | 'at' | 'due';
}

/** A line with its name, which may be empty. */
export interface Line {
  readonly name: string;
  readonly text: readonly (string | TextTime)[];
}

export interface Section {
  readonly title: string;
  readonly lines: readonly Line[];
}

export interface Explanation {
  /** Without control characters only as far as its parts have none: names and texts come from other systems. */
  readonly title: string;
  readonly sections: readonly Section[];
  /** To paste into a shell. */
  readonly commands: readonly Command[];
}

export function explain(row: OverviewRow, status: Status): Explanation {
  const { machine, node } = row;
  const title = [machine && `machine ${machine.id}`, node && `node ${node.name}`].filter((part) => part !== undefined);
  const sections: readonly Section[] = [
    { title: 'Verdict', lines: verdictLines(row) },
    { title: 'Evidence', lines: evidenceLines(row, status) },
    { title: 'Annotations', lines: node === undefined ? [] : markLines(node) },
    { title: 'The rule', lines: ruleLines(row, status) },
    { title: 'What was done', lines: pastLines(row, status) },
  ];
  return {
    title: title.join(', '),
    sections: sections.filter(({ lines }) => lines.length > 0),
    commands: commandsFor(row, status),
  };
}

/** The text of a line at this time (wall ms), with the ages of its times. */
export function lineText({ text }: Pick<Line, 'text'>, now: number): string {
  return text.map((part) => (typeof part === 'string' ? part : timeText(part, now))).join('');
}

function timeText({ time, form }: TextTime, now: number): string {
  const ms = Date.parse(time) - now;
  const age = formatAge(Math.abs(ms));
  switch (form) {
    case 'for':
      return `for ${age}`;
    case 'ago':
      return `${age} ago`;
    case 'at':
      return `${time} (${age} ago)`;
    case 'due':
      return `in ${formatAge(ms)} (${time})`;
  }
}

function line(name: string, ...text: Line['text']): Line {
  return { name, text: text.filter((part) => part !== '') };
}

/** `, for 3m10s`; nothing where it is not known. */
function lasting(since: string | null): Line['text'] {
  return since === null ? [] : [', ', { time: since, form: 'for' }];
}

function verdictLines({ machine, node }: OverviewRow): readonly Line[] {
  return [machine, node].flatMap((one) => {
    if (one === undefined) return [];
    return [
      line('name' in one ? 'node' : 'machine', one.verdict, ...lasting(one.since), `: ${one.reason}`),
      ...(one.next === null ? [] : [line('', ...nextText(one.next, one.due))]),
    ];
  });
}

/** What happens next, with the time in place of the delay that the plan gave. */
function nextText(next: string, due: string | null): Line['text'] {
  if (due === null) return [next];
  const [before = '', after = ''] = withDelay(next, '\n').split('\n');
  return [`${before} `, { time: due, form: 'due' }, after];
}

function evidenceLines({ machine, node }: OverviewRow, status: Status): readonly Line[] {
  return [
    line('fleet', fleetText({ machine, node }, status)),
    ...kubeletLines({ machine, node }),
    line('Kubernetes', kubernetesText(node)),
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

function kubeletLines({ machine, node }: Pair): readonly Line[] {
  const own = machine?.kubelet;
  const evidence = node?.evidence;
  const lines: Line[] = [];
  if (own) lines.push(line('kubelet', KUBELET_WORDS[own.state], ...lasting(own.since), `: ${own.detail}`));
  // A node's kubelet is also asked at addresses that are not its machine's.
  if (evidence && evidence.kubeletDetail !== own?.detail) {
    lines.push(line('kubelet', `${KUBELET_WORDS[evidence.kubelet]}: ${evidence.kubeletDetail}`));
  }
  return lines.length > 0 ? lines : [line('kubelet', 'not asked')];
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
function aliveLines(node: OverviewRow['node'], status: Status): readonly Line[] {
  if (node?.evidence == null) return [];
  const { alive, answeredAt, successor } = node.evidence;
  const answered = answeredAt.length === 0 ? 'never' : `at ${answeredAt.join(', ')}`;
  return [
    line('alive', alive ? 'yes' : 'no'),
    line('answered', `${answered}, since `, { time: status.startedAt, form: 'at' }),
    ...(successor === null ? [] : [line('other node', `${successor} of the same machine is reporting`)]),
  ];
}

const NAME_ORIGINS = { named: 'named by kube-register', 'own-name': 'named by its kubelet' } as const;

function markLines(node: NodeStatus): readonly Line[] {
  if (node.otherOwner !== null) {
    return [line('owner', `${node.otherOwner}: managed by another kube-register, never changed by this one`)];
  }
  if (node.mark === null) return [line('managed', 'no: it is never deregistered')];
  const origin = node.origin === 'managed' ? '' : `, ${node.origin} by this daemon`;
  return [
    line('managed', `for machine ${node.mark}`, ...managedSince(node), origin),
    ...(node.nameOrigin === null ? [] : [line('name', NAME_ORIGINS[node.nameOrigin])]),
  ];
}

/** Annotations may be anything. */
function managedSince({ managedSince: since }: NodeStatus): Line['text'] {
  if (since === null) return [];
  return Number.isNaN(Date.parse(since)) ? [`, since ${since}`] : [', since ', { time: since, form: 'at' }];
}

function ruleLines({ machine, node }: OverviewRow, { rules, guard }: Status): readonly Line[] {
  const help = node === undefined ? machineHelp(machine) : nodeHelp(node);
  return [
    line('means', help.means.replaceAll('`', '')),
    line('you may', help.mayDo.replaceAll('`', '').replaceAll(' NAME', node === undefined ? ' NAME' : ` ${node.name}`)),
    ...(node?.mark == null ? [] : deregisterLines(node, rules)),
    ...(guard.held ? [line('guard', guard.message ?? 'deletion guard active')] : []),
  ];
}

function machineHelp(machine: OverviewRow['machine']) {
  const isFailed = machine?.verdict === 'register' && machine.warning;
  return isFailed ? NOT_REGISTERED_HELP : helpOf(MACHINE_HELP, machine?.verdict);
}

function nodeHelp(node: NodeStatus) {
  return isKeptUnreachable(node) ? UNREACHABLE_HELP : helpOf(NODE_HELP, node.verdict);
}

function helpOf(table: Readonly<Record<string, { means: string; mayDo: string }>>, verdict = '') {
  const help = Object.hasOwn(table, verdict) ? table[verdict] : undefined;
  return help ?? { means: 'unknown verdict', mayDo: 'use the kube-register version of the daemon' };
}

/** When the node would be deregistered, by the reason that applies to it now. */
function deregisterLines(node: NodeStatus, rules: Status['rules']): readonly Line[] {
  const veto = vetoLines(node);
  if (node.evidence === null || node.leaving !== null) return veto;
  if (rules.neverDeregister !== null) return [line('deregisters', `never: ${rules.neverDeregister}`), ...veto];
  const [reason, when] = reasonOf(node.evidence);
  const [setting, graceMs] = graceOf(node.evidence, rules);
  const grace =
    graceMs === null ? `never: ${setting}=never` : `after ${formatDuration(graceMs)} of watched time (${setting})`;
  const needsAnswer = reason === 'unhealthy' || reason === 'metadata-changed';
  const unheard = needsAnswer ? ', if its kubelet has been reachable since this process started' : '';
  return [
    line('deregisters', `a node that is not alive, ${when} (${reason}): ${grace}${unheard}; an alive one: never`),
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

function vetoLines({ name, veto }: NodeStatus): readonly Line[] {
  switch (veto) {
    case 'keep':
      return [line('veto', `kube-register.io/keep is set: kubectl annotate node ${name} kube-register.io/keep-`)];
    case 'cordoned':
      return [line('veto', `the node is cordoned: kubectl uncordon ${name}`)];
    case 'unreadable':
      return [line('veto', 'its spec.unschedulable cannot be read')];
    case null:
      return [];
  }
}

function pastLines({ machine, node }: OverviewRow, { history }: Status): readonly Line[] {
  return history
    .filter((entry) => entry.node === node?.name || (machine !== undefined && entry.machine === machine.id))
    .map(({ at, firstAt, times, kind, result, reason }) =>
      line(
        '',
        { time: at, form: 'ago' },
        ...(times > 1 ? [` (${times} times, first `, { time: firstAt, form: 'ago' } as const, ')'] : []),
        `: ${kind}, ${result}: ${reason}`,
      ),
    );
}
