/** What fleet says of a machine, in the terms the rest of the program uses. */

/**
 * One record of fleet's listing, parsed and trusted.
 *
 * fleet leaves out every empty field, repeats ids and addresses, and orders by id (fleet v0.8 to v1.0).
 */
export interface MachineRecord {
  /** The host's /etc/machine-id: 32 hex digits on a real host. */
  readonly id: string;
  /** IPv4 or canonical IPv6, or undefined when fleet gives none that can be used. */
  readonly address: string | undefined;
  /** Why there is no usable address, for people: `no address`, or `"10.0.0" is not an IP address`. */
  readonly problem: string | undefined;
  readonly metadata: ReadonlyMap<string, string>;
}

/** One page of fleet's listing. */
export interface MachinePage {
  readonly records: readonly MachineRecord[];
  /** Records that name no machine (no id, or not even an object): skipped, and counted here. */
  readonly skipped: number;
}

/** fleet's machines API, whichever of its prefixes and transports is in use. */
export interface FleetClient {
  /**
   * Yields the listing page by page, in fleet's order. Either every page comes or it throws RequestError: a listing that
   * ends without throwing is one that fleet called complete (which is not a promise that no machine is missing).
   */
  machinePages(signal: AbortSignal): AsyncIterable<MachinePage>;
  close(): void;
}
