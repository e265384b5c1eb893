/** Judges each write at the moment when the API server does it, by what the copy had seen. */
import type { MetadataChange, NodeDraft } from '../../src/kubernetes/registry.ts';
import type { CopyRecord } from './copy-record.ts';
import type { Court } from './court.ts';
import { ADDRESS, isKept, LABELS, MACHINE_ID, MANAGED, markOf, SINCE } from './oracle.ts';
import type { StoredNode } from './world.ts';

export function judgeCreation(court: Court, copy: number, record: CopyRecord, draft: NodeDraft): void {
  const id = draft.annotations.get(MACHINE_ID);
  // What its kubelet reports after the node was read, in this pass, the copy cannot know.
  const knownAtMs = (uid: string) => record.sightings.get(uid)?.wholeAtMs ?? record.lastListedAtMs;
  const other = [...court.world.nodes.values()].find(
    ({ uid, machineId, identifiedAtMs }) => machineId === id && identifiedAtMs < knownAtMs(uid),
  );
  if (other !== undefined) record.rivals.set(draft.name, other.name);
  const heardAtMs = record.kubelets.get(draft.address)?.atMs ?? Number.POSITIVE_INFINITY;
  court.expect(
    court.world.release.era.hidesMinions || heardAtMs <= record.lastListedAtMs,
    '3: nodes are read again before a machine is registered',
    () => `copy ${copy} creates ${draft.name}, and has not listed the nodes since it heard its kubelet`,
  );
}

export function judgeUpdate(
  court: Court,
  copy: number,
  record: CopyRecord,
  node: StoredNode,
  change: MetadataChange,
): void {
  const { checksUid } = court.world.release.era;
  // Servers that do not compare the uid change whatever has the name by now: with them the look is what counts.
  const seen = record.sightings.get(checksUid ? node.uid : (record.lastSeen.get(node.name) ?? node.uid));
  // The look that precedes a patch on old servers is for the uid alone.
  const looksFirst = court.conditions.hasRealClients && !checksUid;
  const base = looksFirst ? seen?.first : seen;
  const written = base?.annotations.get(LABELS)?.split(',') ?? [];
  const foreign = [...change.labels.keys()].find(
    (key) => key !== MANAGED && !written.includes(key) && base?.labels.has(key) !== false,
  );
  const expect = (isSo: boolean, rule: string, what: string) =>
    court.expect(isSo, `3: ${rule}`, () => `copy ${copy} changes ${node.name}: ${what}`);
  expect(
    foreign === undefined,
    'only the labels that we wrote ever change, or go',
    `the label ${foreign}, which it did not write`,
  );
  const listed = change.annotations.get(LABELS);
  const left = written.find(
    (key) =>
      listed !== undefined &&
      !listed?.split(',').includes(key) &&
      base?.labels.has(key) &&
      change.labels.get(key) !== null,
  );
  expect(left === undefined, 'labels that we wrote go when the metadata key goes', `it leaves the label ${left}`);
  const strange = [...change.annotations.keys()].find((key) => ![MACHINE_ID, ADDRESS, SINCE, LABELS].includes(key));
  expect(
    strange === undefined,
    'it gets our marks and labels, and nothing else of it is changed',
    `the annotation ${strange}`,
  );
  expect(
    base === undefined || !change.annotations.has(SINCE) || !base.annotations.has(SINCE),
    'since: when registered or adopted, never rewritten',
    'its since',
  );
  expect(
    !court.world.release.era.hidesMinions,
    'adoption only where the server can update (section 5)',
    'of a server before v0.13',
  );
  const id = change.annotations.get(MACHINE_ID);
  if (typeof id !== 'string' || seen === undefined || base === undefined) return;

  expect(court.conditions.policy.adopt, 'ADOPT=false recognises but never marks', `marks it for ${id}`);
  const before = markOf(base);
  if (before === undefined) {
    const places = [
      ...node.addresses,
      change.annotations.get(ADDRESS) ?? '',
      ...(record.machines.get(id) ?? []).map(({ address }) => address ?? ''),
    ];
    const isAlive =
      seen.ready === 'ready' || places.some((place) => (record.kubelets.get(place)?.state ?? 'silent') !== 'silent');
    expect(
      isAlive,
      'adopted once its kubelet answers or its node is Ready (never a dead one)',
      `adopts it, dead, for ${id}`,
    );
  } else if (before !== id) {
    const passes = record.machines.has(before) ? 0 : (record.unlisted.get(before) ?? 0) + 1;
    expect(
      passes >= 3,
      'rewritten when fleet has not listed that machine for three good passes',
      `takes it from ${before}, not listed in ${passes}`,
    );
  }
}

export function judgeDeletion(court: Court, copy: number, record: CopyRecord, node: StoredNode): void {
  // Servers that do not compare the uid delete whatever has the name by now: with them the look is what counts.
  const uid = court.world.release.checksUidOnDelete ? node.uid : (record.lastSeen.get(node.name) ?? node.uid);
  const seen = record.sightings.get(uid);
  record.removed.push({
    ...node,
    ...(seen ?? {}),
    labels: new Map(node.labels),
    annotations: new Map(node.annotations),
  });
  const last = court.world.release.checksVersionOnDelete ? node : seen;
  const expect = (isSo: boolean, rule: string, what: string) =>
    court.expect(isSo, `4: ${rule}`, () => `copy ${copy} deletes ${node.name}, ${what}`);
  expect(!court.world.release.era.hidesMinions, 'before v0.13 nothing is ever deleted', 'of a server before v0.13');
  expect(seen?.wholeAtMs !== undefined, 'the node is read again', 'which it did not read');
  if (seen === undefined || last === undefined) return;
  expect(markOf(last) !== undefined, 'only a node with our mark is ever deleted', 'which has no mark');
  expect(seen.ready !== 'ready', 'while Kubernetes calls it Ready, a node is never deregistered', 'which is Ready');
  expect(!isKept(last), 'without the veto kube-register.io/keep=true', 'which somebody keeps');
  expect(!last.unschedulable, 'not cordoned', 'which is cordoned');
  expect(
    court.conditions.policy.neverDeregister === undefined,
    'POLICY=register-only never deregisters',
    'in spite of POLICY',
  );
}
