/** `npm run build:binary`: makes the program one file, for those who have Node and, with Node inside, for those who do not. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleProgram } from './bundle.ts';
import { nodeToShip } from './node.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** `.mjs`, for no package.json beside it says that it is an ES module. */
const BUNDLE = join(ROOT, 'build', 'kube-register.mjs');
const BINARY = join(ROOT, 'build', 'kube-register');
const MIB = 1024 * 1024;

mkdirSync(join(ROOT, 'build'), { recursive: true });
await bundleProgram({ outfile: BUNDLE });
chmodSync(BUNDLE, 0o755);
if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error(`build/kube-register is made on linux x64 only; ${BUNDLE} is there and runs wherever Node does`);
  process.exit(1);
}
putNodeInside();
for (const file of [BUNDLE, BINARY]) console.log(`${file}: ${(statSync(file).size / MIB).toFixed(1)} MiB`);

/** https://nodejs.org/api/single-executable-applications.html; `mainFormat` needs Node 25.7 or later. */
function putNodeInside(): void {
  const node = nodeToShip();
  const folder = mkdtempSync(join(tmpdir(), 'kube-register-binary-'));
  try {
    const config = join(folder, 'sea.json');
    const contents = {
      main: BUNDLE,
      mainFormat: 'module',
      output: BINARY,
      disableExperimentalSEAWarning: true,
      // As the launcher of the tarball has it.
      execArgv: ['--min-semi-space-size=2', '--max-semi-space-size=8'],
      // Halves the time it takes to start.
      useCodeCache: true,
    };
    writeFileSync(config, JSON.stringify(contents));
    // A program that runs cannot be written over; it can be replaced.
    rmSync(BINARY, { force: true });
    execFileSync(node, [`--build-sea=${config}`], { stdio: ['ignore', 'ignore', 'inherit'] });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
