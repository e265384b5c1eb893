/** What servers can make the program take of the machine's memory. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { Target } from '../../src/http/request-error.ts';
import { WORKER } from '../integration/in-lab.ts';
import { GOOD_END, labOfTest, type Program, settingsFor, startProgram } from '../integration/program.ts';
import { floodOfBytes } from '../lab/faults.ts';

/** What lies idle of V8 and of the sockets comes on top of what the answer has. */
const MOST_MORE_MIB = 200;

it.each(['fleet', 'kubernetes'] as const satisfies readonly Target[])(
  'an endless answer of %s in chunks of one byte costs neither time nor memory beyond the limits',
  async (target) => {
    const lab = await labOfTest();
    await lab.addMachines(3, WORKER);
    const program = startProgram({ ...settingsFor(lab), FLEET_TIMEOUT: '5s', API_TIMEOUT: '5s' });
    await program.firstPass();
    const before = await peakMib(program);
    const lift = lab[target].faults.add(floodOfBytes, { method: 'GET' });
    const started = performance.now();
    const passing = program.pass();
    // It answers others all the while.
    expect((await program.get('/healthz')).status).toBe(200);
    await passing;
    expect(performance.now() - started).toBeLessThan(15_000);
    expect((await program.status())[target].problem).toMatch(/no complete response within 5s|is larger than \d+ bytes/);
    expect((await peakMib(program)) - before).toBeLessThan(MOST_MORE_MIB);
    lift();
    await program.pass();
    expect((await program.status())[target].problem).toBe(null);
    expect(await program.stop()).toEqual(GOOD_END);
  },
  60_000,
);

/** The most that was ever resident of it. */
async function peakMib({ pid }: Program): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
}
