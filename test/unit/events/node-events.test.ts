import { describe, expect, it } from 'vitest';
import { eventSteps } from '../../../src/events/node-events.ts';
import { eraOf } from '../../../src/kubernetes/era.ts';
import type { Outcome } from '../../../src/reconcile/apply/apply.ts';
import type { PassReport } from '../../../src/reconcile/reconciler.ts';
import { History, type PassChanges } from '../../../src/status/history.ts';
import { atOnce } from '../../../src/time/steps.ts';
import { bystanders, machine, node, ours } from '../reconcile/world.ts';
import { dead, failedPass, goodPass, STARTED } from '../status/pass-report.ts';

const NEWCOMER = { machines: [machine('a', '10.0.0.1')], kubelets: { '10.0.0.1': 'healthy' as const } };

const eventsOf = (report: PassReport, changes: PassChanges) => atOnce(eventSteps(report, changes));
/** What the first pass changes. */
const changesIn = (report: PassReport) => atOnce(new History().after(report, 0)).changes;

/** The Events when all that the plan asks for came to this. */
function told(world: Parameters<typeof goodPass>[0], result: Outcome['result'], detail?: string): string[] {
  const { seen } = goodPass(world);
  const outcomes = seen.plan.actions.map((action) => ({ action, result, ...(detail !== undefined && { detail }) }));
  const report = goodPass(world, { outcomes });
  return eventsOf(report, changesIn(report)).map(({ reason, message }) => `${reason}: ${message}`);
}

describe('the Events of a pass', () => {
  it('say what was done, and how where that is not plain', () => {
    const registered = 'Registered: registered as the node of machine a at 10.0.0.1: its kubelet is healthy';
    expect(told(NEWCOMER, 'done')).toEqual([registered]);
    expect(told(NEWCOMER, 'done', 'without its labels')).toEqual([`${registered} (without its labels)`]);
    const adopted = told({ ...NEWCOMER, nodes: [node('10.0.0.1')] }, 'done');
    expect(adopted).toEqual([expect.stringMatching(/^Adopted: adopted/)]);
  });

  it.each(['unneeded', 'refused', 'failed', 'dry-run'] as const)('say nothing of what came out as %s', (result) => {
    expect(told(NEWCOMER, result)).toEqual([]);
  });

  it('say nothing of labels: that is upkeep', () => {
    const world = {
      ...NEWCOMER,
      nodes: [ours('10.0.0.1', 'a', '10.0.0.1', { labels: { 'kube-register.io/managed': 'no' } })],
    };
    expect(goodPass(world).seen.plan.actions.map(({ kind }) => kind)).toEqual(['label']);
    expect(told(world, 'done')).toEqual([]);
  });

  it('are none for servers that are not spoken to in v1', () => {
    const era = eraOf({ version: 'v0.17.1', apiVersion: 'v1beta3' });
    expect(told({ ...NEWCOMER, era }, 'done')).toEqual([]);
  });

  it('are none where nothing was seen', () => {
    const report = failedPass({ fleet: 'refused' });
    expect(eventsOf(report, changesIn(report))).toEqual([]);
  });

  it('bear the time at which it ended', () => {
    const { plan } = goodPass(NEWCOMER).seen;
    const report = goodPass(NEWCOMER, { outcomes: plan.actions.map((action) => ({ action, result: 'done' })) });
    expect(eventsOf(report, changesIn(report)).map(({ at }) => at)).toEqual([STARTED + 12]);
  });

  it('tell of a hold when it begins, of each node up to a hundred', () => {
    const nodes = dead(bystanders(100).nodes);
    const report = goodPass({ nodes });
    const { history, changes } = atOnce(new History().after(report, 0));
    const began = eventsOf(report, changes);
    expect(began.map(({ node: name }) => name)).toEqual(nodes.map(({ name }) => name));
    expect(began[0]).toMatchObject({
      reason: 'DeregistrationHeld',
      message: expect.stringMatching(/; deletion guard active: /),
    });
    expect(eventsOf(report, atOnce(history.after(report, 0)).changes)).toEqual([]);
  });

  it('are combined where a hold keeps more than a hundred nodes, and name each of them', () => {
    const nodes = dead(bystanders(150).nodes);
    const report = goodPass({ nodes });
    const began = eventsOf(report, changesIn(report));
    expect(began.length).toBeLessThan(5);
    expect(began[0]?.message).toMatch(
      /^\(combined from similar events\): the deletion guard keeps \d+ nodes: 10\.9\.0\.0, /,
    );
    expect(began.flatMap(({ message }) => message.replace(/^.*nodes: /, '').split(', '))).toEqual(
      nodes.map(({ name }) => name),
    );
  });
});
