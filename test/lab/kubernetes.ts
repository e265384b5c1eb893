/** A Kubernetes API server that keeps nodes, as one of seven releases answers, over real HTTP. */
import { type Answer, goJson } from './answer.ts';
import { Authorization, REVIEWS_PATH, type Rights } from './authorization.ts';
import {
  API_VERSIONS,
  type ApiVersion,
  type Era,
  type KubernetesVersion,
  type MetadataLists,
  type Preconditions,
} from './era.ts';
import { ERAS } from './eras.ts';
import { EVENTS_PATH, EventStore } from './events.ts';
import { LabServer, type ServerOptions } from './lab-server.ts';
import type { Listener } from './listener.ts';
import { NODE_INPUT, type Node, type NodeInput, nodeJson } from './node.ts';
import { type Abilities, NodeApi } from './node-api.ts';
import { type NodeSketch, notReady, type Readiness, readyCondition, reported, sketched } from './node-sketch.ts';
import { NodeStore } from './node-store.ts';
import { isMinions } from './node-wire.ts';
import { type Json, mergePatch } from './patch.ts';
import type { Received } from './request-log.ts';
import * as refuse from './status.ts';

export type { ApiVersion, KubernetesVersion };

export interface KubernetesOptions extends ServerOptions {
  /** What each bearer token may do. Left out, everybody may do everything. */
  readonly tokens?: Readonly<Record<string, Rights>>;
  /** Which release it answers as; the newest one by default. */
  readonly version?: KubernetesVersion;
  /** The API versions that are switched on; those of the release by default. */
  readonly apis?: readonly ApiVersion[];
  /** What follows is the release's own unless it is set. */
  readonly metadataLists?: MetadataLists;
  /** `limit` and `continue`, which servers before v1.9 ignore. */
  readonly paging?: boolean;
  /** Which preconditions of a delete are looked at: v1.20 both, v1.5 to v1.9 the uid, older none. */
  readonly preconditions?: Preconditions;
}

const NODES_PATH = /^\/api\/(?<api>[^/]+)\/(?<resource>nodes|minions)(?:\/(?<name>[^/]+)(?<status>\/status)?)?\/?$/;

/** Where a path of nodes leads. */
interface NodesPath {
  readonly place: { readonly api: ApiVersion; readonly resource: string };
  readonly name: string | undefined;
  readonly ofStatus: boolean;
}

/** A Kubernetes that listens. */
export async function startKubernetes(options: KubernetesOptions = {}): Promise<Kubernetes> {
  const kubernetes = new Kubernetes(options);
  await kubernetes.start();
  return kubernetes;
}

export class Kubernetes extends LabServer {
  #version: KubernetesVersion;
  #apis: readonly ApiVersion[];
  readonly #set: { -readonly [ability in keyof Abilities]?: Abilities[ability] };
  /** Takes single rights from everybody. */
  readonly authorization: Authorization;
  readonly #store = new NodeStore();
  readonly #events = new EventStore();
  readonly #tcp: Listener;

