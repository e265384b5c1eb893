/** `kube-register status`: machines and nodes as a table, as `fleetctl list-machines` and `kubectl get nodes` would print them. */
import { formatAge } from '../duration.ts';
import { mostUrgentFirst, type RosterRow, rosterOf } from '../telemetry/roster.ts';
import type { NodeStatus, Status } from '../telemetry/status-document.ts';
import { summarize } from '../telemetry/summary.ts';
import type { Cell, Terminal } from './terminal.ts';

/** `daemon` is its URL; undefined when we looked by ourselves. */
export function statusText(status: Status, daemon: string | undefined, terminal: Terminal): string {
  const rows = mostUrgentFirst(rosterOf(status));
  const none =
    status.counts === null
      ? 'No pass has succeeded yet: nothing is known.'
      : 'fleet lists no machine, and there is no node.';
  const { concern, sentence } = summarize(status);
  return [
    terminal.paint({ text: sentence, style: concern }),
    header(status, daemon, terminal),
    rows.length === 0 ? none : table(rows, Date.parse(status.now), terminal),
  ].join('\n\n');
}

function header(status: Status, daemon: string | undefined, terminal: Terminal): string {
  const { fleet, kubernetes, guard, rules } = status;
  const now = Date.parse(status.now);
  const atRest = rules.maxDeregisterPercent === 100 ? 'off' : `at rest; it holds above ${rules.maxDeregisterPercent} %`;
  const lines: (readonly [string, string])[] = [
    ['fleet', serverText(fleet, now, terminal)],
    [
      'Kubernetes',
      `${serverText(kubernetes, now, terminal)}${kubernetes.server === null ? '' : `, ${kubernetes.server}`}`,
    ],
    ['guard', guard.held ? terminal.paint({ text: guard.message ?? 'holds', style: 'trouble' }) : atRest],
    ['selector', rules.selector === '' ? 'every machine' : rules.selector],
  ];
  if (daemon !== undefined) lines.unshift(['pass', passText(status, now, terminal)]);
  return [whoText(status, daemon), ...lines.map(([name, text]) => `${name.padEnd(12)}${text}`)].join('\n');
}

function whoText({ version, startedAt, now, dryRun }: Status, daemon: string | undefined): string {
  if (daemon === undefined) return 'One look of our own, in which nothing was changed: no daemon was asked.';
  const running = `kube-register ${version} at ${daemon}, running for ${ageOf(startedAt, Date.parse(now))}`;
  return dryRun ? `${running}; a dry run: it changes nothing` : running;
}

function passText({ pass }: Status, now: number, terminal: Terminal): string {
  const { last, running, next, lastSuccess } = pass;
  const upcoming = next === null ? '' : `; the next in ${formatAge(Date.parse(next) - now)}`;
  if (last === null) return running ? 'the first is running' : `none yet${upcoming}`;
  const failures = Object.values(last.failures);
  if (failures.length === 0) {
    return `the last took ${last.durationMs} ms, ${ageOf(lastSuccess, now)} ago${running ? '; one is running' : upcoming}`;
  }
  const since = lastSuccess === null ? 'none has succeeded' : `the last good one was ${ageOf(lastSuccess, now)} ago`;
  return terminal.paint({ text: `the last failed, ${since}${upcoming}`, style: 'trouble' });
}

function serverText({ up, since, problem }: Status['fleet'], now: number, terminal: Terminal): string {
  if (up === null) return 'not asked yet';
  const lasting = since === null ? '' : `, for ${ageOf(since, now)}`;
  if (up) return `answers${lasting}`;
  return terminal.paint({ text: `does not answer${lasting}: ${problem ?? ''}`, style: 'trouble' });
}

const HEADER = ['MACHINE', 'ADDRESS', 'METADATA', 'KUBELET', 'NODE', 'VERDICT', 'SINCE', 'NEXT'];

function table(rows: readonly RosterRow[], now: number, terminal: Terminal): string {
  return terminal.table(
    HEADER,
    rows.map(({ machine, node, verdict, concern }): Cell[] => [
      shortId(machine?.id ?? node?.mark ?? null),
      (machine ?? node)?.addresses.join(',') || '-',
      metadataText(machine?.metadata),
      kubeletText(machine?.kubelet ?? null, node, now),
      node === undefined ? '-' : `${node.name} (${node.origin})`,
      { text: verdict.verdict, style: concern },
      ageOf(verdict.since, now),
      verdict.next ?? '-',
    ]),
  );
}

/** As fleetctl shortens them: the first eight characters and dots. */
function shortId(id: string | null): string {
  if (id === null) return '-';
  return id.length > 8 ? `${id.slice(0, 8)}...` : id;
}

function metadataText(metadata: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(metadata ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.join(',') || '-';
}

/** The node's witness where the machine's address was not asked. */
function kubeletText(kubelet: Status['machines'][number]['kubelet'], node: NodeStatus | undefined, now: number): Cell {
  if (kubelet === null) return node?.witnesses?.kubelet ?? '-';
  const style = kubelet.state === 'healthy' ? 'well' : kubelet.state === 'answers' ? 'watch' : 'trouble';
  return { text: `${kubelet.state} ${ageOf(kubelet.since, now)}`, style };
}

/** How long ago that was, at a glance; a dash for what is not known. */
export function ageOf(time: string | null, now: number): string {
  return time === null ? '-' : formatAge(now - Date.parse(time));
}
