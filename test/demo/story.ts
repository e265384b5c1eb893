/** The story of the demo: what happens to the cluster, and what the daemon makes of it. */
import type { DaemonActor, LabActor, Seen } from './actors.ts';
import { result, step } from './console.ts';

/** How long the story takes. */
export const LENGTH = '45 seconds';

const WORKERS = 6;
const STEPS = 7;
/** Twice the grace periods of the demo. */
const TWICE_THE_GRACE_MS = 8_000;

/** Tells the lab what happens and reads each consequence from the daemon. */
export class Story {
  readonly #lab: LabActor;
  readonly #daemon: DaemonActor;
  #steps = 0;

  constructor(lab: LabActor, daemon: DaemonActor) {
    this.#lab = lab;
    this.#daemon = daemon;
  }

  /** Resolves when the story is told; rejects when something does not come as told. */
  async tell(): Promise<void> {
    const workers = await this.#machinesJoin();
    const [failing = '', destroyed = ''] = workers;
    await this.#oneMoreJoins();
    await this.#kubeletDies(failing);
    await this.#machineIsDestroyed(destroyed);
    await this.#fleetForgets();
    await this.#networkBreaks();
    await this.#allIsWellAgain(failing);
  }

  async #machinesJoin(): Promise<readonly string[]> {
    this.#step(`${WORKERS} machines with the metadata role=kubernetes join fleet, and one with role=etcd.`);
    const workers: string[] = [];
    for (let count = 0; count < WORKERS; count += 1) {
      workers.push(await this.#lab.tell({ kind: 'join', role: 'kubernetes' }));
    }
    const other = await this.#lab.tell({ kind: 'join', role: 'etcd' });
    const seen = await this.#daemon.until('all workers have a node', (status) =>
      workers.every((each) => nodeOf(status, each) !== undefined),
    );
    await this.#lab.tell({ kind: 'kubelets report ready' });
    const { verdict, reason } = machineAt(seen, other);
    result(`${seen.nodes.length} nodes are registered. The machine with role=etcd is ${verdict}: ${reason}.`);
    return workers;
  }

  async #oneMoreJoins(): Promise<void> {
    this.#step('Another machine joins.');
    const address = await this.#lab.tell({ kind: 'join', role: 'kubernetes' });
    await this.#daemon.until('the new machine has a node', (seen) => nodeOf(seen, address) !== undefined);
    await this.#lab.tell({ kind: 'kubelets report ready' });
    const seen = await this.#daemon.until('it is Ready', (status) =>
      /node Ready/.test(nodeOf(status, address)?.reason ?? ''),
    );
    result(
      `Node ${address} is registered. Its verdict is ${nodeOf(seen, address)?.verdict}: ${nodeOf(seen, address)?.reason}.`,
    );
  }

  async #kubeletDies(address: string): Promise<void> {
    this.#step(`The kubelet of ${address} dies. fleet still lists its machine.`);
    await this.#lab.tell({ kind: 'kubelet fails', address });
    await this.#graceBegins(address);
    const seen = await this.#goes(address);
    const { verdict, reason } = machineAt(seen, address);
    result(`The node is deregistered, ${seen.nodes.length} nodes stay. Its machine is ${verdict}: ${reason}.`);
  }

  async #machineIsDestroyed(address: string): Promise<void> {
    this.#step(`Machine ${address} is destroyed. fleet no longer lists it, and its kubelet is unreachable.`);
    await this.#lab.tell({ kind: 'destroy', address });
    await this.#graceBegins(address);
    const seen = await this.#goes(address);
    result(`The node is deregistered, ${seen.nodes.length} nodes stay.`);
  }

  async #fleetForgets(): Promise<void> {
    this.#step('fleet has trouble with etcd: it answers that there are no machines at all.');
    await this.#lab.tell({ kind: 'fleet forgets' });
    const seen = await this.#daemon.until('all are orphans', (status) => all(status, 'orphan'));
    result(`All ${seen.nodes.length} nodes are kept, because they are alive. The first one: ${seen.nodes[0]?.reason}.`);
  }

  async #networkBreaks(): Promise<void> {
    this.#step('Now the network breaks too: no kubelet is reachable, and Kubernetes calls every node Unknown.');
    await this.#lab.tell({ kind: 'network breaks' });
    const held = await this.#daemon.until(
      'the deletion guard is active',
      (seen) => seen.guard.held && all(seen, 'held'),
    );
    const since = held.pass.lastSuccess;
    const later = await this.#daemon.until('passes go on', (seen) => passesLater(seen, since, TWICE_THE_GRACE_MS));
    result(
      `After twice the grace period all ${later.nodes.length} nodes are still there: the deletion guard keeps them.`,
    );
  }

  async #allIsWellAgain(returned: string): Promise<void> {
    this.#step(`All is well again, and the kubelet of ${returned} is back.`);
    await this.#lab.tell({ kind: 'all is well again' });
    await this.#daemon.until(`${returned} has a node again`, (seen) => nodeOf(seen, returned) !== undefined);
    await this.#lab.tell({ kind: 'kubelets report ready' });
    const seen = await this.#daemon.until(
      'every node is kept',
      (status) => all(status, 'keep') && !status.guard.held && status.nodes.length === WORKERS,
    );
    const others = seen.machines.filter(({ verdict }) => verdict === 'not-selected').length;
    result(
      `All ${seen.nodes.length} nodes are kept, ${returned} is registered again, and ${others} machine is still not selected.`,
    );
  }

  async #graceBegins(address: string): Promise<void> {
    const seen = await this.#daemon.until(
      'its grace period runs',
      (status) => nodeOf(status, address)?.verdict === 'in-grace',
    );
    const { reason, next } = nodeOf(seen, address) ?? {};
    result(`Node ${address} is in-grace: ${reason}; ${next}.`);
  }

  #goes(address: string): Promise<Seen> {
    return this.#daemon.until('it is deregistered', (seen) => nodeOf(seen, address) === undefined);
  }

  #step(sentence: string): void {
    this.#steps += 1;
    step(this.#steps, STEPS, sentence);
  }
}

function nodeOf(seen: Seen, name: string): Seen['nodes'][number] | undefined {
  return seen.nodes.find((node) => node.name === name);
}

function all(seen: Seen, verdict: string): boolean {
  return seen.nodes.length > 0 && seen.nodes.every((node) => node.verdict === verdict);
}

function machineAt(seen: Seen, address: string): Seen['machines'][number] {
  const machine = seen.machines.find(({ addresses }) => addresses.includes(address));
  if (machine === undefined) throw new Error(`no machine has the address ${address}`);
  return machine;
}

function passesLater(seen: Seen, since: string | null, ms: number): boolean {
  return Date.parse(seen.pass.lastSuccess ?? '') - Date.parse(since ?? '') >= ms;
}
