/** The nodes of an API server of known age, in one API version: v0.2 (2014) to today. */
import * as z from 'zod';
import type { HttpAnswer, HttpClient, HttpRequest } from '../http/http-client.ts';
import { parseJson } from '../http/json.ts';
import { RequestError } from '../http/request-error.ts';
import { ACCEPT_JSON } from './accept.ts';
import { askVersion } from './discovery.ts';
import { type ApiVersion, eraOf, type Server } from './era.ts';
import { type Detail, type KnownRecords, listNodes } from './node-list.ts';
import type { Era, NodeDraft, NodeRecord, NodeRegistry } from './registry.ts';
import { readStatus, refusal, saysMissing } from './status.ts';
import type { Dialect } from './wire/dialect.ts';
import { minionDialect } from './wire/minion-wire.ts';
import { leavingOf } from './wire/node-facts.ts';
import { nodeDialect } from './wire/node-wire.ts';

/** What an API server answers to a write: the node, or a Status. Minions have their metadata at the top. */
const apiObject = z.object({
  kind: z.enum(['Node', 'Minion', 'Status']),
  metadata: z.object({ deletionTimestamp: z.unknown().optional() }).optional().catch(undefined),
  deletionTimestamp: z.unknown().optional(),
});
/** etcd takes no object larger than 1.5 MiB. */
const MAX_NODE_BYTES = 4 * 1024 * 1024;
const headers = { Accept: ACCEPT_JSON };

/** The nodes of one server, whose era is known. */
export interface NodesOfEra extends Omit<NodeRegistry, 'close' | 'identify'> {
  readonly era: Era;
}

/** The client of one server's nodes. What it learns of the server (a 406, say) lasts as long as the client. */
export function createNodes(http: HttpClient, server: Server): NodesOfEra {
  return new Nodes(http, server);
}

class Nodes implements NodesOfEra {
  readonly era: Era;
  readonly #http: HttpClient;
  readonly #dialect: Dialect;
  readonly #checksUid: boolean;
  /** False once the server has answered 406 to a request for metadata alone. */
  #listsMetadata: boolean;
  /** The records of the last list. */
  #listed: KnownRecords = new Map();

  constructor(http: HttpClient, server: Server) {
    const { checksUid, ...era } = eraOf(server);
    this.era = era;
    this.#http = http;
    this.#dialect = dialectOf(server.apiVersion);
    this.#checksUid = checksUid;
    this.#listsMetadata = this.#dialect.hasPartialLists;
  }

