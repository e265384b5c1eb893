/** Finds the rows that an operator means by a word: the ID of a machine or its beginning, the name of a node, an address. */
import { nearMiss } from '../settings/near-miss.ts';
import type { OverviewRow } from './overview.ts';

/** So much of an ID is enough, if no other begins alike. */
export const SHORTEST_PREFIX = 4;

/**
 * The rows with this machine ID, node name or address, else those whose ID begins so. There are several where machines share an address,
 * or where several nodes belong to one machine.
 */
export function rowsAbout(rows: readonly OverviewRow[], subject: string): readonly OverviewRow[] {
  const exact = rows.filter(
    ({ machine, node }) =>
      machine?.id === subject ||
      node?.name === subject ||
      node?.mark === subject ||
      node?.reportedId === subject ||
      [machine, node].some((one) => one?.addresses.includes(subject)),
  );
  // What fleetctl prints of an ID ends with dots.
  const prefix = subject.replace(/\.\.\.$/, '');
  if (exact.length > 0 || prefix.length < SHORTEST_PREFIX) return exact;
  return rows.filter(({ machine, node }) => (machine?.id ?? node?.mark)?.startsWith(prefix));
}

const NAMES_SHOWN = 3;

/** Up to three names, addresses or IDs that are like the word: those that contain it, else one that differs by a few letters. */
export function namesLike(rows: readonly OverviewRow[], subject: string): readonly string[] {
  const known = [
    ...new Set(
      rows.flatMap(({ machine, node }) => [
        ...(node === undefined ? [] : [node.name]),
        ...(machine?.addresses ?? []),
        ...(node?.addresses ?? []),
        ...(machine === undefined ? [] : [machine.id]),
      ]),
    ),
  ];
  const word = subject.toLowerCase();
  const containing = known.filter((name) => word.length > 1 && name.toLowerCase().includes(word));
  if (containing.length > 0) return containing.slice(0, NAMES_SHOWN);
  const near = nearMiss(subject, known);
  return near === undefined ? [] : [near];
}
