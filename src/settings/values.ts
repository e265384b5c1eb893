/** The kinds of value that settings have: each a zod schema that says in one sentence what is allowed. */
import { isIPv4, isIPv6 } from 'node:net';
import { createTask, validateDetailed } from 'node-cron';
import * as z from 'zod';
import { parseSelector, SelectorError } from '../fleet/selector.ts';
import { inWords } from '../text/names.ts';
import { formatDuration, parseDuration } from '../time/duration.ts';

/** Milliseconds, from a duration between the two bounds, both included and both in milliseconds. */
export function duration(min: number, max: number) {
  const allowed = `must be a duration from ${formatDuration(min)} to ${formatDuration(max)}, such as 45s or 1h30m (a number alone is seconds)`;
  return z.string().transform(parseDuration).pipe(z.number(allowed).min(min, allowed).max(max, allowed));
}

/** Milliseconds of grace; `never` is Infinity. */
export function grace(max: number) {
  const allowed = `must be never or a duration up to ${formatDuration(max)}, such as 15m (a number alone is seconds)`;
  return z.string().transform((text, context) => {
    if (text === 'never') return Number.POSITIVE_INFINITY;
    const ms = parseDuration(text);
    if (ms !== undefined && ms <= max) return ms;
    context.addIssue(allowed);
    return z.NEVER;
  });
}

/** A whole number between the two bounds, both included. */
export function wholeNumber(min: number, max: number) {
  const allowed = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d+$/, allowed)
    .transform(Number)
    .pipe(z.number(allowed).min(min, allowed).max(max, allowed));
}

/** What zod takes for a truth value: true, false, and the usual other spellings, in any case. */
export function trueOrFalse() {
  return z.stringbool('must be true or false');
}

export function oneOf<const T extends readonly string[]>(words: T) {
  return z.enum(words, `must be ${inWords(words)}`);
}

/** The path of a file. Its form keeps a token or key that was given instead of its file out of every later error. */
export function file() {
  return z.string().regex(/^\.{0,2}\/[^\p{Cc}]+$/u, 'must be the path of a file, beginning with /, ./ or ../');
}

/** A server's URL without a slash at the end, or a unix socket where `schemes` allows it. */
export function endpoint(schemes: 'http' | 'http or unix') {
  const urls = 'http://host:port or https://host:port';
  const allowed = schemes === 'http' ? `must be ${urls}` : `must be unix:///path/of/socket, ${urls}`;
  return z.string().transform((text, context) => {
    const problem = urlProblem(text);
    const read = schemes === 'http or unix' && /^unix:/i.test(text) ? socketUrl(text) : serverUrl(text);
    if (problem === undefined && read !== undefined) return read;
    context.addIssue(problem ?? allowed);
    return z.NEVER;
  });
}

/** The most that the kernel takes as the path of a socket, in bytes (sun_path in unix(7), less the final NUL). */
const LONGEST_SOCKET_PATH = 107;

function socketUrl(text: string): string | undefined {
  const path = /^unix:\/\/(?<path>\/[^/][^\s\p{Cc}]*)(?<!\/)$/u.exec(text)?.groups?.['path'];
  return path !== undefined && Buffer.byteLength(path) <= LONGEST_SOCKET_PATH ? text : undefined;
}

