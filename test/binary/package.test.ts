/** What `npm pack` makes: the program and what an operator installs with it, and nothing beside that. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { folderOfTest, labOfTest, settingsFor, startProgram } from '../integration/program.ts';
import { expectPage } from './page.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

const packed = z.tuple([z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) })]);

async function pack(folder: string) {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: ROOT });
  // What `prepack` prints comes before.
  return packed.parse(JSON.parse(stdout.slice(stdout.indexOf('[\n'))))[0];
}

it('holds what users need and nothing else, and its command runs where it is installed', async () => {
  const folder = await folderOfTest();
  const { filename, files } = await pack(folder);
  const paths = files.map(({ path }) => path);
  expect(
    paths
      .filter((path) => !/^(dist\/.*\.js|dist\/web\/page\/(style\/\w+\.css|icon\.svg)|deploy\/.+)$/.test(path))
      .sort(),
  ).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
  for (const needed of [
    'dist/main.js',
    'deploy/kube-register.service',
    'deploy/container/kube-register.service',
    'deploy/rbac.yaml',
  ]) {
    expect(paths).toContain(needed);
  }
  expect(paths.filter((path) => /^deploy\/(binary|tarball)\//.test(path))).toEqual([]);

  await run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', join(folder, filename)], { cwd: folder });
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const { stdout } = await run(join(folder, 'node_modules/.bin/kube-register'), ['--version'], { env: process.env });
  expect(stdout).toBe(`kube-register ${version}\n`);
  const installed = { command: join(folder, 'node_modules/.bin/kube-register'), args: [] };
  await expectPage(startProgram(settingsFor(await labOfTest()), [], installed));
  expect(await readFile(join(ROOT, 'CHANGELOG.md'), 'utf8')).toContain(`\n## ${version}`);
});
