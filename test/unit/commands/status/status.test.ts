/** The text of `status`: in a window it fits, and says how much it leaves out. */
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { NO_FILTER, shownRows } from '../../../../src/commands/status/filter.ts';
import { statusLines } from '../../../../src/commands/status/status.ts';
import { type Size, Terminal } from '../../../../src/commands/terminal/terminal.ts';
import { aNode, aStatus } from '../../status/status-sketch.ts';

const stream = new Writable();
const terminal = new Terminal({ stdout: stream, stderr: stream, env: {} });
const dying = ['in-grace', 'in-grace', 'in-grace', 'in-grace', 'in-grace'];
const nodes = ['foreign', 'keep', 'keep', 'foreign', 'orphan', 'keep', ...dying].map((verdict, at) =>
  aNode({ name: `node-${at}`, verdict, warning: at === 0, addresses: [`10.0.0.${at}`] }),
);
const status = aStatus({ nodes });

function text(window: Size | undefined, filter = NO_FILTER): readonly string[] {
  const view = { shown: shownRows(status, filter), filter, isWide: false, window };
  return statusLines(status, { daemon: 'http://127.0.0.1:10271' }, view, terminal);
}

describe('the text of a status', () => {
  it('has every row where there is no window', () => {
    expect(text(undefined).filter((line) => line.startsWith('node-'))).toHaveLength(nodes.length);
  });

  it('counts the rows that a window has no room for, by verdict, that of the most urgent row first', () => {
    const lines = text({ columns: 100, rows: 10 });
    expect(lines.length).toBeLessThanOrEqual(10);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
    expect(lines.find((line) => line.startsWith('node-'))).toContain('in-grace');
    expect(lines.at(-1)).toBe('... 6 more: 2 foreign, 1 orphan, 3 keep');
  });

  it('says what it was filtered by, and of how many rows', () => {
    const filter = { ...NO_FILTER, verdicts: ['keep'] };
    expect(text(undefined, filter)).toContain('shown       --verdict keep: 3 of 11 rows');
    expect(text(undefined, { ...NO_FILTER, verdicts: ['held'] }).at(-1)).toBe('No row matches --verdict held.');
  });
});
