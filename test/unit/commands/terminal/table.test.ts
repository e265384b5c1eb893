/** Tables and text that fit into a window. */
import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { cutTo, widthOf, wrap, wrapTo } from '../../../../src/commands/terminal/layout.ts';
import { type Column, tableLines } from '../../../../src/commands/terminal/table.ts';
import { type Cell, Terminal } from '../../../../src/commands/terminal/terminal.ts';

const stdout = Object.assign(new Writable(), { isTTY: true });
const terminal = new Terminal({ stdout, stderr: stdout, env: {} });

const COLUMNS: readonly Column[] = [
  { heading: 'NODE', rank: 0, narrowest: 10 },
  { heading: 'RACK', rank: 2 },
  { heading: 'VERDICT', rank: 0 },
  { heading: 'NEXT', rank: 1, narrowest: 12 },
];
const ROWS: readonly (readonly Cell[])[] = [
  ['10.0.0.1', 'r1', { text: 'keep', style: 'well' }, '-'],
  ['10.0.0.2', 'rack-17', 'in-grace', 'will be deregistered in 30m'],
];

function table(width: number | undefined, rows = ROWS): readonly string[] {
  return tableLines(COLUMNS, rows, { terminal, width }).map((line) => stripVTControlCharacters(line));
}

describe('a table', () => {
  it('has columns as wide as what stands in them, whatever its color, and cuts nothing without a width', () => {
    const name = 'a'.repeat(253);
    const [heading, first, second] = table(undefined, [...ROWS, [name, '', '', '']]);
    expect(first?.indexOf('keep')).toBe(second?.indexOf('in-grace'));
    expect(heading?.indexOf('NEXT')).toBe(second?.indexOf('will be'));
    expect(table(undefined, [[name, '', '', '']])[1]).toBe(name);
  });

  it('leaves out what matters least, and cuts what may be cut', () => {
    expect(table(60)[2]).toBe('10.0.0.2  rack-17  in-grace  will be deregistered in 30m');
    expect(table(48)[2]).toBe('10.0.0.2  rack-17  in-grace  will be deregister…');
    expect(table(38)[2]).toBe('10.0.0.2  in-grace  will be deregiste…');
    expect(table(20)[2]).toBe('10.0.0.2  in-grace');
  });

  it.each([1, 5, 9, 17, 23, 40, 80])('is never wider than a window of %i columns', (width) => {
    const wide: Cell[] = ['节点'.repeat(30), '机架', 'probe-suspect', '👩‍👩‍👧'.repeat(20)];
    for (const line of table(width, [...ROWS, wide])) expect(widthOf(line)).toBeLessThanOrEqual(Math.max(width, 5));
  });

  it('keeps hostile text on its line', () => {
    expect(table(undefined, [['a\u001b[2J\nb', 'c\u202ed', '', '']])[1]).toMatch(/^a \[2J b +c d$/);
  });
});

describe('text', () => {
  it('is cut by its width, between characters', () => {
    expect(cutTo('kubelet', 7)).toBe('kubelet');
    expect(cutTo('kubelets', 7)).toBe('kubele…');
    expect(cutTo('节点节点', 6)).toBe('节点…');
    expect(cutTo('abc', 0)).toBe('');
  });

  it('is broken between words into so many lines', () => {
    expect(wrapTo('no node is registered', 10, 3)).toEqual(['no node is', 'registered']);
    expect(wrapTo('no node is registered or deregistered', 10, 2)).toEqual(['no node is', 'registere…']);
    expect(wrap('curl -k https://10.0.0.1:10250/healthz', 20)).toEqual(['curl -k', 'https://10.0.0.1:10250/healthz']);
  });
});
