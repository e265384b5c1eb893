/**
 * Advice that can be followed: each sentence of the program with a setting, a flag or a command in it is in a list, and those that a
 * person can simply follow are printed by a fault of the lab that is gone once that was done.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { checkInstallation } from '../../src/commands/check/check.ts';
import { type CheckName, type Finding, named, wrong } from '../../src/commands/check/finding.ts';
import { readSettings } from '../../src/settings/settings.ts';
import { systemClock } from '../../src/time/clock.ts';
import { afterMs, change } from '../lab/faults.ts';
import type { Lab, LabOptions } from '../lab/lab.ts';
import { nowhere, prefixed } from '../unit/settings/read-settings.ts';
import { adviceIn, adviceInSource } from './advice-in-source.ts';
import { ADVICE } from './advice-list.ts';
import { certificate, refusingPort } from './loopback.ts';
import { folderOfTest, labOfTest } from './program.ts';

const TOKEN = 'very-secret';
const WORKER = { role: 'kubernetes', zone: 'a' };
const ZEROS = '0'.repeat(31);
const pemFile = (name: string) => fileURLToPath(new URL(`../certificates/${name}`, import.meta.url));
const tls = (name: string) => ({ key: certificate(`${name}.key`), cert: certificate(`${name}.pem`) });

type Settings = Record<string, string>;

/** An installation in which one thing is wrong. */
interface Scene {
  readonly lab: Lab;
  readonly folder: string;
  /** Named without their prefix. What was pasted is laid over them. */
  settings: Settings;
  readonly clock: { aheadMs: number };
  /** What a person knows who pastes: what stands for what in the advice. */
  readonly known: Map<string, string>;
  /** What a person does with a command that the lab has no other way to run. */
  run: (command: string) => unknown;
}

interface Case {
  readonly name: string;
  readonly options?: LabOptions;
  /** Puts one thing wrong. */
  readonly arrange: (scene: Scene) => unknown;
  readonly check: CheckName;
  /** How many pieces of advice come one after the other; else one. */
  readonly steps?: number;
}

async function sceneOf({ options = {}, arrange }: Case): Promise<Scene> {
  const folder = await folderOfTest();
  const socket = join(folder, 'fleet.sock');
  const lab = await labOfTest({
    ...options,
    fleet: { socket, ...options.fleet },
    kubernetes: { tokens: { [TOKEN]: 'all' }, ...options.kubernetes },
  });
  await lab.addMachines(3, WORKER);
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, TOKEN);
  const settings = {
    FLEET_ENDPOINT: lab.fleet.endpoint,
    API_ENDPOINT: lab.kubernetes.url,
    API_TOKEN_FILE: tokenFile,
    HEALTHZ_URL: lab.kubelets.healthzUrl,
    LISTEN: `127.0.0.9:${await refusingPort()}`,
    ...(options.kubernetes?.tls && { API_CA_FILE: pemFile('ca.pem') }),
  };
  const known = new Map([
    ['unix:///var/run/fleet.sock', `unix://${socket}`],
    ['https://HOST:6443', lab.kubernetes.url],
    ['http://HOST:8080', lab.kubernetes.url],
    ['/path/of/its/ca.pem', pemFile('ca.pem')],
    ['/path/of/a/token', tokenFile],
    ['/path/client.pem', pemFile('client.pem')],
    ['/path/client.key', pemFile('client.key')],
    ['{ip}:PORT', `{ip}:${lab.kubelets.port}`],
  ]);
  const scene: Scene = { lab, folder, settings, clock: { aheadMs: 0 }, known, run: cannotRun };
  await arrange(scene);
  return scene;
}

function cannotRun(command: string): never {
  throw new Error(`nobody knows how to follow: ${command}`);
}

async function findingsIn({ settings, clock }: Scene): Promise<readonly Finding[]> {
  const invocation = readSettings([], prefixed(settings), nowhere);
  if (invocation.kind === 'mistakes') {
    return invocation.lines.map((line) => named('settings', wrong(line, line.replace(/.*see /, ''))));
  }
  const monotonic = () => clock.aheadMs;
  return checkInstallation(invocation, { ...systemClock, monotonic }, new AbortController().signal);
}

