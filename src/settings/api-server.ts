/** Where the API server is: what was set, else what a pod is given, else the local one. */
import { isIPv6 } from 'node:net';
import { LOCAL_API_SERVER, type Values } from './table.ts';
import { serverUrl } from './values.ts';

/** Exactly one of the three is defined. */
export interface ApiServer {
  readonly endpoint: string | undefined;
  /** The path of a kubeconfig file. */
  readonly kubeconfig: string | undefined;
  /** `https://HOST:PORT`, to be used with the files of the pod's service account. */
  readonly inCluster: string | undefined;
}

/** Where a pod finds its token: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

export function chooseApiServer(
  values: Pick<Values, 'API_ENDPOINT' | 'KUBECONFIG'>,
  env: Readonly<Record<string, string | undefined>>,
  fileExists: (path: string) => boolean,
): ApiServer {
  const { API_ENDPOINT: endpoint, KUBECONFIG: kubeconfig } = values;
  const none = { endpoint: undefined, kubeconfig: undefined, inCluster: undefined };
  if (endpoint !== undefined) return { ...none, endpoint };
  if (kubeconfig !== undefined) return { ...none, kubeconfig };
  const inCluster = serverOfPod(env['KUBERNETES_SERVICE_HOST'], env['KUBERNETES_SERVICE_PORT']);
  if (inCluster !== undefined && fileExists(SERVICE_ACCOUNT_TOKEN)) return { ...none, inCluster };
  return { ...none, endpoint: LOCAL_API_SERVER };
}

function serverOfPod(host: string | undefined, port: string | undefined): string | undefined {
  if (host === undefined || !/^\d+$/.test(port ?? '')) return undefined;
  return serverUrl(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`);
}
