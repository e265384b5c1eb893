/** What status and explain say to a name that nothing has. */
import { describe, expect, it } from 'vitest';
import { unknownText } from '../../../../src/commands/status/show.ts';
import { aNode, aPastAction, aStatus } from '../../status/status-sketch.ts';

describe('a name that nothing has', () => {
  const status = aStatus({
    nodes: [aNode({ name: 'core-1' })],
    history: [
      aPastAction({ kind: 'deregister', node: 'core-2', machine: 'abc', reason: 'machine-gone: missing from fleet' }),
    ],
  });
  const wasDeregistered = 'node core-2 was deregistered at 2026-01-02T00:05:00.000Z: machine-gone: missing from fleet';

  it.each([
    ['held', 'no machine or node matches "held"; it is a verdict: kube-register status --verdict held'],
    ['core-2', `no machine or node matches "core-2": ${wasDeregistered}`],
    ['abc', `no machine or node matches "abc": ${wasDeregistered}`],
    ['core-7', 'no machine or node matches "core-7"; did you mean core-1?'],
  ])('%s', (name, text) => {
    expect(unknownText(status, name)).toBe(text);
  });
});
