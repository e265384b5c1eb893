/** One test's world around the real servers: a fleet, kubelets, nodes as kubelets report them, and the daemon's own token. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { type Fleet, startFleet } from '../lab/fleet.ts';
import { type Kubelet, type Kubelets, type KubeletsOptions, startKubelets } from '../lab/kubelets.ts';
import { type NodeSketch, type Readiness, readyCondition, reported } from '../lab/node-sketch.ts';
import { Rights } from './rights.ts';
import { type Servers, serversOfThisFile } from './servers.ts';

/** The metadata that the selector asks for by default. */
export const WORKER = { role: 'kubernetes' };

const NODES = '/api/v1/nodes';
const EVENTS = '/api/v1/namespaces/default/events';
const TEXTS = z.record(z.string(), z.string()).default({});
/** Without kind and apiVersion, which a node has only when it is alone. */
const NODE = z.object({
  metadata: z.looseObject({
    name: z.string(),
    uid: z.string(),
    resourceVersion: z.string(),
    labels: TEXTS,
    annotations: TEXTS,
  }),
  spec: z.looseObject({}),
  status: z.looseObject({}),
});
const NODE_LIST = z.object({ items: z.array(NODE) });
export type Node = z.infer<typeof NODE>;

const EVENT_LIST = z.object({
  items: z.array(
    z.object({
      involvedObject: z.object({ name: z.string() }),
      reason: z.string(),
      type: z.string(),
      message: z.string(),
    }),
  ),
});

/** A machine that fleet lists, with a healthy kubelet at its address. */
export interface Machine {
  readonly id: string;
  readonly address: string;
  readonly kubelet: Kubelet;
}

export interface WorldOptions {
  readonly kubelets?: KubeletsOptions;
}

/** The servers of a test file, and the worlds that its tests make there one after the other. */
export function worldsOfThisFile(): { readonly servers: Servers; open(options?: WorldOptions): Promise<World> } {
  const servers = serversOfThisFile();
  const rights = new Rights(servers);
  let token: string | undefined;
  return {
    servers,
    async open(options = {}) {
      if (token === undefined) {
        await rights.apply();
        token = await rights.token();
        await rights.areGranted(token);
      }
      const world = new World(servers, rights, token, await startFleet(), await startKubelets(options.kubelets));
      await world.setToken(token);
      onTestFinished(() => world.close());
      return world;
    },
  };
}

export class World {
  readonly servers: Servers;
  readonly rights: Rights;
  readonly fleet: Fleet;
  readonly kubelets: Kubelets;
  /** The daemon's. It may do what deploy/rbac.yaml says. */
  readonly token: string;
  readonly tokenFile: string;
  #machines = 0;

  constructor(servers: Servers, rights: Rights, token: string, fleet: Fleet, kubelets: Kubelets) {
    this.servers = servers;
    this.rights = rights;
    this.token = token;
    this.fleet = fleet;
    this.kubelets = kubelets;
    this.tokenFile = join(servers.folder, 'token');
  }

  /** What a daemon is told that is to work here, without the prefix of the variables. */
  get settings(): Record<string, string> {
    return {
      FLEET_ENDPOINT: this.fleet.endpoint,
      API_ENDPOINT: this.servers.url,
      API_CA_FILE: this.servers.authority.caFile,
      API_TOKEN_FILE: this.tokenFile,
      HEALTHZ_URL: this.kubelets.healthzUrl,
      LISTEN: '127.0.0.1:0',
    };
  }

  /** What the daemon finds in its token file from now on. */
  setToken(token: string): Promise<void> {
    return writeFile(this.tokenFile, `${token}\n`, { mode: 0o600 });
  }

  /** Ids count up from 1, as 32 hex digits. */
  async addMachine(metadata: Record<string, string> = WORKER): Promise<Machine> {
    this.#machines += 1;
    const id = this.#machines.toString(16).padStart(32, '0');
    const kubelet = await this.kubelets.add();
    this.fleet.setMachine({ id, address: kubelet.address, metadata });
    return { id, address: kubelet.address, kubelet };
  }

  async addMachines(count: number): Promise<Machine[]> {
    return Promise.all(Array.from({ length: count }, () => this.addMachine()));
  }

  /** By name. */
  async nodes(): Promise<readonly Node[]> {
    return NODE_LIST.parse(await this.servers.admin(NODES)).items;
  }

  async nodeNames(): Promise<string[]> {
    return (await this.nodes()).map(({ metadata }) => metadata.name);
  }

  async node(name: string): Promise<Node> {
    return NODE.parse(await this.servers.admin(`${NODES}/${name}`));
  }

  /** By their names, which begin with that of the node. */
  async events(): Promise<z.infer<typeof EVENT_LIST>['items']> {
    return EVENT_LIST.parse(await this.servers.admin(EVENTS)).items;
  }

  /** Creates a node and reports its status, as a kubelet does when it registers itself. */
  async putNode({ name, labels = {}, annotations = {}, unschedulable, ...status }: NodeSketch): Promise<Node> {
    const spec = unschedulable === undefined ? {} : { unschedulable };
    const body = { kind: 'Node', apiVersion: 'v1', metadata: { name, labels, annotations }, spec };
    await this.servers.admin(NODES, { method: 'POST', body });
    return this.report(name, status);
  }

  /** What the kubelet of an existing node says of it. */
  report(name: string, status: Omit<NodeSketch, 'name'>): Promise<Node> {
    return this.#patch(`${NODES}/${name}/status`, { status: reported(status) });
  }

  setReady(name: string, ready: Readiness): Promise<Node> {
    return this.#patch(`${NODES}/${name}/status`, { status: { conditions: [readyCondition(ready)] } });
  }

  /** A merge patch by the administrator. */
  patchNode(name: string, body: unknown): Promise<Node> {
    return this.#patch(`${NODES}/${name}`, body);
  }

  async deleteNode(name: string): Promise<void> {
    await this.servers.admin(`${NODES}/${name}`, { method: 'DELETE' });
  }

  /** The kubelet stops, and Kubernetes notices. */
  async silence({ address, kubelet }: Machine): Promise<void> {
    await kubelet.stop();
    await this.setReady(address, 'unknown');
  }

  /** The machine is gone for good, and everybody notices. */
  async destroy(machine: Machine): Promise<void> {
    this.fleet.removeMachine(machine.id);
    await this.silence(machine);
  }

  async close(): Promise<void> {
    await this.servers.admin(NODES, { method: 'DELETE' });
    await this.servers.admin(EVENTS, { method: 'DELETE' });
    await Promise.all([this.fleet.close(), this.kubelets.close()]);
  }

  async #patch(path: string, body: unknown): Promise<Node> {
    const contentType = 'application/merge-patch+json';
    return NODE.parse(await this.servers.admin(path, { method: 'PATCH', contentType, body }));
  }
}
