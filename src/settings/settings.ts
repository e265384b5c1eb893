/** What the operator set: flags and environment variables, read into one trusted object or into a list of mistakes. */
import type { Selector } from '../fleet/selector.ts';
import type { ProxyVariables } from '../http/config-source.ts';
import { type ApiServer, chooseApiServer, type Env, type Reader } from './api-server.ts';
import { changedSettings } from './changed.ts';
import { findGiven, type GivenSettings, mistake } from './given.ts';
import { quotesProblem } from './quotes.ts';
import { brokenRules, kubeletUrls, warningsOf } from './rules.ts';
import { type SettingName, settingNames, table, type Values } from './table.ts';
import type { Listen, NodeName } from './values.ts';

/** Paths of PEM files. A certificate and a key come together or not at all. */
interface TlsFiles {
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

export interface Settings {
  /** The endpoint has no slash at the end: `unix:///var/run/fleet.sock` or `http(s)://host[:port][/base]`. */
  readonly fleet: TlsFiles & { readonly endpoint: string; readonly timeoutMs: number; readonly legacyTls: boolean };
  readonly selector: Selector;
  readonly api: TlsFiles &
    ApiServer & {
      readonly version: Values['API_VERSION'];
      readonly tokenFile: string | undefined;
      readonly insecureSkipTlsVerify: boolean;
      readonly timeoutMs: number;
      readonly legacyTls: boolean;
    };
  /** Proxies are not used; errors name the variables. */
  readonly proxyVariables: ProxyVariables;
  /** URLs with `{ip}` as their host. Credentials are for those with https only. */
  readonly kubelet: TlsFiles & {
    readonly urlTemplates: readonly string[];
    readonly timeoutMs: number;
    readonly concurrency: number;
    readonly tokenFile: string | undefined;
  };
  /** A cron expression has six fields, seconds first. */
  readonly schedule:
    | { readonly kind: 'cron'; readonly expression: string }
    | { readonly kind: 'interval'; readonly ms: number };
  readonly passTimeoutMs: number;
  readonly nodeName: NodeName;
  /** Metadata keys to copy to labels. */
  readonly nodeLabels: readonly string[];
  readonly ownerId: string;
  readonly adopt: boolean;
  readonly events: boolean;
  readonly policy: Values['POLICY'];
  /** Infinity is never. */
  readonly missingGraceMs: number;
  /** Infinity is never. */
  readonly unhealthyGraceMs: number;
  /** From 0 to 100; 100 switches the deletion guard off. */
  readonly maxDeregisterPercent: number;
  readonly listen: Listen;
  /** Who sees the machines and nodes on the port without a login. */
  readonly statusAccess: Values['STATUS_ACCESS'];
  /** TLS and logins of the port. */
  readonly webConfigFile: string | undefined;
  /** In small letters. */
  readonly pageHosts: readonly string[];
  /** Empty where it is not set. */
  readonly clusterName: string;
  /** The texts of the settings that differ from their defaults, by name; for the log. */
  readonly changed: ReadonlyMap<SettingName, string>;
  readonly logLevel: Values['LOG_LEVEL'];
  readonly logFormat: Values['LOG_FORMAT'];
  readonly dryRun: boolean;
  readonly once: boolean;
}

/** What the command line asks for. Each mistake and each warning is one line that names its variable or flag. */
export type Invocation =
  | {
      readonly kind: 'run';
      readonly settings: Settings;
      readonly warnings: readonly string[];
      /** How each setting that was given is spelled: `KUBE_REGISTER_METADATA`, `--metadata` or `-metadata`. */
      readonly spellings: ReadonlyMap<SettingName, string>;
    }
  | { readonly kind: 'mistakes'; readonly lines: readonly string[] };

export interface ReadingOptions {
  /** A command that a person types also takes the API server from the files of kubectl. */
  readonly reader?: Reader;
  /** What was found in the command line already. */
  readonly earlierMistakes?: readonly string[];
}

/**
 * Reads the flags (`argv` without the program's name) and the environment. It never throws, and looks at nothing else: files
 * that are named are read later. `fileExists` is asked only for the token of a pod's service account and for kubectl's files.
 */
export function readSettings(
  argv: readonly string[],
  env: Env,
  fileExists: (path: string) => boolean,
  { reader = 'daemon', earlierMistakes = [] }: ReadingOptions = {},
): Invocation {
  const { given, mistakes } = findGiven(argv, env);
  const { values, unread, lines } = readValues(given);
  const api = chooseApiServer(values, env, fileExists, reader);
  const facts = { given, values, api, kubectlFile: reader === 'daemon' ? env['KUBECONFIG'] : undefined };
  const all = [...earlierMistakes, ...mistakes, ...lines, ...brokenRules(facts, unread)];
  if (all.length > 0) return { kind: 'mistakes', lines: all };
  const spellings = new Map([...given].map(([name, { written }]) => [name, written]));
  return {
    kind: 'run',
    settings: settingsOf(facts, proxyVariables(env)),
    warnings: warningsOf(facts),
    spellings,
  };
}

interface Reading {
  /** Where a value could not be read, the default stands in its place. */
  readonly values: Values;
  readonly unread: readonly SettingName[];
  /** One for each setting that could not be read. */
  readonly lines: readonly string[];
}

function readValues(given: GivenSettings): Reading {
  const texts = new Map([...given].map(([name, { text }]) => [name, text]));
  const result = table.safeParse(Object.fromEntries(texts));
  const issues = result.error?.issues ?? [];
  const unread: SettingName[] = [];
  const lines: string[] = [];
  for (const name of settingNames) {
    const problem = quotesProblem(name, texts.get(name) ?? '') ?? issues.find(({ path }) => path[0] === name)?.message;
    if (problem === undefined) continue;
    unread.push(name);
    lines.push(mistake(name, given, problem));
    texts.delete(name);
  }
  return { values: table.parse(Object.fromEntries(texts)), unread, lines };
}

/** The first that is set, by the protocol of the endpoint, as curl and Go have them. */
function proxyVariables(env: Env): ProxyVariables {
  const first = (...names: readonly string[]) => names.find((name) => (env[name] ?? '') !== '');
  const http = first('http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY');
  const https = first('https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY');
  return { ...(http !== undefined && { http }), ...(https !== undefined && { https }) };
}

function settingsOf(
  { given, values, api }: { given: GivenSettings; values: Values; api: ApiServer },
  proxyVariables: ProxyVariables,
): Settings {
  return {
    fleet: {
      ...tlsFiles(values, 'FLEET'),
      endpoint: values.FLEET_ENDPOINT,
      timeoutMs: values.FLEET_TIMEOUT,
      legacyTls: values.FLEET_LEGACY_TLS,
    },
    selector: values.METADATA,
    api: {
      ...tlsFiles(values, 'API'),
      ...api,
      version: values.API_VERSION,
      tokenFile: values.API_TOKEN_FILE,
      insecureSkipTlsVerify: values.API_INSECURE_SKIP_TLS_VERIFY,
      timeoutMs: values.API_TIMEOUT,
      legacyTls: values.API_LEGACY_TLS,
    },
    proxyVariables,
    kubelet: {
      ...tlsFiles(values, 'KUBELET'),
      urlTemplates: kubeletUrls(values),
      timeoutMs: values.HEALTHZ_TIMEOUT,
      concurrency: values.HEALTHZ_CONCURRENCY,
      tokenFile: values.KUBELET_TOKEN_FILE,
    },
    schedule:
      values.SYNC_INTERVAL === undefined
        ? { kind: 'cron', expression: values.SYNC_SCHEDULE }
        : { kind: 'interval', ms: values.SYNC_INTERVAL },
    passTimeoutMs: values.PASS_TIMEOUT,
    nodeName: values.REVERSE_LOOKUP ? { kind: 'reverse-lookup' } : values.NODE_NAME,
    nodeLabels: values.NODE_LABELS,
    ownerId: values.OWNER_ID,
    adopt: values.ADOPT,
    events: values.EVENTS,
    policy: values.POLICY,
    missingGraceMs: values.MISSING_GRACE,
    unhealthyGraceMs: values.UNHEALTHY_GRACE,
    maxDeregisterPercent: values.MAX_DEREGISTER_PERCENT,
    listen: values.LISTEN,
    statusAccess: values.STATUS_ACCESS,
    webConfigFile: values.WEB_CONFIG_FILE,
    pageHosts: values.PAGE_HOSTS,
    clusterName: values.CLUSTER_NAME,
    changed: changedSettings(given),
    logLevel: values.LOG_LEVEL,
    logFormat: values.LOG_FORMAT,
    dryRun: values.DRY_RUN,
    once: values.ONCE,
  };
}

function tlsFiles(values: Values, of: 'FLEET' | 'API' | 'KUBELET'): TlsFiles {
  return { caFile: values[`${of}_CA_FILE`], certFile: values[`${of}_CERT_FILE`], keyFile: values[`${of}_KEY_FILE`] };
}
