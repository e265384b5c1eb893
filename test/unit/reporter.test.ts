import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { eraOf } from '../../src/kubernetes/era.ts';
import type { Outcome } from '../../src/reconcile/apply.ts';
import type { PassReport } from '../../src/reconcile/reconciler.ts';
import { Chronicle } from '../../src/telemetry/chronicle.ts';
import { countPass } from '../../src/telemetry/counts.ts';
import { logOf } from '../../src/telemetry/log-events.ts';
import { Reporter } from '../../src/telemetry/reporter.ts';
import { failedPass, goodPass } from './pass-report.ts';
import { bystanders, INTERVAL, MINUTE, machine, node, ours, planAt } from './world.ts';

/** A reporter whose log is read: `say` reports a pass at a time and returns the lines that it added, `level: message`. */
function listen(level = 'info') {
  const lines: string[] = [];
  const logger = pino(
    { level, base: null, formatters: { level: (label) => ({ level: label }) } },
    {
      write(text: string) {
        const { level: label, msg } = JSON.parse(text);
        lines.push(`${label}: ${msg}`);
      },
    },
  );
  const reporter = new Reporter(logOf(logger), 'role=kubernetes');
  const chronicle = new Chronicle();
  return (report: PassReport, ms = 0): readonly string[] => {
    const before = lines.length;
    const counts = report.seen && countPass(report.seen.observation, report.seen.plan);
    reporter.report(report, chronicle.record(report, report.startedAt, ms), counts, ms);
    return lines.slice(before);
  };
}

const A = machine('a', '10.0.0.1');
const healthy = { '10.0.0.1': 'healthy' } as const;
const quiet = { machines: [A], nodes: [ours('10.0.0.1', 'a', '10.0.0.1')], kubelets: healthy };

const API_SERVER = 'info: the API server is v1.20.2, spoken to in v1';

describe('the API server', () => {
  it('that was upgraded is said, with what it was', () => {
    const say = listen();
    say(goodPass(quiet));
    const era = eraOf({ version: 'v1.21.0', apiVersion: 'v1' });
    expect(say(goodPass({ ...quiet, era }))).toEqual([
      'info: the API server is v1.21.0, spoken to in v1; it was v1.20.2, spoken to in v1',
    ]);
  });
});

describe('the first pass', () => {
  it('says its counts', () => {
    expect(listen()(goodPass(quiet))).toEqual([
      API_SERVER,
      'info: first pass: machines: 1 listed, 1 matched, 1 healthy; nodes: 1, 1 managed',
    ]);
  });

  it('warns when no machine matches, with the metadata that there is, most frequent first and quoted', () => {
    const machines = [
      machine('a', '10.0.0.1', { role: 'etcd' }),
      machine('b', '10.0.0.2', { role: 'etcd', x: '\u001b[2J' }),
    ];
    expect(listen()(goodPass({ machines }))).toEqual([
      API_SERVER,
      'info: first pass: machines: 2 listed, 0 matched, 0 healthy; nodes: 0, 0 managed',
      'warn: no machine matches "role=kubernetes"; metadata there is: "role=etcd" (2), "x=\\u001b[2J" (1)',
    ]);
  });

  it('says so when fleet lists nothing', () => {
    expect(listen()(goodPass({}))).toEqual([
      API_SERVER,
      'info: first pass: machines: 0 listed, 0 matched, 0 healthy; nodes: 0, 0 managed',
      'warn: no machine matches "role=kubernetes"; fleet lists no machine',
    ]);
  });
});

describe('a pass after which all is as before', () => {
  it('says nothing', () => {
    const say = listen();
    const first = goodPass(quiet);
    say(first);
    expect(say(goodPass(quiet, { ms: INTERVAL, memory: first.seen.plan.memory }), INTERVAL)).toEqual([]);
  });

  it('gives a summary when an hour is over, once', () => {
    const say = listen();
    say(goodPass(quiet));
    expect(say(goodPass(quiet), 59 * MINUTE)).toEqual([]);
    expect(say(goodPass(quiet), 60 * MINUTE)).toHaveLength(1);
    expect(say(goodPass(quiet), 61 * MINUTE)).toEqual([]);
  });
});

describe('a server that is down', () => {
  const down = failedPass({ fleet: 'fleet at unix:///x: GET /fleet/v1/machines: connection refused' });

  it('is said when it begins, again after 1, 2, 4, 8 and 16 minutes, and how long it lasted when it is over', () => {
    const say = listen();
    say(goodPass(quiet));
    const problem =
      'fleet at unix:///x: GET /fleet/v1/machines: connection refused; nothing is changed until it answers';
    expect(say(down, INTERVAL)).toEqual([`error: ${problem}`]);
    const reminders = Array.from({ length: 59 }, (_, pass) => say(down, (pass + 2) * INTERVAL));
    expect(reminders.flat()).toEqual(
      ['1m (3', '2m (5', '4m (9', '8m (17', '16m (33'].map(
        (lasted) => `error: still, after ${lasted} times): ${problem}`,
      ),
    );
    expect(say(goodPass(quiet), 61 * INTERVAL)).toEqual(['info: fleet answers again after 30m']);
  });

  it('is said again when something else is wrong by now, but not for ever', () => {
    const say = listen();
    say(goodPass(quiet));
    say(down);
    const other = (which: number) => failedPass({ fleet: `fleet at unix:///x: problem ${which}` });
    expect(say(other(1))).toEqual(['error: fleet at unix:///x: problem 1; nothing is changed until it answers']);
    expect([say(other(1)), say(down)]).toEqual([[], []]);
    for (let which = 2; which < 10; which += 1) expect(say(other(which))).toHaveLength(which < 5 ? 1 : 0);
    expect(say(goodPass(quiet))).toEqual([expect.stringMatching(/^info: fleet answers again/)]);
    expect(say(other(1))).toHaveLength(1);
  });

  it('is said at the start, and is no news when it is up from the start', () => {
    expect(listen()(down)).toHaveLength(1);
    expect(listen()(goodPass(quiet))).toEqual([API_SERVER, expect.stringMatching(/^info: first pass/)]);
  });

  it('does not hide that the other one goes down too', () => {
    const say = listen();
    say(down);
    const [fleet = ''] = down.failures.values();
    const both = failedPass({ fleet, kubernetes: 'kubernetes at http://k: GET /api/v1/nodes: reset' });
    expect(say(both)).toEqual([expect.stringContaining('kubernetes at http://k')]);
  });

  it('is not thought to be up because a pass ran out of time', () => {
    const say = listen();
    say(down);
    expect(say(failedPass({ timeout: 'the pass took longer than 2m' }))).toEqual([
      'error: pass failed: the pass took longer than 2m',
    ]);
    expect(say(failedPass({ timeout: 'the pass took longer than 2m' }))).toEqual([]);
  });
});

