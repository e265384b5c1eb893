/** The routes of the page: the page, that about one machine, the assets, the live feed and the host check. */
import { hostname } from 'node:os';
import type { Log } from '../../log/log-events.ts';
import type { Status } from '../../status/document.ts';
import type { Clock } from '../../time/clock.ts';
import type { WebRoutes } from '../server.ts';
import { ASSETS, ASSETS_VERSION } from './assets.ts';
import { renderDetailsPage } from './details.ts';
import { hostCheck, type OwnNames } from './hosts.ts';
import { LiveFeed } from './live-feed.ts';
import { renderPage, renderView } from './render.ts';

/** The parts of the daemon that the page uses. */
interface Shown {
  status(): Status;
  onChange(callback: () => void): void;
}

export function pageRoutes(
  daemon: Shown,
  names: Omit<OwnNames, 'hostname'>,
  { log, clock }: { readonly log: Log; readonly clock: Pick<Clock, 'wall'> },
): Pick<WebRoutes, 'version' | 'page' | 'explain' | 'assets' | 'live' | 'hostProblem'> {
  const live = new LiveFeed({
    status: () => daemon.status(),
    now: () => new Date(clock.wall()).toISOString(),
    onError: (err) => log.write('page-failed', 'cannot update the open pages', { err }),
  });
  let version = 0;
  /** The status of this version, so that a client that asks about every machine does not have it made each time. */
  let known: Status | undefined;
  daemon.onChange(() => {
    version += 1;
    known = undefined;
    live.changed();
  });
  return {
    version: () => version,
    page: () => renderPage(renderView(daemon.status()), ASSETS_VERSION),
    explain: (query) => {
      known ??= daemon.status();
      return renderDetailsPage(known, query);
    },
    assets: ASSETS,
    live,
    hostProblem: hostCheck({ ...names, hostname: hostname() }),
  };
}
