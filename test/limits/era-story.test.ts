/** One story against the API servers of every era: what is registered, kept, and let go. */
import { describe, it, type TestContext } from 'vitest';
import type { PassReport, Reconciler } from '../../src/reconcile/reconciler.ts';
import { ERAS, type Era, type EraServer, startServer } from '../integration/eras.ts';
import { type LoopOptions, reconcilerOf, TestClock, verdictOf, WORKER } from '../integration/in-lab.ts';
import { answerWith, hang } from '../lab/faults.ts';
import { type Fleet, startFleet } from '../lab/fleet.ts';
import { type Kubelet, type Kubelets, startKubelets } from '../lab/kubelets.ts';
import { INTERVAL } from '../unit/reconcile/world.ts';

const NEVER = new AbortController().signal;
const MACHINE_ID = 'kube-register.io/machine-id';

/** A fleet of 2014 goes with the oldest servers. */
function fleetOf({ hidesMinions }: Era) {
  return startFleet({ version: hidesMinions ? '0.8.3' : '1.0.0' });
}

/** A cluster of one era, and a daemon that passes when it is told. */
class Cluster {
  readonly #expect: TestContext['expect'];
  readonly clock: TestClock;
  readonly fleet: Fleet;
  readonly kubelets: Kubelets;
  readonly server: EraServer;
  readonly #options: LoopOptions;
  #reconciler: Reconciler;
  #machines = 0;

  constructor(
    test: TestContext,
    parts: { fleet: Fleet; kubelets: Kubelets; server: EraServer },
    clock: TestClock,
    options: LoopOptions,
  ) {
    this.#expect = test.expect;
    this.clock = clock;
    this.fleet = parts.fleet;
    this.kubelets = parts.kubelets;
    this.server = parts.server;
    this.#options = { ...options, atEnd: test.onTestFinished };
    this.#reconciler = this.#start();
  }

  static async start(test: TestContext, era: Era, options: LoopOptions = {}): Promise<Cluster> {
    const clock = new TestClock();
    const [fleet, kubelets] = await Promise.all([fleetOf(era), startKubelets()]);
    const server = await startServer(era, kubelets.port, () => clock.monotonic());
    test.onTestFinished(async () => {
      await Promise.all([fleet.close(), kubelets.close(), server.close()]);
    });
    return new Cluster(test, { fleet, kubelets, server }, clock, options);
  }

  #start(): Reconciler {
    return reconcilerOf(
      { fleet: this.fleet, kubelets: this.kubelets, kubernetes: this.server },
      this.clock,
      this.#options,
    );
  }

  /** The daemon forgets all that it knew. */
  restart(): void {
    this.#reconciler = this.#start();
  }

  async addMachine(
    metadata: Record<string, string> = WORKER,
  ): Promise<{ id: string; kubelet: Kubelet; address: string }> {
    this.#machines += 1;
    const id = this.#machines.toString(16).padStart(32, '0');
    const kubelet = await this.kubelets.add();
    this.fleet.setMachine({ id, address: kubelet.address, metadata });
    return { id, kubelet, address: kubelet.address };
  }

  /** A good pass, after which an interval goes by. */
  async pass(): Promise<PassReport> {
    const report = await this.#reconciler.runOnce({ stop: NEVER, abandon: NEVER });
    this.#expect([...report.failures.values(), ...report.outcomes.filter(({ result }) => result === 'failed')]).toEqual(
      [],
    );
    this.clock.advance(INTERVAL);
    return report;
  }

  /** Passes until the nodes are so, or for two hours. */
  async passUntil(names: readonly string[]): Promise<void> {
    for (let pass = 0; pass < 240 && this.server.names.join() !== names.join(); pass++) await this.pass();
    this.#expect(this.server.names).toEqual(names);
  }

  /** `POST`, `DELETE`, ...: the writes since the log was cleared. */
  get writes(): string[] {
    return this.server.log.writes.map(({ method }) => method);
  }
}

/** Two healthy machines, one whose kubelet fails, one whose kubelet hangs, and one of another role. */
async function fiveMachines(test: TestContext, era: Era, options: LoopOptions = {}) {
  const cluster = await Cluster.start(test, era, { probeMs: 500, ...options });
  const first = await cluster.addMachine({ ...WORKER, zone: 'a', 'a.b': 'c' });
  const second = await cluster.addMachine();
  const failing = await cluster.addMachine();
  failing.kubelet.misbehave(answerWith(500));
  const hung = await cluster.addMachine();
  hung.kubelet.misbehave(hang);
  await cluster.addMachine({ role: 'etcd' });
  return { cluster, first, second, failing, hung };
}

