/** The API servers of every era as the lab has them, and what can be done with nodes in each. deploy/docs/compatibility.md is made of this. */
import type { ApiVersion } from '../../src/kubernetes/era.ts';
import { type Kubernetes, type KubernetesVersion, startKubernetes } from '../lab/kubernetes.ts';
import { type Minions, type MinionsVersion, startMinions } from '../lab/minions/server.ts';
import type { RequestLog } from '../lab/request-log.ts';

export interface Era {
  readonly version: MinionsVersion | KubernetesVersion;
  /** What the daemon chooses by itself. */
  readonly spoken: ApiVersion;
  /** The server asks kubelets itself, lists a minion only while its kubelet answers, and deletes no other. */
  readonly hidesMinions: boolean;
  /** Whether labels and annotations of a node can be changed. */
  readonly canUpdate: boolean;
  /** Whether annotations are kept, and with them our marks. */
  readonly keepsMarks: boolean;
  /** Of `zone`, `a.b` and our own `kube-register.io/managed`, those that are kept. */
  readonly labels: readonly string[];
  readonly list: 'whole' | 'metadata only';
}

const MANAGED = 'kube-register.io/managed';
const ALL = ['a.b', MANAGED, 'zone'];
const hiding = { hidesMinions: true, canUpdate: false, keepsMarks: true, list: 'whole' } as const;
const modern = { hidesMinions: false, canUpdate: true, keepsMarks: true, labels: ALL, list: 'whole' } as const;
const between = { ...modern, spoken: 'v1beta2', canUpdate: false, labels: [MANAGED, 'zone'] } as const;

export const ERAS: readonly Era[] = [
  { version: 'v0.2', spoken: 'v1beta1', ...hiding, keepsMarks: false, labels: [] },
  { version: 'v0.4.4', spoken: 'v1beta1', ...hiding, labels: [] },
  { version: 'v0.5.6', spoken: 'v1beta2', ...hiding, labels: ['zone'] },
  { version: 'v0.8.4', spoken: 'v1beta2', ...hiding, labels: [MANAGED, 'zone'] },
  { version: 'v0.9.3', ...between },
  { version: 'v0.12.2', ...between },
  { version: 'v0.13.2', spoken: 'v1beta2', ...modern },
  { version: 'v0.17.1', spoken: 'v1beta3', ...modern },
  { version: 'v1.0.7', spoken: 'v1', ...modern },
  { version: 'v1.5.8', spoken: 'v1', ...modern },
  { version: 'v1.9.2', spoken: 'v1', ...modern },
  { version: 'v1.20.2', spoken: 'v1', ...modern, list: 'metadata only' },
];

/** A row of the table of servers: server, API version, register, adopt, labels, deregister, list. */
export function rowOf({ version, spoken, hidesMinions, canUpdate, labels, list }: Era): readonly string[] {
  return [
    version,
    `\`${spoken}\``,
    'yes',
    canUpdate ? 'yes' : 'no',
    { 0: 'none', 1: 'plain keys', 2: 'no dots' }[labels.length] ?? 'yes',
    hidesMinions ? 'no' : 'yes',
    list,
  ];
}

/** An API server of whatever era, as a story sees it. */
export interface EraServer {
  readonly url: string;
  readonly log: RequestLog;
  /** Names of all nodes that are stored, listed or not, sorted. */
  readonly names: readonly string[];
  labelsOf(name: string): Readonly<Record<string, string>>;
  annotationsOf(name: string): Readonly<Record<string, string>>;
  /** What somebody else registers, of a machine that is well. */
  register(name: string, address: string): void;
  close(): Promise<void>;
}

export async function startServer(
  { version }: Pick<Era, 'version'>,
  kubeletPort: number,
  clock: () => number,
): Promise<EraServer> {
  return isMinions(version)
    ? minionServer(await startMinions({ version, kubeletPort, clock }))
    : nodeServer(await startKubernetes({ version }));
}

function isMinions(version: Era['version']): version is MinionsVersion {
  return version.startsWith('v0.') && !version.startsWith('v0.1');
}

function minionServer(server: Minions): EraServer {
  return {
    url: server.url,
    log: server.log,
    get names() {
      return server.minions.map(({ id }) => id).sort();
    },
    labelsOf: (id) => server.minion(id)?.labels ?? {},
    annotationsOf: (id) => server.minion(id)?.annotations ?? {},
    register: (id, hostIP) => server.putMinion({ id, hostIP }),
    close: () => server.close(),
  };
}

function nodeServer(server: Kubernetes): EraServer {
  return {
    url: server.url,
    log: server.log,
    get names() {
      return server.nodes.map(({ metadata }) => metadata.name).sort();
    },
    labelsOf: (name) => server.node(name)?.metadata.labels ?? {},
    annotationsOf: (name) => server.node(name)?.metadata.annotations ?? {},
    register: (name, address) => server.putNode({ name, addresses: [address], ready: true }),
    close: () => server.close(),
  };
}
