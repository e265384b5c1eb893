/** What machines have in common that no other machine has, such as their rack. */
import { onOneLine } from '../text/quote.ts';
import type { OverviewRow } from './overview.ts';

/** The longest pair in a sentence, in characters. */
const LONGEST = 60;

/**
 * `, all those with rack=r1` where the machines of these rows, and no other machine that matches, have this metadata; empty where there is no
 * such pair, for a single row, and for rows without a machine.
 */
export function inCommon(concerned: readonly OverviewRow[], all: readonly OverviewRow[]): string {
  const [first] = concerned;
  if (first?.machine === undefined || concerned.length < 2) return '';
  const among = new Set(concerned);
  const others = all.filter((row) => row.machine?.matches === true && !among.has(row));
  const pair = Object.entries(first.machine.metadata)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .find(([key, value]) => {
      const has = ({ machine }: OverviewRow) =>
        machine !== undefined && Object.entries(machine.metadata).some(([k, v]) => k === key && v === value);
      return concerned.every(has) && !others.some(has);
    });
  return pair === undefined || others.length === 0 ? '' : `, all those with ${onOneLine(pair.join('='), LONGEST)}`;
}
