/** Kubelets that answer health checks, each on a loopback address of its own, all on one port. */
import type { Answer } from './answer.ts';
import type { Fault } from './faults.ts';
import { LabServer, type ServerOptions } from './lab-server.ts';
import type { Listener } from './listener.ts';
import type { Received } from './request-log.ts';

export interface KubeletsOptions extends ServerOptions {
  /** The port of every kubelet. Left out, one is taken that no other lab has. */
  readonly port?: number;
  /** The loopback address of the first kubelet; 127.1.0.1 if left out. Labs that are given one port need addresses of their own. */
  readonly firstAddress?: string;
}

/** Kubelets with a port and no machine yet. */
export async function startKubelets(options: KubeletsOptions = {}): Promise<Kubelets> {
  const kubelets = new Kubelets(options);
  await kubelets.start();
  return kubelets;
}

export class Kubelets extends LabServer {
  readonly #reservation: Listener;
  readonly #byAddress = new Map<string, Kubelet>();
  /** The address that was handed out last; at first the one before all. */
  #lastAddress: number;

  constructor({ port = 0, firstAddress = '127.1.0.1', ...options }: KubeletsOptions) {
    super(options);
    this.#lastAddress = numberOf(firstAddress) - 1;
    // No kubelet is there: holding the port there keeps it from other labs.
    this.#reservation = this.addListener({ host: dotted(this.#lastAddress), port });
  }

  get port(): number {
    return this.#reservation.port;
  }

  /** What HEALTHZ_URL would say. */
  get healthzUrl(): string {
    return `${this.scheme}://{ip}:${this.port}/healthz`;
  }

  /** The next loopback address: 127.1.0.1, 127.1.0.2, ... */
  nextAddress(): string {
    this.#lastAddress += 1;
    return dotted(this.#lastAddress);
  }

  /** A healthy kubelet at an address, by default the next one. */
  async add(address = this.nextAddress()): Promise<Kubelet> {
    const kubelet = new Kubelet(address, this.addListener({ host: address, port: this.port }));
    await kubelet.start();
    this.#byAddress.set(address, kubelet);
    return kubelet;
  }

  at(address: string): Kubelet | undefined {
    return this.#byAddress.get(address);
  }

  protected override faultFor(request: Received): Fault | undefined {
    return this.#byAddress.get(request.to)?.fault ?? super.faultFor(request);
  }

  protected override answer({ path }: Received): Answer {
    const healthy = path === '/healthz' || path === '/healthz/ping';
    return {
      status: healthy ? 200 : 404,
      headers: { 'Content-Type': 'text/plain; charset=utf-8' },
      body: healthy ? 'ok' : '404 page not found\n',
    };
  }
}

export class Kubelet {
  readonly address: string;
  readonly #listener: Listener;
  #fault: Fault | undefined;

  constructor(address: string, listener: Listener) {
    this.address = address;
    this.#listener = listener;
  }

  get fault(): Fault | undefined {
    return this.#fault;
  }

  /** Listens again after a stop. */
  start(): Promise<void> {
    return this.#listener.start();
  }

  /** Refuses connections, as a machine does whose kubelet is dead. */
  stop(): Promise<void> {
    return this.#listener.stop();
  }

  /** Deals so with every request until it recovers. */
  misbehave(fault: Fault): void {
    this.#fault = fault;
  }

  recover(): void {
    this.#fault = undefined;
  }
}

function numberOf(address: string): number {
  return address.split('.').reduce((number, byte) => number * 256 + Number(byte), 0);
}

function dotted(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >> shift) & 0xff).join('.');
}
