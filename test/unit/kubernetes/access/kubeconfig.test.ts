import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { CredentialError } from '../../../../src/credentials/credential-error.ts';
import { readKubeconfig } from '../../../../src/kubernetes/access/kubeconfig.ts';

const CA = readFileSync(new URL('../../../certificates/ca.pem', import.meta.url), 'utf8');
const CERT = readFileSync(new URL('../../../certificates/client.pem', import.meta.url), 'utf8');
const KEY = readFileSync(new URL('../../../certificates/client.key', import.meta.url), 'utf8');

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  path = join(folder, 'config');
});

afterEach(async () => rm(folder, { recursive: true }));

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function config(parts: { cluster?: object; user?: object; context?: object; top?: object }): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'lab', user: 'me', ...parts.context } }],
    clusters: [{ name: 'lab', cluster: { server: 'https://10.0.0.1:6443', ...parts.cluster } }],
    users: [{ name: 'me', user: { ...parts.user } }],
    ...parts.top,
  };
}

async function read(content: object | string) {
  const isText = typeof content === 'string' || Buffer.isBuffer(content);
  await writeFile(path, isText ? content : stringify(content));
  return readKubeconfig(path, 'KUBECONFIG');
}

async function problemOf(content: object | string): Promise<string> {
  const error: unknown = await read(content).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof CredentialError)) throw new Error('no CredentialError', { cause: error });
  return error.message.replace(path, '<file>').replace(folder, '<folder>');
}

