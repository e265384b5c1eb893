/** What happens to nodes: what operators, controllers and backups do to them. */
import type { Chance } from './chance.ts';
import type { Event } from './event.ts';
import { canPost } from './host.ts';
import { post } from './kubelets.ts';
import type { StoredNode } from './node-store.ts';
import type { World } from './world.ts';

interface NodeEvent {
  readonly kind: string;
  readonly weight?: number;
  readonly act: (node: StoredNode, world: World) => unknown;
}

const FINALIZER = 'example.com/cleanup';

/** The kind says what happens. */
const TO_NODES: readonly NodeEvent[] = [
  { kind: 'an operator keeps it', act: ({ annotations }) => annotations.set('kube-register.io/keep', 'true') },
  { kind: 'nobody keeps it', act: ({ annotations }) => annotations.delete('kube-register.io/keep'), weight: 2 },
  { kind: 'it is cordoned', act: (node) => Object.assign(node, { unschedulable: true }) },
  { kind: 'it is uncordoned', act: (node) => Object.assign(node, { unschedulable: false }), weight: 2 },
  { kind: 'an operator sets its label zone', act: ({ labels }) => labels.set('zone', 'mine') },
  { kind: 'its label managed is removed', act: ({ labels }) => labels.delete('kube-register.io/managed') },
  { kind: 'its mark is removed', act: ({ annotations }) => annotations.delete('kube-register.io/machine-id') },
  { kind: 'its mark is emptied', act: ({ annotations }) => annotations.set('kube-register.io/machine-id', '') },
  { kind: 'an operator deletes it', act: (node, { store }) => store.remove(node) },
  { kind: 'its status cannot be read', act: (node) => Object.assign(node, { ready: 'unreadable' }) },
  {
    kind: 'it gets a finalizer',
    act: (node, { release }) => Object.assign(node, release.hasFinalizers ? { finalizers: [FINALIZER] } : {}),
    weight: 3,
  },
  { kind: 'its finalizers are done', act: (node, { store }) => store.finish(node), weight: 2 },
];

/** What can happen only while a copy looks at it. */
const MEDDLING: readonly NodeEvent[] = [
  ...TO_NODES,
  { kind: 'its kubelet reports', act: report, weight: 2 },
  { kind: 'it is made anew, with all that stood on it', act: (node, world) => makeAnew(node, world, true) },
  { kind: 'it is made anew by an operator', act: (node, world) => makeAnew(node, world, false) },
];

export const NODE_EVENTS: readonly Event[] = [
  {
    kind: 'an operator creates a node',
    happen: (world, chance) => {
      const host = chance.pick(world.hosts);
      if (host === undefined) return undefined;
      const name = chance.pick([host.address, host.name, host.nodeName]) ?? host.name;
      if (world.nodes.has(name)) return undefined;
      world.store.create({ name, address: host.address, labels: new Map(), annotations: new Map() });
      return `an operator creates node ${name} for ${host.name}`;
    },
  },
  ...TO_NODES.map(
    (event): Event => ({
      ...event,
      happen: (world, chance) => {
        const node = chance.pick([...world.nodes.values()]);
        return node && happenTo(node, event, world);
      },
    }),
  ),
];

/** Something happens to a node at the worst moment: while a copy looks at it. */
export function meddle(world: World, chance: Chance, name: string): string | undefined {
  const node = world.nodes.get(name);
  const event = chance.pick(MEDDLING);
  return node && event && happenTo(node, event, world);
}

function happenTo(node: StoredNode, { kind, act }: NodeEvent, world: World): string {
  act(node, world);
  world.store.change(node);
  return `node ${node.name}: ${kind}`;
}

/** Where there is one that can. */
function report(node: StoredNode, world: World) {
  const host = world.hosts.find((each) => canPost(each) && world.isNodeOf(node, each));
  if (host !== undefined && world.release.conditionsBy === 'kubelet') post(host, node, world);
}

function makeAnew({ name, addresses: [address = ''], labels, annotations }: StoredNode, world: World, marked: boolean) {
  const nothing = new Map<string, string>();
  world.store.nodes.delete(name);
  world.store.create({
    name,
    address,
    ...(marked ? { labels, annotations } : { labels: nothing, annotations: nothing }),
  });
}
