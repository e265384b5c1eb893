/** Every document of the project, and which of them are stale. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fill, partsOf } from './markdown.ts';
import { PICTURES } from './pictures.ts';
import { tableWriters } from './tables.ts';
import { timeless } from './transcripts.ts';

export const ROOT = new URL('../../', import.meta.url);

/** A file of the repository. */
export interface Document {
  /** From the top of the repository. */
  readonly path: string;
  readonly url: URL;
  readonly text: string;
}

/** What commands print, by the names of the transcripts. */
export type Transcripts = Readonly<Record<string, string>>;

const TRANSCRIPT = /^transcript /;

/** The page at this path, from the top of the repository. */
export function readDocument(path: string): Document {
  const url = new URL(path, ROOT);
  return { path, url, text: readFileSync(url, 'utf8') };
}

/** The pages for operators: README.md and all below deploy/. */
export function operatorPages(): Document[] {
  const below = readdirSync(new URL('deploy/', ROOT), { recursive: true, encoding: 'utf8' });
  const pages = below.filter((file) => file.endsWith('.md')).sort();
  return ['README.md', ...pages.map((page) => `deploy/${page}`)].map(readDocument);
}

/** The pages for developers. */
export function developerPages(): Document[] {
  const below = readdirSync(new URL('test/', ROOT)).map((folder) => `test/${folder}/README.md`);
  const pages = ['src/README.md', 'test/README.md', ...below, '.github/CONTRIBUTING.md'];
  return pages.filter((path) => existsSync(new URL(path, ROOT))).map(readDocument);
}

/**
 * The documents whose generated parts are not what they should be, each with the text that it should have. Without transcripts
 * these are taken for right; times and durations in them may differ.
 */
export async function staleDocuments(transcripts?: Transcripts): Promise<Document[]> {
  const writers = await tableWriters();
  const write = (part: string, old: string) => {
    if (!TRANSCRIPT.test(part)) return writers[part]?.();
    const fresh = transcripts === undefined ? old : transcripts[part.replace(TRANSCRIPT, '')];
    return fresh === undefined || timeless(fresh) === timeless(old) ? fresh && old : fresh;
  };
  const pages = [...operatorPages(), ...developerPages()].filter(({ text }) => partsOf(text).length > 0);
  const filled = pages.map((page) => ({ ...page, right: fill(page.text, write) }));
  return [...filled, ...pictures()]
    .filter(({ text, right }) => text !== right)
    .map(({ path, url, right }) => ({ path, url, text: right }));
}

function pictures(): (Document & { readonly right: string })[] {
  return Object.entries(PICTURES).map(([name, draw]) => {
    const path = `deploy/docs/pictures/${name}.svg`;
    const url = new URL(path, ROOT);
    return { path, url, text: existsSync(url) ? readFileSync(url, 'utf8') : '', right: draw() };
  });
}
