/** Which nodes a list or a delete of all is about: selectors of labels and of fields. */
import type { ApiVersion, Era } from './era.ts';
import type { Node } from './node.ts';
import { isMinions } from './node-wire.ts';
import { badRequest, badSelector, type Refusal } from './status.ts';

type Chosen = (node: Node) => boolean;
type Refuse = (message: string) => Refusal;

const FIELDS: Readonly<Record<string, (node: Node) => string>> = {
  'metadata.name': ({ metadata }) => metadata.name,
  'spec.unschedulable': ({ spec }) => String(spec.unschedulable ?? false),
};

const FIELDS_OF_MINIONS: Readonly<Record<string, (node: Node) => string>> = {
  name: ({ metadata }) => metadata.name,
  unschedulable: ({ spec }) => String(spec.unschedulable ?? false),
};

/** What the query selects by; `labelSelector` was `labels` in v1beta1 and v1beta2. */
function asked(query: URLSearchParams, api: ApiVersion): { labels: string; fields: string } {
  const [labels, fields] = isMinions(api) ? ['labels', 'fields'] : ['labelSelector', 'fieldSelector'];
  return { labels: query.get(labels) ?? '', fields: query.get(fields) ?? '' };
}

export function isSelected(query: URLSearchParams, api: ApiVersion): boolean {
  return Object.values(asked(query, api)).some(Boolean);
}

/** Whether a node is one that the query's selectors want. */
export function selector(query: URLSearchParams, api: ApiVersion, era: Era): Chosen {
  const { labels, fields } = asked(query, api);
  if (era.selectors === 'ignored') return () => true;
  if (era.selectors === 'parsed') {
    if (isMinions(api)) parseOnly(labels, fields, api);
    return () => true;
  }
  const refuse: Refuse = (message) => badSelector(message, era);
  const requirements = [
    ...parts(labels).map((part) => labelRequirement(part, refuse)),
    ...parts(fields).map((part) => fieldRequirement(part, isMinions(api) ? FIELDS_OF_MINIONS : FIELDS, refuse)),
  ];
  return (node) => requirements.every((holds) => holds(node));
}

/** v0.13 refuses what it cannot parse, and every selector of fields, and then lists all the same. */
function parseOnly(labels: string, fields: string, api: ApiVersion): void {
  const refuse: Refuse = (why) => badRequest(`The 'labels' selector parameter (${labels}) could not be parsed: ${why}`);
  for (const part of parts(labels)) labelRequirement(part, refuse);
  const why = `No conversion function found for version ${api} and api resource minions`;
  if (fields !== '') throw badRequest(`The 'fields' selector parameter (${fields}) could not be parsed: ${why}`);
}

/** Split at commas, but not at those in parentheses. */
function parts(text: string): string[] {
  return text ? text.split(/,(?![^(]*\))/) : [];
}

const LABEL_REQUIREMENT =
  /^\s*(?:(?<absent>!)\s*)?(?<key>[\w./-]+)\s*(?:(?<operator>==?|!=)\s*(?<value>[\w.-]*)|(?<set>in|notin)\s*\((?<values>[^)]*)\))?\s*$/;

function labelRequirement(text: string, refuse: Refuse): Chosen {
  const groups = LABEL_REQUIREMENT.exec(text)?.groups;
  const key = groups?.['key'];
  if (groups === undefined || key === undefined) throw refuse(`unable to parse requirement: ${text}`);
  const { absent, operator, value = '', set, values = '' } = groups;
  const allowed = set === undefined ? [value] : values.split(',').map((each) => each.trim());
  const label = ({ metadata }: Node) => metadata.labels?.[key];
  if (absent !== undefined) return (node) => label(node) === undefined;
  if (operator === undefined && set === undefined) return (node) => label(node) !== undefined;
  const negative = operator === '!=' || set === 'notin';
  return (node) => allowed.includes(label(node) ?? '\0') !== negative;
}

function fieldRequirement(text: string, fields: typeof FIELDS, refuse: Refuse): Chosen {
  const [, field = '', operator, value] = /^([\w.]+)(==?|!=)(.*)$/.exec(text) ?? [];
  const read = fields[field];
  if (read === undefined) throw refuse(`field label not supported: ${field || text}`);
  return (node) => (read(node) === value) !== (operator === '!=');
}