/** The URL as WHATWG writes it, without a slash at the end; undefined when it is none that a server can have. */
export function serverUrl(text: string): string | undefined {
  if (!/^https?:\/\/[^\s\\/?#@]+(?:\/[^\s\\?#]*)?$/i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.port === '0' ? undefined : url.href.replace(/\/+$/, '');
}

/** What must be said without repeating the URL. */
function urlProblem(text: string): string | undefined {
  if (/^\w+:\/\/[^/?#]*@/.test(text)) return 'must not contain a user name or password; put credentials in files';
  if (/[?#]/.test(text)) return 'must not have a query or a fragment';
  return undefined;
}

/** A comma list of URLs in which `{ip}` stands for a machine's address. */
export function urlTemplates() {
  const allowed = 'must be URLs like http://{ip}:10255/healthz, separated by commas, each with {ip} as its whole host';
  return z.string().transform((text, context): readonly string[] => {
    const templates = commaList(text);
    if (templates.every(isTemplate)) return templates;
    context.addIssue(/@/.test(text) ? `${allowed} and no user name or password` : allowed);
    return z.NEVER;
  });
}

function isTemplate(text: string): boolean {
  if (!/^https?:\/\/\{ip\}(?::\d+)?(?:\/[^\s\\{}#]*)?$/.test(text)) return false;
  const example = text.replace('{ip}', '192.0.2.1');
  return URL.canParse(example) && new URL(example).port !== '0';
}

/** node-cron 4.6 fills an array before it checks its length: a range of a hundred million seconds ends the process. */
const MORE_THAN_TWO_DIGITS = /\d{3}/;

/** A cron expression with exactly six fields: node-cron also takes five, and names such as @daily. */
export function schedule() {
  const allowed = 'must be six cron fields (second minute hour day month weekday), such as */30 * * * * *';
  return z.string().transform((text, context) => {
    const expression = text.split(/\s+/).join(' ');
    if (expression.split(' ').length !== 6) context.addIssue(allowed);
    else if (MORE_THAN_TWO_DIGITS.test(expression)) context.addIssue(`${allowed}; no number has more than two digits`);
    else {
      const problem = cronProblem(expression);
      if (problem === undefined) return expression;
      context.addIssue(`${allowed}; ${problem}`);
    }
    return z.NEVER;
  });
}

function cronProblem(expression: string): string | undefined {
  const [error] = validateDetailed(expression).errors;
  if (error !== undefined) return `node-cron: ${error.message}`;
  const fields = expression.split(' ');
  return everComes(expression) ? (daysProblem(fields) ?? stepProblem(fields)) : 'this time never occurs';
}

/** crontab(5) runs on days that match either field where both are restricted; node-cron on those that match both. */
function daysProblem([, , , dayOfMonth = '', , weekday = '']: readonly string[]): string | undefined {
  const isRestricted = (field: string) => !/^[*?]/.test(field);
  return isRestricted(dayOfMonth) && isRestricted(weekday)
    ? 'day and weekday cannot both be restricted: crontab(5) takes days that match either, node-cron takes days that match both'
    : undefined;
}

/** The first and last number of each field. */
const FIELDS = [
  [0, 59],
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 6],
] as const;

/** With a larger step than there are values, only the first of them is ever used. */
function stepProblem(fields: readonly string[]): string | undefined {
  for (const [at, [least, most]] of FIELDS.entries()) {
    for (const item of fields[at]?.split(',') ?? []) {
      const {
        from = least,
        to = most,
        step,
      } = /^(?:\*|(?<from>\d+)(?:-(?<to>\d+))?)\/(?<step>\d+)$/.exec(item)?.groups ?? {};
      const values = Number(to) - Number(from) + 1;
      if (Number(step) > values)
        return `the step of ${item} is larger than its ${values} values; for a fixed interval set SYNC_INTERVAL`;
    }
  }
  return undefined;
}

/** 30 February passes every other check. */
function everComes(expression: string): boolean {
  const task = createTask(expression, () => {});
  try {
    return task.getNextRuns(1).length > 0;
  } catch {
    return false;
  } finally {
    void task.destroy();
  }
}

export function selector() {
  return z.string().transform((text, context) => {
    try {
      return parseSelector(text);
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      context.addIssue(error.message);
      return z.NEVER;
    }
  });
}

export type NodeName =
  | { readonly kind: 'ip' | 'reverse-lookup' | 'machine-id' }
  | { readonly kind: 'metadata'; readonly key: string };

export function nodeName() {
  return z.string().transform((text, context): NodeName => {
    if (text === 'ip' || text === 'reverse-lookup' || text === 'machine-id') return { kind: text };
    const key = /^metadata:(?<key>.+)$/.exec(text)?.groups?.['key']?.trim();
    if (key !== undefined && key !== '') return { kind: 'metadata', key };
    context.addIssue('must be ip, reverse-lookup, machine-id or metadata:<key>');
    return z.NEVER;
  });
}

/** Metadata keys separated by commas; an empty text is none. */
export function keys() {
  return z
    .string()
    .transform((text): readonly string[] => (text === '' ? [] : commaList(text)))
    .refine((list) => !list.includes(''), 'must be metadata keys separated by commas, none of them empty');
}

/** The value of an annotation that people also select by: as a label's value. */
export function ownerId() {
  return z
    .string()
    .regex(
      /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
      'must be 1 to 63 letters, digits, "-", "_" or ".", and begin and end with a letter or a digit',
    );
}

/** What people call a cluster: a short text on one line. */
export function clusterName() {
  return z
    .string()
    .regex(
      /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{0,63}$/u,
      'must be at most 63 characters on one line, without control characters',
    );
}

/** Host names separated by commas, in small letters; an empty text is none. */
export function hostNames() {
  return z
    .string()
    .transform((text): readonly string[] => (text === '' ? [] : commaList(text.toLowerCase()).map(withoutFinalDot)))
    .refine(
      (list) => list.every(isHostname),
      'must be host names separated by commas, in the letters a to z (others as xn--...), digits, - and dots, without a port, _ or *; addresses need not be listed',
    );
}

function withoutFinalDot(name: string): string {
  return name.replace(/\.$/, '');
}

function commaList(text: string): string[] {
  return [...new Set(text.split(',').map((item) => item.trim()))];
}

export type Listen = { readonly host: string; readonly port: number } | 'off';

export function listen() {
  return z.string().transform((text, context): Listen => {
    if (text === 'off') return 'off';
    const { host = '', v6, port } = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:]+)):(?<port>\d{1,5})$/.exec(text)?.groups ?? {};
    if (Number(port) <= 65_535) {
      if (v6 !== undefined && isIPv6(v6)) return { host: v6, port: Number(port) };
      if (isIPv4(host) || isHostname(host)) return { host, port: Number(port) };
    }
    context.addIssue('must be host:port such as 0.0.0.0:10271 or [::]:10271 (port 0: any free one), or off');
    return z.NEVER;
  });
}

/** RFC 1035, section 2.3.4, less the length bytes. A part of a name has 63 characters at most. */
const LONGEST_HOSTNAME = 253;

/** A name that can be looked up; a last part of digits alone would be a mistyped IPv4 address. */
function isHostname(text: string): boolean {
  const areParts = text.split('.').every((part) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(part));
  return areParts && text.length <= LONGEST_HOSTNAME && !/(^|\.)\d+$/.test(text);
}
