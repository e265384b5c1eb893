/** What happens to hosts and their kubelets: they die, boot, hang, lose their network, are renamed and installed anew. */
import type { Chance } from './chance.ts';
import { type Event, isOff, isOn, namesOf, toAHost, toHosts } from './event.ts';
import type { Host } from './host.ts';
import { MINUTE } from './time.ts';
import type { World } from './world.ts';

export const HOST_EVENTS: readonly Event[] = [
  { kind: 'host joins', happen: (world, chance) => `${world.join(chance.pick(world.hosts)?.fleet).name} joins` },
  toAHost('host dies', dies, { weight: 3, which: isOn }),
  toAHost('host boots', boots, { weight: 3, which: isOff }),
  {
    kind: 'half of the hosts die',
    happen: (world, chance) => {
      const half = chance.some(world.hosts.filter(isOn), 0.5);
      for (const host of half) world.powerOff(host);
      return half.length === 0 ? undefined : `${namesOf(half)} die at once`;
    },
  },
  {
    kind: 'all hosts boot',
    happen: (world) => {
      for (const host of world.hosts) world.powerOn(host);
      return 'all hosts boot';
    },
  },
  toAHost(
    'host is replaced',
    (host, world) => {
      world.powerOff(host);
      return `dies and is replaced by ${world.join(host.fleet).name}`;
    },
    { which: isOn },
  ),
  toAHost('host is installed anew', (host, world, chance) => {
    world.powerOff(host);
    host.machineId = world.newMachineId();
    world.powerOn(host);
    if (chance.strikes(0.3)) world.setKubelet(host, 'unready');
    return `is installed anew, with a new machine id; its kubelet is ${host.kubelet}`;
  }),

  kubelet('stopped', 2),
  kubelet('hung'),
  kubelet('failing'),
  kubelet('unready'),
  kubelet('flapping'),
  kubelet('healthy', 4),
  toAHost('kubelet restarts', (host, world) => {
    world.restartKubelet(host);
    return 'its kubelet is started anew';
  }),
  toAHost('kubelet is renamed', (host, world, chance) => {
    const before = world.nodes.get(host.nodeName);
    host.namedBy = chance.pick(['address', 'hostname', 'override'] as const) ?? 'address';
    world.restartKubelet(host);
    if (host.nodeName === before?.name) return undefined;
    const isCordoned = before !== undefined && chance.strikes(0.3);
    if (isCordoned) before.unschedulable = true;
    return `its kubelet calls itself ${host.nodeName} from now on${isCordoned ? `, and node ${before.name} is cordoned` : ''}`;
  }),
  toHosts('kubelets call themselves localhost', 0.3, 'their kubelets call themselves localhost', (host, world) => {
    host.namedBy = 'localhost';
    world.restartKubelet(host);
  }),
  toHosts(
    'kubelets move into containers',
    0.8,
    'their kubelets report the machine id of their image',
    (host, world) => {
      host.reportsId = 'image';
      world.restartKubelet(host);
    },
  ),
  toAHost('kubelet reports other addresses', (host, _world, chance) => {
    host.reportsAddresses = chance.pick(['own', 'own and NAT', 'NAT', 'loopback', 'nothing'] as const) ?? 'own';
    return `its kubelet reports these addresses: ${host.reportsAddresses}`;
  }),

  toHosts('balancer is lost', 0.4, 'their kubelets lose the API server', (host, world) =>
    world.change(host, { reachesApi: false }),
  ),
  toHosts('balancer is back', 1, 'their kubelets reach the API server', (host, world) =>
    world.change(host, { reachesApi: true }),
  ),
  toAHost('firewall closes', (host, world) => {
    world.change(host, { isFirewalled: true });
    return 'a firewall closes the health ports of its kubelet';
  }),
  toHosts('firewalls close', 0.5, 'firewalls close the health ports', (host, world) =>
    world.change(host, { isFirewalled: true }),
  ),
  toHosts('firewalls open', 1, 'no firewall closes the health ports', (host, world) =>
    world.change(host, { isFirewalled: false }),
  ),
  toHosts('certificates expire', 1, 'all certificates of kubelets expire', (host, world) =>
    world.change(host, { hasExpiredCertificate: true }),
  ),
  toHosts('certificates are renewed', 1, 'all certificates of kubelets are renewed', (host, world) =>
    world.change(host, { hasExpiredCertificate: false }),
  ),

  toAHost('network of a host is lost', (host, world) => {
    world.cutOff(host);
    return 'its network is down';
  }),
  toHosts('networks are lost', 0.5, 'their networks are down', (host, world) => world.cutOff(host)),
  toHosts('networks are back', 1, 'all networks are up', (host, world) => world.reconnect(host)),
  { kind: 'rolling outage', happen: rollingOutage },
];

function dies(host: Host, world: World): string {
  world.powerOff(host);
  return 'dies';
}

function boots(host: Host, world: World): string {
  world.powerOn(host);
  return 'boots';
}

function kubelet(state: Host['kubelet'], weight = 1): Event {
  const become = (host: Host, world: World) => {
    if (host.kubelet === state) return undefined;
    world.setKubelet(host, state);
    return `its kubelet is ${state}`;
  };
  return toAHost(`kubelet is ${state}`, become, { weight });
}

/** Two hosts at a time lose their network, or their power, for longer than the usual grace. */
function rollingOutage(world: World, chance: Chance): string {
  const lastsMs = chance.between(3, 12) * MINUTE;
  const hosts = world.hosts.filter(isOn);
  const isPower = chance.strikes(0.3);
  const roll = async () => {
    for (let first = 0; first < hosts.length && !world.isCalm; first += 2) {
      const pair = hosts.slice(first, first + 2);
      for (const host of pair) isPower ? world.powerOff(host) : world.cutOff(host);
      await world.timeline.sleep(lastsMs);
      for (const host of pair) isPower ? world.powerOn(host) : world.reconnect(host);
    }
  };
  void roll();
  return `two hosts at a time lose their ${isPower ? 'power' : 'network'}, each for ${lastsMs / MINUTE} minutes`;
}
