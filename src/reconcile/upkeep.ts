/** The nodes that have a machine: adopted where they bear no mark, kept up to date where they bear ours. */
import type { Era } from '../kubernetes/registry.ts';
import { type Action, type Adopt, fingerprint, type Label } from './action.ts';
import { changeFor, labelsFor, type Note } from './labels.ts';
import { markOf } from './marks.ts';
import { isFutile, type Memory, PASSES_TO_BELIEVE } from './memory.ts';
import type { Now, Policy } from './policy.ts';
import { type Match, STEPS } from './resolve.ts';
import type { NodeVerdict } from './verdict.ts';
import { describe, isHeard, type Observation, type Testimony } from './witnesses.ts';

export interface Upkeep {
  readonly actions: readonly Action[];
  /** By node name, for the nodes that bear no mark; the others get theirs from the witness table. */
  readonly verdicts: ReadonlyMap<string, NodeVerdict>;
  readonly notes: readonly Note[];
}

/** Every match of a pass, with what the witnesses say of its node. `unlisted` counts this pass too. */
export function planUpkeep(
  { resolution, era }: Observation,
  testimonies: ReadonlyMap<string, Testimony>,
  unlisted: ReadonlyMap<string, number>,
  memory: Memory,
  policy: Policy,
  now: Now,
): Upkeep {
  const actions: Action[] = [];
  const verdicts = new Map<string, NodeVerdict>();
  const notes: Note[] = [];
  for (const match of resolution.byNode.values()) {
    const { machine, node } = match;
    const testimony = testimonies.get(node.name);
    if (testimony === undefined) continue;
    const adoption = adoptionOf(match, testimony, unlisted, policy, era);
    if (adoption?.verdict !== undefined) verdicts.set(node.name, adoption.verdict);
    if (adoption?.adopts === false || era.hidesMinions) continue;

    const copied = labelsFor(machine, policy.nodeLabels, era);
    const { change, notes: foreign } = changeFor(machine, node, copied.labels, now.wall);
    notes.push(...copied.notes, ...foreign);
    if (change === undefined) continue;
    const action: Adopt | Label = { kind: adoption === undefined ? 'label' : 'adopt', machine, node, change };
    if (!isFutile(memory, fingerprint(action), now.monotonicMs)) actions.push(action);
  }
  return { actions, verdicts, notes };
}

/** Undefined for a node that bears its machine's mark. A node without a mark has its verdict here. */
function adoptionOf(
  { machine, node, step }: Match,
  testimony: Testimony,
  unlisted: ReadonlyMap<string, number>,
  policy: Policy,
  era: Era,
): { readonly adopts: boolean; readonly verdict?: NodeVerdict } | undefined {
  const mark = markOf(node);
  if (mark === machine.id) return undefined;
  if (mark !== undefined) {
    return { adopts: policy.adopt && (unlisted.get(mark) ?? 0) >= PASSES_TO_BELIEVE };
  }
  const found = `machine ${machine.id}'s node, found by ${STEPS[step]}`;
  if (!policy.adopt) {
    return { adopts: false, verdict: { name: 'recognised', reason: `${found}; KUBE_REGISTER_ADOPT=false` } };
  }
  const reason = `${found}; ${describe(testimony)}`;
  if (era.hidesMinions) {
    const next = `never marked: the API server (${era.server}) cannot change a minion`;
    return { adopts: false, verdict: { name: 'recognised', reason, next } };
  }
  if (isHeard(testimony) || testimony.kubernetes === 'ready') {
    return { adopts: true, verdict: { name: 'adopt', reason } };
  }
  return {
    adopts: false,
    verdict: {
      name: 'recognised',
      reason,
      next: 'adopted once its kubelet answers or Kubernetes calls it Ready',
    },
  };
}
