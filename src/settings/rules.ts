/** The constraints between settings, and the settings that are allowed but deserve a warning. */
import { isIPv4 } from 'node:net';
import { quote } from '../text/quote.ts';
import { formatDuration } from '../time/duration.ts';
import type { ApiServer } from './api-server.ts';
import { type GivenSettings, mistake } from './given.ts';
import { envName, flagName, type SettingName, type Values } from './table.ts';

export interface Facts {
  readonly given: GivenSettings;
  readonly values: Values;
  readonly api: ApiServer;
  /** The variable KUBECONFIG, where it is set for the daemon. */
  readonly kubectlFile: string | undefined;
}

interface Rule {
  /** The setting that is said to be wrong. The rule is asked only when it was given. */
  readonly about: SettingName;
  /** The rule is left out when one of these has a value that could not be read. */
  readonly reads: readonly SettingName[];
  /** What is wrong, or undefined. `spell` names another setting in the way the operator wrote this one. */
  readonly problem: (facts: Facts, spell: (name: SettingName) => string) => string | undefined;
}

const RULES: readonly Rule[] = [
  together('FLEET_CERT_FILE', 'FLEET_KEY_FILE'),
  together('FLEET_KEY_FILE', 'FLEET_CERT_FILE'),
  ...(['FLEET_CA_FILE', 'FLEET_CERT_FILE', 'FLEET_KEY_FILE', 'FLEET_LEGACY_TLS'] as const).map(onlyForHttpsFleet),

  notBoth('API_ENDPOINT', 'KUBECONFIG'),
  together('API_CERT_FILE', 'API_KEY_FILE'),
  together('API_KEY_FILE', 'API_CERT_FILE'),
  ...(['API_TOKEN_FILE', 'API_CA_FILE', 'API_CERT_FILE', 'API_KEY_FILE'] as const).map(notBesideKubeconfig),
  notBesideKubeconfig('API_INSECURE_SKIP_TLS_VERIFY'),
  ...(['API_CA_FILE', 'API_CERT_FILE', 'API_KEY_FILE'] as const).map(onlyForHttpsApi),
  ...(['API_INSECURE_SKIP_TLS_VERIFY', 'API_LEGACY_TLS'] as const).map(onlyForHttpsApi),
  {
    about: 'API_CA_FILE',
    reads: ['API_INSECURE_SKIP_TLS_VERIFY'],
    problem: ({ values }, spell) =>
      values.API_INSECURE_SKIP_TLS_VERIFY
        ? `contradicts ${spell('API_INSECURE_SKIP_TLS_VERIFY')}; set only one of them`
        : undefined,
  },
  {
    about: 'API_TOKEN_FILE',
    reads: ['API_ENDPOINT', 'KUBECONFIG'],
    problem: ({ api }, spell) =>
      api.endpoint?.startsWith('http://') && !isLoopback(api.endpoint)
        ? `a token is not sent over plain http to another host; ${spell('API_ENDPOINT')} must be https://`
        : undefined,
  },

  notBoth('HEALTHZ_PORT', 'HEALTHZ_URL'),
  together('KUBELET_CERT_FILE', 'KUBELET_KEY_FILE'),
  together('KUBELET_KEY_FILE', 'KUBELET_CERT_FILE'),
  ...(['KUBELET_CERT_FILE', 'KUBELET_TOKEN_FILE'] as const).map(onlyForCheckedKubelets),
  ...(['KUBELET_CA_FILE', 'KUBELET_CERT_FILE', 'KUBELET_KEY_FILE', 'KUBELET_TOKEN_FILE'] as const).map(
    onlyForHttpsKubelets,
  ),

  {
    about: 'STATUS_ACCESS',
    reads: ['STATUS_ACCESS', 'WEB_CONFIG_FILE'],
    problem: ({ values }, spell) =>
      values.STATUS_ACCESS === 'login' && values.WEB_CONFIG_FILE === undefined
        ? `requires ${spell('WEB_CONFIG_FILE')}, which has the logins`
        : undefined,
  },

  notBoth('SYNC_INTERVAL', 'SYNC_SCHEDULE'),
  {
    about: 'REVERSE_LOOKUP',
    reads: ['REVERSE_LOOKUP', 'NODE_NAME'],
    problem: ({ values, given }, spell) =>
      values.REVERSE_LOOKUP && given.has('NODE_NAME') && values.NODE_NAME.kind !== 'reverse-lookup'
        ? `means NODE_NAME=reverse-lookup, but ${spell('NODE_NAME')} has another value; set only one of them`
        : undefined,
  },
];

/** One line for each broken constraint. `unread` are the settings whose own value is a mistake already. */
export function brokenRules(facts: Facts, unread: readonly SettingName[]): string[] {
  return RULES.flatMap(({ about, reads, problem }) => {
    const one = facts.given.get(about);
    if (one === undefined || [about, ...reads].some((name) => unread.includes(name))) return [];
    const style = one.written.startsWith('-') ? flagName : envName;
    const sentence = problem(facts, (name) => facts.given.get(name)?.written ?? style(name));
    return sentence === undefined ? [] : [mistake(about, facts.given, sentence)];
  });
}

function notBoth(about: SettingName, other: SettingName): Rule {
  return {
    about,
    reads: [],
    problem: ({ given }, spell) =>
      given.has(other) ? `cannot be combined with ${spell(other)}; set only one of them` : undefined,
  };
}

function together(about: SettingName, other: SettingName): Rule {
  return {
    about,
    reads: [],
    problem: ({ given }, spell) => (given.has(other) ? undefined : `requires ${spell(other)}`),
  };
}

