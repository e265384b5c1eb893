/** The program while nobody reads its log: it works as ever, and says later what is missing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished, vi } from 'vitest';
import { freePort } from '../integration/free-port.ts';
import { WORKER } from '../integration/in-lab.ts';
import { folderOfTest, labOfTest, MAIN, settingsFor } from '../integration/program.ts';
import type { Lab } from '../lab/lab.ts';
import { stalledPipe } from '../lab/stalled-pipe.ts';

const PATIENCE = { timeout: 15_000, interval: 50 };

/** The program with a log that nobody reads: `socket` is what systemd gives, `pipe` what a shell and containers do. */
async function startStalled(lab: Lab, kind: 'pipe' | 'socket', settings: Record<string, string> = {}) {
  const port = await freePort();
  const variables = { ...settingsFor(lab), LISTEN: `127.0.0.1:${port}`, ...settings };
  const pipe = kind === 'pipe' ? stalledPipe(await folderOfTest()) : undefined;
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env['PATH'] ?? '',
      ...Object.fromEntries(Object.entries(variables).map(([name, value]) => [`KUBE_REGISTER_${name}`, value])),
    },
    stdio: ['ignore', pipe?.fd ?? 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
    pipe?.close();
  });
  const url = `http://127.0.0.1:${port}`;
  const metric = async (name: string) => {
    const body = await (await fetch(`${url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(body)?.[1]);
  };
  const reached = (passes: number) =>
    vi.waitFor(async () => expect(await metric('kube_register_passes_total')).toBeGreaterThanOrEqual(passes), PATIENCE);
  await reached(1);
  return {
    child,
    url,
    pipe,
    async pass() {
      const passes = await metric('kube_register_passes_total');
      child.kill('SIGUSR2');
      await reached(passes + 1);
    },
  };
}

it.each(['pipe', 'socket'] as const)('passes, answers and ends in time while its log is a full %s', async (kind) => {
  const lab = await labOfTest();
  await lab.addMachines(3, WORKER);
  const { child, url, pass } = await startStalled(lab, kind, { LOG_LEVEL: 'debug' });
  // More than fits anywhere: each of these passes has lines for every machine.
  for (let round = 1; round <= 3; round += 1) {
    await lab.addMachines(150, WORKER);
    await pass();
    expect(lab.kubernetes.nodes).toHaveLength(3 + 150 * round);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  }
  const started = performance.now();
  const ended = Promise.all([once(child, 'exit'), text(child.stderr ?? process.stdin)]);
  child.kill('SIGTERM');
  const [[code], stderr] = await ended;
  expect([code, stderr]).toEqual([0, '']);
  expect(performance.now() - started).toBeLessThan(5_000);
});

it('goes on with its log where it was, once somebody reads it', async () => {
  const lab = await labOfTest();
  const machines = await lab.addMachines(30, WORKER);
  const { pipe, pass } = await startStalled(lab, 'pipe');
  await pass();
  let log = '';
  await vi.waitFor(() => {
    log += pipe?.read();
    expect(log).toContain('pass-summary');
  }, PATIENCE);
  const lines = log
    .split('\n')
    .slice(0, -1)
    .map((line): { event: string } => JSON.parse(line));
  expect(lines.slice(0, 2).map(({ event }) => event)).toEqual(['settings', 'started']);
  expect(lines.filter(({ event }) => event === 'registered')).toHaveLength(machines.length);
});
