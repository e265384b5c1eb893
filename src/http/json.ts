/** Parses the body of an answer: JSON first, then its shape. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { z } from 'zod';
import { quote } from '../text/quote.ts';
import type { HttpAnswer, HttpClient, HttpRequest } from './http-client.ts';
import { isDeeper, MOST_LEVELS, parseNested } from './nesting.ts';

/**
 * The body as the schema has it. Throws RequestError that names what was wrong and where:
 * `unexpected JSON at items[3].metadata.name: expected string, received number`.
 */
export function parseJson<T>(client: HttpClient, request: HttpRequest, answer: HttpAnswer, schema: z.ZodType<T>): T {
  return shaped(client, request, answer, schema, parseText(client, request, answer));
}

/** A body of so many bytes takes some 20 ms to parse, and as long to check. */
const LARGE_BYTES = 256 * 1024;

/** As `parseJson`; between the two halves of its work on a large body others are served. */
export async function parseLargeJson<T>(
  client: HttpClient,
  request: HttpRequest,
  answer: HttpAnswer,
  schema: z.ZodType<T>,
): Promise<T> {
  const value = parseText(client, request, answer);
  if (answer.bytes > LARGE_BYTES) await nextTurn();
  return shaped(client, request, answer, schema, value);
}

function shaped<T>(
  client: HttpClient,
  request: HttpRequest,
  answer: HttpAnswer,
  schema: z.ZodType<T>,
  value: unknown,
): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue === undefined ? '' : pathText(issue.path);
  const what = issue === undefined ? 'unexpected content' : issue.message.replace(/^Invalid input: /, '');
  throw client.failure(request, `unexpected JSON at ${where === '' ? 'the top level' : where}: ${what}`, answer);
}

function parseText(client: HttpClient, request: HttpRequest, answer: HttpAnswer): unknown {
  try {
    return parseNested(answer.body);
  } catch {
    const found = answer.body === '' ? 'an empty body' : `${contentOf(answer)} that ${faultOf(answer.body)}`;
    throw client.failure(request, `answered ${answer.status} with ${found}`, answer);
  }
}

function faultOf(body: string): string {
  return isDeeper(body, MOST_LEVELS) ? `has more than ${MOST_LEVELS} levels of nesting` : `is not JSON: ${quote(body)}`;
}

function contentOf(answer: HttpAnswer): string {
  return `${answer.bytes} bytes of ${answer.contentType === '' ? 'no content type' : quote(answer.contentType)}`;
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const name = String(key);
    if (!/^\w+$/.test(name)) return `${text}[${quote(name)}]`;
    return text === '' ? name : `${text}.${name}`;
  }, '');
}
