/** `npm run build:tarball`: makes the tarball for /opt; `--image FOLDER` lays out the root of the image in that folder instead. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { VERSION } from '../../src/daemon/version.ts';
import { nodeToShip } from '../binary/node.ts';
import { layOutForOpt, layOutImage } from './tree.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MIB = 1024 * 1024;

if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error('the tarball is made on linux x64 only');
  process.exit(1);
}
const { image } = parseArgs({ options: { image: { type: 'string' } } }).values;
if (image === undefined) await makeTarball();
// The Node of the image that this runs in.
else await layOutImage(image, process.execPath);

async function makeTarball(): Promise<void> {
  const tree = join(ROOT, 'build', 'opt');
  const tarball = join(ROOT, 'build', `kube-register-${VERSION}-linux-x64.tar.gz`);
  await layOutForOpt(tree, nodeToShip());
  pack(tree, tarball);
  const sum = createHash('sha256').update(readFileSync(tarball)).digest('hex');
  writeFileSync(`${tarball}.sha256`, `${sum}  ${basename(tarball)}\n`);
  console.log(`${tarball}: ${(statSync(tarball).size / MIB).toFixed(1)} MiB`);
}

/** The same files make the same tarball. It has no entry for bin itself: /opt/bin keeps its mode and owner. */
function pack(tree: string, tarball: string): void {
  const flags = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=ustar'];
  const modes = ['--mode=u=rwX,go=rX', '--use-compress-program=gzip -9 --no-name'];
  execFileSync('tar', [
    '--create',
    `--file=${tarball}`,
    ...flags,
    ...modes,
    `--directory=${tree}`,
    'bin/kube-register',
    'kube-register',
  ]);
}
