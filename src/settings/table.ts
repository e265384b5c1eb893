/** One table of every setting: its name, default, meaning, and the schema that reads it. */
import * as z from 'zod';
import { API_VERSIONS } from '../kubernetes/era.ts';
import {
  clusterName,
  duration,
  endpoint,
  file,
  grace,
  hostNames,
  keys,
  listen,
  nodeName,
  oneOf,
  ownerId,
  schedule,
  selector,
  trueOrFalse,
  urlTemplates,
  wholeNumber,
} from './values.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export type Section = 'fleet' | 'Kubernetes API' | 'Kubelets' | 'Schedule' | 'Nodes' | 'Deregistration' | 'Process';

/** The documentation of a setting. */
interface About {
  readonly section: Section;
  readonly help: string;
  /** The setting takes an empty value, and this is what that means. Elsewhere an empty value means the default. */
  readonly empty?: string;
  /** At most 46 characters; the settings that people set most often have it, and `--help` lists these. */
  readonly brief?: string;
}

export interface Row extends About {
  /** As an operator would write it: it is read by the same schema. */
  readonly default: string | undefined;
  /** `file`: a value that is no path may be the secret itself. `switch`: the flag needs no value. */
  readonly kind: 'text' | 'file' | 'switch';
}

const rows = z.registry<Row>();

function setting<T>(schema: z.ZodType<T, string>, standard: string, about: About) {
  return schema.prefault(standard).register(rows, { ...about, default: standard, kind: 'text' });
}

function optional<T>(schema: z.ZodType<T, string>, about: About) {
  return schema.optional().register(rows, { ...about, default: undefined, kind: 'text' });
}

function optionalFile(section: Section, help: string, more: Pick<About, 'brief'> = {}) {
  return file()
    .optional()
    .register(rows, { section, help, ...more, default: undefined, kind: 'file' });
}

function onOff(standard: 'true' | 'false', about: About) {
  return trueOrFalse()
    .prefault(standard)
    .register(rows, { ...about, default: standard, kind: 'switch' });
}

function legacyTls(section: Section) {
  return onOff('false', {
    section,
    help: 'true: allow TLS 1.0 and 1.1, SHA-1 signatures, small keys and names in the CN, as servers before 2016 have them. Anyone on the network path may then decrypt the traffic or impersonate the server.',
  });
}

function timeout(standard: string, section: Section, help: string) {
  return setting(duration(100, 10 * MINUTE), standard, { section, help });
}

/** Where the API server is when nothing says where. */
export const LOCAL_API_SERVER = 'http://127.0.0.1:8080';

