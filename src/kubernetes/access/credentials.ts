/** The API server's endpoint and the credentials for it: from settings, else a kubeconfig file, else the pod's service account. */
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { CredentialError } from '../../credentials/credential-error.ts';
import { describeFile } from '../../credentials/credential-file.ts';
import { checkedTls, type LegacyTls, readPem, readTlsFiles, type TlsMaterial } from '../../credentials/tls-files.ts';
import { type TokenReadListener, tokenFileReader, tokenProblem } from '../../credentials/token-file.ts';
import { type ConfigSource, type ProxyVariables, proxyVariableFor, settingsSource } from '../../http/config-source.ts';
import { type Endpoint, parseEndpoint } from '../../http/endpoint.ts';

/** One of `endpoint`, `kubeconfig` and `inCluster` is given; were it more, the first would count. */
export interface ApiAccessOptions {
  readonly endpoint: string | undefined;
  /** Path of a kubeconfig file. */
  readonly kubeconfig: string | undefined;
  /** More files: what an earlier one has wins. */
  readonly moreKubeconfigs?: readonly string[];
  /** What errors call the setting of these files. */
  readonly kubeconfigFrom?: string;
  /** `https://HOST:PORT` of a pod's API server, to be used with the files of its service account. */
  readonly inCluster: string | undefined;
  /** Where those files are. */
  readonly serviceAccountFolder?: string;
  /** These files win over what a kubeconfig or a service account has of the same kind. */
  readonly tokenFile: string | undefined;
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly insecureSkipTlsVerify: boolean;
  readonly legacyTls?: boolean;
  readonly proxyVariables?: ProxyVariables;
  readonly onTokenRead?: TokenReadListener;
}

export interface ApiAccess {
  /** `http://` or `https://`, without a slash at the end. */
  readonly endpoint: string;
  readonly tls: TlsMaterial & {
    readonly insecureSkipVerify: boolean;
    /** The name that the server's certificate is checked for, where it is not the endpoint's host. */
    readonly servername?: string;
  };
  /** Asked before every request: the token may be renewed meanwhile. Undefined where none is sent. */
  readonly token: (() => Promise<string | undefined>) | undefined;
  /** Where all this was read from. */
  readonly source: ConfigSource;
}

const PREFIX = 'KUBE_REGISTER_API';
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Reads and checks everything once. Throws CredentialError. */
export async function readApiAccess(options: ApiAccessOptions): Promise<ApiAccess> {
  const legacy = { allowed: options.legacyTls ?? false, setting: `${PREFIX}_LEGACY_TLS=true` };
  const source = await readSource(options, legacy);
  const files = await readTlsFiles(options, PREFIX, legacy);
  const token =
    options.tokenFile === undefined
      ? source.token
      : await tokenFileReader(options.tokenFile, `${PREFIX}_TOKEN_FILE`, options.onTokenRead);

  const endpoint = parseApiEndpoint(source.endpoint, source.from);
  if (
    token !== undefined &&
    !endpoint.baseUrl.startsWith('https:') &&
    !isLoopback(new URL(endpoint.baseUrl).hostname)
  ) {
    throw new CredentialError(
      `${source.from}: a token is not sent over plain http to ${endpoint.server}; use https, or no token`,
    );
  }
  return {
    endpoint: endpoint.baseUrl,
    tls: { ...source.tls, ...files, insecureSkipVerify: source.insecure || options.insecureSkipTlsVerify },
    token,
    source: sourceOf(options, source, endpoint),
  };
}

function sourceOf(options: ApiAccessOptions, source: Source, endpoint: Endpoint): ConfigSource {
  const settings = settingsSource('kubernetes');
  return {
    ...settings,
    ...source.names,
    ...(options.caFile !== undefined && { ca: settings.ca }),
    ...(options.certFile !== undefined && { clientCertificate: settings.clientCertificate }),
    ...((options.tokenFile ?? options.certFile) !== undefined && { credentials: settings.credentials }),
    ...(options.legacyTls && { legacyTls: undefined }),
    proxyVariable: proxyVariableFor(endpoint.baseUrl, options.proxyVariables ?? {}),
  };
}

