/** What status and explain say to a name that nothing has. */
import { describe, expect, it } from 'vitest';
import { unknownText } from '../../../../src/commands/status/show.ts';
import { aNode, aStatus } from '../../status/status-sketch.ts';

describe('a name that nothing has', () => {
  const status = aStatus({ nodes: [aNode({ name: 'core-1' })] });

  it.each([
    ['held', 'no machine or node matches "held"; it is a verdict: kube-register status --verdict held'],
    ['core-7', 'no machine or node matches "core-7"; did you mean core-1?'],
  ])('%s', (name, text) => {
    expect(unknownText(status, name)).toBe(text);
  });
});
