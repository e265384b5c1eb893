/** The figures of a pass. */
import { expect, it } from 'vitest';
import type { Note } from '../../../src/reconcile/plan/note.ts';
import { countPass } from '../../../src/status/counts.ts';
import { goodPass } from './pass-report.ts';

it('count what others have undone, and no other note', () => {
  const { observation, plan } = goodPass({}).seen;
  const note = (kind: Note['kind'], key: string): Note => ({ kind, key, text: 'so' });
  const notes = [note('undone', 'a'), note('takeover', 'b'), note('undone', 'c')];
  expect(countPass(observation, { ...plan, notes }).undone).toBe(2);
  expect(countPass(observation, plan).undone).toBe(0);
});
