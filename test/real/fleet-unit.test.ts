/** The two units of kube-register as systemd reads them, as fleet hands them to it. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, serialize } from '../unit/deploy/fleet-unit.ts';
import { findPrograms } from './programs.ts';

const DEPLOY = new URL('../../deploy/', import.meta.url);
/** Programs of a machine of the fleet that this one need not have. */
const ELSEWHERE = /Command (\/usr\/bin\/docker|\/opt\/bin\/kube-register) is not executable/;

/**
 * The figure of `systemd-analyze security`, from 0 to 10. That of the container is of docker's client, whose rights the daemon does not have:
 * it has those of `docker run`, of which systemd knows nothing.
 */
const UNITS = [
  { unit: 'kube-register.service', exposure: 1.5 },
  { unit: 'container/kube-register.service', exposure: 9.6 },
];

let file: string;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kube-register-unit-'));
  file = join(folder, 'kube-register.service');
});
afterEach(() => rm(folder, { recursive: true }));

async function analyze(...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const env = { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:`, SYSTEMD_COLORS: '0' };
  return promisify(execFile)(findPrograms()['systemd-analyze'], args, { env }).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
}

/** What systemd has to say, line by line, each once; nothing when all is well. */
async function verify(): Promise<readonly string[]> {
  const { stderr } = await analyze('verify', file);
  return [...new Set(stderr.split('\n'))].filter((line) => line !== '' && !ELSEWHERE.test(line));
}

describe.each(UNITS)('deploy/$unit', ({ unit, exposure }) => {
  async function textForSystemd(): Promise<string> {
    return serialize(parse(await readFile(new URL(unit, DEPLOY), 'utf8')));
  }

  it('leaves systemd nothing to say, whether or not docker and the API server are there', async () => {
    await writeFile(file, await textForSystemd());
    expect(await verify()).toEqual([]);
    for (const name of ['docker', 'kube-apiserver']) {
      await writeFile(join(folder, `${name}.service`), '[Service]\nExecStart=/bin/true\n');
    }
    expect(await verify()).toEqual([]);
  });

  it('is not above suspicion: a key that systemd does not know is told', async () => {
    await writeFile(file, (await textForSystemd()).replace('RestartSec', 'Restrat'));
    expect(await verify()).toContainEqual(expect.stringContaining('Restrat'));
  });

  it('is exposed no more than it was', async () => {
    await writeFile(file, await textForSystemd());
    const { stdout } = await analyze('security', '--offline=true', '--no-pager', file);
    expect(Number(/Overall exposure level .*: ([\d.]+)/.exec(stdout)?.[1])).toBeLessThanOrEqual(exposure);
  });
});
