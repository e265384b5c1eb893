/** The status after some passes, as a daemon would serve it. */
import type { PassReport } from '../../../src/reconcile/reconciler.ts';
import { countPass } from '../../../src/status/counts.ts';
import type { Status } from '../../../src/status/document.ts';
import { History } from '../../../src/status/history.ts';
import { type LastPasses, type StatusFrame, statusSteps } from '../../../src/status/status.ts';
import type { Clock } from '../../../src/time/clock.ts';
import { atOnce } from '../../../src/time/steps.ts';
import { POLICY } from '../reconcile/world.ts';
import { STARTED } from './pass-report.ts';

const clock: Clock = { wall: () => STARTED + 90_000, monotonic: () => 90_000 };

/** What the status of a test says beside the passes. */
export const FRAME: StatusFrame = {
  version: '1.2.3',
  clusterName: 'lab',
  endpoints: { fleet: 'unix:///var/run/fleet.sock', kubernetes: 'https://10.0.0.9:6443' },
  dryRun: false,
  selector: 'role=kubernetes',
  policy: { ...POLICY, unhealthyGraceMs: Number.POSITIVE_INFINITY, missingGraceMs: 15 * 60_000 },
  startedAt: STARTED,
  nextPass: new Date(STARTED),
  passRunning: false,
};

/** The status when the last of these passes has ended; 90 s after the first. */
export function statusAfter(...reports: readonly PassReport[]): Status {
  let history = new History();
  let good: LastPasses['good'];
  for (const report of reports) {
    history = atOnce(history.after(report, report.startedAt)).history;
    if (report.seen !== undefined) good = { report, counts: countPass(report.seen.observation, report.seen.plan) };
  }
  return atOnce(statusSteps(FRAME, { last: reports.at(-1), good }, history, clock));
}
