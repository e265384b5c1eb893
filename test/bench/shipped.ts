/** The program as it is shipped, from the tree of the tarball, and the Node in it. Linux x64 only. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeToShip } from '../../deploy/binary/node.ts';
import { LOADER } from '../../deploy/tarball/libraries.ts';
import { layOutForOpt } from '../../deploy/tarball/tree.ts';

const FOLDER = fileURLToPath(new URL('../../build/bench/opt', import.meta.url));
const HOME = join(FOLDER, 'kube-register');
const LIB = join(HOME, 'lib');

/** The launcher. */
export const PROGRAM = join(HOME, 'kube-register');
/** The Node in it, for another program. */
export const NODE = {
  execPath: join(LIB, LOADER),
  execArgv: ['--inhibit-cache', '--library-path', LIB, join(LIB, 'node')],
};

/**
 * Makes it. Its files are then read from the disk, as after a restart of the machine: what was just written lies in large pages, which count as a
 * whole where one byte is used, 30 MiB in all.
 */
export async function makeShipped(): Promise<void> {
  await layOutForOpt(FOLDER, nodeToShip());
  for (const name of readdirSync(LIB)) {
    const file = join(LIB, name);
    execFileSync('sync', [file]);
    execFileSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0', 'status=none']);
  }
}
