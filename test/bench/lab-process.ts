/** The lab of the benchmark, in a process of its own: it does what it is told over the IPC channel. */
import { setTimeout as delay } from 'node:timers/promises';
import { send } from '../lab/answer.ts';
import { hang } from '../lab/faults.ts';
import { Kubelets } from '../lab/kubelets.ts';
import { type LabMachine, startLab } from '../lab/lab.ts';
import type { LabOrder, LabReply } from './orders.ts';

const COUNT_EVERY_MS = 10;
const WORKER = { role: 'kubernetes' };

const lab = await startLab({
  fleet: { keepRequests: 0 },
  kubelets: { keepRequests: 0 },
  kubernetes: { keepRequests: 0 },
});
const machines: LabMachine[] = [];

/** Kubelets at every loopback address, behind one listener. */
class SharedKubelets extends Kubelets {
  readonly #everywhere = this.addListener({ host: '0.0.0.0', port: 0 });

  override get port(): number {
    return this.#everywhere.port;
  }
}
const shared = new SharedKubelets({ keepRequests: 0 });
await shared.start();

process.on('message', (order: LabOrder) => {
  obey(order).then(
    () => reply({ at: Date.now() }),
    (error: unknown) => reply({ at: Date.now(), problem: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
reply({
  at: Date.now(),
  places: {
    fleet: lab.fleet.endpoint,
    kubernetes: lab.kubernetes.url,
    kubeletPort: lab.kubelets.port,
    sharedPort: shared.port,
  },
});

function reply(message: LabReply): void {
  process.send?.(message);
}

/** Resolves once the total is so much larger. */
async function counted(times: number, total: () => number): Promise<void> {
  const until = total() + times;
  while (total() < until) await delay(COUNT_EVERY_MS);
}

async function obey(order: LabOrder): Promise<void> {
  switch (order.kind) {
    case 'add machines':
      machines.push(...(await lab.addMachines(order.count, WORKER)));
      break;
    case 'add machines of one listener':
      for (let nth = 1; nth <= order.count; nth += 1) {
        const id = nth.toString(16).padStart(32, '0');
        lab.fleet.setMachine({ id, address: shared.nextAddress(), metadata: WORKER });
      }
      break;
    case 'kubelets report ready':
      for (const { metadata } of lab.kubernetes.nodes) lab.kubernetes.setReady(metadata.name, true);
      break;
    case 'kubelets hang': {
      const every = machines.length / order.count;
      for (let nth = 0; nth < order.count; nth += 1) machines[Math.floor(nth * every)]?.kubelet.misbehave(hang);
      break;
    }
    case 'all kubelets answer':
      for (const { kubelet } of machines) kubelet.recover();
      break;
    case 'fleet pages take':
      lab.fleet.faults.clear();
      if (order.ms > 0)
        lab.fleet.faults.add((response, handle) => void delay(order.ms).then(() => send(response, handle())));
      break;
    case 'say when kubelets were asked':
      await counted(order.times, () => lab.kubelets.log.total + shared.log.total);
      break;
    case 'say when Kubernetes was asked':
      await counted(order.times, () => lab.kubernetes.log.total);
      break;
    case 'say when fleet is asked':
      await lab.fleet.log.arrival();
      break;
  }
}
