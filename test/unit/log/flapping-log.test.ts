import { describe, expect, it } from 'vitest';
import { eraOf } from '../../../src/kubernetes/era.ts';
import type { LogEvent } from '../../../src/log/log-events.ts';
import { PassLog } from '../../../src/log/pass-log.ts';
import type { Outcome } from '../../../src/reconcile/apply/apply.ts';
import type { PassReport } from '../../../src/reconcile/reconciler.ts';
import { countPass } from '../../../src/status/counts.ts';
import { atOnce } from '../../../src/time/steps.ts';
import { bystanders, MINUTE, machine, node, ours, planAt } from '../reconcile/world.ts';
import { dead, failedPass, goodPass } from '../status/pass-report.ts';

const PASSES = 1_000;
const SECOND = 1_000;
/** Those of the API server and of the first pass. */
const FIRST_LINES = 2;
const HOUR = 60 * MINUTE;
/** A minute for what lasts that long, and the ten of calm. */
const CALM = 11 * MINUTE;

interface Said {
  readonly event: LogEvent;
  readonly message: string;
}

/** A passLog that has told of a first pass, and what it is told then in passes of a test's own choice. */
class Listener {
  readonly said: Said[] = [];
  readonly #passLog = new PassLog(
    { write: (event, message) => this.said.push({ event, message }), debug: () => {} },
    'role=kubernetes',
  );

  pass(report: PassReport, ms: number): void {
    const counts = report.seen && countPass(report.seen.observation, report.seen.plan);
    atOnce(this.#passLog.write(report, counts, ms));
  }

  /** A pass a second for so long. */
  passes(report: PassReport, fromMs: number, forMs: number): void {
    for (let ms = fromMs; ms < fromMs + forMs; ms += SECOND) this.pass(report, ms);
  }
}

const others = bystanders(5);
const A = machine('a', '10.0.0.1');
const B = machine('b', '10.0.0.2');
const nodeOfA = ours('10.0.0.1', 'a', '10.0.0.1', { ready: 'true' });
const world = (more: Parameters<typeof goodPass>[0]) => ({
  machines: [...others.machines, ...(more.machines ?? [])],
  nodes: [...others.nodes, ...(more.nodes ?? [])],
  kubelets: { ...others.kubelets, ...more.kubelets },
});
const healthy = { '10.0.0.1': 'healthy' } as const;
const well = goodPass(world({ machines: [A], nodes: [nodeOfA], kubelets: healthy }));
const waiting = goodPass(world({ machines: [B], kubelets: { '10.0.0.2': 'answers' } }));
const [register] = planAt(0, { machines: [A], kubelets: healthy }).actions;
if (register === undefined) throw new Error('nothing to register');
const outcome = (result: Outcome['result'], detail: string): PassReport => ({
  ...well,
  outcomes: [{ action: register, result, detail }],
});

/** Of each: the pass in which it is so and what the last line says then, and the same of the pass in which it is not. */
const KINDS: Record<string, readonly [on: PassReport, says: RegExp, off: PassReport, says: RegExp]> = {
  'fleet, which answers and does not,': [
    failedPass({ fleet: 'fleet: reset' }),
    /fleet: reset; nothing is changed until this succeeds/,
    well,
    /requests to fleet succeed again/,
  ],
  'Kubernetes, which answers and does not,': [
    failedPass({ kubernetes: 'kubernetes: reset' }),
    /kubernetes: reset/,
    well,
    /requests to the API server succeed again/,
  ],
  'passes that fail and succeed': [
    failedPass({ timeout: 'the pass took longer' }),
    /pass failed/,
    well,
    /passes succeed again/,
  ],
  'a selector that matches and does not': [
    goodPass({ nodes: [nodeOfA] }),
    /no machine matches/,
    goodPass({ machines: [A], nodes: [nodeOfA], kubelets: healthy }),
    /"role=kubernetes" matches \d/,
  ],
  'a hold that begins and ends': [
    goodPass({ machines: others.machines, nodes: dead(others.nodes) }),
    /deletion guard active: 5 of 5/,
    goodPass(others),
    /deletion guard inactive again/,
  ],
  'a node whose machine matches and does not': [
    goodPass(world({ machines: [machine('a', '10.0.0.1', { role: 'etcd' })], nodes: [nodeOfA], kubelets: healthy })),
    /node 10\.0\.0\.1: unmatched: /,
    well,
    /node 10\.0\.0\.1: keep: /,
  ],
  'a machine that matches and does not': [
    waiting,
    /machine b: waiting: /,
    goodPass(world({ machines: [machine('b', '10.0.0.2', { role: 'etcd' })] })),
    /machine b: not-selected: /,
  ],
  'a machine that fleet lists and does not': [
    waiting,
    /machine b: waiting: /,
    goodPass(others),
    /machine b: no longer listed by fleet/,
  ],
  'a node that Kubernetes lists and does not': [
    goodPass(world({ nodes: [ours('10.0.0.9', 'z', '10.0.0.9', { ready: 'true' })] })),
    /node 10\.0\.0\.9: orphan: /,
    goodPass(others),
    /node 10\.0\.0\.9: no longer listed by the API server/,
  ],
  'an action that fails and is not called for': [
    outcome('failed', 'reset'),
    /could not register node/,
    well,
    /registering node 10\.0\.0\.1 of machine a is no longer needed/,
  ],
  'API servers of two releases behind one address': [
    goodPass({ ...others, era: eraOf({ version: 'v1.21.0', apiVersion: 'v1' }) }),
    /API server v1\.21/,
    goodPass(others),
    /API server v1\.20/,
  ],
};

