/** The command or the setting that mends what a request or a file of credentials failed of. */
import { CredentialError } from '../../credentials/credential-error.ts';
import { type ConfigSource, type Origin, settingsSource } from '../../http/config-source.ts';
import { RequestError, type Target } from '../../http/request-error.ts';
import { ASKS_FOR_RIGHT } from '../../kubernetes/status.ts';
import { urlHost } from '../../network/address.ts';
import { envName, isSettingName, type SettingName } from '../../settings/table.ts';
import { canBePasted } from '../../status/explanation-commands.ts';

/** An error that belongs to a server or a file; anything else is a mistake in the program and is thrown on. */
export type Failure = CredentialError | RequestError;

export function failureOf(error: unknown): Failure {
  if (error instanceof CredentialError || error instanceof RequestError) return error;
  throw error;
}

/** A server of which something is wrong: as it is set, and where its parts are set. */
export interface Place {
  readonly endpoint: string;
  readonly source: ConfigSource;
  /** Which server it is, where that is known: as the era calls it. */
  readonly server?: string | undefined;
}

/** The places of servers about which nothing better is known. */
const USUAL: Readonly<Record<Target, Place>> = {
  fleet: { endpoint: '', source: settingsSource('fleet') },
  kubernetes: { endpoint: '', source: settingsSource('kubernetes') },
};

/** Commands that show more, where no mend is known. */
const LOOK = { fleet: 'journalctl -u fleet -n 50', kubernetes: 'kubectl get --raw /healthz' } as const;

/** It runs as a unit of fleet's in the cluster of deploy/, and as one of systemd's elsewhere. */
const STATUS_OF_API_SERVER = 'fleetctl status kube-apiserver.service || systemctl status kube-apiserver';

/** The command that gives deploy/rbac.yaml's ServiceAccount another token. */
const CREATE_TOKEN = 'kubectl -n kube-register create token kube-register';

/** A line for the unit of the daemon: raises the limit of file descriptors. */
export const RAISE_FILE_LIMIT = 'LimitNOFILE=65536';

/** The command that a verdict ends with, if there is one and it can be pasted. */
export function commandIn(next: string | undefined): string | undefined {
  const command = /kubectl [^;]+$/.exec(next ?? '')?.[0];
  return command !== undefined && canBePasted(command) ? command : undefined;
}

/** Whether a text from outside is safe in a command. */
export function isPlain(text: string): boolean {
  return /^[\w./:-]{1,64}$/.test(text);
}

/** The command that grants all that is needed where RBAC decides. */
const GRANT = 'kube-register manifests rbac | kubectl apply -f -';
/** The same for servers that know RBAC in v1beta1 alone: v1 came with v1.8. */
const GRANT_BETA = 'kube-register manifests rbac-v1beta1 | kubectl apply -f -';

/** `server` is how the era calls the server: `v1.7.16, using API v1`. */
export function mendOfRights(server = ''): string {
  return /^v?1\.[67]\b/.test(server) ? GRANT_BETA : GRANT;
}

/** `place` is that of the server that the failure is about. */
export function mendOf(failure: Failure, place?: Place): string {
  if (failure instanceof CredentialError) return mendOfFile(failure);
  const { target, status, code = '' } = failure;
  const at = place ?? USUAL[target];
  if (status !== undefined) return mendOfStatus(failure, status, at);
  if (at.endpoint.startsWith('unix:')) {
    if (['ENOENT', 'ECONNREFUSED'].includes(code)) return 'systemctl start fleet.socket';
    if (['EACCES', 'EPERM'].includes(code)) return 'usermod --append --groups fleet USER';
  }
  return mendOfTls(failure, at) ?? mendOfConnection(target, code, at);
}

/** Codes of TLS are many, and differ between its versions: what they mean is in the sentence that src/http made of them. */
function mendOfTls({ code = '', message }: RequestError, { endpoint, source }: Place): string | undefined {
  if (message.includes('does not speak TLS')) return mendOfServer(source, withProtocol('http', endpoint));
  if (/requires a client certificate|refused the client certificate/.test(message))
    return mendOfClientCertificate(source);
  if (/is for other names|no usable subjectAltName/.test(message)) return mendOfName(message, endpoint, source);
  if (source.legacyTls !== undefined && message.includes(source.legacyTls)) return source.legacyTls;
  const shown = `openssl s_client -connect ${hostOf(endpoint)} < /dev/null`;
  if (/certificate.* (has expired|is not valid yet)/.test(message)) return `${shown} | openssl x509 -noout -dates`;
  if (/CERT|ISSUER|SIGNATURE|INVALID_CA/.test(code)) return mendOfCa(source);
  return message.includes('the TLS handshake') ? shown : undefined;
}

