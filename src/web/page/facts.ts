/** The top of the page: the summary, the facts and the rules of deregistration. */

import type { Status } from '../../status/document.ts';
import type { Concern } from '../../status/overview.ts';
import type { Summary } from '../../status/summary.ts';
import { plural } from '../../text/plural.ts';
import { onOneLine } from '../../text/quote.ts';
import { formatAge, formatDuration } from '../../time/duration.ts';
import { type Html, html, NOTHING } from './html.ts';
import { moment, shortMoment } from './moment.ts';

const LONGEST = 600;

const WARNINGS_SHOWN = 5;

/** The summary, the messages of the servers and the deletion guard, and the warnings. */
export function renderSummary(
  { fleet, kubernetes, guard, pass, warnings }: Status,
  { concern, sentence }: Summary,
): Html {
  const failures =
    fleet.problem === null && kubernetes.problem === null ? Object.values(pass.last?.failures ?? {}) : [];
  const more = warnings.length - WARNINGS_SHOWN;
  const shown = [...warnings.slice(0, WARNINGS_SHOWN), ...(more > 0 ? [`and ${plural(more, 'more warning')}`] : [])];
  const details = [fleet.problem, kubernetes.problem, guard.message, ...failures, ...shown].flatMap(
    (text) => text ?? [],
  );
  return html`<p class="mark ${concern}">${sentence}</p>${details.map(
    (text) => html`
<p class="detail">${onOneLine(text, LONGEST)}</p>`,
  )}`;
}

interface Fact {
  readonly name: string;
  readonly concern: Concern;
  readonly value: string;
  readonly more: Html;
}

export function renderFacts(status: Status): Html {
  const facts = [
    lastPass(status),
    nextPass(status),
    server('fleet', status.fleet, NOTHING),
    server('API server', status.kubernetes, serverName(status.kubernetes.server)),
    guard(status),
    kubelets(status),
  ];
  return html`<dl>${facts.map(renderFact)}</dl>`;
}

function renderFact({ name, concern, value, more }: Fact): Html {
  return html`
<div><dt>${name}</dt><dd><b class="mark ${concern}">${value}</b> <small>${more}</small></dd></div>`;
}

function lastPass({ pass: { last, lastSuccess } }: Status): Fact {
  const name = 'Last pass';
  if (last === null) return { name, concern: 'idle', value: 'none yet', more: NOTHING };
  const endedAt = moment(new Date(Date.parse(last.startedAt) + last.durationMs).toISOString());
  const took = html`${endedAt}, took ${formatDuration(last.durationMs)}`;
  if (Object.keys(last.failures).length === 0) return { name, concern: 'well', value: 'good', more: took };
  const success = lastSuccess === null ? html`no success yet` : html`last success ${shortMoment(lastSuccess)}`;
  return { name, concern: 'trouble', value: 'failed', more: html`${took}; ${success}` };
}

function nextPass({ pass: { running, next } }: Status): Fact {
  const more = next === null ? NOTHING : html`${moment(next)}`;
  return { name: 'Next pass', concern: 'well', value: running ? 'running now' : 'scheduled', more };
}

function server(name: string, { up, since, problem }: Status['fleet'], more: Html): Fact {
  const when = since === null ? more : html`since ${shortMoment(since)}${more === NOTHING ? '' : ', '}${more}`;
  if (up === null) return { name, concern: 'idle', value: 'not contacted yet', more: when };
  if (up) return { name, concern: problem === null ? 'well' : 'watch', value: 'reachable', more: when };
  return { name, concern: 'trouble', value: 'unreachable', more: when };
}

function serverName(name: string | null): Html {
  return name === null ? NOTHING : html`${onOneLine(name, LONGEST)}`;
}

function guard({ guard: { held, since }, rules: { maxDeregisterPercent, neverDeregister } }: Status): Fact {
  const name = 'Deletion guard';
  if (held) {
    return {
      name,
      concern: 'trouble',
      value: 'active',
      more: since === null ? NOTHING : html`since ${shortMoment(since)}`,
    };
  }
  if (neverDeregister !== null)
    return { name, concern: 'idle', value: 'not needed', more: html`nothing is ever deregistered` };
  if (maxDeregisterPercent >= 100) return { name, concern: 'idle', value: 'off', more: NOTHING };
  return {
    name,
    concern: 'well',
    value: 'inactive',
    more: html`limit ${maxDeregisterPercent}%`,
  };
}

function kubelets({ counts, nodes }: Status): Fact {
  const name = 'Kubelets';
  if (counts === null) return { name, concern: 'idle', value: 'unknown', more: NOTHING };
  const { matched = 0, listed = 0, healthy = 0 } = counts.machines;
  return {
    name,
    concern: healthy < matched ? 'watch' : 'well',
    value: `${healthy} of ${matched} healthy`,
    more: html`${plural(listed, 'machine')} in fleet; ${plural(nodes.length, 'node')}, ${counts.managed} managed`,
  };
}

/** The rules of the verdicts, with the grace periods that are set. */
export function renderRules({ rules }: Status): Html {
  const { neverDeregister, missingGraceMs, unhealthyGraceMs, adopt, intervalMs } = rules;
  const deregister =
    neverDeregister === null
      ? html`A node that is not alive is deregistered ${after(unhealthyGraceMs)} while its machine matches, and ${after(missingGraceMs)} when its machine is missing or no longer matches, or when another node of its machine is reporting. A node that is alive is kept.`
      : html`Nothing is ever deregistered: ${onOneLine(neverDeregister, LONGEST)}.`;
  const adoption = adopt
    ? 'Unmanaged nodes of matching machines are adopted once alive.'
    : 'Unmanaged nodes are not adopted.';
  return html`<p>${deregister} ${adoption} A pass is due every ${formatAge(intervalMs)}.</p>`;
}

function after(graceMs: number | null): string {
  return graceMs === null ? 'never' : `after ${formatDuration(graceMs)}`;
}