describe.each(Object.entries(KINDS))('%s', (_, [on, saysOn, off, saysOff]) => {
  const isAbout = ({ message }: Said) => saysOn.test(message) || saysOff.test(message);

  describe.each([
    { onFor: 1, offFor: 1 },
    { onFor: 4, offFor: 2 },
    { onFor: 1, offFor: 59 },
    { onFor: 100, offFor: 100 },
  ])('on for $onFor s and off for $offFor', ({ onFor, offFor }) => {
    const period = onFor + offFor;
    function flap(): Listener {
      const listener = new Listener();
      listener.pass(off, -HOUR);
      for (let pass = 0; pass < PASSES; pass += 1) listener.pass(pass % period < onFor ? on : off, pass * SECOND);
      return listener;
    }

    it('has few lines in 1,000 passes, and the first times are among them', () => {
      const said = flap().said.slice(FIRST_LINES).filter(isAbout);
      const times = said.map(({ message }) => message).filter((message) => !/^(still|changed)/.test(message));
      const timesOn = times.filter((message) => saysOn.test(message)).length;
      // Of two releases, three changes from one to the other.
      expect([2, 3]).toContain(timesOn);
      expect(said.length).toBeLessThan(20);
    });

    it.each([
      [on, saysOn],
      [off, saysOff],
    ])('ends in the log as it ends in truth', (last, says) => {
      const listener = flap();
      listener.passes(last, PASSES * SECOND, CALM);
      expect(listener.said.filter(isAbout).at(-1)?.message).toMatch(says);
      const before = listener.said.length;
      listener.pass(last === on ? off : on, PASSES * SECOND + CALM);
      expect(listener.said.slice(before).filter(isAbout)).not.toContainEqual(
        expect.objectContaining({ message: expect.stringMatching(/^changed/) }),
      );
    });
  });

  it('has a bounded number of lines in an hour, also when it comes and goes for days', () => {
    const listener = new Listener();
    listener.pass(off, -HOUR);
    const perHour = Array.from({ length: 10 }, (_each, hour) => {
      const before = listener.said.length;
      for (let ms = 0; ms < HOUR; ms += 5 * SECOND)
        listener.pass(ms % (10 * SECOND) === 0 ? on : off, hour * HOUR + ms);
      return listener.said.slice(before).filter(isAbout).length;
    });
    expect(perHour[0]).toBeLessThan(20);
    expect(Math.max(...perHour.slice(2))).toBeLessThanOrEqual(1);
  });
});

describe('forty machines that flap at once', () => {
  it('have a line three times each way, and then now and then', () => {
    const many = bystanders(40);
    const [on, off] = [goodPass({ nodes: many.nodes, kubelets: many.kubelets }), goodPass(many)];
    const listener = new Listener();
    listener.pass(off, -HOUR);
    for (let pass = 0; pass < PASSES; pass += 1) listener.pass(pass % 2 === 0 ? on : off, pass * SECOND);
    const verdicts = listener.said.filter(({ event }) => event.startsWith('verdict'));
    expect(verdicts.filter(({ message }) => /^40 flapping nodes: .*; for example changed /.test(message))).toHaveLength(
      5,
    );
    expect(verdicts).toHaveLength(6 + 5);
  });
});

