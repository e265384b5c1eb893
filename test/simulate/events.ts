/** All events, and which of them happens. */
import type { Chance } from './chance.ts';
import { weighted } from './event.ts';
import { FLEET_EVENTS } from './fleet-events.ts';
import { HOST_EVENTS } from './host-events.ts';
import { NODE_EVENTS } from './node-events.ts';
import { SERVER_EVENTS } from './server-events.ts';
import type { World } from './world.ts';

const HOSTS = weighted(HOST_EVENTS);
const FLEETS = weighted(FLEET_EVENTS);
const NODES = weighted(NODE_EVENTS);
const SERVERS = weighted(SERVER_EVENTS);

export const EVENT_KINDS: readonly string[] = [
  ...new Set([...HOST_EVENTS, ...FLEET_EVENTS, ...NODE_EVENTS, ...SERVER_EVENTS].map(({ kind }) => kind)),
];

/** What happened: its kind, and in words. Undefined when it could not. */
export function happen(world: World, chance: Chance): { readonly kind: string; readonly what: string } | undefined {
  const draw = chance.next();
  const kinds = draw < 0.38 ? HOSTS : draw < 0.58 ? FLEETS : draw < 0.73 ? NODES : SERVERS;
  const event = chance.pick(kinds);
  const what = event?.happen(world, chance);
  return event === undefined || what === undefined ? undefined : { kind: event.kind, what };
}
