/** Many Events of one pass become few, and no node is lost. */
import { expect, it } from 'vitest';
import { combineSimilar, type EventContent } from '../../../src/events/similar-events.ts';

const events = (
  count: number,
  nameOf = (index: number) => `10.0.0.${index}`,
  reason: EventContent['reason'] = 'Registered',
) => Array.from({ length: count }, (_, index): EventContent => ({ reason, node: nameOf(index), message: `m${index}` }));
const sum = (all: readonly EventContent[]) => all.reduce((total, { count = 1 }) => total + count, 0);

it('leaves a hundred of a reason as they are, whatever there is of another', () => {
  const few = [...events(100), ...events(100, undefined, 'Adopted')];
  expect(combineSimilar(few)).toEqual(few);
});

it('combines 5,000 to fewer than a hundred, each of which names its nodes within the length of a message', () => {
  const combined = combineSimilar(events(5_000));
  expect(combined.length).toBeLessThan(100);
  expect(sum(combined)).toBe(5_000);
  for (const { message } of combined) expect(message.length).toBeLessThanOrEqual(1_024);
  const named = combined.flatMap(({ message }) => message.replace(/^.*nodes: /, '').split(', '));
  expect(named).toEqual(events(5_000).map(({ node }) => node));
  expect(combined[0]).toMatchObject({
    node: '10.0.0.0',
    message: expect.stringMatching(/^\(combined from similar events\): registered \d+ nodes: 10\.0\.0\.0, /),
  });
});

it('writes few Events also for the longest names, and counts the nodes that none names', () => {
  const combined = combineSimilar(events(5_000, (index) => String(index).padStart(253, 'n')));
  expect(combined).toHaveLength(200);
  expect(sum(combined)).toBe(5_000);
  expect(combined.at(-1)?.message).toMatch(/, and 4\d\d\d more$/);
  for (const { message } of combined) expect(message.length).toBeLessThanOrEqual(1_024);
});
