/** How a list of nodes is answered: which ones, in which form, on which page. */
import type { Era, MetadataLists } from './era.ts';
import { type Node, partialJson } from './node.ts';
import { isSelected, selector } from './node-selector.ts';
import type { NodeStore } from './node-store.ts';
import { type ListSaid, type Place, wireOf } from './node-wire.ts';
import { badRequest, expired, notAcceptable } from './status.ts';

/** A whole object, or its metadata only in a version of meta.k8s.io. */
export type Form = { readonly whole: true } | { readonly whole: false; readonly version: string };

/** The first form that the Accept header asks for and the server has. `as` is the kind it would be in metadata only. */
export function negotiate(accept: string | undefined, as: string, lists: MetadataLists, era: Era): Form {
  for (const range of (accept || '*/*').split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    if (!['application/json', 'application/*', '*/*'].includes(type)) continue;
    const asked = new Map(parameters.map((parameter) => cut(parameter, '=')));
    if (!asked.has('as') || lists === 'unheard') return { whole: true };
    if (lists === '406') throw notAcceptable(era);
    const version = asked.get('v') ?? '';
    const known = asked.get('as') === as && asked.get('g') === 'meta.k8s.io' && ['v1', 'v1beta1'].includes(version);
    if (lists === 'yes' && known) return { whole: false, version };
  }
  throw notAcceptable(era);
}

export function oneJson(node: Node, form: Form, era: Era, place: Place): string {
  return form.whole ? wireOf(era, place).one(node) : partialJson(node, form.version);
}

export interface NodePage {
  readonly nodes: readonly Node[];
  readonly said: ListSaid;
}

/** The body of a list. `path` is the one that was asked for. */
export function listJson({ nodes, said }: NodePage, form: Form, era: Era, place: Place, path: string): string {
  if (form.whole) {
    const wire = wireOf(era, place);
    return wire.list(nodes.map(wire.item), said, path);
  }
  const head = `"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/${form.version}"`;
  // How many are left is said of whole nodes only. Without items, such a list has null where a list of nodes has an empty array.
  const metadata = JSON.stringify({ ...said, remainingItemCount: undefined });
  const items = nodes.map((node) => partialJson(node, form.version));
  return `{${head},"metadata":${metadata},"items":${items.length > 0 ? `[${items.join(',')}]` : 'null'}}`;
}

/** The nodes that the selectors, `limit` and `continue` of a query ask for. */
export function selectPage(
  store: NodeStore,
  query: URLSearchParams,
  paging: boolean,
  era: Era,
  { api }: Place,
): NodePage {
  const token = paging ? (query.get('continue') ?? '') : '';
  const limit = paging ? Number(query.get('limit') ?? 0) : 0;
  const { revision, from } = token === '' ? { revision: undefined, from: '' } : parseToken(token);
  const live = revision === undefined || revision < 0;
  const snapshot = live ? store.list() : store.kept(revision);
  if (snapshot === undefined) throw expired(tokenOf(-1, from));

  const wanted = selector(query, api, era);
  const rest = snapshot.nodes.filter((node) => node.metadata.name >= from && wanted(node));
  const nodes = limit > 0 ? rest.slice(0, limit) : rest;
  const last = nodes.at(-1);
  const resourceVersion = String(snapshot.revision);
  if (last === undefined || nodes.length === rest.length) return { nodes, said: { resourceVersion } };
  store.keep(snapshot);
  const next = tokenOf(snapshot.revision, `${last.metadata.name}\0`);
  const counted = era.remainingItemCount && !isSelected(query, api);
  const remainingItemCount = counted ? rest.length - nodes.length : undefined;
  return { nodes, said: { resourceVersion, continue: next, remainingItemCount } };
}

function tokenOf(revision: number, start: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start })).toString('base64url');
}

function parseToken(token: string): { revision: number; from: string } {
  try {
    const { rv, start } = JSON.parse(Buffer.from(token, 'base64url').toString());
    return { revision: Number(rv), from: String(start) };
  } catch (error) {
    throw badRequest(`invalid continue token: continue key is not valid: ${String(error)}`);
  }
}

function cut(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}
