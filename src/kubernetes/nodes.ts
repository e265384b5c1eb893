/** The nodes of an API server of known age, in one API version: v0.2 (2014) to today. */
import { z } from 'zod';
import type { HttpAnswer, HttpClient, HttpRequest } from '../http/http-client.ts';
import { parseJson } from '../http/json.ts';
import { RequestError } from '../http/request-error.ts';
import type { Dialect } from './dialect.ts';
import { askVersion } from './discovery.ts';
import { type ApiVersion, eraOf, type Server } from './era.ts';
import { minionDialect } from './minion-wire.ts';
import { listNodes } from './node-list.ts';
import { nodeDialect } from './node-wire.ts';
import type { NodeDraft, NodeRecord, NodeRegistry } from './registry.ts';
import { readStatus, refusal, saysMissing } from './status.ts';

/** What an API server answers to a write: the node, or a Status. */
const apiObject = z.object({ kind: z.enum(['Node', 'Minion', 'Status']) });
/** etcd takes no object larger than 1.5 MiB. */
const MAX_NODE_BYTES = 4 * 1024 * 1024;

/** What is learned of the server lasts as long as what is returned. */
export function createNodes(http: HttpClient, server: Server): Omit<NodeRegistry, 'close'> {
  const dialect = dialectOf(server.apiVersion);
  const era = eraOf(server);
  /** False once the server has answered 406 to a request for metadata alone. */
  let listsMetadata = dialect.hasPartialLists;

  const listWhole: NodeRegistry['listWhole'] = async (signal) => {
    try {
      const nodes = await listNodes(http, dialect, 'whole', signal);
      return { era, nodes: era.hidesMinions ? nodes.map(listedIsReady) : nodes };
    } catch (error) {
      // v0.8.4 asks every kubelet before it answers with a list, without a time limit, so that one that hangs holds up the list.
      if (!(await isHeldUp(error, signal))) throw error;
      return { era, nodes: [], unlistable: error instanceof Error ? error.message : String(error) };
    }
  };

  const list: NodeRegistry['list'] = async (signal) => {
    if (!listsMetadata) return listWhole(signal);
    try {
      return { era, nodes: await listNodes(http, dialect, 'metadata', signal) };
    } catch (error) {
      if (!(error instanceof RequestError) || error.status !== 406) throw error;
      listsMetadata = false;
      return listWhole(signal);
    }
  };

  const read: NodeRegistry['read'] = async (name, signal) => {
    const request = about(name, { method: 'GET', headers: { Accept: 'application/json' } }, signal);
    const answer = await http.send(request);
    if (answer.status === 200) return parseJson(http, request, answer, dialect.node);
    if (saysMissing(answer, name)) return undefined;
    throw refusal(http, request, answer, 'get');
  };

  const create: NodeRegistry['create'] = async (draft, signal) => {
    const request = creation(draft, signal);
    let answer: HttpAnswer;
    try {
      answer = await http.send(request);
    } catch (error) {
      // v0.4.4 asks the kubelet before it answers, without a time limit.
      if (await isHeldUp(error, signal)) return 'kubelet-unreached';
      throw error;
    }
    // v0.4 answers so when it cannot reach the kubelet, and stores the minion all the same: a second 500 means that it did not.
    if (answer.status === 500 && era.hidesMinions) answer = await http.send(request);
    // 202: the write goes on, and takes longer than the server waited for it.
    if ([200, 201, 202].includes(answer.status)) return confirmed(request, answer, 'created');
    if (answer.status === 409 && readStatus(answer).reason === 'AlreadyExists') return 'exists';
    if (refusesLabels(answer) && draft.labels.size > 0) return 'labels-refused';
    if (era.hidesMinions && readStatus(answer).message.includes('unable to add minion')) return 'kubelet-unreached';
    throw refusal(http, request, answer, 'create');
  };

  const update: NodeRegistry['update'] = async (name, uid, change, signal) => {
    if (!era.checksUid && (await read(name, signal))?.uid !== uid) return 'gone';
    const value = dialect.patch(change, era.checksUid ? uid : undefined);
    const body = { contentType: 'application/merge-patch+json', value };
    const request = about(name, { method: 'PATCH', query: dialect.writeQuery, body }, signal);
    const answer = await http.send(request);
    if (answer.status === 200) return confirmed(request, answer, 'updated');
    if (saysMissing(answer, name)) return 'gone';
    // Another uid is refused as a conflict or as an invalid change, and so are other things: only a look can tell.
    if ((answer.status === 409 || answer.status === 422) && (await read(name, signal))?.uid !== uid) return 'gone';
    throw refusal(http, request, answer, 'patch');
  };

  const remove: NodeRegistry['remove'] = async (name, uid, resourceVersion, signal) => {
    const value = dialect.preconditions(uid, resourceVersion);
    const body = value === undefined ? undefined : { contentType: 'application/json', value };
    const what = { method: 'DELETE' as const, query: dialect.writeQuery };
    const request = about(name, body === undefined ? what : { ...what, body }, signal);
    if (era.hidesMinions) throw http.failure(request, `no minion of a server before v0.13 is ever deleted`);
    const answer = await http.send(request);
    if (answer.status === 200 || answer.status === 202) return confirmed(request, answer, 'removed');
    if (saysMissing(answer, name)) return 'gone';
    if (answer.status === 409) return 'changed';
    throw refusal(http, request, answer, 'delete');
  };

  /** Whether a server that asks kubelets itself is waiting for one: it did not answer in time, though it answers other questions. */
  async function isHeldUp(error: unknown, signal: AbortSignal): Promise<boolean> {
    const isTimeout = error instanceof RequestError && error.code === 'ETIMEDOUT' && error.status === undefined;
    if (!era.hidesMinions || !isTimeout) return false;
    return askVersion(http, signal).then(
      () => true,
      () => false,
    );
  }

  function creation(draft: NodeDraft, signal: AbortSignal): HttpRequest {
    const body = { contentType: 'application/json', value: dialect.draft(draft) };
    const { path, writeQuery: query } = dialect;
    return { method: 'POST', path, query, body, maxBytes: MAX_NODE_BYTES, signal };
  }

  /** The outcome, if the answer is an API server's. Throws RequestError for the 200 of anything else, say a login page. */
  function confirmed<T>(request: HttpRequest, answer: HttpAnswer, outcome: T): T {
    parseJson(http, request, answer, apiObject);
    return outcome;
  }

  /** A request about one node. Throws RequestError for an empty name: without one the path is that of all nodes. */
  function about(
    name: string,
    what: Pick<HttpRequest, 'method' | 'query' | 'headers' | 'body'>,
    signal: AbortSignal,
  ): HttpRequest {
    const path = `${dialect.path}/${encodeURIComponent(name)}`;
    const request = { ...what, path, maxBytes: MAX_NODE_BYTES, signal };
    if (name === '') throw http.failure(request, 'there is no node with an empty name');
    return request;
  }

  return { list, listWhole, read, create, update, remove };
}

function dialectOf(apiVersion: ApiVersion): Dialect {
  return apiVersion === 'v1' || apiVersion === 'v1beta3' ? nodeDialect(apiVersion) : minionDialect(apiVersion);
}

/** A server that lists a minion only while its kubelet answers has no condition that would say so. */
function listedIsReady(record: NodeRecord): NodeRecord {
  return record.facts === undefined ? record : { ...record, facts: { ...record.facts, ready: 'ready' } };
}

/** One bad label fails the whole create, with 422 and a cause for the field: `label` in v0.5.6, `labels` in v0.8.4, then `metadata.labels`. */
function refusesLabels(answer: HttpAnswer): boolean {
  if (answer.status !== 422) return false;
  const { reason, details } = readStatus(answer);
  return reason === 'Invalid' && details.causes.some(({ field }) => /^(metadata\.)?labels?\b/.test(field));
}
