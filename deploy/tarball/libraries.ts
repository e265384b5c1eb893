/** The loader and the libraries that Node needs, from the Debian that this runs on. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** The loader: the one name of a library that is written in Node. */
export const LOADER = 'ld-linux-x86-64.so.2';
export const LIBC = 'libc.so.6';

/** The Debian packages that Node's libraries are of. */
const PACKAGES: Readonly<Record<string, string>> = {
  [LOADER]: 'libc6',
  [LIBC]: 'libc6',
  'libdl.so.2': 'libc6',
  'libm.so.6': 'libc6',
  'libpthread.so.0': 'libc6',
  'libstdc++.so.6': 'libstdc++6',
  'libgcc_s.so.1': 'libgcc-s1',
  'libatomic.so.1': 'libatomic1',
};

export interface Library {
  /** As other files name it. */
  readonly name: string;
  readonly path: string;
  readonly debianPackage: DebianPackage;
}

interface DebianPackage {
  readonly name: string;
  readonly version: string;
  /** The path of its copyright file. */
  readonly copyright: string;
}

/** Throws when one is missing, or is of no known package. */
export function librariesOf(node: string): readonly Library[] {
  // "libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x...)", "/lib64/ld-linux-x86-64.so.2 (0x...)", and the kernel's linux-vdso.so.1.
  const list = execFileSync(`/lib64/${LOADER}`, ['--list', node], { encoding: 'utf8' });
  const paths = [...list.matchAll(/(?<=\s)\/\S+(?= \(0x)/g)].map(([path]) => path);
  const libraries = paths.map((path): Library => {
    const name = basename(path);
    const owner = PACKAGES[name];
    if (owner === undefined) throw new Error(`Node needs ${path}, which is of no package that is known here`);
    return { name, path, debianPackage: packageOf(owner) };
  });
  const missing = [LOADER, LIBC].filter((name) => !libraries.some((library) => library.name === name));
  if (missing.length > 0) throw new Error(`Node does not need ${missing.join(' and ')}:\n${list}`);
  return libraries;
}

function packageOf(name: string): DebianPackage {
  const status = '/var/lib/dpkg/status';
  const text = existsSync(status) ? readFileSync(status, 'utf8') : '';
  const entry = text.split('\n\n').find((each) => each.split('\n').includes(`Package: ${name}`));
  const version = /^Version: (.+)$/m.exec(entry ?? '')?.[1];
  const copyright = `/usr/share/doc/${name}/copyright`;
  if (version === undefined || !existsSync(copyright)) {
    throw new Error(`the libraries are taken from Debian, and its package ${name} is not installed here`);
  }
  return { name, version, copyright };
}
