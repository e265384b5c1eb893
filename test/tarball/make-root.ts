/** Unpacks the tarball into a root that has a static busybox and device files besides, and compiles confine; takes both away at the end. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { VERSION } from '../../src/daemon/version.ts';
import { compileConfine } from './confine.ts';

const BUILD = fileURLToPath(new URL('../../build/', import.meta.url));
const TARBALL = `kube-register-${VERSION}-linux-x64.tar.gz`;
const BUSYBOX = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kube-register', 'tarball', 'busybox');

/** The numbers of mem(4) and random(4). */
const DEVICES: Readonly<Record<string, readonly [string, string]>> = {
  null: ['1', '3'],
  random: ['1', '8'],
  urandom: ['1', '9'],
};

/** Where things are outside of the root. */
export interface Machine {
  readonly root: string;
  readonly confine: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    machine: Machine;
  }
}

export default function makeRoot(project: TestProject): () => void {
  needed(join(BUILD, TARBALL), 'npm run build:tarball');
  needed(BUSYBOX, 'npm run test:tarball:setup as root');
  const folder = mkdtempSync(join(tmpdir(), 'kube-register-tarball-'));
  const root = join(folder, 'root');
  for (const name of ['bin', 'dev', 'etc', 'opt/bin', 'proc', 'run']) mkdirSync(join(root, name), { recursive: true });
  copyFileSync(BUSYBOX, join(root, 'bin', 'busybox'));
  for (const name of ['sh', 'readlink', 'uname']) symlinkSync('busybox', join(root, 'bin', name));
  for (const [name, numbers] of Object.entries(DEVICES)) {
    execFileSync('mknod', ['--mode=666', join(root, 'dev', name), 'c', ...numbers]);
  }
  execFileSync('sha256sum', ['--check', '--quiet', `${TARBALL}.sha256`], { cwd: BUILD, stdio: 'inherit' });
  execFileSync('tar', ['--extract', `--file=${join(BUILD, TARBALL)}`, `--directory=${join(root, 'opt')}`]);
  project.provide('machine', { root, confine: compileConfine(folder) });
  return () => rmSync(folder, { recursive: true });
}

/** Ends the run when it is not there: these tests never skip. */
function needed(path: string, command: string): void {
  if (existsSync(path)) return;
  process.stderr.write(`there is no ${path}. Run ${command} first.\n`);
  process.exit(1);
}
