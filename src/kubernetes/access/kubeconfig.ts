/** A kubeconfig file: the cluster and the user of its current context. */
import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { CredentialError } from '../../credentials/credential-error.ts';
import { describeFile } from '../../credentials/credential-file.ts';
import { mayBeSecret, NOT_SHOWN } from '../../credentials/secret.ts';
import { type Pem, readPem } from '../../credentials/tls-files.ts';
import { parseYaml, readYamlText } from '../../credentials/yaml-file.ts';
import type { ConfigSource } from '../../http/config-source.ts';
import { quote } from '../../text/quote.ts';

/** The cluster and the user of the current context. The PEM texts and the endpoint are not checked yet. */
interface Kubeconfig {
  readonly endpoint: string;
  /** How an error about the endpoint begins. */
  readonly from: string;
  readonly ca: Pem | undefined;
  readonly cert: Pem | undefined;
  readonly key: Pem | undefined;
  readonly token: string | undefined;
  /** Absolute. It wins over `token` once there is a token in it, as it does for kubectl. */
  readonly tokenFile: string | undefined;
  readonly insecureSkipTlsVerify: boolean;
  readonly servername: string | undefined;
  /** The fields of this file, for advice. */
  readonly source: Pick<
    ConfigSource,
    'endpoint' | 'ca' | 'clientCertificate' | 'credentials' | 'serverName' | 'origin'
  >;
}

/** What is empty or null is not there, as for Go. */
const text = z
  .string()
  .nullish()
  .transform((value) => value || undefined);
const list = z.array(z.unknown()).nullish();
const isObject = z.looseObject({});

const cluster = z.object({
  server: text,
  'certificate-authority': text,
  'certificate-authority-data': text,
  'insecure-skip-tls-verify': z.boolean().nullish(),
  'tls-server-name': text,
  'proxy-url': text,
});

const user = z.object({
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  token: text,
  tokenFile: text,
  exec: isObject.nullish(),
  'auth-provider': isObject.nullish(),
  username: text,
  password: text,
  as: text,
  'as-uid': text,
  'as-groups': list.transform((groups) => (groups?.length ? groups : undefined)),
  'as-user-extra': isObject
    .nullish()
    .transform((extra) => (extra && Object.keys(extra).length > 0 ? extra : undefined)),
});

/** Entries are checked only when they are the ones in use: others may be of any kind. */
const entries = z.array(z.looseObject({ name: z.string().nullish() }).nullish()).nullish();

const config = z.object({ 'current-context': text, clusters: entries, contexts: entries, users: entries });

type User = z.infer<typeof user>;

/** What to do instead of a way of identifying that is not supported. */
const INSTEAD = 'use a token, a tokenFile or a client certificate';

function hasToken({ token, tokenFile }: User): boolean {
  return token !== undefined || tokenFile !== undefined;
}

/** Why a user cannot be used, or undefined. */
function userProblem(who: User): string | undefined {
  for (const field of ['as', 'as-uid', 'as-groups', 'as-user-extra'] as const) {
    if (who[field]) return `impersonation (${field}) is not supported; use the credentials of that user`;
  }
  if (who['auth-provider']) return `an auth-provider is not supported; ${INSTEAD}`;
  // kubectl does not run it either where there is a token.
  if (who.exec && !hasToken(who)) return `a credential plugin (exec) is not supported; ${INSTEAD}`;
  const hasCertificate = who['client-certificate'] !== undefined || who['client-certificate-data'] !== undefined;
  for (const field of ['username', 'password'] as const) {
    if (who[field] === undefined) continue;
    // kubectl refuses two kinds of credentials in a header; the certificate is enough for the server.
    if (hasToken(who)) return `a ${field} beside a token is ambiguous; remove one of them`;
    if (!hasCertificate) return `a ${field} is not supported; ${INSTEAD}`;
  }
  return undefined;
}

/** The entries of the file that the current context names. */
interface CurrentContext {
  readonly context: string;
  readonly clusterName: string;
  readonly server: z.infer<typeof cluster>;
  /** Undefined where the context has no user. */
  readonly userName: string | undefined;
  readonly who: User;
}

/** Throws what an error about the file throws. */
type Refuse = (problem: string) => never;