/** The first of the names that the certificate has, which the sentence lists. */
function mendOfName(message: string, endpoint: string, source: ConfigSource): string {
  const [, listed = ''] = /is for other names \(([^,)\s]+)/.exec(message) ?? [];
  const name = isPlain(listed) && !listed.includes('*') ? listed : 'NAME';
  const { origin } = source;
  if (origin?.kind === 'kubeconfig') return setCluster(origin, `--tls-server-name=${name}`);
  const port = URL.canParse(endpoint) ? new URL(endpoint).port || '443' : 'PORT';
  return mendOfServer(source, `https://${urlHost(name)}:${port}`);
}

function mendOfConnection(target: Target, code: string, place: Place): string {
  if (['ETIMEDOUT', 'ECONNRESET', 'EPIPE', 'ECONNABORTED'].includes(code)) return LOOK[target];
  if (target === 'kubernetes' && code === 'ECONNREFUSED') return STATUS_OF_API_SERVER;
  // To servers of the time of fleet, TLS that meets plain HTTP is no HTTP at all.
  if (code.startsWith('HPE_') && place.endpoint.startsWith('http:')) return speakTls(place);
  return mendOfEndpoint(target, place);
}

/** For a server that is not there, or another than is asked for. */
export function mendOfEndpoint(target: Target, { endpoint, source }: Place = USUAL[target]): string {
  const usual = endpoint.startsWith('http:') ? 'http://HOST:8080' : 'https://HOST:6443';
  return mendOfServer(source, target === 'fleet' ? 'unix:///var/run/fleet.sock' : usual);
}

function mendOfStatus({ target, message }: RequestError, status: number, place: Place): string {
  if (status === 400 && /HTTPS server|this port speaks TLS/.test(message)) return speakTls(place);
  if (target === 'fleet') return status >= 500 ? 'etcdctl cluster-health' : mendOfEndpoint(target);
  if (status === 401) return mendOfToken(place.source);
  if (status === 403 && message.includes(ASKS_FOR_RIGHT)) return mendOfRights(place.server);
  return status <= 404 ? mendOfEndpoint(target, place) : LOOK.kubernetes;
}

