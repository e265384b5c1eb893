import { describe, expect, it } from 'vitest';
import { kubectlFileNote } from '../../../src/settings/api-server.ts';
import { readSettings } from '../../../src/settings/settings.ts';
import { rowOf, settingNames } from '../../../src/settings/table.ts';
import { type Env, mistakes, nowhere, prefixed, read } from './read-settings.ts';

/** The contract with operators: every setting, and its default as they would write it. */
const CONTRACT = {
  FLEET_ENDPOINT: 'unix:///var/run/fleet.sock',
  FLEET_CA_FILE: undefined,
  FLEET_CERT_FILE: undefined,
  FLEET_KEY_FILE: undefined,
  FLEET_LEGACY_TLS: 'false',
  FLEET_TIMEOUT: '10s',
  METADATA: 'role=kubernetes',
  API_ENDPOINT: undefined,
  KUBECONFIG: undefined,
  API_VERSION: 'auto',
  API_TOKEN_FILE: undefined,
  API_CA_FILE: undefined,
  API_CERT_FILE: undefined,
  API_KEY_FILE: undefined,
  API_INSECURE_SKIP_TLS_VERIFY: 'false',
  API_LEGACY_TLS: 'false',
  API_TIMEOUT: '10s',
  HEALTHZ_URL: 'http://{ip}:10255/healthz,http://{ip}:10250/healthz,https://{ip}:10250/healthz',
  HEALTHZ_PORT: undefined,
  HEALTHZ_TIMEOUT: '2s',
  HEALTHZ_CONCURRENCY: '100',
  KUBELET_CA_FILE: undefined,
  KUBELET_CERT_FILE: undefined,
  KUBELET_KEY_FILE: undefined,
  KUBELET_TOKEN_FILE: undefined,
  SYNC_SCHEDULE: '*/30 * * * * *',
  SYNC_INTERVAL: undefined,
  PASS_TIMEOUT: '2m',
  NODE_NAME: 'ip',
  REVERSE_LOOKUP: 'false',
  NODE_LABELS: '',
  ADOPT: 'true',
  EVENTS: 'true',
  POLICY: 'sync',
  MISSING_GRACE: '15m',
  UNHEALTHY_GRACE: '30m',
  MAX_DEREGISTER_PERCENT: '34',
  LISTEN: '[::]:10271',
  STATUS_ACCESS: 'local',
  WEB_CONFIG_FILE: undefined,
  PAGE_HOSTS: '',
  CLUSTER_NAME: '',
  LOG_LEVEL: 'info',
  LOG_FORMAT: 'json',
  DRY_RUN: 'false',
  ONCE: 'false',
  OWNER_ID: 'default',
};

describe('with nothing set', () => {
  it('every setting of the contract is there with its default, and no other', () => {
    expect(Object.fromEntries(settingNames.map((name) => [name, rowOf(name).default]))).toEqual(CONTRACT);
  });

  it('the defaults come to these settings, without a warning', () => {
    const none = { caFile: undefined, certFile: undefined, keyFile: undefined };
    expect(readSettings([], {}, nowhere)).toEqual({
      kind: 'run',
      warnings: [],
      spellings: new Map(),
      settings: {
        fleet: { ...none, endpoint: 'unix:///var/run/fleet.sock', timeoutMs: 10_000, legacyTls: false },
        selector: {
          text: 'role=kubernetes',
          requirements: [{ key: 'role', operator: 'in', values: new Set(['kubernetes']) }],
        },
        api: {
          ...none,
          endpoint: 'http://127.0.0.1:8080',
          kubeconfig: undefined,
          kubeconfigFrom: 'KUBE_REGISTER_KUBECONFIG',
          moreKubeconfigs: [],
          inCluster: undefined,
          version: 'auto',
          tokenFile: undefined,
          insecureSkipTlsVerify: false,
          timeoutMs: 10_000,
          legacyTls: false,
        },
        proxyVariables: {},
        kubelet: {
          ...none,
          urlTemplates: ['http://{ip}:10255/healthz', 'http://{ip}:10250/healthz', 'https://{ip}:10250/healthz'],
          timeoutMs: 2_000,
          concurrency: 100,
          tokenFile: undefined,
        },
        schedule: { kind: 'cron', expression: '*/30 * * * * *' },
        passTimeoutMs: 120_000,
        nodeName: { kind: 'ip' },
        nodeLabels: [],
        adopt: true,
        events: true,
        policy: 'sync',
        missingGraceMs: 900_000,
        unhealthyGraceMs: 1_800_000,
        maxDeregisterPercent: 34,
        listen: { host: '::', port: 10_271 },
        statusAccess: 'local',
        webConfigFile: undefined,
        pageHosts: [],
        clusterName: '',
        changed: new Map(),
        logLevel: 'info',
        logFormat: 'json',
        dryRun: false,
        once: false,
        ownerId: 'default',
      },
    });
  });

  it('giving every default in words changes nothing, apart from the alternatives that exclude each other', () => {
    const given = Object.fromEntries(Object.entries(CONTRACT).filter(([, text]) => text !== undefined));
    expect(read([], given)).toEqual(read([]));
  });
});

