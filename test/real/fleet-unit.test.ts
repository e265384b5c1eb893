/** deploy/kube-register.service before systemd's own eyes; what fleet reads of it is in its last section. */
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSettings } from '../../src/settings/settings.ts';
import { findPrograms } from './programs.ts';

const UNIT = fileURLToPath(new URL('../../deploy/kube-register.service', import.meta.url));
const SERVICE = '[Service]\nExecStart=/bin/true\n';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kube-register-unit-'));
  await copyFile(UNIT, join(folder, 'kube-register.service'));
});
afterEach(() => rm(folder, { recursive: true }));

/** What systemd has to say, line by line; nothing when all is well. */
async function verify(): Promise<readonly string[]> {
  const unit = join(folder, 'kube-register.service');
  const env = { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` };
  const { stderr } = await promisify(execFile)(findPrograms()['systemd-analyze'], ['verify', unit], { env }).catch(
    (error: { stderr: string }) => error,
  );
  return stderr.split('\n').filter((line) => line !== '');
}

/** The values of a key, in the order of the file. */
async function valuesOf(key: string): Promise<readonly string[]> {
  const lines = (await readFile(UNIT, 'utf8')).split('\n');
  return lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
}

describe('the fleet unit', () => {
  it('leaves systemd nothing to say but that there is no container runtime', async () => {
    expect(await verify()).toEqual([expect.stringContaining('docker.service not found')]);
  });

  it('leaves systemd nothing to say at all where there is one', async () => {
    await writeFile(join(folder, 'docker.service'), SERVICE);
    expect(await verify()).toEqual([]);
  });

  it('is not above suspicion: a key that systemd does not know is told', async () => {
    await writeFile(join(folder, 'docker.service'), SERVICE);
    await writeFile(
      join(folder, 'kube-register.service'),
      (await readFile(UNIT, 'utf8')).replace('RestartSec', 'Restrat'),
    );
    expect(await verify()).toEqual([expect.stringContaining('Restrat')]);
  });

  it('follows the API server, alone among the ways to place it', async () => {
    const text = await readFile(UNIT, 'utf8');
    expect(text.slice(text.indexOf('[X-Fleet]')).trim()).toBe('[X-Fleet]\nMachineOf=kube-apiserver.service');
  });

  it('has settings that the program takes', async () => {
    const pairs = (await valuesOf('Environment')).map((pair) => pair.split(/=(.*)/s, 2));
    const env: Record<string, string> = Object.fromEntries(pairs);
    expect(readSettings([], env, () => false)).toMatchObject({ kind: 'run', warnings: [] });
  });

  it('hands every KUBE_REGISTER variable on to the container, and nothing else', async () => {
    const [start = ''] = await valuesOf('ExecStart');
    // As systemd reads it: quotes off, escapes and doubled dollars resolved; and a docker that only tells what it was given.
    const script = start
      .replace("/bin/sh -c '", '')
      .replace(/'$/, '')
      .replaceAll('$$', '$')
      .replaceAll('\\\\', '\\')
      .replace('exec /usr/bin/docker', 'echo');
    const env = {
      PATH: process.env['PATH'],
      IMAGE: 'image:1',
      KUBE_REGISTER_A: 'two words',
      KUBE_REGISTER_B_2: '',
      OTHER: 'x',
    };
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', script], { env });
    const words = stdout.trim().split(' ');
    expect(words.filter((word) => word.startsWith('--env=')).sort()).toEqual([
      '--env=KUBE_REGISTER_A',
      '--env=KUBE_REGISTER_B_2',
    ]);
    expect(words.at(-1)).toBe('image:1');
  });
});
