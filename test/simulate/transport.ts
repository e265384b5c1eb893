/** HTTP to the servers of a simulated world, for the real clients of fleet and of Kubernetes v1: requests and bodies, but no sockets. */
import { z } from 'zod';
import type { HttpAnswer, HttpClient, HttpRequest } from '../../src/http/http-client.ts';
import { RequestError, type Target } from '../../src/http/request-error.ts';
import { isLastPage, machinePage, meddleNow } from './clients.ts';
import type { StoredNode } from './node-store.ts';
import type { Release } from './release.ts';
import { type Cluster, Wire } from './wire.ts';
import type { Line } from './wiretap.ts';

const text = z.string().nullable();
const metadata = z.object({
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
  labels: z.record(z.string(), text).default({}),
  annotations: z.record(z.string(), text).default({}),
});
const draft = z.object({
  metadata: metadata.extend({ name: z.string() }),
  status: z.object({ addresses: z.array(z.object({ address: z.string() })) }),
});
const patch = z.object({ metadata });
/** What is left out is not compared. */
const deletion = z.object({ preconditions: z.object({ uid: text, resourceVersion: text }).partial() });

export function fleetHttp(cluster: Cluster, line: Line): HttpClient {
  const wire = new Wire(cluster, line);
  return client('fleet', ({ path, query = {}, signal }) => {
    const number = Number(query['nextPageToken'] ?? 0);
    const answer = (): HttpAnswer => {
      if (path !== '/fleet/v1/machines') return json(404, {});
      const records = machinePage(cluster, line, number);
      const isLast = isLastPage(records);
      cluster.tap.listedMachines(line.copy, records, isLast);
      const machines = records.map(({ id, address, metadata: pairs }) => ({
        id,
        ...(address !== undefined && { primaryIP: address }),
        metadata: Object.fromEntries(pairs),
      }));
      // A full last page is followed by an empty object.
      return json(200, records.length === 0 ? {} : { machines, ...(!isLast && { nextPageToken: String(number + 1) }) });
    };
    return wire.askFleet(answer, signal, (status) => json(status, { error: { code: status, message: '' } }));
  });
}

/** What a server knows of a request besides what stands in it. */
interface At {
  readonly release: Release;
  readonly sentAtMs: number;
}

