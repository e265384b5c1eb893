/** What is done to nodes is told in Events, as far as the API server takes them, and no pass waits for it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { createEventLog, type NodeEvent } from '../../src/kubernetes/events.ts';
import { answerWith, hang, hold } from '../lab/faults.ts';
import type { Lab, LabMachine, LabOptions } from '../lab/lab.ts';
import { type Daemon, PASSES_OF_GRACE, startDaemon, told } from '../real/daemon.ts';
import { clientOf } from './client.ts';
import { folderOfTest, GOOD_END, labOfTest, settingsFor, startProgram } from './program.ts';

const WORKER = { role: 'kubernetes' };
const EVENTS = { method: 'POST', path: /\/events$/ };
const WRITTEN = 'kube_register_events_total';
const FAILED = 'kube_register_event_failures_total';
const CONTINUES = '; nodes are still registered and deregistered';

/** A lab and a daemon in it that has not passed yet. */
async function scene(settings: Record<string, string> = {}, options: LabOptions = {}) {
  const lab = await labOfTest(options);
  return { lab, daemon: await startDaemon({ settings: settingsFor(lab) }, settings) };
}

/** Machines that are registered and report to Kubernetes. */
async function join3({ lab, daemon }: { lab: Lab; daemon: Daemon }): Promise<[LabMachine, LabMachine, LabMachine]> {
  const [a, b, c] = await lab.addMachines(3, WORKER);
  if (a === undefined || b === undefined || c === undefined) throw new Error('the lab made no machines');
  await daemon.pass();
  for (const { id, address } of [a, b, c]) lab.kubernetes.selfRegister(address, id, [address]);
  await daemon.pass();
  return [a, b, c];
}

async function destroy(lab: Lab, { id, address, kubelet }: LabMachine): Promise<void> {
  lab.fleet.removeMachine(id);
  await kubelet.stop();
  lab.kubernetes.setReady(address, 'unknown');
}

/** `Normal Registered 127.1.0.1: what it says`, in the order in which they came; once there are so many. */
function eventsOf(lab: Lab, count: number, reason = /./): Promise<string[]> {
  return vi.waitFor(() => {
    const lines = lab.kubernetes.events
      .filter((event) => reason.test(event.reason ?? ''))
      .map(({ type, reason, involvedObject, message }) => `${type} ${reason} ${involvedObject.name}: ${message}`);
    expect(lines.length).toBeGreaterThanOrEqual(count);
    return lines;
  }, 10_000);
}

/** Resolves when so many Events were written or given up. */
async function ended(daemon: Daemon, count: number): Promise<void> {
  await vi.waitFor(async () => expect(await daemon.metric(WRITTEN)).toBe(count), 10_000);
}

/** What the log says of Events. */
function said({ log }: Daemon): string[] {
  return log
    .map((line): { level: string; msg: string } => JSON.parse(line))
    .filter(({ msg }) => /\bEvents?\b/.test(msg))
    .map(({ level, msg }) => `${level}: ${msg}`);
}

