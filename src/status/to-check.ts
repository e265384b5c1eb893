/** Sentences about what a person should check: nodes and machines with concern `watch`, and warnings. */
import { plural } from '../text/plural.ts';
import { formatDuration } from '../time/duration.ts';
import type { Status } from './document.ts';
import { inCommon } from './in-common.ts';
import { isKeptUnreachable, type OverviewRow } from './overview.ts';
import { capitalized, ended, tallyOf } from './words.ts';

/** Sentences about slow servers, the rows with concern `watch` and the first of the warnings. */
export function toCheck(status: Status, rows: readonly OverviewRow[]): readonly string[] {
  const worthChecking = rows.filter((row) => row.concern === 'watch' && !isOnPurpose(row, status));
  const isUnreachable = ({ node }: OverviewRow) => node !== undefined && isKeptUnreachable(node);
  const unreachable = worthChecking.filter(isUnreachable);
  const told = Object.entries(TO_CHECK).flatMap(([verdict, text]) => {
    const count = worthChecking.filter((row) => nodeVerdictOf(row) === verdict).length;
    return count === 0 ? [] : [`${plural(count, 'node')} ${count === 1 ? 'is' : 'are'} ${verdict}: ${text(count)}.`];
  });
  const worth = worthChecking.filter(
    (row) => !isUnreachable(row) && !Object.hasOwn(TO_CHECK, nodeVerdictOf(row) ?? ''),
  );
  const [first, ...others] = status.warnings;
  const more = others.length === 0 ? '' : ` (and ${plural(others.length, 'more warning')})`;
  const count = unreachable.length;
  return [
    ...slowSentences(status),
    ...(count > 0
      ? [
          `The kubelet${count === 1 ? '' : 's'} of ${plural(count, 'node')} ${count === 1 ? 'is' : 'are'} unreachable${inCommon(unreachable, rows)}.`,
        ]
      : []),
    ...told,
    ...(worth.length > 0 ? [`To check: ${tallyOf(worth)}.`] : []),
    ...(first === undefined ? [] : [`${capitalized(ended(first)).slice(0, -1)}${more}.`]),
  ];
}

/** What is to be checked of so many nodes with a verdict. */
const TO_CHECK: Readonly<Record<string, (count: number) => string>> = {
  orphan: (count) => `alive, but fleet does not list ${count === 1 ? 'its machine' : 'their machines'}`,
  unmatched: (count) =>
    `alive, but ${count === 1 ? 'its machine no longer matches' : 'their machines no longer match'}`,
  'probe-suspect': (count) => `Ready, but ${count === 1 ? 'its kubelet is' : 'their kubelets are'} unreachable`,
  unheard: (count) =>
    `not alive, and no earlier answer from ${count === 1 ? 'its kubelet' : 'their kubelets'} is known`,
  'not-posting': (count) => `not Ready, but ${count === 1 ? 'its kubelet is' : 'their kubelets are'} reachable`,
};

/** The verdict that the row shows, where it is that of its node. */
function nodeVerdictOf({ verdict, node }: OverviewRow): string | undefined {
  return verdict === node ? verdict.verdict : undefined;
}

/** Whether the node stays unmanaged on purpose: ADOPT=false, or an API server that cannot update minions. */
function isOnPurpose({ verdict: { verdict, warning, next } }: OverviewRow, { rules }: Status): boolean {
  return verdict === 'recognised' && !warning && (!rules.adopt || next?.startsWith('not adopted: ') === true);
}

/** That a server is slow. A pass fails where an answer takes longer than the timeout. */
function slowSentences({ fleet, kubernetes }: Status): readonly string[] {
  return [
    { name: 'fleet', setting: 'FLEET_TIMEOUT', ...fleet },
    { name: 'The API server', setting: 'API_TIMEOUT', ...kubernetes },
  ].flatMap(({ name, setting, up, slowMs }) =>
    up === true && slowMs !== null
      ? [`${name} is slow: an answer took ${formatDuration(slowMs)}, more than half of ${setting}.`]
      : [],
  );
}
