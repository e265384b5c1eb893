/** What can happen to a simulated cluster. Each event does one thing to the truth and says in words what it did. */
import type { Chance } from './chance.ts';
import type { Host, StoredNode, Weather, World } from './world.ts';

/** Undefined when there was nobody to whom it could have happened. */
type Event = (world: World, chance: Chance) => string | undefined;

/** `act` says what it did, or undefined when it could not. */
function toAHost(
  act: (host: Host, world: World, chance: Chance) => string | undefined,
  which: (host: Host) => boolean = () => true,
): Event {
  return (world, chance) => {
    const host = chance.pick(world.hosts.filter(which));
    const what = host && act(host, world, chance);
    return host && what && `${host.name} (${host.address}): ${what}`;
  };
}

function toANode(what: string, act: (node: StoredNode, world: World) => unknown): Event {
  return (world, chance) => {
    const node = chance.pick([...world.nodes.values()]);
    if (node === undefined) return undefined;
    act(node, world);
    world.change(node);
    return `node ${node.name}: ${what}`;
  };
}

const isOn = ({ isOn }: Host) => isOn;
const isOff = ({ isOn }: Host) => !isOn;

/** The more often it stands here, the more often it happens. */
const HOSTS: readonly Event[] = [
  (world) => `${world.join().name} joins`,
  toAHost(powerOff, isOn),
  toAHost(powerOff, isOn),
  toAHost(powerOn, isOff),
  toAHost(powerOn, isOff),
  toAHost(kubeletBecomes('stopped'), isOn),
  toAHost(kubeletBecomes('hung'), isOn),
  toAHost(kubeletBecomes('failing'), isOn),
  toAHost(kubeletBecomes('healthy')),
  toAHost(kubeletBecomes('healthy')),
  toAHost((host, world) => {
    world.stopAgent(host);
    return "fleet's agent stops";
  }),
  toAHost((host, world) => {
    world.startAgent(host);
    return "fleet's agent starts";
  }),
  toAHost(getsMetadata('role', ['etcd'])),
  toAHost(getsMetadata('role', ['kubernetes'])),
  toAHost(getsMetadata('zone', ['a', 'b', 'c'])),
  toAHost((host, world) => {
    world.powerOff(host);
    host.machineId = world.newMachineId();
    world.powerOn(host);
    return 'is installed anew, with a new machine id';
  }),
  toAHost((host, world) => {
    world.powerOff(host);
    host.address = host.address.replace('10.0.0.', '10.0.1.');
    world.powerOn(host);
    return 'comes back at another address';
  }),
  toAHost((host, world, chance) => {
    const other = chance.pick(world.hosts.filter((each) => each !== host && !each.isOn));
    if (other === undefined) return undefined;
    host.address = other.address;
    return `takes over the address of ${other.name}`;
  }, isOn),
  toAHost((host, world, chance) => {
    const other = chance.pick(world.hosts.filter((each) => each !== host));
    if (other === undefined) return undefined;
    host.machineId = other.machineId;
    return `is a clone of ${other.name}`;
  }),
  (world, chance) => {
    const half = world.hosts.filter(() => chance.strikes(0.5));
    for (const host of half) world.powerOff(host);
    return `${half.length} hosts die at once`;
  },
  (world) => {
    for (const host of world.hosts) world.powerOn(host);
    return 'all hosts boot';
  },
];

function powerOff(host: Host, world: World): string {
  world.powerOff(host);
  return 'dies';
}

function powerOn(host: Host, world: World): string {
  world.powerOn(host);
  return 'boots';
}

function kubeletBecomes(state: Host['kubelet']) {
  return (host: Host, world: World): string => {
    world.setKubelet(host, state);
    return `its kubelet is ${state}`;
  };
}

function getsMetadata(key: string, values: readonly string[]) {
  return (host: Host, _world: World, chance: Chance): string => {
    const value = chance.pick(values) ?? '';
    host.metadata = { ...host.metadata, [key]: value };
    return `gets ${key}=${value}`;
  };
}

const NODES: readonly Event[] = [
  toANode('an operator keeps it', ({ annotations }) => annotations.set('kube-register.io/keep', 'true')),
  toANode('nobody keeps it', ({ annotations }) => annotations.delete('kube-register.io/keep')),
  toANode('is cordoned', (node) => Object.assign(node, { unschedulable: true })),
  toANode('is uncordoned', (node) => Object.assign(node, { unschedulable: false })),
  toANode('an operator sets the label zone', ({ labels }) => labels.set('zone', 'mine')),
  toANode('loses the label managed', ({ labels }) => labels.delete('kube-register.io/managed')),
  toANode('loses its mark', ({ annotations }) => annotations.delete('kube-register.io/machine-id')),
  toANode('an operator deletes it', ({ name }, world) => world.nodes.delete(name)),
];

const WEATHER: readonly Event[] = [
  ...(['fair', 'fair', 'fails', 'hangs', 'partial', 'empty'] as const).map((fleet): Event => becomes({ fleet })),
  ...(['fair', 'fair', 'fails', 'slow', 'flaky', 'fails after storing'] as const).map((api): Event => becomes({ api })),
  ...['0 fleet', '0 api', '0 kubelets', '1 fleet', '1 api', '1 kubelets', 'kubelets api'].map(cutOff),
  mend,
  mend,
  mend,
  mend,
];

function becomes(weather: Partial<Pick<Weather, 'fleet' | 'api'>>): Event {
  return (world) => {
    Object.assign(world.weather, weather);
    return Object.entries(weather)
      .map(([server, state]) => `${server}: ${state}`)
      .join(', ');
  };
}

function cutOff(cut: string): Event {
  return ({ weather }) => {
    weather.cuts.add(cut);
    return `cut: ${cut}`;
  };
}

function mend({ weather }: World): string {
  weather.cuts.clear();
  return 'all cuts are mended';
}

/** Something happens: to a host, to a node, or to the wires between them. */
export function happen(world: World, chance: Chance): string | undefined {
  const kind = chance.next();
  return chance.pick(kind < 0.5 ? HOSTS : kind < 0.7 ? NODES : WEATHER)?.(world, chance);
}
