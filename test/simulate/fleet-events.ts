/** What happens to what fleet says of hosts: metadata, addresses that move, ids that are cloned, records that are old. */
import { type Event, isOn, namesOf, toAHost } from './event.ts';
import type { Host } from './host.ts';
import { MINUTE } from './time.ts';
import type { World } from './world.ts';

export const FLEET_EVENTS: readonly Event[] = [
  toAHost('agent stops', (host) => {
    host.hasAgent = false;
    return "fleet's agent stops";
  }),
  toAHost('agent is lost', (host, world) => {
    world.fleets[host.fleet].lose(host);
    host.hasAgent = false;
    return "fleet's agent is killed";
  }),
  toAHost(
    'agent starts',
    (host) => {
      host.hasAgent = true;
      host.announces = 'address';
      return "fleet's agent starts";
    },
    { weight: 3 },
  ),
  toAHost('agent starts before the network', (host) => {
    host.announces = 'loopback';
    return 'its agent started before the network: fleet lists it at 127.0.0.1';
  }),
  toAHost('agent knows no address', (host) => {
    host.announces = 'nothing';
    return 'fleet lists it without an address';
  }),
  toAHost('stale record', (host, world, chance) => {
    const other = chance.pick(world.hosts.filter((each) => each !== host));
    if (other === undefined) return undefined;
    host.hasAgent = false;
    const stale = { id: chance.strikes(0.5) ? other.machineId : world.newMachineId(), address: host.address };
    world.fleets[host.fleet].keep({ ...stale, metadata: other.metadata }, world.nowMs + chance.between(5, 60) * MINUTE);
    return `its agent stops, and a stale record of machine ${stale.id.slice(0, 8)} has its address`;
  }),

  metadata('role', ['etcd']),
  metadata('role', ['kubernetes'], 2),
  metadata('zone', ['a', 'b', 'c', 'east side', '--']),
  metadata('host', ['db', 'Db']),
  loses('zone'),
  loses('host'),
  {
    kind: 'hosts are named alike',
    happen: (world, chance) => {
      const some = chance.some(world.hosts, 0.3);
      for (const host of some) host.metadata = { ...host.metadata, host: 'db' };
      return some.length === 0 ? undefined : `${namesOf(some)}: all named db`;
    },
  },

  toAHost('address changes at boot', (host, world) => {
    world.powerOff(host);
    world.move(host, world.freshAddress());
    world.powerOn(host);
    return 'comes back at another address';
  }),
  toAHost('address changes', (host, world, chance) => {
    const isRestarted = chance.strikes(0.5);
    world.move(host, world.freshAddress());
    if (isRestarted) world.restartKubelet(host);
    return `gets the address ${host.address}${isRestarted ? ', and its kubelet is started anew' : ''}`;
  }),
  toAHost('addresses are swapped', (host, world, chance) => {
    const other = chance.pick(world.hosts.filter((each) => each !== host));
    if (other === undefined) return undefined;
    const { address } = host;
    world.move(host, other.address);
    world.move(other, address);
    const isRestarted = chance.strikes(0.5);
    if (isRestarted) for (const each of [host, other]) world.restartKubelet(each);
    return `exchanges addresses with ${other.name}${isRestarted ? ', and their kubelets are started anew' : ''}`;
  }),
  toAHost('address changes and a newcomer has the old one', (host, world, chance) => {
    const { address } = host;
    world.move(host, world.freshAddress());
    if (chance.strikes(0.7)) world.change(host, { reachesApi: false });
    if (chance.strikes(0.3)) host.machineId = world.newMachineId();
    const newcomer = world.join(host.fleet);
    world.move(newcomer, address);
    if (chance.strikes(0.7)) world.setKubelet(newcomer, 'stopped');
    return `moves to ${host.address}, and ${newcomer.name} joins at its old address`;
  }),
  toAHost('address of a dead host is reused', (host, world, chance) => {
    const other = chance.pick(world.hosts.filter((each) => each !== host && !each.isOn));
    return other && takeAddress(host, other, world, chance.strikes(0.5));
  }),
  toAHost('address is used twice', (host, world, chance) => {
    const other = chance.pick(world.hosts.filter((each) => each !== host && each.isOn));
    return other && takeAddress(host, other, world, chance.strikes(0.5));
  }),
  {
    kind: 'stranger',
    happen: (world, chance) => {
      const dead = chance.pick(world.hosts.filter((host) => !isOn(host)));
      if (dead === undefined) return undefined;
      const answer = chance.strikes(0.5) ? 'healthy' : 'answers';
      world.strangers.set(dead.address, answer);
      return `a stranger at ${dead.address}, where ${dead.name} was, ${answer === 'healthy' ? 'answers 200' : 'answers 404'}`;
    },
  },
  toAHost('disk is cloned', (host, world, chance) => {
    const other = chance.pick(world.hosts.filter((each) => each !== host));
    if (other === undefined) return undefined;
    host.machineId = other.machineId;
    return `is a clone of ${other.name}`;
  }),
];

function metadata(key: string, values: readonly string[], weight = 1): Event {
  return toAHost(
    `metadata ${key} is ${values.join(' or ')}`,
    (host, _world, chance) => {
      const value = chance.pick(values) ?? '';
      host.metadata = { ...host.metadata, [key]: value };
      return `gets ${key}=${value}`;
    },
    { weight },
  );
}

function loses(key: string): Event {
  return toAHost(`metadata ${key} is lost`, (host) => {
    const { [key]: value, ...others } = host.metadata;
    host.metadata = others;
    return value === undefined ? undefined : `loses its ${key}`;
  });
}

function takeAddress(host: Host, other: Host, world: World, isRestarted: boolean): string {
  world.move(host, other.address);
  if (isRestarted) world.restartKubelet(host);
  return `has the address of ${other.name} too${isRestarted ? ', and its kubelet is started anew' : ''}`;
}
