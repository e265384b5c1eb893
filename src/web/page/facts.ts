/** The top of the page: the summary, the strip of facts and the rules of deregistration. */

import type { Status } from '../../status/document.ts';
import type { Concern } from '../../status/overview.ts';
import type { Summary } from '../../status/summary.ts';
import { plural } from '../../text/plural.ts';
import { onOneLine } from '../../text/quote.ts';
import { formatAge, formatDuration } from '../../time/duration.ts';
import { type Html, html, NOTHING } from './html.ts';
import { moment } from './moment.ts';

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
  /** Since when it has the value. */
  readonly since: string | null;
  readonly more: Html;
}

/** The strip below the summary: fleet, the API server, the deletion guard, the passes and the kubelets. */
export function renderFacts(status: Status): Html {
  const facts = [
    server('fleet', status.fleet, []),
    server('API server', status.kubernetes, [status.kubernetes.server ?? '']),
    guard(status),
    lastPass(status),
    kubelets(status),
  ];
  return html`<dl>${facts.map(renderFact)}</dl>`;
}

function renderFact({ name, concern, value, since, more }: Fact): Html {
  const when = since === null ? NOTHING : html` ${moment(since, name === 'pass' ? 'ago' : 'age')}`;
  return html`
<div><dt>${name}</dt><dd><b class="mark ${concern}">${value}</b>${when}</dd><dd>${more}</dd></div>`;
}

function server(
  name: string,
  { up, since, problem, endpoint, slowMs }: Status['fleet'],
  details: readonly string[],
): Fact {
  const words = [endpoint, ...details].filter((text) => text !== '').map((text) => onOneLine(text, LONGEST));
  const more = html`<span title="${words.join(', ')}">${words.join(', ')}</span>`;
  if (up === null) return { name, concern: 'idle', value: 'not contacted yet', since, more };
  if (up && slowMs !== null) {
    const slow = html`an answer took ${formatDuration(slowMs)}; ${more}`;
    return { name, concern: 'watch', value: 'slow', since: null, more: slow };
  }
  if (up) return { name, concern: problem === null ? 'well' : 'watch', value: 'reachable', since, more };
  return { name, concern: 'trouble', value: 'failing', since, more };
}

function guard({
  guard: { held, since, gone, managed },
  rules: { maxDeregisterPercent, neverDeregister },
}: Status): Fact {
  const name = 'guard';
  const limit = html`limit ${maxDeregisterPercent}%`;
  if (held) {
    const numbers = gone === null || managed === null ? limit : html`${gone} of ${managed} nodes, ${limit}`;
    return { name, concern: 'trouble', value: 'active', since, more: numbers };
  }
  if (neverDeregister !== null) {
    return { name, concern: 'idle', value: 'not needed', since: null, more: html`nothing is ever deregistered` };
  }
  if (maxDeregisterPercent >= 100) return { name, concern: 'idle', value: 'off', since: null, more: NOTHING };
  return { name, concern: 'well', value: 'inactive', since: null, more: limit };
}

function lastPass({ pass: { last, lastSuccess, running, next } }: Status): Fact {
  const name = 'pass';
  const upcoming = running ? html`running now` : next === null ? NOTHING : html`next ${moment(next, 'due')}`;
  if (last === null) return { name, concern: 'idle', value: 'none yet', since: null, more: upcoming };
  const since = new Date(Date.parse(last.startedAt) + last.durationMs).toISOString();
  if (Object.keys(last.failures).length === 0) {
    return {
      name,
      concern: 'well',
      value: 'good',
      since,
      more: html`took ${formatDuration(last.durationMs)}, ${upcoming}`,
    };
  }
  const success = lastSuccess === null ? html`no success yet` : html`last success ${moment(lastSuccess, 'ago')}`;
  return { name, concern: 'trouble', value: 'failed', since, more: html`${success}, ${upcoming}` };
}

function kubelets({ counts, nodes }: Status): Fact {
  const name = 'kubelets';
  if (counts === null) return { name, concern: 'idle', value: 'unknown', since: null, more: NOTHING };
  const { matched = 0, listed = 0, healthy = 0 } = counts.machines;
  return {
    name,
    concern: healthy < matched ? 'watch' : 'well',
    value: `${healthy} of ${matched} healthy`,
    since: null,
    more: html`${plural(listed, 'machine')}, ${plural(nodes.length, 'node')}, ${counts.managed} managed`,
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
