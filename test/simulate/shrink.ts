/** Makes the story of a broken rule short: leaves out what happened, as long as the same rule is broken without it. */
import { BrokenRule } from './findings.ts';
import { type Ending, type Play, play } from './schedule.ts';

export interface Shrunk {
  readonly ending: Ending;
  readonly intervals: number;
  readonly only: ReadonlySet<number>;
}

/** `broken` is how the whole schedule ended. */
export async function shrink(broken: Ending, played: Omit<Play, 'only'>): Promise<Shrunk> {
  const rule = ruleOf(broken);
  const all = Array.from({ length: broken.happenings }, (_each, number) => number);
  let shrunk: Shrunk = { ending: broken, intervals: played.intervals, only: new Set(all) };
  const tryOut = async (shorter: Omit<Shrunk, 'ending'>): Promise<boolean> => {
    const ending = await play({ ...played, ...shorter });
    const isSame = ending.broken !== undefined && ruleOf(ending) === rule;
    if (!isSame || ending.story.length > shrunk.ending.story.length) return false;
    shrunk = { ending, ...shorter };
    return true;
  };

  while (shrunk.intervals > 1 && (await tryOut({ ...shrunk, intervals: Math.floor(shrunk.intervals / 2) })));
  // What is left out together becomes smaller: half of all, a quarter, one.
  for (let size = Math.ceil(all.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let first = 0; first < all.length; first += size) {
      const left = [...shrunk.only].filter((number) => number < first || number >= first + size);
      if (left.length < shrunk.only.size) await tryOut({ intervals: shrunk.intervals, only: new Set(left) });
    }
  }
  return shrunk;
}

function ruleOf({ broken }: Ending): string {
  return broken instanceof BrokenRule ? broken.rule : (broken?.name ?? '');
}
