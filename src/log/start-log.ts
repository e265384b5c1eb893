/** Logs at start which cluster this is, where its servers are, and which settings differ from their defaults. */
import type { Target } from '../http/request-error.ts';
import { quote, quoteForShell } from '../text/quote.ts';
import type { Log } from './log-events.ts';

/** What is known at start. */
export interface Start {
  /** CLUSTER_NAME; empty where it is not set. */
  readonly clusterName: string;
  /** Of fleet and the API server. */
  readonly endpoints: Readonly<Record<Target, string>>;
  /** The texts of the settings that differ from their defaults, by name; secrets by path. */
  readonly changed: ReadonlyMap<string, string>;
}

/** The beginning of the line has these. */
const SHOWN_APART: ReadonlySet<string> = new Set(['CLUSTER_NAME', 'FLEET_ENDPOINT', 'API_ENDPOINT']);

/** `cluster "blue": fleet at unix:///var/run/fleet.sock, API server at https://10.0.0.1:6443; not the default: METADATA="role=worker"` */
export function logStart(log: Log, { clusterName, endpoints, changed }: Start): void {
  const cluster = clusterName === '' ? '' : `cluster ${quote(clusterName)}: `;
  const servers = `fleet at ${endpoints.fleet}, API server at ${endpoints.kubernetes}`;
  const others = [...changed].filter(([name]) => !SHOWN_APART.has(name));
  const settings =
    others.length === 0
      ? 'all other settings have their defaults'
      : `not the default: ${others.map(([name, text]) => `${name}=${shown(text)}`).join(', ')}`;
  log.write('settings', `${cluster}${servers}; ${settings}`, {
    ...(clusterName !== '' && { cluster: clusterName }),
    fleet: endpoints.fleet,
    apiServer: endpoints.kubernetes,
    settings: Object.fromEntries(others),
  });
}

/** As a shell takes it. */
function shown(text: string): string {
  return /^[\w./:@%+-]+$/.test(text) ? text : quoteForShell(text);
}
