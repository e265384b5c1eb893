/** What happens to servers, controllers and the ways between them. */
import type { Controller } from './controllers.ts';
import type { Event } from './event.ts';
import type { FleetWeather } from './fleet-server.ts';
import { type Release, relativesOf } from './release.ts';
import type { ApiWeather, World } from './world.ts';

const FLEET: readonly FleetWeather[] = ['fails', 'hangs', 'partial', 'empty', 'old'];
const API: readonly ApiWeather[] = ['fails', 'slow', 'flaky', 'fails after storing', 'refuses', 'refuses labels'];
const CUTS = ['fleet', 'api', 'kubelets'] as const;
const MEDDLERS: readonly Controller[] = ['cloud controller', 'label policy', 'mark policy', 'finalizers'];

export const SERVER_EVENTS: readonly Event[] = [
  ...FLEET.map((weather) => fleetBecomes(weather)),
  { ...fleetBecomes('fair'), weight: 4 },
  ...API.map((weather) => apiBecomes(weather)),
  { ...apiBecomes('fair'), weight: 6 },
  ...CUTS.flatMap((other) => [0, 1].map((copy) => cut(`${copy} ${other}`))),
  { ...cut('kubelets api'), weight: 2 },
  {
    kind: 'cuts are mended',
    weight: 5,
    happen: (world) => {
      world.mend();
      return 'all cuts are mended';
    },
  },

  {
    kind: 'API server is backed up',
    happen: (world) => {
      world.store.backUp();
      return 'the API server is backed up';
    },
  },
  {
    kind: 'API server is restored',
    happen: (world) => {
      world.store.restore();
      return 'the API server is restored from its backup';
    },
  },
  {
    kind: 'API server is upgraded or rolled back',
    happen: (world, chance) => changeServers(world, [chance.pick(relativesOf(world.release)) ?? world.release]),
  },
  {
    kind: 'two API servers',
    happen: (world, chance) => {
      const other = chance.pick(relativesOf(world.release).filter((each) => each !== world.release));
      return other && changeServers(world, [world.release, other]);
    },
  },

  ...MEDDLERS.flatMap((controller) => [starts(controller), { ...stops(controller), weight: 3 }]),
  stops('node controller'),
  { ...starts('node controller'), weight: 2 },
];

function fleetBecomes(weather: FleetWeather): Event {
  return {
    kind: `fleet ${weather}`,
    happen: (world, chance) => {
      const fleet = chance.pick([world.fleets.default, world.fleets.default, world.fleets.other]) ?? world.fleets.other;
      fleet.weather = weather;
      return `fleet${fleet.name === 'other' ? ' of the others' : ''}: ${weather}`;
    },
  };
}

function apiBecomes(api: ApiWeather): Event {
  return {
    kind: `API server ${api}`,
    happen: (world) => {
      world.api = api;
      return `API server: ${api}`;
    },
  };
}

function cut(which: string): Event {
  return {
    kind: `cut ${which}`,
    happen: (world) => {
      world.cut(which);
      return `cut: ${which}`;
    },
  };
}

function starts(controller: Controller): Event {
  return {
    kind: `${controller} starts`,
    happen: ({ controllers }) => {
      if (controllers.has(controller)) return undefined;
      controllers.add(controller);
      return `starts: ${controller}`;
    },
  };
}

function stops(controller: Controller): Event {
  return {
    kind: `${controller} stops`,
    happen: ({ controllers }) => (controllers.delete(controller) ? `stops: ${controller}` : undefined),
  };
}

function changeServers(world: World, releases: readonly [Release, ...Release[]]): string {
  world.releases = releases;
  return `API server: ${releases.map(({ version }) => version).join(' and ')}`;
}
