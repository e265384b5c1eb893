/** The metadata selector: which of fleet's machines are meant to be nodes. */
import { quote } from '../text/quote.ts';

/** What one term asks of one metadata key. */
interface Requirement {
  readonly key: string;
  readonly operator: 'in' | 'not-in' | 'exists' | 'absent';
  readonly values: ReadonlySet<string>;
}

/** A parsed selector: a machine matches when it meets every requirement. */
export interface Selector {
  /** As the operator wrote it; empty means every machine. */
  readonly text: string;
  readonly requirements: readonly Requirement[];
}

/** Says in one sentence which term is wrong and what is allowed. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

/** fleet metadata is free text, but a key with one of these characters is most likely a mistake. */
const KEY = /^[^\s,()=!<>"']+$/;
const SET_TERM = /^(?<key>\S+)\s+(?<operator>in|notin)\s*\((?<values>[^()]*)\)$/;

const NO_VALUES: ReadonlySet<string> = new Set();

/**
 * Reads `k=v` (or `k==v`), `k!=v`, `k`, `!k`, `k in (a,b)` and `k notin (a,b)`, separated by commas.
 *
 * A comma means and; the same key twice with `=` means either value. Values are taken literally and may be empty, but hold
 * no comma and no parenthesis. An empty text matches every machine. Throws SelectorError.
 */
export function parseSelector(text: string): Selector {
  const trimmed = text.trim();
  if (trimmed === '') return { text: '', requirements: [] };
  const requirements: Requirement[] = [];
  const equalities = new Map<string, Set<string>>();
  for (const term of splitTerms(trimmed)) {
    const equality = parseEquality(term);
    if (equality === undefined) {
      requirements.push(parseRequirement(term));
      continue;
    }
    const values = equalities.get(equality.key);
    if (values === undefined) equalities.set(equality.key, new Set([equality.value]));
    else values.add(equality.value);
  }
  for (const [key, values] of equalities) requirements.push({ key, operator: 'in', values });
  return { text: trimmed, requirements };
}

/** Whether a machine's metadata meets every requirement. As in Kubernetes, `k!=v` and `k notin (v)` hold where k is absent. */
export function matches(selector: Selector, metadata: ReadonlyMap<string, string>): boolean {
  return selector.requirements.every((requirement) => meets(metadata.get(requirement.key), requirement));
}

function meets(value: string | undefined, { operator, values }: Requirement): boolean {
  switch (operator) {
    case 'in':
      return value !== undefined && values.has(value);
    case 'not-in':
      return value === undefined || !values.has(value);
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
  }
}

/** Splits at the commas outside parentheses. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    const char = text[at];
    if (char === '(') depth++;
    if (char === ')') depth--;
    if (char === undefined || (char === ',' && depth === 0)) {
      terms.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  return terms;
}

/** `k=v` or `k==v`; undefined when the term is of another kind. */
function parseEquality(term: string): { key: string; value: string } | undefined {
  const at = term.indexOf('=');
  if (at === -1 || term[at - 1] === '!' || SET_TERM.test(term)) return undefined;
  const valueAt = term[at + 1] === '=' ? at + 2 : at + 1;
  return { key: readKey(term.slice(0, at), term), value: readValue(term.slice(valueAt), term) };
}

function parseRequirement(term: string): Requirement {
  if (term === '') throw new SelectorError('a term is empty; remove the extra comma');
  const set = SET_TERM.exec(term)?.groups;
  if (set !== undefined) {
    const { key = '', operator, values = '' } = set;
    return {
      key: readKey(key, term),
      operator: operator === 'in' ? 'in' : 'not-in',
      values: new Set(values.split(',').map((value) => value.trim())),
    };
  }
  const unequalAt = term.indexOf('!=');
  if (unequalAt !== -1) {
    const value = readValue(term.slice(unequalAt + 2), term);
    return { key: readKey(term.slice(0, unequalAt), term), operator: 'not-in', values: new Set([value]) };
  }
  if (term.startsWith('!')) return { key: readKey(term.slice(1), term), operator: 'absent', values: NO_VALUES };
  return { key: readKey(term, term), operator: 'exists', values: NO_VALUES };
}

function readKey(text: string, term: string): string {
  const key = text.trim();
  if (KEY.test(key)) return key;
  throw new SelectorError(
    `the term ${quote(term)} is not k=v, k!=v, k, !k, k in (a,b) or k notin (a,b), where the key k is one word`,
  );
}

function readValue(text: string, term: string): string {
  const value = text.trim();
  if (!/[()]/.test(value)) return value;
  throw new SelectorError(`the value in the term ${quote(term)} must not contain a parenthesis`);
}
