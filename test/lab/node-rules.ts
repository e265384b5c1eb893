/** What the releases of Kubernetes allow as a node's name and as its labels and annotations, in their words. */

/** Each rule returns what is wrong with a value, nothing when it is well. */
export interface NodeRules {
  readonly name: (value: string) => string[];
  readonly labelKey: (key: string) => string[];
  readonly labelValue: (value: string) => string[];
  readonly annotationKey: (key: string) => string[];
  /** How a value that breaks a rule is told. */
  readonly invalid: (value: string, problem: string) => string;
  readonly required: string;
  readonly nameRequired: string;
}

const SUBDOMAIN = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';
const QUALIFIED_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${QUALIFIED_NAME})?`;
/** A prefix is only a name here. */
const OLD_KEY = `(${QUALIFIED_NAME}/)?${QUALIFIED_NAME}`;

const quoted = (value: string, problem: string) => `invalid value '${value}': ${problem}`;
const inJson = (value: string, problem: string) => `Invalid value: ${JSON.stringify(value)}: ${problem}`;

const DNS_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const OLDEST_KEY: NodeRules['labelKey'] = (key) => {
  const fits = new RegExp(`^(${SUBDOMAIN}/)?${DNS_LABEL}$`).test(key);
  return fits ? [] : [`must match regex [${SUBDOMAIN} / ] ${DNS_LABEL}`];
};

/** v0.12: a value of a label may be anything, and its key has no capitals. */
export const RULES_V0_12: NodeRules = {
  name: within(253, SUBDOMAIN, mustMatch(253, SUBDOMAIN)),
  labelKey: OLDEST_KEY,
  labelValue: () => [],
  annotationKey: OLDEST_KEY,
  invalid: quoted,
  required: 'required value',
  nameRequired: 'required value',
};

/** v0.13 to v0.17: one expression for each, and a key is as long as a name. */
export const RULES_V0: NodeRules = {
  name: within(253, SUBDOMAIN, mustMatch(253, SUBDOMAIN)),
  labelKey: within(253, OLD_KEY, mustMatch(253, OLD_KEY)),
  labelValue: within(63, LABEL_VALUE, mustMatch(63, LABEL_VALUE)),
  annotationKey: within(253, OLD_KEY, mustMatch(253, OLD_KEY)),
  invalid: quoted,
  required: 'required value',
  nameRequired: 'required value',
};

const KEY_V1_0 =
  `must be a qualified name (at most 63 characters, matching regex ${QUALIFIED_NAME}), with an optional DNS subdomain ` +
  `prefix (at most 253 characters, matching regex ${SUBDOMAIN}) and slash (/): e.g. "MyName" or "example.com/MyName"`;

export const RULES_V1_0: NodeRules = {
  name: within(
    253,
    SUBDOMAIN,
    `must be a DNS subdomain (at most 253 characters, matching regex ${SUBDOMAIN}): e.g. "example.com"`,
  ),
  labelKey: (key) => (isQualified(key) ? [] : [KEY_V1_0]),
  labelValue: within(
    63,
    LABEL_VALUE,
    `must have at most 63 characters, matching regex ${LABEL_VALUE}: e.g. "MyValue" or ""`,
  ),
  annotationKey: (key) => (isQualified(key.toLowerCase()) ? [] : [KEY_V1_0]),
  invalid: quoted,
  required: 'required value',
  nameRequired: 'required value',
};

export const RULES_V1_5 = detailed({
  subdomain: `must match the regex ${SUBDOMAIN} (e.g. 'example.com')`,
  name: `must match the regex ${QUALIFIED_NAME} (e.g. 'MyName' or 'my.name' or '123-abc')`,
  labelValue: `must match the regex ${LABEL_VALUE} (e.g. 'MyValue' or 'my_value' or '12345')`,
});

const IN_WORDS = {
  name:
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character " +
    `(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${QUALIFIED_NAME}')`,
  labelValue:
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end " +
    "with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', " +
    `regex used for validation is '${LABEL_VALUE}')`,
};

const SUBDOMAIN_IN_WORDS =
  "must consist of lower case alphanumeric characters, '-' or '.', and must start and end " +
  `with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`;

export const RULES_V1_9 = detailed({ ...IN_WORDS, subdomain: `a DNS-1123 subdomain ${SUBDOMAIN_IN_WORDS}` });
export const RULES_V1_20 = detailed({ ...IN_WORDS, subdomain: `a lowercase RFC 1123 subdomain ${SUBDOMAIN_IN_WORDS}` });

interface Words {
  readonly subdomain: string;
  readonly name: string;
  readonly labelValue: string;
}

/** From v1.5 on every part of a value is judged by itself. */
function detailed(words: Words): NodeRules {
  const subdomain = (value: string) => [...tooLong(value, 253), ...unlike(value, SUBDOMAIN, words.subdomain)];

  /** `name` or `prefix/name`. */
  function qualified(key: string): string[] {
    const parts = key.split('/');
    if (parts.length > 2) {
      return [
        `a qualified name ${words.name} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
      ];
    }
    const [name = '', prefix] = parts.reverse();
    const ofPrefix =
      prefix === ''
        ? ['prefix part must be non-empty']
        : subdomain(prefix ?? 'none').map((problem) => `prefix part ${problem}`);
    const ofName =
      name === '' ? ['must be non-empty'] : [...tooLong(name, 63), ...unlike(name, QUALIFIED_NAME, words.name)];
    return [...ofPrefix, ...ofName.map((problem) => `name part ${problem}`)];
  }

  return {
    name: subdomain,
    labelKey: qualified,
    labelValue: (value) => [...tooLong(value, 63), ...unlike(value, LABEL_VALUE, words.labelValue)],
    // Annotation keys may have capitals in their prefix.
    annotationKey: (key) => qualified(key.toLowerCase()),
    invalid: inJson,
    required: 'Required value',
    nameRequired: 'Required value: name or generateName is required',
  };
}

function isQualified(key: string): boolean {
  const [name = '', prefix = 'none', ...more] = key.split('/').reverse();
  const problems = [...unlike(name, QUALIFIED_NAME, 'name'), ...unlike(prefix, SUBDOMAIN, 'prefix')];
  const lengths = [...tooLong(name, 63), ...tooLong(prefix, 253)];
  return problems.length + lengths.length + more.length === 0;
}

function within(limit: number, pattern: string, problem: string): (value: string) => string[] {
  return (value) => (tooLong(value, limit).length > 0 ? [problem] : unlike(value, pattern, problem));
}

function mustMatch(limit: number, pattern: string): string {
  return `must have at most ${limit} characters and match regex ${pattern}`;
}

function tooLong(value: string, limit: number): string[] {
  return Buffer.byteLength(value) > limit ? [`must be no more than ${limit} characters`] : [];
}

function unlike(value: string, pattern: string, problem: string): string[] {
  return new RegExp(`^(?:${pattern})$`).test(value) ? [] : [problem];
}
