/** All events, and which of them happens. */
import type { Chance } from './chance.ts';
import { type Event, weighted } from './event.ts';
import { FLEET_EVENTS } from './fleet-events.ts';
import { HOST_EVENTS } from './host-events.ts';
import { NODE_EVENTS } from './node-events.ts';
import { SERVER_EVENTS } from './server-events.ts';
import type { World } from './world.ts';

const ALL: readonly Event[] = [...HOST_EVENTS, ...FLEET_EVENTS, ...NODE_EVENTS, ...SERVER_EVENTS];
const HOSTS = weighted(HOST_EVENTS);
const FLEETS = weighted(FLEET_EVENTS);
const NODES = weighted(NODE_EVENTS);
const SERVERS = weighted(SERVER_EVENTS);

export const EVENT_KINDS: readonly string[] = [...new Set(ALL.map(({ kind }) => kind))];

/** How often one of its favourites happens in a schedule that has some. */
const FAVOUR = 0.7;

/** A few kinds that happen over and over in one schedule, so that the same few meet in many ways; or none. */
export function drawFavourites(chance: Chance): readonly Event[] {
  return chance.strikes(0.6) ? chance.some(ALL, 6 / ALL.length) : [];
}

/** What happened: its kind, and in words. Undefined when it could not. */
export function happen(
  world: World,
  chance: Chance,
  favourites: readonly Event[],
): { readonly kind: string; readonly what: string } | undefined {
  const draw = chance.next();
  const kinds = draw < 0.38 ? HOSTS : draw < 0.58 ? FLEETS : draw < 0.73 ? NODES : SERVERS;
  const isFavourite = favourites.length > 0 && chance.strikes(FAVOUR);
  const event = chance.pick(isFavourite ? favourites : kinds);
  const what = event?.happen(world, chance);
  return event === undefined || what === undefined ? undefined : { kind: event.kind, what };
}
