import { describe, expect, it } from 'vitest';
import { PassLog } from '../../../src/log/pass-log.ts';
import type { Outcome } from '../../../src/reconcile/apply/apply.ts';
import type { PassReport } from '../../../src/reconcile/reconciler.ts';
import { countPass } from '../../../src/status/counts.ts';
import { History } from '../../../src/status/history.ts';
import { statusSteps } from '../../../src/status/status.ts';
import { atOnce, type Steps } from '../../../src/time/steps.ts';
import { encodeSteps, jsonTexts } from '../../../src/web/encode.ts';
import { detailsSteps } from '../../../src/web/page/details.ts';
import { pageTexts, viewSteps } from '../../../src/web/page/render.ts';
import { bystanders, machine } from '../reconcile/world.ts';
import { goodPass, STARTED } from '../status/pass-report.ts';
import { FRAME } from '../status/status-after.ts';

const MACHINES = 2_000;
/** No step is about more machines than this, or makes more bytes. */
const MOST = { machines: 100, bytes: 1_000_000 };
const ALL = MACHINES / MOST.machines;

/** How often the computation can be interrupted, and what comes of it. */
function run<T>(steps: Steps<T>): { readonly breaks: number; readonly result: T } {
  for (let breaks = 0; ; breaks += 1) {
    const { done, value } = steps.next();
    if (done) return { breaks, result: value };
  }
}

function passOver(count: number, outcomes: readonly Outcome[] = []) {
  const report = goodPass(bystanders(count), { outcomes });
  const { observation, plan } = report.seen;
  return { report, counts: countPass(observation, plan) };
}

/** What a pass would do that registers every machine, as the first one does. */
function registered(count: number): PassReport {
  const { machines, kubelets } = bystanders(count);
  const { plan } = goodPass({ machines, kubelets }).seen;
  const outcomes = plan.actions.map((action): Outcome => ({ action, result: 'done' }));
  expect(outcomes).toHaveLength(count);
  return goodPass({ machines, kubelets }, { outcomes });
}

function statusAfter(pass: ReturnType<typeof passOver>, history: History) {
  return statusSteps(FRAME, { last: pass.report, good: pass }, history, { wall: () => STARTED + 5_000 });
}

describe('with thousands of machines', () => {
  const pass = passOver(MACHINES);
  const { breaks: breaksOfHistory, result: after } = run(new History().after(pass.report, STARTED));
  const { breaks: breaksOfStatus, result: status } = run(statusAfter(pass, after.history));
  const { breaks: breaksOfView, result: view } = run(viewSteps(status));

  it('a pass is recorded in steps', () => {
    // Kubelets, verdicts of machines, verdicts of nodes.
    expect(breaksOfHistory).toBeGreaterThanOrEqual(3 * ALL);
  });

  it('a pass that registers all of them is logged and recorded in steps', () => {
    const first = registered(MACHINES);
    const lines: string[] = [];
    const passLog = new PassLog({ write: (event) => lines.push(event), debug: () => {} }, '');
    expect(run(passLog.write(first, pass.counts, 0)).breaks).toBeGreaterThanOrEqual(ALL);
    expect(lines.filter((event) => event === 'registered')).toHaveLength(MACHINES);
    expect(run(new History().after(first, STARTED)).breaks).toBeGreaterThanOrEqual(4 * ALL);
  });

  it('the status is made and written in steps', () => {
    expect(breaksOfStatus).toBeGreaterThanOrEqual(2 * ALL);
    const { breaks, result } = run(encodeSteps(jsonTexts(status)));
    expect(breaks).toBeGreaterThanOrEqual(result.length / MOST.bytes);
    expect(JSON.parse(result.toString())).toEqual(status);
  });

  it('the page is made and written in steps', () => {
    // The rows side by side, in their order, and as HTML.
    expect(breaksOfView).toBeGreaterThanOrEqual(3 * ALL);
    expect(view.rows.size).toBe(MACHINES);
    const { breaks, result } = run(encodeSteps(pageTexts(view, 'v1')));
    expect(breaks).toBeGreaterThanOrEqual(result.length / MOST.bytes);
    expect(result.toString().match(/<tr data-key/g)).toHaveLength(MACHINES);
  });

  it('the page about one of them is found in steps', () => {
    const { breaks, result } = run(detailsSteps(status, `machine=${status.machines.at(-1)?.id}`));
    expect(breaks).toBeGreaterThanOrEqual(ALL);
    expect(result.isFound).toBe(true);
  });
});

describe('a status that is made while a pass ends', () => {
  it('shows the moment at which it was begun', () => {
    const before = passOver(150);
    const { history } = atOnce(new History().after(before.report, STARTED));
    const steps = statusAfter(before, history);
    steps.next();
    atOnce(history.after(goodPass({ machines: [machine('a', '10.0.0.1')] }, { ms: 60_000 }), STARTED + 60_000));
    expect(atOnce(steps)).toEqual(atOnce(statusAfter(before, history)));
  });
});