/** Does what a mend says, as a person would who reads it. */
async function follow(scene: Scene, mend: string): Promise<void> {
  const command = [...scene.known].reduce((text, [said, meant]) => text.replaceAll(said, meant), mend);
  const assignments = [...command.matchAll(/\bKUBE_REGISTER_(\w+)=('[^']*'|.+?)(?= KUBE_REGISTER_| # |$)/g)];
  const [, unset] = /^unset KUBE_REGISTER_(\w+)$/.exec(command) ?? [];
  if (unset !== undefined) scene.settings = without(scene.settings, unset);
  else if (assignments.length > 0 && command.startsWith('KUBE_REGISTER_')) {
    const pasted = assignments.map(([, name = '', value = '']) => [name, value.replace(/^'(.*)'$/, '$1')]);
    scene.settings = { ...scene.settings, ...Object.fromEntries(pasted) };
  } else if (command.startsWith('kubectl config ')) await kubectlConfig(command);
  else await scene.run(command);
}

function without(settings: Settings, name: string): Settings {
  return Object.fromEntries(Object.entries(settings).filter(([each]) => each !== name));
}

const ENTRY = z.looseObject({ name: z.string() });
const KUBECONFIG = z.looseObject({ clusters: z.array(ENTRY), users: z.array(ENTRY) });
const FLAG = /--(?<flag>[a-z-]+)(?:=| )(?<value>"\$\([^)]*\)"|\S+)/g;

/** What `kubectl config set-cluster` and `set-credentials` do to the file. `npm run test:real` has kubectl itself do so. */
async function kubectlConfig(command: string): Promise<void> {
  const [, verb, name = ''] = /^kubectl config (set-cluster|set-credentials) (\S+) /.exec(command) ?? [];
  const flags = [...command.matchAll(FLAG)].map(({ groups }) => [groups?.['flag'] ?? '', groups?.['value'] ?? '']);
  const { kubeconfig = '', ...fields } = Object.fromEntries(flags);
  const config = KUBECONFIG.parse(parse(await readFile(kubeconfig, 'utf8')));
  const [list, kind] = verb === 'set-cluster' ? [config.clusters, 'cluster'] : [config.users, 'user'];
  const entry = list.find((each) => each.name === name);
  if (entry === undefined) throw new Error(`${kubeconfig} has no ${kind} ${name}`);
  const made = fields['token']?.startsWith('"$(kubectl -n kube-register create token') ? { token: TOKEN } : {};
  entry[kind] = { ...z.looseObject({}).parse(entry[kind] ?? {}), ...fields, ...made };
  await writeFile(kubeconfig, stringify(config));
}

/** Has the scene use a kubeconfig in place of settings. */
async function useKubeconfig(scene: Scene, cluster: object, user: object = { token: TOKEN }): Promise<void> {
  const path = join(scene.folder, 'kubeconfig');
  const config = {
    'current-context': 'lab',
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'me' } }],
    clusters: [{ name: 'lab', cluster: { server: scene.lab.kubernetes.url, ...cluster } }],
    users: [{ name: 'me', user }],
  };
  await writeFile(path, stringify(config));
  const api = ['API_ENDPOINT', 'API_TOKEN_FILE', 'API_CA_FILE'];
  scene.settings = { ...api.reduce(without, scene.settings), KUBECONFIG: path };
}