function speakTls({ endpoint, source }: Place): string {
  return mendOfServer(source, withProtocol('https', endpoint));
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

type KubeconfigOrigin = Extract<Origin, { kind: 'kubeconfig' }>;

/** Changes a field of the cluster in the kubeconfig that was read. kubectl takes the field for data away by itself. */
function setCluster({ path, cluster }: KubeconfigOrigin, field: string): string {
  return `kubectl config set-cluster ${plainOr(cluster, 'CLUSTER')} ${field} --kubeconfig ${plainOr(path, 'FILE')}`;
}

function setUser({ path, user }: KubeconfigOrigin, fields: string): string {
  return `kubectl config set-credentials ${plainOr(user, 'USER')} ${fields} --kubeconfig ${plainOr(path, 'FILE')}`;
}

function plainOr(text: string | undefined, standIn: string): string {
  return text !== undefined && isPlain(text) ? text : standIn;
}

/** Sets another URL of the server. A pod has the URL of the Service `kubernetes`, which cannot be set. */
export function mendOfServer({ endpoint, origin }: ConfigSource, url: string): string {
  if (origin?.kind === 'kubeconfig') return setCluster(origin, `--server=${url}`);
  return origin?.kind === 'pod' ? 'kubectl get endpoints kubernetes' : `${endpoint}=${url}`;
}

/** `file` is where the CA certificates of the server are. */
export function mendOfCa({ ca, origin }: ConfigSource, file = '/path/of/its/ca.pem'): string {
  const setting = settingIn(ca);
  if (setting !== undefined) return `${setting}=${file}`;
  return origin?.kind === 'kubeconfig' ? setCluster(origin, `--certificate-authority=${file}`) : ca;
}

/** Another client certificate. */
export function mendOfClientCertificate({ clientCertificate, origin }: ConfigSource): string {
  const [cert, key] = ['/path/client.pem', '/path/client.key'];
  const [certSetting, keySetting] = clientCertificate.match(/\bKUBE_REGISTER_\w+/g) ?? [];
  if (certSetting !== undefined && keySetting !== undefined) return `${certSetting}=${cert} ${keySetting}=${key}`;
  return origin?.kind === 'kubeconfig'
    ? setUser(origin, `--client-certificate=${cert} --client-key=${key}`)
    : clientCertificate;
}

/** A new token, where it is read. One that is mounted into a pod is renewed by Kubernetes, or comes with a new pod. */
export function mendOfToken({ credentials, origin }: ConfigSource): string {
  if (settingIn(credentials) !== undefined || origin === undefined) return `${CREATE_TOKEN} > FILE`;
  if (origin.kind === 'pod') return 'kubectl -n NAMESPACE delete pod POD';
  return origin.tokenFile === undefined
    ? setUser(origin, `--token="$(${CREATE_TOKEN})"`)
    : `${CREATE_TOKEN} > ${plainOr(origin.tokenFile, 'FILE')}`;
}

/** Credentials where none are sent at all. */
export function mendOfNoCredentials(source: ConfigSource): string {
  return source.origin === undefined ? 'KUBE_REGISTER_API_TOKEN_FILE=/path/of/a/token' : mendOfToken(source);
}

function settingIn(phrase: string): string | undefined {
  return /^KUBE_REGISTER_\w+/.exec(phrase)?.[0];
}

/** How each setting that was given is spelled. */
export type Spellings = ReadonlyMap<SettingName, string>;

/** Settings that exclude each other. */
const RIVALS: Partial<Record<SettingName, SettingName>> = { HEALTHZ_URL: 'HEALTHZ_PORT', NODE_NAME: 'REVERSE_LOOKUP' };

/** The unit whose settings are checked: the line of each variable in its files, and the file for another one. */
export interface SettingPlaces {
  readonly places: ReadonlyMap<string, string>;
  readonly file: string;
}

/**
 * A mend in the operator's own spelling: beside a flag the variable of that name would do nothing. With a unit it names the file and
 * the line to change.
 */
export function spelledAs(mend: string, spellings: Spellings, unit?: SettingPlaces): string {
  const spelled = inOwnSpelling(mend, spellings);
  if (unit === undefined) return spelled;
  const leftOut = /^unset KUBE_REGISTER_(\w+)$/.exec(spelled)?.[1] ?? '';
  if (isSettingName(leftOut)) return `${unit.places.get(envName(leftOut)) ?? unit.file}: remove ${envName(leftOut)}`;
  const [, name = ''] = /^KUBE_REGISTER_(\w+)=/.exec(spelled) ?? [];
  if (!isSettingName(name)) return spelled;
  const place = unit.places.get(envName(name));
  return place === undefined ? `${unit.file}: [Service] Environment="${spelled}"` : `${place}: ${spelled}`;
}

function inOwnSpelling(mend: string, spellings: Spellings): string {
  const replaced: string[] = [];
  const spelled = mend.replace(/\bKUBE_REGISTER_(\w+)=/g, (assignment, name: string) => {
    if (!isSettingName(name)) return assignment;
    const rival = RIVALS[name];
    const inItsPlace = rival === undefined ? undefined : spellings.get(rival);
    if (inItsPlace !== undefined) replaced.push(inItsPlace);
    const spelling = spellings.get(name) ?? '';
    return spelling.startsWith('-') ? `${spelling}=` : assignment;
  });
  const leftOut = /^unset KUBE_REGISTER_(\w+)$/.exec(mend)?.[1] ?? '';
  const flag = isSettingName(leftOut) ? (spellings.get(leftOut) ?? '') : '';
  if (flag.startsWith('-')) return `leave out ${flag}`;
  return replaced.length === 0 ? spelled : `${spelled} # in place of ${replaced.join(', ')}`;
}

/** Its message begins with the setting, but for the files of a pod. */
function mendOfFile({ message }: CredentialError): string {
  const setting = settingIn(message);
  return setting === undefined
    ? 'ls -l /var/run/secrets/kubernetes.io/serviceaccount/'
    : `${setting}=/path/of/the/right/file`;
}
