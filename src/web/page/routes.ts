/** The routes of the page: the page, that about one machine, the assets, the live feed and the host check. */
import { hostname } from 'node:os';
import type { Log } from '../../log/log-events.ts';
import type { Status } from '../../status/document.ts';
import type { Clock } from '../../time/clock.ts';
import { inTurns, type Steps } from '../../time/steps.ts';
import type { WebRoutes } from '../server.ts';
import { ASSETS, ASSETS_VERSION } from './assets.ts';
import { detailsSteps } from './details.ts';
import { hostCheck, type OwnNames } from './hosts.ts';
import { LiveFeed } from './live-feed.ts';
import { pageTexts, viewSteps } from './render.ts';

/** The parts of the daemon that the page uses. */
interface Shown {
  statusSteps(): Steps<Status>;
  onChange(callback: () => void): void;
}

export function pageRoutes(
  daemon: Shown,
  names: Omit<OwnNames, 'hostname'>,
  { log, clock }: { readonly log: Log; readonly clock: Pick<Clock, 'wall'> },
): Pick<WebRoutes, 'version' | 'page' | 'explain' | 'assets' | 'live' | 'hostProblem'> {
  const live = new LiveFeed({
    statusSteps: () => daemon.statusSteps(),
    now: () => new Date(clock.wall()).toISOString(),
    onError: (err) => log.write('page-failed', 'cannot update the open pages', { err }),
  });
  let version = 0;
  /** The status of this version, so that a client that asks about every machine does not have it made each time. */
  let known: Promise<Status> | undefined;
  const forget = () => {
    known = undefined;
  };
  daemon.onChange(() => {
    version += 1;
    forget();
    live.changed();
  });
  const statusOfVersion = () => {
    if (known !== undefined) return known;
    known = inTurns(daemon.statusSteps());
    known.catch(forget);
    return known;
  };
  return {
    version: () => version,
    *page() {
      return pageTexts(yield* viewSteps(yield* daemon.statusSteps()), ASSETS_VERSION);
    },
    explain: async (query) => inTurns(detailsSteps(await statusOfVersion(), query)),
    assets: ASSETS,
    live,
    hostProblem: hostCheck({ ...names, hostname: hostname() }),
  };
}
