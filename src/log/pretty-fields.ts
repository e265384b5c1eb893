/** The fields of a log line for people: `key=value` behind the message. */
import { formatDuration } from '../time/duration.ts';

/** The message has these, and the line begins with the first ones. */
const IN_THE_MESSAGE: ReadonlySet<string> = new Set([
  'level',
  'time',
  'msg',
  'event',
  'action',
  'apiServer',
  'cluster',
  'count',
  'dropped',
  'flappedMs',
  'flaps',
  'fleet',
  'lastedMs',
  'machine',
  'machines',
  'managed',
  'names',
  'node',
  'nodes',
  'reason',
  'settings',
  'times',
  'verdict',
  'version',
]);

/** ` duration=2.012s listen=[::]:10271`, or empty; below it the lines of a stack. */
export function fieldsInWords(record: Readonly<Record<string, unknown>>): string {
  const fields = Object.entries(record).filter(([key]) => !IN_THE_MESSAGE.has(key));
  const words = fields.flatMap(([key, value]) => inWords(key, value)).map((word) => ` ${word}`);
  return words.join('') + fields.map(([, value]) => stackOf(value)).join('');
}

function inWords(key: string, value: unknown): readonly string[] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([part, each]) => (part === 'stack' ? [] : inWords(`${key}.${part}`, each)));
  }
  if (typeof value === 'number' && key.endsWith('Ms')) return [`${key.slice(0, -2)}=${formatDuration(value)}`];
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return [`${key}=${/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)}`];
}

/** At the levels debug and trace. */
function stackOf(value: unknown): string {
  const stack: unknown = Object(value).stack;
  return Array.isArray(stack) ? stack.map((line) => `\n    ${line}`).join('') : '';
}
