/** What the checks judge by themselves: credentials and their terms, clocks, metadata that is hostile. */
import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { checkApiServer } from '../../../../src/commands/check/checks/api-server.ts';
import { checkClocks } from '../../../../src/commands/check/checks/clocks.ts';
import { checkCredentials } from '../../../../src/commands/check/checks/credentials.ts';
import { checkMachines } from '../../../../src/commands/check/checks/machines.ts';
import { rightsFor } from '../../../../src/commands/check/checks/rights.ts';
import { named, skippedBy, wrong } from '../../../../src/commands/check/finding.ts';
import { mendOf } from '../../../../src/commands/check/mends.ts';
import { findingsText } from '../../../../src/commands/check/run-check.ts';
import { Terminal } from '../../../../src/commands/terminal/terminal.ts';
import { CredentialError } from '../../../../src/credentials/credential-error.ts';
import { parseSelector } from '../../../../src/fleet/selector.ts';
import { type ConfigSource, settingsSource } from '../../../../src/http/config-source.ts';
import { diagnose, type NetworkFailure } from '../../../../src/http/diagnosis.ts';
import { RequestError, type RequestFailure } from '../../../../src/http/request-error.ts';
import type { ApiAccess } from '../../../../src/kubernetes/access/credentials.ts';
import { eraOf } from '../../../../src/kubernetes/era.ts';
import { Inventory } from '../../../../src/reconcile/evidence/machines.ts';
import { read } from '../../settings/read-settings.ts';

const DAY = 24 * 60 * 60_000;
const NOW = Date.parse('2026-01-01T00:00:00Z');
const pem = (name: string) => readFileSync(new URL(`../../../certificates/${name}`, import.meta.url), 'utf8');
/** Of all certificates of the tests but the expired one. */
const END = Date.parse('2125-01-01T00:00:00Z');

function access(tls: Omit<ApiAccess['tls'], 'insecureSkipVerify'>, token?: string): ApiAccess {
  const bearer = token === undefined ? undefined : async () => token;
  return {
    endpoint: 'https://10.0.0.1:6443',
    tls: { ...tls, insecureSkipVerify: false },
    token: bearer,
    source: settingsSource('kubernetes'),
  };
}

