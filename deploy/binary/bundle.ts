/** Bundles the program and all that it imports into one ES module: for the single file that is shipped, and for the tests. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { VERSION } from '../../src/daemon/version.ts';
import { ASSET_FILES } from '../../src/web/page/asset-files.ts';

/** Writes the program to `outfile`, which should end in `.mjs`: no package.json beside it says that it is an ES module. */
export async function bundleProgram(outfile: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL('../../src/main.ts', import.meta.url))],
    outfile,
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
          onLoad({ filter: /\/src\/daemon\/version\.ts$/ }, () => ({
            contents: `export const VERSION = ${JSON.stringify(VERSION)};`,
          })),
      },
      {
        name: 'what the page needs, for no file lies beside one file',
        setup: ({ onLoad }) =>
          onLoad({ filter: /\/src\/web\/page\/asset-files\.ts$/ }, () => ({
            contents: `export const ASSET_FILES = ${JSON.stringify(ASSET_FILES)};`,
          })),
      },
    ],
  });
}
