/** One request to the API server over TLS, by whoever's token. */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { ACCEPT_JSON } from '../../src/kubernetes/accept.ts';

export interface Answer {
  readonly status: number;
  /** JSON as a value, anything else as text. */
  readonly body: unknown;
}

export interface Question {
  readonly method?: string;
  readonly token: string;
  readonly accept?: string;
  readonly contentType?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** Asks, and takes any status for an answer. Rejects when there is none. */
export class Api {
  readonly url: string;
  readonly #ca: string;

  constructor(url: string, caFile: string) {
    this.url = url;
    this.#ca = readFileSync(caFile, 'utf8');
  }

  ask(path: string, question: Question): Promise<Answer> {
    const { method = 'GET', token, accept = ACCEPT_JSON, contentType = 'application/json', body } = question;
    const sent = body === undefined ? '' : JSON.stringify(body);
    const headers = {
      Authorization: `Bearer ${token}`,
      Accept: accept,
      ...(body !== undefined && { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(sent) }),
    };
    return new Promise((resolve, reject) => {
      const asked = request(this.url + path, { method, headers, ca: this.#ca, agent: false, timeout: 30_000 });
      asked.on('response', (response) => {
        text(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: parsed(answer) }), reject);
      });
      asked.on('timeout', () => asked.destroy(new Error(`${method} ${path}: no answer for 30 s`)));
      asked.on('error', reject);
      asked.end(sent);
    });
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
