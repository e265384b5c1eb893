/** What has to occur in a long run for it to show anything: every kind of event, verdict, reason, outcome and hold. */

import { MACHINE_VERDICTS, NODE_VERDICTS, REASONS } from '../../src/reconcile/plan/verdict.ts';
import type { PassReport } from '../../src/reconcile/reconciler.ts';
import { EVENT_KINDS } from './events.ts';
import type { Findings } from './findings.ts';

const EXPECTED: readonly string[] = [
  ...EVENT_KINDS.map((kind) => `event: ${kind}`),
  ...NODE_VERDICTS.map((verdict) => `node verdict: ${verdict}`),
  ...MACHINE_VERDICTS.map((verdict) => `machine verdict: ${verdict}`),
  ...REASONS.map((reason) => `deregistered: ${reason}`),
  ...['register', 'adopt', 'label', 'deregister'].flatMap((action) => [
    `${action}: done`,
    `${action}: failed`,
    `${action}: dry-run`,
    `${action}: unneeded`,
  ]),
  'deregister: refused',
  'hold: mass',
  'hold: returned',
  'observation failed',
];

/** Counts what a pass decided and did. */
export function countPass({ seen, outcomes }: PassReport, findings: Findings): void {
  if (seen === undefined) {
    findings.count('observation failed');
    return;
  }
  const { nodes, machines, hold } = seen.plan;
  for (const { name } of nodes.values()) findings.count(`node verdict: ${name}`);
  for (const { name } of machines.values()) findings.count(`machine verdict: ${name}`);
  if (hold !== undefined) findings.count(`hold: ${hold.kind}`);
  for (const { action, result, detail } of outcomes) {
    findings.count(`${action.kind}: ${result}`);
    if (action.kind !== 'deregister') continue;
    if (result === 'done') findings.count(`deregistered: ${action.reason}`);
    else if (result === 'refused' || result === 'failed') findings.count(`last check: ${inGeneral(detail ?? '')}`);
  }
}

/** Without what differs from node to node. */
function inGeneral(detail: string): string {
  return detail.replace(/[:,(].*/, '').replace(/ (v?\d[\w.]*|10\.\S+)/g, ' ...');
}

/** What never occurred. */
export function missing(counts: ReadonlyMap<string, number>): readonly string[] {
  return EXPECTED.filter((what) => !counts.has(what));
}
