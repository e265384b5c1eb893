import { describe, expect, it, onTestFinished } from 'vitest';
import { forEach, inTurns, mapEach, type Steps } from '../../../src/time/steps.ts';

/** Counts the turns of the event loop. */
function countTurns(): () => number {
  let turn = 0;
  const count = () => {
    turn += 1;
    next = setImmediate(count);
  };
  let next = setImmediate(count);
  onTestFinished(() => clearImmediate(next));
  return () => turn;
}

describe('steps in turns of the event loop', () => {
  it('are taken one computation a turn, in turn', async () => {
    const turnOf = countTurns();
    const taken: { readonly name: string; readonly turn: number }[] = [];
    function* threeSteps(name: string): Steps<string> {
      for (let step = 0; step < 3; step += 1) {
        taken.push({ name, turn: turnOf() });
        yield;
      }
      return name;
    }
    expect(await Promise.all(['a', 'b'].map((name) => inTurns(threeSteps(name), 0)))).toEqual(['a', 'b']);
    expect(taken.map(({ name }) => name).join('')).toBe('ababab');
    expect(new Set(taken.map(({ turn }) => turn)).size).toBe(6);
  });

  it('are taken in one turn where there is time', async () => {
    const turnOf = countTurns();
    const turns = new Set<number>();
    const result = await inTurns(
      mapEach(Array(1_000).fill(1), () => turns.add(turnOf()).size),
      Number.POSITIVE_INFINITY,
    );
    expect(result.at(-1)).toBe(1);
  });

  it('end with the error of one, and the next computation goes on', async () => {
    const failing = inTurns(
      forEach([1], () => {
        throw new Error('broken');
      }),
    );
    const good = inTurns(mapEach([1, 2], (number) => number * 2));
    await expect(failing).rejects.toThrow('broken');
    expect(await good).toEqual([2, 4]);
  });

  it('have a hundred items each', () => {
    let acted = 0;
    const steps = forEach(Array(250), () => {
      acted += 1;
    });
    const after: number[] = [];
    while (steps.next().done !== true) after.push(acted);
    expect([...after, acted]).toEqual([100, 200, 250]);
  });
});
