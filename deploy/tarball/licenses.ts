/** The licenses of all that is shipped beside the program, and a table that says what each is for and what was changed. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LIBC, type Library } from './libraries.ts';

/** The texts that Debian's copyright files refer to. */
const COMMON = ['GPL-2', 'GPL-3', 'LGPL-2.1'];

/** What is shipped. */
export interface Shipment {
  /** The folder of the repository. */
  readonly root: string;
  readonly node: string;
  readonly libraries: readonly Library[];
  /** The folders of the bundled npm packages, relative to the repository. */
  readonly packages: readonly string[];
}

/** Fills the folder. Throws when a license is not to be found. */
export function writeLicenses(folder: string, { root, node, libraries, packages }: Shipment): void {
  const lines = ['kube-register: LICENSE'];
  const add = (name: string, from: string, note: string) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    copyFileSync(from, join(folder, name));
    lines.push(`${note}: ${name}`);
  };
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  add(
    'node',
    licenseOfNode(node),
    `Node.js ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}, without its symbol table`,
  );
  for (const each of new Map(libraries.map(({ debianPackage }) => [debianPackage.name, debianPackage])).values()) {
    const names = libraries.filter(({ debianPackage }) => debianPackage.name === each.name).map(({ name }) => name);
    add(
      `debian/${each.name}`,
      each.copyright,
      `${names.join(', ')} of Debian's package ${each.name} ${each.version}${changeOf(names)}`,
    );
  }
  for (const name of COMMON) add(`debian/${name}`, `/usr/share/common-licenses/${name}`, 'Text that these refer to');
  for (const path of packages) {
    const from = join(root, path);
    const { name, version } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
    const license = readdirSync(from).find((file) => /^licen[cs]e/i.test(file)) ?? readmeWithLicense(from);
    if (license === undefined) throw new Error(`${path} has no license file`);
    add(`npm/${name}@${version}`, join(from, license), `npm package ${name} ${version}`);
  }
  writeFileSync(join(folder, 'README'), `${lines.join('\n')}\n`);
}

function changeOf(names: readonly string[]): string {
  return names.includes(LIBC)
    ? " (changed in libc.so.6: the one instruction that calls clone3 gives ENOSYS, so that clone is used; the source is Debian's source package glibc)"
    : '';
}

/** Beside the program as fetch-node has it, and above it as Node's own archives and images have it. */
function licenseOfNode(node: string): string {
  const found = [join(dirname(node), 'LICENSE'), join(dirname(node), '..', 'LICENSE')].find((path) => existsSync(path));
  if (found === undefined) throw new Error(`there is no LICENSE of Node beside or above ${node}`);
  return found;
}

/** Some packages have their license in their README. */
function readmeWithLicense(folder: string): string | undefined {
  return readdirSync(folder).find(
    (file) => /^readme/i.test(file) && /licen[cs]e/i.test(readFileSync(join(folder, file), 'utf8')),
  );
}
