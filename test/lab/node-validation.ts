/** What Kubernetes refuses in a node: its name, its labels and annotations, a change of what cannot change. */
import type { Era } from './era.ts';
import type { NodeInput } from './node.ts';
import { type Cause, invalid } from './status.ts';

/** Throws the refusal of a node that may not be created. */
export function validateNew(node: NodeInput, era: Era): void {
  const { name } = node.metadata;
  const { rules } = era;
  const nameCauses =
    name === ''
      ? [required('metadata.name', rules.nameRequired)]
      : rules.name(name).map((problem) => invalidValue('metadata.name', name, problem, era));
  refuseIfAny(name, [...nameCauses, ...metadataCauses(node, era), ...externalIdCauses(node, era)]);
}

/** Throws the refusal of what a node may not become. */
export function validateChange(node: NodeInput, uid: string, era: Era): void {
  const { name } = node.metadata;
  const changed = node.metadata.uid && node.metadata.uid !== uid;
  const uidCauses = changed ? [invalidValue('metadata.uid', node.metadata.uid ?? '', 'field is immutable', era)] : [];
  // It looks at the metadata twice, and lists what it finds both times among the causes.
  refuseIfAny(name, [...uidCauses, ...uidCauses, ...metadataCauses(node, era), ...externalIdCauses(node, era)]);
}

function refuseIfAny(name: string, causes: readonly Cause[]): void {
  if (causes.length > 0) throw invalid(name, causes);
}

function metadataCauses({ metadata: { labels = {}, annotations = {} } }: NodeInput, era: Era): Cause[] {
  const { rules } = era;
  const inLabel = (problem: string, value: string) => invalidValue('metadata.labels', value, problem, era);
  const inAnnotation = (problem: string, key: string) => invalidValue('metadata.annotations', key, problem, era);
  return [
    ...Object.entries(labels).flatMap(([key, value]) => [
      ...rules.labelKey(key).map((problem) => inLabel(problem, key)),
      ...rules.labelValue(value).map((problem) => inLabel(problem, value)),
    ]),
    ...Object.keys(annotations).flatMap((key) => rules.annotationKey(key).map((problem) => inAnnotation(problem, key))),
  ];
}

function externalIdCauses({ spec }: NodeInput, { nodes, rules }: Era): Cause[] {
  return nodes.externalId !== undefined && !spec.externalID ? [required(nodes.externalId, rules.required)] : [];
}

function required(field: string, message: string): Cause {
  return { reason: 'FieldValueRequired', field, message };
}

function invalidValue(field: string, value: string, problem: string, { rules }: Era): Cause {
  return { reason: 'FieldValueInvalid', field, message: rules.invalid(value, problem) };
}
