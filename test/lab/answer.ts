/** An HTTP answer, framed and encoded as Go's net/http does it: every server that the lab stands for is a Go program. */
import type { ServerResponse } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Go sends a Content-Length when the body fits its buffer, and chunks what is longer. */
const CHUNKED_ABOVE = 2048;

export function send(response: ServerResponse, answer: Answer): void {
  const length = Buffer.byteLength(answer.body);
  const unframed = answer.status === 204 || length > CHUNKED_ABOVE;
  response.writeHead(answer.status, { ...answer.headers, ...(unframed ? {} : { 'Content-Length': length }) });
  response.end(answer.body);
}

/** JSON as Go's encoder writes it, with `<`, `>` and `&` escaped. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}