  readonly listWhole: NodeRegistry['listWhole'] = async (signal) => {
    try {
      const nodes = await this.#list('whole', signal);
      return { era: this.era, nodes: this.era.hidesMinions ? nodes.map(readIsReady) : nodes };
    } catch (error) {
      // v0.8.4 asks every kubelet before it answers with a list, without a time limit, so that one that hangs holds up the list.
      if (!(await this.#isHeldUp(error, signal))) throw error;
      return { era: this.era, nodes: [], unlistable: error instanceof Error ? error.message : String(error) };
    }
  };

  readonly list: NodeRegistry['list'] = async (signal) => {
    if (!this.#listsMetadata) return this.listWhole(signal);
    try {
      return { era: this.era, nodes: await this.#list('metadata', signal) };
    } catch (error) {
      if (!(error instanceof RequestError) || error.status !== 406) throw error;
      this.#listsMetadata = false;
      return this.listWhole(signal);
    }
  };

  async #list(detail: Detail, signal: AbortSignal): Promise<readonly NodeRecord[]> {
    this.#listed = await listNodes(this.#http, this.#dialect, detail, this.#listed, signal);
    return [...this.#listed.values()];
  }

  readonly read: NodeRegistry['read'] = async (name, signal) => {
    const request = this.#about(name, { method: 'GET' }, signal);
    const answer = await this.#http.send(request);
    if (answer.status === 200) {
      const found = parseJson(this.#http, request, answer, this.#dialect.node);
      return this.era.hidesMinions ? readIsReady(found) : found;
    }
    if (saysMissing(answer, name)) return undefined;
    throw refusal(this.#http, request, answer, 'get');
  };

  readonly create: NodeRegistry['create'] = async (draft, signal) => {
    const request = this.#creation(draft, signal);
    let answer: HttpAnswer;
    try {
      answer = await this.#http.send(request);
      // v0.4 answers so when it cannot reach the kubelet, and stores the minion all the same: a second 500 means that it did not.
      if (answer.status === 500 && this.era.hidesMinions) answer = await this.#http.send(request);
    } catch (error) {
      // v0.2 and v0.4 ask the kubelets of all minions before they answer, without a time limit.
      if (await this.#isHeldUp(error, signal)) return 'held-up';
      throw error;
    }
    // 202: the write goes on, and takes longer than the server waited for it.
    if ([200, 201, 202].includes(answer.status)) {
      this.#confirmed(request, answer);
      return 'created';
    }
    if (answer.status === 409 && readStatus(answer).reason === 'AlreadyExists') return 'exists';
    if (refusesLabels(answer) && draft.labels.size > 0) return 'labels-refused';
    if (this.era.hidesMinions && readStatus(answer).message.includes('unable to add minion'))
      return 'kubelet-unreached';
    throw refusal(this.#http, request, answer, 'create');
  };

  readonly update: NodeRegistry['update'] = async (name, uid, resourceVersion, change, signal) => {
    if (!this.#checksUid) {
      const now = await this.read(name, signal);
      if (now?.uid !== uid) return 'gone';
      if (resourceVersion !== '' && now.resourceVersion !== resourceVersion) return 'conflict';
    }
    const value = this.#dialect.patch(change, { uid: this.#checksUid ? uid : undefined, resourceVersion });
    const body = { contentType: 'application/merge-patch+json', value };
    const request = this.#about(name, { method: 'PATCH', query: this.#dialect.writeQuery, body }, signal);
    const answer = await this.#http.send(request);
    if (answer.status === 200) {
      this.#confirmed(request, answer);
      return 'updated';
    }
    if (saysMissing(answer, name)) return 'gone';
    // Another uid is refused as a conflict or as an invalid change, and so are other things: only a read shows which.
    if ((answer.status === 409 || answer.status === 422) && (await this.read(name, signal))?.uid !== uid) return 'gone';
    if (answer.status === 409) return 'conflict';
    throw refusal(this.#http, request, answer, 'patch');
  };

  readonly remove: NodeRegistry['remove'] = async (name, uid, resourceVersion, signal) => {
    const value = this.#dialect.preconditions(uid, resourceVersion);
    const body = value === undefined ? undefined : { contentType: 'application/json', value };
    const what = { method: 'DELETE' as const, query: this.#dialect.writeQuery };
    const request = this.#about(name, body === undefined ? what : { ...what, body }, signal);
    if (this.era.hidesMinions) throw this.#http.failure(request, 'minions are not deleted on servers before v0.9');
    const answer = await this.#http.send(request);
    if (answer.status === 200 || answer.status === 202) {
      const { metadata, ...top } = this.#confirmed(request, answer);
      return (leavingOf(metadata ?? {}) ?? leavingOf(top)) === undefined ? 'removed' : 'leaving';
    }
    if (saysMissing(answer, name)) return 'gone';
    if (answer.status === 409) return 'changed';
    throw refusal(this.#http, request, answer, 'delete');
  };

  /** Whether a server that asks kubelets itself is waiting for one: it did not answer in time, though it answers other questions. */
  async #isHeldUp(error: unknown, signal: AbortSignal): Promise<boolean> {
    const isTimeout = error instanceof RequestError && error.code === 'ETIMEDOUT' && error.status === undefined;
    if (!this.era.hidesMinions || !isTimeout) return false;
    return askVersion(this.#http, signal).then(
      () => true,
      () => false,
    );
  }

  #creation(draft: NodeDraft, signal: AbortSignal): HttpRequest {
    const body = { contentType: 'application/json', value: this.#dialect.draft(draft) };
    const { path, writeQuery: query } = this.#dialect;
    return { method: 'POST', path, query, headers, body, maxBytes: MAX_NODE_BYTES, signal };
  }

  /** What an API server answered. Throws RequestError for the 200 of anything else, say a login page. */
  #confirmed(request: HttpRequest, answer: HttpAnswer): z.infer<typeof apiObject> {
    return parseJson(this.#http, request, answer, apiObject);
  }

  /** A request about one node. Throws RequestError for an empty name: without one the path is that of all nodes. */
  #about(name: string, what: Pick<HttpRequest, 'method' | 'query' | 'body'>, signal: AbortSignal): HttpRequest {
    const path = `${this.#dialect.path}/${encodeURIComponent(name)}`;
    const request = { ...what, path, headers, maxBytes: MAX_NODE_BYTES, signal };
    if (name === '') throw this.#http.failure(request, 'a node name cannot be empty');
    return request;
  }
}

function dialectOf(apiVersion: ApiVersion): Dialect {
  return apiVersion === 'v1' || apiVersion === 'v1beta3' ? nodeDialect(apiVersion) : minionDialect(apiVersion);
}

/** A server that shows a minion only while its kubelet answers has no condition that would say so. */
function readIsReady(record: NodeRecord): NodeRecord {
  return record.facts === undefined ? record : { ...record, facts: { ...record.facts, ready: 'true' } };
}

/** One bad label fails the whole create, with 422 and a cause for the field: `label` in v0.5.6, `labels` in v0.8.4, then `metadata.labels`. */
function refusesLabels(answer: HttpAnswer): boolean {
  if (answer.status !== 422) return false;
  const { reason, details } = readStatus(answer);
  return reason === 'Invalid' && details.causes.some(({ field }) => /^(metadata\.)?labels?\b/.test(field));
}