export const table = z.object({
  FLEET_ENDPOINT: setting(endpoint('http or unix'), 'unix:///var/run/fleet.sock', {
    section: 'fleet',
    help: "URL of fleet's API: unix:///path, http://host:port or https://host:port.",
    brief: "URL of fleet's API",
  }),
  FLEET_CA_FILE: optionalFile('fleet', "CA certificates that verify fleet's certificate (https only)."),
  FLEET_CERT_FILE: optionalFile('fleet', 'Client certificate; needs FLEET_KEY_FILE.'),
  FLEET_KEY_FILE: optionalFile('fleet', 'Key of the client certificate; needs FLEET_CERT_FILE.'),
  FLEET_LEGACY_TLS: legacyTls('fleet'),
  FLEET_TIMEOUT: timeout('10s', 'fleet', 'Timeout of one request to fleet.'),
  METADATA: setting(selector(), 'role=kubernetes', {
    section: 'fleet',
    help: 'Selects the machines that become nodes: k=v, k!=v, k, !k, k in (a,b), k notin (a,b). A comma means and; the same key twice with = means either value.',
    empty: 'every machine',
    brief: 'which machines become nodes',
  }),

  API_ENDPOINT: optional(endpoint('http'), {
    section: 'Kubernetes API',
    help: `URL of the API server. Not set: that of KUBECONFIG, else that of the pod's service account, else ${LOCAL_API_SERVER}. Not together with KUBECONFIG.`,
    brief: 'URL of the API server',
  }),
  KUBECONFIG: optionalFile(
    'Kubernetes API',
    'A kubeconfig file: server and credentials of its current context. Only commands that a person types (check, status, explain, plan) also read the variable KUBECONFIG, without the prefix, and ~/.kube/config.',
    { brief: 'a kubeconfig file, instead of API_ENDPOINT' },
  ),
  API_VERSION: setting(oneOf(['auto', ...API_VERSIONS]), 'auto', {
    section: 'Kubernetes API',
    help: 'The API version to use: v1, v1beta3, v1beta2 or v1beta1. auto uses the newest that the server has.',
  }),
  API_TOKEN_FILE: optionalFile(
    'Kubernetes API',
    'Bearer token; read again for every request. Refused over plain http to another host.',
  ),
  API_CA_FILE: optionalFile('Kubernetes API', "CA certificates that verify the server's certificate."),
  API_CERT_FILE: optionalFile('Kubernetes API', 'Client certificate; needs API_KEY_FILE.'),
  API_KEY_FILE: optionalFile('Kubernetes API', 'Key of the client certificate; needs API_CERT_FILE.'),
  API_INSECURE_SKIP_TLS_VERIFY: onOff('false', {
    section: 'Kubernetes API',
    help: "true: the server's certificate is not verified.",
  }),
  API_LEGACY_TLS: legacyTls('Kubernetes API'),
  API_TIMEOUT: timeout('10s', 'Kubernetes API', 'Timeout of one request to the API server.'),

  HEALTHZ_URL: setting(
    urlTemplates(),
    'http://{ip}:10255/healthz,http://{ip}:10250/healthz,https://{ip}:10250/healthz',
    {
      section: 'Kubelets',
      help: "Health URLs of a kubelet, separated by commas and requested in parallel; {ip} is the machine's address.",
    },
  ),
  HEALTHZ_PORT: optional(wholeNumber(1, 65_535), {
    section: 'Kubelets',
    help: 'Short for HEALTHZ_URL=http://{ip}:<port>/healthz. Not together with HEALTHZ_URL.',
  }),
  HEALTHZ_TIMEOUT: timeout('2s', 'Kubelets', 'Timeout of the health check of one kubelet, over all of its URLs.'),
  HEALTHZ_CONCURRENCY: setting(wholeNumber(1, 1_000), '100', {
    section: 'Kubelets',
    help: 'How many kubelets are checked in parallel.',
  }),
  KUBELET_CA_FILE: optionalFile(
    'Kubelets',
    'CA certificates that verify the certificates of kubelets. Not set: they are not verified, and no credentials are sent.',
  ),
  KUBELET_CERT_FILE: optionalFile('Kubelets', 'Client certificate; needs KUBELET_KEY_FILE and KUBELET_CA_FILE.'),
  KUBELET_KEY_FILE: optionalFile('Kubelets', 'Key of the client certificate; needs KUBELET_CERT_FILE.'),
  KUBELET_TOKEN_FILE: optionalFile('Kubelets', 'Bearer token, sent over https only; needs KUBELET_CA_FILE.'),

  SYNC_SCHEDULE: setting(schedule(), '*/30 * * * * *', {
    section: 'Schedule',
    help: 'When a pass starts: six cron fields in UTC, seconds first. Not together with SYNC_INTERVAL.',
  }),
  SYNC_INTERVAL: optional(duration(SECOND, DAY), {
    section: 'Schedule',
    help: 'Starts a pass at this interval: 30 (seconds), 45s, 5m. Not together with SYNC_SCHEDULE.',
    brief: 'time between passes; not set: 30s',
  }),
  PASS_TIMEOUT: setting(duration(SECOND, HOUR), '2m', {
    section: 'Schedule',
    help: 'A pass that takes longer is aborted and changes nothing more.',
  }),

  NODE_NAME: setting(nodeName(), 'ip', {
    section: 'Nodes',
    help: 'Where the name of a new node comes from: ip, reverse-lookup, machine-id or metadata:<key>.',
    brief: 'name of a new node; or machine-id, ...',
  }),
  REVERSE_LOOKUP: onOff('false', { section: 'Nodes', help: 'true: short for NODE_NAME=reverse-lookup.' }),
  NODE_LABELS: setting(keys(), '', {
    section: 'Nodes',
    help: 'Metadata keys, separated by commas, that are copied to node labels.',
    empty: 'none',
    brief: 'metadata keys that are copied to node labels',
  }),
  ADOPT: onOff('true', {
    section: 'Nodes',
    help: 'Adopt the nodes of matching machines that others registered, once they are alive. Only managed nodes are deregistered.',
  }),
  OWNER_ID: setting(ownerId(), 'default', {
    section: 'Nodes',
    help: 'Name of this kube-register, where several fleets share one API server. Nodes of another owner are never changed.',
  }),
  EVENTS: onOff('true', {
    section: 'Nodes',
    help: 'Write Events about what is done to nodes, which kubectl shows; only with API v1.',
  }),

  POLICY: setting(oneOf(['sync', 'register-only']), 'sync', {
    section: 'Deregistration',
    help: 'sync, or register-only: no node is deregistered.',
    brief: 'or register-only: nothing is deregistered',
  }),
  MISSING_GRACE: setting(grace(30 * DAY), '15m', {
    section: 'Deregistration',
    help: 'Grace period of a node that is not alive and whose machine is missing from fleet or no longer matches; or never.',
  }),
  UNHEALTHY_GRACE: setting(grace(30 * DAY), '30m', {
    section: 'Deregistration',
    help: 'Grace period of a node that is not alive and whose machine matches; or never.',
    brief: 'how long a node that is not alive is kept',
  }),
  MAX_DEREGISTER_PERCENT: setting(wholeNumber(0, 100), '34', {
    section: 'Deregistration',
    help: 'Limit of the deletion guard in percent: while more of the managed nodes are not alive, none is deregistered. 100 turns this limit off; with 0, a single node is still deregistered.',
  }),

  LISTEN: setting(listen(), '[::]:10271', {
    section: 'Process',
    help: 'host:port for the status page, /status, /metrics, /healthz and /readyz; or off. [::] accepts IPv4 too.',
    brief: 'where status and metrics are served',
  }),
  STATUS_ACCESS: setting(oneOf(['local', 'all', 'login']), 'local', {
    section: 'Process',
    help: 'Who sees the page, /explain, /status and /live without a login: local (clients on this machine), all, or login (nobody). Where WEB_CONFIG_FILE has logins, all means local.',
  }),
  WEB_CONFIG_FILE: optionalFile(
    'Process',
    "TLS and logins of the port, in the format of the web configuration of Prometheus' exporters (tls_server_config, basic_auth_users); read again when it or a file that it names changes.",
  ),
  PAGE_HOSTS: setting(hostNames(), '', {
    section: 'Process',
    help: 'Host names, separated by commas, under which browsers may open the page, besides IP addresses, names without a dot and the names of this machine.',
    empty: 'no others',
  }),
  CLUSTER_NAME: setting(clusterName(), '', {
    section: 'Process',
    help: 'Name of this cluster, which the title of the page, status and the log show: up to 63 characters.',
    empty: 'none',
  }),
  LOG_LEVEL: setting(oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal']), 'info', {
    section: 'Process',
    help: 'trace, debug, info, warn, error or fatal.',
  }),
  LOG_FORMAT: setting(oneOf(['json', 'pretty']), 'json', { section: 'Process', help: 'json, or pretty for people.' }),
  DRY_RUN: onOff('false', { section: 'Process', help: 'true: log what would be done, and change nothing.' }),
  ONCE: onOff('false', { section: 'Process', help: 'true: make one pass, which does not deregister, and exit.' }),
});

/** Every setting, read. */
export type Values = Readonly<z.output<typeof table>>;

/** `FLEET_ENDPOINT` and its like. */
export type SettingName = keyof Values;

/** In the order of the table. */
export const settingNames: readonly SettingName[] = table.keyof().options;

export function isSettingName(text: string): text is SettingName {
  return Object.hasOwn(table.shape, text);
}

/** The documentation of a setting. */
export function rowOf(name: SettingName): Row {
  const row = rows.get(table.shape[name]);
  if (row === undefined) throw new Error(`the setting ${name} has no row`);
  return row;
}

export const ENV_PREFIX = 'KUBE_REGISTER_';

export function envName(name: string): string {
  return ENV_PREFIX + name;
}

export function flagName(name: string): string {
  return `--${name.toLowerCase().replaceAll('_', '-')}`;
}
