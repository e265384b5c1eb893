/** The command or the setting that mends what a request or a file of credentials failed of. */
import { CredentialError } from '../credential-error.ts';
import { RequestError } from '../http/request-error.ts';

/** An error that belongs to a server or a file; anything else is a mistake in the program and is thrown on. */
export type Failure = CredentialError | RequestError;

export function failureOf(error: unknown): Failure {
  if (error instanceof CredentialError || error instanceof RequestError) return error;
  throw error;
}

const SETTINGS = { fleet: 'KUBE_REGISTER_FLEET', kubernetes: 'KUBE_REGISTER_API' } as const;

/** What looks further into it, where nothing better is known. */
const LOOK = { fleet: 'journalctl -u fleet -n 50', kubernetes: 'kubectl get --raw /healthz' } as const;

const WHERE = { fleet: 'unix:///var/run/fleet.sock', kubernetes: 'https://HOST:6443' } as const;

/** The command that gives deploy/rbac.yaml's ServiceAccount another token. */
export const NEW_TOKEN = 'kubectl -n kube-register create token kube-register > FILE';

/** In the unit of the daemon, for whoever has too few file descriptors. */
export const MORE_FILES = 'LimitNOFILE=65536';

export const GRANT = 'kubectl apply -f deploy/rbac.yaml';

/** `endpoint` is the server's, as it is set. */
export function mendOf(failure: Failure, endpoint = ''): string {
  if (failure instanceof CredentialError) return mendOfFile(failure);
  const { target, status, code = '' } = failure;
  const settings = SETTINGS[target];
  if (status !== undefined) return mendOfStatus(failure, status);
  if (endpoint.startsWith('unix:')) {
    if (['ENOENT', 'ECONNREFUSED'].includes(code)) return 'systemctl start fleet.socket';
    if (['EACCES', 'EPERM'].includes(code)) return 'usermod --append --groups fleet USER';
  }
  if (/CERT|ISSUER|SIGNATURE/.test(code)) return `${settings}_CA_FILE=/path/of/its/ca.pem`;
  if (/SSL|TLS|EPROTO/.test(code))
    return `${settings}_CERT_FILE=/path/client.pem ${settings}_KEY_FILE=/path/client.key`;
  if (code === 'ETIMEDOUT') return LOOK[target];
  return `${settings}_ENDPOINT=${WHERE[target]}`;
}

function mendOfStatus({ target }: RequestError, status: number): string {
  if (target === 'fleet')
    return status >= 500 ? 'etcdctl cluster-health' : `KUBE_REGISTER_FLEET_ENDPOINT=${WHERE.fleet}`;
  if (status === 401) return NEW_TOKEN;
  if (status === 403) return GRANT;
  return status === 404 ? 'KUBE_REGISTER_API_VERSION=auto' : LOOK.kubernetes;
}

/** Its message begins with the setting, but for the files of a pod. */
function mendOfFile({ message }: CredentialError): string {
  const setting = /^KUBE_REGISTER_\w+/.exec(message)?.[0];
  return setting === undefined
    ? 'ls -l /var/run/secrets/kubernetes.io/serviceaccount/'
    : `${setting}=/path/of/the/right/file`;
}
