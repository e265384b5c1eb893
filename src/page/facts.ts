/** What the page says at its top: whether all is well, what that rests on, and the rules by which nodes go. */
import { formatAge, formatDuration } from '../duration.ts';
import { onOneLine } from '../quote.ts';
import type { Concern } from '../telemetry/overview.ts';
import type { Status } from '../telemetry/status-document.ts';
import type { Summary } from '../telemetry/summary.ts';
import { type Html, html, NOTHING } from './html.ts';
import { moment, shortMoment } from './moment.ts';

const LONGEST = 600;

/** The sentence, and under it the whole of what the servers and the guard have to say. */
export function renderSummary({ fleet, kubernetes, guard, pass }: Status, { concern, sentence }: Summary): Html {
  const failures =
    fleet.problem === null && kubernetes.problem === null ? Object.values(pass.last?.failures ?? {}) : [];
  const details = [fleet.problem, kubernetes.problem, guard.message, ...failures].flatMap((text) => text ?? []);
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
  const success = lastSuccess === null ? html`none was good yet` : html`the last good one ${shortMoment(lastSuccess)}`;
  return { name, concern: 'trouble', value: 'failed', more: html`${took}; ${success}` };
}

function nextPass({ pass: { running, next } }: Status): Fact {
  const more = next === null ? NOTHING : html`${moment(next)}`;
  return { name: 'Next pass', concern: 'well', value: running ? 'one is running' : 'scheduled', more };
}

function server(name: string, { up, since, problem }: Status['fleet'], more: Html): Fact {
  const when = since === null ? more : html`since ${shortMoment(since)}${more === NOTHING ? '' : ', '}${more}`;
  if (up === null) return { name, concern: 'idle', value: 'not asked yet', more: when };
  if (up) return { name, concern: problem === null ? 'well' : 'watch', value: 'answers', more: when };
  return { name, concern: 'trouble', value: 'does not answer', more: when };
}

function serverName(name: string | null): Html {
  return name === null ? NOTHING : html`${onOneLine(name, LONGEST)}`;
}

function guard({ guard: { held, since }, rules: { maxDeregisterPercent, neverDeregister } }: Status): Fact {
  const name = 'Mass guard';
  if (held) {
    return {
      name,
      concern: 'trouble',
      value: 'holds',
      more: since === null ? NOTHING : html`since ${shortMoment(since)}`,
    };
  }
  if (neverDeregister !== null)
    return { name, concern: 'idle', value: 'not needed', more: html`nothing is ever deregistered` };
  if (maxDeregisterPercent >= 100) return { name, concern: 'idle', value: 'switched off', more: NOTHING };
  return {
    name,
    concern: 'well',
    value: 'at rest',
    more: html`holds when more than ${maxDeregisterPercent} % are gone`,
  };
}

function kubelets({ counts, nodes }: Status): Fact {
  const name = 'Kubelets';
  if (counts === null) return { name, concern: 'idle', value: 'not known', more: NOTHING };
  const { matched = 0, listed = 0, healthy = 0 } = counts.machines;
  return {
    name,
    concern: healthy < matched ? 'watch' : 'well',
    value: `${healthy} of ${matched} healthy`,
    more: html`${listed} machines in fleet; of ${nodes.length} nodes ${counts.managed} are ours`,
  };
}

/** By which rules the page's verdicts were reached. */
export function renderRules({ rules }: Status): Html {
  const { neverDeregister, missingGraceMs, unhealthyGraceMs, adopt, intervalMs } = rules;
  const deregister =
    neverDeregister === null
      ? html`A dead node goes ${after(unhealthyGraceMs)} while fleet lists its machine, and ${after(missingGraceMs)} when it does not.`
      : html`Nothing is ever deregistered: ${onOneLine(neverDeregister, LONGEST)}.`;
  const adoption = adopt ? 'Living nodes of matching machines are adopted.' : 'Nodes of others are not adopted.';
  return html`<p>${deregister} ${adoption} A pass is due every ${formatAge(intervalMs)}.</p>`;
}

function after(graceMs: number | null): string {
  return graceMs === null ? 'never' : `after ${formatDuration(graceMs)}`;
}