/** One file, parsed; its entries are not checked yet. */
interface ConfigFile {
  readonly path: string;
  /** How an error about it begins. */
  readonly from: string;
  readonly refuse: Refuse;
  readonly content: z.infer<typeof config>;
}

/**
 * Reads the file and follows its current-context. `setting` names the file's setting. `others` are more files, as KUBECONFIG lists
 * them: what an earlier one has wins. Throws CredentialError.
 */
export async function readKubeconfig(
  path: string,
  setting: string,
  others: readonly string[] = [],
): Promise<Kubeconfig> {
  const [first, ...more] = await Promise.all([path, ...others].map((each) => readFile(each, setting)));
  if (first === undefined) throw new Error('no kubeconfig file is named');
  return readContext(more.length === 0 ? first : fileOfContext([first, ...more]));
}

async function readFile(path: string, setting: string): Promise<ConfigFile> {
  const from = describeFile(setting, path);
  const refuse: Refuse = (problem) => {
    throw new CredentialError(`${from}: ${problem}`);
  };
  const document = parseYaml(await readYamlText(path, from), from, 'last of equal keys');
  return { path, from, refuse, content: check(config, document, 'the file', refuse) };
}

/** The file that has the current context of all of them, with its cluster and its user, under the names that kubectl would find there. */
function fileOfContext(files: readonly [ConfigFile, ...ConfigFile[]]): ConfigFile {
  const [{ refuse }] = files;
  const context = files.map(({ content }) => content['current-context']).find((name) => name !== undefined);
  if (context === undefined) return refuse('neither it nor another file of the list has a current-context');
  const owner = files.find(({ content }) => has(content.contexts, context));
  if (owner === undefined) return refuse(`neither it nor another file of the list has a context ${quote(context)}`);
  const { cluster, user } = namesIn(owner.content, context, owner.refuse);
  const isOwn = (kind: 'clusters' | 'users', name: string | undefined) =>
    name === undefined || files.find(({ content }) => has(content[kind], name)) === owner;
  if (isOwn('clusters', cluster) && isOwn('users', user))
    return { ...owner, content: { ...owner.content, 'current-context': context } };
  return owner.refuse(
    `context ${quote(context)} has its cluster or its user in another file; put them into one: kubectl config view --flatten --minify > FILE`,
  );
}

function has(list: z.infer<typeof entries>, name: string): boolean {
  return list?.some((entry) => entry?.name === name) ?? false;
}

async function readContext({ path, from, refuse, content }: ConfigFile): Promise<Kubeconfig> {
  const current = currentContext(content, refuse);
  const { clusterName, server, who } = current;
  const folder = dirname(resolve(path));
  return {
    endpoint: server.server ?? refuse(`cluster ${quote(clusterName)}: it has no server`),
    from: `${from}: cluster ${quote(clusterName)}`,
    ...(await readPems(current, folder, from, refuse)),
    token: who.token?.trim(),
    tokenFile: who.tokenFile === undefined ? undefined : resolve(folder, who.tokenFile),
    insecureSkipTlsVerify: server['insecure-skip-tls-verify'] ?? false,
    servername: server['tls-server-name'],
    source: sourceOf(current, path, folder),
  };
}

/** Finds and checks the cluster and the user of the current context. */
function currentContext(file: ConfigFile['content'], refuse: Refuse): CurrentContext {
  const context = file['current-context'] ?? refuse('it has no current-context');
  const names = namesIn(file, context, refuse);
  const clusterName = names.cluster ?? refuse(`context ${quote(context)} has no cluster`);
  const ofCluster = `cluster ${quote(clusterName)}`;
  const server = check(cluster, find(file.clusters, 'cluster', clusterName, refuse), ofCluster, refuse);
  if (server['proxy-url'])
    refuse(`${ofCluster}: a proxy-url is not supported; the API server must be reachable directly`);
  const hasCa = server['certificate-authority'] || server['certificate-authority-data'];
  if (hasCa && server['insecure-skip-tls-verify'])
    refuse(`${ofCluster}: a certificate-authority and insecure-skip-tls-verify contradict each other; remove one`);

  const ofUser = describeUser(names.user);
  const identity = names.user === undefined ? {} : find(file.users, 'user', names.user, refuse);
  const who = check(user, identity, ofUser, refuse);
  const problem = userProblem(who);
  if (problem !== undefined) refuse(`${ofUser}: ${problem}`);
  return { context, clusterName, server, userName: names.user, who };
}

