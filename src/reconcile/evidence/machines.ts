/** The machines of one listing: fleet's records, page by page, made into one machine an id. */
import type { MachineRecord } from '../../fleet/machine.ts';
import { matches, type Selector } from '../../fleet/selector.ts';

/** A machine that fleet lists. It is a candidate when it matches the selector and has an address. */
export interface Machine {
  readonly id: string;
  readonly metadata: ReadonlyMap<string, string>;
  /** Whether its metadata matches the selector. */
  readonly matches: boolean;
  /** The one address fleet gives it, or undefined when there is none, or more than one. */
  readonly address: string | undefined;
  /** Every address that fleet gave it in this listing. */
  readonly addresses: readonly string[];
  /** Why `address` is undefined, for people. */
  readonly problem: string | undefined;
}

/** A machine that may get a node. */
export type Candidate = Machine & { readonly address: string };

export function isCandidate(machine: Machine): machine is Candidate {
  return machine.matches && machine.address !== undefined;
}

/** Merges the records of a listing. fleet repeats an id when its list changes between two pages, or when ids were cloned. */
export class Inventory {
  readonly #selector: Selector;
  readonly #machines = new Map<string, Machine>();

  constructor(selector: Selector) {
    this.#selector = selector;
  }

  /** Takes the next record and says what is known of its machine by now. */
  add(record: MachineRecord): Machine {
    const addresses = new Set(this.#machines.get(record.id)?.addresses);
    if (record.address !== undefined) addresses.add(record.address);
    const [only, ...others] = addresses;
    const machine: Machine = {
      id: record.id,
      metadata: record.metadata,
      matches: matches(this.#selector, record.metadata),
      address: others.length === 0 ? only : undefined,
      addresses: [...addresses],
      problem:
        others.length > 0
          ? `fleet lists it with several addresses (${[...addresses].join(', ')}): is its /etc/machine-id a clone?`
          : only === undefined
            ? (record.problem ?? 'fleet gives it no address')
            : undefined,
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
    for (const address of machine.addresses) {
      const tenants = at.get(address);
      if (tenants === undefined) at.set(address, [machine]);
      else tenants.push(machine);
    }
  }
  return at;
}