export function kubernetesHttp(cluster: Cluster, line: Line): HttpClient {
  const { world, tap } = cluster;
  const { store } = world;
  const { copy } = line;
  const wire = new Wire(cluster, line);

  function answer({ method, path, headers = {}, body }: HttpRequest, at: At): HttpAnswer {
    if (path === '/version') return json(200, { gitVersion: at.release.version });
    if (path === '/api') return json(200, { versions: ['v1'] });
    const name = nodeOf(path);
    if (method === 'POST') return create(draft.parse(body?.value), at);
    if (name === undefined) return list(headers['Accept']?.includes('PartialObjectMetadataList') === true, at);
    const node = world.nodes.get(name);
    if (node === undefined) return refusal(404, 'NotFound', { name });
    if (method === 'PATCH') return change(node, patch.parse(body?.value), at);
    if (method === 'DELETE') return remove(node, deletion.parse(body?.value), at);
    tap.sawNode(copy, node, true);
    return json(200, whole(node));
  }

  function list(wantsMetadata: boolean, { release }: At): HttpAnswer {
    if (wantsMetadata && release.version === 'v1.5.8') return refusal(406, 'NotAcceptable', {});
    const isWhole = !wantsMetadata || !release.listsMetadata;
    tap.listedNodes(copy);
    const nodes = [...world.nodes.values()];
    for (const node of nodes) tap.sawNode(copy, node, isWhole);
    const kind = isWhole ? 'NodeList' : 'PartialObjectMetadataList';
    return json(200, { kind, metadata: {}, items: nodes.map(isWhole ? whole : bare) });
  }

  function create(
    { metadata: { name, labels, annotations }, status }: z.infer<typeof draft>,
    { release }: At,
  ): HttpAnswer {
    if (world.nodes.has(name)) return refusal(409, 'AlreadyExists', { name });
    if (world.api === 'refuses labels' && Object.keys(labels).length > 0) {
      return refusal(422, 'Invalid', { name, causes: [{ field: 'metadata.labels' }] });
    }
    const address = status.addresses[0]?.address ?? '';
    const wanted = { name, address, labels: set(labels), annotations: set(annotations) };
    tap.creating(copy, wanted, release);
    return json(201, whole(store.create(wanted)));
  }

  function change(node: StoredNode, wanted: z.infer<typeof patch>, { release, sentAtMs }: At): HttpAnswer {
    const { uid = node.uid, resourceVersion = String(node.resourceVersion), labels, annotations } = wanted.metadata;
    const isOther = release.era.checksUid && uid !== node.uid;
    if (isOther || resourceVersion !== String(node.resourceVersion)) {
      return refusal(409, 'Conflict', { name: node.name });
    }
    const changes = { labels: new Map(Object.entries(labels)), annotations: new Map(Object.entries(annotations)) };
    tap.updating({ copy, release, sentAtMs, node }, changes);
    store.patch(node, changes);
    return json(200, whole(node));
  }

  function remove(
    node: StoredNode,
    { preconditions }: z.infer<typeof deletion>,
    { release, sentAtMs }: At,
  ): HttpAnswer {
    const { uid = node.uid, resourceVersion = String(node.resourceVersion) } = preconditions;
    const isOther = release.checksUidOnDelete && uid !== node.uid;
    const isNewer = release.checksVersionOnDelete && resourceVersion !== String(node.resourceVersion);
    if (isOther || isNewer) return refusal(409, 'Conflict', { name: node.name });
    tap.removing({ copy, release, sentAtMs, node });
    return store.remove(node) === 'leaving' ? json(200, whole(node)) : json(200, { kind: 'Status', status: 'Success' });
  }

  return client('kubernetes', async (request) => {
    const { method, path, signal } = request;
    const name = method === 'GET' ? nodeOf(path) : undefined;
    if (name !== undefined) meddleNow(cluster, copy, name);
    const answered = await wire.askKubernetes(
      `${method} ${path}`,
      (at) => answer(request, at),
      signal,
      (status) => refusal(status, 'InternalError', {}),
    );
    if (name !== undefined) meddleNow(cluster, copy, name);
    return answered;
  });
}

function nodeOf(path: string): string | undefined {
  const [, name] = /^\/api\/v1\/nodes\/(.+)$/.exec(path) ?? [];
  return name === undefined ? undefined : decodeURIComponent(name);
}

function client(target: Target, send: HttpClient['send']): HttpClient {
  const server = 'the simulation';
  return {
    target,
    server,
    send,
    failure: ({ method, path }, problem, answer, code) =>
      new RequestError({
        target,
        server,
        request: `${method} ${path}`,
        problem,
        ...(answer !== undefined && { status: answer.status }),
        ...(code !== undefined && { code }),
      }),
    close: () => {},
  };
}

function json(status: number, value: object): HttpAnswer {
  const body = JSON.stringify(value);
  return { status, contentType: 'application/json', body, bytes: body.length };
}

function refusal(code: number, reason: string, details: object): HttpAnswer {
  return json(code, { kind: 'Status', status: 'Failure', code, reason, message: reason, details });
}

function bare({ name, uid, resourceVersion, labels, annotations, deletedAtMs, finalizers }: StoredNode) {
  return {
    kind: 'Node',
    metadata: {
      name,
      uid,
      resourceVersion: String(resourceVersion),
      labels: Object.fromEntries(labels),
      annotations: Object.fromEntries(annotations),
      ...(deletedAtMs !== undefined && { deletionTimestamp: new Date(deletedAtMs).toISOString() }),
      finalizers,
    },
  };
}

const READY = { true: 'True', false: 'False', unknown: 'Unknown', unreadable: 'Unreadable' } as const;

function whole(node: StoredNode) {
  const { addresses, machineId, ready, unschedulable } = node;
  return {
    ...bare(node),
    spec: { unschedulable },
    status: {
      addresses: addresses.map((address) => ({ type: 'InternalIP', address })),
      conditions: ready === 'none' ? [] : [{ type: 'Ready', status: READY[ready] }],
      nodeInfo: { machineID: machineId },
    },
  };
}

function set(pairs: Readonly<Record<string, string | null>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(pairs).flatMap(([key, value]) => (value === null ? [] : [[key, value] as const])));
}
