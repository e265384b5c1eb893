/**
 * `npm run mutate`: changes the plan in one small way after the other, and fails when no test notices a change that is not explained. Some files alone:
 * `npm run mutate -- plan/guard evidence/pair`.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
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
const MUTATED = (named.length > 0 ? named : PURE).map((name) => `src/reconcile/${name}.ts`);
const sources = new Map(MUTATED.map((file) => [file, readFileSync(file, 'utf8').split('\n')]));

type Mutant = Awaited<ReturnType<Stryker['runMutationTest']>>[number];

const stryker = new Stryker({
  mutate: MUTATED,
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
  htmlReporter: { fileName: 'build/mutation/report.html' },
});
const mutants = await stryker.runMutationTest();

const alive = mutants.filter(({ status }) => status === 'Survived' || status === 'NoCoverage');
const unexplained = alive.filter((mutant) => !SURVIVORS.some((known) => isOf(known, mutant)));
const outdated = SURVIVORS.filter(
  (known) => MUTATED.includes(known.file) && !alive.some((mutant) => isOf(known, mutant)),
);
for (const mutant of unexplained) {
  const { file, from, to } = changeOf(mutant);
  console.log(`\n${file}:${mutant.location.start.line} survives\n  - ${from}\n  + ${to}`);
}
for (const { file, from, to } of outdated)
  console.log(`\n${file} explained, but killed or gone\n  - ${from}\n  + ${to}`);
console.log(
  `\n${mutants.length} mutants: ${mutants.length - alive.length} killed, ${alive.length} survive, ${unexplained.length} of them unexplained`,
);
process.exit(unexplained.length + outdated.length > 0 ? 1 : 0);

/** The lines that a mutant is on, before and after. */
function changeOf({ fileName, location: { start, end }, replacement = '' }: Mutant): Change {
  const file = relative('.', fileName);
  const lines = sources.get(file)?.slice(start.line - 1, end.line) ?? [];
  const before = lines.at(0)?.slice(0, start.column - 1) ?? '';
  const after = lines.at(-1)?.slice(end.column - 1) ?? '';
  return { file, from: onOneLine(lines.join(' ')), to: onOneLine(before + replacement + after) };
}

function onOneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}

function isOf(known: Change, mutant: Mutant): boolean {
  const { file, from, to } = changeOf(mutant);
  return known.file === file && known.from === from && known.to === to;
}
