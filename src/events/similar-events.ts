/** Combines similar Events of one pass, as Kubernetes' own event recorder does: a first pass over 5,000 machines is 100 Events, not 5,000. */
import { LONGEST_MESSAGE, type NodeEvent } from '../kubernetes/events.ts';
import { addTo } from '../reconcile/evidence/multimap.ts';
import { plural } from '../text/plural.ts';

export type EventContent = Omit<NodeEvent, 'at'>;

/** Up to this many Events of one reason in a pass are written one by one. */
const MAX_ONE_BY_ONE = 100;
/** Only very long names need more: the last Event then counts the nodes that none names. */
const MAX_COMBINED = 200;
/** For `, and 12,345 more`. */
const ROOM_FOR_MORE = 20;

const DONE: Readonly<Record<NodeEvent['reason'], string>> = {
  Registered: 'registered',
  Adopted: 'adopted',
  Deregistered: 'deregistered',
  DeregistrationHeld: 'the deletion guard keeps',
};

/** The Events, with those of a reason that more than 100 have combined: each names its nodes and has their number as its count. */
export function combineSimilar(events: readonly EventContent[]): readonly EventContent[] {
  const byReason = new Map<NodeEvent['reason'], EventContent[]>();
  for (const event of events) addTo(byReason, event.reason, event);
  return [...byReason].flatMap(([reason, similar]) =>
    similar.length <= MAX_ONE_BY_ONE
      ? similar
      : combine(
          reason,
          similar.map(({ node }) => node),
        ),
  );
}

function combine(reason: NodeEvent['reason'], nodes: readonly string[]): readonly EventContent[] {
  const groups = inGroups(nodes, LONGEST_MESSAGE - beginning(reason, nodes.length).length - ROOM_FOR_MORE);
  const written = groups.slice(0, MAX_COMBINED);
  const unnamed = groups.slice(MAX_COMBINED).flat().length;
  return written.flatMap((names, index) => {
    const [first] = names;
    if (first === undefined) return [];
    const more = index === written.length - 1 ? unnamed : 0;
    const count = names.length + more;
    const message = `${beginning(reason, count)}${names.join(', ')}${more === 0 ? '' : `, and ${more} more`}`;
    return { reason, node: first, message, count };
  });
}

function beginning(reason: NodeEvent['reason'], count: number): string {
  return `(combined from similar events): ${DONE[reason]} ${plural(count, 'node')}: `;
}

/** The names in their order, in groups that fit a message. */
function inGroups(names: readonly string[], maxLength: number): readonly (readonly string[])[] {
  const groups: string[][] = [];
  let left = 0;
  for (const name of names) {
    left -= name.length + 2;
    const group = groups.at(-1);
    if (group === undefined || left < 0) {
      groups.push([name]);
      left = maxLength - name.length;
    } else {
      group.push(name);
    }
  }
  return groups;
}
