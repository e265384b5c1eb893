/** The check of fleet: whether it answers, which API it serves, and what it lists. */

import { openFleet } from '../../../daemon/clients.ts';
import { createFleetClient } from '../../../fleet/client.ts';
import type { FleetClient, MachinePage } from '../../../fleet/machine.ts';
import { settingsSource } from '../../../http/config-source.ts';
import type { RequestObserver } from '../../../http/http-client.ts';
import { Inventory, type Machine } from '../../../reconcile/evidence/machines.ts';
import type { Settings } from '../../../settings/settings.ts';
import { plural } from '../../../text/plural.ts';
import type { Clock } from '../../../time/clock.ts';
import { type Finding, named, ok, warning, wrong } from '../finding.ts';
import { type Failure, failureOf, mendOf } from '../mends.ts';
import { type Offset, observeClient } from './observed.ts';

interface FleetSeen {
  readonly pages: readonly MachinePage[];
  /** By id. */
  readonly machines: ReadonlyMap<string, Machine>;
  readonly skippedRecords: number;
  /** `/fleet/v1` or `/v1-alpha`. */
  readonly prefix: string;
  readonly software: string | undefined;
}

/** `failure` says why fleet did not answer completely. */
export type FleetResult = { readonly offset: Offset | undefined } & (
  | { readonly seen: FleetSeen }
  | { readonly seen: undefined; readonly failure: Failure }
);

/** Lists the machines as a pass does. Throws the signal's reason alone. */
export async function inspectFleet(
  settings: Settings,
  { clock, observer }: { readonly clock: Clock; readonly observer: RequestObserver },
  signal: AbortSignal,
): Promise<FleetResult> {
  let offset = (): Offset | undefined => undefined;
  try {
    const observed = observeClient(await openFleet(settings, observer), clock);
    offset = observed.offset;
    const client = createFleetClient(observed);
    try {
      const pages: MachinePage[] = [];
      for await (const page of client.machinePages(signal)) pages.push(page);
      const prefix = observed.served.at(0)?.replace(/\/machines$/, '') ?? '';
      const seen = { pages, ...collect(pages, settings), prefix, software: observed.software() };
      return { seen, offset: offset() };
    } finally {
      client.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    return { seen: undefined, failure: failureOf(error), offset: offset() };
  }
}

function collect(
  pages: readonly MachinePage[],
  { selector }: Settings,
): Pick<FleetSeen, 'machines' | 'skippedRecords'> {
  const inventory = new Inventory(selector);
  let skippedRecords = 0;
  for (const { records, skipped } of pages) {
    skippedRecords += skipped;
    for (const record of records) inventory.add(record);
  }
  return { machines: inventory.machines, skippedRecords };
}

/** A fleet that gives the listing that was seen, so that it is asked for but once. */
export function replay({ pages }: FleetSeen): FleetClient {
  return {
    machinePages: async function* () {
      yield* pages;
    },
    close: () => {},
  };
}

export function checkFleet(result: FleetResult, { fleet: { endpoint, legacyTls } }: Settings): Finding {
  if (result.seen === undefined) {
    const source = { ...settingsSource('fleet'), ...(legacyTls && { legacyTls: undefined }) };
    return named('fleet', wrong(result.failure.message, mendOf(result.failure, { endpoint, source })));
  }
  const { machines, pages, prefix, software = 'fleet of an unknown version', skippedRecords } = result.seen;
  const listed = `${plural(machines.size, 'machine')} in ${plural(pages.length, 'page')}`;
  const sentence = `reachable at ${endpoint}: ${software} (${prefix}), ${listed}`;
  if (skippedRecords === 0) return named('fleet', ok(sentence));
  const spoilt = `${plural(skippedRecords, 'record')} in its list without a machine ID, which are skipped`;
  return named('fleet', warning(`${sentence}; ${spoilt}`, 'etcdctl ls --recursive /_coreos.com/fleet/machines'));
}