describe('Events tell', () => {
  it('that a node was registered, as an object that v1 keeps', async () => {
    const { lab, daemon } = await scene();
    const { id, address } = await lab.addMachine({ metadata: WORKER });
    await daemon.pass();
    await ended(daemon, 1);
    expect(lab.kubernetes.events).toEqual([
      {
        metadata: { name: expect.stringMatching(`^${address}\\.[0-9a-f]{16}$`), namespace: 'default' },
        involvedObject: { kind: 'Node', apiVersion: 'v1', name: address, uid: address },
        reason: 'Registered',
        message: `registered as the node of machine ${id} at ${address}: its kubelet is healthy`,
        type: 'Normal',
        source: { component: 'kube-register' },
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:00Z',
        count: 1,
      },
    ]);
    await daemon.passes(3);
    expect(await daemon.metric(WRITTEN)).toBe(1);
    expect(await daemon.metric(FAILED)).toBe(0);
  });

  it('that a node was adopted, also where nothing is ever deregistered', async () => {
    const { lab, daemon } = await scene({ POLICY: 'register-only' });
    const { id, address } = await lab.addMachine({ metadata: WORKER });
    lab.kubernetes.selfRegister('worker-1', id, [address]);
    await daemon.pass();
    expect(await eventsOf(lab, 1)).toEqual([
      `Normal Adopted worker-1: adopted as the node of machine ${id} at ${address}: kube-register manages it now`,
    ]);
  });

  it('that a node was deregistered, and why', async () => {
    const all = await scene();
    const { lab, daemon } = all;
    const [gone] = await join3(all);
    await destroy(lab, gone);
    await daemon.passes(PASSES_OF_GRACE);
    const [event] = await eventsOf(lab, 1, /Deregistered/);
    const [line = ''] = daemon.log.filter((each) => each.includes('deregistered node'));
    const why: string = JSON.parse(line).msg.replace(/^deregistered node \S+: /, '');
    expect(why).toMatch(/^machine-gone: missing from fleet for .*; kubelet unreachable; node \S.*$/);
    expect(event).toBe(`Warning Deregistered ${gone.address}: deregistered as the node of machine ${gone.id}: ${why}`);
  });

  it('of every node that is held, once for each time that the deletion guard becomes active', async () => {
    const all = await scene();
    const { lab, daemon } = all;
    const machines = await join3(all);
    const [first, second, last] = machines;
    await destroy(lab, first);
    await destroy(lab, second);
    await daemon.passes(5);
    const held = await eventsOf(lab, 2, /Held/);
    expect(held.sort()).toEqual(
      [first, second].map(({ address }) =>
        expect.stringMatching(
          `^Warning DeregistrationHeld ${address}: missing from fleet; .*; deletion guard active: 2 of 3 managed nodes are not alive .*kubectl delete node NAME`,
        ),
      ),
    );
    // It ends, and begins anew.
    for (const { id, address } of [first, second]) lab.kubernetes.selfRegister(address, id, [address]);
    for (const { id, address } of [first, second]) lab.fleet.setMachine({ id, address, metadata: WORKER });
    await daemon.pass();
    for (const machine of [first, second, last]) await destroy(lab, machine);
    await daemon.passes(2);
    expect(await eventsOf(lab, 5, /Held/)).toHaveLength(5);
  });

  it.each([
    ['in a dry run', { DRY_RUN: 'true' }, {}],
    ['with EVENTS=false', { EVENTS: 'false' }, {}],
    ['to an API server with which it uses v1beta3', {}, { kubernetes: { version: 'v0.17.1' } }],
    ['to an API server with which it uses v1beta2', {}, { kubernetes: { version: 'v0.13.2' } }],
  ] as const)('nothing %s', async (_, settings, options) => {
    const { lab, daemon } = await scene(settings, options);
    await lab.addMachine({ metadata: WORKER });
    expect((await daemon.passes(2)).outcomes.map(({ result }) => result)).toEqual(
      'DRY_RUN' in settings ? ['dry-run'] : [],
    );
    await daemon.stop();
    expect(lab.kubernetes.log.of({ path: /events/ })).toEqual([]);
    expect(await daemon.metric(WRITTEN)).toBe(0);
  });
});

