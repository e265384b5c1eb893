/** The cloud-configs that deploy/cluster/cloud-config prints are what coreos-cloudinit takes and the units need. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { CLUSTER, ENV_FILE, ofCluster, read, used, variables } from './cluster-files.ts';
import { parse as parseUnit, valuesOf } from './fleet-unit.ts';
import { commandOf, environmentFile } from './systemd-service.ts';

const UNIT_NAME = /^[a-z0-9-]+\.(service|socket)$/;
/** What coreos-cloudinit knows of what is used here (its config/*.go); `-` and `_` are the same to it, and what it does not know it ignores. */
const CLOUD_CONFIG = z.strictObject({
  coreos: z.strictObject({
    etcd2: z
      .strictObject({
        name: z.string(),
        'initial-cluster': z.string(),
        'initial-advertise-peer-urls': z.string(),
        'listen-peer-urls': z.string(),
        'advertise-client-urls': z.string(),
        'listen-client-urls': z.string(),
      })
      .optional(),
    fleet: z.strictObject({ 'etcd-servers': z.string(), metadata: z.string(), 'public-ip': z.string() }),
    flannel: z.strictObject({ 'etcd-endpoints': z.string(), interface: z.string() }).optional(),
    locksmith: z.strictObject({ endpoint: z.string() }).optional(),
    // A string: to YAML, off without quotes is false.
    update: z.strictObject({ 'reboot-strategy': z.enum(['best-effort', 'etcd-lock', 'reboot', 'off']) }),
    units: z.array(
      z.strictObject({
        name: z.string().regex(UNIT_NAME),
        command: z.enum([
          'start',
          'stop',
          'restart',
          'reload',
          'try-restart',
          'reload-or-restart',
          'reload-or-try-restart',
        ]),
        content: z.string().optional(),
        'drop-ins': z.array(z.strictObject({ name: z.string().endsWith('.conf'), content: z.string() })).optional(),
      }),
    ),
  }),
  write_files: z
    .array(
      z.strictObject({
        path: z.string().startsWith('/'),
        permissions: z.string().regex(/^0[0-7]{3}$/),
        content: z.string(),
      }),
    )
    .default([]),
});

/** In YAML 1.1, as CoreOS reads it: there `off` is a boolean. */
function yaml(text: string): unknown {
  return parse(text, { version: '1.1' });
}

/** What `cloud-config` prints, as coreos-cloudinit on a machine with this address would have it. */
function cloudConfig(kind: string, address = '10.0.0.11') {
  const text = execFileSync(join(CLUSTER, 'cloud-config'), [kind], { encoding: 'utf8' });
  expect(text.startsWith('#cloud-config\n')).toBe(true);
  expect(used(text)).toEqual([]);
  const { coreos, write_files } = CLOUD_CONFIG.parse(yaml(text.replaceAll('$private_ipv4', address)));
  return { coreos, files: new Map(write_files.map(({ path, content }) => [path, content])) };
}

/** `cloud-config` beside a cluster.env that was changed. */
function cloudConfigWith(change: (text: string) => string, ...args: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'kube-register-cluster-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(CLUSTER, folder, { recursive: true });
  const env = join(folder, 'cluster.env');
  writeFileSync(env, change(readFileSync(env, 'utf8')));
  return spawnSync(join(folder, 'cloud-config'), args, { encoding: 'utf8', timeout: 20_000 });
}

