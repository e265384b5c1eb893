/** Kubeconfig files as people have them: encodings, YAML, fields, tokens, files beside them. */
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Bench } from './kubectl-lab.ts';
import { base64, type Variant } from './variant.ts';

const yaml = (bench: Bench) => stringify(bench.config(), { lineWidth: 0 });

/** The text in UTF-16 with a byte order mark. */
function utf16(text: string, order: 'LE' | 'BE'): Buffer {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return order === 'LE' ? bytes : bytes.swap16();
}

/** The configuration with other sections, as text. */
function withoutQuotes(bench: Bench, { cluster = '', user = `token: ${bench.token}`, more = '' }): string {
  return `apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: real, user: me}}]
clusters:
- name: real
  cluster:
    server: ${bench.url}
    certificate-authority: ${bench.caFile}
    ${cluster}
users:
- name: me
  user:
    ${user}
${more}`;
}

/** Where kubectl refuses a file that can only be meant in one way. */
const LENIENT = 'Read here as it can only be meant. What is sent to whom is the same.';
const DATA_FIRST = 'The data count and the file is not read, as kubectl says in its refusal.';

const EXEC_ANSWER = (token: string) =>
  JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1beta1', kind: 'ExecCredential', status: { token } });

export const FILES: readonly Variant[] = [
  { name: 'as kubectl writes it', make: (bench) => bench.config() },
  { name: 'UTF-8 with a byte order mark', make: (bench) => `\ufeff${yaml(bench)}` },
  { name: 'UTF-16 LE with a byte order mark', make: (bench) => utf16(yaml(bench), 'LE') },
  { name: 'UTF-16 BE with a byte order mark', make: (bench) => utf16(yaml(bench), 'BE') },
  { name: 'UTF-16 LE without a mark', make: (bench) => utf16(yaml(bench), 'LE').subarray(2) },
  { name: 'lines that end with CR LF', make: (bench) => yaml(bench).replaceAll('\n', '\r\n') },
  { name: 'lines that end with CR', make: (bench) => yaml(bench).replaceAll('\n', '\r') },
  { name: 'no line end at the end', make: (bench) => yaml(bench).trimEnd() },
  { name: 'empty file', make: () => '' },
  { name: 'indented by tabs', make: (bench) => yaml(bench).replaceAll(/^ +/gm, '\t') },
  { name: 'tabs before comments', make: (bench) => yaml(bench).replaceAll('\n', '\t# note\n') },
  { name: 'JSON', make: (bench) => JSON.stringify(bench.config()) },
  { name: 'JSON indented by tabs', make: (bench) => JSON.stringify(bench.config(), null, '\t') },
  {
    name: 'JSON with escaped slashes',
    differs: LENIENT,
    make: (bench) => JSON.stringify(bench.config()).replaceAll('/', String.raw`\/`),
  },
  { name: 'JSON with a byte order mark', make: (bench) => `\ufeff${JSON.stringify(bench.config())}` },
  {
    name: 'anchors and aliases',
    make: (bench) => withoutQuotes(bench, { user: `token: &t ${bench.token}\n    note: *t` }),
  },
  {
    name: 'merge key',
    make: (bench) =>
      withoutQuotes(bench, { user: '<<: *base', more: '' }).replace(
        'apiVersion',
        `x: &base {token: ${bench.token}}\napiVersion`,
      ),
  },
  {
    name: 'merge key with a list',
    make: (bench) =>
      withoutQuotes(bench, { user: '<<: [*first, *second]' }).replace(
        'apiVersion',
        `x: &first {token: ${bench.token}}\ny: &second {token: wrong}\napiVersion`,
      ),
  },
  { name: 'unknown alias', make: (bench) => withoutQuotes(bench, { user: 'token: *nobody' }) },
  { name: 'two documents, the first is right', make: (bench) => `${yaml(bench)}---\n{}\n` },
  { name: 'two documents, the second is right', make: (bench) => `{}\n---\n${yaml(bench)}` },
  { name: '`---` before the document', make: (bench) => `---\n${yaml(bench)}` },
  { name: '`---` twice before the document', make: (bench) => `---\n---\n${yaml(bench)}` },
  { name: '%YAML 1.1', make: (bench) => `%YAML 1.1\n---\n${yaml(bench)}` },
  { name: '%YAML 1.2', differs: LENIENT, make: (bench) => `%YAML 1.2\n---\n${yaml(bench)}` },
  { name: 'unknown fields', make: (bench) => bench.config({ cluster: { colour: 'blue' }, top: { extra: [1] } }) },
  {
    name: 'field names in another case',
    make: (bench) => bench.config({ user: { token: undefined, Token: bench.token } }),
  },
  {
    name: 'a field twice, the last is right',
    make: (bench) => withoutQuotes(bench, { user: `token: wrong\n    token: ${bench.token}` }),
  },
  {
    name: 'a field twice, the first is right',
    make: (bench) => withoutQuotes(bench, { user: `token: ${bench.token}\n    token: wrong` }),
  },
  {
    name: 'JSON, a field twice, the last is right',
    make: (bench) => JSON.stringify(bench.config()).replace('"token"', '"token":"wrong","token"'),
  },
  {
    name: 'empty strings',
    make: (bench) =>
      bench.config({ cluster: { 'proxy-url': '', 'tls-server-name': '' }, user: { username: '', as: '' } }),
  },
  {
    name: 'null fields',
    make: (bench) => bench.config({ cluster: { 'proxy-url': null }, user: { exec: null, 'as-groups': null } }),
  },
  {
    name: 'no apiVersion and kind',
    make: (bench) => bench.config({ top: { apiVersion: undefined, kind: undefined } }),
  },
  { name: 'another apiVersion', differs: LENIENT, make: (bench) => bench.config({ top: { apiVersion: 'v2' } }) },
  { name: 'another kind', differs: LENIENT, make: (bench) => bench.config({ top: { kind: 'Pod' } }) },
  {
    name: 'several contexts and users',
    make: (bench) =>
      bench.config({
        top: {
          contexts: [
            { name: 'there', context: { cluster: 'real', user: 'you' } },
            { name: 'here', context: { cluster: 'real', user: 'me' } },
          ],
          users: [
            { name: 'you', user: { token: 'wrong' } },
            { name: 'me', user: { token: bench.token } },
          ],
        },
      }),
  },
  {
    name: 'two users of one name',
    make: (bench) => bench.config({ top: { users: [1, 2].map(() => ({ name: 'me', user: { token: bench.token } })) } }),
  },
  { name: 'current-context missing', make: (bench) => bench.config({ top: { 'current-context': undefined } }) },
  {
    name: 'current-context that is not there',
    make: (bench) => bench.config({ top: { 'current-context': 'elsewhere' } }),
  },
  { name: 'context without a user', make: (bench) => bench.config({ context: { user: undefined } }) },
  { name: 'context with a user that is not there', make: (bench) => bench.config({ context: { user: 'you' } }) },
  {
    name: 'context with a cluster that is not there',
    make: (bench) => bench.config({ context: { cluster: 'unreal' } }),
  },
  { name: 'cluster without a server', make: (bench) => bench.config({ cluster: { server: undefined } }) },
  {
    name: 'an entry that is not used is of another shape',
    differs: LENIENT,
    make: (bench) =>
      bench.config({
        top: {
          users: [
            { name: 'me', user: { token: bench.token } },
            { name: 'you', user: 5 },
          ],
        },
      }),
  },
  ...['true', 'yes', 'on', 'y', '"true"', 'false', 'no', 'off', '', '~', '1'].map(
    (word): Variant => ({
      name: `insecure-skip-tls-verify: ${word || '(empty)'}, without a CA`,
      make: (bench) =>
        withoutQuotes(bench, { cluster: `insecure-skip-tls-verify: ${word}` }).replace(
          / +certificate-authority.*\n/,
          '',
        ),
    }),
  ),
  {
    name: 'insecure-skip-tls-verify with a CA',
    make: (bench) => bench.config({ cluster: { 'insecure-skip-tls-verify': true } }),
  },
  {
    name: 'server without a scheme',
    make: (bench) => bench.config({ cluster: { server: bench.url.replace('https://', '') } }),
  },
  {
    name: 'server as a name without a scheme',
    make: (bench) =>
      bench.config({
        cluster: { server: bench.url.replace('https://127.0.0.1', 'localhost'), 'tls-server-name': '127.0.0.1' },
      }),
  },
  { name: 'server with a slash at its end', make: (bench) => bench.config({ cluster: { server: `${bench.url}/` } }) },
  {
    name: 'server in capitals',
    make: (bench) => bench.config({ cluster: { server: bench.url.replace('https', 'HTTPS') } }),
  },
  {
    name: 'server with spaces around it',
    differs: LENIENT,
    make: (bench) => bench.config({ cluster: { server: ` ${bench.url} ` } }),
  },
  {
    name: 'server with a query',
    differs: 'kubectl drops the query without a word. The sentence says that there must be none.',
    says: /an endpoint must not have a query/,
    make: (bench) => bench.config({ cluster: { server: `${bench.url}/?a=b` } }),
  },
  {
    name: 'server over http where it speaks TLS',
    make: (bench) => bench.config({ cluster: { server: bench.url.replace('https', 'http') } }),
  },

  {
    name: 'token with a line end',
    differs: LENIENT,
    make: (bench) => bench.config({ user: { token: `${bench.token}\n` } }),
  },
  {
    name: 'token as a folded block',
    differs: LENIENT,
    make: (bench) => withoutQuotes(bench, { user: `token: >\n      ${bench.token}` }),
  },
  { name: 'token of digits without quotes', make: (bench) => withoutQuotes(bench, { user: 'token: 123456' }) },
  {
    name: 'tokenFile',
    make: async (bench) =>
      bench.config({ user: { token: undefined, tokenFile: await bench.write('token', bench.token) } }),
  },
  {
    name: 'tokenFile with line ends',
    make: async (bench) =>
      bench.config({ user: { token: undefined, tokenFile: await bench.write('token', `${bench.token}\r\n\n`) } }),
  },
  {
    name: 'tokenFile with a byte order mark',
    differs: LENIENT,
    make: async (bench) =>
      bench.config({ user: { token: undefined, tokenFile: await bench.write('token', `\ufeff${bench.token}`) } }),
  },
  {
    name: 'tokenFile by a relative path',
    make: async (bench) => {
      await bench.write('token', bench.token);
      return bench.config({ user: { token: undefined, tokenFile: 'token' } });
    },
  },
  {
    name: 'tokenFile that is missing',
    make: (bench) => bench.config({ user: { token: undefined, tokenFile: 'nothing' } }),
  },
  {
    name: 'tokenFile that is empty',
    make: async (bench) => bench.config({ user: { token: undefined, tokenFile: await bench.write('token', '') } }),
  },
  {
    name: 'tokenFile that is right beside a token that is wrong',
    make: async (bench) =>
      bench.config({ user: { token: 'wrong', tokenFile: await bench.write('token', bench.token) } }),
  },
  {
    name: 'tokenFile that is missing beside a token that is right',
    make: (bench) => bench.config({ user: { tokenFile: join(bench.folder, 'nothing') } }),
  },
  {
    name: 'tokenFile that is empty beside a token that is right',
    make: async (bench) => bench.config({ user: { tokenFile: await bench.write('token', '') } }),
  },

  {
    name: 'certificate-authority-data',
    make: (bench) =>
      bench.config({ cluster: { 'certificate-authority': undefined, 'certificate-authority-data': base64(bench.ca) } }),
  },
  {
    name: 'certificate-authority-data beside a file of another CA',
    differs: DATA_FIRST,
    make: async (bench) =>
      bench.config({
        cluster: {
          'certificate-authority': (await bench.root()).certFile,
          'certificate-authority-data': base64(bench.ca),
        },
      }),
  },
  {
    name: 'certificate-authority-data beside a file that is missing',
    differs: DATA_FIRST,
    make: (bench) =>
      bench.config({ cluster: { 'certificate-authority': 'nothing', 'certificate-authority-data': base64(bench.ca) } }),
  },
  {
    name: 'certificate-authority-data in lines',
    make: (bench) =>
      bench.config({
        cluster: {
          'certificate-authority': undefined,
          'certificate-authority-data': base64(bench.ca).replace(/.{60}/g, '$&\n'),
        },
      }),
  },
  {
    name: 'certificate-authority-data with spaces',
    differs: LENIENT,
    make: (bench) =>
      bench.config({
        cluster: {
          'certificate-authority': undefined,
          'certificate-authority-data': base64(bench.ca).replace(/.{60}/g, '$& '),
        },
      }),
  },
  {
    name: 'certificate-authority-data as PEM',
    make: (bench) =>
      bench.config({ cluster: { 'certificate-authority': undefined, 'certificate-authority-data': bench.ca } }),
  },
  {
    name: 'certificate-authority-data with several certificates',
    make: async (bench) =>
      bench.config({
        cluster: {
          'certificate-authority': undefined,
          'certificate-authority-data': base64((await bench.root()).cert + bench.ca),
        },
      }),
  },
  {
    name: 'certificate-authority by a relative path',
    make: async (bench) => {
      await bench.write('ca.pem', bench.ca);
      return bench.config({ cluster: { 'certificate-authority': 'ca.pem' } });
    },
  },
  {
    name: 'certificate-authority by a path relative to the parent folder',
    make: (bench) => bench.config({ cluster: { 'certificate-authority': '../ca.pem' } }),
  },
  {
    name: 'certificate-authority that is a symbolic link',
    make: async (bench) => {
      await symlink(bench.caFile, join(bench.folder, 'link.pem'));
      return bench.config({ cluster: { 'certificate-authority': 'link.pem' } });
    },
  },
  {
    name: 'certificate-authority that is missing',
    make: (bench) => bench.config({ cluster: { 'certificate-authority': 'nothing' } }),
  },
  {
    name: 'certificate-authority that is no PEM',
    make: async (bench) => bench.config({ cluster: { 'certificate-authority': await bench.write('ca.pem', 'none') } }),
  },

  {
    name: 'username and password',
    make: (bench) => bench.config({ user: { token: undefined, username: 'a', password: 'b' } }),
  },
  {
    name: 'username and password beside a token',
    make: (bench) => bench.config({ user: { username: 'a', password: 'b' } }),
  },
  {
    name: 'exec',
    make: (bench) =>
      bench.config({
        user: {
          token: undefined,
          exec: {
            apiVersion: 'client.authentication.k8s.io/v1beta1',
            command: 'echo',
            args: [EXEC_ANSWER(bench.token)],
          },
        },
      }),
    differs: 'No program is run. The sentence names what to use instead.',
    says: /use a token, a tokenFile or a client certificate/,
  },
  {
    name: 'exec beside a token',
    make: (bench) =>
      bench.config({ user: { exec: { apiVersion: 'client.authentication.k8s.io/v1beta1', command: 'false' } } }),
  },
  {
    name: 'exec beside a client certificate',
    make: async (bench) => {
      const { certFile, keyFile } = await bench.client();
      return bench.config({
        user: {
          token: undefined,
          'client-certificate': certFile,
          'client-key': keyFile,
          exec: { apiVersion: 'client.authentication.k8s.io/v1beta1', command: 'false' },
        },
      });
    },
  },
  {
    name: 'auth-provider',
    make: (bench) =>
      bench.config({
        user: {
          token: undefined,
          'auth-provider': { name: 'gcp', config: { 'access-token': bench.token, expiry: '2999-01-01T00:00:00Z' } },
        },
      }),
    says: /an auth-provider is not supported; use a token/,
  },
  {
    name: 'auth-provider that nobody knows',
    make: (bench) => bench.config({ user: { token: undefined, 'auth-provider': { name: 'nobody' } } }),
  },
  {
    name: 'proxy-url',
    make: async (bench) => bench.config({ cluster: { 'proxy-url': await bench.lab.fronts.startProxy() } }),
    differs: 'The daemon uses no proxies. The sentence says that the API server must be reachable directly.',
    says: /the API server must be reachable directly/,
  },
  {
    name: 'impersonation (as)',
    make: (bench) => bench.config({ user: { as: 'somebody', 'as-groups': ['system:masters'] } }),
    differs: 'The daemon acts as itself. The sentence says to give that user credentials of its own.',
    says: /use the credentials of that user/,
  },
];
