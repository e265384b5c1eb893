/** What requests of the v1 API carry in their bodies, and how it is refused when it cannot be read. */
import { z } from 'zod';
import { NODE_INPUT, type NodeInput } from './node.ts';
import { type Json, jsonPatch, mergePatch } from './patch.ts';
import type { Received } from './request-log.ts';
import { badRequest, unsupportedBody, unsupportedPatch } from './status.ts';

const KIND = z.object({ kind: z.string().default('Node'), apiVersion: z.string().default('v1') });

const DELETE_OPTIONS = z.object({
  preconditions: z.object({ uid: z.string().optional(), resourceVersion: z.string().optional() }).default({}),
});

const PATCHES: Record<string, (target: Json, patch: Json) => Json> = {
  'application/merge-patch+json': mergePatch,
  'application/strategic-merge-patch+json': mergePatch,
  'application/json-patch+json': jsonPatch,
};

export interface Preconditions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

/** The node in the body of a POST or PUT. */
export function readNode({ headers, body }: Received): NodeInput {
  const type = headers['content-type']?.split(';')[0]?.trim() ?? 'application/json';
  if (type !== 'application/json') throw unsupportedBody();
  return parseNode(parseJson(body));
}

/** What the patch in the body makes of a node, given as JSON. */
export function readPatched({ headers, body }: Received, node: string): NodeInput {
  const apply = PATCHES[headers['content-type'] ?? ''];
  if (apply === undefined) throw unsupportedPatch();
  return parseNode(apply(JSON.parse(node), parseJson(body)));
}

/** What the DeleteOptions in the body of a DELETE insist on; a body is not needed. */
export function readPreconditions({ body }: Received): Preconditions {
  const options = DELETE_OPTIONS.safeParse(body === '' ? {} : parseJson(body));
  if (!options.success) throw badRequest(`DeleteOptions cannot be handled: ${options.error.message}`);
  return options.data.preconditions;
}

function parseJson(body: string): Json {
  try {
    return JSON.parse(body);
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    const what =
      "the object provided is unrecognized (must be of type Node): couldn't get version/kind; json parse error";
    throw badRequest(`${what}: ${why} (${body || '<empty>'})`);
  }
}

function parseNode(value: Json): NodeInput {
  const { kind, apiVersion } = KIND.safeParse(value).data ?? { kind: '', apiVersion: '' };
  if (kind !== 'Node' || apiVersion !== 'v1') {
    const why = `no kind "${kind}" is registered for version "${apiVersion}" in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"`;
    throw badRequest(`${kind} in version "${apiVersion}" cannot be handled as a Node: ${why}`);
  }
  const node = NODE_INPUT.safeParse(value);
  if (!node.success) throw badRequest(`Node in version "v1" cannot be handled as a Node: ${node.error.message}`);
  return node.data;
}
