/** A Kubernetes API server that keeps nodes: the v1 API as v1.20 answers it, over real HTTP. */
import { type Answer, goJson } from './answer.ts';
import { LabServer, type ServerOptions } from './lab-server.ts';
import type { Listener } from './listener.ts';
import { NODE_INPUT, type Node, type NodeInput, nodeJson } from './node.ts';
import { readNode, readPatched, readPreconditions } from './node-body.ts';
import { type Form, listJson, type MetadataLists, negotiate, oneJson, selector, selectPage } from './node-list.ts';
import { NOT_READY, type NodeSketch, type Readiness, readyCondition, reported, sketched } from './node-sketch.ts';
import { NodeStore } from './node-store.ts';
import { validateChange, validateNew } from './node-validation.ts';
import { type Json, mergePatch } from './patch.ts';
import type { Received } from './request-log.ts';
import * as refuse from './status.ts';

export interface KubernetesOptions extends ServerOptions {
  /** What each bearer token may do. Left out, everybody may do everything. */
  readonly tokens?: Readonly<Record<string, 'all' | 'none'>>;
  /** As v1.20 does, as v1.9 does (`ignored`), or as v1.5 does (`406`). */
  readonly metadataLists?: MetadataLists;
  /** `limit` and `continue`, which servers before v1.9 ignore. */
  readonly paging?: boolean;
  /** Which preconditions of a delete are looked at: v1.20 both, v1.5 to v1.9 the uid, older none. */
  readonly preconditions?: 'both' | 'uid' | 'none';
  /** What /version says. */
  readonly version?: string;
}

const PUBLIC_PATHS = ['/version', '/healthz', '/healthz/ping', '/livez', '/readyz'];
const NODES_PATH = /^\/api\/v1\/nodes(?:\/(?<name>[^/]+)(?<status>\/status)?)?\/?$/;

/** A Kubernetes that listens. */
export async function startKubernetes(options: KubernetesOptions = {}): Promise<Kubernetes> {
  const kubernetes = new Kubernetes(options);
  await kubernetes.start();
  return kubernetes;
}

export class Kubernetes extends LabServer {
  /** These can be changed while it runs: an upgrade, or a way back. */
  version: string;
  metadataLists: MetadataLists;
  paging: boolean;
  preconditions: 'both' | 'uid' | 'none';
  readonly #tokens: Readonly<Record<string, 'all' | 'none'>> | undefined;
  readonly #store = new NodeStore();
  readonly #tcp: Listener;

  constructor(options: KubernetesOptions) {
    super(options);
    this.version = options.version ?? 'v1.20.2';
    this.metadataLists = options.metadataLists ?? 'yes';
    this.paging = options.paging ?? true;
    this.preconditions = options.preconditions ?? 'both';
    this.#tokens = options.tokens;
    this.#tcp = this.addListener({ host: '127.0.0.1', port: 0 });
  }

  /** What API_ENDPOINT would say. */
  get url(): string {
    return `${this.scheme}://127.0.0.1:${this.#tcp.port}`;
  }

  /** Every node, by name. */
  get nodes(): readonly Node[] {
    return this.#store.list().nodes;
  }

  node(name: string): Node | undefined {
    return this.#store.get(name);
  }

  /** Makes the node, or makes it anew under another uid. */
  putNode(sketch: NodeSketch): Node {
    return this.#store.put(this.#store.draft(sketched(sketch)));
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

  protected override answer(request: Received): Answer {
    try {
      return this.#route(request);
    } catch (error) {
      if (error instanceof refuse.Refusal) return json(error.code, error.status);
      throw error;
    }
  }

  #route(request: Received): Answer {
    const { pathname: path, searchParams: query } = new URL(request.path, 'http://lab');
    const user = this.#user(request.headers.authorization);
    if (PUBLIC_PATHS.includes(path)) return path === '/version' ? this.#versionInfo() : plain('ok');
    const groups = NODES_PATH.exec(path)?.groups;
    const name = groups?.['name'] && decodeURIComponent(groups['name']);
    if (user !== undefined) {
      if (groups === undefined) throw refuse.forbiddenPath(user, VERBS_OF_PATHS[request.method] ?? 'get', path);
      throw refuse.forbiddenNodes(user, (name ? VERBS_OF_ONE : VERBS_OF_ALL)[request.method] ?? 'get', name);
    }
    if (path === '/api' || path === '/api/') return this.#versions();
    if (groups === undefined) throw refuse.noSuchPath();
    if (name === undefined) return this.#collection(request, query);
    return this.#one(request, query, name, groups['status'] !== undefined);
  }

  /** The name of a user without rights; throws when nobody is known by the token. */
  #user(authorization: string | undefined): string | undefined {
    if (this.#tokens === undefined) return undefined;
    if (authorization === undefined) return 'system:anonymous';
    const rights = this.#tokens[authorization.replace(/^Bearer /, '')];
    if (rights === undefined) throw refuse.unauthorized();
    return rights === 'all' ? undefined : 'user';
  }

