/** Plays schedules against a copy of the program that has a mistake in it, until a rule is broken. */
import { execFile } from 'node:child_process';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Edit, Mutant } from './mutants.ts';

export interface Trial {
  readonly mutant: Mutant;
  /** The seed of the schedule that caught it, and the rule that was broken there; undefined when none did. */
  readonly caught: { readonly seed: number; readonly rule: string } | undefined;
}

const ROOT = new URL('../../', import.meta.url);
const COPIES = new URL('build/mutants/', ROOT);
const PATIENCE_MS = 300_000;

/** `number` tells its copy from the others. Throws when an edit does not fit the source, or the copy does not run. */
export async function trial(mutant: Mutant, number: number, schedules: number, intervals: number): Promise<Trial> {
  const copy = new URL(`${number}/`, COPIES);
  await rm(copy, { recursive: true, force: true });
  for (const folder of ['src/', 'test/simulate/'])
    await cp(new URL(folder, ROOT), new URL(folder, copy), { recursive: true });
  for (const edit of mutant.edits) {
    const file = new URL(edit.file, copy);
    await writeFile(file, edited(await readFile(file, 'utf8'), edit));
  }
  const { code, output } = await simulate(new URL('test/simulate/simulate.ts', copy), schedules, intervals);
  await rm(copy, { recursive: true, force: true });
  if (code === 0) return { mutant, caught: undefined };
  const seed = /--seed (\d+)/.exec(output)?.[1];
  const rule = /^ {2}DESIGN (.*)$/m.exec(output)?.[1] ?? 'it does not end as it should';
  if (seed === undefined) throw new Error(`"${mutant.mistake}" does not run:\n${output.slice(-2_000)}`);
  return { mutant, caught: { seed: Number(seed), rule } };
}

/** The text with the edit in it. Throws when what it replaces does not stand there exactly once. */
export function edited(text: string, { file, from, to }: Edit): string {
  const [before, after, ...more] = text.split(from);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`${file} has this ${more.length === 0 ? 'nowhere' : 'more than once'}: ${from}`);
  }
  return before + to + after;
}

function simulate(program: URL, schedules: number, intervals: number): Promise<{ code: number; output: string }> {
  const args = ['--import', 'tsx', fileURLToPath(program), '--seed', '1', '--no-shrink'];
  const wanted = ['--schedules', String(schedules), '--intervals', String(intervals)];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...args, ...wanted],
      { timeout: PATIENCE_MS, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, output: `${stdout}\n${stderr}` });
      },
    );
  });
}
