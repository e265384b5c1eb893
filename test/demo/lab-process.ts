/** The lab of the demo, in a process of its own: it does what the story tells it over the IPC channel. */
import { randomUUID } from 'node:crypto';
import { type Lab, type LabMachine, startLab } from '../lab/lab.ts';
import type { Order, Reply } from './orders.ts';

const METADATA = { etcd: { role: 'etcd' }, kubernetes: { role: 'kubernetes' } } as const;

/** A machine and the metadata that it has in fleet. */
interface Joined extends LabMachine {
  readonly metadata: Readonly<Record<string, string>>;
}

const lab = await startLab();
/** The machines that exist, by address. */
const machines = new Map<string, Joined>();

process.on('message', (order: Order) => {
  obey(order).then(
    (place) => reply({ place }),
    (error: unknown) => reply({ place: undefined, problem: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
// These reach the whole process group; the story ends the lab when it is over.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
reply({
  place: undefined,
  lab: { fleet: lab.fleet.endpoint, kubernetes: lab.kubernetes.url, healthz: lab.kubelets.healthzUrl },
});

function reply(message: Reply): void {
  process.send?.(message);
}

/** Returns the address that the order was about, if it was about one. */
async function obey(order: Order): Promise<string | undefined> {
  switch (order.kind) {
    case 'join': {
      const metadata = METADATA[order.role];
      const machine = await lab.addMachine({ id: randomUUID().replaceAll('-', ''), metadata });
      machines.set(machine.address, { ...machine, metadata });
      return machine.address;
    }
    case 'kubelets report ready':
      for (const { metadata } of lab.kubernetes.nodes) lab.kubernetes.setReady(metadata.name, true);
      return undefined;
    case 'kubelet fails':
      await silence(lab, order.address);
      return order.address;
    case 'destroy':
      lab.fleet.removeMachine(machines.get(order.address)?.id ?? '');
      machines.delete(order.address);
      await silence(lab, order.address);
      return order.address;
    case 'fleet forgets':
      lab.fleet.removeAllMachines();
      return undefined;
    case 'network breaks':
      await Promise.all(lab.kubernetes.nodes.map(({ metadata }) => silence(lab, metadata.name)));
      return undefined;
    case 'all is well again':
      for (const { id, address, metadata, kubelet } of machines.values()) {
        lab.fleet.setMachine({ id, address, metadata });
        await kubelet.start();
      }
      for (const { metadata } of lab.kubernetes.nodes) lab.kubernetes.setReady(metadata.name, true);
      return undefined;
  }
}

/** A kubelet that does not answer, and what Kubernetes' node controller makes of it after 40 s. */
async function silence({ kubelets, kubernetes }: Lab, address: string): Promise<void> {
  await kubelets.at(address)?.stop();
  if (kubernetes.node(address) !== undefined) kubernetes.setReady(address, 'unknown');
}
