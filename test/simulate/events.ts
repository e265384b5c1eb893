/** What can happen to a simulated cluster. Each event does one thing to the truth and says in words what it did. */
import type { Chance } from './chance.ts';
import { RELEASES } from './release.ts';
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

function toANode({ what, act }: NodeEvent): Event {
  return (world, chance) => {
    const node = chance.pick([...world.nodes.values()]);
    return node && happenTo(node, { what, act }, world);
  };
}

interface NodeEvent {
  readonly what: string;
  readonly act: (node: StoredNode, world: World) => unknown;
}

function happenTo(node: StoredNode, { what, act }: NodeEvent, world: World): string {
  act(node, world);
  world.change(node);
  return `node ${node.name}: ${what}`;
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
  toAHost(kubeletBecomes('flapping'), isOn),
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
  toAHost(getsMetadata('zone', ['a', 'b', 'c', 'east side', '--'])),
  toAHost((host) => {
    const { zone, ...others } = host.metadata;
    host.metadata = others;
    return zone === undefined ? undefined : 'loses its zone';
  }),
  toAHost(getsMetadata('host', ['db', 'Db'])),
  (world, chance) => {
    const other = chance.pick(world.hosts);
    if (other === undefined) return undefined;
    const { name } = other;
    world.powerOff(other);
    other.address = other.address.replace('10.0.0.', '10.0.1.');
    world.powerOn(other);
    const host = world.join();
    host.metadata = { ...host.metadata, host: other.metadata['host'] ?? name };
    return `${host.name} joins with the name of ${name}, which comes back at another address`;
  },
  (world, chance) => {
    const some = world.hosts.filter(() => chance.strikes(0.3));
    for (const host of some) host.metadata = { ...host.metadata, host: 'db' };
    return `${some.map(({ name }) => name).join(', ')}: all named db`;
  },
  toAHost((host) => {
    const { host: name, ...others } = host.metadata;
    host.metadata = others;
    return name === undefined ? undefined : 'loses the name in its metadata';
  }),
  toAHost((host) => {
    host.hasAddress = !host.hasAddress;
    return host.hasAddress ? 'fleet knows its address again' : 'fleet loses its address';
  }),
  (world, chance) => {
    const host = chance.pick(world.hosts.filter(isOn));
    if (host === undefined) return undefined;
    world.powerOff(host);
    return `${host.name} is replaced by ${world.join().name}`;
  },
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
    host.address = other.address;
    return `has the address of ${other.name} too`;
  }),
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

const TO_NODES: readonly NodeEvent[] = [
  { what: 'an operator keeps it', act: ({ annotations }) => annotations.set('kube-register.io/keep', 'true') },
  { what: 'nobody keeps it', act: ({ annotations }) => annotations.delete('kube-register.io/keep') },
  { what: 'is cordoned', act: (node) => Object.assign(node, { unschedulable: true }) },
  { what: 'is uncordoned', act: (node) => Object.assign(node, { unschedulable: false }) },
  { what: 'an operator sets the label zone', act: ({ labels }) => labels.set('zone', 'mine') },
  { what: 'loses the label managed', act: ({ labels }) => labels.delete('kube-register.io/managed') },
  { what: 'loses its mark', act: ({ annotations }) => annotations.delete('kube-register.io/machine-id') },
  { what: 'its mark is emptied', act: ({ annotations }) => annotations.set('kube-register.io/machine-id', '') },
  { what: 'an operator deletes it', act: ({ name }, world) => world.nodes.delete(name) },
];

const NODES: readonly Event[] = [
  (world, chance) => {
    const host = chance.pick(world.hosts);
    if (host === undefined || world.nodes.has(host.address)) return undefined;
    world.create({ name: host.address, address: host.address, labels: new Map(), annotations: new Map() });
    return `an operator creates node ${host.address}`;
  },
  ...TO_NODES.map(toANode),
];

const WEATHER: readonly Event[] = [
  ...(['fair', 'fair', 'fails', 'hangs', 'partial', 'empty'] as const).map((fleet): Event => becomes({ fleet })),
  ...(['fair', 'fair', 'fails', 'slow', 'flaky', 'fails after storing', 'refuses'] as const).map(
    (api): Event => becomes({ api }),
  ),
  (world) => {
    world.backUp();
    return 'the API server is backed up';
  },
  (world) => {
    world.restore();
    return 'the API server is restored from its backup';
  },
  (world, chance) => {
    // v0.8 kept its minions otherwise: no upgrade led from it to here.
    const others = [RELEASES['v1.0.7'], RELEASES['v1.9.2'], RELEASES['v1.20.2']];
    if (world.release.era.hidesMinions) return undefined;
    world.release = chance.pick(others) ?? world.release;
    return `the API server is ${world.release.version} now`;
  },
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

/** Something happens to a node at the worst moment: while a copy looks at it. */
export function meddle(world: World, chance: Chance, name: string): string | undefined {
  const node = world.nodes.get(name);
  const event = chance.pick(MEDDLING);
  return node && event && happenTo(node, event, world);
}

const MEDDLING: readonly NodeEvent[] = [
  ...TO_NODES,
  { what: 'its kubelet reports that it is ready', act: (node) => Object.assign(node, { ready: 'ready' }) },
  {
    what: 'is made anew, with all that stood on it',
    act: ({ name, addresses: [address = ''], labels, annotations }, world) => {
      world.nodes.delete(name);
      world.create({ name, address, labels, annotations });
    },
  },
  {
    what: 'is made anew by an operator',
    act: ({ name, addresses: [address = ''] }, world) => {
      world.nodes.delete(name);
      world.create({ name, address, labels: new Map(), annotations: new Map() });
    },
  },
];
