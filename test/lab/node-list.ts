/** How the v1 API answers a list of nodes: which ones, in which form, on which page. */
import { itemJson, type Node, nodeJson, partialJson } from './node.ts';
import type { NodeStore } from './node-store.ts';
import { badRequest, expired, notAcceptable } from './status.ts';

/** Lists of metadata only: as asked for, answered whole all the same, or refused when they are the first choice. */
export type MetadataLists = 'yes' | 'ignored' | '406';

/** A whole object, or its metadata only in a version of meta.k8s.io. */
export type Form = { readonly whole: true } | { readonly whole: false; readonly version: string };

/** The first form that the Accept header asks for and the server has. `as` is the kind it would be in metadata only. */
export function negotiate(accept: string | undefined, as: string, lists: MetadataLists): Form {
  for (const range of (accept || '*/*').split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    if (!['application/json', 'application/*', '*/*'].includes(type)) continue;
    const asked = new Map(parameters.map((parameter) => cut(parameter, '=')));
    if (!asked.has('as')) return { whole: true };
    if (lists === '406') throw notAcceptable();
    const version = asked.get('v') ?? '';
    const known = asked.get('as') === as && asked.get('g') === 'meta.k8s.io' && ['v1', 'v1beta1'].includes(version);
    if (lists === 'yes' && known) return { whole: false, version };
  }
  throw notAcceptable();
}

export function oneJson(node: Node, form: Form): string {
  return form.whole ? nodeJson(node) : partialJson(node, form.version);
}

/** The body of a list, and of a delete of all that were listed. */
export function listJson(nodes: readonly Node[], metadata: object, form: Form): string {
  const head = form.whole
    ? '"kind":"NodeList","apiVersion":"v1"'
    : `"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/${form.version}"`;
  const items = form.whole ? nodes.map(itemJson) : nodes.map((node) => partialJson(node, form.version));
  // Without items, a list of metadata has null where a list of nodes has an empty array.
  const list = form.whole || items.length > 0 ? `[${items.join(',')}]` : 'null';
  // How many are left is said of whole nodes only.
  const said = form.whole ? metadata : { ...metadata, remainingItemCount: undefined };
  return `{${head},"metadata":${JSON.stringify(said)},"items":${list}}\n`;
}

export interface NodePage {
  readonly nodes: readonly Node[];
  readonly metadata: object;
}

/** The nodes that `labelSelector`, `fieldSelector`, `limit` and `continue` ask for. */
export function selectPage(store: NodeStore, query: URLSearchParams, paging: boolean): NodePage {
  const token = paging ? (query.get('continue') ?? '') : '';
  const limit = paging ? Number(query.get('limit') ?? 0) : 0;
  const { revision, from } = token === '' ? { revision: undefined, from: '' } : parseToken(token);
  const live = revision === undefined || revision < 0;
  const snapshot = live ? store.list() : store.kept(revision);
  if (snapshot === undefined) throw expired(tokenOf(-1, from));

  const wanted = selector(query);
  const rest = snapshot.nodes.filter((node) => node.metadata.name >= from && wanted(node));
  const nodes = limit > 0 ? rest.slice(0, limit) : rest;
  const last = nodes.at(-1);
  const resourceVersion = String(snapshot.revision);
  if (last === undefined || nodes.length === rest.length) return { nodes, metadata: { resourceVersion } };
  store.keep(snapshot);
  const next = tokenOf(snapshot.revision, `${last.metadata.name}\0`);
  const remaining = isSelected(query) ? undefined : rest.length - nodes.length;
  return { nodes, metadata: { resourceVersion, continue: next, remainingItemCount: remaining } };
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

const isSelected = (query: URLSearchParams) => Boolean(query.get('labelSelector') || query.get('fieldSelector'));

/** Whether a node is one that the query's selectors want. */
export function selector(query: URLSearchParams): (node: Node) => boolean {
  const requirements = [
    ...parts(query.get('labelSelector')).map(labelRequirement),
    ...parts(query.get('fieldSelector')).map(fieldRequirement),
  ];
  return (node) => requirements.every((holds) => holds(node));
}

/** Split at commas, but not at those in parentheses. */
function parts(text: string | null): string[] {
  return text ? text.split(/,(?![^(]*\))/) : [];
}

const LABEL_REQUIREMENT =
  /^\s*(?:(?<absent>!)\s*)?(?<key>[\w./-]+)\s*(?:(?<operator>==?|!=)\s*(?<value>[\w.-]*)|(?<set>in|notin)\s*\((?<values>[^)]*)\))?\s*$/;

function labelRequirement(text: string): (node: Node) => boolean {
  const groups = LABEL_REQUIREMENT.exec(text)?.groups;
  const key = groups?.['key'];
  if (groups === undefined || key === undefined) throw badRequest(`unable to parse requirement: ${text}`);
  const { absent, operator, value = '', set, values = '' } = groups;
  const allowed = set === undefined ? [value] : values.split(',').map((each) => each.trim());
  const label = ({ metadata }: Node) => metadata.labels?.[key];
  if (absent !== undefined) return (node) => label(node) === undefined;
  if (operator === undefined && set === undefined) return (node) => label(node) !== undefined;
  const negative = operator === '!=' || set === 'notin';
  return (node) => allowed.includes(label(node) ?? '\0') !== negative;
}

function fieldRequirement(text: string): (node: Node) => boolean {
  const [, field = '', operator, value] = /^([\w.]+)(==?|!=)(.*)$/.exec(text) ?? [];
  const read = {
    'metadata.name': ({ metadata }: Node) => metadata.name,
    'spec.unschedulable': ({ spec }: Node) => String(spec.unschedulable ?? false),
  }[field];
  if (read === undefined) throw badRequest(`field label not supported: ${field || text}`);
  return (node) => (read(node) === value) !== (operator === '!=');
}

function cut(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}