describe('the cloud-config of a node', () => {
  const { coreos, files } = cloudConfig('node');

  it('makes it known to fleet as what the units and kube-register look for, at its own address', () => {
    expect(coreos.fleet).toEqual({
      'etcd-servers': variables.get('ETCD_SERVERS'),
      metadata: 'role=kubernetes',
      'public-ip': '10.0.0.11',
    });
  });

  it('starts flannel, docker after it, and fleet', () => {
    expect(coreos.flannel).toEqual({ 'etcd-endpoints': variables.get('ETCD_SERVERS'), interface: '10.0.0.11' });
    expect(coreos.units.map(({ name, command }) => `${command} ${name}`)).toEqual([
      'start flanneld.service',
      'start docker.service',
      'start fleet.service',
    ]);
    const dropIn = coreos.units[1]?.['drop-ins']?.[0]?.content ?? '';
    expect(parseUnit(dropIn)).toEqual([
      { section: 'Unit', key: 'Requires', value: 'flanneld.service' },
      { section: 'Unit', key: 'After', value: 'flanneld.service' },
    ]);
  });

  it('reboots one machine at a time after an update', () => {
    expect(coreos.update).toEqual({ 'reboot-strategy': 'etcd-lock' });
    expect(coreos.locksmith).toEqual({ endpoint: variables.get('ETCD_SERVERS') });
  });

  it('brings cluster.env as it is, where the units read it', () => {
    expect(files.get(ENV_FILE)).toBe(ofCluster('cluster.env'));
  });

  it('brings the kubeconfig that kubelet and kube-proxy are given, with the address of the API server', () => {
    const path = '/etc/kubernetes/kubeconfig';
    const config = z.object({ clusters: z.tuple([z.object({ cluster: z.object({ server: z.string() }) })]) });
    const [{ cluster }] = config.parse(yaml(files.get(path) ?? '')).clusters;
    expect(cluster.server).toBe(`http://${variables.get('API_ADDRESS')}:8080`);
    for (const name of ['kube-kubelet.service', 'kube-proxy.service']) {
      expect(valuesOf(parseUnit(ofCluster(name)), 'Service', 'ExecStart').join()).toContain(` --kubeconfig=${path} `);
    }
  });

  it('brings the file in which the unit of kube-register looks for settings, with none', () => {
    const path = '/etc/kube-register.env';
    const options = parseUnit(read('deploy/kube-register.service'));
    expect(valuesOf(options, 'Service', 'EnvironmentFile')).toEqual([`-${path}`]);
    const text = files.get(path);
    expect(text).toContain('KUBE_REGISTER_');
    expect(environmentFile(text ?? '')).toEqual({});
  });
});

describe('the cloud-config of an etcd machine', () => {
  const { coreos } = cloudConfig('etcd', '10.0.0.5');

  it('makes it the member that cluster.env lists, at the URL that the others are given', () => {
    expect(variables.get('ETCD_CLUSTER')).toBe(
      `${coreos.etcd2?.name}=${coreos.etcd2?.['initial-advertise-peer-urls']}`,
    );
    expect(coreos.etcd2?.['initial-cluster']).toBe(variables.get('ETCD_CLUSTER'));
    expect(coreos.etcd2?.['advertise-client-urls']).toBe(variables.get('ETCD_SERVERS'));
    expect(coreos.etcd2?.['listen-client-urls'].split(',')).toContain(coreos.fleet['etcd-servers']);
  });

  it('is no node', () => {
    expect(coreos.fleet.metadata).toBe('role=etcd');
    expect(coreos.update).toEqual({ 'reboot-strategy': 'off' });
  });

  it("writes the pods' network where flannel looks for it", () => {
    const content = coreos.units.find(({ name }) => name === 'flannel-network.service')?.content ?? '';
    const [line = ''] = valuesOf(parseUnit(content), 'Service', 'ExecStart');
    const [program, ...words] = commandOf(line, 'flannel-network.service', {}).argv;
    expect([program, ...words.slice(0, 2)]).toEqual(['/usr/bin/etcdctl', 'set', '/coreos.com/network/config']);
    expect(JSON.parse(words[2] ?? '')).toEqual({ Network: variables.get('POD_NETWORK'), Backend: { Type: 'vxlan' } });
  });
});

