/**
 * `npm run mutate`: changes the plan in one small way after the other, and fails when no test notices a change that is not explained. Some files alone:
 * `npm run mutate -- plan/guard evidence/pair`.
 */
import { readFileSync } from 'node:fs';
import { Stryker } from '@stryker-mutator/core';
import type { Change } from './change.ts';
import { SURVIVORS } from './survivors.ts';

/** What a pass decides with: pure, and tested by tests that take no time. */
const PURE = [
  'evidence/machines',
  'evidence/marks',
  'evidence/node',
  'evidence/pair',
  'evidence/endpoints',
  'evidence/liveness',
  'plan/memory/changes',
  'plan/memory/graces',
  'plan/memory/memory',
  'plan/memory/writes',
  'plan/labels',
  'plan/action',
  'plan/guard',
  'plan/alternations',
  'plan/obstacles',
  'plan/registration',
  'plan/upkeep',
  'plan/kept',
  'plan/dead',
  'plan/deregistration',
  'plan/plan',
];
const named = process.argv.slice(2);
const unknown = named.filter((name) => !PURE.includes(name));
if (unknown.length > 0) {
  console.error(`no such file: ${unknown.join(', ')}; the files are ${PURE.join(', ')}`);
  process.exit(2);
}

type Mutant = Awaited<ReturnType<Stryker['runMutationTest']>>[number];

let problems = 0;
for (const name of named.length > 0 ? named : PURE) problems += await play(name);
process.exit(problems > 0 ? 1 : 0);

/**
 * Plays the mutants of one file, and says which survive without an explanation; gives how many, with those that are explained in vain. One file
 * after the other: what Stryker has prepared for its mutants is several times slower.
 */
async function play(name: string): Promise<number> {
  const file = `src/reconcile/${name}.ts`;
  const source = readFileSync(file, 'utf8').split('\n');
  const stryker = new Stryker({
    mutate: [file],
    plugins: [import.meta.resolve('@stryker-mutator/vitest-runner')],
    testRunner: 'vitest',
    vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
    coverageAnalysis: 'perTest',
    // The program and its tests are copied to a sandbox; tsconfig.json stays behind, for Stryker cannot read it with TypeScript 7.
    ignorePatterns: ['/*', '!/src', '!/test', '/test/recordings', '!/package.json'],
    tempDirName: 'build/mutation/sandbox',
    concurrency: 2,
    // On a busy machine a test that only takes long must not be taken for one that never ends.
    timeoutMS: 30_000,
    reporters: ['dots', 'html'],
    htmlReporter: { fileName: `build/mutation/${name}.html` },
  });
  const changes = (await stryker.runMutationTest()).map((mutant) => ({ mutant, ...changeOf(mutant, file, source) }));

  const alive = changes.filter(({ mutant: { status } }) => status === 'Survived' || status === 'NoCoverage');
  const unexplained = alive.filter((change) => !SURVIVORS.some((known) => isSame(known, change)));
  const outdated = SURVIVORS.filter((known) => known.file === file && !alive.some((change) => isSame(known, change)));
  for (const { from, to, mutant } of unexplained) {
    console.log(`\n${file}:${mutant.location.start.line} survives\n  - ${from}\n  + ${to}`);
  }
  for (const { from, to } of outdated) console.log(`\n${file} explained, but killed or gone\n  - ${from}\n  + ${to}`);
  console.log(
    `\n${file}: ${changes.length} mutants, ${changes.length - alive.length} killed, ${alive.length} survive, ${unexplained.length} of them unexplained`,
  );
  return unexplained.length + outdated.length;
}

/** The lines that a mutant is on, before and after. */
function changeOf(
  { location: { start, end }, replacement = '' }: Mutant,
  file: string,
  source: readonly string[],
): Change {
  const lines = source.slice(start.line - 1, end.line);
  const before = lines.at(0)?.slice(0, start.column - 1) ?? '';
  const after = lines.at(-1)?.slice(end.column - 1) ?? '';
  return { file, from: onOneLine(lines.join(' ')), to: onOneLine(before + replacement + after) };
}

function onOneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}

function isSame(one: Change, other: Change): boolean {
  return one.file === other.file && one.from === other.from && one.to === other.to;
}
