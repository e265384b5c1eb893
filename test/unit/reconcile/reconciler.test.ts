/** What a pass leaves to the next one. */
import { expect, it } from 'vitest';
import { running, writesOf } from './cluster.ts';

it('a pass that is cut short after it saw everything is not one of the three good passes that a grace period needs', async () => {
  const cluster = running(4, { policy: { missingGraceMs: 0 } });
  await cluster.pass();
  cluster.dies('m1', '10.0.0.1', '10.0.0.1');
  expect(writesOf(await cluster.pass())).toEqual([]);

  const stop = new AbortController();
  cluster.lists('m9', '10.0.0.9');
  cluster.kubelets.set('10.0.0.9', 'healthy');
  cluster.during = (request) => {
    if (request === 'create 10.0.0.9') stop.abort(new Error('the daemon stops'));
  };
  const { stopped, seen } = await cluster.pass(stop.signal);
  expect({ stopped, isSeen: seen !== undefined }).toEqual({ stopped: true, isSeen: true });

  expect(writesOf(await cluster.pass())).toEqual([]);
  expect(writesOf(await cluster.pass())).toEqual(['deregister 10.0.0.1']);
});
