/** Lays out the program with all that it needs: as the tarball has it, and as the image has it. */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleProgram } from '../binary/bundle.ts';
import { withoutClone3, withoutSections } from './elf.ts';
import { LIBC, type Library, LOADER, librariesOf } from './libraries.ts';
import { writeLicenses } from './licenses.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const HOME = '/opt/kube-register';
const NODE = `${HOME}/lib/node`;
const PROGRAM = `${HOME}/program/kube-register.mjs`;

/** Makes the folder anew with `kube-register/` and the link `bin/kube-register` in it: what /opt is to have. */
export async function layOutForOpt(folder: string, node: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  await layOutHome(join(folder, 'kube-register'), node);
  const launcher = join(folder, 'kube-register', 'kube-register');
  copy('deploy/tarball/kube-register', launcher, 0o755);
  copy('deploy/kube-register.service', join(folder, 'kube-register', 'kube-register.service'));
  link(join(folder, 'bin', 'kube-register'), '../kube-register/kube-register');
}

/**
 * Makes the folder anew as the root of a container, in which the kernel finds the loader, and the loader finds the libraries, by their usual names:
 * no launcher is needed, so no shell.
 */
export async function layOutImage(folder: string, node: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  const home = join(folder, HOME);
  await layOutHome(home, node);
  link(join(folder, 'lib64', LOADER), `${HOME}/lib/${LOADER}`);
  link(join(folder, 'lib', 'x86_64-linux-gnu'), `${HOME}/lib`);
  link(join(folder, 'usr', 'local', 'bin', 'kube-register'), PROGRAM);
  const program = join(folder, PROGRAM);
  writeFileSync(program, readFileSync(program, 'utf8').replace(/^#!.*/, `#!${NODE} --min-semi-space-size=2`));
  chmodSync(program, 0o755);
  // Container engines mount over most of these.
  for (const name of ['dev', 'etc', 'proc', 'sys', 'run', 'var', 'tmp']) mkdirSync(join(folder, name));
  // Not with mkdirSync, which applies the umask.
  chmodSync(join(folder, 'tmp'), 0o1777);
  symlinkSync('../run', join(folder, 'var', 'run'));
}

/** The same in both: Node, the libraries, the bundle and the licenses. */
async function layOutHome(home: string, node: string): Promise<void> {
  for (const name of ['lib', 'program', 'licenses']) mkdirSync(join(home, name), { recursive: true });
  const packages = await bundleProgram({ outdir: join(home, 'program') });
  const libraries = librariesOf(node);
  for (const library of libraries) putLibrary(library, join(home, 'lib', library.name));
  put(join(home, 'lib', 'node'), withoutSections(readFileSync(node)), 0o755);
  writeLicenses(join(home, 'licenses'), { root: ROOT, node, libraries, packages });
}

function putLibrary({ name, path }: Library, to: string): void {
  const library = readFileSync(path);
  put(to, name === LIBC ? withoutClone3(library) : library, name === LOADER ? 0o755 : 0o644);
}

function put(path: string, contents: Buffer, mode: number): void {
  writeFileSync(path, contents);
  chmodSync(path, mode);
}

function copy(from: string, to: string, mode = 0o644): void {
  copyFileSync(join(ROOT, from), to);
  chmodSync(to, mode);
}

function link(path: string, target: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}
