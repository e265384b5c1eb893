/** Starts the daemon's web server with its routes, and keeps it to the web configuration file. */
import type { Log } from '../log/log-events.ts';
import type { Settings } from '../settings/settings.ts';
import { envName } from '../settings/table.ts';
import { systemClock } from '../time/clock.ts';
import { describeWebConfig, loadWebConfig, type WebConfig } from '../web/access/web-config.ts';
import { WebConfigWatch } from '../web/access/web-config-watch.ts';
import { daemonsAt, describeDaemon, hostsFor } from '../web/find-daemons.ts';
import { hostPort, type ListenError, OTHER_PORT } from '../web/listen.ts';
import { pageRoutes } from '../web/page/routes.ts';
import { startWebServer, type WebRoutes, type WebServer } from '../web/server.ts';
import type { Assembly } from './assemble.ts';
import type { Signals } from './signals.ts';
import { VERSION } from './version.ts';

/** The server, or undefined where LISTEN is off. Throws ListenError and CredentialError. */
export async function serveWeb(
  settings: Settings,
  { daemon, metrics }: Assembly,
  log: Log,
): Promise<WebServer | undefined> {
  const { listen, statusAccess, pageHosts, webConfigFile } = settings;
  if (listen === 'off') return undefined;
  const routes: WebRoutes = {
    metrics: () => metrics.exposition(),
    healthz: () => daemon.healthz(),
    readyz: () => daemon.readyz(),
    status: () => daemon.statusSteps(),
    ...pageRoutes(daemon, { listen: listen.host, pageHosts }, { log, clock: systemClock }),
  };
  const startedAt = new Date(daemon.startedAt).toISOString();
  const identity = { version: VERSION, startedAt, dryRun: settings.dryRun };
  const config = await loadWebConfig(settings);
  warn(config, log);
  const server = await startWebServer({ listen, routes, log, clock: systemClock, identity, statusAccess, config });
  if (webConfigFile === undefined) return server;
  const watch = watchConfig(settings, config, { server, log });
  return { ...server, close: () => server.close().finally(() => watch.stop()) };
}

function watchConfig(
  settings: Settings,
  first: WebConfig,
  { server, log }: { readonly server: WebServer; readonly log: Log },
): WebConfigWatch {
  const setting = envName('WEB_CONFIG_FILE');
  const watch = new WebConfigWatch(first, () => loadWebConfig(settings), {
    changed: (config) => {
      server.use(config);
      log.write('web-config-in-force', `${setting}: its new version is in force: ${describeWebConfig(config)}`);
      warn(config, log);
    },
    broken: (problem) => log.write('web-config-unusable', `${problem}; the last version stays in force`),
    mended: () => log.write('web-config-in-force', `${setting}: the version in force can be read again`),
  });
  watch.start();
  return watch;
}

function warn({ warnings }: WebConfig, log: Log): void {
  for (const warning of warnings) log.write('setting-regretted', warning);
}

/** Why the server cannot listen; a kube-register that has the port is named as `check` names it. */
export async function listenProblem({ listen }: Settings, error: ListenError, { stopped }: Signals): Promise<string> {
  if (error.code !== 'EADDRINUSE' || listen === 'off') return error.message;
  const stop = new AbortController();
  void stopped.then(() => stop.abort());
  const [daemon] = await daemonsAt(hostsFor(listen), listen.port, stop.signal).catch(() => []);
  if (daemon === undefined) return error.message;
  return `cannot listen on ${hostPort(listen)}: ${describeDaemon(daemon)}, has this port; stop that one, or ${OTHER_PORT}`;
}