function jwt(payload: unknown): string {
  return ['{}', typeof payload === 'string' ? payload : JSON.stringify(payload), 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
}

/** What the server was not asked, as where it is down. */
async function found(what: ApiAccess, nowMs = NOW) {
  const findings = await checkCredentials(what, undefined, nowMs);
  return findings.map(({ state, sentence }) => `${state}: ${sentence}`);
}

describe('the check of credentials', () => {
  it('tells a client certificate by its name, and that it ends soon, or has ended', async () => {
    const own = access({ cert: pem('client.pem'), key: pem('client.key') });
    expect(await found(own)).toEqual(['ok: the client certificate "CN=client" is sent']);
    expect(await found(own, END - 8 * DAY)).toEqual(['ok: the client certificate "CN=client" is sent']);
    expect(await found(own, END - 6 * DAY)).toEqual([
      'warning: the client certificate "CN=client" expires in 144h (2125-01-01T00:00Z)',
    ]);
    expect(await found(own, END)).toEqual([
      'wrong: the client certificate "CN=client" has expired (2125-01-01T00:00Z)',
    ]);
  });

  it('tells that a CA certificate ends soon', async () => {
    expect(await found(access({ ca: pem('ca.pem') + pem('other-ca.pem') }), END - DAY)).toEqual([
      'warning: the CA certificate "CN=ca" expires in 24h (2125-01-01T00:00Z)',
      'warning: the CA certificate "CN=other-ca" expires in 24h (2125-01-01T00:00Z)',
    ]);
  });

  it('warns of a token in the last tenth of its life, in which it should have been renewed', async () => {
    const [iat, exp] = [NOW / 1_000, NOW / 1_000 + 3_600];
    const at = (minutes: number) => found(access({}, jwt({ sub: 'somebody', iat, exp })), NOW + minutes * 60_000);
    expect(await at(53)).toEqual(['ok: a token of "somebody" is sent']);
    expect(await at(55)).toEqual(['warning: the token of "somebody" expires in 5m (2026-01-01T01:00Z)']);
    expect(await at(60)).toEqual(['wrong: the token of "somebody" has expired (2026-01-01T01:00Z)']);
  });

  it.each([
    ['is no JWT', 'abcdef.0123456789abcdef'],
    ['is of two words', 'a.b'],
    ['has a payload that is no JSON', jwt('{')],
    ['has a payload that is no object', jwt('7')],
    ['has claims of other types', jwt({ sub: 7, iat: 'now', exp: null })],
    ['ends beyond all time', jwt({ exp: 1e300 })],
    ['has a subject that may be a secret', jwt({ sub: 'eyJhbGciOiJub25lIn0' })],
  ])('says nothing of a token that %s', async (_, text) => {
    expect(await found(access({}, text))).toEqual(['ok: a token is sent']);
  });
});

describe('a token that ends', () => {
  it.each([-1e300, -1e18, -8.64e12, -1e12, -1, -0.001, 0, 1e-9, 1, 1e9])('at %d has expired', async (exp) => {
    const [only, ...more] = await found(access({}, jwt({ sub: 'somebody', iat: -1e18, exp })));
    expect(only).toMatch(/^wrong: the token of "somebody" has expired \((-\d{6}|\d{4})-\d\d-\d\dT\d\d:\d\dZ\)$/);
    expect(more).toEqual([]);
  });

  it.each([1e11, 8.64e12, 1e18, 1e300])('at %d is good', async (exp) => {
    expect(await found(access({}, jwt({ sub: 'somebody', exp })))).toEqual(['ok: a token of "somebody" is sent']);
  });
});

describe('the check of TLS', () => {
  it('names no port of TLS that it does not know, for servers of the time of fleet may have none', () => {
    const plain = { ...access({}), endpoint: 'http://10.0.0.6:8080' };
    const look = {
      seen: undefined,
      access: plain,
      failure: new CredentialError('-'),
      offset: () => undefined,
      close() {},
    };
    expect(checkApiServer(look, read([]), undefined)).toContainEqual({
      check: 'tls',
      state: 'warning',
      sentence: expect.stringMatching(/^plain http to another host: .* use it only on a private network$/),
      mend: 'KUBE_REGISTER_API_ENDPOINT=https://10.0.0.6:PORT',
    });
  });
});

describe('the check of clocks', () => {
  const told = (least: number, most: number) => checkClocks({ fleet: undefined, kubernetes: { least, most } });

  it('takes nothing for a difference that a slow answer may be', () => {
    expect(told(-6_000, 6_000).state).toBe('ok');
    expect(told(-5_900, -5_000).state).toBe('ok');
    expect(told(5_000, 6_000).state).toBe('ok');
    expect(told(5_001, 6_001).state).toBe('warning');
    expect(told(60_000, 61_000).state).toBe('warning');
    expect(told(60_001, 61_001)).toMatchObject({
      state: 'wrong',
      sentence: expect.stringMatching(/^the API server is 1m1s ahead of this machine: /),
    });
  });

  it('cannot tell without a time', () => {
    expect(checkClocks({ fleet: undefined, kubernetes: undefined })).toMatchObject({ state: 'skipped' });
  });
});

describe('the check of machines', () => {
  function check(metadata: readonly Record<string, string>[], selector = 'role=kubernetes') {
    const inventory = new Inventory(parseSelector(selector));
    for (const [index, pairs] of metadata.entries()) {
      inventory.add({
        id: `${index}`,
        address: `10.0.0.${index}`,
        problem: undefined,
        metadata: new Map(Object.entries(pairs)),
      });
    }
    return checkMachines(inventory.machines, parseSelector(selector));
  }

  it('shows no hostile metadata as it is, and puts none into a command', () => {
    const [finding] = check([{ role: "x'; rm -rf /" }, { 'a\nb': '\u001b[2J' }, { rack: '7' }]);
    expect(finding?.sentence).toMatch(/: role="x'; rm -rf \/" \(1\), "a\\nb"="\\u001b\[2J" \(1\), rack=7 \(1\)$/);
    expect(finding?.mend).toBe('KUBE_REGISTER_METADATA=rack=7');
  });

  it('advises the value of the key that was asked for, if there is one', () => {
    const [finding] = check([{ az: 'a', role: 'worker' }, { az: 'a' }]);
    expect(finding?.mend).toBe('KUBE_REGISTER_METADATA=role=worker');
  });

  it('shows the commonest ten pairs of many', () => {
    const pairs = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`key${index}`, 'x']));
    expect(check([pairs])[0]?.sentence).toMatch(/key9=x \(1\), and 2 more$/);
  });
});

describe('the rights that are needed', () => {
  const unneeded = (version: string, apiVersion: 'v1' | 'v1beta2') =>
    rightsFor({ neverDeregister: undefined, events: true }, eraOf({ version, apiVersion }))
      .filter(({ unneeded: why }) => why !== undefined)
      .map(({ verb, resource }) => `${verb} ${resource}`);

  it('are fewer where less can be done', () => {
    expect(unneeded('v1.20.2', 'v1')).toEqual([]);
    expect(unneeded('v0.13.2', 'v1beta2')).toEqual(['create events']);
    expect(unneeded('v0.10.1', 'v1beta2')).toEqual(['patch nodes', 'create events']);
    expect(unneeded('v0.8.4', 'v1beta2')).toEqual(['patch nodes', 'delete nodes', 'create events']);
  });
});

