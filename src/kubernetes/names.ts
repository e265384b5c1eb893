/** What Kubernetes takes as the name of a node, as the key of a label and as its value. */
import { isIPv6 } from 'node:net';
import { quote } from '../text/quote.ts';

const LONGEST_SUBDOMAIN = 253;
const LONGEST_LABEL_PART = 63;
/** Keys of this prefix are our own marks; fleet's metadata must not be able to write them. */
const OWN_PREFIX = 'kube-register.io';

/**
 * Why Kubernetes would refuse a node of this name, as a sentence without a full stop; undefined when it takes it. A node's
 * name is a DNS-1123 subdomain of at most 253 characters (measured on v0.13.2 to v1.20.2: anything else is 422 Invalid).
 */
export function nodeNameProblem(name: string): string | undefined {
  if (name === '') return 'a node name cannot be empty';
  if (isIPv6(name)) return 'IPv6 addresses cannot be node names';
  return subdomainProblem(name);
}

/**
 * Turns a metadata pair of fleet into a node label: what label syntax does not allow becomes `-`, and the ends are trimmed to
 * letters and digits. The prefix of a key (`prefix/name`) is kept as it is or refused. `problem` says why no label can stand
 * for the pair.
 */
export function cleanLabel(key: string, value: string): { key: string; value: string } | { problem: string } {
  const slash = key.indexOf('/');
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  if (prefix === OWN_PREFIX) return { problem: `keys that begin with ${OWN_PREFIX}/ are reserved for kube-register` };
  const prefixProblem = prefix === '' ? 'it is empty' : prefix === undefined ? undefined : subdomainProblem(prefix);
  if (prefixProblem !== undefined)
    return { problem: `the prefix of the key ${quote(key)} is not a DNS name: ${prefixProblem}` };

  const name = cleanPart(key.slice(slash + 1));
  if (name === '') return { problem: `the key ${quote(key)} has no letter or digit` };
  if (name.length > LONGEST_LABEL_PART) return { problem: tooLong(`the key ${quote(key)}`, name) };
  const cleanValue = cleanPart(value);
  if (cleanValue.length > LONGEST_LABEL_PART) return { problem: tooLong(`the value ${quote(value)}`, cleanValue) };
  return { key: prefix === undefined ? name : `${prefix}/${name}`, value: cleanValue };
}

function cleanPart(text: string): string {
  return text.replace(/[^-A-Za-z0-9_.]/gu, '-').replace(/^[-_.]+|(?<![-_.])[-_.]+$/g, '');
}

function tooLong(what: string, part: string): string {
  return `${what} has ${part.length} characters as a label; at most ${LONGEST_LABEL_PART} are allowed`;
}

function subdomainProblem(name: string): string | undefined {
  if (name.length > LONGEST_SUBDOMAIN) {
    return `it has ${name.length} characters; at most ${LONGEST_SUBDOMAIN} are allowed`;
  }
  if (/[A-Z]/.test(name)) return 'upper-case letters are not allowed';
  const forbidden = name.match(/[^-a-z0-9.]/u)?.[0];
  if (forbidden !== undefined) {
    return `${quote(forbidden)} is not allowed, only lower-case letters, digits, "-" and "." are`;
  }
  if (name.split('.').some((part) => !/^[a-z0-9](.*[a-z0-9])?$/.test(part))) {
    return 'each part between dots must begin and end with a letter or a digit';
  }
  return undefined;
}