/** The names of the cluster and the user of a context. */
function namesIn(file: ConfigFile['content'], context: string, refuse: Refuse) {
  const found = find(file.contexts, 'context', context, refuse);
  return check(z.object({ cluster: text, user: text }), found, `context ${quote(context)}`, refuse);
}

/** Reads the certificates and the key. Paths are relative to the folder of the file. */
async function readPems(
  { server, userName, who }: CurrentContext,
  folder: string,
  from: string,
  refuse: Refuse,
): Promise<Pick<Kubeconfig, 'ca' | 'cert' | 'key'>> {
  const pem = async (data: string | undefined, file: string | undefined, what: string): Promise<Pem | undefined> => {
    if (data) return { text: Buffer.from(data, 'base64').toString('utf8'), from: `${from}: ${what}-data` };
    return file ? readPem(resolve(folder, file), `${from}: ${what}`) : undefined;
  };
  const ca = await pem(server['certificate-authority-data'], server['certificate-authority'], 'certificate-authority');
  const cert = await pem(who['client-certificate-data'], who['client-certificate'], 'client-certificate');
  // With a token, kubectl ignores a key without a certificate.
  const isKeyIgnored = cert === undefined && hasToken(who);
  const key = isKeyIgnored ? undefined : await pem(who['client-key-data'], who['client-key'], 'client-key');
  if (cert && !key) refuse(`${describeUser(userName)}: it has a client-certificate without a client-key`);
  if (key && !cert) refuse(`${describeUser(userName)}: it has a client-key without a client-certificate`);
  return { ca, cert, key };
}

/** The names of the fields that are in use, for advice. */
function sourceOf(
  { context, clusterName, server, userName, who }: CurrentContext,
  path: string,
  folder: string,
): Kubeconfig['source'] {
  const inCluster = `of cluster ${quote(clusterName)} in ${shownPath(path)}`;
  const user = userName === undefined ? `the user that context ${quote(context)} lacks` : describeUser(userName);
  const ofUser = `of ${user} in ${shownPath(path)}`;
  const certField = `client-certificate${who['client-certificate-data'] ? '-data' : ''}`;
  const keyField = `client-key${who['client-key-data'] ? '-data' : ''}`;
  return {
    endpoint: `server ${inCluster}`,
    ca: `certificate-authority${server['certificate-authority-data'] ? '-data' : ''} ${inCluster}`,
    clientCertificate: `${certField} and ${keyField} ${ofUser}`,
    credentials: `the credentials ${ofUser}`,
    serverName: `tls-server-name ${inCluster}`,
    origin: {
      kind: 'kubeconfig',
      path: shownPath(path),
      cluster: clusterName,
      user: userName,
      tokenFile: who.tokenFile === undefined ? undefined : shownPath(resolve(folder, who.tokenFile)),
    },
  };
}

function describeUser(name: string | undefined): string {
  return name === undefined ? 'no user' : `user ${quote(name)}`;
}

/** What is under `kind` in the entry of that name: `clusters` has entries `{name, cluster}`. */
function find(
  list: z.infer<typeof entries>,
  kind: 'context' | 'cluster' | 'user',
  name: string,
  refuse: Refuse,
): unknown {
  const [entry, second] = list?.filter((candidate) => candidate?.name === name) ?? [];
  if (second) refuse(`it has two entries for ${kind} ${quote(name)}; remove one`);
  return entry ? (entry[kind] ?? {}) : refuse(`it has no ${kind} ${quote(name)}`);
}

/** A token may have been given in the place of the path. */
function shownPath(path: string): string {
  return mayBeSecret(path) ? NOT_SHOWN : path;
}

function check<T>(schema: z.ZodType<T>, value: unknown, what: string, refuse: Refuse): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  const problem = issue?.message.replace(/^Invalid input: /, '') ?? 'not as expected';
  const advice = problem.startsWith('expected string') ? '; put it in quotes' : '';
  return refuse(`${what}: ${where}${problem}${advice}`);
}
