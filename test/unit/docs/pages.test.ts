/** Every page: for whom it is, how long it is, where its links lead, who runs its commands, and that it is not stale. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { developerPages, operatorPages, ROOT, readDocument, staleDocuments } from '../../docs/documents.ts';

const PAGES = [...operatorPages(), ...developerPages()];
const PATHS = PAGES.map(({ path }) => path);
/** Pages that another page is a list of, or that are read on their own. */
const ENTRANCES = ['README.md', 'src/README.md', '.github/CONTRIBUTING.md'];
const MAX_LINES = 300;
const MAX_README_LINES = 200;
const MAX_SENTENCE_WORDS = 28;
/** What the style guide replaces. */
const OLD_TERMS = /\b(whoever|what is more|mass guard|at rest|bears?|asked anew|last look|is ours|spoken to)\b/i;

interface Link {
  /** From the top of the repository; empty for a link to the web. */
  readonly file: string;
  readonly anchor: string;
  readonly text: string;
}

/** The links and pictures of a page, but for those in code. */
function linksOf(path: string, text: string): Link[] {
  const prose = text.replaceAll(/```.*?```/gs, '').replaceAll(/`[^`\n]*`/g, 'code');
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)].map(
    ([, link, src]) => link ?? src ?? '',
  );
  return targets.map((target) => {
    const [file = '', anchor = ''] = target.split('#');
    const isWeb = /^https?:/.test(target);
    return { file: isWeb ? '' : file === '' ? path : normalize(join(dirname(path), file)), anchor, text: target };
  });
}

/** The anchors that GitHub gives the headings of a page. */
function anchorsOf(text: string): string[] {
  const headings = text.replaceAll(/```.*?```/gs, '').matchAll(/^#{1,4} (.+)$/gm);
  return [...headings].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

/** A page without code, generated parts and tags. */
function proseOf(text: string): string {
  return text
    .replaceAll(/^```.*?^```$/gms, '')
    .replaceAll(/^<!-- generated: .*?^<!-- end of generated -->/gms, '')
    .replaceAll(/^ {4}.*$/gm, '')
    .replaceAll(/<[^>\n]+>/g, '');
}

/** The sentences of paragraphs, entries of lists and cells of tables. */
function sentencesOf(prose: string): string[] {
  const blocks = prose.split(/\n\s*\n|\n(?=\s*(?:[-*|]|\d+\.) )| \| /);
  return blocks.flatMap((block) =>
    block
      .replaceAll(/`[^`]*`/g, 'code')
      .replaceAll(/\]\([^)]*\)/g, ']')
      .split(/(?<=[.!?:;]\**)\s+/)
      .map((sentence) => sentence.trim().replaceAll(/\s+/g, ' ')),
  );
}

/** The blocks of commands, each with the line before it. */
function commandBlocks(text: string): { readonly mark: string; readonly commands: string }[] {
  const blocks = text.matchAll(/(?:^(?<mark><!-- [^\n]* -->)\n)?^```(?:sh|console)\n(?<commands>.*?)^```$/gms);
  return [...blocks].map(({ groups }) => ({ mark: groups?.['mark'] ?? '', commands: groups?.['commands'] ?? '' }));
}

/** Pages whose every command is run by a test or said not to be. The runbook has commands for machines only, and says so itself. */
function isMarked(path: string): boolean {
  return path === 'README.md' || path.startsWith('deploy/docs/') || path === 'deploy/cluster/README.md';
}

describe.each(PAGES)('$path', ({ path, text }) => {
  it('says in its first line for whom it is', () => {
    expect(
      text
        .split('\n')
        .slice(1)
        .find((line) => line !== ''),
    ).toMatch(/^For (those|whoever|operators|developers|security)/);
  });

  it('is short enough to be read', () => {
    const limit = path === 'README.md' ? MAX_README_LINES : MAX_LINES;
    expect(text.split('\n').length - 1).toBeLessThanOrEqual(limit);
  });

  it('has short sentences, in the terms of the style guide', () => {
    const prose = proseOf(text);
    expect(sentencesOf(prose).filter((sentence) => sentence.split(' ').length > MAX_SENTENCE_WORDS)).toEqual([]);
    expect(OLD_TERMS.exec(prose)?.[0]).toBeUndefined();
  });

  it('has no link that leads nowhere', () => {
    const dead = linksOf(path, text).filter(({ file, anchor }) => {
      if (file === '') return false;
      if (!existsSync(new URL(file, ROOT))) return true;
      return anchor !== '' && file.endsWith('.md') && !anchorsOf(readDocument(file).text).includes(anchor);
    });
    expect(dead).toEqual([]);
  });

  it('has each block of commands run by a test that is there, or says that it is not run', () => {
    const generated = text.replaceAll(/^<!-- generated: .*?^<!-- end of generated -->/gms, '');
    const unmarked = isMarked(path) ? commandBlocks(generated) : [];
    for (const { mark, commands } of unmarked) {
      expect(mark, commands).toMatch(/^<!-- (run by test\/\S+|not run: .+) -->$/);
      const [, test] = /run by (\S+)/.exec(mark) ?? [];
      if (test !== undefined) expect(existsSync(new URL(test, ROOT)), test).toBe(true);
      else expect(text.toLowerCase()).toMatch(/no test runs|not run by a test/);
    }
  });

  it('names only scripts, files and folders that are there', () => {
    const { scripts } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));
    const named = [...text.matchAll(/npm run ([\w:-]*\w)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
    const prose = text.replaceAll(/\]\([^)]*\)|(?:src|srcset)="[^"]*"/g, '').replaceAll(/https?:\S+/g, '');
    const paths = [...prose.matchAll(/(?<![\w./-])((?:\.ci|src|test|deploy)\/[\w./-]*\w)/g)].map(
      ([, found = '']) => found,
    );
    expect(paths.filter((found) => !existsSync(new URL(found, ROOT)))).toEqual([]);
  });
});

describe('the pages', () => {
  it('are each linked from another page', () => {
    const linked = new Set(
      PAGES.flatMap(({ path, text }) => linksOf(path, text).flatMap(({ file }) => (file === path ? [] : [file]))),
    );
    expect(PATHS.filter((path) => !linked.has(path) && !ENTRANCES.includes(path))).toEqual([]);
  });

  it('link to the web only over https', () => {
    const plain = PAGES.flatMap(({ path, text }) => linksOf(path, text)).filter(({ text }) => text.startsWith('http:'));
    expect(plain).toEqual([]);
  });

  it('have generated parts that are what the program says; npm run docs writes them', async () => {
    expect((await staleDocuments()).map(({ path }) => path)).toEqual([]);
  });
});