describe('a kubeconfig file', () => {
  it('gives the endpoint, the certificates and the token of its current context', async () => {
    const found = await read(
      config({
        cluster: { 'certificate-authority-data': base64(CA), 'tls-server-name': 'kubernetes' },
        user: { token: 'secret', 'client-certificate-data': base64(CERT), 'client-key-data': base64(KEY) },
        top: { preferences: {}, extensions: [{ name: 'x', extension: {} }] },
      }),
    );
    expect(found).toMatchObject({
      endpoint: 'https://10.0.0.1:6443',
      ca: { text: CA },
      cert: { text: CERT },
      key: { text: KEY },
      token: 'secret',
      tokenFile: undefined,
      insecureSkipTlsVerify: false,
      servername: 'kubernetes',
    });
  });

  it('names files relative to the folder it is in', async () => {
    await mkdir(join(folder, 'pki'));
    await writeFile(join(folder, 'pki', 'ca.crt'), CA);
    await writeFile(join(folder, 'me.crt'), CERT);
    await writeFile(join(folder, 'me.key'), KEY);
    const found = await read(
      config({
        cluster: { 'certificate-authority': 'pki/ca.crt' },
        user: { 'client-certificate': 'me.crt', 'client-key': join(folder, 'me.key'), tokenFile: './token' },
      }),
    );
    expect([found.ca?.text, found.cert?.text, found.key?.text]).toEqual([CA, CERT, KEY]);
    expect(found.tokenFile).toBe(join(folder, 'token'));
  });

  it('prefers embedded data to a file, as kubectl does', async () => {
    const found = await read(
      config({ cluster: { 'certificate-authority': 'absent', 'certificate-authority-data': base64(CA) } }),
    );
    expect(found.ca?.text).toBe(CA);
  });

  it('may say that the certificate is not to be verified', async () => {
    expect(await read(config({ cluster: { 'insecure-skip-tls-verify': true } }))).toMatchObject({
      insecureSkipTlsVerify: true,
    });
  });

  it('may have a context without a user, and empty fields', async () => {
    expect(await read(config({ context: { user: '' }, cluster: { 'proxy-url': '' } }))).toMatchObject({
      endpoint: 'https://10.0.0.1:6443',
      token: undefined,
    });
    expect(await read(config({ user: { token: null, exec: null } }))).toMatchObject({ token: undefined });
  });

  it('may be JSON', async () => {
    expect(await read(JSON.stringify(config({})))).toMatchObject({ endpoint: 'https://10.0.0.1:6443' });
  });

  it.each([
    ['UTF-8 with a byte order mark', (text: string) => Buffer.from(`\ufeff${text}`)],
    ['UTF-16', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16, big end first', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
    ['lines that end in CRLF', (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'))],
    ['lines that end in CR', (text: string) => Buffer.from(text.replaceAll('\n', '\r'))],
  ])('may be in %s', async (_, encode) => {
    const text = stringify(
      config({ context: { user: 'gr\u00fcn' }, top: { users: [{ name: 'gr\u00fcn', user: { token: 't' } }] } }),
    );
    expect(await read(encode(text))).toMatchObject({ endpoint: 'https://10.0.0.1:6443', token: 't' });
  });

  /** With these lines as the cluster and the user, and these before and behind the rest. */
  const yaml = ({ cluster = '', user = '', before = '', behind = '' }) => `${before}current-context: here
contexts:
- {name: here, context: {cluster: lab, user: me}}
clusters:
- name: lab
  cluster:
    server: https://10.0.0.1:6443
${cluster}
users:
- name: me
  user:
    token: t
${user}
${behind}`;
  const INSECURE = { insecureSkipTlsVerify: true };
  const SECURE = { insecureSkipTlsVerify: false };

  // Each was given to kubectl 1.32.
  it.each<[string, string, object]>([
    ['merge keys', yaml({ before: 'x: &x {insecure-skip-tls-verify: true}\n', cluster: '    <<: *x' }), INSECURE],
    [
      'merge keys of several maps',
      yaml({
        before: 'x: &x {tls-server-name: k}\ny: &y {tls-server-name: l, insecure-skip-tls-verify: yes}\n',
        cluster: '    <<: [*x, *y]',
      }),
      { ...INSECURE, servername: 'k' },
    ],
    ['anchors', yaml({ before: 'x: &x k\n', cluster: '    tls-server-name: *x' }), { servername: 'k' }],
    ...['yes', 'Yes', 'on', 'y', 'True'].map((word): [string, string, object] => [
      word,
      yaml({ cluster: `    insecure-skip-tls-verify: ${word}` }),
      INSECURE,
    ]),
    ...['no', 'off', 'n', '', '~'].map((word): [string, string, object] => [
      `"${word}" for false`,
      yaml({ cluster: `    insecure-skip-tls-verify: ${word}` }),
      SECURE,
    ]),
    ['a key twice: the last one', yaml({ user: '    token: last' }), { token: 'last' }],
    ['two documents: the first one', yaml({ behind: '---\nkind: Other\n' }), { token: 't' }],
    ['a time of day for text', yaml({ user: '    token: 12:30' }), { token: '12:30' }],
    ['a date for text', yaml({ user: '    token: 2001-01-01' }), { token: '2001-01-01' }],
    ['entries without a name, and empty ones', yaml({ behind: '- name:\n-\n' }), { token: 't' }],
    [
      'empty fields',
      yaml({ cluster: '    certificate-authority-data:\n    proxy-url:', user: '    exec:\n    as:' }),
      { token: 't' },
    ],
    ['spaces around the token', yaml({ user: '    token: " t "' }), { token: 't' }],
  ])('is read as Go reads YAML: %s', async (_, content, expected) => {
    expect(await read(content)).toMatchObject(expected);
  });

  const certificate = { 'client-certificate-data': base64(CERT), 'client-key-data': base64(KEY) };

  it('may have a username beside a certificate, which is used', async () => {
    const found = await read(config({ user: { ...certificate, username: 'admin', password: 'hunter2' } }));
    expect(found).toMatchObject({ cert: { text: CERT }, key: { text: KEY }, token: undefined });
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });

  it('may have a key without a certificate beside a token, which is not looked at', async () => {
    const found = await read(config({ user: { token: 't', 'client-key': 'missing.key' } }));
    expect(found).toMatchObject({ cert: undefined, key: undefined, token: 't' });
  });

  it('may have empty lists and texts of another identity, and a program beside a token', async () => {
    const nothing = { as: '', 'as-uid': '', 'as-groups': [], 'as-user-extra': {}, username: '', password: null };
    expect(await read(config({ user: { token: 't', ...nothing } }))).toMatchObject({ token: 't' });
    expect(await read(config({ user: { token: 't', exec: { command: 'aws' } } }))).toMatchObject({ token: 't' });
  });

  it('is not spoilt by entries that are not in use', async () => {
    const others = [
      { name: 'me', user: { token: 'mine' } },
      { name: 'other', user: { exec: { command: 'aws' }, token: 5 } },
      { name: 'nothing' },
    ];
    expect(await read(config({ top: { users: others } }))).toMatchObject({ token: 'mine' });
  });

  it.each([
    [
      'an exec plugin',
      { user: { exec: { command: 'aws' } } },
      /user "me": a credential plugin \(exec\) is not supported/,
    ],
    [
      'an auth-provider',
      { user: { 'auth-provider': { name: 'gcp' } } },
      /user "me": an auth-provider is not supported/,
    ],
    ['a password', { user: { username: 'root', password: 'hunter2' } }, /user "me": a username is not supported/],
    ['a password alone', { user: { password: 'hunter2' } }, /user "me": a password is not supported/],
    [
      'a username beside a token',
      { user: { username: 'root', token: 'hunter2' } },
      /user "me": a username beside a token is ambiguous; remove one of them$/,
    ],
    [
      'two users of that name',
      {
        top: {
          users: [
            { name: 'me', user: { token: 'hunter2' } },
            { name: 'me', user: {} },
          ],
        },
      },
      /: it has two entries for user "me"; remove one$/,
    ],
    ['a context without a cluster', { context: { cluster: '' } }, /: context "here" has no cluster$/],
    ['another identity', { user: { token: 't', as: 'root' } }, /user "me": impersonation \(as\) is not supported/],
    [
      'groups of another identity',
      { user: { token: 't', 'as-groups': ['system:masters'] } },
      /user "me": impersonation \(as-groups\) is not supported/,
    ],
    [
      'a CA that would not be used',
      { cluster: { 'certificate-authority': 'ca.pem', 'insecure-skip-tls-verify': true } },
      /cluster "lab": a certificate-authority and insecure-skip-tls-verify contradict each other/,
    ],
    ['a proxy', { cluster: { 'proxy-url': 'http://u:hunter2@proxy' } }, /cluster "lab": a proxy-url is not supported/],
    ['no current context', { top: { 'current-context': '' } }, /: it has no current-context$/],
    ['a context that is not there', { top: { 'current-context': 'there' } }, /: it has no context "there"$/],
    ['a cluster that is not there', { context: { cluster: 'prod' } }, /: it has no cluster "prod"$/],
    ['a user that is not there', { context: { user: 'you' } }, /: it has no user "you"$/],
    ['no users', { top: { users: null } }, /: it has no user "me"$/],
    ['no server', { cluster: { server: '' } }, /: cluster "lab": it has no server$/],
    [
      'a token that is a number',
      { user: { token: 12345 } },
      /: user "me": token: expected string, .*; put it in quotes$/,
    ],
    ['contexts that are no list', { top: { contexts: { here: {} } } }, /: the file: contexts: .*expected array/],
    [
      'a certificate without a key',
      { user: { 'client-certificate-data': base64(CERT) } },
      /a client-certificate without a client-key$/,
    ],
    [
      'a key without a certificate',
      { user: { 'client-key-data': base64(KEY) } },
      /a client-key without a client-certificate$/,
    ],
    [
      'a file that is not there',
      { cluster: { 'certificate-authority': 'ca.crt' } },
      /: certificate-authority: <folder>\/ca.crt: the file does not exist$/,
    ],
  ])('with %s is refused in one clear sentence', async (_, parts, problem) => {
    const message = await problemOf(config(parts));
    expect(message).toMatch(problem);
    expect(message).toMatch(/^KUBECONFIG: <file>: /);
    expect(message).not.toContain('hunter2');
    expect(message).not.toContain('12345');
  });

  it.each([
    ['is empty', ' \n', 'KUBECONFIG: <file>: it is empty'],
    ['is no YAML', 'a: 1\ntoken: "hunter2\n  b: [', /^KUBECONFIG: <file>: it is not valid YAML \(line \d: [A-Z_]+\)$/],
    ['is a list', '- hunter2', /^KUBECONFIG: <file>: the file: .*expected object/],
    ['is a bare word', 'hunter2', /^KUBECONFIG: <file>: the file: .*expected object/],
    [
      'is a bomb of aliases',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefg'].map((name, at) => `${name}: &${name} [${`*${'abcdefg'[at]},`.repeat(9)}]`).join('\n')}`,
      'KUBECONFIG: <file>: its YAML aliases or merge keys cannot be resolved',
    ],
    [
      'merges what is no map',
      'a: {<<: hunter2}',
      'KUBECONFIG: <file>: its YAML aliases or merge keys cannot be resolved',
    ],
  ])('that %s is refused without quoting it', async (_, content, problem) => {
    const message = await problemOf(content);
    expect(message).toMatch(problem);
    expect(message).not.toContain('hunter2');
  });

  it.each([
    ['latin-1', Buffer.from(stringify(config({ context: { user: 'hunter2\u00fc' } })), 'latin1'), 'it is not UTF-8'],
    [
      'UTF-16 without a byte order mark',
      Buffer.from(stringify(config({})), 'utf16le'),
      'it is UTF-16 without a byte order mark, or not text',
    ],
  ])('in %s is refused', async (_, content, problem) => {
    expect(await problemOf(content)).toBe(`KUBECONFIG: <file>: ${problem}; save it as UTF-8`);
  });

  it('that is not there is refused', async () => {
    await expect(readKubeconfig(join(folder, 'absent'), 'KUBECONFIG')).rejects.toThrow(
      `KUBECONFIG: ${join(folder, 'absent')}: the file does not exist`,
    );
    await expect(readKubeconfig(folder, 'KUBECONFIG')).rejects.toThrow('it is not a regular file');
  });
});

describe('several kubeconfig files, as KUBECONFIG lists them', () => {
  const second = () => join(folder, 'second');
  const CONTEXT = { 'current-context': 'there' };
  const OTHER = {
    contexts: [{ name: 'there', context: { cluster: 'far', user: 'you' } }],
    clusters: [{ name: 'far', cluster: { server: 'https://10.0.0.2:6443' } }],
    users: [{ name: 'you', user: { token: 'yours' } }],
  };

  async function readBoth(first: object, other: object) {
    await writeFile(path, stringify(first));
    await writeFile(second(), stringify(other));
    return readKubeconfig(path, 'KUBECONFIG', [second()]);
  }

  it('are read for the first current-context, wherever that context is', async () => {
    const one = await readBoth(config({}), { ...OTHER, ...CONTEXT });
    expect(one.endpoint).toBe('https://10.0.0.1:6443');
    const other = await readBoth({ ...config({}), ...CONTEXT }, OTHER);
    expect(other).toMatchObject({ endpoint: 'https://10.0.0.2:6443', token: 'yours' });
    expect(other.source.origin).toMatchObject({ path: second() });
    const last = await readBoth(config({ top: { 'current-context': '' } }), { ...OTHER, ...CONTEXT });
    expect(last.endpoint).toBe('https://10.0.0.2:6443');
  });

  it.each([
    ['a user of the same name in an earlier file', { users: [{ name: 'you', user: { token: 'mine' } }] }, OTHER],
    ['its cluster in another file', { clusters: OTHER.clusters }, { ...OTHER, clusters: [] }],
  ])('with %s are refused: kubectl can put them into one', async (_, first, other) => {
    await expect(readBoth({ ...CONTEXT, ...first }, other)).rejects.toThrow(
      `KUBECONFIG: ${second()}: context "there" has its cluster or its user in another file; put them into one: kubectl config view --flatten --minify > FILE`,
    );
  });

  it('without the context, or a current one, are refused', async () => {
    await expect(readBoth(CONTEXT, {})).rejects.toThrow(
      'neither it nor another file of the list has a context "there"',
    );
    await expect(readBoth({}, OTHER)).rejects.toThrow('neither it nor another file of the list has a current-context');
  });
});
