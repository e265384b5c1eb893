/** What Kubernetes v1.20 refuses in a node's name, labels and annotations, in its words. */
import type { NodeInput } from './node.ts';
import { type Cause, invalid } from './status.ts';

const SUBDOMAIN = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';
const QUALIFIED_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${QUALIFIED_NAME})?`;

const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end " +
  `with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`;
const NAME_RULE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character " +
  `(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${QUALIFIED_NAME}')`;
const LABEL_VALUE_RULE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end " +
  "with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', " +
  `regex used for validation is '${LABEL_VALUE}')`;

/** Throws the refusal of a node that may not be created. */
export function validateNew(node: NodeInput): void {
  const { name } = node.metadata;
  const nameCauses =
    name === ''
      ? [
          {
            reason: 'FieldValueRequired',
            field: 'metadata.name',
            message: 'Required value: name or generateName is required',
          },
        ]
      : subdomainProblems(name).map((problem) => invalidValue('metadata.name', name, problem));
  refuseIfAny(name, [...nameCauses, ...metadataCauses(node)]);
}

/** Throws the refusal of what a node may not become. */
export function validateChange(node: NodeInput, uid: string): void {
  const { name } = node.metadata;
  const changed = node.metadata.uid && node.metadata.uid !== uid;
  const uidCauses = changed ? [invalidValue('metadata.uid', node.metadata.uid ?? '', 'field is immutable')] : [];
  // It looks at the metadata twice, and lists what it finds both times among the causes.
  refuseIfAny(name, [...uidCauses, ...uidCauses, ...metadataCauses(node)]);
}

function refuseIfAny(name: string, causes: readonly Cause[]): void {
  if (causes.length > 0) throw invalid(name, causes);
}

function metadataCauses({ metadata: { labels = {}, annotations = {} } }: NodeInput): Cause[] {
  const inLabel = (problem: string, value: string) => invalidValue('metadata.labels', value, problem);
  const inAnnotation = (problem: string, value: string) => invalidValue('metadata.annotations', value, problem);
  return [
    ...Object.entries(labels).flatMap(([key, value]) => [
      ...qualifiedNameProblems(key).map((problem) => inLabel(problem, key)),
      ...labelValueProblems(value).map((problem) => inLabel(problem, value)),
    ]),
    // Annotation keys may have capitals in their prefix.
    ...Object.keys(annotations).flatMap((key) =>
      qualifiedNameProblems(key.toLowerCase()).map((problem) => inAnnotation(problem, key)),
    ),
  ];
}

function invalidValue(field: string, value: string, problem: string): Cause {
  return { reason: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value)}: ${problem}` };
}

function subdomainProblems(name: string): string[] {
  return [...lengthProblems(name, 253), ...(whole(SUBDOMAIN).test(name) ? [] : [SUBDOMAIN_RULE])];
}

function labelValueProblems(value: string): string[] {
  return [...lengthProblems(value, 63), ...(whole(LABEL_VALUE).test(value) ? [] : [LABEL_VALUE_RULE])];
}

/** `name` or `prefix/name`. */
function qualifiedNameProblems(key: string): string[] {
  const parts = key.split('/');
  if (parts.length > 2) {
    return [`a qualified name ${NAME_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const [name = '', prefix] = parts.reverse();
  const prefixProblems =
    prefix === ''
      ? ['prefix part must be non-empty']
      : subdomainProblems(prefix ?? 'none').map((problem) => `prefix part ${problem}`);
  const nameProblems =
    name === ''
      ? ['must be non-empty']
      : [...lengthProblems(name, 63), ...(whole(QUALIFIED_NAME).test(name) ? [] : [NAME_RULE])];
  return [...prefixProblems, ...nameProblems.map((problem) => `name part ${problem}`)];
}

function lengthProblems(value: string, limit: number): string[] {
  return Buffer.byteLength(value) > limit ? [`must be no more than ${limit} characters`] : [];
}

function whole(pattern: string): RegExp {
  return new RegExp(`^${pattern}$`);
}