const CASES: readonly Case[] = [
  {
    name: 'a dry run that was forgotten',
    arrange: (scene) => Object.assign(scene.settings, { DRY_RUN: 'true' }),
    check: 'settings',
  },
  {
    name: 'a fleet that is somewhere else',
    arrange: async (scene) =>
      Object.assign(scene.settings, { FLEET_ENDPOINT: `http://127.0.0.1:${await refusingPort()}` }),
    check: 'fleet',
  },
  {
    name: "a socket of fleet's that is not there",
    arrange: async (scene) => {
      await scene.lab.fleet.stop();
      scene.run = (command) =>
        command === 'systemctl start fleet.socket' ? scene.lab.fleet.start() : cannotRun(command);
    },
    check: 'fleet',
  },
  {
    name: 'something else where fleet should be',
    arrange: (scene) => Object.assign(scene.settings, { FLEET_ENDPOINT: scene.lab.kubernetes.url }),
    check: 'fleet',
  },
  {
    name: 'a fleet with TLS that is asked without',
    options: { fleet: { tls: tls('server') } },
    arrange: async (scene) => {
      // As nginx and Go answer on the port that speaks TLS.
      const front = createServer((_request, response) => {
        response.statusCode = 400;
        response.end('Client sent an HTTP request to an HTTPS server.\n');
      }).listen(0, '127.0.0.1');
      await once(front, 'listening');
      onTestFinished(() => void front.close());
      const { port } = z.object({ port: z.number() }).parse(front.address());
      scene.settings['FLEET_ENDPOINT'] = `http://127.0.0.1:${port}`;
      scene.known.set(`https://127.0.0.1:${port}`, scene.lab.fleet.url);
    },
    check: 'fleet',
    steps: 2,
  },
  {
    name: 'a selector that no machine matches',
    arrange: (scene) => Object.assign(scene.settings, { METADATA: 'role=master' }),
    check: 'machines',
  },
  {
    name: 'a selector for metadata that no machine has any of',
    arrange: ({ lab }) => {
      lab.fleet.removeAllMachines();
      lab.fleet.setMachine({ id: 'a', address: '127.1.0.1' });
    },
    check: 'machines',
  },
  {
    name: 'a machine without an address',
    arrange: (scene) => {
      scene.lab.fleet.setMachine({ id: 'f', metadata: WORKER });
      scene.run = (command) => setPublicIp(command, () => scene.lab.fleet.setMachine(machineAt('127.1.0.7', 'f')));
    },
    check: 'machines',
  },
  {
    name: 'two machines at one address',
    arrange: (scene) => {
      scene.lab.fleet.setMachine(machineAt('127.1.0.1', 'f'));
      scene.run = (command) => setPublicIp(command, () => scene.lab.fleet.setMachine(machineAt('127.1.0.7', 'f')));
    },
    check: 'conflicts',
  },
  {
    name: 'one /etc/machine-id on two machines',
    arrange: (scene) => {
      scene.lab.fleet.setMachine(machineAt('127.1.0.8', 'f'), 'first');
      scene.lab.fleet.setMachine(machineAt('127.1.0.9', 'f'), 'second');
      scene.run = (command) => {
        expect(command).toMatch(/^rm \/etc\/machine-id && systemd-machine-id-setup && reboot/);
        scene.lab.fleet.setMachine(machineAt('127.1.0.9', 'g'), 'second');
      };
    },
    check: 'machines',
  },
  {
    name: 'a fleetd that was started before the network',
    arrange: (scene) => {
      scene.lab.fleet.setMachine(machineAt('127.0.0.1', 'f'));
      scene.run = (command) => {
        expect(command).toMatch(/^systemctl restart fleet/);
        scene.lab.fleet.setMachine(machineAt('127.1.0.7', 'f'));
      };
    },
    check: 'machines',
  },
  {
    name: 'kubelets that report the machine ID of their image',
    arrange: (scene) => {
      const report = (idOf: (last: number) => string) => {
        for (const last of [1, 2, 3]) {
          const node = { name: `core-${last}`, machineId: idOf(last), addresses: [`127.1.0.${last}`], ready: true };
          scene.lab.kubernetes.putNode(node);
        }
      };
      report(() => 'of-the-image');
      scene.run = (command) => {
        expect(command).toMatch(/^--volume=\/etc\/machine-id:\/etc\/machine-id:ro in the unit/);
        report((last) => ZEROS + last);
      };
    },
    check: 'machine-ids',
  },
  {
    name: 'kubelets at a usual port',
    options: { kubelets: { port: 10_255 } },
    arrange: (scene) => Object.assign(scene.settings, { HEALTHZ_URL: 'http://{ip}:9/healthz' }),
    check: 'kubelets',
  },
  {
    name: 'certificates of kubelets made by themselves',
    options: { kubelets: { tls: tls('kubelet') } },
    arrange: (scene) => Object.assign(scene.settings, { KUBELET_CA_FILE: pemFile('ca.pem') }),
    check: 'kubelets',
  },
  {
    name: 'a node that is Ready while its kubelet is unreachable',
    arrange: async (scene) => {
      const annotations = { 'kube-register.io/machine-id': `${ZEROS}1` };
      scene.lab.kubernetes.putNode({ name: '127.1.0.1', annotations, addresses: ['127.1.0.1'], ready: true });
      scene.settings['HEALTHZ_URL'] = `http://{ip}:${await refusingPort()}/healthz`;
    },
    check: 'nodes',
  },
  {
    name: 'no token',
    arrange: (scene) => Object.assign(scene.settings, { API_TOKEN_FILE: '' }),
    check: 'credentials',
  },
  {
    name: 'a token that the server does not know',
    arrange: async (scene) => {
      await writeFile(join(scene.folder, 'token'), 'expired');
      scene.run = async (command) => {
        expect(command).toBe('kubectl -n kube-register create token kube-register > FILE');
        await writeFile(join(scene.folder, 'token'), TOKEN);
      };
    },
    check: 'credentials',
  },
  {
    name: 'a token of a kubeconfig that the server does not know',
    arrange: (scene) => useKubeconfig(scene, {}, { token: 'expired' }),
    check: 'credentials',
  },
  {
    name: 'no right to create nodes',
    arrange: (scene) => {
      const giveBack = scene.lab.kubernetes.authorization.forbid('create', 'nodes');
      scene.run = (command) =>
        command === 'kube-register manifests rbac | kubectl apply -f -' ? giveBack() : cannotRun(command);
    },
    check: 'right-create-nodes',
  },
  {
    name: 'an API version that the server does not have',
    arrange: (scene) => Object.assign(scene.settings, { API_VERSION: 'v1beta3' }),
    check: 'api-server',
  },
  {
    name: 'an API server without TLS that is asked for TLS',
    arrange: (scene) =>
      Object.assign(scene.settings, { API_ENDPOINT: scene.lab.kubernetes.url.replace('http:', 'https:') }),
    check: 'api-server',
  },
  {
    name: 'a name that cannot be resolved',
    arrange: (scene) => Object.assign(scene.settings, { API_ENDPOINT: 'https://nowhere.invalid:6443' }),
    check: 'api-server',
  },
  {
    name: 'a certificate that nobody here trusts',
    options: { kubernetes: { tls: tls('server') } },
    arrange: (scene) => Object.assign(scene.settings, { API_CA_FILE: '' }),
    check: 'api-server',
  },
  {
    name: 'a CA of a kubeconfig',
    options: { kubernetes: { tls: tls('server') } },
    arrange: (scene) => useKubeconfig(scene, { 'certificate-authority': pemFile('other-ca.pem') }),
    check: 'api-server',
  },
  {
    name: 'a name of a kubeconfig that the certificate does not have',
    options: { kubernetes: { tls: tls('elsewhere') } },
    arrange: (scene) => useKubeconfig(scene, { 'certificate-authority': pemFile('ca.pem') }),
    check: 'api-server',
  },
  {
    name: 'a server of a kubeconfig that is not there',
    arrange: (scene) => useKubeconfig(scene, { server: 'https://nowhere.invalid:6443' }),
    check: 'api-server',
  },
  {
    name: 'no client certificate in a kubeconfig',
    options: { kubernetes: { tls: { ...tls('server'), ca: certificate('ca.pem'), requestCert: true } } },
    arrange: (scene) => useKubeconfig(scene, { 'certificate-authority': pemFile('ca.pem') }),
    check: 'api-server',
  },
  {
    name: 'names that no node can have',
    arrange: (scene) => Object.assign(scene.settings, { NODE_NAME: 'metadata:rack' }),
    check: 'names',
  },
  {
    name: 'metadata for labels that no machine has',
    arrange: (scene) => Object.assign(scene.settings, { NODE_LABELS: 'zone,rack' }),
    check: 'labels',
  },
  {
    name: 'a clock that is wrong',
    arrange: (scene) => {
      const headers = { Date: new Date(0).toUTCString() };
      const lift = scene.lab.kubernetes.faults.add(
        change((answer) => ({ ...answer, headers: { ...answer.headers, ...headers } })),
      );
      scene.run = (command) => (command === 'timedatectl set-ntp true' ? lift() : cannotRun(command));
    },
    check: 'clock',
  },
  {
    name: 'an address that this machine does not have',
    arrange: (scene) => Object.assign(scene.settings, { LISTEN: '192.0.2.1:10271' }),
    check: 'listener',
  },
  {
    name: 'a pass that takes too long',
    arrange: (scene) => {
      scene.settings['PASS_TIMEOUT'] = '3s';
      scene.lab.fleet.faults.add(
        change((answer) => {
          scene.clock.aheadMs += 5_000;
          return answer;
        }),
      );
    },
    check: 'pass-time',
  },
  {
    name: 'a fleet that is slow',
    arrange: (scene) => {
      scene.settings['FLEET_TIMEOUT'] = '1s';
      scene.lab.fleet.faults.add(afterMs(600));
    },
    check: 'pass-time',
  },
  {
    name: 'an API server that is slow',
    arrange: (scene) => {
      scene.settings['API_TIMEOUT'] = '1s';
      scene.lab.kubernetes.faults.add(afterMs(600), { path: /\/version$/ });
    },
    check: 'pass-time',
  },
  {
    name: 'a setting that there is not',
    arrange: (scene) => {
      scene.settings['COLOUR'] = 'red';
      scene.run = (command) => {
        expect(command).toBe('kube-register help settings');
        scene.settings = without(scene.settings, 'COLOUR');
      };
    },
    check: 'settings',
  },
];

