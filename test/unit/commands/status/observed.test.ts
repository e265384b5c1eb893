/** What is left of a status where no daemon watches. */
import { describe, expect, it } from 'vitest';
import { asObserved } from '../../../../src/commands/status/observed.ts';
import { aMachine, aNode, aStatus, EVIDENCE, INACTIVE } from '../../status/status-sketch.ts';

const DUE = '2026-01-02T01:00:00.000Z';
const reason = 'missing from fleet for 0s of 15m, seen in 1 pass; kubelet unreachable';
const dying = { reason, next: 'will be deregistered in 15m', due: DUE, since: DUE };

describe('an observation without a daemon', () => {
  const observed = asObserved(
    aStatus({
      dryRun: true,
      machines: [aMachine({ id: 'a', verdict: 'register', next: 'would be registered: this is a dry run' })],
      nodes: [
        aNode({ name: 'gone', verdict: 'in-grace', evidence: { ...EVIDENCE, fleet: 'not-listed' }, ...dying }),
        aNode({ name: 'dead', verdict: 'queued', ...dying }),
        aNode({ name: 'held', verdict: 'held', ...dying, next: 'kept: the deletion guard is active' }),
      ],
    }),
  );

  it('says who observed it, and that it is no dry run of a daemon', () => {
    expect(observed).toMatchObject({
      source: 'observation',
      dryRun: false,
      pass: { next: null, last: { actions: [] } },
    });
  });

  it('does not say that a guard is active, since no daemon is known to act', () => {
    const guard = { ...INACTIVE, held: true, message: 'deletion guard active: 5 of 10' };
    expect(asObserved(aStatus({ guard })).guard.message).toBe('deletion guard would be active: 5 of 10');
    expect(observed.guard.message).toBeNull();
  });

  it('tells no time, but what a daemon would do', () => {
    expect(observed.machines).toMatchObject([{ since: null, next: 'would be registered by a daemon' }]);
    expect(observed.nodes.map(({ name, next, due, since }) => ({ name, next, due, since }))).toEqual([
      {
        name: 'gone',
        next: 'would be deregistered by a daemon after 15m of watched time (MISSING_GRACE)',
        due: null,
        since: null,
      },
      {
        name: 'dead',
        next: 'would be deregistered by a daemon after 30m of watched time (UNHEALTHY_GRACE)',
        due: null,
        since: null,
      },
      { name: 'held', next: 'kept: the deletion guard is active', due: null, since: null },
    ]);
    expect(observed.nodes[0]?.reason).toBe('missing from fleet; kubelet unreachable');
  });
});
