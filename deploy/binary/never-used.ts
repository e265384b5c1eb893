/** Keeps out of the memory of the bundled program what its packages load and it never uses. `test/README.md` has what each part costs. */
import { readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { constants } from 'node:zlib';
import type { Plugin } from 'esbuild';

/** What stands for a module when a package imports it, as CommonJS. */
const INSTEAD: Readonly<Record<string, string>> = {
  // Of axios, for forms; none is ever sent. It brings the table of MIME types.
  'form-data': 'module.exports = class FormData {};',
  // Of axios, for redirects and proxies; none is followed, and none is used.
  'follow-redirects': 'module.exports = {};',
  'https-proxy-agent': 'module.exports = class HttpsProxyAgent {};',
  // Of pino, for logs written by another thread; there is none.
  'thread-stream': 'module.exports = class ThreadStream {};',
  // Of prom-client, for exemplars, which are off.
  '@opentelemetry/api': 'module.exports = {};',
  // Of axios, for HTTP/2, which is off.
  http2: "module.exports = new Proxy({}, { get: (_, name) => require('node:http2')[name] });",
  // Of axios, which asks for no compression and reads the names below when it is loaded; of prom-client's client of a push gateway.
  zlib: `const later = (name) => (...given) => require('node:zlib')[name](...given);
    module.exports = {
      constants: ${JSON.stringify(constants)},
      createUnzip: later('createUnzip'),
      createBrotliDecompress: later('createBrotliDecompress'),
      gzipSync: later('gzipSync'),
    };`,
};

const BUILTIN = new Set(builtinModules);
const IN_PACKAGE = /[\\/]node_modules[\\/]/;

export const neverUsed: Plugin = {
  name: 'what is never used',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^(?:${Object.keys(INSTEAD).join('|')})$`) }, ({ path, importer }) =>
      IN_PACKAGE.test(importer) ? { path, namespace: 'instead' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'instead' }, ({ path }) => ({ contents: INSTEAD[path] ?? '' }));
  },
};

/**
 * Turns imports of Node's modules into calls of `require`. To import one as an ES module reads all its properties once, and those of `node:http` load
 * WebSocket with all of undici, HTTP/2 and zlib: 10 MiB.
 */
export const builtinsRequired: Plugin = {
  name: "Node's modules are required, not imported",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(?:node:)?[a-z0-9_/]+$/ }, ({ path, kind, namespace }) => {
      const name = path.replace(/^node:/, '');
      if (kind !== 'import-statement' || namespace === 'builtin' || !BUILTIN.has(name)) return undefined;
      return { path: name, namespace: 'builtin' };
    });
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require('node:${path}');`,
    }));
  },
};

/** What node-cron asks of Intl.DateTimeFormat, for UTC alone, which is the time zone of all schedules. `utc-format.ts` stands for it: 7 MiB. */
const FORMAT = 'new Intl.DateTimeFormat(';

export const cronWithoutIntl: Plugin = {
  name: 'node-cron formats UTC without ICU',
  setup({ onLoad }) {
    onLoad({ filter: /\/node-cron\/dist\/_shared\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      if (source.split(FORMAT).length !== 3)
        throw new Error('node-cron formats times otherwise than it did: see utc-format.ts');
      const file = JSON.stringify(new URL('./utc-format.ts', import.meta.url).pathname);
      return { contents: `import { UtcFormat } from ${file};\n${source.replaceAll(FORMAT, 'new UtcFormat(')}` };
    });
  },
};
