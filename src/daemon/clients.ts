/** Makes the clients of fleet, the API server, kubelets and DNS from the settings; sends no request. */

import { readTlsFiles } from '../credentials/tls-files.ts';
import { type TokenReadListener, tokenFileReader } from '../credentials/token-file.ts';
import { createHttpClient } from '../http/axios-client.ts';
import { proxyVariableFor, settingsSource } from '../http/config-source.ts';
import type { HttpClient, RequestObserver } from '../http/http-client.ts';
import type { RetryOptions } from '../http/retry.ts';
import type { KubeletProber } from '../kubelet/kubelet.ts';
import { createKubeletProber, type KubeletProberOptions } from '../kubelet/prober.ts';
import { type ApiAccess, readApiAccess } from '../kubernetes/access/credentials.ts';
import { reverseName } from '../network/address.ts';
import { FreshResolver } from '../network/resolver.ts';
import { createNamer, type Namer } from '../reconcile/observe/naming.ts';
import type { Settings } from '../settings/settings.ts';
import type { Clock } from '../time/clock.ts';

const RETRIES: RetryOptions = { count: 2, minMs: 200, maxMs: 2_000, budgetMs: 10_000 };

/** Makes the client of fleet. Throws CredentialError when a file that its settings name cannot be used. */
export async function openFleet(
  { fleet, proxyVariables }: Pick<Settings, 'fleet' | 'proxyVariables'>,
  observer: RequestObserver,
): Promise<HttpClient> {
  const { endpoint, timeoutMs, legacyTls } = fleet;
  const settings = settingsSource('fleet');
  const legacy = { allowed: legacyTls, setting: 'KUBE_REGISTER_FLEET_LEGACY_TLS=true' };
  return createHttpClient({
    target: 'fleet',
    endpoint,
    tls: { ...(await readTlsFiles(fleet, 'KUBE_REGISTER_FLEET', legacy)), insecureSkipVerify: false },
    timeoutMs,
    source: {
      ...settings,
      ...(legacyTls && { legacyTls: undefined }),
      proxyVariable: proxyVariableFor(endpoint, proxyVariables),
    },
    observer,
    retries: RETRIES,
  });
}

/** Makes the client of the API server. Throws CredentialError when a file that its settings name cannot be used. */
export async function openKubernetes(
  { api, proxyVariables }: Pick<Settings, 'api' | 'proxyVariables'>,
  observer: RequestObserver,
  onTokenRead: TokenReadListener = () => {},
): Promise<{ readonly http: HttpClient; readonly access: ApiAccess }> {
  const access = await readApiAccess({ ...api, proxyVariables, onTokenRead });
  const { endpoint, tls, token, source } = access;
  const http = createHttpClient({
    target: 'kubernetes',
    endpoint,
    tls,
    ...(token === undefined ? {} : { token }),
    timeoutMs: api.timeoutMs,
    source,
    observer,
    retries: RETRIES,
  });
  return { http, access };
}

/** Makes the client of kubelets. Throws CredentialError when a file that its settings name cannot be used. */
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

/** Makes the namer of new nodes, with a resolver of its own; `close` ends pending lookups. */
export function openNamer(
  { nodeName }: Pick<Settings, 'nodeName'>,
  clock: Clock,
): { readonly namer: Namer; close(): void } {
  const resolver = new FreshResolver();
  const namer = createNamer(nodeName, (address) => resolver.resolvePtr(reverseName(address)), clock);
  return { namer, close: () => resolver.close() };
}
