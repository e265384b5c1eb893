/** The parsing of a body that takes long. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { createHttpClient } from '../../../src/http/axios-client.ts';
import type { HttpRequest } from '../../../src/http/http-client.ts';
import { parseLargeJson } from '../../../src/http/json.ts';

const client = createHttpClient({
  target: 'kubernetes',
  endpoint: 'http://127.0.0.1:8080',
  tls: { insecureSkipVerify: false },
  timeoutMs: 1_000,
  observer: { requestDone: () => {}, requestRetried: () => {} },
  retries: { count: 0, minMs: 1, maxMs: 1, budgetMs: 1 },
});
const request: HttpRequest = { method: 'GET', path: '/', maxBytes: 1e6, signal: new AbortController().signal };

const parse = <T>(body: string, schema: z.ZodType<T>) =>
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
  expect(await parse(JSON.stringify(text), z.string())).toBe(text);
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
  await expect(parse(body, z.string())).rejects.toThrow(words);
});
