/** What is written to a node: our annotations, and the labels that are copied from fleet's metadata. */
import { cleanLabel } from '../../kubernetes/names.ts';
import type { Era, MetadataChange, NodeDraft } from '../../kubernetes/registry.ts';
import type { Candidate } from '../evidence/machines.ts';
import { ADDRESS, LABELS, MACHINE_ID, MANAGED, ORIGIN, type Origin, OWNER, SINCE } from '../evidence/marks.ts';
import type { Node } from '../evidence/node.ts';
import type { Note } from './note.ts';

/** The labels that a machine's metadata gives its node, and what could not be represented as one. */
export function labelsFor(
  machine: Candidate,
  metadataKeys: readonly string[],
  era: Era,
): { readonly labels: ReadonlyMap<string, string>; readonly notes: readonly Note[] } {
  const labels = new Map<string, string>();
  const notes: Note[] = [];
  for (const metadataKey of metadataKeys) {
    const value = machine.metadata.get(metadataKey);
    if (value === undefined) continue;
    const label = cleanLabel(metadataKey, value);
    const leftOut = (why: string) =>
      notes.push({
        kind: 'label',
        key: `${machine.id} ${metadataKey}`,
        text: `machine ${machine.id}: metadata ${JSON.stringify(metadataKey)} is not copied to a label: ${why}`,
      });
    if ('problem' in label) leftOut(label.problem);
    else if (!era.takesLabel(label.key)) leftOut(`the API server (${era.server}) does not keep label ${label.key}`);
    else if (labels.has(label.key)) leftOut(`another metadata key has the same label key ${label.key}`);
    else labels.set(label.key, label.value);
  }
  return { labels, notes };
}

/** The node that a machine is registered as. `since` is ISO 8601. */
export function draftFor(
  machine: Candidate,
  { name, origin }: { readonly name: string; readonly origin: Origin },
  { labels, ownerId, since }: Pick<WantedMetadata, 'labels' | 'ownerId' | 'since'>,
  era: Era,
): NodeDraft {
  const annotations = new Map([
    [MACHINE_ID, machine.id],
    [ADDRESS, machine.address],
    [SINCE, since],
    [ORIGIN, origin],
    [OWNER, ownerId],
  ]);
  if (labels.size > 0) annotations.set(LABELS, keyList(labels.keys()));
  const marked = era.takesLabel(MANAGED) ? new Map([...labels, [MANAGED, 'true']]) : labels;
  return { name, address: machine.address, labels: marked, annotations };
}

/** The annotations and labels that a managed node has to have. */
export interface WantedMetadata {
  readonly machineId: string;
  readonly address: string;
  /** Whether the address annotation follows the machine's address: where the node reports no address that is its own alone. */
  readonly followsAddress: boolean;
  readonly ownerId: string;
  /** Written where the node has no such annotation. */
  readonly origin: Origin;
  /** ISO 8601; written where the node has no such annotation. */
  readonly since: string;
  readonly labels: ReadonlyMap<string, string>;
  /** Whether labels that we wrote are removed when they are no longer wanted. */
  readonly removesLabels: boolean;
}

/**
 * The change that gives a machine's node our annotations and labels; undefined when it has them. Of the labels only those that we wrote
 * are changed or removed: for a key that was there before there is a note.
 */
export function changeFor(
  node: Node,
  wanted: WantedMetadata,
): { readonly change: MetadataChange | undefined; readonly notes: readonly Note[] } {
  if (hasAll(node, wanted)) return NO_CHANGE;
  const written = new Set((node.annotations.get(LABELS) ?? '').split(',').filter((key) => key !== ''));
  const foreign = [...wanted.labels.keys()].filter((key) => node.labels.has(key) && !written.has(key));
  const ours = new Map([...wanted.labels].filter(([key]) => !foreign.includes(key)));
  const unwanted = [...written].filter((key) => !ours.has(key));
  const gone = wanted.removesLabels ? unwanted : [];
  const listed = wanted.removesLabels ? [...ours.keys()] : [...ours.keys(), ...unwanted];
  const isMarked = node.mark?.machineId === wanted.machineId;

  const change: MetadataChange = {
    labels: differing(node.labels, [...gone.map((key) => [key, null] as const), ...ours, [MANAGED, 'true']]),
    annotations: differing(node.annotations, [
      [MACHINE_ID, wanted.machineId],
      ...(!isMarked || wanted.followsAddress ? [[ADDRESS, wanted.address] as const] : []),
      [SINCE, node.annotations.get(SINCE) ?? wanted.since],
      [ORIGIN, node.annotations.get(ORIGIN) ?? wanted.origin],
      ...(node.mark === undefined ? [[OWNER, wanted.ownerId] as const] : []),
      [LABELS, listed.length > 0 ? keyList(listed) : null],
    ]),
  };
  return {
    change: change.labels.size + change.annotations.size > 0 ? change : undefined,
    notes: foreign.map((key) => ({
      kind: 'foreign' as const,
      key: `${node.uid} ${key}`,
      text: `node ${node.name}: label ${key} was not written by kube-register and is not changed`,
    })),
  };
}

const NO_CHANGE = { change: undefined, notes: [] } as const;

/** Whether the node has every annotation and label that is wanted, and lists no other label: so it is with nearly all nodes of a pass. */
function hasAll({ labels, annotations, mark }: Node, wanted: WantedMetadata): boolean {
  for (const [key, value] of wanted.labels) if (labels.get(key) !== value) return false;
  return (
    mark?.machineId === wanted.machineId &&
    (!wanted.followsAddress || annotations.get(ADDRESS) === wanted.address) &&
    annotations.has(SINCE) &&
    annotations.has(ORIGIN) &&
    annotations.get(LABELS) === (wanted.labels.size === 0 ? undefined : keyList(wanted.labels.keys())) &&
    labels.get(MANAGED) === 'true'
  );
}

function differing(
  present: ReadonlyMap<string, string>,
  wanted: readonly (readonly [string, string | null])[],
): ReadonlyMap<string, string | null> {
  return new Map(wanted.filter(([key, value]) => (present.get(key) ?? null) !== value));
}

function keyList(keys: Iterable<string>): string {
  return [...keys].sort().join(',');
}
