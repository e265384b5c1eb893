/** The real program beyond what a cluster has: flapping metadata, deep answers, a hundred thousand machines, a log that nobody reads. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { Target } from '../../src/http/request-error.ts';
import { freePort } from '../integration/free-port.ts';
import { WORKER } from '../integration/in-lab.ts';
import { folderOfTest, GOOD_END, labOfTest, MAIN, settingsFor, startProgram } from '../integration/program.ts';
import { send } from '../lab/answer.ts';
import { answerWith, type Fault } from '../lab/faults.ts';
import { stalledPipe } from '../lab/stalled-pipe.ts';

/** What is resident of a process, and the most that ever was, in MiB. */
async function residentMib(pid: number | undefined): Promise<{ readonly now: number; readonly peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const mib = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1_024;
  return { now: mib('VmRSS'), peak: mib('VmHWM') };
}

const PATIENCE = { timeout: 15_000, interval: 20 };

/** One line of a kind, and the summary. */
const MOST_LINES = 2;

it('says one line with the names where the metadata of many machines changes at once', async () => {
  const lab = await labOfTest();
  const machines = await lab.addMachines(60, { ...WORKER, zone: 'a' });
  const program = startProgram({ ...settingsFor(lab), NODE_LABELS: 'zone' });
  await program.firstPass();
  // The first pass registers, and each of the next labels every node.
  for (const zone of ['b', 'a', 'b', 'a', 'b']) {
    for (const { id, address } of machines) lab.fleet.setMachine({ id, address, metadata: { ...WORKER, zone } });
    const before = program.log.length;
    await program.pass();
    expect(lab.kubernetes.nodes.filter(({ metadata }) => metadata.labels?.['zone'] === zone)).toHaveLength(60);
    const lines = program.log.slice(before);
    expect(lines.length).toBeLessThanOrEqual(MOST_LINES);
    expect(lines.map(({ msg }) => msg).join('\n')).toMatch(
      /updated 60 nodes: .* and 40 more; for example updated node /,
    );
  }
  expect(await program.stop()).toEqual(GOOD_END);
}, 60_000);

it('says one line of a kind where many machines match and do not, again and again', async () => {
  const lab = await labOfTest();
  const machines = await lab.addMachines(60, WORKER);
  const program = startProgram(settingsFor(lab));
  await program.firstPass();
  for (const { id, address } of machines) lab.kubernetes.selfRegister(address, id, [address]);
  await program.pass();
  for (const role of ['etcd', 'kubernetes', 'etcd', 'kubernetes', 'etcd']) {
    for (const { id, address } of machines) lab.fleet.setMachine({ id, address, metadata: { role } });
    const before = program.log.length;
    await program.pass();
    expect(program.log.length - before).toBeLessThanOrEqual(2 * MOST_LINES + 1);
  }
  expect(await program.stop()).toEqual(GOOD_END);
}, 60_000);

it.each([
  ['fleet', 8],
  ['kubernetes', 64],
] as const satisfies readonly (readonly [Target, number])[])(
  'takes no answer of %s apart that is nested without end',
  async (target, mib) => {
    const lab = await labOfTest();
    await lab.addMachines(3, WORKER);
    const program = startProgram({ ...settingsFor(lab), FLEET_TIMEOUT: '30s', API_TIMEOUT: '30s' });
    await program.firstPass();
    const { peak } = await residentMib(program.pid);
    const path = target === 'fleet' ? /machines/ : /nodes/;
    const lift = lab[target].faults.add(answerWith(200, '[{"a":'.repeat((mib * 1_024 * 1_024) / 6 - 1)), { path });
    await program.pass();
    expect((await program.status())[target].problem).toMatch(/has more than 100 levels of nesting/);
    // The bytes, the text of them, and what lies idle. Taken apart it would be 80 times the bytes.
    expect((await residentMib(program.pid)).peak - peak).toBeLessThan(100 + 5 * mib);
    lift();
    await program.pass();
    expect((await program.status())[target].problem).toBe(null);
    expect(await program.stop()).toEqual(GOOD_END);
  },
  60_000,
);

