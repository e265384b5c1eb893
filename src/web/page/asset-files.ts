/** The asset files, read from beside this file; `deploy/binary/build.ts` puts them into the single file. */
import { readFileSync } from 'node:fs';

export const ASSET_FILES = { 'page.css': read('page.css'), 'page.js': read('page.js'), 'icon.svg': read('icon.svg') };

function read(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}
