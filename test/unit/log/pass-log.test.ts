import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eraOf } from '../../../src/kubernetes/era.ts';
import { logOf } from '../../../src/log/log-events.ts';
import { PassLog } from '../../../src/log/pass-log.ts';
import type { Outcome } from '../../../src/reconcile/apply/apply.ts';
import { fingerprint } from '../../../src/reconcile/plan/action.ts';
import type { Note, NoteKind } from '../../../src/reconcile/plan/note.ts';
import { NODE_VERDICTS } from '../../../src/reconcile/plan/verdict.ts';
import type { PassReport } from '../../../src/reconcile/reconciler.ts';
import { countPass } from '../../../src/status/counts.ts';
import { atOnce } from '../../../src/time/steps.ts';
import { beside, bystanders, INTERVAL, MINUTE, machine, node, ours, planAt } from '../reconcile/world.ts';
import { dead, failedPass, goodPass } from '../status/pass-report.ts';

const LINE = z.looseObject({ level: z.string(), event: z.string().optional(), msg: z.string() });

/** A passLog whose log is read: what it returns reports a pass and returns the lines that it added. */
function listenToLines(level = 'info') {
  const lines: z.infer<typeof LINE>[] = [];
  const logger = pino(
    { level, base: null, timestamp: false, formatters: { level: (label) => ({ level: label }) } },
    { write: (text: string) => lines.push(LINE.parse(JSON.parse(text))) },
  );
  const passLog = new PassLog(logOf(logger), 'role=kubernetes');
  return (report: PassReport, ms = 0) => {
    const before = lines.length;
    const counts = report.seen && countPass(report.seen.observation, report.seen.plan);
    atOnce(passLog.write(report, counts, ms));
    return lines.slice(before);
  };
}

/** The same, with the lines as `level: message`. */
function listen(level = 'info') {
  const say = listenToLines(level);
  return (report: PassReport, ms = 0): readonly string[] =>
    say(report, ms).map(({ level: label, msg }) => `${label}: ${msg}`);
}

const A = machine('a', '10.0.0.1');
const healthy = { '10.0.0.1': 'healthy' } as const;
const quiet = { machines: [A], nodes: [ours('10.0.0.1', 'a', '10.0.0.1')], kubelets: healthy };

const API_SERVER = 'info: API server v1.20.2, using API v1';

describe('the API server', () => {
  it('that was upgraded is said, with what it was', () => {
    const say = listen();
    say(goodPass(quiet));
    const era = eraOf({ version: 'v1.21.0', apiVersion: 'v1' });
    expect(say(goodPass({ ...quiet, era }))).toEqual([
      'info: API server v1.21.0, using API v1; before: v1.20.2, using API v1',
    ]);
  });
});

