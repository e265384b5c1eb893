/** The options of `npm run simulate`. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

const OPTIONS = {
  schedules: { type: 'string', default: '100' },
  seed: { type: 'string', default: '1' },
  intervals: { type: 'string', default: '100' },
  only: { type: 'string' },
  without: { type: 'string' },
  quiet: { type: 'boolean', default: false },
  mutants: { type: 'boolean', default: false },
  'keep-going': { type: 'boolean', default: false },
  'no-shrink': { type: 'boolean', default: false },
} as const;

/** Every seed of a run that begins with one of these is a 31-bit number, as chance is made from. */
const FRESH_SEEDS = 2 ** 30;

export interface Options {
  readonly schedules: number;
  /** That of the first schedule; the others have those that follow. `--seed fresh` makes one up. */
  readonly seed: number;
  readonly intervals: number;
  /** Numbers of happenings, as a shrunk story gives them. */
  readonly only: ReadonlySet<number> | undefined;
  /** Numbers of hosts that are left out, and whether what happens while a copy looks is left out too: as a shrunk story gives them. */
  readonly without: ReadonlySet<number> | undefined;
  readonly isQuiet: boolean;
  readonly mutants: boolean;
  /** One line for each schedule that breaks a rule, instead of the story of the first. */
  readonly keepsGoing: boolean;
  readonly shrinks: boolean;
}

/** Ends the process with 2 and a sentence when there is a mistake. */
export function readOptions(): Options {
  const { schedules, seed, intervals, only, without, quiet, mutants, ...flags } = parse();
  return {
    schedules: whole('schedules', schedules, 1),
    seed: seed === 'fresh' ? randomInt(FRESH_SEEDS) : whole('seed', seed),
    intervals: whole('intervals', intervals, 1),
    only: numbers('only', only),
    without: numbers('without', without),
    isQuiet: quiet,
    mutants,
    keepsGoing: flags['keep-going'],
    shrinks: !flags['no-shrink'],
  };
}

function numbers(option: 'only' | 'without', text: string | undefined): ReadonlySet<number> | undefined {
  if (text === undefined) return undefined;
  return new Set(text === '' ? [] : text.split(',').map((each) => whole(option, each)));
}

function parse() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    const [problem] = (error instanceof Error ? error.message : String(error)).split('\n');
    return end(`${problem}; the options are --${Object.keys(OPTIONS).join(', --')}`);
  }
}

function whole(option: keyof typeof OPTIONS, text: string, least = 0): number {
  const number = Number(text);
  const isWhole = text !== '' && Number.isSafeInteger(number) && number >= least;
  return isWhole
    ? number
    : end(
        `--${option}: "${text}" is not a whole number of ${least} or more${option === 'seed' ? ', nor is it "fresh"' : ''}`,
      );
}

function end(mistake: string): never {
  console.error(mistake);
  process.exit(2);
}