describe.concurrent.each(ERAS)('the story with Kubernetes $version', (era) => {
  it('registers exactly the two that are healthy, with what the server keeps', async (test) => {
    const { expect } = test;
    const { cluster, first, second } = await fiveMachines(test, era, { policy: { nodeLabels: ['zone', 'a.b'] } });
    const report = await cluster.pass();
    expect(report.seen?.observation.era.server).toContain(`using API ${era.spoken}`);
    expect(cluster.server.names).toEqual([first.address, second.address]);
    expect(Object.keys(cluster.server.labelsOf(first.address)).sort()).toEqual(era.labels);
    expect(cluster.server.annotationsOf(first.address)[MACHINE_ID]).toBe(era.keepsMarks ? first.id : undefined);
    expect(cluster.writes).toEqual(['POST', 'POST']);

    cluster.server.log.clear();
    const next = await cluster.pass();
    expect(next.outcomes).toEqual([]);
    expect(cluster.writes).toEqual([]);
    expect(verdictOf(next, first.address)).toBe(era.keepsMarks ? 'keep' : 'recognised');
  });

  it('registers one that joins', async (test) => {
    const { expect } = test;
    const { cluster, first, second } = await fiveMachines(test, era);
    await cluster.pass();
    const newcomer = await cluster.addMachine();
    await cluster.pass();
    expect(cluster.server.names).toEqual([first.address, second.address, newcomer.address]);
  });

  it(
    era.hidesMinions ? 'leaves one that is destroyed to the server, which hides it' : 'lets go one that is destroyed',
    async (test) => {
      const { expect } = test;
      const { cluster, first, second, hung } = await fiveMachines(test, era);
      const third = await cluster.addMachine();
      await cluster.pass();
      await cluster.pass();
      await hung.kubelet.stop();
      cluster.server.log.clear();
      cluster.fleet.removeMachine(third.id);
      await third.kubelet.stop();
      if (!era.hidesMinions) {
        await cluster.passUntil([first.address, second.address]);
        expect(cluster.writes).toEqual(['DELETE']);
        return;
      }
      for (let pass = 0; pass < 40; pass++) await cluster.pass();
      const report = await cluster.pass();
      expect(report.seen?.observation.nodes.map(({ name }) => name).sort()).toEqual([first.address, second.address]);
      expect(cluster.writes).toEqual([]);
      expect(cluster.server.names).toContain(third.address);
    },
  );

  it('keeps one that leaves fleet with a living kubelet', async (test) => {
    const { expect } = test;
    const { cluster, first, second, hung } = await fiveMachines(test, era);
    const third = await cluster.addMachine();
    await cluster.pass();
    await hung.kubelet.stop();
    cluster.server.log.clear();
    cluster.fleet.removeMachine(third.id);
    for (let pass = 0; pass < 40; pass++) await cluster.pass();
    const report = await cluster.pass();
    expect(verdictOf(report, third.address)).toBe(era.keepsMarks ? 'orphan' : 'foreign');
    expect(cluster.server.names).toEqual([first.address, second.address, third.address]);
    expect(cluster.writes).toEqual([]);
  });

  it('changes nothing when the daemon is restarted', async (test) => {
    const { expect } = test;
    const { cluster } = await fiveMachines(test, era);
    await cluster.pass();
    cluster.server.log.clear();
    cluster.restart();
    const report = await cluster.pass();
    expect(report.outcomes).toEqual([]);
    expect(cluster.writes).toEqual([]);
  });

  it(
    era.canUpdate ? 'adopts what others registered' : 'recognises what others registered, and cannot mark it',
    async (test) => {
      const { expect } = test;
      const cluster = await Cluster.start(test, era);
      const { id, address } = await cluster.addMachine();
      cluster.server.register(address, address);
      const report = await cluster.pass();
      expect(verdictOf(report, address)).toBe(era.canUpdate ? 'adopt' : 'recognised');
      expect(cluster.server.annotationsOf(address)[MACHINE_ID]).toBe(era.canUpdate ? id : undefined);
      expect(cluster.writes).toEqual(era.canUpdate ? ['PATCH'] : []);
    },
  );

  it(`lists ${era.list}`, async (test) => {
    const { expect } = test;
    const { cluster } = await fiveMachines(test, era);
    await cluster.pass();
    await cluster.pass();
    cluster.server.log.clear();
    await cluster.pass();
    // The nodes have no conditions yet, so that each is read by itself where the list has metadata alone.
    const reads = cluster.server.log.of({ method: 'GET', path: /\/(nodes|minions)\/[^/]+$/ });
    expect(reads).toHaveLength(era.list === 'whole' ? 0 : 2);
  });
});
