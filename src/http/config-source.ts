/** Names where the access to a server is configured: settings, or fields of a file. Errors use the names in their advice. */
import type { Target } from './request-error.ts';

/** What errors name in their advice. Each is a noun phrase: `KUBE_REGISTER_API_CA_FILE`, `server of cluster "lab" in /etc/config`. */
export interface ConfigSource {
  readonly endpoint: string;
  readonly ca: string;
  readonly clientCertificate: string;
  /** Where the credentials are set. */
  readonly credentials: string;
  /** Where another name to check the certificate for is set, where that is possible. */
  readonly serverName?: string;
  readonly timeout: string;
  /** The setting that allows legacy TLS. Undefined where it is on. */
  readonly legacyTls: string | undefined;
  /** The environment variable that names a proxy for this server, where one is set. Proxies are not used. */
  readonly proxyVariable?: string | undefined;
  /** Undefined where all of it comes from settings. */
  readonly origin?: Origin;
}

/** What an access was read from, where that is not the settings, for commands that change it. */
export type Origin =
  | { readonly kind: 'pod' }
  | {
      readonly kind: 'kubeconfig';
      readonly path: string;
      readonly cluster: string | undefined;
      readonly user: string | undefined;
      /** The file that holds the token, where the user has one. */
      readonly tokenFile: string | undefined;
    };

const SETTINGS: Record<Target, string> = { fleet: 'KUBE_REGISTER_FLEET', kubernetes: 'KUBE_REGISTER_API' };

/** For an access that comes from settings alone. */
export function settingsSource(target: Target): ConfigSource {
  const prefix = SETTINGS[target];
  const clientCertificate = `${prefix}_CERT_FILE and ${prefix}_KEY_FILE`;
  return {
    endpoint: `${prefix}_ENDPOINT`,
    ca: `${prefix}_CA_FILE`,
    clientCertificate,
    credentials:
      target === 'fleet'
        ? clientCertificate
        : `${prefix}_TOKEN_FILE, ${prefix}_CERT_FILE with ${prefix}_KEY_FILE, or KUBE_REGISTER_KUBECONFIG`,
    timeout: `${prefix}_TIMEOUT`,
    legacyTls: `${prefix}_LEGACY_TLS=true`,
  };
}

/** Environment variables that name a proxy, by the protocol of the endpoint. */
export interface ProxyVariables {
  readonly http?: string;
  readonly https?: string;
}

/** The variable that would apply to this endpoint. */
export function proxyVariableFor(endpoint: string, variables: ProxyVariables): string | undefined {
  if (endpoint.startsWith('https:')) return variables.https;
  return endpoint.startsWith('http:') ? variables.http : undefined;
}
