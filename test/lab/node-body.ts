/** What requests for nodes carry in their bodies, and how it is refused when it cannot be read. */
import { z } from 'zod';
import { API_VERSIONS, type ApiVersion, type Era } from './era.ts';
import { NODE_INPUT, type NodeInput } from './node.ts';
import { fromMinion } from './node-minion.ts';
import { isMinions } from './node-wire.ts';
import { type Json, jsonPatch, mergePatch } from './patch.ts';
import type { Received } from './request-log.ts';
import { badRequest, type Refusal, serverError, unsupportedBody, unsupportedPatch } from './status.ts';

const KIND = z.object({ kind: z.string().default(''), apiVersion: z.string().default('') });

const DELETE_OPTIONS = z.object({
  preconditions: z.object({ uid: z.string().optional(), resourceVersion: z.string().optional() }).default({}),
});

/** Where releases before v0.14 have the capacity. */
const CAPACITY_IN_SPEC = z.object({ spec: z.object({ capacity: z.unknown().optional() }).prefault({}) });

const PATCHES: Record<string, (target: Json, patch: Json) => Json> = {
  'application/merge-patch+json': mergePatch,
  'application/strategic-merge-patch+json': mergePatch,
  'application/json-patch+json': jsonPatch,
};

export interface WantedOfDelete {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

/** The node in the body of a POST or PUT to a path of that API version. */
export function readNode({ headers, body }: Received, era: Era, api: ApiVersion): NodeInput {
  const type = headers['content-type']?.split(';')[0]?.trim() ?? 'application/json';
  if (type !== 'application/json' && !era.bodies.anyType) throw unsupportedBody(era);
  return parseNode(parseJson(body, era), era, api);
}

/** What the patch in the body makes of a node, given as JSON of that API version. */
export function readPatched({ headers, body }: Received, node: string, era: Era, api: ApiVersion): NodeInput {
  const apply = era.patches === 'any' ? mergePatch : PATCHES[headers['content-type'] ?? ''];
  if (apply === undefined) throw unsupportedPatch(era);
  const patched = apply(JSON.parse(node), parseJson(body, era));
  if (Array.isArray(patched)) throw serverError("couldn't get version/kind: error unmarshaling JSON: it is a list");
  return parseNode(patched, era, api);
}

/** What the DeleteOptions in the body of a DELETE insist on; a body is not needed. */
export function readPreconditions({ body }: Received, era: Era): WantedOfDelete {
  const options = DELETE_OPTIONS.safeParse(body === '' ? {} : parseJson(body, era));
  if (!options.success) throw badRequest(`DeleteOptions cannot be handled: ${options.error.message}`);
  return options.data.preconditions;
}

function unreadable(message: string, era: Era): Refusal {
  return era.bodies.unreadable === 400 ? badRequest(message) : serverError(message);
}

function parseJson(body: string, era: Era): Json {
  try {
    return JSON.parse(body);
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    const what =
      "the object provided is unrecognized (must be of type Node): couldn't get version/kind; json parse error";
    throw unreadable(`${what}: ${why} (${body || '<empty>'})`, era);
  }
}

function parseNode(value: Json, era: Era, api: ApiVersion): NodeInput {
  const said = KIND.safeParse(value).data ?? { kind: '', apiVersion: '' };
  const bare = said.kind === '' && said.apiVersion === '';
  if (bare && era.bodies.withoutKind === 'bare') return read(value, era, 'v1');
  const version = API_VERSIONS.find((known) => known === (said.apiVersion || api));
  const kind = said.kind || 'Node';
  if (version === undefined || !era.bodies.kinds.includes(kind) || !era.bodies.apis.includes(version)) {
    const why = era.bodies.unknownKind(kind, said.apiVersion);
    throw unreadable(`${kind} in version "${said.apiVersion}" cannot be handled as a Node: ${why}`, era);
  }
  const node = read(value, era, version);
  const externalID = node.spec.externalID ?? (era.nodes.externalId && (node.metadata.name || undefined));
  return { ...node, spec: { ...node.spec, externalID } };
}

/** Reads a node in the form of that API version. */
function read(value: Json, era: Era, version: ApiVersion): NodeInput {
  try {
    if (isMinions(version)) return fromMinion(value);
    const node = NODE_INPUT.parse(value);
    if (era.nodes.capacityIn === 'status') return node;
    const { capacity } = CAPACITY_IN_SPEC.parse(value).spec;
    return { ...node, status: NODE_INPUT.parse({ status: { ...node.status, capacity, allocatable: null } }).status };
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    throw unreadable(`Node in version "${version}" cannot be handled as a Node: ${error.message}`, era);
  }
}