describe('what was done', () => {
  it.each(['done', 'unneeded'] as const)('is told each time: %s', (result) => {
    const listener = new Listener();
    listener.pass(well, 0);
    const before = listener.said.length;
    listener.passes(outcome(result, 'so'), SECOND, 100 * SECOND);
    expect(listener.said.slice(before).filter(({ event }) => event !== 'pass-summary')).toHaveLength(100);
  });
});

describe('what a dry run would do on and off', () => {
  it('is told three times, and then now and then with the count', () => {
    const listener = new Listener();
    listener.pass(well, 0);
    const [on, off] = [outcome('dry-run', 'so'), well];
    for (let pass = 0; pass < PASSES; pass += 1) listener.pass(pass % 2 === 0 ? on : off, pass * SECOND);
    const said = listener.said.filter(({ event }) => event === 'dry-run').map(({ message }) => message);
    const line = 'dry run: would register node 10.0.0.1 of machine a';
    expect(said.slice(0, 4)).toEqual([line, line, line, `changed 65 times in 1m4s: ${line}`]);
    expect(said).toHaveLength(7);
  });
});

describe('a label that is left out on and off', () => {
  it('is told three times, and then now and then with the count', () => {
    const listener = new Listener();
    const [on, off] = [goodPass({ ...others, skippedRecords: 2 }), goodPass(others)];
    for (let pass = 0; pass < PASSES; pass += 1) listener.pass(pass % 2 === 0 ? on : off, pass * SECOND);
    expect(listener.said.filter(({ event }) => event === 'worked-around')).toHaveLength(7);
  });
});

describe('a verdict', () => {
  const queued = (name: 'queued' | 'held' | 'in-grace', pass = well): PassReport => ({
    ...pass,
    seen: pass.seen && {
      ...pass.seen,
      plan: { ...pass.seen.plan, nodes: new Map([...pass.seen.plan.nodes, ['10.0.0.1', { name, reason: 'it is' }]]) },
    },
  });

  it('of a node that is well again is told whenever the log last said that it was not', () => {
    const listener = new Listener();
    const story = [well, queued('in-grace'), queued('held'), well, queued('held'), well, queued('queued'), well];
    for (const [minute, report] of story.entries()) listener.pass(report, minute * MINUTE);
    expect(listener.said.filter(({ event }) => event.startsWith('verdict')).map(({ message }) => message)).toEqual([
      'node 10.0.0.1: in-grace: it is',
      expect.stringMatching(/^node 10\.0\.0\.1: keep: /),
      'node 10.0.0.1: queued: it is',
      expect.stringMatching(/^node 10\.0\.0\.1: keep: /),
    ]);
  });

  it('of a node that is held on and off with others is the guard’s to tell', () => {
    const listener = new Listener();
    for (let pass = 0; pass < PASSES; pass += 1) listener.pass(pass % 2 === 0 ? well : queued('held'), pass * SECOND);
    expect(listener.said.filter(({ event }) => event.startsWith('verdict'))).toEqual([]);
  });

  it('of a node that went for good ends with it, and is not told of the next that has its name', () => {
    const listener = new Listener();
    const orphan = goodPass(world({ nodes: [ours('10.0.0.1', 'a', '10.0.0.1', { ready: 'true' })] }));
    for (const [hour, report] of [orphan, goodPass(others), well].entries()) listener.pass(report, hour * HOUR);
    expect(listener.said.filter(({ event }) => event === 'verdict').map(({ message }) => message)).toEqual([
      'node 10.0.0.1: no longer listed by the API server',
    ]);
  });

  it('of a machine whose conflict is over is told', () => {
    const listener = new Listener();
    const twin = machine('b', '10.0.0.1');
    const both = goodPass(world({ machines: [A, twin], nodes: [nodeOfA], kubelets: healthy }));
    listener.pass(both, 0);
    listener.pass(
      goodPass(
        world({
          machines: [A, machine('b', '10.0.0.1', { role: 'etcd' })],
          nodes: [nodeOfA, node('n')],
          kubelets: healthy,
        }),
      ),
      SECOND,
    );
    expect(listener.said.map(({ message }) => message)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^machine b: conflict: /),
        expect.stringMatching(/^machine b: not-selected: /),
      ]),
    );
  });
});
