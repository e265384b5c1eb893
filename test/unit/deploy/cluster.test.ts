/** The units of the cluster and cluster.env fit fleet, systemd and each other; each check is seen to find something. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CLUSTER, ENV_FILE, ofCluster, use, used, variables } from './cluster-files.ts';
import { FLEETS, type Placement, parse, placementOf, validateForFleet, valuesOf } from './fleet-unit.ts';
import { commandOf } from './systemd-service.ts';

type Place = Pick<Placement, 'machineOf' | 'machineMetadata' | 'isGlobal'>;
const FOLLOWS: Place = { machineOf: ['kube-apiserver.service'], machineMetadata: [], isGlobal: false };
const ON_EACH: Place = { machineOf: [], machineMetadata: ['role=kubernetes'], isGlobal: true };

/** Where each unit runs. */
const PLACES: ReadonlyMap<string, Place> = new Map([
  ['kube-apiserver-address.service', FOLLOWS],
  ['kube-apiserver.service', { ...ON_EACH, isGlobal: false }],
  ['kube-controller-manager.service', FOLLOWS],
  ['kube-kubelet.service', ON_EACH],
  ['kube-proxy.service', ON_EACH],
  ['kube-scheduler.service', FOLLOWS],
]);
const UNITS = [...PLACES.keys()];
/** Of one machine. */
const MACHINE = { ...Object.fromEntries(variables), COREOS_PRIVATE_IPV4: '10.0.0.11' };

/** The lines of a key of [Service]. */
function values(text: string, key: string): readonly string[] {
  return valuesOf(parse(text), 'Service', key);
}

/** What is run on that machine for each line of a key of [Service], word by word. */
function commands(name: string, text: string, key: string): string[][] {
  return values(text, key).map((value) => [...commandOf(value, name, MACHINE).argv]);
}

/** What is wrong with a unit; nothing when all is well. */
function* problemsOf(name: string, text: string): Iterable<string> {
  const { refusals, warnings, silences } = validateForFleet(name, text);
  yield* [...refusals, ...warnings, ...silences];
  if (refusals.length > 0) return;
  yield* problemsOfPlace(name, text);
  yield* problemsOfWords(text);
  yield* problemsOfContainer(name.replace('.service', ''), text);
  const [restart, seconds, limit] = ['Restart', 'RestartSec', 'StartLimitInterval'].map((key) => values(text, key));
  if (`${restart} ${seconds} ${limit}` !== 'always 10 0') yield 'gives up';
  if (valuesOf(parse(text), 'Unit', 'Requires').length > 0) {
    yield 'is not started again when what it requires could not be started once';
  }
}

function* problemsOfPlace(name: string, text: string): Iterable<string> {
  for (const fleet of FLEETS) {
    const { machineOf, machineMetadata, isGlobal } = placementOf(name, text, fleet);
    const place = JSON.stringify({ machineOf, machineMetadata, isGlobal });
    if (place !== JSON.stringify(PLACES.get(name))) yield `is not where it should be in ${fleet}`;
  }
  const sections = [...new Set(parse(text).map(({ section }) => section))].join(' ');
  if (sections !== 'Unit Service X-Fleet') yield `sections: ${sections}`;
}

