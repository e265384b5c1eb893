/** A cluster with a bit of everything, its daemon and its page, at a time that stands still: what the screenshots show. */
import { createHash } from 'node:crypto';
import { assemble } from '../../src/daemon/assemble.ts';
import type { Daemon } from '../../src/daemon/daemon.ts';
import type { Status } from '../../src/status/document.ts';
import type { Clock } from '../../src/time/clock.ts';
import { systemClock } from '../../src/time/clock.ts';
import { pageRoutes } from '../../src/web/page/routes.ts';
import { startWebServer } from '../../src/web/server.ts';
import { hang } from '../lab/faults.ts';
import { type Lab, type LabMachine, startLab } from '../lab/lab.ts';
import { read } from '../unit/settings/read-settings.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const INTERVAL = 30 * SECOND;
/** How long a pass takes by the daemon's clock. */
const PASS_MS = 412;
/** Where kubelets answer, so that a screenshot says the same each time. */
const KUBELET_PORT = 10_255;

export interface Showcase {
  readonly url: string;
  /** What the daemon's clock says, now and for ever. */
  readonly now: Date;
  readonly status: Status;
  close(): Promise<void>;
}

/** What the story ends with. */
export const ENDINGS = ['all is well', 'all is as usual', 'fleet is away', 'nodes are away'] as const;
type Ending = (typeof ENDINGS)[number];

class StandingClock implements Clock {
  #ms = 0;

  wall(): number {
    return Date.UTC(2026, 0, 14, 5, 30) + this.#ms;
  }

  monotonic(): number {
    return this.#ms;
  }

  advance(ms: number): void {
    this.#ms += ms;
  }
}

export async function startShowcase(ending: Ending = 'all is as usual'): Promise<Showcase> {
  const lab = await startLab({ kubelets: { port: KUBELET_PORT } });
  const clock = new StandingClock();
  const settings = read([], {
    FLEET_ENDPOINT: lab.fleet.endpoint,
    API_ENDPOINT: lab.kubernetes.url,
    HEALTHZ_URL: lab.kubelets.healthzUrl,
    HEALTHZ_TIMEOUT: '200ms',
    SYNC_INTERVAL: '30s',
  });
  const log = { write: () => {}, debug: () => {} };
  const { daemon, metrics, close } = await assemble(settings, { log, clock, version: '0.1.0' });
  await playStory(lab, clock, ending, async (ms) => {
    for (let left = ms; left > 0; left -= INTERVAL) {
      const pass = daemon.runOnce();
      clock.advance(PASS_MS);
      await pass;
      clock.advance(INTERVAL - PASS_MS);
    }
  });
  await lastPass(daemon, clock);

  const listen = { host: '127.0.0.1', port: 0 };
  const routes = {
    metrics: () => metrics.exposition(),
    healthz: () => daemon.healthz(),
    readyz: () => daemon.readyz(),
    status: () => daemon.statusSteps(),
    ...pageRoutes(daemon, { listen: listen.host, pageHosts: [] }, { log, clock }),
  };
  const server = await startWebServer({ listen, routes, log, clock: systemClock });
  return {
    url: `http://127.0.0.1:${server.address.port}`,
    now: new Date(clock.wall()),
    status: daemon.status(),
    close: async () => {
      await Promise.all([server.close(), daemon.stop()]);
      close();
      await lab.close();
    },
  };
}

/** The first of those that come by schedule: the next one is due from then on, and never comes, for the clock stands still. */
async function lastPass(daemon: Daemon, clock: StandingClock): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    daemon.onChange(() => {
      if (!daemon.status().pass.running) resolve();
    });
  });
  daemon.start();
  clock.advance(PASS_MS);
  await ended;
  clock.advance(11 * SECOND);
}

async function playStory(
  lab: Lab,
  clock: StandingClock,
  ending: Ending,
  passFor: (ms: number) => Promise<void>,
): Promise<void> {
  const machines: LabMachine[] = [];
  const join = async (metadata: Record<string, string>) => {
    const machine = await lab.addMachine({ id: idOf(machines.length), metadata });
    machines.push(machine);
    return machine;
  };
  for (let index = 0; index < 10; index += 1) {
    await join({ role: 'kubernetes', rack: `r${1 + (index % 3)}`, disk: index % 2 === 0 ? 'ssd' : 'hdd' });
  }
  const [first, gone, ill] = machines;
  if (first === undefined || gone === undefined || ill === undefined) throw new Error('there are ten machines');
  lab.kubernetes.selfRegister('core-01.example.com', first.id, [first.address]);
  await passFor(INTERVAL);
  for (const { id, address } of machines.slice(1)) lab.kubernetes.selfRegister(address, id, [address]);
  lab.kubernetes.putNode({ name: 'bastion.example.com', addresses: ['192.0.2.10'], ready: true });
  await lab.addMachine({ id: idOf(90), metadata: { role: 'etcd' } });
  await passFor(MINUTE);

  clock.advance(3 * HOUR);
  if (ending === 'all is well') return passFor(MINUTE);
  lab.fleet.removeMachine(gone.id);
  await silence(lab, gone);
  await passFor(16 * MINUTE);

  clock.advance(10 * MINUTE);
  const joined = await join({ role: 'kubernetes', rack: 'r2', disk: 'ssd' });
  await passFor(INTERVAL);
  lab.kubernetes.selfRegister(joined.address, joined.id, [joined.address]);
  await silence(lab, ill);
  const slow = await join({ role: 'kubernetes', rack: 'r3', disk: 'hdd' });
  slow.kubelet.misbehave(hang);
  await passFor(7 * MINUTE);
  if (ending === 'fleet is away') lab.fleet.etcd = 'unreachable';
  if (ending === 'nodes are away') for (const machine of machines.slice(4, 9)) await silence(lab, machine);
  if (ending !== 'all is as usual') await passFor(3 * MINUTE);
}

/** The kubelet stops, and Kubernetes notices. */
async function silence(lab: Lab, { address, kubelet }: LabMachine): Promise<void> {
  await kubelet.stop();
  if (lab.kubernetes.node(address) !== undefined) lab.kubernetes.setReady(address, 'unknown');
}

/** As /etc/machine-id has it, and the same each time. */
function idOf(index: number): string {
  return createHash('md5').update(`machine ${index}`).digest('hex');
}
