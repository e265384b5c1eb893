/** The units of deploy/cluster/ as systemd reads them, and what deploy/cluster/other-releases.md says of the flags of today before kube-apiserver's and etcd's. */
import { execFile, execFileSync } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { findPrograms } from './programs.ts';

const CLUSTER = fileURLToPath(new URL('../../deploy/cluster/', import.meta.url));
const GUIDE = fileURLToPath(new URL('../../deploy/cluster/other-releases.md', import.meta.url));
const UNITS = (await readdir(CLUSTER)).filter((file) => file.endsWith('.service'));
const SERVICE = '[Service]\nExecStart=/bin/true\n';
/** What a machine of the cluster has and this one need not. */
const ELSEWHERE = /Command (\/usr\/bin\/docker|\/opt\/bin\/hyperkube|\/usr\/bin\/etcdctl) is not executable/;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kube-register-cluster-'));
  await cp(CLUSTER, folder, { recursive: true });
  for (const name of ['docker', 'etcd2']) await writeFile(join(folder, `${name}.service`), SERVICE);
});
afterEach(() => rm(folder, { recursive: true }));

/** What systemd has to say of a unit in the folder, line by line, but for programs that are elsewhere. */
async function verify(name: string): Promise<readonly string[]> {
  const env = { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` };
  const { stderr } = await promisify(execFile)(findPrograms()['systemd-analyze'], ['verify', join(folder, name)], {
    env,
  }).catch((error: { stderr: string }) => error);
  return stderr.split('\n').filter((line) => line !== '' && !ELSEWHERE.test(line));
}

describe('the units of the cluster', () => {
  it.each(UNITS)('%s leaves systemd nothing to say', async (name) => {
    expect(await verify(name)).toEqual([]);
  });

  it.each(UNITS)('%s is not above suspicion: a key that systemd does not know is told', async (name) => {
    const file = join(folder, name);
    await writeFile(file, (await readFile(file, 'utf8')).replace('RestartSec', 'Restrat'));
    expect(await verify(name)).toEqual([expect.stringContaining('Restrat')]);
  });

  it('leave systemd nothing to say where the cloud-config of the etcd machine has one inside', async () => {
    const units = z.object({ name: z.string(), content: z.string().optional() });
    const config = z.object({ coreos: z.object({ units: z.array(units) }) });
    const text = execFileSync(join(CLUSTER, 'cloud-config'), ['etcd'], { encoding: 'utf8' });
    const unit = config.parse(parse(text)).coreos.units.find(({ content }) => content !== undefined);
    await writeFile(join(folder, 'flannel-network.service'), unit?.content ?? '');
    expect(unit?.name).toBe('flannel-network.service');
    expect(await verify('flannel-network.service')).toEqual([]);
  });
});

/** The flags in the last column of the rows that are about the API server and etcd. */
async function flagsOfToday(): Promise<string[]> {
  const rows = (await readFile(GUIDE, 'utf8')).split('\n').map((line) => line.slice(2, -2).split(' | '));
  const today = rows.filter(([what = '', ...cells]) => {
    return cells.length === 3 && !/^(What|---|kubelet|proxy|scheduler|containers)/.test(what);
  });
  return today.flatMap((cells) => [...(cells.at(-1) ?? '').matchAll(/`(--[a-z0-9-]+)/g)].map(([, flag = '']) => flag));
}

describe('the flags of today that the guide names', () => {
  it('are known to kube-apiserver, or to etcd', async () => {
    const { etcd, 'kube-apiserver': apiServer } = findPrograms();
    const helps = [apiServer, etcd].map((program) => {
      return execFileSync(program, ['--help'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    });
    const known = new Set(helps.flatMap((help) => [...help.matchAll(/^ +(--[a-z0-9-]+)/gm)].map(([, flag]) => flag)));
    const flags = await flagsOfToday();
    expect(flags).toContain('--enable-v2');
    expect(flags.length).toBeGreaterThan(10);
    expect(flags.filter((flag) => !known.has(flag))).toEqual([]);
    for (const gone of ['--insecure-bind-address', '--insecure-port']) expect(known).not.toContain(gone);
  });
});