/** Twenty times what Kubernetes states as its limit. */
const MANY = 100_000;
const PAGE = 5_000;
/** Measured: 524. */
const MOST_MIB_FOR_MANY = 1_000;

/** One page after the other: the lab's own fleet makes each anew of all its machines. */
function manyMachines(): Fault {
  let first = 0;
  return (response) => {
    const machines = Array.from({ length: PAGE }, (_, index) => {
      const at = first + index;
      const primaryIP = `10.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`;
      return { id: String(at).padStart(32, 'f'), primaryIP, metadata: { role: 'other', rack: `r${at % 40}` } };
    });
    first = (first + PAGE) % MANY;
    const body = JSON.stringify({ machines, ...(first > 0 && { nextPageToken: String(first) }) });
    send(response, { status: 200, headers: { 'Content-Type': 'application/json' }, body });
  };
}

it('lists a hundred thousand machines within known memory, and goes on', async () => {
  const lab = await labOfTest();
  lab.fleet.faults.add(manyMachines(), { path: /machines/ });
  const program = startProgram({ ...settingsFor(lab), PASS_TIMEOUT: '5m' });
  await program.firstPass();
  await program.pass();
  expect(await program.metric('kube_register_machines{state="listed"}')).toBe(MANY);
  expect((await program.status()).machines).toHaveLength(MANY);
  expect((await residentMib(program.pid)).peak).toBeLessThan(MOST_MIB_FOR_MANY);
  expect(await program.stop()).toEqual(GOOD_END);
}, 120_000);

it('passes on and on in bounded memory while nobody reads its log, and says later what is missing', async () => {
  const lab = await labOfTest();
  // Long keys make long lines: each pass has one of some 2 KiB for every machine.
  const keys = Array.from({ length: 30 }, (_, at) => `zone-${at}-${'x'.repeat(50)}`);
  const metadata = (zone: string) => ({ ...WORKER, ...Object.fromEntries(keys.map((key) => [key, zone])) });
  const machines = await lab.addMachines(60, metadata('first'));
  const port = await freePort();
  const pipe = stalledPipe(await folderOfTest());
  const more = { LISTEN: `127.0.0.1:${port}`, NODE_LABELS: keys.join(','), LOG_LEVEL: 'debug' };
  const variables = Object.entries({ ...settingsFor(lab), ...more });
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env['PATH'] ?? '',
      ...Object.fromEntries(variables.map(([name, value]) => [`KUBE_REGISTER_${name}`, value])),
    },
    stdio: ['ignore', pipe.fd, 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
    pipe.close();
  });
  const passesDone = async () => {
    const body = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return Number(/^kube_register_passes_total (\S+)$/m.exec(body)?.[1]);
  };
  const reached = (passes: number) =>
    vi.waitFor(async () => expect(await passesDone()).toBeGreaterThanOrEqual(passes), PATIENCE);
  const passes = async (count: number) => {
    for (let pass = 0; pass < count; pass++) {
      const zone = String(await passesDone());
      for (const { id, address } of machines) lab.fleet.setMachine({ id, address, metadata: metadata(zone) });
      child.kill('SIGUSR2');
      await reached(Number(zone) + 1);
    }
  };
  await reached(1);
  await passes(15);
  const early = await residentMib(child.pid);
  await passes(15);
  expect((await residentMib(child.pid)).now - early.now).toBeLessThan(40);
  // More than 3 MiB were said, and 1 MiB may wait.
  let log = '';
  await vi.waitFor(() => {
    log += pipe.read();
    expect(log).toMatch(/"event":"log-lines-dropped"/);
  }, PATIENCE);
  expect(log.length).toBeLessThan(1.5 * 1_024 * 1_024);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
}, 120_000);