/** What is spelled, and whether the variables are there. */
function* problemsOfWords(text: string): Iterable<string> {
  const readable = values(text, 'EnvironmentFile').flatMap((file) => {
    if (file === ENV_FILE) return [...variables.keys()];
    return file === '/etc/environment' ? ['COREOS_PRIVATE_IPV4'] : [];
  });
  for (const variable of used(text)) if (!readable.includes(variable)) yield `knows no ${variable}`;
  const uncommented = text.replaceAll(/^#.*$/gm, '');
  for (const [address] of uncommented.matchAll(/\b\d+\.\d+\.\d+\.\d+\b/g)) {
    if (address !== '127.0.0.1' && address !== '0.0.0.0') yield `spells the address ${address}`;
  }
  for (const [image] of uncommented.matchAll(/[\w.]+\.(?:io|com)\/\S+|\bv\d+\.\d+\S*/g)) yield `spells ${image}`;
}

function* problemsOfContainer(container: string, text: string): Iterable<string> {
  const [start = ''] = values(text, 'ExecStart');
  if (!start.startsWith('/usr/bin/docker')) return;
  if (!start.startsWith(`/usr/bin/docker run --rm --name=${container} `)) yield 'names its container otherwise';
  if (!values(text, 'ExecStartPre').includes(`-/usr/bin/docker rm --force ${container}`)) yield 'trips over its last';
  if (!values(text, 'ExecStop').includes(`-/usr/bin/docker stop ${container}`)) yield 'leaves its container';
}

describe('the units of the cluster', () => {
  it('are these', () => {
    expect(readdirSync(CLUSTER).filter((file) => file.endsWith('.service'))).toEqual(UNITS);
  });

  it.each(UNITS)(
    '%s is taken by every fleet, is where it should be, spells nothing that cluster.env has, and never gives up',
    (name) => {
      expect([...problemsOf(name, ofCluster(name))]).toEqual([]);
    },
  );

  it.each([
    ['Global=true', 'Global=yes', 'Global=yes is not global in v0.11.8'],
    ['Global=true', 'Global=false', 'is not where it should be in v1.0.0'],
    ['Global=true', 'MachineOf=kube-apiserver.service\nGlobal=true', 'Global cannot be used with Peers'],
    ['MachineMetadata', 'machinemetadata', 'unrecognized requirement in [X-Fleet] section: "machinemetadata"'],
    [
      'MachineMetadata=role=kubernetes',
      'MachineMetadata=kubernetes',
      'MachineMetadata=kubernetes is no key=value: ignored',
    ],
    ['[X-Fleet]', '[Install]\nWantedBy=a.target\n\n[X-Fleet]', 'sections: Unit Service Install X-Fleet'],
    ['EnvironmentFile=/etc/environment\n', '', 'knows no COREOS_PRIVATE_IPV4'],
    [use('POD_NETWORK'), use('POD_NETWORKS'), 'knows no POD_NETWORKS'],
    [use('POD_NETWORK'), '10.200.0.0/16', 'spells the address 10.200.0.0'],
    [use('KUBERNETES_IMAGE'), 'gcr.io/hyperkube:v1.9.2', 'spells gcr.io/hyperkube:v1.9.2'],
    ['rm --force kube-proxy', 'rm --force kubeproxy', 'trips over its last'],
    ['--name=kube-proxy', '--name=proxy', 'names its container otherwise'],
    ['stop kube-proxy', 'stop proxy', 'leaves its container'],
    ['StartLimitInterval=0\n', '', 'gives up'],
    ['Wants=docker', 'Requires=docker', 'is not started again when what it requires could not be started once'],
  ])('would not be let through with `%s` as `%s`', (from, to, problem) => {
    const good = ofCluster('kube-proxy.service');
    expect(good).toContain(from);
    expect([...problemsOf('kube-proxy.service', good.replace(from, to))]).toContain(problem);
  });

  it.each(UNITS)('%s runs the same whichever fleet brought it, and every flag has its value', (name) => {
    const [start = []] = commands(name, ofCluster(name), 'ExecStart');
    for (const fleet of FLEETS) {
      const [value = ''] = valuesOf(parse(ofCluster(name), fleet), 'Service', 'ExecStart');
      // The shell, too, does not mind how many spaces are between its words.
      const argv = commandOf(value, name, MACHINE).argv.map((word) => word.replaceAll(/ +/g, ' '));
      expect(argv, fleet).toEqual(start.map((word) => word.replaceAll(/ +/g, ' ')));
    }
    expect(start.filter((word) => word === '' || /^--[\w-]+=$/.test(word))).toEqual([]);
  });

  it('leave the making of nodes to kube-register, under the name and at the port that it expects', () => {
    const [kubelet] = commands('kube-kubelet.service', ofCluster('kube-kubelet.service'), 'ExecStart');
    expect(kubelet).toContain('--register-node=false');
    expect(kubelet).toContain('--hostname-override=10.0.0.11');
    expect(kubelet).toContain('--read-only-port=10255');
    const [proxy] = commands('kube-proxy.service', ofCluster('kube-proxy.service'), 'ExecStart');
    expect(proxy).toContain('--hostname-override=10.0.0.11');
  });

  it('have the scheduler and the controllers ask the API server beside them', () => {
    const [apiServer] = commands('kube-apiserver.service', ofCluster('kube-apiserver.service'), 'ExecStart');
    expect(apiServer).toContain('--insecure-port=8080');
    for (const name of ['kube-scheduler.service', 'kube-controller-manager.service']) {
      expect(commands(name, ofCluster(name), 'ExecStart')[0]).toContain('--master=http://127.0.0.1:8080');
    }
  });
});

describe('kube-apiserver-address.service', () => {
  const NAME = 'kube-apiserver-address.service';

  /** What it has the machine do, with an `ip` that knows this machine and fails when it is to set the address a second time. */
  function does(key: string): string[] {
    const folder = mkdtempSync(join(tmpdir(), 'kube-register-cluster-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const tell = 'echo "$(basename "$0") $*" >&2';
    const ip = `${tell}
case "$*" in
  *" show to "*) echo "3: eth1    inet \${6}/24 brd 10.0.0.255 scope global eth1\\       valid_lft forever" ;;
  *replace*) mkdir "${folder}/set" 2>/dev/null ;;
esac`;
    for (const [name, body] of Object.entries({ ip, arping: `${tell}; exit 1`, sleep: tell })) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    }
    const [[shell = '', ...args] = []] = commands(NAME, ofCluster(NAME), key);
    const { stderr } = spawnSync(shell, args, { encoding: 'utf8', env: { PATH: `${folder}:/usr/bin:/bin` } });
    return stderr.trim().split('\n');
  }

  it('gives the address to the device that has the private one, tells the neighbours, and looks again', () => {
    expect(does('ExecStart')).toEqual([
      'ip -oneline -4 address show to 10.0.0.11',
      'ip address replace 10.0.0.6/32 dev eth1',
      'arping -q -c 1 -A -I eth1 10.0.0.6',
      'sleep 10',
      'ip address replace 10.0.0.6/32 dev eth1',
    ]);
  });

  it('takes the address away when it ends, wherever it is', () => {
    expect(does('ExecStopPost')).toEqual([
      'ip -oneline -4 address show to 10.0.0.6',
      'ip address del 10.0.0.6/32 dev eth1',
    ]);
  });
});

describe('cluster.env', () => {
  it('has no variable that nothing reads', () => {
    const all = new Set([...UNITS, 'etcd.yaml', 'node.yaml'].flatMap((file) => used(ofCluster(file))));
    expect([...variables.keys()].filter((name) => !all.has(name))).toEqual([]);
    expect([...all].filter((name) => !variables.has(name))).toEqual(['COREOS_PRIVATE_IPV4']);
  });

  it('has no variable that kube-register would take for a setting of its own', () => {
    expect([...variables.keys()].filter((name) => name.startsWith('KUBE_REGISTER_'))).toEqual([]);
  });
});
