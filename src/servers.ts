/** The ways to fleet, to the API server and to kubelets, made from settings; nobody is asked yet. */
import { Resolver } from 'node:dns/promises';
import { reverseName } from './address.ts';
import type { Clock } from './clock.ts';
import { createHttpClient, type RetryOptions } from './http/axios-client.ts';
import type { HttpClient, RequestObserver } from './http/http-client.ts';
import type { KubeletProber } from './kubelet/kubelet.ts';
import { createKubeletProber, type KubeletProberOptions } from './kubelet/prober.ts';
import { type ApiAccess, readApiAccess } from './kubernetes/credentials.ts';
import { createNamer, type Namer } from './reconcile/naming.ts';
import type { Settings } from './settings/settings.ts';
import { readTlsFiles } from './tls-files.ts';
import { type TokenReadListener, tokenFileReader } from './token-file.ts';

const RETRIES: RetryOptions = { count: 2, minMs: 200, maxMs: 2_000, budgetMs: 10_000 };
const DNS_PATIENCE = { timeout: 2_000, tries: 2 };

/** Reads the files that the settings of fleet name. Throws CredentialError. */
export async function openFleet({ fleet }: Pick<Settings, 'fleet'>, observer: RequestObserver): Promise<HttpClient> {
  return createHttpClient({
    target: 'fleet',
    endpoint: fleet.endpoint,
    tls: { ...(await readTlsFiles(fleet, 'KUBE_REGISTER_FLEET')), insecureSkipVerify: false },
    timeoutMs: fleet.timeoutMs,
    observer,
    retries: RETRIES,
  });
}

/** Reads the files that the settings of the API server name. Throws CredentialError. */
export async function openKubernetes(
  { api }: Pick<Settings, 'api'>,
  observer: RequestObserver,
  onTokenRead: TokenReadListener = () => {},
): Promise<{ readonly http: HttpClient; readonly access: ApiAccess }> {
  const access = await readApiAccess({ ...api, onTokenRead });
  const { endpoint, tls, token } = access;
  const http = createHttpClient({
    target: 'kubernetes',
    endpoint,
    tls,
    ...(token === undefined ? {} : { token }),
    timeoutMs: api.timeoutMs,
    observer,
    retries: RETRIES,
  });
  return { http, access };
}

/** Reads the files that the settings of kubelets name. Throws CredentialError. */
export async function openKubelets(
  { kubelet }: Pick<Settings, 'kubelet'>,
  observer: KubeletProberOptions['observer'],
  onTokenRead: TokenReadListener = () => {},
): Promise<KubeletProber> {
  const { urlTemplates, timeoutMs, concurrency, tokenFile } = kubelet;
  const setting = 'KUBE_REGISTER_KUBELET_TOKEN_FILE';
  return createKubeletProber({
    urlTemplates,
    timeoutMs,
    concurrency,
    tls: await readTlsFiles(kubelet, 'KUBE_REGISTER_KUBELET'),
    ...(tokenFile === undefined ? {} : { token: await tokenFileReader(tokenFile, setting, onTokenRead) }),
    observer,
  });
}

/** What gives machines their names, with a resolver of its own; `close` cuts lookups that are under way. */
export function openNamer(
  { nodeName }: Pick<Settings, 'nodeName'>,
  clock: Clock,
): { readonly namer: Namer; close(): void } {
  const resolver = new Resolver(DNS_PATIENCE);
  const namer = createNamer(nodeName, (address) => resolver.resolvePtr(reverseName(address)), clock);
  return { namer, close: () => resolver.cancel() };
}
