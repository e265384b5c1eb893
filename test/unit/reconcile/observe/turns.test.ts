/** Large passes make way for the event loop; small ones are over at once. */
import { describe, expect, it } from 'vitest';
import { inTurnsIfLarge } from '../../../../src/reconcile/observe/turns.ts';
import type { Steps } from '../../../../src/time/steps.ts';

/** What happened, with the turns of the event loop between three steps. */
async function courseOf(size: number): Promise<readonly string[]> {
  const course: string[] = [];
  const lists = { machines: new Map(), nodes: Array(size) };
  function* steps(): Steps<string> {
    course.push('one');
    yield;
    course.push('two');
    yield;
    return 'three';
  }
  let isOver = false;
  const turn = () => {
    if (isOver) return;
    course.push('turn');
    setImmediate(turn);
  };
  setImmediate(turn);
  course.push(await inTurnsIfLarge(lists, steps(), 0));
  isOver = true;
  return course;
}

describe('the steps of a pass', () => {
  it('are taken at once where the cluster is small', async () => {
    expect(await courseOf(2_000)).toEqual(['one', 'two', 'three']);
  });

  it('leave turns to others where it is large', async () => {
    expect(await courseOf(2_001)).toEqual(['turn', 'one', 'turn', 'two', 'turn', 'three']);
  });
});