  #collection(request: Received, query: URLSearchParams): Answer {
    switch (request.method) {
      case 'GET': {
        const form = this.#form(request, 'PartialObjectMetadataList');
        const { nodes, metadata } = selectPage(this.#store, query, this.paging);
        return jsonText(200, listJson(nodes, metadata, form));
      }
      case 'POST':
        return this.#create(readNode(request), query);
      case 'DELETE': {
        const nodes = this.nodes.filter(selector(query));
        for (const { metadata } of nodes) this.#store.delete(metadata.name);
        const resourceVersion = String(this.#store.list().revision);
        return jsonText(200, listJson(nodes, { resourceVersion }, { whole: true }));
      }
      default:
        throw refuse.methodNotAllowed();
    }
  }

  #one(request: Received, query: URLSearchParams, name: string, isStatus: boolean): Answer {
    switch (request.method) {
      case 'GET':
        return jsonText(200, `${oneJson(this.#existing(name), this.#form(request, 'PartialObjectMetadata'))}\n`);
      case 'PUT':
        return this.#replace(name, readNode(request), isStatus, query);
      case 'PATCH':
        return this.#patch(name, request, isStatus, query);
      case 'DELETE':
        return this.#delete(name, request, query);
      default:
        throw refuse.methodNotAllowed();
    }
  }

  #create(input: NodeInput, query: URLSearchParams): Answer {
    const others = input.spec.taints?.filter(({ key }) => key !== NOT_READY.key) ?? [];
    const draft = this.#store.draft({ ...input, spec: { ...input.spec, taints: [...others, NOT_READY] } });
    validateNew(draft);
    if (input.metadata.resourceVersion) {
      throw new refuse.Refusal(500, undefined, 'resourceVersion should not be set on objects to be created');
    }
    const { name } = draft.metadata;
    if (this.#store.get(name) !== undefined) throw refuse.alreadyExists(name);
    return this.#stored(201, draft, query);
  }

  #replace(name: string, input: NodeInput, isStatus: boolean, query: URLSearchParams): Answer {
    const node = this.#named(name, input);
    const { uid } = input.metadata;
    if (uid !== undefined && uid !== node.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${node.metadata.uid}`;
      throw refuse.conflict(name, why);
    }
    return this.#change(node, input, isStatus, query);
  }

  #patch(name: string, request: Received, isStatus: boolean, query: URLSearchParams): Answer {
    const input = readPatched(request, nodeJson(this.#existing(name)));
    return this.#change(this.#named(name, input), input, isStatus, query);
  }

  /** The status changes through its own path only, the spec through the node's; the metadata changes through both. */
  #change(node: Node, input: NodeInput, isStatus: boolean, query: URLSearchParams): Answer {
    const { name, uid, resourceVersion } = node.metadata;
    if (input.metadata.resourceVersion && input.metadata.resourceVersion !== resourceVersion) {
      const why = 'the object has been modified; please apply your changes to the latest version and try again';
      throw refuse.conflict(name, why);
    }
    validateChange(input, uid);
    const changed = isStatus ? { ...input, spec: node.spec } : { ...input, status: node.status };
    return this.#stored(200, this.#store.revision(node, changed), query);
  }

  #delete(name: string, request: Received, query: URLSearchParams): Answer {
    const { uid, resourceVersion = '' } = this.#existing(name).metadata;
    const wanted = readPreconditions(request);
    if (this.preconditions !== 'none' && wanted.uid !== undefined && wanted.uid !== uid) {
      throw refuse.preconditionFailed(name, 'UID', wanted.uid, uid, 'deleted and then recreated');
    }
    const version = wanted.resourceVersion;
    if (this.preconditions === 'both' && version !== undefined && version !== resourceVersion) {
      throw refuse.preconditionFailed(name, 'ResourceVersion', version, resourceVersion, 'modified');
    }
    if (!isDryRun(query)) this.#store.delete(name);
    const details = { name, kind: 'nodes', uid };
    return json(200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details });
  }

  #stored(code: number, node: Node, query: URLSearchParams): Answer {
    return jsonText(code, `${nodeJson(isDryRun(query) ? node : this.#store.put(node))}\n`);
  }

  #revise(node: Node, content: NodeInput): Node {
    return this.#store.put(this.#store.revision(node, content));
  }

  #existing(name: string): Node {
    const node = this.#store.get(name);
    if (node === undefined) throw refuse.nodeNotFound(name);
    return node;
  }

  #named(name: string, input: NodeInput): Node {
    if (input.metadata.name !== name) {
      const mismatch = `the name of the object (${input.metadata.name}) does not match the name on the URL (${name})`;
      throw refuse.badRequest(mismatch);
    }
    return this.#existing(name);
  }

  #form(request: Received, as: string): Form {
    return negotiate(request.headers.accept, as, this.metadataLists);
  }

  #versions(): Answer {
    const serverAddress = new URL(this.url).host;
    const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress }];
    return json(200, { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs });
  }

  #versionInfo(): Answer {
    const [major = '', minor = ''] = this.version.replace('v', '').split('.');
    return json(200, {
      major,
      minor,
      gitVersion: this.version,
      gitCommit: 'faecb196815e248d3ecfb03c680a4507229c2a56',
      gitTreeState: 'clean',
      buildDate: '2021-01-13T13:20:00Z',
      goVersion: 'go1.15.5',
      compiler: 'gc',
      platform: 'linux/amd64',
    });
  }
}

const VERBS_OF_ONE: Record<string, string> = { PUT: 'update', PATCH: 'patch', DELETE: 'delete' };
const VERBS_OF_ALL: Record<string, string> = { GET: 'list', POST: 'create', DELETE: 'deletecollection' };
const VERBS_OF_PATHS: Record<string, string> = { POST: 'post', PUT: 'put', PATCH: 'patch', DELETE: 'delete' };

const isDryRun = (query: URLSearchParams) => query.get('dryRun') === 'All';

function json(status: number, value: object): Answer {
  return jsonText(status, `${goJson(value)}\n`);
}

function jsonText(status: number, body: string): Answer {
  return { status, headers: { 'Content-Type': 'application/json' }, body };
}

function plain(body: string): Answer {
  return { status: 200, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body };
}