describe('a change', () => {
  const others = bystanders(5);
  const world = (traits: Parameters<typeof ours>[3], kubelets = {}) => ({
    machines: others.machines,
    nodes: [ours('10.0.0.1', 'a', '10.0.0.1', traits), ...others.nodes],
    kubelets: { ...others.kubelets, ...kubelets },
  });

  it('of a node’s verdict is a line, with the way back', () => {
    const say = listen();
    say(goodPass({ ...world({}), machines: [A, ...others.machines], kubelets: { ...others.kubelets, ...healthy } }));
    expect(say(goodPass(world({})))).toEqual([
      expect.stringMatching(
        /^warn: node 10\.0\.0\.1: in-grace: missing from fleet for 0s of 15m, seen in 1 pass;.*deregistered in 15m$/,
      ),
    ]);
    expect(say(goodPass(world({ ready: 'ready' })))).toEqual([
      expect.stringMatching(/^warn: node 10\.0\.0\.1: orphan: /),
    ]);
    const back = { ...world({}), machines: [A, ...others.machines], kubelets: { ...others.kubelets, ...healthy } };
    expect(say(goodPass(back))).toEqual([expect.stringMatching(/^info: node 10\.0\.0\.1: keep: /)]);
  });

  it('of hundreds at once is not hundreds of lines', () => {
    const say = listen();
    const many = bystanders(300);
    say(goodPass(many));
    const lines = say(goodPass({ nodes: many.nodes, kubelets: many.kubelets }));
    expect(lines.filter((line) => line.includes('orphan'))).toHaveLength(21);
    expect(lines.at(-1)).toBe('warn: 280 more nodes: orphan (see /status)');
  });

  it('of the guard is one line when it begins and one when it ends', () => {
    const say = listen();
    say(goodPass(others));
    const gone = { machines: others.machines, nodes: others.nodes };
    expect(say(goodPass(gone)).filter((line) => line.startsWith('error'))).toEqual([
      expect.stringContaining('held: 5 of 5 managed nodes look gone (100 %, limit 34 %)'),
    ]);
    expect(say(goodPass(gone))).toEqual([]);
    expect(say(goodPass(others))).toContain('info: the hold is over after 0s; every grace starts anew');
  });
});

describe('an action', () => {
  const [register] = planAt(0, { machines: [A], kubelets: healthy }).actions;
  if (register === undefined) throw new Error('nothing to register');
  const outcome = (result: Outcome['result'], detail?: string): Outcome =>
    detail === undefined ? { action: register, result } : { action: register, result, detail };

  it('that was done is a line, and a line for the pass', () => {
    const say = listen();
    say(goodPass(quiet));
    expect(say(goodPass(quiet, { outcomes: [outcome('done')] }))).toEqual([
      'info: registered node 10.0.0.1 of machine a',
      'info: pass: registered 1',
    ]);
  });

  it('that fails alike in every pass is said once, and again when it fails otherwise', () => {
    const say = listen();
    say(goodPass(quiet));
    const failing = goodPass(quiet, { outcomes: [outcome('failed', 'kubernetes at http://k: POST: forbidden')] });
    expect(say(failing)).toEqual([
      'error: could not register node 10.0.0.1 of machine a: kubernetes at http://k: POST: forbidden',
    ]);
    expect(say(failing)).toEqual([]);
    expect(say(goodPass(quiet, { outcomes: [outcome('failed', 'reset')] }))).toHaveLength(1);
  });

  it('of a dry run is said once', () => {
    const say = listen();
    say(goodPass(quiet));
    expect(say(goodPass(quiet, { outcomes: [outcome('dry-run')] }))).toEqual([
      'info: dry run: would register node 10.0.0.1 of machine a',
    ]);
    expect(say(goodPass(quiet, { outcomes: [outcome('dry-run')] }))).toEqual([]);
  });
});

describe('records without a machine', () => {
  it('are said once, for as long as there are any', () => {
    const say = listen();
    const odd = goodPass({ ...quiet, skippedRecords: 2 });
    const line = 'warn: fleet lists records that name no machine (2): they are skipped';
    expect(say(odd)).toContain(line);
    expect(say(odd)).toEqual([]);
  });
});

describe('hostile text', () => {
  it('from a machine’s metadata and a node’s name does not end a line or move a cursor', () => {
    const machines = [machine('a', '10.0.0.1')];
    const names = new Map([['a', { name: 'x\n{"level":"fatal"}\u001b[2J' }]]);
    const lines = listen()(goodPass({ machines, nodes: [node('n')], kubelets: healthy, names }));
    expect(lines.join('')).not.toMatch(/[\p{Cc}]/u);
  });
});
