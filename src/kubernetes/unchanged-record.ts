/** Records of nodes that a list repeats. Kubelets change the resourceVersion of their nodes every few seconds, and hardly anything else. */
import { unchangedList, unchangedMap } from '../text/unchanged.ts';
import type { NodeFacts, NodeRecord } from './registry.ts';

/** A record equal to `now`, made of the parts of `before` that are equal; `before` itself where all are. */
export function unchangedRecord(before: NodeRecord | undefined, now: NodeRecord): NodeRecord {
  if (before === undefined || before.uid !== now.uid || before.name !== now.name) return now;
  const labels = unchangedMap(before.labels, now.labels);
  const annotations = unchangedMap(before.annotations, now.annotations);
  const facts = unchangedFacts(before.facts, now.facts);
  const isSame =
    before.resourceVersion === now.resourceVersion &&
    labels === before.labels &&
    annotations === before.annotations &&
    facts === before.facts &&
    before.leaving === undefined &&
    now.leaving === undefined;
  if (isSame) return before;
  const { name, uid } = before;
  const { resourceVersion, leaving } = now;
  return { name, uid, resourceVersion, labels, annotations, leaving, facts };
}

function unchangedFacts(before: NodeFacts | undefined, now: NodeFacts | undefined): NodeFacts | undefined {
  if (before === undefined || now === undefined) return now;
  const isSame =
    before.machineId === now.machineId &&
    before.ready === now.ready &&
    before.heardAt === now.heardAt &&
    before.unschedulable === now.unschedulable &&
    unchangedList(before.addresses, now.addresses) === before.addresses;
  return isSame ? before : now;
}