/** What one of the three sources gives, before the single files are laid over it. */
interface Source {
  readonly endpoint: string;
  /** How an error about the endpoint begins. */
  readonly from: string;
  readonly tls: TlsMaterial & { readonly servername?: string };
  readonly insecure: boolean;
  readonly token: ApiAccess['token'];
  /** What its parts are called in advice, where they are no settings. */
  readonly names: Partial<ConfigSource>;
}

async function readSource(options: ApiAccessOptions, legacy: LegacyTls): Promise<Source> {
  const { endpoint, kubeconfig, inCluster, serviceAccountFolder = SERVICE_ACCOUNT, onTokenRead } = options;
  const from = `${PREFIX}_ENDPOINT`;
  if (endpoint !== undefined) return { endpoint, from, tls: {}, insecure: false, token: undefined, names: {} };
  if (kubeconfig !== undefined) return fromKubeconfig(kubeconfig, options, legacy);
  if (inCluster !== undefined) return fromServiceAccount(serviceAccountFolder, inCluster, onTokenRead);
  throw new CredentialError(`${from}: the API server has no endpoint`);
}

async function fromKubeconfig(
  path: string,
  { kubeconfigFrom: setting = 'KUBE_REGISTER_KUBECONFIG', moreKubeconfigs, onTokenRead }: ApiAccessOptions,
  legacy: LegacyTls,
): Promise<Source> {
  // Loaded only here: a YAML parser is a tenth of the time that the program takes to start.
  const { readKubeconfig } = await import('./kubeconfig.ts');
  const config = await readKubeconfig(path, setting, moreKubeconfigs);
  const { servername } = config;
  const besideToken = (config.token ?? config.tokenFile) !== undefined;
  const from = describeFile(setting, path);
  return {
    endpoint: config.endpoint,
    from: config.from,
    tls: { ...checkedTls({ ...config, besideToken }, legacy), ...(servername !== undefined && { servername }) },
    insecure: config.insecureSkipTlsVerify,
    token:
      config.tokenFile === undefined
        ? constantToken(config.token, from)
        : await tokenFileReader(config.tokenFile, `${from}: tokenFile`, onTokenRead, checkedToken(config.token, from)),
    names: config.source,
  };
}

async function fromServiceAccount(
  folder: string,
  endpoint: string,
  onTokenRead: TokenReadListener | undefined,
): Promise<Source> {
  const from = "the pod's service account";
  const caFile = join(folder, 'ca.crt');
  const tokenFile = join(folder, 'token');
  const ca = await readPem(caFile, from);
  return {
    endpoint,
    from,
    tls: checkedTls({ ca, cert: undefined, key: undefined }),
    insecure: false,
    token: await tokenFileReader(tokenFile, from, onTokenRead),
    names: {
      endpoint: 'KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT of the pod',
      ca: `${PREFIX}_CA_FILE, which is used instead of ${caFile}`,
      credentials: `the pod's service account (${tokenFile})`,
      origin: { kind: 'pod' },
    },
  };
}

function constantToken(token: string | undefined, from: string): ApiAccess['token'] {
  const checked = checkedToken(token, from);
  return checked === undefined ? undefined : async () => checked;
}

function checkedToken(token: string | undefined, from: string): string | undefined {
  const problem = token === undefined ? undefined : tokenProblem(token);
  if (problem !== undefined) throw new CredentialError(`${from}: ${problem}`);
  return token;
}

function parseApiEndpoint(text: string, from: string): Endpoint {
  let endpoint: Endpoint;
  try {
    endpoint = parseEndpoint(text);
  } catch (error) {
    throw new CredentialError(`${from}: ${error instanceof Error ? error.message : 'not an endpoint'}`);
  }
  if (endpoint.socketPath === undefined) return endpoint;
  throw new CredentialError(`${from}: the API server must be http:// or https://, not a socket`);
}

/** Whether what is sent to this host never leaves the machine. `hostname` is as in a URL: IPv6 in brackets. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'));
}
