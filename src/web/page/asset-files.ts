/** Reads the files that the page loads. `deploy/binary/bundle.ts` puts their contents into the single-file build. */
import { readFileSync } from 'node:fs';

/** In the order in which the browser reads them: later rules win, and `start.js` has the variables of the others. */
const STYLES = ['base', 'top', 'table', 'details', 'narrow'];
const SCRIPTS = ['start', 'table', 'choice', 'details', 'keys', 'times', 'live', 'helpers'];

export const ASSET_FILES = {
  'page.css': STYLES.map((name) => read(`style/${name}.css`)).join('\n'),
  'page.js': SCRIPTS.map((name) => read(`script/${name}.js`)).join('\n'),
  'icon.svg': read('icon.svg'),
};

function read(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}
