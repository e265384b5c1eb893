/** The units of the cluster and cluster.env fit fleet, systemd and each other; each check is seen to find something. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  CLUSTER,
  ENV_FILE,
  ofCluster,
  read,
  section,
  use,
  used,
  values,
  variables,
  variablesOf,
} from './cluster-files.ts';

const FOLLOWS = [['MachineOf', 'kube-apiserver.service']];
const ROLE = ['MachineMetadata', 'role=kubernetes'];

/** Where each unit runs: what fleet reads of it. */
const PLACES: Readonly<Record<string, string[][]>> = {
  'kube-apiserver-address.service': FOLLOWS,
  'kube-apiserver.service': [ROLE],
  'kube-controller-manager.service': FOLLOWS,
  'kube-kubelet.service': [['Global', 'true'], ROLE],
  'kube-proxy.service': [['Global', 'true'], ROLE],
  'kube-scheduler.service': FOLLOWS,
};
const UNITS = Object.keys(PLACES);

/** What is wrong with a unit; nothing when all is well. */
function* problemsOf(name: string, text: string): Iterable<string> {
  const sections = [...text.matchAll(/^\[(.*)\]$/gm)].map(([, title]) => title);
  if (sections.join(' ') !== 'Unit Service X-Fleet') yield `sections: ${sections.join(' ')}`;

  // fleet takes a value without `=`, a key in small letters and a second word all the same, and then heeds none of them.
  if (JSON.stringify(section(text, 'X-Fleet')) !== JSON.stringify(PLACES[name])) yield 'is not where it should be';

  for (const line of text.split('\n')) if (line.length >= 2048) yield 'has a line that is too long for fleet';

  const readable = values(text, 'EnvironmentFile').flatMap((file) => {
    if (file === ENV_FILE) return [...variables.keys()];
    return file === '/etc/environment' ? ['COREOS_PRIVATE_IPV4'] : [];
  });
  for (const variable of used(text)) if (!readable.includes(variable)) yield `knows no ${variable}`;

  const commands = text.replaceAll(/^#.*$/gm, '');
  for (const [address] of commands.matchAll(/\b\d+\.\d+\.\d+\.\d+\b/g)) {
    if (address !== '127.0.0.1' && address !== '0.0.0.0') yield `spells the address ${address}`;
  }
  for (const [image] of commands.matchAll(/[\w.]+\.(?:io|com)\/\S+|\bv\d+\.\d+\S*/g)) yield `spells ${image}`;

  const container = name.replace('.service', '');
  const [start = ''] = values(text, 'ExecStart');
  if (start.startsWith('/usr/bin/docker')) {
    if (!start.startsWith(`/usr/bin/docker run --rm --name=${container} `)) yield 'names its container otherwise';
    if (!values(text, 'ExecStartPre').includes(`-/usr/bin/docker rm --force ${container}`)) yield 'trips over its last';
    if (!values(text, 'ExecStop').includes(`-/usr/bin/docker stop ${container}`)) yield 'leaves its container';
  }

  const keys = Object.fromEntries(section(text, 'Service'));
  const { Restart, RestartSec, StartLimitInterval } = keys;
  if (`${Restart} ${RestartSec} ${StartLimitInterval}` !== 'always 10 0') yield 'gives up';
  const [wants] = section(text, 'Unit').filter(([key]) => key === 'Requires');
  if (wants !== undefined) yield 'is not started again when what it requires could not be started once';
}

describe('the units of the cluster', () => {
  it('are these', () => {
    expect(readdirSync(CLUSTER).filter((file) => file.endsWith('.service'))).toEqual(UNITS);
  });

  it.each(UNITS)(
    '%s is where it should be, knows its variables, spells nothing that cluster.env has, and never gives up',
    (name) => {
      expect([...problemsOf(name, ofCluster(name))]).toEqual([]);
    },
  );

  it.each([
    ['Global=true', 'Global=yes', 'is not where it should be'],
    ['MachineMetadata=role=kubernetes', 'machinemetadata=role=kubernetes', 'is not where it should be'],
    ['MachineMetadata=role=kubernetes', 'MachineMetadata=kubernetes', 'is not where it should be'],
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
    ['--proxy-mode=iptables', '-'.repeat(2048), 'has a line that is too long for fleet'],
  ])('would not be let through with `%s` as `%s`', (from, to, problem) => {
    const good = ofCluster('kube-proxy.service');
    expect(good).toContain(from);
    expect([...problemsOf('kube-proxy.service', good.replace(from, to))]).toContain(problem);
  });

  it('leave the making of nodes to kube-register, under the name and at the port that it expects', () => {
    const [kubelet = ''] = values(ofCluster('kube-kubelet.service'), 'ExecStart');
    const flags = kubelet.split(/ +/).slice(2);
    expect(flags).toContain('--register-node=false');
    expect(flags).toContain(`--hostname-override=${use('COREOS_PRIVATE_IPV4')}`);
    expect(flags).toContain('--read-only-port=10255');
    const [proxy = ''] = values(ofCluster('kube-proxy.service'), 'ExecStart');
    expect(proxy).toContain(` --hostname-override=${use('COREOS_PRIVATE_IPV4')} `);
  });

  it('have the scheduler and the controllers ask the API server beside them', () => {
    expect(values(ofCluster('kube-apiserver.service'), 'ExecStart').join()).toContain(' --insecure-port=8080 ');
    for (const name of ['kube-scheduler.service', 'kube-controller-manager.service']) {
      expect(values(ofCluster(name), 'ExecStart').join()).toContain(' --master=http://127.0.0.1:8080');
    }
  });
});

describe('cluster.env', () => {
  it('has no variable that nothing reads', () => {
    const files = [...UNITS, 'etcd.yaml', 'node.yaml'];
    const all = new Set(files.flatMap((file) => used(ofCluster(file))));
    expect([...variables.keys()].filter((name) => !all.has(name))).toEqual([]);
    expect([...all].filter((name) => !variables.has(name))).toEqual(['COREOS_PRIVATE_IPV4']);
  });

  it.each(['A="1"', 'A=1 2', 'A=$B', 'export A=1', 'a=1', 'A='])('would not be taken with the line `%s`', (line) => {
    expect(() => variablesOf(`# A comment.\n${line}\n`)).toThrow(line);
  });

  it('has no variable that kube-register would take for a setting of its own', () => {
    expect([...variables.keys()].filter((name) => name.startsWith('KUBE_REGISTER_'))).toEqual([]);
  });

  it('names the image that is built', () => {
    const { version } = z.object({ version: z.string() }).parse(JSON.parse(read('package.json')));
    expect(variables.get('REGISTER_IMAGE')).toBe(`kube-register:${version}`);
  });
});
