/** What can happen in a simulated cluster. An event does one thing to the truth and says in words what it did. */
import type { Chance } from './chance.ts';
import type { Host } from './host.ts';
import type { World } from './world.ts';

export interface Event {
  /** Of each kind one must have occurred in a long run. */
  readonly kind: string;
  /** How much more often it happens than others; 1 where it does not say. */
  readonly weight?: number;
  /** Undefined when there was nobody to whom it could have happened. */
  readonly happen: (world: World, chance: Chance) => string | undefined;
}

/** `act` says what it did, or undefined when it could not. */
export function toAHost(
  kind: string,
  act: (host: Host, world: World, chance: Chance) => string | undefined,
  { weight = 1, which = () => true }: { weight?: number; which?: (host: Host) => boolean } = {},
): Event {
  return {
    kind,
    weight,
    happen: (world, chance) => {
      const hosts = world.hosts.filter(which);
      // What happens to the same host over and over meets in more ways.
      const favoured = chance.strikes(0.6) ? hosts.filter((each) => world.favoured.has(each.name)) : [];
      const host = chance.pick(favoured.length > 0 ? favoured : hosts);
      const what = host && act(host, world, chance);
      return host && what && `${host.name} (${host.address}): ${what}`;
    },
  };
}

/** To each host with the probability. */
export function toHosts(
  kind: string,
  probability: number,
  what: string,
  act: (host: Host, world: World, chance: Chance) => void,
): Event {
  return {
    kind,
    happen: (world, chance) => {
      const some = chance.some(world.hosts, probability);
      for (const host of some) act(host, world, chance);
      return some.length === 0 ? undefined : `${namesOf(some)}: ${what}`;
    },
  };
}

export function namesOf(hosts: readonly Host[]): string {
  return hosts.map(({ name }) => name).join(', ');
}

/** Those that happen more often stand there more often. */
export function weighted(events: readonly Event[]): readonly Event[] {
  return events.flatMap((event) => Array.from({ length: event.weight ?? 1 }, () => event));
}

export const isOn = ({ isOn }: Host) => isOn;
export const isOff = ({ isOn }: Host) => !isOn;