  constructor({
    tokens,
    version = 'v1.20.2',
    apis,
    metadataLists,
    paging,
    preconditions,
    ...options
  }: KubernetesOptions) {
    super(options);
    this.#version = version;
    this.#apis = apis ?? ERAS[version].apis;
    this.#set = {
      ...(metadataLists !== undefined && { metadataLists }),
      ...(paging !== undefined && { paging }),
      ...(preconditions !== undefined && { preconditions }),
    };
    this.authorization = new Authorization(tokens);
    this.#tcp = this.addListener({ host: '127.0.0.1', port: 0 });
  }

  get version(): KubernetesVersion {
    return this.#version;
  }

  /** An upgrade, or a way back, while it runs: the nodes stay, and the release's own API versions are switched on. */
  set version(version: KubernetesVersion) {
    this.#version = version;
    this.#apis = ERAS[version].apis;
  }

  /** The API versions that are switched on, from old to new. */
  get apis(): readonly ApiVersion[] {
    return API_VERSIONS.filter((api) => this.#apis.includes(api));
  }

  set apis(apis: readonly ApiVersion[]) {
    this.#apis = apis;
  }

  set metadataLists(lists: MetadataLists) {
    this.#set.metadataLists = lists;
  }

  set paging(paging: boolean) {
    this.#set.paging = paging;
  }

  set preconditions(preconditions: Preconditions) {
    this.#set.preconditions = preconditions;
  }

  /** What API_ENDPOINT would say. */
  get url(): string {
    return `${this.scheme}://127.0.0.1:${this.#tcp.port}`;
  }

  /** Every node, by name. */
  get nodes(): readonly Node[] {
    return this.#store.list().nodes;
  }

  /** Every Event that it was given, in the order in which they came. */
  get events(): EventStore['all'] {
    return this.#events.all;
  }

  node(name: string): Node | undefined {
    return this.#store.get(name);
  }

  /** Makes the node, or makes it anew under another uid. */
  putNode(sketch: NodeSketch): Node {
    const input = sketched(sketch);
    return this.#store.put(this.#store.draft(this.#era.notReadyTaint ? notReady(input) : input));
  }

  deleteNode(name: string): void {
    this.#store.delete(name);
  }

  setReady(name: string, ready: Readiness): Node {
    return this.patchNode(name, { status: { conditions: [readyCondition(ready)] } });
  }

  /** Merges into the node whatever a test likes; null takes a member away. Nothing is checked. */
  patchNode(name: string, patch: Json): Node {
    const node = this.#existing(name);
    return this.#revise(node, NODE_INPUT.parse(mergePatch(JSON.parse(nodeJson(node)), patch)));
  }

  /**
   * What a kubelet does when it starts (v0.18 and later): registers the node unless there is one of its name, whose labels and
   * annotations it leaves alone, and reports itself.
   */
  selfRegister(name: string, machineId: string, addresses: readonly string[], ready: Readiness = true): Node {
    const node = this.node(name) ?? this.putNode({ name, labels: { 'kubernetes.io/hostname': name } });
    const status = reported({ machineId, addresses, ready });
    return this.#revise(node, { ...node, status });
  }

  /** Every list that was begun in pages answers 410 from now on. */
  expireContinueTokens(): void {
    this.#store.forgetSnapshots();
  }

  get #era(): Era {
    return ERAS[this.#version];
  }

  protected override answer(request: Received): Answer {
    try {
      return this.#route(request);
    } catch (error) {
      if (!(error instanceof refuse.Refusal)) throw error;
      const { plain, body } = refuse.refusalBody(error, this.#era, this.#apiOf(request.path));
      return plain ? text(error.code, String(body)) : json(error.code, body);
    }
  }

  #route(request: Received): Answer {
    const { pathname: path, searchParams: query } = new URL(request.path, 'http://lab');
    const user = this.authorization.userOf(request);
    if (this.#era.publicPaths.includes(path)) return path === '/version' ? this.#versionInfo() : text(200, 'ok');
    // v1.5.8 answers so at every path but the public ones, whatever is there.
    if (this.#era.metadataLists === '406' && request.headers.accept?.includes(';as=')) {
      throw refuse.notAcceptable(this.#era);
    }
    if (this.#era.accessReviews && request.method === 'POST' && path === REVIEWS_PATH) {
      return this.authorization.review(user, request);
    }
    const ofEvents = EVENTS_PATH.test(path) && this.#apis.includes('v1');
    const nodes = this.#nodesPath(path);
    const verbs = nodes?.name === undefined ? VERBS_OF_ALL : VERBS_OF_ONE;
    const verb = verbs[request.method] ?? 'get';
    if (ofEvents) {
      if (!this.authorization.may(user, verb, 'events')) throw refuse.forbiddenEvents(user.name, verb);
    } else if (nodes !== undefined) {
      if (!this.authorization.may(user, verb, 'nodes')) throw refuse.forbiddenNodes(user.name, verb, nodes.name);
    } else if (user.rights === 'none') {
      throw refuse.forbiddenPath(user.name, VERBS_OF_PATHS[request.method] ?? 'get', path);
    }
    if (path === '/api' || path === '/api/') return this.#versions();
    if (ofEvents) return this.#events.answer(request);
    if (nodes === undefined) throw refuse.noSuchPath();
    const api = new NodeApi(this.#store, this.#era, { ...this.#era, ...this.#set });
    return api.answer({ request, path, query, ...nodes });
  }

  /** None when the path leads to no nodes, or to an API version that is switched off. */
  #nodesPath(path: string): NodesPath | undefined {
    const groups = NODES_PATH.exec(path)?.groups;
    const api = this.#apis.find((served) => served === groups?.['api']);
    const { resource, name, status } = groups ?? {};
    if (api === undefined || resource === undefined || (resource === 'minions' && !isMinions(api))) return undefined;
    return { place: { api, resource }, name: name && decodeURIComponent(name), ofStatus: status !== undefined };
  }

  /** The API version in whose form a refusal is told: the path's, or else the newest one. */
  #apiOf(path: string): ApiVersion {
    const [, asked] = /^\/api\/([^/?]+)\/./.exec(path) ?? [];
    return this.apis.find((served) => served === asked) ?? this.apis.at(-1) ?? 'v1';
  }

  #revise(node: Node, content: NodeInput): Node {
    return this.#store.put(this.#store.revision(node, content));
  }

  #existing(name: string): Node {
    const node = this.#store.get(name);
    if (node === undefined) throw refuse.nodeNotFound(name, this.#era);
    return node;
  }

  #versions(): Answer {
    if (!this.#era.apiHasKind) return json(200, { versions: this.apis });
    const serverAddress = new URL(this.url).host;
    const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress }];
    return json(200, { kind: 'APIVersions', versions: this.apis, serverAddressByClientCIDRs });
  }

  #versionInfo(): Answer {
    return json(200, { ...this.#era.build, gitVersion: this.#version });
  }
}

const VERBS_OF_ONE: Record<string, string> = { PUT: 'update', PATCH: 'patch', DELETE: 'delete' };
const VERBS_OF_ALL: Record<string, string> = { GET: 'list', POST: 'create', DELETE: 'deletecollection' };
const VERBS_OF_PATHS: Record<string, string> = { POST: 'post', PUT: 'put', PATCH: 'patch', DELETE: 'delete' };

function json(status: number, value: unknown): Answer {
  return { status, headers: { 'Content-Type': 'application/json' }, body: `${goJson(value)}\n` };
}

function text(status: number, body: string): Answer {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body };
}
