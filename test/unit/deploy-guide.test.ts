/** deploy/README.md names what there is, starts every unit, and its commands are a shell's. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findGiven } from '../../src/settings/given.ts';
import { CLUSTER, read, variables } from './cluster-files.ts';

const root = new URL('../../', import.meta.url);
const UNITS = [...readdirSync(CLUSTER).filter((file) => file.endsWith('.service')), 'kube-register.service'];

/** The lines of the blocks of commands. */
function commandsOf(text: string): string[] {
  return [...text.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = '']) => block.split('\n'));
}

/** What the guide gets wrong; nothing when all is well. */
function* mistakesOf(text: string): Iterable<string> {
  const commands = commandsOf(text);
  for (const [, path = ''] of text.matchAll(/\b(deploy\/[\w./-]*\w)/g)) {
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
  for (const name of units) if (!UNITS.includes(name)) yield `there is no ${name}`;

  const settings = [...text.matchAll(/\b(KUBE_REGISTER_[A-Z0-9_]*[A-Z0-9])\b/g)].map(([, name = '']) => [name, '']);
  yield* findGiven([], Object.fromEntries(settings)).mistakes;

  const anchors = [...text.matchAll(/^#{2,3} (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll("'", '')
      .replaceAll(/[^\w-]+/g, '-'),
  );
  for (const [, link = ''] of text.matchAll(/\]\(#([^)]+)\)/g))
    if (!anchors.includes(link)) yield `there is no #${link}`;
}

describe('deploy/README.md', () => {
  const guide = read('deploy/README.md');

  it('names files, units, settings and sections that there are, and starts every unit', () => {
    expect(commandsOf(guide).length).toBeGreaterThan(50);
    expect([...mistakesOf(guide)]).toEqual([]);
  });

  it.each([
    ['deploy/cluster/cloud-config etcd', 'deploy/cluster/make-config etcd', 'there is no deploy/cluster/make-config'],
    ['`cluster/etcd.yaml`', '`cluster/etcd.yml`', 'there is no deploy/cluster/etcd.yml'],
    [
      'fleetctl start kube-kubelet.service kube-proxy.service',
      'fleetctl start kube-kubelet.service',
      'kube-proxy.service is never started',
    ],
    ['kube-scheduler.service', 'kube-schedule.service', 'there is no kube-schedule.service'],
    ['KUBE_REGISTER_API_CA_FILE', 'KUBE_REGISTER_CA_FILE', 'KUBE_REGISTER_CA_FILE'],
    ['(#upkeep)', '(#up-keep)', 'there is no #up-keep'],
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