describe('the variables of proxies', () => {
  it.each<[Env, object]>([
    [{ HTTPS_PROXY: 'http://u:hunter2@p', NO_PROXY: '*' }, { https: 'HTTPS_PROXY' }],
    [{ https_proxy: 'http://p', HTTPS_PROXY: 'http://q', HTTP_PROXY: '' }, { https: 'https_proxy' }],
    [{ HTTP_PROXY: 'http://p' }, { http: 'HTTP_PROXY' }],
    [{ ALL_PROXY: 'http://p' }, { http: 'ALL_PROXY', https: 'ALL_PROXY' }],
  ])('%j are known by name, without their values', (env, expected) => {
    expect(read([], {}, env).proxyVariables).toEqual(expected);
  });
});

describe('a flag', () => {
  it.each([
    ['two dashes and =', ['--fleet-endpoint=http://10.0.0.1:49153']],
    ['two dashes and a space', ['--fleet-endpoint', 'http://10.0.0.1:49153']],
    ['one dash and =', ['-fleet-endpoint=http://10.0.0.1:49153']],
    ['one dash and a space', ['-fleet-endpoint', 'http://10.0.0.1:49153']],
    ['twice with one value', ['-fleet-endpoint', 'http://10.0.0.1:49153', '--fleet-endpoint=http://10.0.0.1:49153']],
  ])('is read with %s', (_form, flags) => {
    expect(read(flags).fleet.endpoint).toBe('http://10.0.0.1:49153');
  });

  it('wins over its variable, even where that one has a mistake', () => {
    expect(read(['--policy=register-only'], { POLICY: 'sync' }).policy).toBe('register-only');
    expect(read(['--policy=register-only'], { POLICY: 'nonsense' }).policy).toBe('register-only');
  });

  it('that is empty takes a variable back to the default', () => {
    expect(read(['--sync-interval='], { SYNC_INTERVAL: '45s' }).schedule.kind).toBe('cron');
  });

  it.each([
    [['--dry-run'], true],
    [['-dry-run'], true],
    [['--dry-run=true'], true],
    [['--dry-run=TRUE'], true],
    [['--dry-run', 'true'], true],
    [['--dry-run', '--once'], true],
    [['--dry-run=false'], false],
    [['--dry-run', 'false'], false],
    [['--dry-run=0'], false],
  ])('of the kind yes or no is read as %j', (flags, expected) => {
    expect(read(flags).dryRun).toBe(expected);
  });

  it('may hold = signs and begin with a dash behind its own =', () => {
    expect(read(['--metadata=role=kubernetes']).selector.text).toBe('role=kubernetes');
    expect(read(['--metadata=-x=y']).selector.text).toBe('-x=y');
  });

  it('of the Go program works as it did', () => {
    const settings = read([
      '-api-endpoint=http://127.0.0.1:8888',
      '-fleet-endpoint=unix:///run/fleet.sock',
      '-metadata=role=minion',
      '-healthz-port=10250',
      '-sync-interval=15',
      '-reverse-lookup',
    ]);
    expect(settings.api.endpoint).toBe('http://127.0.0.1:8888');
    expect(settings.fleet.endpoint).toBe('unix:///run/fleet.sock');
    expect(settings.selector.text).toBe('role=minion');
    expect(settings.kubelet.urlTemplates).toEqual(['http://{ip}:10250/healthz']);
    expect(settings.schedule).toEqual({ kind: 'interval', ms: 15_000 });
    expect(settings.nodeName).toEqual({ kind: 'reverse-lookup' });
  });
});

