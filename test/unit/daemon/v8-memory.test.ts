import { setFlagsFromString } from 'node:v8';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { growWithMachines, startSmall } from '../../../src/daemon/v8-memory.ts';
import type { FleetClient, MachineRecord } from '../../../src/fleet/machine.ts';

vi.mock('node:v8', { spy: true });
const flags = vi.mocked(setFlagsFromString).mockReturnValue(undefined);

const record = (id: string): MachineRecord => ({ id, address: undefined, problem: 'no address', metadata: new Map() });

/** fleet with so many machines, in pages of 100. */
function fleetOf(machines: number): FleetClient {
  return {
    async *machinePages() {
      for (let from = 0; from < machines; from += 100) {
        const length = Math.min(100, machines - from);
        yield { records: Array.from({ length }, (_, nth) => record(`m${from + nth}`)), skipped: 0 };
      }
    },
    close: () => {},
  };
}

async function listed(fleet: FleetClient): Promise<number> {
  let count = 0;
  for await (const { records } of fleet.machinePages(new AbortController().signal)) count += records.length;
  return count;
}

const given = () => flags.mock.calls.map(([flag]) => flag);

describe('the memory of the process', () => {
  beforeEach(() => void flags.mockClear());

  it('begins without optimizing compilers', () => {
    startSmall();
    expect(given()).toEqual(['--maglev-filter=~', '--turbo-filter=~', '--no-sparkplug']);
  });

  it('stays small with few machines', async () => {
    expect(await listed(growWithMachines(fleetOf(499)))).toBe(499);
    expect(given()).toEqual([]);
  });

  it('optimizes and has room for garbage once there are 500, before all are listed', async () => {
    const pages = growWithMachines(fleetOf(1_000)).machinePages(new AbortController().signal)[Symbol.asyncIterator]();
    for (let page = 0; page < 4; page += 1) await pages.next();
    expect(given()).toEqual([]);
    await pages.next();
    expect(given()).toEqual([
      expect.stringMatching(/^--(maglev|turbo)-filter=\*$/),
      '--semi-space-growth-factor=2',
      '--heap-growing-percent=60',
    ]);
  });

  it('gives all compilers once there are 2,500, and only once', async () => {
    const fleet = growWithMachines(fleetOf(5_000));
    expect(await listed(fleet)).toBe(5_000);
    expect(given().slice(3)).toEqual(['--turbo-filter=*']);
    expect(await listed(fleet)).toBe(5_000);
    expect(given()).toHaveLength(4);
  });
});
