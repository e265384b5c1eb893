/** `kube-register status`: machines and nodes as a table, as `fleetctl list-machines` and `kubectl get nodes` would print them. */

import { KUBELET_WORDS } from '../reconcile/evidence/liveness.ts';
import type { NodeStatus, Status } from '../status/document.ts';
import { mostUrgentFirst, type OverviewRow, overviewOf, withDelay } from '../status/overview.ts';
import { summarize } from '../status/summary.ts';
import { onOneLine } from '../text/quote.ts';
import { formatAge } from '../time/duration.ts';
import type { Cell, Terminal } from './terminal.ts';

/** Who saw it: the daemon at that URL; or we ourselves, with the reason for it. */
export type Origin = { readonly daemon: string } | { readonly withoutDaemon: string };

export function statusText(status: Status, origin: Origin, terminal: Terminal): string {
  const rows = mostUrgentFirst(overviewOf(status));
  const none =
    status.counts === null
      ? 'No pass has succeeded yet: nothing is known.'
      : 'fleet lists no machine, and Kubernetes has no node.';
  const { concern, sentence } = summarize(status);
  return [
    terminal.paint({ text: sentence, style: concern }),
    header(status, origin, terminal),
    rows.length === 0 ? none : table(rows, Date.parse(status.now), terminal),
  ].join('\n\n');
}

function header(status: Status, origin: Origin, terminal: Terminal): string {
  const { fleet, kubernetes, guard, rules } = status;
  const now = Date.parse(status.now);
  const inactive = rules.maxDeregisterPercent === 100 ? 'off' : `inactive (limit ${rules.maxDeregisterPercent}%)`;
  const server = kubernetes.server === null || kubernetes.up === false ? '' : `, ${brief(kubernetes.server)}`;
  const lines: (readonly [string, string])[] = [
    ['fleet', serverText(fleet, now, terminal)],
    ['Kubernetes', `${serverText(kubernetes, now, terminal)}${server}`],
    ['guard', guard.held ? terminal.paint({ text: guard.message ?? 'active', style: 'trouble' }) : inactive],
    ['selector', rules.selector === '' ? 'every machine' : brief(rules.selector)],
  ];
  lines.push(...warningLines(status, terminal));
  if ('daemon' in origin) lines.unshift(['pass', passText(status, now, terminal)]);
  return [originText(status, origin), ...lines.map(([name, text]) => `${name.padEnd(12)}${text}`)].join('\n');
}

const WARNINGS_SHOWN = 5;

function warningLines({ warnings }: Status, terminal: Terminal): readonly (readonly [string, string])[] {
  const more = warnings.length - WARNINGS_SHOWN;
  const shown = [...warnings.slice(0, WARNINGS_SHOWN).map(brief), ...(more > 0 ? [`and ${more} more`] : [])];
  return shown.map((text) => ['warning', terminal.paint({ text, style: 'watch' })]);
}

function originText({ version, startedAt, now, dryRun }: Status, origin: Origin): string {
  if ('withoutDaemon' in origin) return `${origin.withoutDaemon}: kube-register observed once, and changed nothing.`;
  const running = `kube-register ${brief(version)} at ${origin.daemon}, running for ${ageOf(startedAt, Date.parse(now))}`;
  return dryRun ? `${running}; a dry run: it changes nothing` : running;
}

function passText({ pass }: Status, now: number, terminal: Terminal): string {
  const { last, running, next, lastSuccess } = pass;
  const upcoming = next === null ? '' : `; next in ${formatAge(Date.parse(next) - now)}`;
  if (last === null) return running ? 'first pass running' : `none yet${upcoming}`;
  const failures = Object.values(last.failures);
  if (failures.length === 0) {
    return `last pass took ${last.durationMs} ms, ${ageOf(lastSuccess, now)} ago${running ? '; next one running' : upcoming}`;
  }
  const since = lastSuccess === null ? 'none has succeeded' : `last success ${ageOf(lastSuccess, now)} ago`;
  return terminal.paint({ text: `last pass failed, ${since}${upcoming}`, style: 'trouble' });
}

function serverText({ up, since, problem }: Status['fleet'], now: number, terminal: Terminal): string {
  if (up === null) return 'not asked yet';
  if (up) return `reachable${lasting(since, now)}`;
  return terminal.paint({
    text: `failing${lasting(since, now)}: ${problem ?? ''}`,
    style: 'trouble',
  });
}

/** What others wrote, on one line and not without end. */
function brief(text: string): string {
  return onOneLine(text, 300);
}

/** `, for 2h13m`; nothing where it is not known. */
export function lasting(since: string | null, now: number): string {
  return since === null ? '' : `, for ${ageOf(since, now)}`;
}

const HEADER = ['MACHINE', 'ADDRESS', 'METADATA', 'KUBELET', 'NODE', 'VERDICT', 'SINCE', 'NEXT'];

function table(rows: readonly OverviewRow[], now: number, terminal: Terminal): string {
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
      nextText(verdict, now),
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

/** That of the node where the machine's address was not asked. */
function kubeletText(kubelet: Status['machines'][number]['kubelet'], node: NodeStatus | undefined, now: number): Cell {
  if (kubelet === null) return node?.evidence == null ? '-' : KUBELET_WORDS[node.evidence.kubelet];
  const style = kubelet.state === 'healthy' ? 'well' : kubelet.state === 'answers' ? 'watch' : 'trouble';
  const age = kubelet.since === null ? '' : ` ${ageOf(kubelet.since, now)}`;
  return { text: `${KUBELET_WORDS[kubelet.state]}${age}`, style };
}

/** What is due is counted from now; the plan counted it from the pass. */
function nextText({ next, due }: OverviewRow['verdict'], now: number): string {
  if (next === null) return '-';
  return due === null ? next : withDelay(next, ` in ${formatAge(Date.parse(due) - now)}`);
}

/** How long ago that was, at a glance; a dash for what is not known. */
export function ageOf(time: string | null, now: number): string {
  return time === null ? '-' : formatAge(now - Date.parse(time));
}