describe('a variable', () => {
  it('that is empty or blank counts as not set', () => {
    const empty = Object.fromEntries(settingNames.map((name) => [name, ' ']));
    const { selector, changed, ...rest } = read([], empty);
    expect({ ...rest, selector: read([]).selector, changed: new Map() }).toEqual(read([]));
    expect([selector.text, ...changed]).toEqual(['', ['METADATA', '']]);
  });

  it('METADATA that is empty means every machine', () => {
    expect(read([], { METADATA: '' }).selector.requirements).toEqual([]);
    expect(read(['--metadata='], { METADATA: 'role=etcd' }).selector.requirements).toEqual([]);
  });

  // A Service kube-register-healthz injects the name of a setting, KUBE_REGISTER_HEALTHZ_PORT.
  it.each(['', 'METRICS_', 'HEALTHZ_', 'METRICS_2_'])(
    'that Kubernetes injects for a Service whose name begins with kube-register is ignored: %s',
    (service) => {
      const injected = {
        SERVICE_HOST: '10.0.0.1',
        SERVICE_PORT: '10271',
        SERVICE_PORT_METRICS: '10271',
        PORT: 'tcp://10.0.0.1:10271',
        PORT_10271_TCP: 'tcp://10.0.0.1:10271',
        PORT_10271_TCP_PROTO: 'tcp',
        PORT_10271_TCP_PORT: '10271',
        PORT_10271_TCP_ADDR: '10.0.0.1',
        PORT_53_UDP: 'udp://[fd00::1]:53',
      };
      const env = Object.fromEntries(Object.entries(injected).map(([name, text]) => [`${service}${name}`, text]));
      expect(read([], env)).toEqual(read([]));
    },
  );

  it.each([
    ['HEALTH_PORT', '10255', /did you mean KUBE_REGISTER_HEALTHZ_PORT\?$/],
    ['HEALTHZ_PORT_', '10255', /did you mean KUBE_REGISTER_HEALTHZ_PORT\?$/],
    ['METRICS_PORT', '10271', /unknown setting/],
    ['METRICS_HOST', '10.0.0.1', /unknown setting/],
    ['HEALTHZ_PORT', 'tcp:10255', /must be a whole number/],
  ])('that only looks like one of these is a mistake: %s=%s', (name, text, problem) => {
    expect(mistakes({ [name]: text })).toEqual([expect.stringMatching(problem)]);
  });

  it('of another program is none of our business', () => {
    expect(read([], {}, { PATH: '/bin', KUBECONFIG: '/root/.kube/config', kube_register_x: '1' })).toEqual(read([]));
  });
});

describe('the API server', () => {
  const pod = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };
  const token = (path: string): boolean => path === '/var/run/secrets/kubernetes.io/serviceaccount/token';

  function chosen(variables: Env, more: Env, fileExists = nowhere) {
    const { endpoint, kubeconfig, inCluster } = read([], variables, more, fileExists).api;
    return { endpoint, kubeconfig, inCluster };
  }

  it.each([
    [
      'API_ENDPOINT, when that is set',
      { API_ENDPOINT: 'https://k8s:6443/' },
      pod,
      token,
      { endpoint: 'https://k8s:6443' },
    ],
    ['KUBECONFIG, when that is set', { KUBECONFIG: '/etc/kubeconfig' }, pod, token, { kubeconfig: '/etc/kubeconfig' }],
    ['the one of the pod', {}, pod, token, { inCluster: 'https://10.0.0.1' }],
    [
      'the one of the pod, over IPv6',
      {},
      { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' },
      token,
      { inCluster: 'https://[fd00::1]:6443' },
    ],
    ['the local one, without a token file', {}, pod, nowhere, { endpoint: 'http://127.0.0.1:8080' }],
    ['the local one, outside of a pod', {}, {}, token, { endpoint: 'http://127.0.0.1:8080' }],
    [
      'the local one, when the variables of the pod make no sense',
      {},
      { ...pod, KUBERNETES_SERVICE_PORT: 'https' },
      token,
      { endpoint: 'http://127.0.0.1:8080' },
    ],
  ])('is %s', (_which, variables, more, fileExists, expected) => {
    const none = { endpoint: undefined, kubeconfig: undefined, inCluster: undefined };
    expect(chosen(variables, more, fileExists)).toEqual({ ...none, ...expected });
  });

  it('gets a token over https, and over plain http on this host', () => {
    for (const endpoint of ['https://10.0.0.1', 'http://localhost:8080', 'http://127.9.9.9', 'http://[::1]:80']) {
      expect(read([], { API_TOKEN_FILE: '/token', API_ENDPOINT: endpoint }).api.tokenFile).toBe('/token');
    }
  });
});

