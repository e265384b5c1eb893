/** The nodes of an API server that speaks v1: v0.19 (2015) to today. */
import { z } from 'zod';
import type { HttpAnswer, HttpClient, HttpRequest } from '../http/http-client.ts';
import { parseJson } from '../http/json.ts';
import { RequestError } from '../http/request-error.ts';
import { listNodes } from './node-list.ts';
import { wholeNode } from './node-wire.ts';
import type { MetadataChange, NodeDraft, NodeRegistry } from './registry.ts';
import { readStatus, refusal, saysMissing } from './status.ts';

const API_VERSION = 'v1';
const PATH = `/api/${API_VERSION}/nodes`;
/** What an API server answers to a write: the node, or a Status. */
const apiObject = z.object({ kind: z.enum(['Node', 'Status']) });
/** etcd takes no object larger than 1.5 MiB. */
const MAX_NODE_BYTES = 4 * 1024 * 1024;

/** Takes over the client: closing the registry closes it. What is learned of the server lasts as long as the registry. */
export function createNodes({ http }: { readonly http: HttpClient }): NodeRegistry {
  /** False once the server has answered 406 to a request for metadata alone. */
  let listsMetadata = true;

  const listWhole: NodeRegistry['listWhole'] = (signal) => listNodes(http, PATH, 'whole', signal);

  const list: NodeRegistry['list'] = async (signal) => {
    if (!listsMetadata) return listWhole(signal);
    try {
      return await listNodes(http, PATH, 'metadata', signal);
    } catch (error) {
      if (!(error instanceof RequestError) || error.status !== 406) throw error;
      listsMetadata = false;
      return listWhole(signal);
    }
  };

  const read: NodeRegistry['read'] = async (name, signal) => {
    const request = about(name, { method: 'GET', headers: { Accept: 'application/json' } }, signal);
    const answer = await http.send(request);
    if (answer.status === 200) return parseJson(http, request, answer, wholeNode);
    if (saysMissing(answer, name)) return undefined;
    throw refusal(http, request, answer, 'get');
  };

  const create: NodeRegistry['create'] = async (draft, signal) => {
    const request = creation(draft, signal);
    const answer = await http.send(request);
    if ([200, 201, 202].includes(answer.status)) return confirmed(request, answer, 'created');
    if (answer.status === 409 && readStatus(answer).reason === 'AlreadyExists') return 'exists';
    if (refusesLabels(answer) && draft.labels.size > 0) return 'labels-refused';
    throw refusal(http, request, answer, 'create');
  };

  const update: NodeRegistry['update'] = async (name, uid, change, signal) => {
    const value = { metadata: { uid, ...objects(change) } };
    const body = { contentType: 'application/merge-patch+json', value };
    const request = about(name, { method: 'PATCH', body }, signal);
    const answer = await http.send(request);
    if (answer.status === 200) return confirmed(request, answer, 'updated');
    if (saysMissing(answer, name)) return 'gone';
    // Another uid is refused as a conflict or as an invalid change, and so are other things: only a look can tell.
    if ((answer.status === 409 || answer.status === 422) && (await read(name, signal))?.uid !== uid) return 'gone';
    throw refusal(http, request, answer, 'patch');
  };

  const remove: NodeRegistry['remove'] = async (name, uid, resourceVersion, signal) => {
    const value = { kind: 'DeleteOptions', apiVersion: API_VERSION, preconditions: { uid, resourceVersion } };
    const request = about(name, { method: 'DELETE', body: { contentType: 'application/json', value } }, signal);
    const answer = await http.send(request);
    if (answer.status === 200 || answer.status === 202) return confirmed(request, answer, 'removed');
    if (saysMissing(answer, name)) return 'gone';
    if (answer.status === 409) return 'changed';
    throw refusal(http, request, answer, 'delete');
  };

  /** The outcome, if the answer is an API server's. Throws RequestError for the 200 of anything else, say a login page. */
  function confirmed<T>(request: HttpRequest, answer: HttpAnswer, outcome: T): T {
    parseJson(http, request, answer, apiObject);
    return outcome;
  }

  /** A request about one node. Throws RequestError for an empty name: without one the path is that of all nodes. */
  function about(
    name: string,
    what: Pick<HttpRequest, 'method' | 'headers' | 'body'>,
    signal: AbortSignal,
  ): HttpRequest {
    const request = { ...what, path: `${PATH}/${encodeURIComponent(name)}`, maxBytes: MAX_NODE_BYTES, signal };
    if (name === '') throw http.failure(request, 'there is no node with an empty name');
    return request;
  }

  return { list, listWhole, read, create, update, remove, close: () => http.close() };
}

function creation(draft: NodeDraft, signal: AbortSignal): HttpRequest {
  const { name, address, labels, annotations } = draft;
  const value = {
    kind: 'Node',
    apiVersion: API_VERSION,
    metadata: { name, ...objects({ labels, annotations }) },
    status: { addresses: [{ type: 'InternalIP', address }] },
  };
  const body = { contentType: 'application/json', value };
  return { method: 'POST', path: PATH, body, maxBytes: MAX_NODE_BYTES, signal };
}

/** Both as JSON has them; a map without entries is left out. */
function objects({ labels, annotations }: MetadataChange) {
  return {
    ...(labels.size > 0 && { labels: Object.fromEntries(labels) }),
    ...(annotations.size > 0 && { annotations: Object.fromEntries(annotations) }),
  };
}

/** One bad label fails the whole create, with 422 and a cause for the field (v0.15.0 to v1.20.2). */
function refusesLabels(answer: HttpAnswer): boolean {
  if (answer.status !== 422) return false;
  const { reason, details } = readStatus(answer);
  return reason === 'Invalid' && details.causes.some(({ field }) => field.startsWith('metadata.labels'));
}
