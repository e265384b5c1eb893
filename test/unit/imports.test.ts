/** Which folder of the source may import which: read it as the floor plan. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const SOURCE = new URL('../../src/', import.meta.url);

/** Folders of one line know nothing of each other; each line may import the lines above it. */
const FLOORS: readonly (readonly string[])[] = [
  ['text', 'time', 'network'],
  ['credentials'],
  ['http'],
  ['fleet', 'kubelet', 'kubernetes'],
  ['reconcile', 'settings'],
  ['status'],
  ['log', 'metrics'],
  ['events', 'web'],
  ['daemon'],
  ['commands'],
];

/** The floors of the rules: what decides knows nothing of what asks and writes. */
const FLOORS_OF_RECONCILE: readonly (readonly string[])[] = [['evidence'], ['plan'], ['observe', 'apply']];

interface Import {
  readonly from: string;
  readonly to: string;
}

const importsOf = (file: string): readonly Import[] =>
  [...readFileSync(new URL(file, SOURCE), 'utf8').matchAll(/(?:from|import\() ?'(\.[^']+)'/g)].map(([, path = '']) => ({
    from: file,
    to: normalize(join(dirname(file), path)),
  }));

const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const imports = files.flatMap(importsOf);

const levelOf = (floors: readonly (readonly string[])[], folder: string) =>
  floors.findIndex((floor) => floor.includes(folder));

/** Imports between folders that do not go up. */
function wrongIn(floors: readonly (readonly string[])[], folderOf: (file: string) => string): readonly string[] {
  return imports
    .filter(({ from, to }) => folderOf(from) !== folderOf(to))
    .filter(
      ({ from, to }) =>
        levelOf(floors, folderOf(to)) < 0 || levelOf(floors, folderOf(to)) >= levelOf(floors, folderOf(from)),
    )
    .map(({ from, to }) => `${from} imports ${to}`);
}

describe('the source', () => {
  it('has main.ts, README.md and the folders of the floor plan at its top', () => {
    const top = readdirSync(SOURCE);
    expect(top.filter((name) => name !== 'main.ts' && name !== 'README.md').sort()).toEqual(FLOORS.flat().sort());
  });

  it('imports one way only', () => {
    const ofFolders = (file: string) => file.split('/')[0] ?? '';
    const above = imports.filter(({ from }) => from !== 'main.ts').length;
    expect(above).toBeGreaterThan(500);
    expect(wrongIn(FLOORS, ofFolders).filter((line) => !line.startsWith('main.ts'))).toEqual([]);
  });

  it('decides in reconcile without what asks and writes', () => {
    const inReconcile = (file: string) => /^reconcile\/(\w+)\//.exec(file)?.[1] ?? 'reconciler';
    const wrong = wrongIn(FLOORS_OF_RECONCILE, inReconcile);
    expect(wrong.filter((line) => /^reconcile\/\w+\/.* imports reconcile\/\w+\//.test(line))).toEqual([]);
  });

  it('has at most 15 files in a folder, each with a first line that says what it is for', () => {
    const sizes = new Map<string, number>();
    for (const file of files) sizes.set(dirname(file), (sizes.get(dirname(file)) ?? 0) + 1);
    expect([...sizes].filter(([, size]) => size > 15)).toEqual([]);
    const silent = files.filter(
      (file) =>
        !readFileSync(new URL(file, SOURCE), 'utf8')
          .replace(/^#!.*\n/, '')
          .startsWith('/**'),
    );
    expect(silent).toEqual([]);
  });

  it('has no file of more than 300 lines', () => {
    const long = files.filter((file) => readFileSync(new URL(file, SOURCE), 'utf8').split('\n').length > 301);
    expect(long).toEqual([]);
  });

  it('is told of in its README, folder by folder', () => {
    const readme = readFileSync(new URL('README.md', SOURCE), 'utf8');
    for (const folder of FLOORS.flat()) expect(readme).toContain(`| \`${folder}/\` |`);
    const named = [...readme.matchAll(/`((?:[\w-]+\/)+[\w-]+\.ts)`/g)].map(([, file]) => file);
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((file) => file !== undefined && !files.includes(file) && !file.startsWith('test/'))).toEqual(
      [],
    );
  });
});
