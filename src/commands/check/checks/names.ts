/** The checks of new nodes: whether the API server accepts their names, and whether metadata can be copied to labels. */
import { nodeNameProblem } from '../../../kubernetes/names.ts';
import type { Era } from '../../../kubernetes/registry.ts';
import type { Observation } from '../../../reconcile/evidence/liveness.ts';
import { type Candidate, machinesByAddress } from '../../../reconcile/evidence/machines.ts';
import type { GivenName } from '../../../reconcile/evidence/pair.ts';
import { labelsFor } from '../../../reconcile/plan/labels.ts';
import type { Settings } from '../../../settings/settings.ts';
import { plural } from '../../../text/plural.ts';
import { quote } from '../../../text/quote.ts';
import { examples, type Finding, named, ok, warning, wrong } from '../finding.ts';

/** The machines that have no node yet; the name of the others is not asked for. */
export interface MachinesWithoutNode {
  /** Those that a new node is made for. */
  readonly free: readonly Candidate[];
  /** How many get none, because they are in conflict over a node that is there, or over an address. */
  readonly inConflict: number;
}

export function machinesWithoutNode(
  candidates: readonly Candidate[],
  names: ReadonlyMap<string, GivenName>,
  seen: Pick<Observation, 'machines' | 'nodes' | 'pairing'> | undefined,
): MachinesWithoutNode {
  if (seen === undefined) return { free: candidates, inConflict: 0 };
  const { byMachine, conflicts } = seen.pairing;
  const at = machinesByAddress(seen.machines.values());
  const isShared = (address: string) => (at.get(address)?.length ?? 0) > 1;
  const held = new Set(seen.nodes.map(({ name }) => name));
  const withoutNode = candidates.filter(({ id }) => !byMachine.has(id));
  const free = withoutNode.filter(({ id, address }) => {
    const given = names.get(id);
    return (
      !conflicts.has(id) && !isShared(address) && !(given !== undefined && 'name' in given && held.has(given.name))
    );
  });
  return { free, inConflict: withoutNode.length - free.length };
}

export function checkNames(
  { free: withoutNode, inConflict }: MachinesWithoutNode,
  names: ReadonlyMap<string, GivenName>,
  { nodeName }: Pick<Settings, 'nodeName'>,
): Finding {
  const others = inConflict === 0 ? '' : `, except ${plural(inConflict, 'machine')} in conflict`;
  const rule = nodeName.kind === 'metadata' ? `metadata:${nodeName.key}` : nodeName.kind;
  if (withoutNode.length === 0) return named('names', ok(`every matching machine has a node${others}`));
  const bad: string[] = [];
  const good = new Map<string, string>();
  for (const { id } of withoutNode) {
    const given = names.get(id) ?? { problem: 'it has no name' };
    const problem = 'problem' in given ? given.problem : problemOf(given.name, good.get(given.name));
    if (problem !== undefined) bad.push(`${id}: ${problem}`);
    else if ('name' in given) good.set(given.name, id);
  }
  if (bad.length > 0) {
    const mend = `KUBE_REGISTER_NODE_NAME=${nodeName.kind === 'ip' ? 'machine-id' : 'ip'}`;
    const count = `NODE_NAME=${rule} gives ${bad.length} of ${plural(withoutNode.length, 'machine')} no valid node name`;
    return named('names', wrong(examples(count, bad), mend));
  }
  const few = examples(`NODE_NAME=${rule} names ${plural(good.size, 'new node')}`, [...good.keys()]);
  return named('names', ok(few));
}

function problemOf(name: string, holder: string | undefined): string | undefined {
  if (holder !== undefined) return `${quote(name)} is also the name of machine ${holder}`;
  const problem = nodeNameProblem(name);
  return problem === undefined ? undefined : `${quote(name)} is not a valid node name: ${problem}`;
}

export function checkLabels(
  candidates: readonly Candidate[],
  { nodeLabels }: Pick<Settings, 'nodeLabels'>,
  era: Era,
): readonly Finding[] {
  if (nodeLabels.length === 0) return [named('labels', ok('NODE_LABELS is empty: no metadata is copied'))];
  const notes = candidates.flatMap((machine) => labelsFor(machine, nodeLabels, era).notes.map(({ text }) => text));
  const unused = nodeLabels.filter((key) => !candidates.some(({ metadata }) => metadata.has(key)));
  const good = nodeLabels.filter(
    (key) => !unused.includes(key) && candidates.every((machine) => labelsFor(machine, [key], era).notes.length === 0),
  );
  const mend = `KUBE_REGISTER_NODE_LABELS=${good.join(',')}`;
  const findings = [
    ...(notes.length > 0 ? [warning(examples(`${plural(notes.length, 'label')} left out`, notes), mend)] : []),
    ...(unused.length > 0 ? [warning(`no matching machine has metadata ${unused.map(quote).join(', ')}`, mend)] : []),
  ];
  if (findings.length === 0) findings.push(ok(`${nodeLabels.join(', ')} can be copied to labels`));
  return findings.map((found) => named('labels', found));
}
