/**
 * A fleet, kubelets and Kubernetes that speak real HTTP on loopback and do as they are told.
 *
 *     const lab = await startLab({ fleet: { version: '0.11.8' } });
 *     const { id, address, kubelet } = await lab.addMachine({ metadata: { role: 'kubernetes' } });
 *     // A program that is given lab.fleet.endpoint, lab.kubernetes.url and lab.kubelets.healthzUrl registers that machine.
 *     expect(lab.kubernetes.node(address)?.metadata.annotations).toMatchObject({ 'kube-register.io/machine-id': id });
 *
 *     kubelet.misbehave(hang);
 *     lab.kubernetes.faults.add(answerWith(503), { method: 'DELETE', times: 2 });
 *     lab.fleet.etcd = 'unreachable';
 *     expect(lab.kubernetes.log.writes).toEqual([]);
 *     await lab.close();
 */
import { Fleet, type FleetOptions, type Machine } from './fleet.ts';
import { type Kubelet, Kubelets, type KubeletsOptions } from './kubelets.ts';
import { Kubernetes, type KubernetesOptions } from './kubernetes.ts';

export interface LabOptions {
  readonly fleet?: FleetOptions;
  readonly kubelets?: KubeletsOptions;
  readonly kubernetes?: KubernetesOptions;
}

/** A machine that fleet lists, with a healthy kubelet at its address. */
export interface LabMachine {
  readonly id: string;
  readonly address: string;
  readonly kubelet: Kubelet;
}

export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const lab = new Lab(options);
  await Promise.all([lab.fleet.start(), lab.kubelets.start(), lab.kubernetes.start()]);
  return lab;
}

export class Lab {
  readonly fleet: Fleet;
  readonly kubelets: Kubelets;
  readonly kubernetes: Kubernetes;
  #machines = 0;

  constructor({ fleet = {}, kubelets = {}, kubernetes = {} }: LabOptions) {
    this.fleet = new Fleet(fleet);
    this.kubelets = new Kubelets(kubelets);
    this.kubernetes = new Kubernetes(kubernetes);
  }

  /** Adds a machine, and a kubelet unless there is one at its address. Ids count up from 1, as 32 hex digits. */
  async addMachine({ id, address, metadata = {} }: Machine = {}): Promise<LabMachine> {
    this.#machines += 1;
    const machineId = id ?? this.#machines.toString(16).padStart(32, '0');
    const kubelet = this.kubelets.at(address ?? '') ?? (await this.kubelets.add(address));
    this.fleet.setMachine({ id: machineId, address: kubelet.address, metadata });
    return { id: machineId, address: kubelet.address, kubelet };
  }

  /** Adds that many machines, all with the same metadata. */
  addMachines(count: number, metadata: Record<string, string> = {}): Promise<LabMachine[]> {
    return Promise.all(Array.from({ length: count }, () => this.addMachine({ metadata })));
  }

  async close(): Promise<void> {
    await Promise.all([this.fleet.close(), this.kubelets.close(), this.kubernetes.close()]);
  }
}
