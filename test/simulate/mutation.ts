/** Plays schedules, then unit tests, against a copy of the program that has a mistake in it, until something is broken. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Edit, Mutant } from './mutant.ts';

export interface Trial {
  readonly mutant: Mutant;
  /** By what it was caught: a seed and the rule that was broken there, or a unit test; undefined when by nothing. */
  readonly caught: string | undefined;
}

const ROOT = new URL('../../', import.meta.url);
const TESTS = 'test/unit/reconcile';
const COPIES = new URL('build/mutants/', ROOT);
const PATIENCE_MS = 900_000;
/** Most mutants that schedules catch are caught by one of so many; unit tests are quicker than all schedules. */
const FIRST_SCHEDULES = 100;

/** `number` tells its copy from the others. Throws when an edit does not fit the source, or the copy does not run. */
export async function trial(mutant: Mutant, number: number, schedules: number, intervals: number): Promise<Trial> {
  const copy = new URL(`${number}/`, COPIES);
  await rm(copy, { recursive: true, force: true });
  const wanted = ['src/', 'test/', 'vitest.config.ts', 'package.json', 'tsconfig.json'];
  for (const path of wanted) await cp(new URL(path, ROOT), new URL(path, copy), { recursive: true });
  for (const edit of mutant.edits) {
    const file = new URL(edit.file, copy);
    await writeFile(file, edited(await readFile(file, 'utf8'), edit));
  }
  const few = Math.min(schedules, FIRST_SCHEDULES);
  const caught =
    (await simulated(mutant, copy, { first: 1, schedules: few, intervals })) ??
    (await tested(mutant, copy)) ??
    (await simulated(mutant, copy, { first: few + 1, schedules: schedules - few, intervals }));
  await rm(copy, { recursive: true, force: true });
  return { mutant, caught };
}

/** The text with the edit in it. Throws when what it replaces does not stand there exactly once. */
export function edited(text: string, { file, from, to }: Edit): string {
  const [before, after, ...more] = text.split(from);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`${file} has this ${more.length === 0 ? 'nowhere' : 'more than once'}: ${from}`);
  }
  return before + to + after;
}

async function simulated(
  { isSeenByTests, mistake }: Mutant,
  copy: URL,
  { first, schedules, intervals }: { first: number; schedules: number; intervals: number },
): Promise<string | undefined> {
  if (isSeenByTests === true || schedules <= 0) return undefined;
  const program = fileURLToPath(new URL('test/simulate/simulate.ts', copy));
  const numbers = ['--schedules', String(schedules), '--intervals', String(intervals), '--seed', String(first)];
  const options = [...numbers, '--no-shrink'];
  const { code, output } = await run(['--import', 'tsx', program, ...options], copy);
  if (code === 0) return undefined;
  const seed = /--seed (\d+)/.exec(output)?.[1];
  const rule = /BROKEN (.*)$/m.exec(output)?.[1];
  const never = /^These never occurred.*$/m.exec(output)?.[0];
  if (seed === undefined && never === undefined) throw new Error(`"${mistake}" does not run:\n${output.slice(-2_000)}`);
  return never ?? `seed ${seed}: ${rule ?? 'it does not end as it should'}`;
}

/** What truth cannot see, numbers above all, the unit tests of `reconcile` do: those of the changed files first, which are quick. */
async function tested({ mistake, edits }: Mutant, copy: URL): Promise<string | undefined> {
  const vitest = fileURLToPath(new URL('node_modules/vitest/vitest.mjs', ROOT));
  const own = new Set(edits.map(({ file }) => file.replace(/^src\/(.*)\.ts$/, 'test/unit/$1.test.ts')));
  const quick = [...own].filter((file) => existsSync(new URL(file, copy)));
  for (const files of quick.length > 0 ? [quick, [TESTS]] : [[TESTS]]) {
    const { code, output } = await run([vitest, 'run', '--bail=1', '--root', fileURLToPath(copy), ...files], copy);
    if (code === 0) continue;
    const test = /FAIL {2}(.*)/.exec(output)?.[1];
    if (test === undefined) throw new Error(`"${mistake}" cannot be tested:\n${output.slice(-2_000)}`);
    return `unit test: ${test}`;
  }
  return undefined;
}

function run(args: readonly string[], cwd: URL): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { cwd, timeout: PATIENCE_MS, maxBuffer: 64 * 1024 * 1024, env: { ...process.env, NO_COLOR: '1' } },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, output: `${stdout}\n${stderr}` });
      },
    );
  });
}
