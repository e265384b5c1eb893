/** Calm: every fault ends. What is a permanent lie (a cloned disk, an image's machine id, a closed port) may stay. */
import type { Chance } from './chance.ts';
import type { Host } from './host.ts';
import type { World } from './world.ts';

export function calm(world: World, chance: Chance): void {
  world.isCalm = true;
  for (const fleet of Object.values(world.fleets)) {
    fleet.weather = 'fair';
    fleet.forgetLeftovers();
  }
  world.api = 'fair';
  world.mend();
  world.releases = [world.release];
  const staysUnwatched = !world.controllers.has('node controller') && chance.strikes(0.3);
  world.controllers.clear();
  if (!staysUnwatched) world.controllers.add('node controller');
  if (chance.strikes(0.7)) for (const node of [...world.nodes.values()]) world.store.finish(node);
  if (chance.strikes(0.5)) world.strangers.clear();
  for (const host of world.hosts) recover(host, world, chance);
  parted(world, chance);
}

function recover(host: Host, world: World, chance: Chance): void {
  world.reconnect(host);
  world.change(host, {
    reachesApi: true,
    isFirewalled: host.isFirewalled && chance.strikes(0.3),
    hasExpiredCertificate: false,
  });
  if (!host.hasAgent && chance.strikes(0.5)) host.hasAgent = true;
  if (chance.strikes(0.5)) host.announces = 'address';
  if (host.kubelet === 'flapping') world.setKubelet(host, 'healthy');
  if (host.kubelet === 'hung') world.setKubelet(host, chance.strikes(0.5) ? 'healthy' : 'stopped');
  if (host.kubelet === 'failing' && chance.strikes(0.5)) world.setKubelet(host, 'healthy');
}

/** No address is used twice any more, and most ids are not. */
function parted(world: World, chance: Chance): void {
  const addresses = new Set<string>(world.strangers.keys());
  const ids = new Set<string>();
  for (const host of [...world.hosts].sort((a, b) => Number(b.isOn) - Number(a.isOn))) {
    if (addresses.has(host.address)) {
      world.move(host, world.freshAddress());
      world.restartKubelet(host);
    }
    if (ids.has(host.machineId) && chance.strikes(0.7)) {
      host.machineId = world.newMachineId();
      world.restartKubelet(host);
    }
    addresses.add(host.address);
    ids.add(host.machineId);
  }
}