function machineAt(address: string, id: string) {
  return { id, address, metadata: WORKER };
}

function setPublicIp(command: string, set: () => void): void {
  expect(command).toMatch(
    /^echo 'public_ip="ADDRESS"' \| sudo tee -a \S+fleet\.conf && sudo systemctl restart fleet # on/,
  );
  set();
}

/** Mistakes in settings, each with what its sentence says to give instead. */
const MISTAKES = [
  {
    name: 'a value without a dash',
    argv: ['policy=register-only'],
    env: {},
    says: 'settings are given as --name=value',
    instead: { argv: ['--policy=register-only'], env: {} },
  },
  {
    name: 'quotes of a file of variables',
    argv: [],
    env: { NODE_LABELS: '"rack"' },
    says: 'write the value without them',
    instead: { argv: [], env: { NODE_LABELS: 'rack' } },
  },
  {
    name: 'a step larger than its field',
    argv: [],
    env: { SYNC_SCHEDULE: '0 */90 * * * *' },
    says: 'for a fixed interval set SYNC_INTERVAL',
    instead: { argv: [], env: { SYNC_INTERVAL: '90m' } },
  },
  {
    name: 'two settings that contradict each other',
    argv: [],
    env: { REVERSE_LOOKUP: 'true', NODE_NAME: 'ip' },
    says: 'set only one of them',
    instead: { argv: [], env: { REVERSE_LOOKUP: 'true' } },
  },
] as const;

