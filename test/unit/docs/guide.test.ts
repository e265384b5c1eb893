/** The tutorial and the page on running its cluster name what there is, start every unit, and their commands are a shell's. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findGiven } from '../../../src/settings/given.ts';
import { CLUSTER, read, variables } from '../deploy/cluster-files.ts';

const root = new URL('../../../', import.meta.url);
/** The tutorial, and what comes after it. */
const GUIDE = ['deploy/docs/tutorial.md', 'deploy/cluster/README.md'].map(read).join('\n');
const UNITS = [...readdirSync(CLUSTER).filter((file) => file.endsWith('.service')), 'kube-register.service'];

/** The lines of the blocks of commands. */
function commandsOf(text: string): string[] {
  return [...text.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = '']) => block.split('\n'));
}

/** What the guide gets wrong; nothing when all is well. */
function* mistakesOf(text: string): Iterable<string> {
  const commands = commandsOf(text);
  for (const [, path = ''] of text.matchAll(/(?<!\/)\b(deploy\/[\w./-]*\w)/g)) {
    if (!existsSync(new URL(path, root))) yield `there is no ${path}`;
  }
  for (const [, path = ''] of text.matchAll(/`((?:cluster|prometheus|grafana)\/[\w./-]+)`/g)) {
    if (!existsSync(new URL(`deploy/${path}`, root))) yield `there is no deploy/${path}`;
  }
  const started = commands.filter((line) => line.includes('fleetctl start')).join(' ');
  for (const name of UNITS) {
    if (!started.split(/[ /]/).includes(name)) yield `${name} is never started`;
  }
  const units = [...text.matchAll(/\bkube-[a-z-]+\.service\b/g)].map(([name]) => name);
  // What a command makes is there, too.
  const made = commands.flatMap((line) => /tee \S*\/(kube-[a-z-]+\.service)/.exec(line)?.[1] ?? []);
  for (const name of units) if (![...UNITS, ...made].includes(name)) yield `there is no ${name}`;

  const settings = [...text.matchAll(/\b(KUBE_REGISTER_[A-Z0-9_]*[A-Z0-9])\b/g)].map(([, name = '']) => [name, '']);
  yield* findGiven([], Object.fromEntries(settings)).mistakes;
}

describe('the tutorial and its cluster', () => {
  const guide = GUIDE;

  it('names files, units, settings and sections that there are, and starts every unit', () => {
    expect(commandsOf(guide).length).toBeGreaterThan(50);
    expect([...mistakesOf(guide)]).toEqual([]);
  });

  it.each([
    ['deploy/cluster/cloud-config etcd', 'deploy/cluster/make-config etcd', 'there is no deploy/cluster/make-config'],
    ['deploy/cluster/cluster.env', 'deploy/cluster/cluster.conf', 'there is no deploy/cluster/cluster.conf'],
    [
      'fleetctl start kube-kubelet.service kube-proxy.service',
      'fleetctl start kube-kubelet.service',
      'kube-proxy.service is never started',
    ],
    ['kube-scheduler.service', 'kube-schedule.service', 'there is no kube-schedule.service'],
    ['KUBE_REGISTER_API_CA_FILE', 'KUBE_REGISTER_CA_FILE', 'KUBE_REGISTER_CA_FILE'],
  ])('would not be let through with `%s` as `%s`', (from, to, mistake) => {
    expect(guide).toContain(from);
    expect([...mistakesOf(guide.replace(from, to))].join('\n')).toContain(mistake);
  });

  it('speaks of the machines and addresses that cluster.env has', () => {
    const spoken = new Set(guide.match(/\b10\.0\.0\.\d+\b/g));
    for (const name of ['ETCD_SERVERS', 'API_ADDRESS']) {
      const [address = ''] = /\d+\.\d+\.\d+\.\d+/.exec(variables.get(name) ?? '') ?? [];
      expect([...spoken], name).toContain(address);
    }
    expect(guide).toContain(variables.get('KUBERNETES_IMAGE')?.replace(/.*:/, ''));
  });

  it('has a shell take each of its blocks of commands', () => {
    for (const [, block = ''] of guide.matchAll(/```sh\n(.*?)```/gs)) execFileSync('sh', ['-n'], { input: block });
  });
});

describe('an update of kube-register', () => {
  const [, block = ''] = /^## Update kube-register$.*?```sh\n(.*?)```/ms.exec(GUIDE) ?? [];
  const MACHINES = ['10.0.0.11', '10.0.0.12'];

  it('brings the new program to each node and starts its unit anew', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kube-register-guide-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const tarball = 'build/kube-register-0.2.0-linux-x64.tar.gz';
    const programs = {
      npm: `echo "npm $*" >>said; mkdir -p build kube-register; echo new >kube-register/program; tar -czf ${tarball} kube-register`,
      scp: 'echo "scp $*" >>said',
      fleetctl: 'echo "fleetctl $*" >>said',
      sudo: 'exec "$@"',
      // Each machine has a folder of its own for /opt.
      ssh: `machine=\${1#core@}; shift; sh -c "$(echo "$*" | sed "s|/opt|${folder}/$machine|")"`,
    };
    for (const [name, body] of Object.entries(programs)) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    }
    for (const machine of MACHINES) {
      mkdirSync(join(folder, machine, 'kube-register'), { recursive: true });
      writeFileSync(join(folder, machine, 'kube-register', 'program'), 'old\n');
    }
    execFileSync('sh', ['-eu'], { input: block, cwd: folder, env: { PATH: `${folder}:/usr/bin:/bin` } });
    for (const machine of MACHINES) {
      expect(readFileSync(join(folder, machine, 'kube-register', 'program'), 'utf8'), machine).toBe('new\n');
    }
    expect(readFileSync(join(folder, 'said'), 'utf8').trim().split('\n').slice(2)).toEqual([
      'scp -r deploy core@10.0.0.11:',
      'fleetctl destroy kube-register.service',
      'fleetctl start deploy/kube-register.service',
    ]);
  });
});
