/** What `kube-register check` finds: each fault is switched on in the lab, in turn, and named; and nothing else is. */
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { checkInstallation } from '../../src/commands/check/check.ts';
import { CHECK_NAMES, type CheckName, type Finding } from '../../src/commands/check/finding.ts';
import { serve } from '../../src/daemon/serve.ts';
import { readSettings } from '../../src/settings/settings.ts';
import { type Clock, systemClock } from '../../src/time/clock.ts';
import { afterMs, answerWith, change, hang, redirectTo, truncate } from '../lab/faults.ts';
import type { Lab, LabOptions } from '../lab/lab.ts';
import { nowhere, prefixed } from '../unit/settings/read-settings.ts';
import { certificate, refusingPort } from './loopback.ts';
import { folderOfTest, labOfTest, MAIN, type Program, startProgram } from './program.ts';

const WORKER = { role: 'kubernetes', zone: 'a' };
const MINUTE = 60_000;

/** A token as the API server makes them, which says whose it is and until when. */
function token(claims: object): string {
  return ['{"alg":"none"}', JSON.stringify(claims), 'very-secret-signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
}

const inSeconds = (ms: number) => Math.round((Date.now() + ms) / 1_000);
const SUBJECT = 'system:serviceaccount:kube-register:kube-register';
const TOKEN = token({ sub: SUBJECT, iat: inSeconds(-MINUTE), exp: inSeconds(59 * MINUTE) });
const certificateFile = (name: string) => fileURLToPath(new URL(`../certificates/${name}`, import.meta.url));

type Settings = Record<string, string>;

/** An installation where nothing is wrong: three workers and another machine, and a token that may do everything. */
interface Scene {
  readonly lab: Lab;
  readonly folder: string;
  readonly settings: Settings;
  /** What is asked for its time; a test may have it run ahead. */
  readonly clock: Clock & { aheadMs: number };
}

async function scene(options: LabOptions = {}): Promise<Scene> {
  const folder = await folderOfTest();
  const lab = await labOfTest({ ...options, kubernetes: { tokens: { [TOKEN]: 'all' }, ...options.kubernetes } });
  await lab.addMachines(3, WORKER);
  await lab.addMachine({ metadata: { role: 'etcd' } });
  await writeFile(join(folder, 'token'), TOKEN);
  const settings = {
    FLEET_ENDPOINT: lab.fleet.endpoint,
    API_ENDPOINT: lab.kubernetes.url,
    API_TOKEN_FILE: join(folder, 'token'),
    HEALTHZ_URL: lab.kubelets.healthzUrl,
    LISTEN: `127.0.0.9:${await refusingPort()}`,
  };
  const clock = { ...systemClock, aheadMs: 0, monotonic: () => clock.aheadMs };
  return { lab, folder, settings, clock };
}

function invocationOf(settings: Settings, flags: readonly string[] = []) {
  const invocation = readSettings(flags, prefixed(settings), nowhere);
  if (invocation.kind !== 'run') throw new Error(JSON.stringify(invocation));
  return invocation;
}

/** Whatever is found, no finding tells the token, and nothing is written. What is skipped because of something is so because of what is wrong. */
async function findingsIn(
  { lab, clock }: Scene,
  settings: Settings,
  flags: readonly string[] = [],
): Promise<readonly Finding[]> {
  lab.kubernetes.log.clear();
  const invocation = invocationOf(settings, flags);
  const findings = await checkInstallation(invocation, clock, new AbortController().signal);
  expect([...new Set(findings.map(({ check }) => check))]).toEqual(CHECK_NAMES);
  const told = JSON.stringify(findings);
  for (const part of [TOKEN, ...TOKEN.split('.')]) expect(told).not.toContain(part);
  const written = lab.kubernetes.log.writes.filter(({ path }) => !path.endsWith('/selfsubjectaccessreviews'));
  expect(written).toEqual([]);
  const blameless = findings.filter(
    ({ sentence }) => isSkippedBecause(sentence) && !isSomethingWrong(findings, sentence),
  );
  expect(blameless).toEqual([]);
  return findings;
}

const isSkippedBecause = (sentence: string) => causeIn(sentence) !== undefined;
const causeIn = (sentence: string) => /^not checked: see (\S+)$/.exec(sentence)?.[1];

/** Whether what this sentence is skipped because of is wrong, or is skipped because of something that is. */
function isSomethingWrong(findings: readonly Finding[], sentence: string): boolean {
  return findings
    .filter(({ check }) => check === causeIn(sentence))
    .some((cause) => cause.state === 'wrong' || isSomethingWrong(findings, cause.sentence));
}

/** The exit code of a first pass with these settings that changes nothing. */
function exitOfPass(settings: Settings, flags: readonly string[] = []): Promise<number> {
  const once = invocationOf({ ...settings, ONCE: 'true', DRY_RUN: 'true' }, flags);
  const signals = { stopped: new Promise<never>(() => {}), onPassRequested: () => {} };
  return serve(once.settings, { log: { write: () => {}, debug: () => {} }, signals, nodeVersion: '' });
}

const SKIPPED = ['skipped', /^not checked: see /] as const;
const NOT_KNOWN = ['skipped', /^unknown: /] as const;
type Expected = Readonly<
  Partial<Record<CheckName, readonly [state: Finding['state'], sentence: RegExp, mend?: string | RegExp]>>
>;

/** These findings are there, and all others are ok. */
function expectFindings(findings: readonly Finding[], expected: Expected): void {
  const states = (all: Iterable<readonly [string, string]>) => Object.fromEntries(all);
  const bad = findings.filter(({ state }) => state !== 'ok');
  expect(states(bad.map(({ check, state }) => [check, state] as const))).toEqual(
    states(Object.entries(expected).map(([check, [state]]) => [check, state] as const)),
  );
  for (const [check, [state, sentence, mend]] of Object.entries(expected)) {
    const found = bad.find((finding) => finding.check === check && finding.state === state);
    expect(found?.sentence).toMatch(sentence);
    if (typeof mend === 'string') expect(found?.mend).toBe(mend);
    else if (mend !== undefined) expect(found?.mend).toMatch(mend);
  }
}

const WITHOUT_FLEET = {
  machines: SKIPPED,
  kubelets: SKIPPED,
  nodes: SKIPPED,
  conflicts: SKIPPED,
  'machine-ids': SKIPPED,
  names: SKIPPED,
  labels: SKIPPED,
  'other-daemons': NOT_KNOWN,
  'pass-time': SKIPPED,
} as const;
const WITHOUT_RIGHTS = {
  'right-list-nodes': SKIPPED,
  'right-get-nodes': SKIPPED,
  'right-create-nodes': SKIPPED,
  'right-patch-nodes': SKIPPED,
  'right-delete-nodes': SKIPPED,
  'right-create-events': SKIPPED,
} as const;
const WITHOUT_NODES = { nodes: SKIPPED, conflicts: SKIPPED, 'machine-ids': SKIPPED, 'pass-time': SKIPPED } as const;
const WITHOUT_API_SERVER = { ...WITHOUT_RIGHTS, ...WITHOUT_NODES, labels: SKIPPED } as const;
const WITHOUT_MACHINES = { kubelets: SKIPPED, names: SKIPPED, labels: SKIPPED } as const;
const GRANT = 'kube-register manifests rbac | kubectl apply -f -';

interface Fault {
  readonly name: string;
  readonly options?: LabOptions;
  /** Switches it on. Returns settings that are laid over those of the scene; an empty one takes a setting away. */
  readonly arrange?: (scene: Scene) => unknown;
  readonly settings?: (scene: Scene) => Settings | Promise<Settings>;
  readonly flags?: readonly string[];
  readonly found: Expected;
}

const FAULTS: readonly Fault[] = [
  {
    name: 'a grace that is too short',
    settings: () => ({ MISSING_GRACE: '30s' }),
    found: {
      settings: ['warning', /^KUBE_REGISTER_MISSING_GRACE="30s": is less than 2m/, 'unset KUBE_REGISTER_MISSING_GRACE'],
    },
  },
  {
    name: 'a dry run that was forgotten',
    settings: () => ({ DRY_RUN: 'true' }),
    found: { settings: ['warning', /changes nothing/, 'unset KUBE_REGISTER_DRY_RUN'] },
  },
  {
    name: 'a dry run that was forgotten, of a flag',
    flags: ['--dry-run'],
    found: { settings: ['warning', /^--dry-run=true: .* changes nothing$/, 'leave out --dry-run'] },
  },
  {
    name: 'a pass that one silent kubelet can outlast',
    settings: () => ({ PASS_TIMEOUT: '1s' }),
    found: {
      settings: ['warning', /^KUBE_REGISTER_PASS_TIMEOUT="1s": is not longer/, 'unset KUBE_REGISTER_PASS_TIMEOUT'],
    },
  },
  {
    name: 'a deletion guard that is off',
    settings: () => ({ MAX_DEREGISTER_PERCENT: '100' }),
    found: { settings: ['warning', /turns the deletion guard off/, 'unset KUBE_REGISTER_MAX_DEREGISTER_PERCENT'] },
  },
  {
    name: 'flags, which are mended as flags',
    flags: ['-metadata=role=master'],
    found: { ...WITHOUT_MACHINES, machines: ['wrong', /^none of 4/, '-metadata=role=kubernetes'] },
  },

  {
    name: 'a fleet that is not there',
    arrange: ({ lab }) => lab.fleet.stop(),
    found: {
      ...WITHOUT_FLEET,
      fleet: ['wrong', /the connection was refused/, 'KUBE_REGISTER_FLEET_ENDPOINT=unix:///var/run/fleet.sock'],
    },
  },
  {
    name: "a socket of fleet's that is not there",
    settings: ({ folder }) => ({ FLEET_ENDPOINT: `unix://${folder}/fleet.sock` }),
    found: { ...WITHOUT_FLEET, fleet: ['wrong', /there is no socket at/, 'systemctl start fleet.socket'] },
  },
  {
    name: 'a fleet whose etcd is down',
    arrange: ({ lab }) => Object.assign(lab.fleet, { etcd: 'unreachable' }),
    found: { ...WITHOUT_FLEET, fleet: ['wrong', /is etcd healthy\?$/, 'etcdctl cluster-health'] },
  },
  {
    name: 'something else where fleet should be',
    settings: ({ lab }) => ({
      FLEET_ENDPOINT: lab.kubelets.healthzUrl.replace('{ip}', '127.1.0.1').replace('/healthz', ''),
    }),
    found: { ...WITHOUT_FLEET, fleet: ['wrong', /this is not fleet's API/] },
  },
  {
    name: 'a fleet with a client certificate that cannot be read',
    settings: ({ lab }) => ({
      FLEET_ENDPOINT: lab.fleet.url.replace('http:', 'https:'),
      FLEET_CA_FILE: '/nowhere/ca.pem',
    }),
    found: {
      ...WITHOUT_FLEET,
      fleet: ['wrong', /the file does not exist/, 'KUBE_REGISTER_FLEET_CA_FILE=/path/of/the/right/file'],
    },
  },
  {
    name: 'a record of fleet without an id',
    options: { fleet: { version: '0.8.3' } },
    arrange: ({ lab }) => lab.fleet.setMachine({ address: '127.1.0.9' }, 'f'),
    found: { fleet: ['warning', /\(\/v1-alpha\), 4 machines in 1 page; 1 record in its list without a machine ID/] },
  },

  {
    name: 'a fleet without machines',
    arrange: ({ lab }) => lab.fleet.removeAllMachines(),
    found: { ...WITHOUT_MACHINES, machines: ['wrong', /lists no machine/, 'fleetctl list-machines'] },
  },
  {
    name: 'a selector that no machine matches',
    settings: () => ({ METADATA: 'role=master' }),
    found: {
      ...WITHOUT_MACHINES,
      machines: [
        'wrong',
        /^none of 4 machines matches METADATA "role=master"; .*: role=kubernetes \(3\), zone=a \(3\), role=etcd \(1\)$/,
        'KUBE_REGISTER_METADATA=role=kubernetes',
      ],
    },
  },
  {
    name: 'machines with the metadata that the Go program asked for by default',
    arrange: ({ lab }) => {
      lab.fleet.removeAllMachines();
      lab.fleet.setMachine({ id: 'a', address: '127.1.0.1', metadata: { k8s: 'kubelet', rack: 'r1' } });
      lab.fleet.setMachine({ id: 'b', address: '127.1.0.2', metadata: { rack: 'r1' } });
    },
    found: {
      ...WITHOUT_MACHINES,
      machines: [
        'wrong',
        /: rack=r1 \(2\), k8s=kubelet \(1\); k8s=kubelet is the default of the Go program$/,
        'KUBE_REGISTER_METADATA=k8s=kubelet',
      ],
    },
  },
  {
    name: 'a selector for metadata that no machine has any of',
    arrange: ({ lab }) => {
      lab.fleet.removeAllMachines();
      lab.fleet.setMachine({ id: 'a', address: '127.1.0.1' });
    },
    found: { ...WITHOUT_MACHINES, machines: ['wrong', /no metadata$/, "KUBE_REGISTER_METADATA=''"] },
  },
  {
    name: 'a machine without an address',
    arrange: ({ lab }) => lab.fleet.setMachine({ id: 'f', metadata: WORKER }),
    found: {
      machines: [
        'wrong',
        /^1 of these 4 cannot be used: f: no address$/,
        `echo 'public_ip="ADDRESS"' | sudo tee -a /etc/fleet/fleet.conf && sudo systemctl restart fleet # on that machine`,
      ],
    },
  },
  {
    name: 'one /etc/machine-id on two machines',
    arrange: ({ lab }) => {
      lab.fleet.setMachine({ id: 'f', address: '127.1.0.8', metadata: WORKER }, 'first');
      lab.fleet.setMachine({ id: 'f', address: '127.1.0.9', metadata: WORKER }, 'second');
    },
    found: {
      machines: [
        'wrong',
        /^1 of these 4 cannot be used: f: fleet lists it with several addresses .*: do several hosts have the same \/etc\/machine-id\?/,
        /^rm \/etc\/machine-id && systemd-machine-id-setup && reboot # on all/,
      ],
    },
  },
  {
    name: 'a fleetd that was started before the network',
    arrange: ({ lab }) => lab.fleet.setMachine({ id: 'f', address: '127.0.0.1', metadata: WORKER }),
    found: {
      machines: [
        'wrong',
        /^1 of these 4 cannot be used: f: "127\.0\.0\.1" is the loopback address: fleetd started before/,
        'systemctl restart fleet # on that machine',
      ],
    },
  },

  {
    name: 'a kubelet that is down',
    arrange: ({ lab }) => lab.kubelets.at('127.1.0.2')?.stop(),
    found: {
      kubelets: [
        'warning',
        /^2 of 3 kubelets are healthy \(2 at http:\/\/\{ip\}:\d+\/healthz\); 1 unreachable: .*127\.1\.0\.2:\d+\/healthz refused/,
        'fleetctl list-units | grep kubelet',
      ],
    },
  },
  {
    name: 'kubelets that are all asked at the wrong port',
    settings: async () => ({ HEALTHZ_URL: `http://{ip}:${await refusingPort()}/healthz` }),
    found: {
      kubelets: ['wrong', /^0 of 3 kubelets are healthy; 3 unreachable: /, 'fleetctl list-units | grep kubelet'],
    },
  },
  {
    name: 'kubelets that answer at a usual port alone',
    options: { kubelets: { port: 10_255 } },
    settings: async () => ({ HEALTHZ_URL: `http://{ip}:9/healthz` }),
    found: {
      kubelets: [
        'wrong',
        /; kubelets respond at http:\/\/\{ip\}:10255\/healthz$/,
        'KUBE_REGISTER_HEALTHZ_URL=http://{ip}:9/healthz,http://{ip}:10255/healthz',
      ],
    },
  },
  {
    name: 'kubelets that answer at a usual port alone, and are asked at one port',
    options: { kubelets: { port: 10_255 } },
    settings: () => ({ HEALTHZ_URL: '', HEALTHZ_PORT: '9' }),
    found: { kubelets: ['wrong', /; kubelets respond at/, /10255\/healthz # in place of KUBE_REGISTER_HEALTHZ_PORT$/] },
  },
  {
    name: 'a kubelet that hangs',
    arrange: ({ lab }) => lab.kubelets.at('127.1.0.1')?.misbehave(hang),
    settings: () => ({ HEALTHZ_TIMEOUT: '1s' }),
    found: { kubelets: ['warning', /127\.1\.0\.1:\d+\/healthz timed out/] },
  },
  {
    name: 'a kubelet that is not well',
    arrange: ({ lab }) => lab.kubelets.at('127.1.0.1')?.misbehave(answerWith(500)),
    found: { kubelets: ['warning', /; 1 unhealthy: http:\/\/127\.1\.0\.1:\d+\/healthz answered 500$/] },
  },
  {
    name: "kubelets' certificates of another authority",
    options: { kubelets: { tls: { key: certificate('server.key'), cert: certificate('server.pem') } } },
    settings: () => ({ KUBELET_CA_FILE: certificateFile('other-ca.pem') }),
    found: {
      kubelets: [
        'wrong',
        /; 3 unhealthy: .* failed the TLS handshake: its certificate is not signed by a CA in KUBELET_CA_FILE .*\); put its CA certificate in KUBE_REGISTER_KUBELET_CA_FILE, or unset KUBE_REGISTER_KUBELET_CA_FILE [^;]*$/,
        'KUBE_REGISTER_KUBELET_CA_FILE=/path/of/the/kubelets/ca.pem',
      ],
    },
  },
  ...(
    [
      ['made by themselves', 'kubelet', /self-signed .*; start the kubelet with --tls-cert-file [^;]*, or unset/],
      ['without their addresses', 'server', /not for this address .*; start the kubelet with --tls-cert-file/],
    ] as const
  ).map(
    ([what, name, sentence]): Fault => ({
      name: `certificates of kubelets ${what}`,
      options: { kubelets: { tls: { key: certificate(`${name}.key`), cert: certificate(`${name}.pem`) } } },
      settings: () => ({ KUBELET_CA_FILE: certificateFile('ca.pem') }),
      found: { kubelets: ['wrong', sentence, 'unset KUBE_REGISTER_KUBELET_CA_FILE'] },
    }),
  ),
  {
    name: 'certificates of kubelets made by themselves, and a CA that a flag gives',
    options: { kubelets: { tls: { key: certificate('kubelet.key'), cert: certificate('kubelet.pem') } } },
    flags: [`--kubelet-ca-file=${certificateFile('ca.pem')}`],
    found: { kubelets: ['wrong', /self-signed/, 'leave out --kubelet-ca-file'] },
  },
  {
    name: 'kubelets that want a client certificate',
    options: {
      kubelets: {
        tls: {
          key: certificate('server.key'),
          cert: certificate('server.pem'),
          ca: certificate('ca.pem'),
          requestCert: true,
        },
      },
    },
    found: {
      kubelets: [
        'wrong',
        /failed the TLS handshake \(/,
        /^KUBE_REGISTER_KUBELET_CA_FILE=\S+ .*_CERT_FILE=.*_KEY_FILE=/,
      ],
    },
  },
  {
    name: "a file of kubelets' authority that is not there",
    options: { kubelets: { tls: { key: certificate('server.key'), cert: certificate('server.pem') } } },
    settings: () => ({ KUBELET_CA_FILE: '/nowhere/ca.pem' }),
    found: {
      ...WITHOUT_NODES,
      kubelets: ['wrong', /^KUBE_REGISTER_KUBELET_CA_FILE: \/nowhere\/ca.pem: the file does not exist/],
    },
  },
  {
    name: "a file of kubelets' authority that is not there, where no machine matches",
    options: { kubelets: { tls: { key: certificate('server.key'), cert: certificate('server.pem') } } },
    settings: () => ({ KUBELET_CA_FILE: '/nowhere/ca.pem', METADATA: 'role=master' }),
    found: {
      ...WITHOUT_MACHINES,
      ...WITHOUT_NODES,
      machines: ['wrong', /^none of 4/],
      kubelets: ['wrong', /^KUBE_REGISTER_KUBELET_CA_FILE: \/nowhere\/ca.pem: the file does not exist/],
    },
  },

  {
    name: 'an API server that is not there',
    arrange: ({ lab }) => lab.kubernetes.stop(),
    found: {
      ...WITHOUT_API_SERVER,
      'api-server': [
        'wrong',
        /the connection was refused/,
        'fleetctl status kube-apiserver.service || systemctl status kube-apiserver',
      ],
    },
  },
  {
    name: 'an API server without TLS that is asked for TLS',
    settings: ({ lab }) => ({ API_ENDPOINT: lab.kubernetes.url.replace('http:', 'https:') }),
    found: {
      ...WITHOUT_API_SERVER,
      'api-server': [
        'wrong',
        /does not speak TLS on this port/,
        /^KUBE_REGISTER_API_ENDPOINT=http:\/\/127\.0\.0\.1:\d+$/,
      ],
    },
  },
  {
    name: 'an API server with TLS that is asked without',
    arrange: ({ lab }) =>
      lab.kubernetes.faults.add(answerWith(400, 'Client sent an HTTP request to an HTTPS server.\n'), { path: /./ }),
    found: {
      ...WITHOUT_API_SERVER,
      'api-server': ['wrong', /HTTP request to an HTTPS/, /^KUBE_REGISTER_API_ENDPOINT=https:\/\/127\.0\.0\.1:\d+$/],
    },
  },
  {
    name: 'an API server whose name cannot be resolved, and that is to be asked without TLS',
    settings: () => ({ API_ENDPOINT: 'http://nowhere.invalid:8080', API_TOKEN_FILE: '' }),
    found: {
      ...WITHOUT_API_SERVER,
      tls: ['warning', /plain http/],
      'api-server': ['wrong', /cannot be resolved/, 'KUBE_REGISTER_API_ENDPOINT=http://HOST:8080'],
    },
  },
  {
    name: 'something else where the API server should be',
    settings: ({ lab }) => ({ API_ENDPOINT: lab.fleet.url }),
    found: {
      ...WITHOUT_NODES,
      'right-list-nodes': NOT_KNOWN,
      'right-get-nodes': NOT_KNOWN,
      'right-create-nodes': NOT_KNOWN,
      'api-server': ['wrong', /check KUBE_REGISTER_API_ENDPOINT/, 'KUBE_REGISTER_API_ENDPOINT=http://HOST:8080'],
    },
  },
  {
    name: 'an API version that the server does not have',
    settings: () => ({ API_VERSION: 'v1beta3' }),
    found: {
      ...WITHOUT_NODES,
      'api-server': ['wrong', /the server does not serve \/api\/v1beta3\/nodes/, 'KUBE_REGISTER_API_VERSION=auto'],
    },
  },
  {
    name: 'a certificate of the API server that nobody here trusts',
    options: { kubernetes: { tls: { key: certificate('server.key'), cert: certificate('server.pem') } } },
    found: {
      ...WITHOUT_API_SERVER,
      'api-server': ['wrong', /signed by a CA that is not trusted/, 'KUBE_REGISTER_API_CA_FILE=/path/of/its/ca.pem'],
    },
  },
  {
    name: 'a certificate of the API server that is not checked',
    options: { kubernetes: { tls: { key: certificate('server.key'), cert: certificate('server.pem') } } },
    settings: () => ({ API_INSECURE_SKIP_TLS_VERIFY: 'true' }),
    found: { settings: ['warning', /not verified/], tls: ['warning', /not verified: anyone on the network path/] },
  },
  {
    name: 'an API server that fails',
    arrange: ({ lab }) => lab.kubernetes.faults.add(answerWith(500, 'etcd is down'), { path: /nodes/, method: 'GET' }),
    found: { ...WITHOUT_NODES, nodes: ['wrong', /500: etcd is down/, 'kubectl get --raw /healthz'] },
  },

  {
    name: 'a token that the server does not know',
    options: { kubernetes: { tokens: { other: 'all' } } },
    found: {
      ...WITHOUT_RIGHTS,
      ...WITHOUT_NODES,
      credentials: [
        'wrong',
        new RegExp(`^a token of "${SUBJECT}" is sent; the API server rejects this \\(401\\)$`),
        'kubectl -n kube-register create token kube-register > FILE',
      ],
    },
  },
  {
    name: 'no token',
    settings: () => ({ API_TOKEN_FILE: '' }),
    found: {
      ...WITHOUT_RIGHTS,
      ...WITHOUT_NODES,
      credentials: ['wrong', /^no credentials are sent; /, 'KUBE_REGISTER_API_TOKEN_FILE=/path/of/a/token'],
    },
  },
  {
    name: 'a file of the token that is not there',
    settings: () => ({ API_TOKEN_FILE: '/nowhere/token' }),
    found: {
      ...WITHOUT_API_SERVER,
      'api-server': SKIPPED,
      tls: SKIPPED,
      credentials: ['wrong', /the file does not exist/, 'KUBE_REGISTER_API_TOKEN_FILE=/path/of/the/right/file'],
    },
  },

  ...(['create', 'patch', 'delete', 'get'] as const).map(
    (verb): Fault => ({
      name: `no right to ${verb} nodes`,
      arrange: ({ lab }) => lab.kubernetes.authorization.forbid(verb, 'nodes'),
      found: { [`right-${verb}-nodes`]: ['wrong', new RegExp(`^the user may not ${verb} nodes: without it`), GRANT] },
    }),
  ),
  {
    name: 'no right to list nodes',
    arrange: ({ lab }) => lab.kubernetes.authorization.forbid('list', 'nodes'),
    found: { ...WITHOUT_NODES, 'right-list-nodes': ['wrong', /^the user may not list nodes/, GRANT] },
  },
  {
    name: 'no right to get nodes, where there is one that has to be read',
    arrange: ({ lab }) => {
      lab.kubernetes.putNode({ name: 'somebody' });
      lab.kubernetes.authorization.forbid('get', 'nodes');
    },
    found: { ...WITHOUT_NODES, 'right-get-nodes': ['wrong', /^the user may not get nodes/, GRANT] },
  },
  {
    name: 'no right to write Events',
    arrange: ({ lab }) => lab.kubernetes.authorization.forbid('create', 'events'),
    found: { 'right-create-events': ['warning', /^the user may not create events in the namespace default/, GRANT] },
  },
  {
    name: 'a server that does not tell what one may do',
    options: { kubernetes: { version: 'v1.5.8' } },
    found: {
      'right-get-nodes': ['skipped', /^unknown: the server has no SelfSubjectAccessReview/],
      'right-create-nodes': NOT_KNOWN,
      'right-patch-nodes': NOT_KNOWN,
      'right-delete-nodes': NOT_KNOWN,
      'right-create-events': NOT_KNOWN,
    },
  },
  {
    name: 'a server that answers any path with what it has',
    options: { kubernetes: { version: 'v0.13.2' } },
    arrange: ({ lab }) =>
      lab.kubernetes.faults.add(answerWith(200, '{"paths":["/api"]}'), { path: /selfsubjectaccessreviews/ }),
    found: {
      'right-get-nodes': ['skipped', /^unknown: the server has no SelfSubjectAccessReview/],
      'right-create-nodes': NOT_KNOWN,
      'right-patch-nodes': NOT_KNOWN,
      'right-delete-nodes': NOT_KNOWN,
    },
  },
  {
    name: 'a user who may not ask what he may do',
    arrange: ({ lab }) => lab.kubernetes.faults.add(answerWith(403), { path: /selfsubjectaccessreviews/ }),
    found: {
      'right-get-nodes': ['skipped', /system:basic-user/],
      'right-create-nodes': NOT_KNOWN,
      'right-patch-nodes': NOT_KNOWN,
      'right-delete-nodes': NOT_KNOWN,
      'right-create-events': NOT_KNOWN,
    },
  },

  {
    name: 'an API server that refuses everything, which is an answer',
    arrange: ({ lab }) => lab.kubernetes.faults.add(answerWith(403)),
    found: {
      ...WITHOUT_NODES,
      'right-list-nodes': [
        'wrong',
        /^the user may not list nodes: without it every pass fails; kubernetes at http:\S+: GET \/api\/v1\/nodes: answered 403 Forbidden$/,
        'KUBE_REGISTER_API_ENDPOINT=http://HOST:8080',
      ],
      'right-get-nodes': ['skipped', /system:basic-user/],
      'right-create-nodes': NOT_KNOWN,
      'right-patch-nodes': NOT_KNOWN,
      'right-delete-nodes': NOT_KNOWN,
      'right-create-events': NOT_KNOWN,
    },
  },
  {
    name: 'a refusal to list nodes that the API server does not own up to',
    arrange: ({ lab }) => lab.kubernetes.faults.add(answerWith(403), { path: /nodes/, method: 'GET' }),
    found: {
      ...WITHOUT_NODES,
      'right-list-nodes': [
        'wrong',
        /^the API server grants this, but the request was refused: is there a proxy in between\? .*: answered 403 Forbidden$/,
        'KUBE_REGISTER_API_ENDPOINT=http://HOST:8080',
      ],
    },
  },
  {
    name: 'a proxy that lets nobody read a single node',
    arrange: (bad) => spoilNode(bad, answerWith(403, 'not through me')),
    found: {
      ...WITHOUT_NODES,
      'right-get-nodes': ['wrong', /is there a proxy in between\? .*\/nodes\/somebody: answered 403: not through me/],
    },
  },
  {
    name: 'a proxy that knows nobody who reads a single node',
    arrange: (bad) => spoilNode(bad, answerWith(401, 'who are you?')),
    found: { ...WITHOUT_NODES, nodes: ['wrong', /\/nodes\/somebody: answered 401: who are you\?/] },
  },
  {
    name: 'a proxy that knows no single node',
    arrange: (bad) => spoilNode(bad, answerWith(404, 'no such page')),
    found: { ...WITHOUT_NODES, 'api-server': ['wrong', /\/nodes\/somebody: answered 404: no such page/] },
  },
  {
    name: 'a single node that cannot be read by a user who may not ask what he may do',
    arrange: (bad) => {
      spoilNode(bad, answerWith(403));
      bad.lab.kubernetes.faults.add(answerWith(403), { path: /selfsubjectaccessreviews/ });
    },
    found: {
      ...WITHOUT_NODES,
      'right-get-nodes': [
        'wrong',
        /^the user may not get nodes: .*\/nodes\/somebody: answered 403 Forbidden$/,
        'KUBE_REGISTER_API_ENDPOINT=http://HOST:8080',
      ],
      'right-create-nodes': NOT_KNOWN,
      'right-patch-nodes': NOT_KNOWN,
      'right-delete-nodes': NOT_KNOWN,
      'right-create-events': NOT_KNOWN,
    },
  },
  ...(
    [
      ['a login page', answerWith(200, '<html>'), /that is not JSON/],
      ['a redirect', redirectTo('https://login.example/'), /redirected to login\.example/],
      ['half an answer', truncate, /./],
      ['a teapot', answerWith(418, 'short and stout'), /418: short and stout/],
    ] as const
  ).map(
    ([name, fault, sentence]): Fault => ({
      name: `${name} in place of the nodes`,
      arrange: ({ lab }) => lab.kubernetes.faults.add(fault, { path: /nodes/, method: 'GET' }),
      found: { ...WITHOUT_NODES, nodes: ['wrong', sentence] },
    }),
  ),
  {
    name: 'reviews of rights that fail',
    arrange: ({ lab }) => lab.kubernetes.faults.add(answerWith(500), { path: /selfsubjectaccessreviews/ }),
    found: {
      'right-get-nodes': NOT_KNOWN,
      'right-create-nodes': NOT_KNOWN,
      'right-patch-nodes': NOT_KNOWN,
      'right-delete-nodes': NOT_KNOWN,
      'right-create-events': NOT_KNOWN,
    },
  },

  {
    name: 'so many dead nodes that the deletion guard would be active',
    arrange: ({ lab }) => {
      for (const name of ['127.1.9.1', '127.1.9.2']) {
        lab.kubernetes.putNode({
          name,
          addresses: [name],
          annotations: { 'kube-register.io/machine-id': name },
          ready: 'unknown',
        });
      }
    },
    found: {
      nodes: ['warning', /^deletion guard active: 2 of 2 managed nodes are not alive .*127\.1\.9\.1, 127\.1\.9\.2/],
    },
  },
  {
    name: 'a node that is Ready while its kubelet is silent',
    arrange: async ({ lab }) => {
      const annotations = { 'kube-register.io/machine-id': '1'.padStart(32, '0') };
      lab.kubernetes.putNode({ name: '127.1.0.1', annotations, addresses: ['127.1.0.1'], ready: true });
      await lab.kubelets.at('127.1.0.1')?.stop();
    },
    found: {
      kubelets: ['warning', /1 unreachable/],
      nodes: [
        'warning',
        /^1 node reporting while the kubelet is unreachable: 127\.1\.0\.1 \(see kubelets\)$/,
        'KUBE_REGISTER_HEALTHZ_URL=http://{ip}:PORT/healthz',
      ],
    },
  },
  {
    name: 'two machines at one address',
    arrange: ({ lab }) => lab.fleet.setMachine({ id: 'f', address: '127.1.0.1', metadata: WORKER }),
    found: {
      conflicts: [
        'wrong',
        /^fleet lists 127\.1\.0\.1 for 2 machines: 0+1; f; none of them is registered$/,
        /^echo 'public_ip="ADDRESS"' \| sudo tee -a \/etc\/fleet\/fleet\.conf .* # on each/,
      ],
    },
  },
  {
    name: 'two machines of one name, which is not told twice',
    arrange: async ({ lab }) => {
      await lab.addMachine({ id: 'f', metadata: { name: 'n' } });
      await lab.addMachine({ id: 'g', metadata: { name: 'n' } });
    },
    settings: () => ({ NODE_NAME: 'metadata:name', METADATA: 'name' }),
    found: { names: ['wrong', /g: "n" is also the name of machine f$/] },
  },
  {
    name: 'a machine that two nodes match alike',
    arrange: ({ lab }) => {
      for (const name of ['one', 'two']) lab.kubernetes.putNode({ name, addresses: ['127.1.0.1'], ready: true });
    },
    found: {
      conflicts: [
        'wrong',
        /^1 machine matched by several nodes: 0+1: several nodes match it by address .*: one, two$/,
        'kubectl delete node NAME',
      ],
    },
  },
  {
    name: 'kubelets in containers that report the machine ID of their image',
    arrange: ({ lab }) => {
      for (const last of [1, 2, 3]) {
        const node = { name: `core-${last}`, machineId: 'of-the-image', addresses: [`127.1.0.${last}`], ready: true };
        lab.kubernetes.putNode(node);
      }
    },
    found: {
      'machine-ids': [
        'warning',
        /^machine ID of-the-image is reported by 3 nodes: core-1; core-2; core-3; their kubelets run in containers/,
        /^--volume=\/etc\/machine-id:\/etc\/machine-id:ro in the unit that runs the kubelet/,
      ],
    },
  },
  {
    name: 'a kubelet that posts under another name than its node has',
    arrange: ({ lab }) => {
      const annotations = { 'kube-register.io/machine-id': '1'.padStart(32, '0') };
      lab.kubernetes.putNode({ name: '127.1.0.1', annotations, addresses: ['127.1.0.1'], ready: 'unknown' });
      lab.kubernetes.putNode({ name: 'core-1', ready: true });
    },
    found: {
      nodes: [
        'warning',
        /^1 node not reporting while the kubelet is reachable: 127\.1\.0\.1; that kubelet has just started, uses another name/,
        '--hostname-override=127.1.0.1 in the unit of that kubelet, or KUBE_REGISTER_NODE_NAME=ip',
      ],
    },
  },
  {
    name: 'a node whose kubelet has posted nothing for ten minutes',
    arrange: ({ lab }) => {
      const since = new Date(Date.now() - 10 * MINUTE - 1).toISOString();
      const annotations = { 'kube-register.io/machine-id': '1'.padStart(32, '0'), 'kube-register.io/since': since };
      lab.kubernetes.putNode({ name: '127.1.0.1', annotations, addresses: ['127.1.0.1'] });
    },
    found: { nodes: ['warning', /^1 node not reporting while the kubelet is reachable: 127\.1\.0\.1; /] },
  },
  {
    name: 'nothing of a node that was registered a moment ago',
    arrange: ({ lab }) => {
      const since = new Date(Date.now() - 9 * MINUTE).toISOString();
      const annotations = { 'kube-register.io/machine-id': '1'.padStart(32, '0'), 'kube-register.io/since': since };
      lab.kubernetes.putNode({ name: '127.1.0.1', annotations, addresses: ['127.1.0.1'] });
    },
    found: {},
  },
  {
    name: 'a machine whose kubelet has a name of its own, and posts nothing',
    arrange: ({ lab }) =>
      lab.kubernetes.putNode({ name: 'core-1', machineId: '1'.padStart(32, '0'), ready: 'unknown' }),
    found: {
      nodes: [
        'warning',
        /^1 machine with a healthy kubelet, not registered: 0+1: node core-1 reports machine ID 0+1, so it may be the node of this machine/,
        'kubectl delete node core-1',
      ],
    },
  },
  {
    name: 'a node of another owner, which is that of a machine',
    arrange: ({ lab }) => {
      const annotations = { 'kube-register.io/machine-id': 'theirs', 'kube-register.io/owner': 'blue' };
      lab.kubernetes.putNode({ name: 'core-1', annotations, addresses: ['127.1.0.1'], ready: true });
    },
    found: {
      nodes: [
        'warning',
        /^1 machine whose node needs attention: 0+1: node core-1, .* is managed by the kube-register with KUBE_REGISTER_OWNER_ID=blue$/,
        'kubectl annotate --overwrite node core-1 kube-register.io/owner=default',
      ],
    },
  },
  {
    name: 'a node that is being deleted and waits for its finalizers',
    arrange: async ({ lab }) => {
      const annotations = { 'kube-register.io/machine-id': '4'.padStart(32, '0') };
      lab.kubernetes.putNode({ name: 'core-9', annotations, finalizers: ['example.com/volumes'], ready: 'unknown' });
      const headers = { Authorization: `Bearer ${TOKEN}` };
      await fetch(`${lab.kubernetes.url}/api/v1/nodes/core-9`, { method: 'DELETE', headers });
    },
    found: {
      nodes: [
        'warning',
        /^1 node being deleted: core-9: deleted at \S+; it waits for finalizers example\.com\/volumes$/,
        `kubectl patch node core-9 --type=merge -p '{"metadata":{"finalizers":null}}'`,
      ],
    },
  },
  {
    name: 'an unmanaged node that another one has replaced',
    arrange: ({ lab }) => {
      const id = '1'.padStart(32, '0');
      lab.kubernetes.putNode({ name: '127.1.0.1', machineId: id, addresses: ['127.1.0.1'], ready: true });
      lab.kubernetes.putNode({ name: 'core-1', machineId: id, ready: 'unknown' });
    },
    found: {
      nodes: ['warning', /^1 node left over: core-1: unmanaged and not reporting/, 'kubectl delete node core-1'],
    },
  },
  {
    name: 'a name that no node can have',
    arrange: ({ lab }) =>
      lab.fleet.setMachine({ id: 'f', address: '127.1.0.9', metadata: { role: 'kubernetes', name: 'Not_Valid' } }),
    settings: () => ({ NODE_NAME: 'metadata:name', METADATA: 'name' }),
    found: {
      names: [
        'wrong',
        /^NODE_NAME=metadata:name gives 1 of 1 machine no valid node name: f: "Not_Valid" is not a valid node name: upper-case/,
        'KUBE_REGISTER_NODE_NAME=ip',
      ],
      kubelets: ['wrong', /^0 of 1/],
    },
  },
  {
    name: 'a metadata key of NODE_NAME that the machine does not have',
    settings: () => ({ NODE_NAME: 'metadata:name' }),
    found: { names: ['wrong', /gives 3 of 3 machines no valid node name: .*it has no metadata "name"/] },
  },
  {
    name: 'metadata that no label can stand for',
    arrange: ({ lab }) =>
      lab.fleet.setMachine({
        id: '3'.padStart(32, '0'),
        address: '127.1.0.3',
        metadata: { ...WORKER, rack: 'r'.repeat(64) },
      }),
    settings: () => ({ NODE_LABELS: 'zone,rack' }),
    found: { labels: ['warning', /^1 label left out: machine 0+3: metadata "rack"/, 'KUBE_REGISTER_NODE_LABELS=zone'] },
  },
  {
    name: 'metadata for a label that no machine has',
    settings: () => ({ NODE_LABELS: 'zone,zoen' }),
    found: { labels: ['warning', /^no matching machine has metadata "zoen"$/, 'KUBE_REGISTER_NODE_LABELS=zone'] },
  },

  {
    name: 'a living node with the mark of a machine of another fleet',
    arrange: ({ lab }) =>
      lab.kubernetes.putNode({
        name: 'other',
        annotations: { 'kube-register.io/machine-id': 'elsewhere' },
        ready: true,
      }),
    found: {
      'other-daemons': ['warning', /^1 managed node alive, with a machine that is missing from fleet: other; either/],
    },
  },
  {
    name: 'a living node with our mark whose machine does not match',
    arrange: ({ lab }) => {
      const annotations = { 'kube-register.io/machine-id': '4'.padStart(32, '0') };
      lab.kubernetes.putNode({ name: '127.1.0.4', annotations, ready: true });
    },
    found: {
      'other-daemons': [
        'warning',
        /^1 managed node alive, with a machine that does not match METADATA: 127\.1\.0\.4; either/,
      ],
    },
  },
  {
    name: 'a port that cannot be told of others',
    settings: async () => ({ LISTEN: `127.0.0.1:${await refusingPort()}` }),
    found: { 'other-daemons': ['skipped', /^unknown: KUBE_REGISTER_LISTEN is on the loopback interface/] },
  },

  {
    name: 'a clock of fleet that is some seconds behind',
    arrange: ({ lab }) => lab.fleet.faults.add(atTime(-20_000)),
    found: { clock: ['warning', /^fleet is (19|20|21)s behind this machine: tokens/, 'timedatectl set-ntp true'] },
  },
  {
    name: 'a clock of this machine that is minutes behind',
    arrange: ({ lab }) => {
      lab.fleet.faults.add(atTime(5 * MINUTE));
      lab.kubernetes.faults.add(atTime(5 * MINUTE));
    },
    found: {
      clock: [
        'wrong',
        /^fleet is (4m59s|5m|5m1s) ahead of this machine, the API server is \w+ ahead of this machine: /,
      ],
    },
  },

  {
    name: 'a port that another program has',
    settings: async () => ({ LISTEN: await takenPort() }),
    found: {
      listener: [
        'wrong',
        /^cannot listen on 127\.0\.0\.9:\d+: another program has this port; no kube-register responds at 127\.0\.0\.9$/,
        /^ss -ltnp 'sport = :\d+'$/,
      ],
    },
  },
  {
    name: 'an address that this machine does not have',
    settings: () => ({ LISTEN: '192.0.2.1:10271' }),
    found: { listener: ['wrong', /this machine does not have this address/, 'KUBE_REGISTER_LISTEN=0.0.0.0:10271'] },
  },
  {
    name: 'a pass that takes too long',
    arrange: ({ lab, clock }) => lab.fleet.faults.add(change((answer) => late(answer, clock))),
    settings: () => ({ PASS_TIMEOUT: '3s' }),
    found: {
      'pass-time': ['wrong', /^observing took 5s; KUBE_REGISTER_PASS_TIMEOUT is 3s$/, 'KUBE_REGISTER_PASS_TIMEOUT=1m'],
    },
  },
  {
    name: 'a fleet whose answers take more than half of their timeout',
    arrange: ({ lab }) => lab.fleet.faults.add(afterMs(600)),
    settings: () => ({ FLEET_TIMEOUT: '1s' }),
    found: {
      'pass-time': [
        'warning',
        /^fleet is slow: an answer took [67]00ms, more than half of its timeout$/,
        /^KUBE_REGISTER_FLEET_TIMEOUT=[23]s$/,
      ],
    },
  },
];

/** A node that has to be read whole, and cannot be. */
function spoilNode({ lab }: Scene, fault: Parameters<Lab['kubernetes']['faults']['add']>[0]): void {
  lab.kubernetes.putNode({ name: 'somebody' });
  lab.kubernetes.faults.add(fault, { path: /\/nodes\/somebody/ });
}

function atTime(offsetMs: number) {
  return change((answer) => {
    const headers = { ...answer.headers, Date: new Date(Date.now() + offsetMs).toUTCString() };
    return { ...answer, headers };
  });
}

function late<T>(answer: T, clock: { aheadMs: number }): T {
  clock.aheadMs += 5_000;
  return answer;
}

async function takenPort(): Promise<string> {
  const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH_6.6.1\r\n')).listen(0, '127.0.0.9');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `127.0.0.9:${z.object({ port: z.number() }).parse(server.address()).port}`;
}

describe('the check of an installation', () => {
  it('finds nothing where nothing is wrong', async () => {
    const good = await scene({ fleet: { version: '0.11.8' } });
    const findings = await findingsIn(good, { ...good.settings, NODE_LABELS: 'zone' });
    expectFindings(findings, {});
    const told = new Map(findings.map(({ check, sentence }) => [check, sentence]));
    expect(told.get('fleet')).toBe(
      `reachable at ${good.lab.fleet.endpoint}: fleetd/0.11.8 (/fleet/v1), 4 machines in 1 page`,
    );
    expect(told.get('machines')).toBe('3 of 4 machines match METADATA "role=kubernetes"');
    expect(told.get('kubelets')).toBe(`3 of 3 kubelets are healthy (3 at ${good.lab.kubelets.healthzUrl})`);
    expect(told.get('api-server')).toBe(
      `reachable at ${good.lab.kubernetes.url}: v1.20.2, using API v1; registers, adopts, labels and deregisters`,
    );
    expect(told.get('credentials')).toBe(`a token of "${SUBJECT}" is sent; the API server accepts this`);
    expect(told.get('nodes')).toBe('0 nodes; a first pass would register 3');
    expect(told.get('names')).toBe('NODE_NAME=ip names 3 new nodes: 127.1.0.1; 127.1.0.2; 127.1.0.3');
    expect(told.get('clock')).toBe('within 5s of fleet and the API server');
  });

  it.each(FAULTS)('names $name', async ({ options, arrange, settings, flags, found }) => {
    const bad = await scene(options);
    await arrange?.(bad);
    const all = { ...bad.settings, ...(await settings?.(bad)) };
    const findings = await findingsIn(bad, all, flags);
    expectFindings(findings, found);
    // Where a first pass fails, something is wrong.
    const isWrong = findings.some(({ state }) => state === 'wrong');
    expect({ isWrong, exit: await exitOfPass(all, flags) }).not.toEqual({ isWrong: false, exit: 1 });
  });

  it.each([
    ['has expired', -MINUTE, 'wrong', /^the token of ".*" has expired \(2\d{3}-\d\d-\d\dT\d\d:\d\dZ\)$/],
    ['is nearly over', 2 * MINUTE, 'warning', /^the token of ".*" expires in (1m|2m)/],
  ] as const)('names a token that %s, though the server takes it', async (_, left, state, sentence) => {
    const old = token({ sub: SUBJECT, iat: inSeconds(-60 * MINUTE), exp: inSeconds(left) });
    const bad = await scene({ kubernetes: { tokens: { [old]: 'all' } } });
    await writeFile(join(bad.folder, 'token'), old);
    const findings = await findingsIn(bad, bad.settings);
    expectFindings(findings, {
      credentials: [state, sentence, 'kubectl -n kube-register create token kube-register > FILE'],
    });
    expect(JSON.stringify(findings)).not.toContain(old);
  });

  it.each([
    [{ POLICY: 'register-only' }, 'KUBE_REGISTER_POLICY=register-only'],
    [{ ONCE: 'true' }, 'KUBE_REGISTER_ONCE=true: one pass cannot watch a grace period'],
    [{ MISSING_GRACE: 'never', UNHEALTHY_GRACE: 'never' }, 'both grace periods are never'],
  ])('needs no right that the settings leave no use for: %o', async (more, why) => {
    const careful = await scene();
    careful.lab.kubernetes.authorization.forbid('delete', 'nodes');
    careful.lab.kubernetes.authorization.forbid('create', 'events');
    const findings = await findingsIn(careful, { ...careful.settings, ...more, EVENTS: 'false' });
    expectFindings(findings, {});
    expect(findings).toContainEqual({ check: 'right-delete-nodes', state: 'ok', sentence: `not needed: ${why}` });
  });

  it('tells one daemon at work from two, and a dry run from both', async () => {
    const { lab, settings, ...rest } = await scene();
    const port = await refusingPort();
    const start = (host: string, more: Settings = {}): Program => {
      const program = startProgram({
        ...settings,
        LISTEN: `${host}:${port}`,
        SYNC_INTERVAL: '1h',
        EVENTS: 'false',
        ...more,
      });
      onTestFinished(() => program.signal('SIGKILL'));
      return program;
    };
    const check = () => findingsIn({ lab, settings, ...rest }, { ...settings, LISTEN: `127.0.0.9:${port}` });
    const sentences = (findings: readonly Finding[]) =>
      findings.find(({ check: name }) => name === 'other-daemons')?.sentence;

    await Promise.all([start('127.1.0.1').firstPass(), start('127.1.0.3', { DRY_RUN: 'true' }).firstPass()]);
    const one = await check();
    expectFindings(one, {});
    expect(sentences(one)).toMatch(
      new RegExp(`^one daemon found, at 127\\.1\\.0\\.1:${port} \\(port ${port} of 4 machines was checked; a daemon`),
    );
    await start('127.1.0.2').firstPass();
    await start('127.0.0.9').firstPass();
    const two = await check();
    expectFindings(two, {
      'other-daemons': ['warning', /^3 copies run: 127\.1\.0\.1:\d+: kube-register \S+, running since /],
    });
    expect(sentences(two)).toMatch(
      /; with equal settings they do no harm, but one is enough; with different NODE_LABELS/,
    );
    expect(two.find(({ check: name }) => name === 'listener')?.sentence).toMatch(
      /is in use by kube-register \S+, running since/,
    );
  });

  it('knows the daemon that has its port at an address which no interface names', async () => {
    const all = await scene();
    const port = await refusingPort();
    const daemon = { ...all.settings, LISTEN: `127.1.0.1:${port}`, SYNC_INTERVAL: '1h', EVENTS: 'false' };
    await startProgram(daemon).firstPass();
    const findings = await findingsIn(all, { ...all.settings, LISTEN: `0.0.0.0:${port}` });
    expectFindings(findings, {});
    expect(findings.find(({ check }) => check === 'listener')?.sentence).toMatch(
      /^0\.0\.0\.0:\d+ is in use by kube-register \S+, running since/,
    );
  });

  it('counts no machine among the new nodes that is in conflict with a node', async () => {
    const bad = await scene();
    // It reports that it is another machine's.
    bad.lab.kubernetes.putNode({ name: '127.1.0.1', machineId: '4'.padStart(32, '0'), ready: true });
    const names = async (settings: Settings = {}) =>
      (await findingsIn(bad, { ...bad.settings, ...settings })).find(({ check }) => check === 'names')?.sentence;
    expect(await names()).toBe('NODE_NAME=ip names 2 new nodes: 127.1.0.2; 127.1.0.3');
    for (const id of ['2', '3']) {
      bad.lab.kubernetes.putNode({ name: `127.1.0.${id}`, machineId: id.padStart(32, '0'), ready: true });
    }
    expect(await names()).toBe('every matching machine has a node, except 1 machine in conflict');
  });

  it('ends at once when it is told to', async () => {
    const { lab, settings, clock } = await scene();
    lab.fleet.faults.add(hang);
    const arrival = lab.fleet.log.arrival();
    const invocation = invocationOf(settings);
    const stop = new AbortController();
    const check = checkInstallation(invocation, clock, stop.signal);
    await arrival;
    stop.abort(new Error('enough'));
    await expect(check).rejects.toThrow('enough');
  });
});

const DOCUMENT = z.object({
  ok: z.boolean(),
  findings: z.array(
    z.object({ check: z.enum(CHECK_NAMES), state: z.string(), sentence: z.string(), mend: z.string().optional() }),
  ),
});

describe('kube-register check', () => {
  async function command(settings: Settings, flags: readonly string[] = []) {
    const program = startProgram(settings, ['check', ...flags]);
    const { code, stderr } = await program.ended;
    return { code, stderr, lines: program.stdout.trimEnd().split('\n'), stdout: program.stdout };
  }

  it('prints a line for each finding and their sum, and ends with 0 where nothing is wrong', async () => {
    const { lab, settings } = await scene();
    await lab.kubelets.at('127.1.0.2')?.stop();
    const { code, stderr, lines } = await command(settings);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(lines[0]).toBe('ok       settings             valid');
    const kubelets = lines.findIndex((line) =>
      line.startsWith('warning  kubelets             2 of 3 kubelets are healthy'),
    );
    expect(lines[kubelets + 1]).toBe('         mend: fleetctl list-units | grep kubelet');
    expect(lines.at(-1)).toBe('22 checks: 21 ok, 1 warning');
  });

  it('ends with 1 where something is wrong, and is JSON for programs', async () => {
    const { lab, settings } = await scene();
    lab.kubernetes.authorization.forbid('patch', 'nodes');
    const { code, stderr, stdout } = await command(settings, ['-o', 'json']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    const { ok, findings } = DOCUMENT.parse(JSON.parse(stdout));
    expect(ok).toBe(false);
    expect(findings.filter(({ state }) => state !== 'ok')).toEqual([
      {
        check: 'right-patch-nodes',
        state: 'wrong',
        sentence: 'the user may not patch nodes: without it no node is adopted, and labels are not updated',
        mend: GRANT,
      },
    ]);
  });

  it('shows nothing as it is that a server says to move a cursor, break a line or turn the reading direction', async () => {
    const evil = '\u001b[2J\r\nok\u202e gnorw';
    const { lab, settings } = await scene({ kubernetes: { tokens: { [TOKEN]: 'all' } } });
    const version = JSON.stringify({ major: '1', minor: '20', gitVersion: `v1.20.2${evil}` });
    lab.kubernetes.faults.add(answerWith(200, version), { path: /^\/version/ });
    const refusal = JSON.stringify({ kind: 'Status', reason: `Evil${evil}`, message: `no nodes${evil}` });
    lab.kubernetes.faults.add(answerWith(500, refusal), { path: /nodes/, method: 'GET' });
    // No header can carry more: Node sends and takes bytes.
    lab.fleet.faults.add(
      change((answer) => ({ ...answer, headers: { ...answer.headers, Server: 'fleetd/1\u00851\u00ad' } })),
    );
    for (const flags of [[], ['-o', 'json']]) {
      const { code, stdout } = await command(settings, flags);
      expect(code).toBe(1);
      for (const part of [/fleetd\/1/, /v1\.20\.2 \[2J ok gnorw/, /Evil \[2J ok gnorw:? no nodes \[2J ok gnorw/]) {
        expect(stdout).toMatch(part);
      }
      expect(stdout).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|\\u/u);
    }
  });

  it('counts a check once, however many findings it has', async () => {
    const { settings } = await scene();
    const { lines } = await command({ ...settings, MISSING_GRACE: '1m', UNHEALTHY_GRACE: '1m' });
    expect(lines.filter((line) => /^warning +settings /.test(line))).toHaveLength(2);
    expect(lines.at(-1)).toBe('22 checks: 21 ok, 1 warning');
  });

  it.each([[[]], [['-o', 'json']]])(
    'says the mistakes in the settings alone, asks nobody, and ends with 2: %j',
    async (flags) => {
      const { lab, settings } = await scene();
      const { code, stderr, stdout } = await command({ ...settings, POLICY: 'foo', METDATA: 'x' }, flags);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr.trimEnd().split('\n')).toEqual([
        'KUBE_REGISTER_METDATA: unknown setting; did you mean KUBE_REGISTER_METADATA?',
        'KUBE_REGISTER_POLICY="foo": must be sync or register-only',
      ]);
      expect([lab.fleet.log.total, lab.kubernetes.log.total]).toEqual([0, 0]);
    },
  );

  it('takes the settings of a unit, and says on which line a setting has to be mended', async () => {
    const { lab, folder, settings } = await scene();
    lab.kubernetes.authorization.forbid('patch', 'nodes');
    const [unit, env] = [join(folder, 'kube-register.service'), join(folder, 'kube-register.env')];
    const lines = Object.entries(settings).map(([name, value]) => `KUBE_REGISTER_${name}="${value}"`);
    await writeFile(env, ['# settings', ...lines, 'KUBE_REGISTER_MISSING_GRACE=1m', ''].join('\n'));
    await writeFile(unit, `[Service]\nEnvironmentFile=${env}\nExecStart=/opt/bin/kube-register\n`);
    const { code, stderr, lines: told } = await command({ API_ENDPOINT: 'http://127.0.0.1:1' }, ['--unit', unit]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(told[0]).toMatch(/^warning {2}settings +KUBE_REGISTER_MISSING_GRACE="1m": /);
    expect(told[1]).toBe(`         mend: ${env}:${lines.length + 2}: remove KUBE_REGISTER_MISSING_GRACE`);
    expect(told.at(-1)).toBe('22 checks: 20 ok, 1 warning, 1 wrong');

    await writeFile(env, `${lines.join('\n')}\n  KUBE_REGISTER_POLICY=foo\n`);
    expect(await command({}, ['--unit', unit])).toMatchObject({
      code: 2,
      stderr: `${env}:${lines.length + 1}: KUBE_REGISTER_POLICY="foo": must be sync or register-only\n`,
    });
  });

  it('finds the file of a setting in what systemctl cat prints, whose comments may have paths, too', () => {
    const input = [
      '# /etc/systemd/system/kube-register.service',
      '[Service]',
      '# /etc/kube-register.env',
      'Environment=KUBE_REGISTER_POLICY=foo',
      '',
      '# /etc/systemd/system/kube-register.service.d/10.conf',
      '[Service]',
      'Environment=KUBE_REGISTER_ADOPT=foo',
    ].join('\n');
    const { status, stderr } = spawnSync(process.execPath, [MAIN, 'check', '--unit', '-'], { input, encoding: 'utf8' });
    expect(status).toBe(2);
    expect(stderr.split('\n').toSorted().slice(1)).toEqual([
      '/etc/systemd/system/kube-register.service.d/10.conf:2: KUBE_REGISTER_ADOPT="foo": must be true or false',
      '/etc/systemd/system/kube-register.service:3: KUBE_REGISTER_POLICY="foo": must be sync or register-only',
    ]);
  });

  it('takes the API server of kubectl where no setting names one, and says that the daemon does not', async () => {
    const { lab, folder, settings } = await scene();
    const kubeconfig = join(folder, 'config');
    const config = {
      'current-context': 'lab',
      contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'me' } }],
      clusters: [{ name: 'lab', cluster: { server: lab.kubernetes.url } }],
      users: [{ name: 'me', user: { token: TOKEN } }],
    };
    await writeFile(kubeconfig, JSON.stringify(config));
    const { API_ENDPOINT, API_TOKEN_FILE, ...others } = settings;
    const env = { ...prefixed(others), KUBECONFIG: kubeconfig };
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'check'], { env });
    const [first, mend] = stdout.split('\n');
    expect(first).toBe(
      `warning  settings             no setting names the API server: using that of KUBECONFIG=${kubeconfig}, which the daemon does not read`,
    );
    expect(mend).toBe(`         mend: export KUBE_REGISTER_KUBECONFIG=${kubeconfig}`);
  });

  it('ends with 1 when it is interrupted', async () => {
    const { lab, settings } = await scene();
    lab.fleet.faults.add(hang);
    const arrival = lab.fleet.log.arrival();
    const program = startProgram(settings, ['check']);
    await arrival;
    program.signal('SIGTERM');
    expect(await program.ended).toEqual({ code: 1, signal: null, stderr: 'kube-register check: interrupted\n' });
    await vi.waitFor(() => expect(program.stdout).toBe(''));
  });
});
