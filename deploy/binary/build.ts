/** `npm run build:binary`: makes the program one file, for those who have Node and, with Node inside, for those who do not. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { z } from 'zod';
import { ASSET_FILES } from '../../src/page/asset-files.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** `.mjs`, for no package.json beside it says that it is an ES module. */
const BUNDLE = join(ROOT, 'build', 'kube-register.mjs');
const BINARY = join(ROOT, 'build', 'kube-register');
const MIB = 1024 * 1024;

mkdirSync(join(ROOT, 'build'), { recursive: true });
await bundle();
if (process.platform !== 'linux' || process.arch !== 'x64') {
  console.error(`build/kube-register is made on linux x64 only; ${BUNDLE} is there and runs wherever Node does`);
  process.exit(1);
}
putNodeInside();
for (const file of [BUNDLE, BINARY]) console.log(`${file}: ${(statSync(file).size / MIB).toFixed(1)} MiB`);

async function bundle(): Promise<void> {
  await build({
    entryPoints: [join(ROOT, 'src', 'main.ts')],
    outfile: BUNDLE,
    bundle: true,
    platform: 'node',
    target: 'node20.20',
    // ES modules, for main.ts awaits at its top level.
    format: 'esm',
    // pino and others are CommonJS and require Node's own modules, which an ES module cannot without this.
    banner: {
      js: "import { createRequire as requireFor } from 'node:module';\nconst require = requireFor(import.meta.url);",
    },
    plugins: [
      {
        name: 'the version, for no package.json lies beside one file',
        setup: ({ onLoad }) =>
          onLoad({ filter: /\/src\/version\.ts$/ }, () => ({
            contents: `export const VERSION = ${JSON.stringify(version())};`,
          })),
      },
      {
        name: 'what the page needs, for no file lies beside one file',
        setup: ({ onLoad }) =>
          onLoad({ filter: /\/src\/page\/asset-files\.ts$/ }, () => ({
            contents: `export const ASSET_FILES = ${JSON.stringify(ASSET_FILES)};`,
          })),
      },
    ],
  });
  chmodSync(BUNDLE, 0o755);
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return z.object({ version: z.string() }).parse(manifest).version;
}

/** https://nodejs.org/api/single-executable-applications.html; `mainFormat` needs Node 25.7 or later. */
function putNodeInside(): void {
  const node = execFileSync(join(ROOT, 'deploy', 'binary', 'fetch-node'), {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim();
  const folder = mkdtempSync(join(tmpdir(), 'kube-register-binary-'));
  try {
    const config = join(folder, 'sea.json');
    const contents = {
      main: BUNDLE,
      mainFormat: 'module',
      output: BINARY,
      disableExperimentalSEAWarning: true,
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
