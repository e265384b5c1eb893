/** A kubeconfig file: the part of it that says where the API server is and how to be let in. */
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { CredentialError } from '../credential-error.ts';
import { describeFile, readCredentialFile } from '../credential-file.ts';
import { quote } from '../quote.ts';
import { type Pem, readPem } from '../tls-files.ts';

/** What the current context of a kubeconfig comes to. The PEM texts and the endpoint are not checked yet. */
interface Kubeconfig {
  readonly endpoint: string;
  /** How an error about the endpoint begins. */
  readonly from: string;
  readonly ca: Pem | undefined;
  readonly cert: Pem | undefined;
  readonly key: Pem | undefined;
  readonly token: string | undefined;
  /** Absolute. It wins over `token`, as it does for kubectl. */
  readonly tokenFile: string | undefined;
  readonly insecureSkipTlsVerify: boolean;
  readonly servername: string | undefined;
}

const text = z.string().nullish();

const cluster = z.object({
  server: z.string().min(1),
  'certificate-authority': text,
  'certificate-authority-data': text,
  'insecure-skip-tls-verify': z.boolean().default(false),
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
  exec: z.unknown().optional(),
  'auth-provider': z.unknown().optional(),
  username: text,
  password: text,
  as: text,
  'as-uid': text,
  'as-groups': z.unknown().optional(),
  'as-user-extra': z.unknown().optional(),
});

/** Entries are checked only when they are the ones in use: others may be of any kind. */
const entries = z.array(z.looseObject({ name: z.string() })).nullish();

const config = z.object({
  'current-context': z.string().default(''),
  clusters: entries,
  contexts: entries,
  users: entries,
});

type User = z.infer<typeof user>;
type Maybe = string | null | undefined;

/** Each way of identifying that is not taken, and what to do instead. */
const REFUSED: readonly (readonly [keyof User, string])[] = [
  ['exec', 'a program that gives credentials (exec) is not run; use a token, a tokenFile or a client certificate'],
  ['auth-provider', 'an auth-provider is not supported; use a token, a tokenFile or a client certificate'],
  ['username', 'a username is not supported; use a token, a tokenFile or a client certificate'],
  ['password', 'a password is not supported; use a token, a tokenFile or a client certificate'],
  ...(['as', 'as-uid', 'as-groups', 'as-user-extra'] as const).map(
    (field) =>
      [field, `acting as another user (${field}) is not supported; give that user credentials of its own`] as const,
  ),
];

/** Reads the file and follows its current-context. `setting` names the file's setting. Throws CredentialError. */
export async function readKubeconfig(path: string, setting: string): Promise<Kubeconfig> {
  const from = describeFile(setting, path);
  const refuse = (problem: string): never => {
    throw new CredentialError(`${from}: ${problem}`);
  };
  const file = check(config, await readYaml(path, from), 'the file', refuse);

  const context = file['current-context'] || refuse('there is no current-context in it');
  const names = check(
    z.object({ cluster: z.string().min(1), user: z.string().default('') }),
    find(file.contexts, 'context', context, refuse),
    `context ${quote(context)}`,
    refuse,
  );

  const clusterName = `cluster ${quote(names.cluster)}`;
  const server = check(cluster, find(file.clusters, 'cluster', names.cluster, refuse), clusterName, refuse);
  if (server['proxy-url'])
    refuse(`${clusterName}: a proxy-url is not supported; the API server must be reachable directly`);

  const hasCa = server['certificate-authority'] || server['certificate-authority-data'];
  if (hasCa && server['insecure-skip-tls-verify'])
    refuse(`${clusterName}: a certificate-authority and insecure-skip-tls-verify contradict each other; take one away`);

  const userName = `user ${quote(names.user)}`;
  const identity = names.user === '' ? {} : find(file.users, 'user', names.user, refuse);
  const who = check(user, identity, userName, refuse);
  for (const [field, problem] of REFUSED) {
    if (who[field]) refuse(`${userName}: ${problem}`);
  }

  const folder = dirname(resolve(path));
  const pem = async (data: Maybe, file: Maybe, what: string): Promise<Pem | undefined> => {
    if (data) return { text: Buffer.from(data, 'base64').toString('utf8'), from: `${from}: ${what}-data` };
    return file ? readPem(resolve(folder, file), `${from}: ${what}`) : undefined;
  };
  const ca = await pem(server['certificate-authority-data'], server['certificate-authority'], 'certificate-authority');
  const cert = await pem(who['client-certificate-data'], who['client-certificate'], 'client-certificate');
  const key = await pem(who['client-key-data'], who['client-key'], 'client-key');
  if (cert && !key) refuse(`${userName}: there is a client-certificate without a client-key`);
  if (key && !cert) refuse(`${userName}: there is a client-key without a client-certificate`);

  return {
    endpoint: server.server,
    from: `${from}: ${clusterName}`,
    ca,
    cert,
    key,
    token: who.token || undefined,
    tokenFile: who.tokenFile ? resolve(folder, who.tokenFile) : undefined,
    insecureSkipTlsVerify: server['insecure-skip-tls-verify'],
    servername: server['tls-server-name'] || undefined,
  };
}

async function readYaml(path: string, from: string): Promise<unknown> {
  const content = await readCredentialFile(path, from);
  if (content.trim() === '') throw new CredentialError(`${from}: it is empty`);
  // The library's own messages quote the line that is wrong, and that may be a token.
  const document = parseDocument(content, { prettyErrors: false, logLevel: 'silent' });
  const [mistake] = document.errors;
  if (mistake !== undefined) {
    const line = content.slice(0, mistake.pos[0]).split('\n').length;
    throw new CredentialError(`${from}: it is no YAML (line ${line}: ${mistake.code})`);
  }
  try {
    return document.toJS();
  } catch {
    throw new CredentialError(`${from}: its YAML aliases cannot be followed`);
  }
}

/** What is under `kind` in the entry of that name: `clusters` has entries `{name, cluster}`. */
function find(
  list: z.infer<typeof entries>,
  kind: 'context' | 'cluster' | 'user',
  name: string,
  refuse: (problem: string) => never,
): unknown {
  const entry = list?.find((candidate) => candidate.name === name);
  return entry === undefined ? refuse(`there is no ${kind} ${quote(name)} in it`) : entry[kind];
}

function check<T>(schema: z.ZodType<T>, value: unknown, what: string, refuse: (problem: string) => never): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  return refuse(`${what}: ${where}${issue?.message ?? 'not as expected'}`);
}