describe('what mends a failed request to the API server', () => {
  it.each([
    ['EPROTO', 'SSL routines:ssl3_get_record:wrong version number', 'KUBE_REGISTER_API_ENDPOINT=http://10.0.0.1:6443'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', '', 'KUBE_REGISTER_API_ENDPOINT=https://NAME:6443'],
    ['CERT_HAS_EXPIRED', '', 'openssl s_client -connect 10.0.0.1:6443 < /dev/null | openssl x509 -noout -dates'],
    [
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      'certificate required',
      'KUBE_REGISTER_API_CERT_FILE=/path/client.pem KUBE_REGISTER_API_KEY_FILE=/path/client.key',
    ],
    ['ERR_SSL_SOMETHING', '', 'openssl s_client -connect 10.0.0.1:6443 < /dev/null'],
    ['ECONNRESET', '', 'kubectl get --raw /healthz'],
    ['UNSPECIFIED', 'CA signature digest algorithm too weak', 'KUBE_REGISTER_API_LEGACY_TLS=true'],
    ['EPROTO', 'SSL routines::unsupported protocol', 'KUBE_REGISTER_API_LEGACY_TLS=true'],
    ['EPROTO', 'SSL routines::ee key too small', 'KUBE_REGISTER_API_LEGACY_TLS=true'],
  ])('fits what is said of %s', (code, message, mend) => {
    const problem = diagnose('kubernetes', undefined, { code, message });
    const server = 'https://10.0.0.1:6443';
    const failure = new RequestError({ target: 'kubernetes', server, request: 'GET /version', problem, code });
    expect(mendOf(failure, { endpoint: server, source: settingsSource('kubernetes') })).toBe(mend);
  });

  it('does not advise legacy TLS where that is on', () => {
    const source = { ...settingsSource('kubernetes'), legacyTls: undefined };
    const problem = diagnose('kubernetes', undefined, { code: 'EPROTO', message: 'unsupported protocol' }, source);
    const failure = new RequestError({ target: 'kubernetes', server: '', request: '', problem, code: 'EPROTO' });
    expect(mendOf(failure, { endpoint: 'https://10.0.0.1:6443', source })).not.toContain('LEGACY');
  });
});

describe('what mends an access that comes from elsewhere than settings', () => {
  const endpoint = 'https://10.0.0.1:6443';
  const kubeconfig = (tokenFile?: string): ConfigSource => ({
    ...settingsSource('kubernetes'),
    endpoint: 'server of cluster "lab" in /etc/kubeconfig',
    ca: 'certificate-authority of cluster "lab" in /etc/kubeconfig',
    clientCertificate: 'client-certificate and client-key of user "me" in /etc/kubeconfig',
    credentials: 'the credentials of user "me" in /etc/kubeconfig',
    origin: { kind: 'kubeconfig', path: '/etc/kubeconfig', cluster: 'lab', user: 'me', tokenFile },
  });
  const pod: ConfigSource = {
    ...settingsSource('kubernetes'),
    endpoint: 'KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT of the pod',
    ca: 'KUBE_REGISTER_API_CA_FILE, which is used instead of /var/run/ca.crt',
    credentials: "the pod's service account (/var/run/token)",
    origin: { kind: 'pod' },
  };
  const failed = (code: string, source: ConfigSource, more: Partial<NetworkFailure & RequestFailure> = {}) => {
    const problem = diagnose('kubernetes', undefined, { message: '', ...more, code }, source);
    const failure = new RequestError({ target: 'kubernetes', server: endpoint, request: '', problem, ...more, code });
    return mendOf(failure, { endpoint, source });
  };
  const IN_FILE = '--kubeconfig /etc/kubeconfig';

  it.each([
    [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      `kubectl config set-cluster lab --certificate-authority=/path/of/its/ca.pem ${IN_FILE}`,
    ],
    ['ENOTFOUND', `kubectl config set-cluster lab --server=https://HOST:6443 ${IN_FILE}`],
    [
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      `kubectl config set-credentials me --client-certificate=/path/client.pem --client-key=/path/client.key ${IN_FILE}`,
    ],
  ])('names the fields of a kubeconfig for %s', (code, mend) => {
    expect(failed(code, kubeconfig())).toBe(mend);
  });

  it('takes a name that the certificate has', () => {
    const certificateNames = ['*.lab', 'api.lab'];
    const wrongName = (source: ConfigSource, names: readonly string[]) =>
      failed('ERR_TLS_CERT_ALTNAME_INVALID', source, { certificateNames: names });
    expect(wrongName(kubeconfig(), ['api.lab'])).toBe(
      `kubectl config set-cluster lab --tls-server-name=api.lab ${IN_FILE}`,
    );
    expect(wrongName(kubeconfig(), certificateNames)).toContain('--tls-server-name=NAME');
    expect(wrongName(settingsSource('kubernetes'), ['api.lab'])).toBe(
      'KUBE_REGISTER_API_ENDPOINT=https://api.lab:6443',
    );
    expect(wrongName(settingsSource('kubernetes'), ['fd00::1'])).toBe(
      'KUBE_REGISTER_API_ENDPOINT=https://[fd00::1]:6443',
    );
  });

  it('puts a new token where the old one is read', () => {
    const make = 'kubectl -n kube-register create token kube-register';
    const refused = (source: ConfigSource) => failed('Unauthorized', source, { status: 401 });
    expect(refused(settingsSource('kubernetes'))).toBe(`${make} > FILE`);
    expect(refused(kubeconfig())).toBe(`kubectl config set-credentials me --token="$(${make})" ${IN_FILE}`);
    expect(refused(kubeconfig('/etc/token'))).toBe(`${make} > /etc/token`);
    expect(refused(pod)).toBe('kubectl -n NAMESPACE delete pod POD');
  });

  it('names what a pod can be given', () => {
    expect(failed('DEPTH_ZERO_SELF_SIGNED_CERT', pod)).toBe('KUBE_REGISTER_API_CA_FILE=/path/of/its/ca.pem');
    expect(failed('ENOTFOUND', pod)).toBe('kubectl get endpoints kubernetes');
  });

  it('puts no name into a command that a shell would not take as one word', () => {
    const origin = {
      kind: 'kubeconfig',
      path: '/a b',
      cluster: '$(reboot)',
      user: '`x`',
      tokenFile: undefined,
    } as const;
    expect(failed('ENOTFOUND', { ...kubeconfig(), origin })).toBe(
      'kubectl config set-cluster CLUSTER --server=https://HOST:6443 --kubeconfig FILE',
    );
  });

  it.each([
    ['v1.6.13', 'rbac-v1beta1'],
    ['v1.7.16+coreos.0', 'rbac-v1beta1'],
    ['v1.8.0', 'rbac'],
    ['v1.20.2', 'rbac'],
    ['of an unknown version', 'rbac'],
  ])('grants rights in the API version that %s knows', (version, name) => {
    const problem = '403 Forbidden: does this user have the verb "list" on nodes?';
    const failure = { target: 'kubernetes', server: endpoint, request: '', problem, status: 403 } as const;
    const place = { endpoint, source: pod, server: `${version}, using API v1` };
    expect(mendOf(new RequestError(failure), place)).toBe(`kube-register manifests ${name} | kubectl apply -f -`);
  });

  it('grants rights only where rights refuse', () => {
    const forbidden = (problem: string) => {
      const failure = {
        target: 'kubernetes',
        server: endpoint,
        request: 'GET /api/v1/nodes',
        problem,
        status: 403,
      } as const;
      return mendOf(new RequestError(failure), { endpoint, source: pod });
    };
    expect(forbidden('403 Forbidden ...: does this user have the verb "list" on nodes?')).toBe(
      'kube-register manifests rbac | kubectl apply -f -',
    );
    expect(forbidden('403 not through me')).toBe('kubectl get endpoints kubernetes');
  });
});

describe('the text of findings', () => {
  const words = Array.from({ length: 40 }, (_, index) => `word${index}`).join(' ');

  /** The first lines that are told of a long mistake on an output of this kind. */
  function told(output: { readonly isTTY: boolean; readonly columns?: number }): readonly string[] {
    const stdout = new Writable();
    const host = { stdout: Object.assign(stdout, output), stderr: new Writable(), env: { NO_COLOR: '1' } };
    const findings = [
      named('settings', wrong(words, 'mend it')),
      named('right-create-events', skippedBy('api-server')),
    ];
    const written = findingsText(findings, new Terminal(host));
    return written.slice(0, written.indexOf('         mend:')).trimEnd().split('\n');
  }

  it('is wrapped at the width of the terminal, between words, under where it began', () => {
    const lines = told({ isTTY: true, columns: 80 });
    expect(lines.length).toBeGreaterThan(4);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines.map((line) => line.slice(30)).join(' ')).toBe(words);
    expect(lines.slice(1).map((line) => line.slice(0, 30))).toEqual(lines.slice(1).map(() => ' '.repeat(30)));
  });

  it.each([
    ['a pipe', { isTTY: false, columns: 80 }],
    ['a terminal that does not tell its width', { isTTY: true }],
    ['a terminal too narrow for it', { isTTY: true, columns: 45 }],
  ])('is one line each in %s', (_, output) => {
    expect(told(output)).toHaveLength(1);
  });
});
