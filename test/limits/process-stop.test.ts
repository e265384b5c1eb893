import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { GOOD_END, labOfTest, type Program, settingsFor, startProgram } from '../integration/program.ts';
import { hang, hold } from '../lab/faults.ts';
import type { Lab } from '../lab/lab.ts';

const WORKER = { role: 'kubernetes' };
/** Nothing is given up because it takes long: whatever hangs in these tests hangs until the program is stopped. */
const PATIENT = { FLEET_TIMEOUT: '10m', API_TIMEOUT: '10m', HEALTHZ_TIMEOUT: '10m', PASS_TIMEOUT: '1h' };
const CREATE = { method: 'POST', path: /\/nodes$/ };

/** A program in the middle of the pass in which `arrives` resolves. */
async function programWhen(lab: Lab, arrives: Promise<unknown>): Promise<Program> {
  const program = startProgram({ ...settingsFor(lab), ...PATIENT });
  await Promise.all([program.url(), arrives]);
  return program;
}

/** Only for a write that is under way may the program take its time, and then 4 s. Everything else is left at once. */
function expectPrompt(program: Program): void {
  const [asked, stopped] = [/: stopping/, /has stopped/].map((message) => program.lines(message)[0]?.time ?? '');
  expect(Date.parse(stopped ?? '') - Date.parse(asked ?? '')).toBeLessThan(4_000);
}

/** A client that sends half a request and then nothing more. */
async function dawdle(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write('GET /metrics HTTP/1.1\r\nHost: a');
}

describe('a signal ends the program, with exit code 0', () => {
  it('when it has nothing to do, whoever is still connected', async () => {
    const lab = await labOfTest();
    await lab.addMachine({ metadata: WORKER });
    const program = startProgram(settingsFor(lab));
    await program.firstPass();
    await dawdle(await program.url());

    expect(await program.stop()).toEqual(GOOD_END);
    expectPrompt(program);
    expect(program.log.map(({ msg }) => msg).slice(-2)).toEqual([
      'SIGTERM: stopping; a second signal exits at once',
      'kube-register has stopped',
    ]);
    // The nodes stay: a daemon that is restarted must not cost anybody a node.
    expect(lab.kubernetes.nodes).toHaveLength(1);
    expect(lab.kubernetes.log.of({ method: 'DELETE' })).toEqual([]);
  });

  it('while fleet hangs', async () => {
    const lab = await labOfTest();
    lab.fleet.faults.add(hang);
    const program = await programWhen(lab, lab.fleet.log.arrival());
    expect(await program.stop()).toEqual(GOOD_END);
    expectPrompt(program);
    // To be stopped is nobody's failure.
    expect(program.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('while the API server hangs, on SIGINT too', async () => {
    const lab = await labOfTest();
    lab.kubernetes.faults.add(hang);
    const program = await programWhen(lab, lab.kubernetes.log.arrival());
    program.signal('SIGINT');
    expect(await program.ended).toEqual(GOOD_END);
    expectPrompt(program);
    expect(program.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('while kubelets hang, and nothing is written for those that had answered', async () => {
    const lab = await labOfTest();
    const [hanging] = await lab.addMachines(3, WORKER);
    hanging?.kubelet.misbehave(hang);
    const isAsked = () => expect(lab.kubelets.log.entries.map(({ to }) => to)).toContain(hanging?.address);
    const program = await programWhen(lab, lab.kubernetes.log.arrival());
    await vi.waitFor(isAsked, 10_000);
    expect(await program.stop()).toEqual(GOOD_END);
    expectPrompt(program);
    expect(lab.kubernetes.log.writes).toEqual([]);
  });

  it('while it waits to ask a server again', async () => {
    const lab = await labOfTest();
    const program = startProgram({ ...settingsFor(lab), ...PATIENT });
    await program.firstPass();
    await lab.fleet.stop();
    program.signal('SIGUSR2');
    await program.reached('kube_register_request_retries_total{target="fleet"}', 1);
    expect(await program.stop()).toEqual(GOOD_END);
    expectPrompt(program);
  });
});

describe('a write that is under way when the signal comes', () => {
  it('is finished: the node is there, and the log says so', async () => {
    const lab = await labOfTest();
    const { address } = await lab.addMachine({ metadata: WORKER });
    const { fault, release } = hold();
    lab.kubernetes.faults.add(fault, CREATE);
    const program = await programWhen(lab, lab.kubernetes.log.arrival(CREATE));

    program.signal('SIGTERM');
    await program.said(/^SIGTERM: stopping/);
    expect(lab.kubernetes.nodes).toEqual([]);
    release();
    expect(await program.ended).toEqual(GOOD_END);
    expect(lab.kubernetes.node(address)).toBeDefined();
    expect(program.lines(/^registered node /)).toHaveLength(1);
    expectPrompt(program);
  });

  it('is the last: no other is begun', async () => {
    const lab = await labOfTest();
    await lab.addMachines(30, WORKER);
    const { fault, release } = hold();
    lab.kubernetes.faults.add(fault, CREATE);
    const program = await programWhen(lab, lab.kubernetes.log.arrival(CREATE));

    program.signal('SIGTERM');
    await program.said(/^SIGTERM: stopping/);
    release();
    expect(await program.ended).toEqual(GOOD_END);
    // Ten writes at a time: those were under way.
    expect(lab.kubernetes.nodes).toHaveLength(10);
    expect(lab.kubernetes.log.of(CREATE)).toHaveLength(10);
    expect(program.lines(/^registered node /)).toHaveLength(10);
  });

  it('is given up when the API server hangs, in time for the 5 s that are promised', async () => {
    const lab = await labOfTest();
    const { address } = await lab.addMachine({ metadata: WORKER });
    lab.kubernetes.faults.add(hang, CREATE);
    const program = await programWhen(lab, lab.kubernetes.log.arrival(CREATE));

    const began = performance.now();
    expect(await program.stop()).toEqual(GOOD_END);
    expect(performance.now() - began).toBeLessThan(6_000);
    expect(program.lines(/^could not register node /)).toEqual([
      expect.objectContaining({ level: 'error', node: address, msg: expect.stringContaining('the daemon stops') }),
    ]);
    expect(program.log.at(-1)?.msg).toBe('kube-register has stopped');
  });

  it('is not waited for after a second signal', async () => {
    const lab = await labOfTest();
    await lab.addMachine({ metadata: WORKER });
    lab.kubernetes.faults.add(hang, CREATE);
    const program = await programWhen(lab, lab.kubernetes.log.arrival(CREATE));

    program.signal('SIGINT');
    await program.said(/a second signal exits at once/);
    program.signal('SIGTERM');
    expect(await program.ended).toEqual(GOOD_END);
    // It was not the orderly end, which gives the write up and says so.
    expect(program.log.at(-1)?.msg).toBe('SIGINT: stopping; a second signal exits at once');
  });
});
