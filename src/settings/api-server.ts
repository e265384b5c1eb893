/** Where the API server is: what was set; for a command what kubectl would use; what a pod is given; else the local one. */
import { isIPv6 } from 'node:net';
import { delimiter, join } from 'node:path';
import { unlessSecret } from '../credentials/secret.ts';
import { LOCAL_API_SERVER, type Values } from './table.ts';
import { serverUrl } from './values.ts';

/** Exactly one of `endpoint`, `kubeconfig` and `inCluster` is defined. */
export interface ApiServer {
  readonly endpoint: string | undefined;
  /** The path of a kubeconfig file. */
  readonly kubeconfig: string | undefined;
  /** What names that file. The last two are kubectl's, which the daemon does not read. */
  readonly kubeconfigFrom: 'KUBE_REGISTER_KUBECONFIG' | 'KUBECONFIG' | '~/.kube/config';
  /** The other files that KUBECONFIG lists: what an earlier one has wins. */
  readonly moreKubeconfigs: readonly string[];
  /** `https://HOST:PORT`, to be used with the files of the pod's service account. */
  readonly inCluster: string | undefined;
}

/** Who reads the settings: the daemon, or a command that a person types. */
export type Reader = 'daemon' | 'person';

export type Env = Readonly<Record<string, string | undefined>>;

/** Where a pod finds its token: https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** `fileExists` is asked for the token of a pod and, for a person, for the files of kubectl. */
export function chooseApiServer(
  values: Pick<Values, 'API_ENDPOINT' | 'KUBECONFIG'>,
  env: Env,
  fileExists: (path: string) => boolean,
  reader: Reader = 'daemon',
): ApiServer {
  const { API_ENDPOINT: endpoint, KUBECONFIG: kubeconfig } = values;
  const none: ApiServer = {
    endpoint: undefined,
    kubeconfig: undefined,
    kubeconfigFrom: 'KUBE_REGISTER_KUBECONFIG',
    moreKubeconfigs: [],
    inCluster: undefined,
  };
  if (endpoint !== undefined) return { ...none, endpoint };
  if (kubeconfig !== undefined) return { ...none, kubeconfig };
  if (reader === 'person') {
    const [first, ...moreKubeconfigs] = filesOfVariable(env, fileExists);
    if (first !== undefined) return { ...none, kubeconfig: first, kubeconfigFrom: 'KUBECONFIG', moreKubeconfigs };
    const home = join(env['HOME'] ?? '', '.kube', 'config');
    if ((env['HOME'] ?? '') !== '' && fileExists(home))
      return { ...none, kubeconfig: home, kubeconfigFrom: '~/.kube/config' };
  }
  const inCluster = serverOfPod(env['KUBERNETES_SERVICE_HOST'], env['KUBERNETES_SERVICE_PORT']);
  if (inCluster !== undefined && fileExists(SERVICE_ACCOUNT_TOKEN)) return { ...none, inCluster };
  return { ...none, endpoint: LOCAL_API_SERVER };
}

/** Says that the API server comes from a file of kubectl; undefined where a setting names it, or nothing does. */
export function kubectlFileNote({ kubeconfig, kubeconfigFrom, moreKubeconfigs }: ApiServer): string | undefined {
  if (kubeconfig === undefined || kubeconfigFrom === 'KUBE_REGISTER_KUBECONFIG') return undefined;
  const files = [kubeconfig, ...moreKubeconfigs]
    // A token may have been given in the place of a path.
    .map(unlessSecret)
    .join(delimiter);
  const from = kubeconfigFrom === 'KUBECONFIG' ? `KUBECONFIG=${files}` : files;
  return `no setting names the API server: using that of ${from}`;
}

/** As kubectl, those that exist; where none does, the first, so that its absence is told. */
function filesOfVariable(env: Env, fileExists: (path: string) => boolean): readonly string[] {
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  const there = listed.filter(fileExists);
  return there.length > 0 ? there : listed.slice(0, 1);
}

function serverOfPod(host: string | undefined, port: string | undefined): string | undefined {
  if (host === undefined || !/^\d+$/.test(port ?? '')) return undefined;
  return serverUrl(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`);
}