describe('an Event', () => {
  const write = async (lab: Lab, event: Pick<NodeEvent, 'node' | 'message'>) => {
    const events = createEventLog(clientOf('kubernetes', lab.kubernetes.url), () => 'f'.repeat(16));
    await events.write({ ...event, reason: 'Registered', at: 0 }, new AbortController().signal);
    return lab.kubernetes.events[0];
  };

  it('has a name that the API server takes, however long that of the node is', async () => {
    const node = 'n'.repeat(253);
    const event = await write(await labOfTest(), { node, message: 'm' });
    expect(event?.metadata.name).toBe(`${'n'.repeat(236)}.${'f'.repeat(16)}`);
    expect(event?.involvedObject.name).toBe(node);
  });

  it('says what it says on one line of at most 1,024 characters', async () => {
    const event = await write(await labOfTest(), { node: 'n', message: `a\n\u001b[2J\u202eb${'x'.repeat(2_000)}` });
    expect(event?.message).toMatch(/^a \[2J bx+…$/);
    expect(event?.message).toHaveLength(1_024);
  });
});

describe('an API server that takes no Events', () => {
  it('for want of rights is said, with the rule that grants it and now and then again, and does not stop the work', async () => {
    const tokenFile = join(await folderOfTest(), 'token');
    await writeFile(tokenFile, 'secret-enough\n');
    const { lab, daemon } = await scene(
      { API_TOKEN_FILE: tokenFile },
      { kubernetes: { tokens: { 'secret-enough': 'nodes' } } },
    );
    for (let pass = 1; pass <= 3; pass += 1) {
      await lab.addMachine({ metadata: WORKER });
      expect(told(await daemon.pass())).toHaveLength(1);
      await ended(daemon, pass);
    }
    expect(await daemon.metric(FAILED)).toBe(3);
    const problem =
      `an Event was not written: kubernetes at ${lab.kubernetes.url}: POST /api/v1/namespaces/default/events: ` +
      'answered 403 Forbidden: events is forbidden: User "user" cannot create resource "events" in API group "" in the namespace ' +
      '"default": does this user have the verb "create" on events in the namespace default? A Role there with this ' +
      `rule grants it: {apiGroups: [""], resources: ["events"], verbs: ["create"]}${CONTINUES}`;
    expect(said(daemon)).toEqual([
      `warn: ${problem}`,
      `warn: still, for 1m (2 times): ${problem}`,
      `warn: still, for 2m (3 times): ${problem}`,
    ]);
    expect(lab.kubernetes.nodes).toHaveLength(3);
  });

  it('is said again after it took one, and again when it does otherwise', async () => {
    const { lab, daemon } = await scene();
    let passes = 0;
    const passWith = async (status: number | undefined) => {
      const lift = status === undefined ? () => {} : lab.kubernetes.faults.add(answerWith(status), EVENTS);
      await lab.addMachine({ metadata: WORKER });
      await daemon.pass();
      passes += 1;
      await ended(daemon, passes);
      lift();
    };
    for (const status of [503, 500, 503, undefined, 503]) await passWith(status);
    expect(said(daemon).map((line) => line.replace(/ not written: .*: answered (\d+).*;.*/, ' $1'))).toEqual([
      'warn: an Event was 503',
      'warn: an Event was 500',
      'warn: an Event was 503',
      'info: Events are written again after 3m',
      'warn: an Event was 503',
    ]);
    expect(await daemon.metric(FAILED)).toBe(4);
  });

  it('on and off is told a few times, and at last that they are written, though none is to be written any more', async () => {
    const { lab, daemon } = await scene();
    for (let pass = 1; pass <= 8; pass += 1) {
      const lift = pass % 2 === 0 ? () => {} : lab.kubernetes.faults.add(answerWith(503), EVENTS);
      await lab.addMachine({ metadata: WORKER });
      await daemon.pass();
      await ended(daemon, pass);
      lift();
    }
    for (let pass = 0; pass < 20; pass += 1) await daemon.pass();
    const words = said(daemon).map((line) => line.replace(/ not written: .*: answered (\d+).*;.*/, ' $1'));
    expect(words.filter((line) => line === 'warn: an Event was 503')).toHaveLength(3);
    expect(words.slice(-2)).toEqual([
      'warn: changed 7 times in 6m: an Event was 503',
      'info: changed 8 times in 7m, steady for 10m: Events are written again after 1m',
    ]);
  });

  it('and has one of the same name already has taken it before', async () => {
    const { lab, daemon } = await scene();
    lab.kubernetes.faults.add(answerWith(409, '{"kind":"Status","reason":"AlreadyExists"}'), EVENTS);
    await lab.addMachine({ metadata: WORKER });
    await daemon.pass();
    await ended(daemon, 1);
    expect(await daemon.metric(FAILED)).toBe(0);
  });

  it('but says that all is well, as a login page does, is not believed', async () => {
    const { lab, daemon } = await scene();
    lab.kubernetes.faults.add(answerWith(200, '<html>', { 'Content-Type': 'text/html' }), EVENTS);
    await lab.addMachine({ metadata: WORKER });
    await daemon.pass();
    await ended(daemon, 1);
    expect(await daemon.metric(FAILED)).toBe(1);
  });

  it('but hangs delays no pass, and is said once', async () => {
    const all = await scene({ API_TIMEOUT: '1s' });
    const { lab, daemon } = all;
    lab.kubernetes.faults.add(hang, EVENTS);
    const [gone] = await join3(all);
    await destroy(lab, gone);
    await daemon.passes(PASSES_OF_GRACE);
    expect(lab.kubernetes.node(gone.address)).toBeUndefined();
    await ended(daemon, 4);
    expect(await daemon.metric(FAILED)).toBe(4);
    expect(said(daemon)).toEqual([
      expect.stringMatching(/^warn: an Event was not written: .*no complete response within 1s/),
    ]);
  });

  it('soon gets them later: the pass ends before the first is written', async () => {
    const { lab, daemon } = await scene();
    const { fault, release } = hold();
    lab.kubernetes.faults.add(fault, EVENTS);
    await lab.addMachines(30, WORKER);
    expect(told(await daemon.pass())).toHaveLength(30);
    expect(told(await daemon.pass())).toEqual([]);
    expect(lab.kubernetes.events).toEqual([]);
    // A few are under way, and the others wait for these.
    await vi.waitFor(() => expect(lab.kubernetes.log.of(EVENTS)).toHaveLength(5), 10_000);
    release();
    await ended(daemon, 30);
    expect(lab.kubernetes.events).toHaveLength(30);
  });

  it('gets few for a first pass over many machines, of which none is dropped', async () => {
    const { lab, daemon } = await scene();
    const machines = await lab.addMachines(520, WORKER);
    expect(told(await daemon.pass())).toHaveLength(520);
    const events = () => lab.kubernetes.events;
    await vi.waitFor(() => expect(events().reduce((sum, { count = 0 }) => sum + count, 0)).toBe(520), 10_000);
    const named = events().flatMap(({ message = '' }) => message.replace(/^.*nodes: /, '').split(', '));
    expect(named.sort()).toEqual(machines.map(({ address }) => address).sort());
    expect(events().length).toBeLessThan(20);
    expect(await daemon.metric(FAILED)).toBe(0);
    expect(said(daemon)).toEqual([]);
  });
});

describe('the program', () => {
  it('writes the Events of a single pass before it ends', async () => {
    const lab = await labOfTest();
    await lab.addMachines(30, WORKER);
    expect(await startProgram(settingsFor(lab), ['--once']).ended).toEqual(GOOD_END);
    expect(lab.kubernetes.events).toHaveLength(30);
  });

  it('ends in time though they hang, and says that they are dropped', async () => {
    const lab = await labOfTest();
    await lab.addMachines(3, WORKER);
    lab.kubernetes.faults.add(hang, EVENTS);
    const program = startProgram({ ...settingsFor(lab), API_TIMEOUT: '10m' });
    await program.firstPass();
    expect(await program.stop()).toEqual(GOOD_END);
    expect(program.lines(/^the daemon stops before all Events are written/)).toHaveLength(1);
    expect(program.lines(/^kube-register has stopped$/)).toHaveLength(1);
  });
});
