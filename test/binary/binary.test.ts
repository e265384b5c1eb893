/** build/kube-register and build/kube-register.mjs, each alone in a folder, are the whole program. */
import { execFile } from 'node:child_process';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { folderOfTest, GOOD_END, labOfTest, type Shipped, settingsFor, startProgram } from '../integration/program.ts';
import { playStory } from '../integration/story.ts';
import { expectPage } from './page.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The single file in a folder where nothing else is. */
async function alone(name: string): Promise<string> {
  const path = join(await folderOfTest(), name);
  await copyFile(join(ROOT, 'build', name), path);
  return path;
}

describe.each([
  { name: 'kube-register', isItself: true },
  { name: 'kube-register.mjs', isItself: false },
])('build/$name', ({ name, isItself }) => {
  let shipped: Shipped;
  beforeEach(async () => {
    const path = await alone(name);
    shipped = isItself ? { command: path, args: [] } : { command: process.execPath, args: [path] };
  });

  /** What it prints, without any variable and in a folder where it finds nothing. */
  async function printed(...flags: string[]): Promise<{ stdout: string; stderr: string }> {
    const { command, args } = shipped;
    return promisify(execFile)(command, [...args, ...flags], { env: {}, cwd: '/' });
  }

  it('says its version', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    expect(await printed('--version')).toEqual({ stdout: `kube-register ${version}\n`, stderr: '' });
  });

  it('explains every setting', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', join(ROOT, 'src/main.ts'), '--help'],
      { cwd: ROOT },
    );
    expect(await printed('--help')).toEqual({ stdout, stderr: '' });
  });

  it('ends with 2 when its settings cannot be used', async () => {
    const { ended } = startProgram({}, ['--policy=foo'], shipped);
    expect(await ended).toMatchObject({ code: 2, stderr: expect.stringContaining('foo') });
  });

  it('registers, deregisters, is scraped, and stops well', async () => {
    const { program } = await playStory((settings) => startProgram(settings, [], shipped));
    expect(await program.stop()).toEqual(GOOD_END);
  });

  it('shows its page', async () => {
    const lab = await labOfTest();
    const program = startProgram(settingsFor(lab), [], shipped);
    await expectPage(program);
    expect(await program.stop()).toEqual(GOOD_END);
  });

  it('writes for people too', async () => {
    const lab = await labOfTest();
    const program = startProgram({ ...settingsFor(lab), ONCE: 'true', LOG_FORMAT: 'pretty' }, [], shipped);
    expect(await program.ended).toEqual(GOOD_END);
    expect(program.stdout).toMatch(/INFO.*runs one pass/);
  });

  it('reads a kubeconfig, which it loads only then', async () => {
    const lab = await labOfTest();
    const { API_ENDPOINT, ...settings } = settingsFor(lab);
    const kubeconfig = join(await folderOfTest(), 'kubeconfig');
    await writeFile(
      kubeconfig,
      `current-context: lab
contexts: [{ name: lab, context: { cluster: lab, user: lab } }]
clusters: [{ name: lab, cluster: { server: '${API_ENDPOINT}' } }]
users: [{ name: lab, user: {} }]
`,
    );
    const program = startProgram({ ...settings, KUBECONFIG: kubeconfig }, [], shipped);
    await program.firstPass();
    expect(await program.metric('kube_register_up{target="kubernetes"}')).toBe(1);
    expect(await program.stop()).toEqual(GOOD_END);
  });
});

describe('build/kube-register', () => {
  it('needs the glibc that the documents name, and no later one', async () => {
    const [binary, readme] = await Promise.all([
      readFile(join(ROOT, 'build', 'kube-register'), 'latin1'),
      readFile(join(ROOT, 'deploy/docs/install.md'), 'utf8'),
    ]);
    const versions = [...binary.matchAll(/\0GLIBC_2\.(\d+)(?=\0)/g)].map(([, minor]) => Number(minor));
    expect(/glibc 2\.(\d+) or later/.exec(readme)?.[1]).toBe(String(Math.max(...versions)));
  });
});
