/** The web configuration file, in the format of Prometheus' exporter-toolkit: TLS, logins and headers of the port. */
import { createHash, X509Certificate } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { z } from 'zod';
import { CredentialError } from '../../credentials/credential-error.ts';
import { describeFile } from '../../credentials/credential-file.ts';
import { certificatesIn, checkedTls, type Pem, readPem } from '../../credentials/tls-files.ts';
import type { Settings } from '../../settings/settings.ts';
import { plural } from '../../text/plural.ts';
import { problemOf, type TlsSection, webConfigFile } from './web-config-schema.ts';

const SETTING = 'KUBE_REGISTER_WEB_CONFIG_FILE';

/** What `node:https` takes under the same names, and whether clients have certificates. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  /** The CA of client certificates. */
  readonly ca: string | undefined;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly honorCipherOrder: boolean;
  readonly clientCertificates: 'not asked for' | 'verified if given' | 'required';
}

export interface WebConfig {
  /** Undefined: plain http. */
  readonly tls: ServerTls | undefined;
  /** The bcrypt hash of each user's password. Empty: no passwords. */
  readonly users: ReadonlyMap<string, string>;
  /** Headers of every response, by name. Those of kube-register win. */
  readonly headers: Readonly<Record<string, string>>;
  /** What is valid but risky: one sentence each. */
  readonly warnings: readonly string[];
  /** Equal for equal contents of all files. */
  readonly digest: string;
}

/** The port without a web configuration file. */
export const NO_WEB_CONFIG: WebConfig = { tls: undefined, users: new Map(), headers: {}, warnings: [], digest: '' };

/** Whether clients can log in, by a password or a certificate. */
export function hasLogins({ tls, users }: WebConfig): boolean {
  return users.size > 0 || (tls !== undefined && tls.clientCertificates !== 'not asked for');
}

/** The configuration that the settings name, checked. Throws CredentialError. */
export async function loadWebConfig({
  webConfigFile: path,
  statusAccess,
}: Pick<Settings, 'webConfigFile' | 'statusAccess'>): Promise<WebConfig> {
  if (path === undefined) return NO_WEB_CONFIG;
  const config = await readWebConfig(path);
  if (statusAccess !== 'login' || hasLogins(config)) return config;
  throw new CredentialError(
    `${describeFile(SETTING, path)}: it has no basic_auth_users and no client_auth_type, so with KUBE_REGISTER_STATUS_ACCESS=login nobody could see the status`,
  );
}

async function readWebConfig(path: string): Promise<WebConfig> {
  const from = describeFile(SETTING, path);
  // Loaded only here: a YAML parser is a tenth of the time that the program takes to start.
  const { parseYaml, readYamlText } = await import('../../credentials/yaml-file.ts');
  const content = await readYamlText(path, from);
  // An empty file is one without TLS and without logins, as for the exporter-toolkit.
  const parsed = webConfigFile.safeParse(isEmpty(content) ? {} : parseYaml(content, from, 'unique keys'));
  if (!parsed.success) throw new CredentialError(`${from}: ${problemOf(parsed.error)}`);
  return configOf(parsed.data, content, path, from);
}

/** Nothing but comments, blank lines and marks of documents. */
function isEmpty(content: string): boolean {
  return content.split('\n').every((line) => /^\s*(#.*)?$|^(---|\.\.\.)\s*$/.test(line));
}

async function configOf(
  { tls_server_config, basic_auth_users: users, http_server_config: { headers } }: z.output<typeof webConfigFile>,
  content: string,
  path: string,
  from: string,
): Promise<WebConfig> {
  const tls = tls_server_config && (await readTls(tls_server_config, dirname(path), from));
  const warnings: string[] = [];
  if (users.size > 0 && tls === undefined) {
    warnings.push(
      `${from}: basic_auth_users without tls_server_config: passwords cross the network readable; add a certificate`,
    );
  }
  const until = tls && expiryOf(tls.cert);
  if (until !== undefined && until < new Date()) {
    warnings.push(
      `${from}: tls_server_config: the certificate has expired (${until.toISOString()}): browsers and Prometheus refuse it; renew it`,
    );
  }
  const digest = createHash('sha256')
    .update(JSON.stringify([content, tls]))
    .digest('hex');
  return { tls, users, headers, warnings, digest };
}

/** Paths are relative to the folder of the file, as for the exporter-toolkit. */
async function readTls(section: TlsSection, folder: string, from: string): Promise<ServerTls> {
  const pem = async (name: 'cert' | 'key' | 'client_ca'): Promise<Pem | undefined> => {
    const field = `${from}: tls_server_config.${name}`;
    const [text, file] = [section[name], section[`${name}_file`]];
    if (text !== undefined) return { text, from: field };
    return file === undefined ? undefined : readPem(resolve(folder, file), `${field}_file`);
  };
  const [cert, key, ca] = [await pem('cert'), await pem('key'), await pem('client_ca')];
  // An expired certificate is a warning: it must not keep the daemon from its work.
  const checked = checkedTls({ cert, key, ca, besideToken: true });
  const tls: ServerTls = {
    cert: checked.cert ?? '',
    key: checked.key ?? '',
    ca: checked.ca,
    minVersion: section.min_version,
    maxVersion: section.max_version,
    honorCipherOrder: section.prefer_server_cipher_suites,
    clientCertificates: section.client_auth_type,
  };
  try {
    createSecureContext(tls);
  } catch (error) {
    const reason = error instanceof Error && 'reason' in error ? String(error.reason) : 'no reason given';
    throw new CredentialError(`${from}: tls_server_config: OpenSSL refuses this certificate with its key (${reason})`);
  }
  return tls;
}

function expiryOf(cert: string): Date | undefined {
  const [own] = certificatesIn(cert);
  return own === undefined ? undefined : new Date(new X509Certificate(own).validTo);
}

/** `https, passwords of 2 users, client certificates required` */
export function describeWebConfig({ tls, users }: WebConfig): string {
  return [
    tls === undefined ? 'http' : 'https',
    ...(users.size > 0 ? [`passwords of ${plural(users.size, 'user')}`] : []),
    ...(tls && tls.clientCertificates !== 'not asked for' ? [`client certificates ${tls.clientCertificates}`] : []),
  ].join(', ');
}

/** Why a new version cannot take effect while the daemon runs, or undefined. */
export function restartReason(before: WebConfig, after: WebConfig): string | undefined {
  if ((before.tls === undefined) !== (after.tls === undefined)) {
    return `tls_server_config was ${after.tls === undefined ? 'removed' : 'added'}: restart kube-register to turn TLS ${after.tls === undefined ? 'off' : 'on'}`;
  }
  const asks = ({ tls }: WebConfig) => (tls?.clientCertificates ?? 'not asked for') !== 'not asked for';
  return asks(before) === asks(after)
    ? undefined
    : `client_auth_type was changed from or to NoClientCert: restart kube-register for that`;
}
