/** Answers of two servers made comparable: what each makes up for itself is replaced by a word for it. */
import { z } from 'zod';
import type { Answer } from './api.ts';

/** Only what no client of ours reads: the time, and the bookkeeping of server-side apply. */
const LEFT_OUT = new Set(['creationTimestamp', 'managedFields']);
const UID = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;

const TOKEN = z.object({ rv: z.number(), start: z.string() });

/** Remembers what one server made up, so that the same thing gets the same word again. */
export class Transcript {
  readonly #words = new Map<string, string>();

  of({ status, body }: Answer): { readonly status: number; readonly body: unknown } {
    return { status, body: this.#plain('', body) };
  }

  #plain(key: string, value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#plain(key, item));
    if (typeof value === 'object' && value !== null) {
      const members = Object.entries(value).filter(([name]) => !LEFT_OUT.has(name));
      return Object.fromEntries(members.map(([name, member]) => [name, this.#plain(name, member)]));
    }
    if (typeof value !== 'string') return value;
    if (key === 'resourceVersion') return this.#word('version', value);
    if (key === 'continue') return continuation(value);
    return value
      .replace(UID, (uid) => this.#word('uid', uid))
      .replace(/(?<=ResourceVersion in (?:the precondition|record) \()\d+/g, (version) =>
        this.#word('version', version),
      );
  }

  /** `uid 1` for the first uid, and so on. */
  #word(kind: string, made: string): string {
    const key = `${kind} ${made}`;
    const known = this.#words.get(key);
    if (known !== undefined) return known;
    const count = [...this.#words.keys()].filter((each) => each.startsWith(`${kind} `)).length + 1;
    this.#words.set(key, `${kind} ${count}`);
    return `${kind} ${count}`;
  }
}

/** Where a list goes on: there as it was then, or with what is there now (`rv` -1). */
function continuation(token: string): string {
  const { rv, start } = TOKEN.parse(JSON.parse(Buffer.from(token, 'base64url').toString()));
  return `${rv < 0 ? 'now' : 'then'} from ${JSON.stringify(start)}`;
}
