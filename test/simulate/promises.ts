/** What every write has to keep to, judged on the wire without any rule of pairing or of life. */
import type { MetadataChange, NodeDraft, NodeRecord } from '../../src/kubernetes/registry.ts';
import { type Conditions, DRAIN_MS, isDry } from './conditions.ts';
import type { Findings } from './findings.ts';
import type { Seen } from './seen.ts';
import type { Write } from './wiretap.ts';
import type { World } from './world.ts';

const MARK = 'kube-register.io/machine-id';
const OWNER = 'kube-register.io/owner';
const WRITTEN_LABELS = 'kube-register.io/labels';
const KEEP = 'kube-register.io/keep';
/** A label of ours that is not among those that were copied. */
const MANAGED = 'kube-register.io/managed';

/** What stands on a node, as it is or as a copy saw it. */
type Marked = Pick<NodeRecord, 'annotations'>;

export function markOf({ annotations }: Marked): string | undefined {
  return annotations.get(MARK) || undefined;
}

/** OWNER_ID of the daemon that wrote the mark. */
export function ownerOf({ annotations }: Marked): string {
  return annotations.get(OWNER) || 'default';
}

/** An operator has said that the node is to be kept. */
export function isKept({ annotations, labels }: Pick<NodeRecord, 'annotations' | 'labels'>): boolean {
  return [annotations.get(KEEP), labels.get(KEEP)].some((value) => value !== undefined && value !== 'false');
}

/** Who writes, and what it was told. */
export interface Writer {
  readonly copy: number;
  readonly owner: string;
  readonly seen: Seen;
}

export class Promises {
  readonly #conditions: Conditions;
  readonly #findings: Findings;

  constructor(conditions: Conditions, findings: Findings) {
    this.#conditions = conditions;
    this.#findings = findings;
  }

  /** A write leaves the copy. */
  sends(request: string, { copy, seen }: Writer, { nowMs, release }: World): void {
    const { stoppedAtMs } = seen;
    // One hung kubelet holds up the list of v0.8, and machines are registered without.
    const areNodesListed = seen.areNodesListed || release.era.hidesMinions;
    const isOver = nowMs > stoppedAtMs + DRAIN_MS || (nowMs > stoppedAtMs && request.startsWith('DELETE'));
    this.#expect(!isOver, 'no write after SIGTERM', () => `copy ${copy} sends ${request} after SIGTERM`);
    this.#expect(!isDry(this.#conditions, copy), 'DRY_RUN writes nothing', () => `copy ${copy} sends ${request}`);
    this.#expect(
      seen.isFleetComplete && areNodesListed,
      'a failed observation writes nothing',
      () => `copy ${copy} sends ${request} and has not ${seen.isFleetComplete ? 'listed the nodes' : 'fleet whole'}`,
    );
  }

  creates(draft: NodeDraft, { copy, owner }: Writer): void {
    const says = draft.annotations.get(OWNER) ?? 'default';
    this.#expect(says === owner, 'a mark has its owner', () => `copy ${copy} creates ${draft.name} for ${says}`);
  }

  updates({ node }: Write, { labels, annotations }: MetadataChange, { copy, owner }: Writer): void {
    const told = (what: string) => () => `copy ${copy} changes ${what} of ${node.name}`;
    const written = node.annotations.get(WRITTEN_LABELS)?.split(',') ?? [];
    const foreign = [...labels].find(([key, value]) => {
      const isNew = value !== null && !node.labels.has(key);
      return key !== MANAGED && !isNew && !written.includes(key);
    });
    this.#expect(foreign === undefined, 'only labels that we wrote change', told(`the label ${foreign?.[0]}`));
    const strange = [...annotations.keys()].find((key) => !key.startsWith('kube-register.io/') || key === KEEP);
    this.#expect(strange === undefined, 'nothing else of a node changes', told(`the annotation ${strange}`));
    const isOthers = markOf(node) !== undefined && ownerOf(node) !== owner;
    this.#expect(!isOthers, 'a node of another owner is never written', told(`annotations (${ownerOf(node)})`));
    const isMarking = markOf(node) === undefined && annotations.has(MARK);
    this.#expect(
      this.#conditions.policy.adopt || !isMarking,
      'ADOPT=false never marks',
      told(`the mark (to ${annotations.get(MARK)})`),
    );
    this.#expect(node.deletedAtMs === undefined, 'a node that leaves is not written', told('metadata'));
  }

  deletes({ node, release }: Write, { copy, owner, seen }: Writer): void {
    const told = (which: string) => () => `copy ${copy} deletes ${node.name}, ${which}`;
    const last = seen.nodes.get(node.name);
    // A server that compares the resourceVersion deletes what the copy has read; others delete whatever has the name by now.
    const isAsRead = release.checksVersionOnDelete || last === undefined;
    const known = isAsRead ? node : last;
    const isCordoned = isAsRead ? node.unschedulable : last.whole?.unschedulable !== false;
    this.#expect(last?.whole !== undefined, 'a node is read before it is deleted', told('which it has not read'));
    this.#expect(markOf(known) !== undefined, 'nothing unmarked is deleted', told('which has no mark'));
    this.#expect(ownerOf(known) === owner, 'a node of another owner is never written', told(`of ${ownerOf(known)}`));
    this.#expect(!isKept(known), 'keep is a veto', told('which somebody keeps'));
    this.#expect(!isCordoned, 'cordoned is a veto', told('which is cordoned'));
    const isLeaving = isAsRead ? node.deletedAtMs !== undefined : last.isLeaving;
    this.#expect(!isLeaving, 'a node is deleted once', told('which is leaving'));
    const { neverDeregister } = this.#conditions.policy;
    this.#expect(
      neverDeregister === undefined,
      'register-only deletes nothing',
      told(`in spite of ${neverDeregister}`),
    );
    this.#expect(!release.era.hidesMinions, 'nothing is deleted where minions hide', told(`of ${release.version}`));
    const managed = [...seen.nodes.values()].filter((each) => markOf(each) !== undefined && ownerOf(each) === owner);
    this.#expect(
      seen.deletes <= Math.max(1, managed.length / 100),
      'one in a hundred nodes is deleted in a pass, and at least one',
      told(`the ${seen.deletes}th of ${managed.length} in one pass`),
    );
  }

  endsPass(isObserved: boolean, { copy, seen }: Writer): void {
    this.#expect(
      isObserved || seen.writes === 0,
      'a failed observation writes nothing',
      () => `copy ${copy} sent ${seen.writes} writes in a pass that failed`,
    );
    const { fleet, kubernetes, kubelet } = seen.requests;
    const things = seen.nodes.size + seen.machines.size;
    this.#expect(
      Math.max(fleet, kubernetes, kubelet) <= 40 + 8 * things,
      'requests of a pass are bounded',
      () => `copy ${copy} sent ${fleet} requests to fleet, ${kubernetes} to Kubernetes and ${kubelet} to kubelets`,
    );
  }

  #expect(isSo: boolean, promise: string, what: () => string): void {
    this.#findings.expect(isSo, `promise, ${promise}`, what);
  }
}