function onlyForHttpsFleet(about: SettingName): Rule {
  return {
    about,
    reads: ['FLEET_ENDPOINT', 'FLEET_LEGACY_TLS'],
    problem: ({ values }, spell) =>
      values.FLEET_ENDPOINT.startsWith('https://') || !isAsked(about, values)
        ? undefined
        : `requires an https:// endpoint, but ${spell('FLEET_ENDPOINT')} is ${quote(values.FLEET_ENDPOINT)}`,
  };
}

/** A switch that is off asks for nothing; every other of these settings does. */
function isAsked(name: SettingName, values: Values): boolean {
  return values[name] !== false;
}

function notBesideKubeconfig(about: SettingName): Rule {
  return {
    about,
    reads: ['API_INSECURE_SKIP_TLS_VERIFY'],
    problem: ({ given, values }, spell) =>
      given.has('KUBECONFIG') && isAsked(about, values)
        ? `cannot be combined with ${spell('KUBECONFIG')}, which contains this`
        : undefined,
  };
}

function onlyForHttpsApi(about: SettingName): Rule {
  return {
    about,
    reads: ['API_ENDPOINT', 'KUBECONFIG', 'API_INSECURE_SKIP_TLS_VERIFY', 'API_LEGACY_TLS'],
    problem: ({ api, values }, spell) =>
      api.endpoint?.startsWith('http://') && isAsked(about, values)
        ? `requires an https:// endpoint, but ${spell('API_ENDPOINT')} is ${quote(api.endpoint)}`
        : undefined,
  };
}

function onlyForCheckedKubelets(about: SettingName): Rule {
  return {
    about,
    reads: [],
    problem: ({ given }, spell) =>
      given.has('KUBELET_CA_FILE')
        ? undefined
        : `requires ${spell('KUBELET_CA_FILE')}: credentials are sent only to kubelets whose certificate is verified`,
  };
}

function onlyForHttpsKubelets(about: SettingName): Rule {
  return {
    about,
    reads: ['HEALTHZ_URL', 'HEALTHZ_PORT'],
    problem: ({ given, values }, spell) =>
      kubeletUrls(values).some((url) => url.startsWith('https://'))
        ? undefined
        : `requires https:// URLs, but ${spell(given.has('HEALTHZ_PORT') ? 'HEALTHZ_PORT' : 'HEALTHZ_URL')} has none`,
  };
}

/** HEALTHZ_URL, or the one URL that HEALTHZ_PORT is short for. */
export function kubeletUrls(values: Values): readonly string[] {
  return values.HEALTHZ_PORT === undefined ? values.HEALTHZ_URL : [`http://{ip}:${values.HEALTHZ_PORT}/healthz`];
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'));
}

function mayDeregister({ POLICY, ONCE, MISSING_GRACE, UNHEALTHY_GRACE }: Values): boolean {
  return POLICY !== 'register-only' && !ONCE && Math.min(MISSING_GRACE, UNHEALTHY_GRACE) < Number.POSITIVE_INFINITY;
}

/** With less than this, a machine that only reboots may be taken for a dead one. */
const SHORT_GRACE_MS = 2 * 60 * 1_000;

/** One line for each setting that is valid but risky. */
export function warningsOf({ given, values, api, kubectlFile }: Facts): string[] {
  const warnings: string[] = [];
  if ((kubectlFile ?? '') !== '' && !given.has('API_ENDPOINT') && !given.has('KUBECONFIG')) {
    const used = api.inCluster ?? api.endpoint ?? '';
    warnings.push(
      `KUBECONFIG is set, but only commands read it; the daemon uses ${used}: set ${envName('KUBECONFIG')} instead`,
    );
  }
  for (const name of ['MISSING_GRACE', 'UNHEALTHY_GRACE'] as const) {
    if (values[name] >= SHORT_GRACE_MS) continue;
    const limit = formatDuration(SHORT_GRACE_MS);
    warnings.push(
      mistake(name, given, `is less than ${limit}: a machine that reboots may lose its node, with labels and taints`),
    );
  }
  if (values.API_INSECURE_SKIP_TLS_VERIFY) {
    const risk = 'anyone on the network path can impersonate the API server and read the credentials';
    warnings.push(mistake('API_INSECURE_SKIP_TLS_VERIFY', given, `the server's certificate is not verified: ${risk}`));
  }
  for (const name of ['FLEET_LEGACY_TLS', 'API_LEGACY_TLS'] as const) {
    if (!values[name]) continue;
    const risk = 'anyone on the network path may decrypt the traffic or impersonate the server';
    warnings.push(mistake(name, given, `TLS 1.0, SHA-1 and small keys are allowed: ${risk}`));
  }
  if (values.HEALTHZ_TIMEOUT >= values.PASS_TIMEOUT) {
    // One of the two was given, for the defaults go together.
    const [about, other, relation] = given.has('PASS_TIMEOUT')
      ? (['PASS_TIMEOUT', 'HEALTHZ_TIMEOUT', 'longer'] as const)
      : (['HEALTHZ_TIMEOUT', 'PASS_TIMEOUT', 'shorter'] as const);
    const limit = `${given.get(other)?.written ?? envName(other)} (${formatDuration(values[other])})`;
    const risk = 'one unreachable kubelet makes every pass fail';
    warnings.push(mistake(about, given, `is not ${relation} than ${limit}: ${risk}`));
  }
  if (values.MAX_DEREGISTER_PERCENT === 100 && mayDeregister(values)) {
    const risk =
      'a network failure can deregister all nodes; set it only to override the guard, and only for that time';
    warnings.push(mistake('MAX_DEREGISTER_PERCENT', given, `turns the deletion guard off: ${risk}`));
  }
  return warnings;
}