describe('the API server of a command that a person types', () => {
  const pod = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };
  const HOME = { HOME: '/home/me' };
  const everything = () => true;

  function chosen(more: Env, variables: Env = {}, fileExists: (path: string) => boolean = everything) {
    const result = readSettings([], { ...prefixed(variables), ...more }, fileExists, { reader: 'person' });
    if (result.kind !== 'run') throw new Error(JSON.stringify(result));
    const { api } = result.settings;
    return { where: api.kubeconfig ?? api.endpoint ?? api.inCluster, api, note: kubectlFileNote(api) };
  }

  it.each([
    ['a setting, if there is one', { ...HOME, KUBECONFIG: '/a' }, { API_ENDPOINT: 'http://k:81' }, 'http://k:81'],
    ['its kubeconfig, if there is one', { ...HOME, KUBECONFIG: '/a' }, { KUBECONFIG: '/own' }, '/own'],
  ] as const)('comes from %s, without a note', (_, more, variables, where) => {
    expect(chosen(more, variables)).toMatchObject({ where, note: undefined });
  });

  it.each([
    [{ ...HOME, ...pod, KUBECONFIG: '/a' }, '/a', 'KUBECONFIG=/a'],
    [{ ...HOME, ...pod, KUBECONFIG: '/a:/b:' }, '/a', 'KUBECONFIG=/a:/b'],
    [{ ...HOME, ...pod, KUBECONFIG: '' }, '/home/me/.kube/config', '/home/me/.kube/config'],
    [{ ...HOME, ...pod }, '/home/me/.kube/config', '/home/me/.kube/config'],
  ])('comes from the files of kubectl, in the order of kubectl, and a note says so: %j', (more, where, from) => {
    expect(chosen(more)).toMatchObject({ where, note: `no setting names the API server: using that of ${from}` });
  });

  it('comes from the files of KUBECONFIG that exist; the first one is missed where none does', () => {
    const list = { KUBECONFIG: '/a:/b:/c' };
    expect(chosen(list, {}, (path) => path === '/b').api).toMatchObject({ kubeconfig: '/b', moreKubeconfigs: [] });
    expect(chosen(list, {}, nowhere).api).toMatchObject({ kubeconfig: '/a', moreKubeconfigs: [] });
  });

  it('is that of the pod, or the local one, without them', () => {
    expect(chosen({ ...pod }).where).toBe('https://10.0.0.1');
    expect(chosen(HOME, {}, nowhere).where).toBe('http://127.0.0.1:8080');
  });

  it('is not for the daemon, which warns where KUBECONFIG is all that it has', () => {
    const env = { ...HOME, KUBECONFIG: '/a' };
    expect(readSettings([], env, everything)).toMatchObject({
      settings: { api: { endpoint: 'http://127.0.0.1:8080' } },
      warnings: [
        'KUBECONFIG is set, but only commands read it; the daemon uses http://127.0.0.1:8080: set KUBE_REGISTER_KUBECONFIG instead',
      ],
    });
    const set = { ...env, ...prefixed({ API_ENDPOINT: 'http://k:80' }) };
    expect(readSettings([], set, everything)).toMatchObject({ warnings: [] });
  });
});