describe('cloud-config', () => {
  it.each(['node', 'etcd'])(
    'prints nothing for %s while a variable is missing that anything in the folder reads',
    (kind) => {
      expect(variables.size).toBeGreaterThan(5);
      for (const name of variables.keys()) {
        const { status, stdout, stderr } = cloudConfigWith((text) => text.replace(`${name}=`, 'OTHER='), kind);
        expect({ status, stdout }, name).toEqual({ status: 1, stdout: '' });
        expect(stderr).toMatch(
          new RegExp(
            `^cluster\\.env has no ${name}, which [\\w-]+\\.(yaml|service) needs: add a line ${name}=value\\n$`,
          ),
        );
      }
    },
  );

  it.each([
    '',
    '"10.0.0.9"',
    "'10.0.0.9'",
    '10.0.0.9 # mine',
    '10.0.0.9 ',
    ' 10.0.0.9',
    `$\{API_ADDRESS}`,
    '$HOME',
    '10\\.0',
    '*any',
    'a\u00e9',
  ])('refuses the value %j, of which systemd or YAML would make something else', (value) => {
    const line = `API_ADDRESS=${value}`;
    const result = cloudConfigWith((text) => text.replace(/^API_ADDRESS=.*$/m, () => line), 'node');
    expect(result).toMatchObject({ status: 1, stdout: '' });
    const number =
      ofCluster('cluster.env')
        .split('\n')
        .findIndex((each) => each.startsWith('API_ADDRESS=')) + 1;
    expect(result.stderr).toBe(
      `cluster.env, line ${number} is not NAME=value: ${line} (a value is letters, digits and .,:/=@_-[], ` +
        'a letter or digit first: no quotes, no spaces, no comment behind it)\n',
    );
  });

  it.each(['export A=1', 'a=1', ' A=1', 'A', '; A=1'])('refuses the line %j', (line) => {
    const { status, stdout, stderr } = cloudConfigWith((text) => `${text}${line}\n`, 'node');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(`is not NAME=value: ${line} (`);
  });

  it('refuses the line ends of Windows, which systemd would take for a part of the value', () => {
    const { status, stdout, stderr } = cloudConfigWith((text) => text.replaceAll('\n', '\r\n'), 'node');
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: '',
      stderr: 'cluster.env, line 1: it ends with CR LF, as on Windows; save the file with LF alone\n',
    });
  });

  it('puts in three etcd machines too, and IPv6', () => {
    const servers = 'http://10.0.0.5:2379,http://[fd00::1]:2379,https://etcd-3.example.com:2379';
    const { stdout } = cloudConfigWith(
      (text) => text.replace(/^ETCD_SERVERS=.*$/m, () => `ETCD_SERVERS=${servers}`),
      'node',
    );
    expect(CLOUD_CONFIG.parse(yaml(stdout)).coreos.fleet['etcd-servers']).toBe(servers);
  });

  it.each([[[]], [['master']], [['node.yaml']]])('says how it is used when it is given %j', (args) => {
    const { status, stdout, stderr } = cloudConfigWith((text) => text, ...args);
    expect({ status, stdout, stderr }).toEqual({ status: 2, stdout: '', stderr: 'usage: cloud-config etcd|node\n' });
  });

  it.each([
    ['a boolean where a word is wanted', '"off"', 'off'],
    ['a command that is none', 'command: start', 'command: run'],
    ['a key that coreos-cloudinit ignores', 'public-ip', 'public-ipv4'],
  ])('would not be let through with %s', (_, from, to) => {
    const text = ofCluster('etcd.yaml');
    expect(text).toContain(from);
    expect(CLOUD_CONFIG.safeParse(yaml(text)).success).toBe(true);
    expect(CLOUD_CONFIG.safeParse(yaml(text.replaceAll(from, to))).success).toBe(false);
  });
});

describe("the drop-in for fleet's socket", () => {
  it('adds one address, that of the machine itself, and never every address', () => {
    expect(parseUnit(ofCluster('30-ListenStream.conf'))).toEqual([
      { section: 'Socket', key: 'ListenStream', value: '$private_ipv4:49153' },
    ]);
  });
});
