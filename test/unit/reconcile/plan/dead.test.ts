/** What is said of a dead node on its way, word for word. */
import { describe, expect, it } from 'vitest';
import { beside, bystanders, INTERVAL, machine, node, ours, Watch, type World } from '../world.ts';

const NAME = '10.0.0.1';
const A = machine('a', NAME);
const elsewhere = machine('a', NAME, { role: 'etcd' });
const healthy = { [NAME]: 'healthy' } as const;
const renamed = node('host-a', { ready: 'true', mark: 'a', origin: 'own-name', machineId: 'a', addresses: [NAME] });

/** A managed node of machine a, which is not reporting, among eleven. */
const among = (world: World): World =>
  beside(bystanders(10), { ...world, nodes: [ours(NAME, 'a', NAME), ...(world.nodes ?? [])] });
const heard = among({ machines: [A], kubelets: healthy });

describe('the verdict of a dead node', () => {
  it.each<[string, World, string]>([
    ['unhealthy', { machines: [A] }, 'not alive for 0s of 30m, seen in 1 pass; kubelet unreachable; node Unknown'],
    [
      'metadata-changed',
      { machines: [elsewhere] },
      'its machine no longer matches for 0s of 15m, seen in 1 pass; kubelet unreachable; node Unknown',
    ],
    ['machine-gone', {}, 'missing from fleet for 0s of 15m, seen in 1 pass; kubelet unreachable; node Unknown'],
    [
      'left-over',
      { machines: [A], nodes: [renamed], kubelets: healthy },
      'another node of its machine is reporting for 0s of 15m, seen in 1 pass; kubelet unreachable; node Unknown',
    ],
  ])('as %s has the reason, the time, the number of passes and the evidence', (_, world, reason) => {
    const watch = new Watch();
    watch.pass(heard);
    expect(watch.pass(among(world)).nodes.get(NAME)).toMatchObject({ name: 'in-grace', reason });
  });

  it('counts several passes in the plural', () => {
    expect(new Watch().passes(2, among({})).nodes.get(NAME)?.reason).toContain(' for 30s of 15m, seen in 2 passes;');
  });
});

describe('the note that one grace period replaces another', () => {
  it('has one key for each node and pass', () => {
    const watch = new Watch();
    watch.pass(heard);
    watch.passes(2, among({ machines: [A] }));
    expect(watch.pass(among({})).notes).toEqual([
      {
        kind: 'takeover',
        key: `uid-${NAME} ${3 * INTERVAL}`,
        text: `node ${NAME}: missing from fleet (before: not alive); a new grace period begins; it will be deregistered in 15m`,
      },
    ]);
  });
});
