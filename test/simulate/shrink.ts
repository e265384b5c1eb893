/** Makes the story of a broken rule short: leaves out what happened, and hosts, as long as the same rule is broken without it. */
import { BrokenRule } from './findings.ts';
import { type Ending, type Play, play } from './schedule.ts';

export interface Shrunk {
  readonly ending: Ending;
  readonly intervals: number;
  readonly only: ReadonlySet<number>;
  readonly without: ReadonlySet<number>;
  readonly isQuiet: boolean;
}

/** Plays with three hours of calm take seconds: after so many the story is short enough. */
const TRIES = 150;

/** `broken` is how the whole schedule ended. */
export async function shrink(broken: Ending, played: Omit<Play, 'only' | 'without' | 'isQuiet'>): Promise<Shrunk> {
  const rule = ruleOf(broken);
  const everything = new Set(Array.from({ length: broken.happenings }, (_each, number) => number));
  const { intervals } = played;
  let shrunk: Shrunk = { ending: broken, intervals, only: everything, without: new Set(), isQuiet: false };
  let tries = 0;
  const tryOut = async (shorter: Partial<Omit<Shrunk, 'ending'>>): Promise<boolean> => {
    const isTheSame = shorter.only?.size === shrunk.only.size || shorter.without?.size === shrunk.without.size;
    if (isTheSame || tries === TRIES) return false;
    tries += 1;
    const { ending: _, ...before } = shrunk;
    const ending = await play({ ...played, ...before, ...shorter });
    const isSame = ending.broken !== undefined && ruleOf(ending) === rule;
    if (isSame) shrunk = { ...before, ...shorter, ending };
    return isSame;
  };

  await tryOut({ isQuiet: true });
  while (shrunk.intervals > 1 && (await tryOut({ intervals: Math.floor(shrunk.intervals / 2) })));
  // With fewer hosts everything else is quicker to try.
  const hosts = new Set(Array.from({ length: broken.firstHosts }, (_each, number) => number + 1));
  await leaveOut(hosts, async (some) => tryOut({ without: new Set([...shrunk.without, ...some]) }));
  await leaveOut(everything, async (some) => tryOut({ only: difference(shrunk.only, some) }));
  await leaveOut(hosts, async (some) => tryOut({ without: new Set([...shrunk.without, ...some]) }));
  return shrunk;
}

/** What is left out together becomes smaller: half of all, a quarter, one. */
async function leaveOut(all: ReadonlySet<number>, tryWithout: (some: readonly number[]) => Promise<boolean>) {
  const numbers = [...all];
  for (let size = Math.ceil(numbers.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let first = 0; first < numbers.length; first += size) await tryWithout(numbers.slice(first, first + size));
  }
}

function difference(all: ReadonlySet<number>, some: readonly number[]): ReadonlySet<number> {
  return new Set([...all].filter((each) => !some.includes(each)));
}

function ruleOf({ broken }: Ending): string {
  return broken instanceof BrokenRule ? broken.rule : (broken?.name ?? '');
}
