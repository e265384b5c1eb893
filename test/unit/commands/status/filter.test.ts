/** Which rows the flags of `status` leave. */
import { describe, expect, it } from 'vitest';
import { filterText, NO_FILTER, shownRows, statusOf } from '../../../../src/commands/status/filter.ts';
import { parseSelector } from '../../../../src/fleet/selector.ts';
import { namesLike } from '../../../../src/status/find.ts';
import { overviewOf } from '../../../../src/status/overview.ts';
import { aMachine, aNode, aStatus } from '../../status/status-sketch.ts';

const status = aStatus({
  machines: [
    aMachine({ id: 'aaaa0001', node: 'one', metadata: { rack: 'r1' } }),
    aMachine({ id: 'aaaa0002', node: 'two', metadata: { rack: 'r2' }, addresses: ['10.0.0.2'] }),
    aMachine({ id: 'bbbb0003', verdict: 'waiting', metadata: {}, addresses: ['10.0.0.3'] }),
  ],
  nodes: [
    aNode({ name: 'one', machine: 'aaaa0001' }),
    aNode({ name: 'two', machine: 'aaaa0002', verdict: 'held', warning: true }),
    aNode({ name: 'lone', verdict: 'foreign' }),
  ],
});

function shown(filter: Partial<typeof NO_FILTER>): readonly string[] {
  return shownRows(status, { ...NO_FILTER, ...filter }).rows.map(
    ({ machine, node }) => node?.name ?? machine?.id ?? '',
  );
}

describe('the filter of status', () => {
  it('leaves all without flags, the most urgent first', () => {
    expect(shown({})).toEqual(['two', 'bbbb0003', 'one', 'lone']);
    expect(filterText(NO_FILTER)).toBeUndefined();
  });

  it.each<[string, Partial<typeof NO_FILTER>, readonly string[]]>([
    ['verdicts', { verdicts: ['held', 'foreign'] }, ['two', 'lone']],
    ['the verdict of the machine beside that of its node', { verdicts: ['has-node'] }, ['two', 'one']],
    ['trouble', { trouble: true }, ['two', 'bbbb0003']],
    ['metadata', { selector: parseSelector('rack in (r1,r2)') }, ['two', 'one']],
    ['metadata that is absent, of machines alone', { selector: parseSelector('!rack') }, ['bbbb0003']],
    ['a name and an address', { names: ['one', '10.0.0.3'] }, ['bbbb0003', 'one']],
    ['the beginning of an ID, as fleetctl prints it', { names: ['bbbb0...'] }, ['bbbb0003']],
    ['all of them at once', { verdicts: ['held'], selector: parseSelector('rack=r1') }, []],
  ])('selects by %s', (_, filter, names) => {
    expect(shown(filter)).toEqual(names);
  });

  it('says what it is', () => {
    const filter = {
      ...NO_FILTER,
      names: ['one'],
      verdicts: ['keep'],
      trouble: true,
      selector: parseSelector('rack=r1'),
    };
    expect(filterText(filter)).toBe('one --verdict keep --trouble --selector rack=r1');
  });

  it('leaves the machines and nodes of its rows in the document', () => {
    const { rows } = shownRows(status, { ...NO_FILTER, names: ['two'] });
    expect(statusOf(status, rows)).toMatchObject({ machines: [{ id: 'aaaa0002' }], nodes: [{ name: 'two' }] });
  });

  it('names what is like a name that nothing has', () => {
    expect(shownRows(status, { ...NO_FILTER, names: ['on', 'two'] }).unknown).toEqual(['on']);
    expect(namesLike(overviewOf(status), 'on')).toEqual(['one', 'lone']);
    expect(namesLike(overviewOf(status), 'aaaa0020')).toEqual(['aaaa0002']);
    expect(namesLike(overviewOf(status), 'x')).toEqual([]);
  });
});
