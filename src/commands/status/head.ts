/** The lines above the table of `kube-register status`: where it comes from, the pass, both servers, the deletion guard, warnings. */
import type { Status } from '../../status/document.ts';
import { onOneLine } from '../../text/quote.ts';
import { formatAge, formatDuration } from '../../time/duration.ts';
import type { Style } from '../terminal/terminal.ts';
import { ageOf, lasting } from './ages.ts';

/** Who saw it: the daemon at that URL; or this command, and why no daemon did. */
export type Origin = { readonly daemon: string } | { readonly withoutDaemon: string };

/** A line with its name; it is text of others, on one line. */
export interface HeadLine {
  readonly name: string;
  readonly text: string;
  readonly style?: Style;
}

/** The longest text from others, in characters. */
const LONGEST = 1_000;

/** The lines in the order of their importance: on a low window the last ones are left out. */
export function headLines(status: Status, origin: Origin): readonly HeadLine[] {
  const now = Date.parse(status.now);
  const { fleet, kubernetes, guard, rules, clusterName } = status;
  const server =
    kubernetes.server === null || kubernetes.up === false ? '' : `, ${onOneLine(kubernetes.server, LONGEST)}`;
  return [
    ...(clusterName === null ? [] : [{ name: 'cluster', text: onOneLine(clusterName, LONGEST) }]),
    ...('daemon' in origin
      ? [daemonLine(status, origin.daemon), passLine(status, now)]
      : [{ name: 'find it', text: FIND_DAEMON } as const]),
    ...(guard.held ? [guardLine(status)] : []),
    serverLine('fleet', fleet, now),
    serverLine('Kubernetes', kubernetes, now, server),
    ...(guard.held ? [] : [guardLine(status)]),
    { name: 'selector', text: rules.selector === '' ? 'every machine' : onOneLine(rules.selector, LONGEST) },
    ...warningLines(status),
  ];
}

/** The first paragraph where no daemon was asked: why, and what follows from it. */
export function withoutDaemonText(reason: string): string {
  return `${reason}. This is one observation, which changed nothing.`;
}

/** Where to look for a daemon. */
export const FIND_DAEMON = 'fleetctl list-units shows its machine; then: ssh MACHINE kube-register status';

function daemonLine({ version, startedAt, now, dryRun }: Status, daemon: string): HeadLine {
  const at = `${onOneLine(version, LONGEST)} at ${daemon}, running for ${ageOf(startedAt, Date.parse(now))}`;
  return dryRun
    ? { name: 'daemon', text: `${at}; a dry run: it changes nothing`, style: 'watch' }
    : { name: 'daemon', text: at };
}

function passLine({ pass }: Status, now: number): HeadLine {
  const { last, running, next, lastSuccess } = pass;
  const name = 'pass';
  const upcoming = running
    ? '; next one running'
    : next === null
      ? ''
      : `; next in ${formatAge(Date.parse(next) - now)}`;
  if (last === null) return { name, text: running ? 'first pass running' : `none yet${upcoming}` };
  if (Object.keys(last.failures).length === 0) {
    return { name, text: `last pass took ${tookText(last.durationMs)}, ${ageOf(lastSuccess, now)} ago${upcoming}` };
  }
  const since = lastSuccess === null ? 'none has succeeded' : `last success ${ageOf(lastSuccess, now)} ago`;
  return { name, text: `last pass failed, ${since}${upcoming}`, style: 'trouble' };
}

/** Whole milliseconds below a second, then tenths of a second. */
function tookText(ms: number): string {
  return formatDuration(ms < 1_000 ? ms : Math.round(ms / 100) * 100);
}

function serverLine(
  name: string,
  { endpoint, up, since, problem, slowMs }: Status['fleet'],
  now: number,
  more = '',
): HeadLine {
  const at = onOneLine(endpoint, LONGEST);
  if (up === null) return { name, text: `${at} not asked yet` };
  if (up && slowMs !== null) {
    return { name, text: `${at} slow: an answer took ${formatDuration(slowMs)}${more}`, style: 'watch' };
  }
  if (up) return { name, text: `${at} reachable${lasting(since, now)}${more}` };
  // The problem names the endpoint.
  const text = `failing${lasting(since, now)}: ${onOneLine(problem ?? '', LONGEST)}`;
  return { name, text, style: 'trouble' };
}

function guardLine({ guard, rules: { maxDeregisterPercent, neverDeregister } }: Status): HeadLine {
  const name = 'guard';
  if (guard.held) return { name, text: onOneLine(guard.message ?? 'active', LONGEST), style: 'trouble' };
  if (neverDeregister !== null) {
    return { name, text: `not needed, no node is deregistered: ${onOneLine(neverDeregister, LONGEST)}` };
  }
  return { name, text: maxDeregisterPercent === 100 ? 'off' : `inactive (limit ${maxDeregisterPercent}%)` };
}

const WARNINGS_SHOWN = 5;

function warningLines({ warnings }: Status): readonly HeadLine[] {
  const more = warnings.length - WARNINGS_SHOWN;
  const shown = [...warnings.slice(0, WARNINGS_SHOWN), ...(more > 0 ? [`and ${more} more`] : [])];
  return shown.map((text) => ({ name: 'warning', text: onOneLine(text, LONGEST), style: 'watch' }));
}