describe('advice', () => {
  it.each(CASES)('is printed for $name, and followed it mends that', async (each) => {
    const scene = await sceneOf(each);
    const bad = (findings: readonly Finding[]) =>
      findings.filter(({ check, state }) => check === each.check && state !== 'ok');
    for (let step = 0; step < (each.steps ?? 1); step++) {
      const [first] = bad(await findingsIn(scene));
      expect(first?.mend).toBeDefined();
      await follow(scene, first?.mend ?? '');
    }
    expect(bad(await findingsIn(scene))).toEqual([]);
  });

  it.each(MISTAKES)('is printed for $name, and followed it mends that', ({ argv, env, says, instead }) => {
    const linesOf = (invocation: ReturnType<typeof readSettings>) =>
      invocation.kind === 'mistakes' ? invocation.lines : [];
    expect(linesOf(readSettings(argv, prefixed(env), nowhere)).join()).toContain(says);
    expect(linesOf(readSettings(instead.argv, prefixed(instead.env), nowhere))).toEqual([]);
  });
});

describe('the list of advice', () => {
  it('has every sentence of the source, and no other', () => {
    const inSource = adviceInSource();
    // A sentence that is new wants a line in advice-list.ts; one that is gone or changed leaves an old line behind.
    expect({
      notInList: inSource.filter((sentence) => !ADVICE.has(sentence)),
      notInSource: [...ADVICE.keys()].filter((sentence) => !inSource.includes(sentence)),
    }).toEqual({ notInList: [], notInSource: [] });
  });

  it('is followed by a case, by a test that there is, or by a person', () => {
    const cases = [...CASES, ...MISTAKES].map(({ name }) => name);
    const named = [...ADVICE.values()].flatMap((way) => ('case' in way ? [way.case] : []));
    expect([...new Set(named)].sort()).toEqual(cases.sort());
    for (const way of ADVICE.values()) {
      if ('test' in way) {
        expect(readFileSync(new URL(way.test, import.meta.url), 'utf8')).toContain(way.title);
      }
    }
  });

  it('would miss a sentence that is new', () => {
    const found = (source: string) => adviceIn('http/diagnosis.ts', source);
    const holeFor = (expression: string) => ['$', '{', expression, '}'].join('');
    expect(found(`throw new Error(\`bad: set KUBE_REGISTER_LISTEN to ${holeFor('port')}\`);`)).toEqual([
      'bad: set KUBE_REGISTER_LISTEN to …',
    ]);
    expect(found("const mend = 'kubectl get ' + 'pods';")).toEqual(['kubectl get pods']);
    expect(found("const text = 'start it with --force';")).toEqual(['start it with --force']);
    expect(found(`const text = \`check ${holeFor('source.endpoint')}\`;`)).toEqual(['check …']);
    expect(found("/** Set KUBE_REGISTER_LISTEN. */ const name = 'KUBE_REGISTER_API'; // kubectl get pods")).toEqual([]);
  });
});
