/** The command or the setting that mends what a request or a file of credentials failed of. */
import { CredentialError } from '../credential-error.ts';
import { RequestError, type Target } from '../http/request-error.ts';
import { isSettingName, type SettingName } from '../settings/table.ts';

/** An error that belongs to a server or a file; anything else is a mistake in the program and is thrown on. */
export type Failure = CredentialError | RequestError;

export function failureOf(error: unknown): Failure {
  if (error instanceof CredentialError || error instanceof RequestError) return error;
  throw error;
}

const SETTINGS = { fleet: 'KUBE_REGISTER_FLEET', kubernetes: 'KUBE_REGISTER_API' } as const;

/** What looks further into it, where nothing better is known. */
const LOOK = { fleet: 'journalctl -u fleet -n 50', kubernetes: 'kubectl get --raw /healthz' } as const;

/** It runs as a unit of fleet's in the cluster of deploy/, and as one of systemd's elsewhere. */
const IS_IT_RUNNING = 'fleetctl status kube-apiserver.service || systemctl status kube-apiserver';

/** The command that gives deploy/rbac.yaml's ServiceAccount another token. */
export const NEW_TOKEN = 'kubectl -n kube-register create token kube-register > FILE';

/** In the unit of the daemon, for whoever has too few file descriptors. */
export const MORE_FILES = 'LimitNOFILE=65536';

/** The command that a verdict ends with, if there is one and it can be pasted. */
export function commandIn(next: string | undefined): string | undefined {
  const command = /kubectl [^;]+$/.exec(next ?? '')?.[0];
  return command !== undefined && /^[\w\s.:/='{}",-]+$/.test(command) ? command : undefined;
}

/** Whether a text that others chose can stand in a command. */
export function isPlain(text: string): boolean {
  return /^[\w./:-]{1,64}$/.test(text);
}

export const GRANT = 'kubectl apply -f deploy/rbac.yaml';

/** `endpoint` is the server's, as it is set. */
export function mendOf(failure: Failure, endpoint = ''): string {
  if (failure instanceof CredentialError) return mendOfFile(failure);
  const { target, status, code = '' } = failure;
  if (status !== undefined) return mendOfStatus(failure, status, endpoint);
  if (endpoint.startsWith('unix:')) {
    if (['ENOENT', 'ECONNREFUSED'].includes(code)) return 'systemctl start fleet.socket';
    if (['EACCES', 'EPERM'].includes(code)) return 'usermod --append --groups fleet USER';
  }
  return mendOfTls(failure, endpoint) ?? mendOfConnection(target, code, endpoint);
}

/** Codes of TLS are many, and differ between its versions: what they mean is in the sentence that src/http made of them. */
function mendOfTls({ target, code = '', message }: RequestError, endpoint: string): string | undefined {
  const settings = SETTINGS[target];
  if (message.includes('does not speak TLS')) return `${settings}_ENDPOINT=${withProtocol('http', endpoint)}`;
  if (/wants a client certificate|refused the client certificate/.test(message)) {
    return `${settings}_CERT_FILE=/path/client.pem ${settings}_KEY_FILE=/path/client.key`;
  }
  if (message.includes('is for another name')) return `${settings}_ENDPOINT=https://NAME:PORT`;
  const shown = `openssl s_client -connect ${hostOf(endpoint)} < /dev/null`;
  if (/certificate.* (has expired|is not valid yet)/.test(message)) return `${shown} | openssl x509 -noout -dates`;
  if (/CERT|ISSUER|SIGNATURE/.test(code)) return `${settings}_CA_FILE=/path/of/its/ca.pem`;
  return message.includes('the TLS handshake') ? shown : undefined;
}

function mendOfConnection(target: Target, code: string, endpoint: string): string {
  if (['ETIMEDOUT', 'ECONNRESET', 'EPIPE', 'ECONNABORTED'].includes(code)) return LOOK[target];
  if (target === 'kubernetes' && code === 'ECONNREFUSED') return IS_IT_RUNNING;
  // To servers of the time of fleet, TLS that meets plain HTTP is no HTTP at all.
  if (code.startsWith('HPE_') && endpoint.startsWith('http:')) return speakTls(target, endpoint);
  return mendOfEndpoint(target, endpoint);
}

/** For a server that is not there, or another than is asked for. */
export function mendOfEndpoint(target: Target, endpoint = ''): string {
  const usual = endpoint.startsWith('http:') ? 'http://HOST:8080' : 'https://HOST:6443';
  return `${SETTINGS[target]}_ENDPOINT=${target === 'fleet' ? 'unix:///var/run/fleet.sock' : usual}`;
}

function mendOfStatus({ target, message }: RequestError, status: number, endpoint: string): string {
  if (status === 400 && message.includes('HTTPS server')) return speakTls(target, endpoint);
  if (target === 'fleet') return status >= 500 ? 'etcdctl cluster-health' : mendOfEndpoint(target);
  if (status === 401) return NEW_TOKEN;
  if (status === 403) return GRANT;
  return status < 400 || status === 404 ? mendOfEndpoint(target, endpoint) : LOOK.kubernetes;
}

function speakTls(target: Target, endpoint: string): string {
  return `${SETTINGS[target]}_ENDPOINT=${withProtocol('https', endpoint)}`;
}

function withProtocol(protocol: 'http' | 'https', endpoint: string): string {
  return endpoint.replace(/^https?:/, `${protocol}:`);
}

/** With a port, as openssl wants it. */
function hostOf(endpoint: string): string {
  if (!URL.canParse(endpoint)) return 'HOST:PORT';
  const { hostname, port } = new URL(endpoint);
  return `${hostname}:${port || 443}`;
}

/** How each setting that was given is spelled. */
export type Spellings = ReadonlyMap<SettingName, string>;

/** The setting beside which another one cannot stand. */
const RIVALS: Partial<Record<SettingName, SettingName>> = { HEALTHZ_URL: 'HEALTHZ_PORT', NODE_NAME: 'REVERSE_LOOKUP' };

/** A mend in the operator's own spelling: beside a flag the variable of that name would do nothing. */
export function asSpelled(mend: string, spellings: Spellings): string {
  if (spellings.has('KUBECONFIG') && /KUBE_REGISTER_API_(ENDPOINT|\w+_FILE)=/.test(mend)) {
    return 'kubectl config view --kubeconfig FILE';
  }
  const replaced: string[] = [];
  const spelled = mend.replace(/\bKUBE_REGISTER_(\w+)=/g, (assignment, name: string) => {
    if (!isSettingName(name)) return assignment;
    const rival = RIVALS[name];
    const inItsPlace = rival === undefined ? undefined : spellings.get(rival);
    if (inItsPlace !== undefined) replaced.push(inItsPlace);
    const spelling = spellings.get(name) ?? '';
    return spelling.startsWith('-') ? `${spelling}=` : assignment;
  });
  return replaced.length === 0 ? spelled : `${spelled} in place of ${replaced.join(', ')}`;
}

/** Its message begins with the setting, but for the files of a pod. */
function mendOfFile({ message }: CredentialError): string {
  const setting = /^KUBE_REGISTER_\w+/.exec(message)?.[0];
  return setting === undefined
    ? 'ls -l /var/run/secrets/kubernetes.io/serviceaccount/'
    : `${setting}=/path/of/the/right/file`;
}
