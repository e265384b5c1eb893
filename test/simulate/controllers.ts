/** What runs beside the API server and writes nodes: the node controller, and those of others. */
import { POST_STANDS_MS } from './kubelets.ts';
import type { StoredNode } from './node-store.ts';
import { MINUTE } from './time.ts';
import type { World } from './world.ts';

/**
 * - `node controller`: notices kubelets that are silent
 * - `cloud controller`: deletes every node that is not named after a host that runs
 * - `label policy`: takes labels away that it does not know
 * - `mark policy`: takes annotations away that it does not know
 * - `finalizers`: removes the finalizers of nodes that were deleted
 */
export type Controller = 'node controller' | 'cloud controller' | 'label policy' | 'mark policy' | 'finalizers';

/** A node whose kubelet has never posted is called Unknown after so long. */
const NEVER_POSTED_MS = MINUTE;
/** How often a controller comes round, at each tick. */
const ROUNDS = 0.3;

export function runControllers(world: World): void {
  for (const controller of world.controllers) {
    if (controller === 'node controller') watchKubelets(world);
    else if (world.chance.strikes(ROUNDS)) for (const node of [...world.nodes.values()]) act(controller, node, world);
  }
}

function watchKubelets(world: World): void {
  for (const node of world.nodes.values()) {
    const ready = conditionOf(node, world);
    if (ready === node.ready) continue;
    node.ready = ready;
    world.store.change(node);
  }
}

function conditionOf(node: StoredNode, world: World): StoredNode['ready'] {
  const { conditionsBy, silentAs } = world.release;
  const silentMs = world.nowMs - node.postedAtMs;
  switch (conditionsBy) {
    case 'kubelet':
      if (node.posts.size === 0) return silentMs > NEVER_POSTED_MS ? silentAs : node.ready;
      return silentMs > POST_STANDS_MS ? silentAs : node.ready;
    case 'controller':
      return world.answersApi(node) === 'healthy' ? 'true' : 'unknown';
    default:
      return 'none';
  }
}

function act(controller: Controller, node: StoredNode, { hosts, store }: World): void {
  switch (controller) {
    case 'cloud controller':
      if (!hosts.some(({ name, isOn }) => isOn && name === node.name)) store.remove(node);
      return;
    case 'label policy':
      if (node.labels.delete('zone') || node.labels.delete('kube-register.io/managed')) store.change(node);
      return;
    case 'mark policy': {
      const ours = [...node.annotations.keys()].filter((key) => key.startsWith('kube-register.io/'));
      for (const key of ours) node.annotations.delete(key);
      if (ours.length > 0) store.change(node);
      return;
    }
    case 'finalizers':
      if (node.deletedAtMs !== undefined) store.finish(node);
      return;
    case 'node controller':
  }
}
