/** The parsing of a body, and of one that takes long. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createHttpClient } from '../../../src/http/axios-client.ts';
import type { HttpRequest } from '../../../src/http/http-client.ts';
import { parseJson, parseLargeJson } from '../../../src/http/json.ts';
import { RequestError } from '../../../src/http/request-error.ts';

const client = createHttpClient({
  target: 'kubernetes',
  endpoint: 'http://127.0.0.1:8080',
  tls: { insecureSkipVerify: false },
  timeoutMs: 1_000,
  observer: { requestDone: () => {}, requestRetried: () => {} },
  retries: { count: 0, minMs: 1, maxMs: 1, budgetMs: 1 },
});
const request: HttpRequest = { method: 'GET', path: '/things', maxBytes: 1e6, signal: new AbortController().signal };

describe('parsing JSON', () => {
  const schema = z.object({ items: z.array(z.object({ name: z.string() })) });
  const parse = (body: string) =>
    parseJson(client, request, { status: 200, contentType: 'text/html', body, bytes: body.length }, schema);

  it('gives what the schema has', () => {
    expect(parse('{"items":[{"name":"a","more":1}]}')).toEqual({ items: [{ name: 'a' }] });
  });

  it.each([
    ['', 'GET /things: answered 200 with an empty body'],
    ['<html>\n\u001b[31m', 'answered 200 with 12 bytes of "text/html" that is not JSON: "<html>\\n\\u001b[31m"'],
    ['{"items":[', 'that is not JSON'],
    ['[]', 'unexpected JSON at the top level: expected object, received array'],
    ['{}', 'unexpected JSON at items: expected array, received undefined'],
    ['{"items":[{"name":"a"},{"name":1}]}', 'unexpected JSON at items[1].name: expected string, received number'],
  ])('says what is wrong with %j and where', (body, problem) => {
    expect(() => parse(body)).toThrow(RequestError);
    expect(() => parse(body)).toThrow(problem);
  });
});

const parseLarge = <T>(body: string, schema: z.ZodType<T>) =>
  parseLargeJson(client, request, { status: 200, contentType: '', body, bytes: body.length }, schema);

it.each([
  ['a large body', 256 * 1024, true],
  ['a small one', 16, false],
])('others are served between the parsing and the checking of %s', async (_, length, expected) => {
  let areServed = false;
  setImmediate(() => {
    areServed = true;
  });
  const text = 'x'.repeat(length);
  expect(await parseLarge(JSON.stringify(text), z.string())).toBe(text);
  expect(areServed).toBe(expected);
});

it.each([
  ['a syntax error', `["${'x'.repeat(256 * 1024)}`, 'is not JSON'],
  [
    'another shape',
    JSON.stringify(['x'.repeat(256 * 1024)]),
    'unexpected JSON at the top level: expected string, received array',
  ],
])('a large body with %s is refused', async (_, body, words) => {
  await expect(parseLarge(body, z.string())).rejects.toThrow(words);
});