describe('a slow server', () => {
  it('is a warning while it lasts, and a pass without its answer says nothing about it', () => {
    const say = listen();
    say(goodPass(quiet));
    const slow = { ...goodPass(quiet, { ms: INTERVAL }), slowMs: new Map([['kubernetes', 8_000]] as const) };
    expect(say(slow, INTERVAL)).toEqual([
      'warn: the API server is slow: an answer took 8s, more than half of KUBE_REGISTER_API_TIMEOUT, after which a request fails; check its load and that of etcd',
    ]);
    expect(say({ ...slow, slowMs: new Map([['kubernetes', 8_300]] as const) }, INTERVAL)).toEqual([]);
    const failed = say(failedPass({ kubernetes: 'no answer within 10s' }), 2 * INTERVAL);
    expect(failed.join()).not.toContain('slow');
    expect(say(goodPass(quiet, { ms: 3 * INTERVAL }), 3 * INTERVAL)).toContain(
      'info: the API server is no longer slow after 1m',
    );
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
      'warn: no machine matches "role=kubernetes"; the machines have: "role=etcd" (2), "x=\\u001b[2J" (1)',
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
      'fleet at unix:///x: GET /fleet/v1/machines: connection refused; nothing is changed until this succeeds';
    expect(say(down, INTERVAL)).toEqual([`error: ${problem}`]);
    const reminders = Array.from({ length: 59 }, (_, pass) => say(down, (pass + 2) * INTERVAL));
    expect(reminders.flat()).toEqual(
      ['1m (3', '2m (5', '4m (9', '8m (17', '16m (33'].map(
        (lasted) => `error: still, for ${lasted} times): ${problem}`,
      ),
    );
    expect(say(goodPass(quiet), 61 * INTERVAL)).toEqual(['info: requests to fleet succeed again after 30m']);
  });

  it('is said again when something else is wrong by now, but not for ever', () => {
    const say = listen();
    say(goodPass(quiet));
    say(down);
    const other = (which: number) => failedPass({ fleet: `fleet at unix:///x: problem ${which}` });
    expect(say(other(1))).toEqual(['error: fleet at unix:///x: problem 1; nothing is changed until this succeeds']);
    expect(say(other(1))).toEqual([]);
    const lines = Array.from({ length: 10 }, (_, which) => say(other(which)));
    expect(lines.flat()).toHaveLength(2);
    expect(say(goodPass(quiet))).toEqual([expect.stringMatching(/^info: requests to fleet succeed again/)]);
    expect(say(other(1))).toHaveLength(1);
  });

  it('is said at the start, and is no news when it is up from the start', () => {
    expect(listen()(down)).toHaveLength(1);
    expect(listen()(goodPass(quiet))).toEqual([API_SERVER, expect.stringMatching(/^info: first pass/)]);
  });

  it('is said with the time of the next attempt, in whole seconds', () => {
    const lines: string[] = [];
    const passLog = new PassLog({ write: (_event, message) => lines.push(message), debug: () => {} }, '');
    atOnce(passLog.write(down, undefined, 0, 29_020));
    atOnce(passLog.write(down, undefined, MINUTE, -5));
    expect(lines).toEqual([
      expect.stringMatching(/connection refused; nothing is changed until this succeeds; retried in 30s$/),
      expect.stringMatching(/^still, .*; retried in 1s$/),
    ]);
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

describe('passes that run out of time', () => {
  const late = failedPass({ timeout: 'the pass took longer than 2m' });

  it('are said when it begins, now and then, and when one succeeds', () => {
    const say = listen();
    say(goodPass(quiet));
    const problem = 'pass failed: the pass took longer than 2m';
    expect([0, 2, 4].map((minute) => say(late, minute * MINUTE))).toEqual([
      [`error: ${problem}`],
      [`error: still, for 2m (2 times): ${problem}`],
      [`error: still, for 4m (3 times): ${problem}`],
    ]);
    expect(say(goodPass(quiet), 6 * MINUTE)).toEqual(['info: passes succeed again after 6m']);
    expect(say(goodPass(quiet), 7 * MINUTE)).toEqual([]);
  });

  it('are not over with a pass that fails otherwise, or that is cut short', () => {
    const say = listen();
    say(late);
    expect(say(failedPass({ fleet: 'fleet is down' }))).toEqual([expect.stringContaining('fleet is down')]);
    expect(say({ ...failedPass({}), stopped: true })).toEqual([]);
    expect(say(failedPass({ internal: 'Error: oops' }))).toEqual(['error: pass failed: Error: oops']);
    expect(say(goodPass(quiet))).toContain('info: passes succeed again after 0s');
  });
});

describe('a selector that no machine matches', () => {
  it('is said whenever it begins, now and then with the metadata by then, and when some match', () => {
    const say = listen();
    say(goodPass(quiet));
    const without = (role: string) => goodPass({ ...quiet, machines: [machine('a', '10.0.0.1', { role })] });
    const noMatch = 'no machine matches "role=kubernetes"; the machines have';
    expect(say(without('etcd'), 0)).toContain(`warn: ${noMatch}: "role=etcd" (1)`);
    expect(say(without('worker'), MINUTE)).toEqual([`warn: still, for 1m (2 times): ${noMatch}: "role=worker" (1)`]);
    expect(say(goodPass(quiet), 2 * MINUTE)).toContain('info: "role=kubernetes" matches 1 machine again after 2m');
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
        /^warn: node 10\.0\.0\.1: in-grace: missing from fleet for 0s of 15m, seen in 1 pass;.*will be deregistered in 15m$/,
      ),
    ]);
    expect(say(goodPass(world({ ready: 'true' })))).toEqual([
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
    expect(lines.filter((line) => line.includes('orphan'))).toEqual([
      expect.stringMatching(
        /^warn: 300 nodes: orphan: 10\.9\.0\.0, .*, 10\.9\.0\.19 and 280 more; for example node 10\.9\.0\.0: orphan: .*; kept; check /,
      ),
    ]);
  });

  it.each([
    [3, 3],
    [4, 1],
  ])('of %s at once is %s lines', (nodes, count) => {
    const say = listen();
    const many = bystanders(nodes);
    say(goodPass(many));
    const lines = say(goodPass({ nodes: many.nodes, kubelets: many.kubelets }));
    expect(lines.filter((line) => line.includes('orphan'))).toHaveLength(count);
  });

  it('of the guard is one line when it begins, a reminder with the numbers by then, and one when it ends', () => {
    const say = listen();
    say(goodPass(others));
    const gone = { machines: others.machines, nodes: dead(others.nodes) };
    expect(say(goodPass(gone)).filter((line) => line.startsWith('error'))).toEqual([
      expect.stringContaining(
        'deletion guard active: 5 of 5 managed nodes are not alive (100%, limit 34%): 10.9.0.0, 10.9.0.1',
      ),
    ]);
    expect(say(goodPass(gone), INTERVAL)).toEqual([]);
    expect(say(goodPass(gone), 2 * INTERVAL)).toContainEqual(
      expect.stringMatching(
        /^error: still, for 1m \(3 times\): deletion guard active: 5 of 5 managed nodes are not alive/,
      ),
    );
    expect(say(failedPass({ fleet: 'fleet is down' }), 3 * INTERVAL)).toHaveLength(1);
    expect(say(goodPass(others), 4 * INTERVAL)).toContain(
      'info: deletion guard inactive again after 2m; all grace periods restart',
    );
  });
});

describe('a hold that grows', () => {
  const many = bystanders(40);
  const holdOf = (count: number) =>
    goodPass({
      machines: many.machines,
      nodes: [...dead(many.nodes.slice(0, count)), ...many.nodes.slice(count)],
      kubelets: Object.fromEntries(Object.entries(many.kubelets).slice(count)),
    });
  const guardLines = (lines: readonly string[]) => lines.filter((line) => line.includes('deletion guard active'));

  it('is logged with the nodes that joined, though its next reminder is an hour away', () => {
    const say = listen();
    for (let ms = 0; ms <= 180 * MINUTE; ms += 10 * MINUTE) say(holdOf(15), ms);
    expect(guardLines(say(holdOf(16), 181 * MINUTE))).toEqual([
      expect.stringMatching(/^error: deletion guard active: 16 of 40 .*: 10\.9\.0\.0, .* and 6 more; no node is/),
    ]);
  });

  it('node by node is logged three times, then when it has doubled or a summary is due', () => {
    const say = listen();
    const lines = Array.from({ length: 25 }, (_, more) => guardLines(say(holdOf(15 + more), more * 1_000))).flat();
    expect(lines.map((line) => /(\d+) of 40/.exec(line)?.[1])).toEqual(['15', '16', '17', '18', '32']);
  });
});

describe('an action', () => {
  const [register] = planAt(0, { machines: [A], kubelets: healthy }).actions;
  if (register === undefined) throw new Error('nothing to register');
  const outcome = (result: Outcome['result'], detail?: string): Outcome =>
    detail === undefined ? { action: register, result } : { action: register, result, detail };

  it('that another copy has done already does not count as done in the summary of the pass', () => {
    const say = listen();
    say(goodPass(quiet));
    const results = ['done', 'unneeded', 'unneeded', 'failed', 'refused'] as const;
    const lines = say(goodPass(quiet, { outcomes: results.map((result) => outcome(result, 'so')) }));
    expect(lines.at(-1)).toBe('info: pass: registered 1, not needed 2, failed 1, refused 1');
    expect(say(goodPass(quiet, { outcomes: [outcome('unneeded')] })).at(-1)).toBe('info: pass: not needed 1');
  });

  it('that was done is a line, and a line for the pass', () => {
    const say = listen();
    say(goodPass(quiet));
    expect(say(goodPass(quiet, { outcomes: [outcome('done')] }))).toEqual([
      'info: registered node 10.0.0.1 of machine a',
      'info: pass: registered 1',
    ]);
  });

  const failed = (detail: string) => goodPass(quiet, { outcomes: [outcome('failed', detail)] });
  const COULD_NOT = 'could not register node 10.0.0.1 of machine a';

  it('that fails alike in every pass is said at its start and now and then, and at once when it fails otherwise', () => {
    const say = listen();
    say(goodPass(quiet));
    const failing = failed('kubernetes at http://k: POST: forbidden');
    const sentence = `${COULD_NOT}: kubernetes at http://k: POST: forbidden; retried in the next pass`;
    expect(say(failing)).toEqual([`error: ${sentence}`]);
    expect(say(failing, INTERVAL)).toEqual([]);
    expect(say(failing, 2 * INTERVAL)).toEqual([`error: still, for 1m (3 times): ${sentence}`]);
    expect(say(failed('reset'), 3 * INTERVAL)).toEqual([`error: ${COULD_NOT}: reset; retried in the next pass`]);
  });

  it('that fails in ever other words does not fill the log', () => {
    const say = listen();
    say(goodPass(quiet));
    const lines = Array.from({ length: 100 }, (_, pass) => say(failed(`request ${pass}`), pass * 1_000));
    expect(lines.flat()).toHaveLength(5);
  });

  it('that failed and is done says how long it failed', () => {
    const say = listen();
    say(failed('reset'));
    say(failed('reset'), INTERVAL);
    expect(say(goodPass(quiet, { outcomes: [outcome('done')] }), 2 * INTERVAL)).toEqual([
      'info: registered node 10.0.0.1 of machine a',
      'info: registering node 10.0.0.1 of machine a succeeded after it failed 2 times in 1m',
      'info: pass: registered 1',
    ]);
    expect(say(goodPass(quiet), 3 * INTERVAL)).toEqual([]);
  });

  it('that failed and is asked for no more says so after a whole pass', () => {
    const say = listen();
    say(failed('reset'));
    expect(say({ ...goodPass(quiet), failures: new Map([['timeout', 'late']]) })).toEqual(['error: pass failed: late']);
    expect(say({ ...goodPass(quiet), stopped: true })).toEqual([]);
    expect(say(goodPass(quiet), INTERVAL)).toEqual([
      'info: passes succeed again after 30s',
      'info: registering node 10.0.0.1 of machine a is no longer needed after it failed once in 30s',
    ]);
  });

  it('that was refused for what it says does not end while it is not repeated', () => {
    const say = listen();
    say(failed('422'));
    const pass = goodPass(quiet);
    const memory = { ...pass.seen.plan.memory, refused: new Map([[fingerprint(register), 10 * MINUTE]]) };
    const waiting = { ...pass, seen: { ...pass.seen, plan: { ...pass.seen.plan, memory } } };
    expect(say(waiting, INTERVAL)).toEqual([]);
    expect(say(failed('422'), 10 * MINUTE)).toEqual([
      `error: still, for 10m (2 times): ${COULD_NOT}: 422; retried in the next pass`,
    ]);
  });

  it('that deregisters and failed is not over while its node waits for its turn', () => {
    const say = listen();
    const node = ours('10.0.0.1', 'a', '10.0.0.1');
    const era = eraOf({ version: 'v1.20.2', apiVersion: 'v1' });
    const what = { node, reason: 'unhealthy', machineId: 'a', endpoints: [], era, why: 'it is gone' } as const;
    const deregister = { kind: 'deregister', ...what } as const;
    say(goodPass(quiet, { outcomes: [{ action: deregister, result: 'failed', detail: 'reset' }] }));
    const pass = goodPass(quiet);
    const nodes = new Map([['10.0.0.1', { name: 'queued', reason: 'it waits' } as const]]);
    const queued = { ...pass, seen: { ...pass.seen, plan: { ...pass.seen.plan, nodes } } };
    expect(say(queued)).toEqual(['info: node 10.0.0.1: queued: it waits']);
    expect(say(pass)).toContainEqual(
      expect.stringMatching(/^info: deregistering node 10\.0\.0\.1 is no longer needed/),
    );
  });

  it('that fails for hundreds of nodes is not hundreds of lines, and neither is its end', () => {
    const say = listen();
    say(goodPass(quiet));
    const { machines, kubelets } = bystanders(300);
    const outcomes = planAt(0, { machines, kubelets }).actions.map(
      (action): Outcome => ({ action, result: 'failed', detail: 'forbidden' }),
    );
    const all = goodPass(quiet, { outcomes });
    for (const ms of [0, MINUTE]) {
      expect(say(all, ms)).toEqual([
        expect.stringMatching(
          /^error: could not register 300 nodes: 10\.9\.0\.0, .* and 280 more; for example (still, .*)?could not register node 10\.9\.0\.0 of machine \S+: forbidden; retried in the next pass$/,
        ),
      ]);
    }
    expect(say(all, MINUTE + 1)).toEqual([]);
    expect(say(goodPass(quiet), 2 * MINUTE)).toEqual([
      expect.stringMatching(/^info: registering 300 nodes is no longer needed: 10\.9\.0\.0, /),
    ]);
  });

  it('that fails for two causes has a line for each, and the name of a node is no cause', () => {
    const say = listen();
    say(goodPass(quiet));
    const { machines, kubelets } = bystanders(10);
    const outcomes = planAt(0, { machines, kubelets }).actions.map((action, index): Outcome => {
      const name = action.kind === 'register' ? action.draft.name : '';
      return { action, result: 'failed', detail: index < 5 ? `POST ${name}: forbidden` : 'reset' };
    });
    expect(say(goodPass(quiet, { outcomes }))).toEqual([
      expect.stringMatching(
        /^error: could not register 5 nodes: .* 10\.9\.0\.4; for example .*: forbidden; retried in the next pass$/,
      ),
      expect.stringMatching(/^error: could not register 5 nodes: 10\.9\.0\.5, .*: reset; retried in the next pass$/),
    ]);
  });

  it('that was refused for what it says is retried in ten minutes', () => {
    const say = listen();
    say(goodPass(quiet));
    const refused: Outcome = {
      action: register,
      result: 'failed',
      detail: '422',
      refusedRequest: fingerprint(register),
    };
    expect(say(goodPass(quiet, { outcomes: [refused] }))).toEqual([
      `error: ${COULD_NOT}: 422; retried in 10m, or once the request would differ`,
    ]);
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

describe('a line', () => {
  it('has the event, and beside the first of what lasts the figures', () => {
    const say = listenToLines();
    say(goodPass(quiet));
    const down = failedPass({ fleet: 'fleet is down' });
    const fields = [say(down), say(down, MINUTE), say(goodPass(quiet), 2 * MINUTE)].flat();
    const event = 'fleet-unreachable';
    expect(fields).toEqual([
      { level: 'error', event, msg: 'fleet is down; nothing is changed until this succeeds' },
      {
        level: 'error',
        event,
        lastedMs: 60_000,
        times: 2,
        msg: expect.stringMatching(/^still, for 1m \(2 times\): /),
      },
      {
        level: 'info',
        event: 'fleet-reachable-again',
        lastedMs: 120_000,
        times: 2,
        msg: 'requests to fleet succeed again after 2m',
      },
    ]);
  });

  it('of a verdict has the verdict and whom it is of, and so has the line that many share', () => {
    const say = listenToLines();
    const many = bystanders(21);
    say(goodPass(many));
    const lines = say(goodPass({ nodes: many.nodes, kubelets: many.kubelets })).slice(1);
    const orphan = { level: 'warn', event: 'verdict-warning', verdict: 'orphan' };
    const names = many.nodes.map(({ name }) => name);
    expect(lines.map(({ msg: _, ...fields }) => fields)).toEqual([{ ...orphan, names: names.slice(0, 20), count: 21 }]);
  });

  it('without an event is for those who debug', () => {
    const say = listenToLines('trace');
    const down = failedPass({ fleet: 'fleet is down' });
    const lines = [goodPass(quiet), down, down].flatMap((report) => say(report));
    expect(lines.filter(({ event }) => event === undefined).map(({ level }) => level)).toEqual(['debug']);
  });
});

describe('records without a machine', () => {
  it('are said once, for as long as there are any', () => {
    const say = listen();
    const odd = goodPass({ ...quiet, skippedRecords: 2 });
    const line =
      'warn: fleet lists records without a machine ID (2), which are skipped; to see them: etcdctl ls --recursive /_coreos.com/fleet/machines';
    expect(say(odd)).toContain(line);
    expect(say(odd)).toEqual([]);
  });
});

describe('a verdict that warns', () => {
  const unmanaged = (ready: 'true' | 'unknown') => goodPass(beside(quiet, { nodes: [node('n', { ready })] }));
  const FOREIGN = /^warn: node n: foreign: unmanaged and not reporting/;

  it('is a warning, whatever the same word is without', () => {
    const say = listen();
    say(goodPass(quiet));
    expect(say(unmanaged('true'))).toEqual([]);
    expect(say(unmanaged('unknown'), INTERVAL)).toEqual([expect.stringMatching(FOREIGN)]);
    expect(say(unmanaged('unknown'), 2 * INTERVAL)).toEqual([]);
  });

  it('of a machine that waits for another node is told, though it waited before', () => {
    const say = listen();
    const obstacle = node('own', { machineId: 'a', ready: 'unknown' });
    say(goodPass({ machines: [A], nodes: [obstacle] }));
    expect(say(goodPass({ machines: [A], nodes: [obstacle], kubelets: healthy }), INTERVAL)).toContainEqual(
      expect.stringMatching(/^warn: machine a: waiting: node own reports machine ID a/),
    );
  });

  it.each(NODE_VERDICTS)('%s of a node is logged as one, but for what the guard reports', (name) => {
    const say = listenToLines();
    say(goodPass(quiet));
    const pass = goodPass(quiet);
    const nodes = new Map([['10.0.0.1', { name, reason: 'so', isWarning: true }]]);
    const lines = say({ ...pass, seen: { ...pass.seen, plan: { ...pass.seen.plan, nodes } } }, INTERVAL);
    const expected = { level: 'warn', event: 'verdict-warning', verdict: name };
    const isLogged = name !== 'held';
    expect(lines).toEqual(isLogged ? [expect.objectContaining(expected)] : []);
  });
});

describe('a note', () => {
  const note = (kind: NoteKind, key: string): Note => ({ kind, key, text: `text of ${kind} ${key}` });
  const noted = (...notes: readonly Note[]) => {
    const pass = goodPass(quiet);
    return { ...pass, seen: { ...pass.seen, plan: { ...pass.seen.plan, notes } } };
  };

  it.each([
    ['takeover', 'grace-restarted'],
    ['undone', 'undone-by-others'],
    ['alternates', 'alternating'],
    ['label', 'worked-around'],
  ] as const)('%s is the event %s', (kind, event) => {
    const say = listenToLines();
    say(goodPass(quiet));
    expect(say(noted(note(kind, 'a')))).toEqual([{ level: 'warn', event, msg: `text of ${kind} a` }]);
  });

  it('that one grace period takes over from another is told each time', () => {
    const say = listen();
    say(goodPass(quiet));
    for (let pass = 1; pass < 100; pass += 1) {
      expect(say(noted(note('takeover', `uid ${pass * INTERVAL}`)), pass * INTERVAL)).toHaveLength(1);
    }
  });

  it('that something is undone is told again with each count, and once while that waits', () => {
    const say = listen();
    say(goodPass(quiet));
    const passes = [1, 1, 2, 2, 2, 3].map((times, pass) =>
      say(noted(note('undone', `register a ${times}`)), pass * INTERVAL),
    );
    expect(passes.map((lines) => lines.length)).toEqual([1, 0, 1, 0, 0, 1]);
  });

  it('of hundreds of a kind is not hundreds of lines', () => {
    const say = listen();
    say(goodPass(quiet));
    const lines = say(
      noted(...Array.from({ length: 300 }, (_, index) => note('takeover', `${index} 0`)), note('skipped', '')),
    );
    expect(lines).toHaveLength(22);
    expect(lines).toContain('warn: 280 more lines of this kind (logged at KUBE_REGISTER_LOG_LEVEL=debug)');
  });
});

describe('the deletion guard', () => {
  it('that is active for another reason by now is told at once', () => {
    const say = listen();
    const hold = { gone: 2, managed: 9, limitPercent: 34, nodes: [] } as const;
    const held = (kind: 'mass' | 'returned') => {
      const pass = goodPass(quiet);
      return { ...pass, seen: { ...pass.seen, plan: { ...pass.seen.plan, hold: { ...hold, kind, message: kind } } } };
    };
    say(goodPass(quiet));
    expect([held('mass'), held('mass'), held('returned')].map((report) => say(report))).toEqual([
      ['error: mass'],
      [],
      ['error: returned'],
    ]);
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
