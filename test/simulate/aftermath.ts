/** What must be so once all has been well for a while: who is registered, who is gone, and that nothing is left to do. */
import type { Copy } from './copy.ts';
import type { Conditions } from './court.ts';
import { ADDRESS, LABELS, MACHINE_ID, MANAGED, markOf, SINCE } from './oracle.ts';
import type { Referee } from './referee.ts';
import type { Host, StoredNode, World } from './world.ts';

/** Reasons that a machine may have for no node, or a node that is dead for being there. */
const EXCUSES = [
  'conflict',
  'unusable',
  'unnamed',
  'vetoed',
  'spared',
  'held',
  'probe-suspect',
  'orphan',
  'unmatched',
  'hidden',
  'refused',
];

/** Every healthy machine that matches has its node within two passes, or its verdict says why not. */
export function judgeRegistrations(world: World, copies: ReadonlyMap<number, Copy>, referee: Referee): void {
  const verdicts = [...copies.values()].map(({ last }) => last?.seen?.plan.machines);
  for (const host of plainHosts(world)) {
    const own = verdicts.map((each) => each?.get(host.machineId));
    const isExcused = own.some((verdict) => EXCUSES.includes(verdict?.name ?? ''));
    const hasNode = own.some((verdict) => verdict?.name === 'has-node' && world.nodes.has(verdict.node ?? ''));
    referee.expect(
      hasNode || isExcused || own.every((verdict) => verdict?.name === 'register'),
      '3: a candidate without a node, whose kubelet is healthy, is registered',
      () => `${host.name} has no node, and the verdicts are ${own.map((verdict) => verdict?.name)}`,
    );
  }
}

/** Every dead node that bears our mark is gone, or its verdict says why not; those of the living are marked; and nothing is left to do. */
export function judgeEnd(
  world: World,
  copies: ReadonlyMap<number, Copy>,
  referee: Referee,
  { policy }: Conditions,
): void {
  if (!world.release.era.hidesMinions) {
    for (const node of world.nodes.values()) judgeDeath(node, world, copies, referee);
    if (policy.adopt) {
      for (const host of plainHosts(world)) judgeMarks(host, world, copies, referee);
    }
  }
  // Which of two machines at one address answers there nobody can tell: one is registered and found dead again and again.
  const addresses = world.listed().map(({ address }) => address);
  if (new Set(addresses).size < addresses.length) return;
  for (const [number, { last }] of copies) {
    // Every ten minutes a server that hides minions is asked to register those again.
    const isUsual = world.release.era.hidesMinions ? ['dry-run', 'unneeded'] : ['dry-run'];
    const left = last?.outcomes.filter(({ result }) => !isUsual.includes(result)) ?? [];
    referee.expect(
      last !== undefined && left.length === 0 && last.failures.size === 0,
      '2: a pass on the same world finds nothing to do',
      () =>
        `copy ${number} still does: ${left.map(({ action, result, detail }) => `${action.kind} ${result} ${detail ?? ''}`)}; ${[...(last?.failures.values() ?? [])]}`,
    );
  }
}

function judgeDeath(node: StoredNode, world: World, copies: ReadonlyMap<number, Copy>, referee: Referee): void {
  const isAlive = node.ready === 'ready' || world.hosts.some((host) => belongs(node, host) && host.isOn);
  if (markOf(node) === undefined || isAlive) return;
  const verdicts = [...copies.values()].map(({ last }) => last?.seen?.plan.nodes.get(node.name)?.name ?? 'none');
  referee.expect(
    verdicts.some((name) => EXCUSES.includes(name)),
    '4: a node that is not alive is deregistered after its grace',
    () => `node ${node.name} is dead and still there, and the verdicts are ${verdicts.join(', ')}`,
  );
}

/** Marks and labels are as fleet has them, unless the key was there before us. */
function judgeMarks(host: Host, world: World, copies: ReadonlyMap<number, Copy>, referee: Referee): void {
  const names = [...copies.values()].map(({ last }) => last?.seen?.plan.machines.get(host.machineId)?.node);
  const node = world.nodes.get(names[0] ?? '');
  if (node === undefined || !host.hasAddress) return;
  const { labels, annotations } = node;
  const told = (rule: string, isSo: boolean, what: string) =>
    referee.expect(isSo, `3: ${rule}`, () => `node ${node.name} of ${host.name}: ${what}`);
  const mark = markOf(node);
  const isOurs = mark === host.machineId;
  const isRival = mark !== undefined && world.listed().some(({ machineId }) => machineId === mark);
  told('a candidate whose node has no mark is adopted', isOurs || isRival, `bears the mark ${mark}`);
  if (!isOurs) return;
  told(
    'the annotation address',
    annotations.get(ADDRESS) === host.address,
    `says it is at ${annotations.get(ADDRESS)}`,
  );
  told('since', annotations.has(SINCE), 'says not since when');
  told('the label managed is put back when missing', labels.get(MANAGED) === 'true', 'lacks the label managed');
  const isWritten = annotations.get(LABELS)?.split(',').includes('zone') === true;
  const zone = host.metadata['zone'];
  told(
    'only labels that we wrote go when the metadata key goes',
    !isWritten || zone !== undefined,
    'still has our label zone',
  );
  if (zone === undefined) return;
  told('NODE_LABELS copies', labels.has('zone'), `lacks the label zone=${zone}`);
  if (!isWritten || !/^\w+$/.test(zone)) return;
  told('labels that we wrote change', labels.get('zone') === zone, `has zone=${labels.get('zone')}, not ${zone}`);
}

/** Healthy ones that match; of two hosts with one address or one id nobody can tell which is which. */
function plainHosts(world: World): readonly Host[] {
  return world.listed().filter((host) => {
    const isTwin = (other: Host) => other.address === host.address || other.machineId === host.machineId;
    const isPlain = host.isOn && host.kubelet === 'healthy' && host.metadata['role'] === 'kubernetes';
    return isPlain && !world.hosts.some((other) => other !== host && isTwin(other));
  });
}

function belongs(node: StoredNode, host: Host): boolean {
  return (
    node.annotations.get(MACHINE_ID) === host.machineId ||
    node.machineId === host.machineId ||
    node.addresses.includes(host.address) ||
    node.name === host.nodeName ||
    node.name === host.metadata['host']
  );
}
