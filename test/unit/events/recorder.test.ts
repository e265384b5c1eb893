/** The queue of Events for an API server that does not take them. */
import { expect, it } from 'vitest';
import { EventRecorder } from '../../../src/events/recorder.ts';
import { atOnce } from '../../../src/time/steps.ts';
import { bystanders } from '../reconcile/world.ts';
import { goodPass } from '../status/pass-report.ts';

const CONTINUES = '; nodes are still registered and deregistered';

it('drops those for which there is no room, and the rest when the daemon stops, and says both', async () => {
  const { machines, kubelets } = bystanders(90);
  const world = { machines, kubelets };
  const { plan } = goodPass(world).seen;
  const report = goodPass(world, { outcomes: plan.actions.map((action) => ({ action, result: 'done' })) });
  const lines: string[] = [];
  let failed = 0;
  const recorder = new EventRecorder({
    events: {
      write: (_event, signal) =>
        new Promise((_resolve, reject) => {
          if (signal.aborted) reject(signal.reason);
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    },
    log: { write: (_event, message) => lines.push(message), debug: () => {} },
    clock: { wall: () => 0, monotonic: () => 0 },
    metrics: {
      eventEnded: (written) => {
        failed += written ? 0 : 1;
      },
    },
  });
  for (let pass = 1; pass <= 6; pass += 1) atOnce(recorder.record(report, { hold: undefined }));
  // Five are under way, and 500 wait.
  expect([failed, lines]).toEqual([35, [`35 Events dropped: 500 already wait to be written${CONTINUES}`]]);
  await recorder.finish(AbortSignal.abort());
  expect(failed).toBe(540);
  expect(lines.slice(1)).toEqual([`the daemon stops before all Events are written: the rest is dropped${CONTINUES}`]);
});
