/** The machines of one listing: fleet's records, merged into one machine per ID. */
import type { MachineRecord } from '../../fleet/machine.ts';
import { matches, type Selector } from '../../fleet/selector.ts';
import { addTo } from './multimap.ts';

/** A machine that fleet lists. */
export interface Machine {
  readonly id: string;
  readonly metadata: ReadonlyMap<string, string>;
  /** Whether its metadata matches the selector. */
  readonly matches: boolean;
  /** The address that fleet gives it; undefined when there is none or more than one. */
  readonly address: string | undefined;
  /** Every address that fleet gave it in this listing. */
  readonly addresses: readonly string[];
  /** Why `address` is undefined, for people. */
  readonly problem: string | undefined;
}

/** A machine that may get a node: it matches the selector and has one address. */
export type Candidate = Machine & { readonly address: string };

export function isCandidate(machine: Machine): machine is Candidate {
  return machine.matches && machine.address !== undefined;
}

/** Merges the records of a listing. fleet repeats an ID when its list changes between two pages, or when hosts have the same ID. */
export class Inventory {
  readonly #selector: Selector;
  readonly #machines = new Map<string, Machine>();

  constructor(selector: Selector) {
    this.#selector = selector;
  }

  /** Adds a record and returns its machine as known so far. */
  add(record: MachineRecord): Machine {
    const before = this.#machines.get(record.id)?.addresses ?? [];
    const isKnown = record.address === undefined || before.includes(record.address);
    const addresses = isKnown ? before : before.concat(record.address);
    const [only] = addresses;
    const isOne = addresses.length <= 1;
    const machine: Machine = {
      id: record.id,
      metadata: record.metadata,
      matches: matches(this.#selector, record.metadata),
      address: isOne ? only : undefined,
      addresses,
      problem: problemOf(addresses, record),
    };
    this.#machines.set(machine.id, machine);
    return machine;
  }

  get machines(): ReadonlyMap<string, Machine> {
    return this.#machines;
  }
}

/** The machines by every address that fleet gives them. */
export function machinesByAddress(machines: Iterable<Machine>): ReadonlyMap<string, readonly Machine[]> {
  const at = new Map<string, Machine[]>();
  for (const machine of machines) {
    for (const address of machine.addresses) addTo(at, address, machine);
  }
  return at;
}

/** Why a machine with these addresses is no candidate; undefined for exactly one. */
function problemOf(
  addresses: readonly string[],
  { problem = 'fleet gives it no address' }: MachineRecord,
): string | undefined {
  if (addresses.length === 0) return problem;
  if (addresses.length === 1) return undefined;
  return `fleet lists it with several addresses (${addresses.join(', ')}): do several hosts have the same /etc/machine-id?`;
}
