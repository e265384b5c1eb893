/** Bundles the program and all that it imports into ES modules: for the tarball, the image, the single file, and for the tests. */
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { MANIFEST_FILES } from '../../src/commands/cli/manifest-files.ts';
import { VERSION } from '../../src/daemon/version.ts';
import { ASSET_FILES } from '../../src/web/page/asset-files.ts';
import { builtinsRequired, cronWithoutIntl, neverUsed } from './never-used.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The bundle ends in `.mjs`: no package.json beside it says that it is an ES module. */
export type BundleTarget =
  /** One file. */
  | { readonly outfile: string }
  /** A folder: `kube-register.mjs`, and a file beside it for each part that the program loads only when it needs it. */
  | { readonly outdir: string };

/** Writes the program there. Resolves with the folders of the packages that are in it, relative to the repository, in order. */
export async function bundleProgram(target: BundleTarget): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { 'kube-register': 'src/main.ts' },
    ...('outfile' in target
      ? target
      : { ...target, splitting: true, chunkNames: 'part-[hash]', outExtension: { '.js': '.mjs' } }),
    bundle: true,
    metafile: true,
    // Without shorter names: a stack trace stays readable, and nothing that is measured gets better by them.
    minifyWhitespace: true,
    minifySyntax: true,
    // Node prints the line that threw what nothing caught.
    lineLimit: 120,
    // The tarball and the image have the licenses as files of their own.
    legalComments: 'none',
    platform: 'node',
    target: 'node20.20',
    // ES modules, for main.ts awaits at its top level.
    format: 'esm',
    // pino and others are CommonJS and require Node's own modules, which an ES module cannot without this.
    banner: {
      js: "import { createRequire as requireFor } from 'node:module';\nconst require = requireFor(import.meta.url);",
    },
    plugins: [
      neverUsed,
      builtinsRequired,
      cronWithoutIntl,
      // No package.json, no folder deploy and no file of the page lies beside one file.
      inlined(/\/src\/daemon\/version\.ts$/, { VERSION }),
      inlined(/\/src\/commands\/cli\/manifest-files\.ts$/, { MANIFEST_FILES }),
      inlined(/\/src\/web\/page\/asset-files\.ts$/, { ASSET_FILES }),
    ],
  });
  const folders = Object.values(metafile.outputs)
    .flatMap(({ inputs }) => Object.keys(inputs))
    .flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []);
  return [...new Set(folders)].toSorted();
}

/** Puts these values, the exports of a module, in the place of its code, which reads files. */
function inlined(filter: RegExp, values: Readonly<Record<string, unknown>>): Plugin {
  const contents = Object.entries(values).map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`);
  return {
    name: `the values of ${filter.source}`,
    setup: ({ onLoad }) => onLoad({ filter }, () => ({ contents: contents.join('\n') })),
  };
}
