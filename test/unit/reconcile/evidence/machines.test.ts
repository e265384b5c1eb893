/** The records of one listing of fleet, made into machines. */
import { describe, expect, it } from 'vitest';
import type { MachineRecord } from '../../../../src/fleet/machine.ts';
import { parseSelector } from '../../../../src/fleet/selector.ts';
import { Inventory, isCandidate, machinesByAddress } from '../../../../src/reconcile/evidence/machines.ts';

function record(id: string, address: string | undefined, rest: Partial<MachineRecord> = {}): MachineRecord {
  return { id, address, problem: undefined, metadata: new Map([['role', 'kubernetes']]), ...rest };
}

/** The machines of the records, and what was said of the last of them. */
function listed(...records: readonly MachineRecord[]) {
  const inventory = new Inventory(parseSelector('role=kubernetes'));
  const last = records.map((each) => inventory.add(each)).at(-1);
  return { machines: [...inventory.machines.values()], last };
}

describe('a machine that fleet lists', () => {
  it('once is the machine of its record', () => {
    const { machines, last } = listed(record('a', '10.0.0.1'));
    expect(machines).toEqual([
      {
        id: 'a',
        metadata: new Map([['role', 'kubernetes']]),
        matches: true,
        address: '10.0.0.1',
        addresses: ['10.0.0.1'],
        problem: undefined,
      },
    ]);
    expect(last).toEqual(machines[0]);
    expect(last && isCandidate(last)).toBe(true);
  });

  it('twice, on two pages, is one machine with the metadata of the later', () => {
    const moved = record('a', '10.0.0.1', { metadata: new Map([['role', 'etcd']]) });
    const { machines } = listed(record('a', '10.0.0.1'), record('b', '10.0.0.2'), moved);
    expect(machines.map(({ id, address, matches }) => [id, address, matches])).toEqual([
      ['a', '10.0.0.1', false],
      ['b', '10.0.0.2', true],
    ]);
  });

  it('with two addresses has none that can be trusted, and is no candidate', () => {
    const { machines, last } = listed(record('a', '10.0.0.1'), record('a', undefined), record('a', '10.0.0.2'));
    expect(machines).toMatchObject([
      {
        address: undefined,
        addresses: ['10.0.0.1', '10.0.0.2'],
        problem:
          'fleet lists it with several addresses (10.0.0.1, 10.0.0.2): do several hosts have the same /etc/machine-id?',
      },
    ]);
    expect(last && isCandidate(last)).toBe(false);
  });

  it.each([
    ['"10.0.0" is not an IP address', '"10.0.0" is not an IP address'],
    [undefined, 'fleet gives it no address'],
  ])('without an address, because of %j, is no candidate and says why', (why, problem) => {
    const { machines, last } = listed(record('a', undefined, { problem: why }));
    expect(machines).toMatchObject([{ address: undefined, addresses: [], problem }]);
    expect(last && isCandidate(last)).toBe(false);
  });
});

describe('the machines at an address', () => {
  it('are all that fleet gives it, a clone at each of its addresses', () => {
    const { machines } = listed(
      record('a', '10.0.0.1'),
      record('b', '10.0.0.2'),
      record('b', '10.0.0.1'),
      record('c', undefined),
    );
    const at = machinesByAddress(machines);
    expect([...at].map(([address, tenants]) => [address, tenants.map(({ id }) => id)])).toEqual([
      ['10.0.0.1', ['a', 'b']],
      ['10.0.0.2', ['b']],
    ]);
  });
});
