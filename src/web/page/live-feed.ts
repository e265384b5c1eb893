/** Sends the open pages what each pass changes, as server-sent events, to a limited number of clients that read them. */
import type { Writable } from 'node:stream';
import type { Status } from '../../status/document.ts';
import { renderView, type View } from './render.ts';

/** The number of pages that may be live at once. */
const MAX_CLIENTS = 8;
const BEAT_MS = 15_000;
/** A stream ends after this many beats (10m), and the page connects again, so that clients that do not read are dropped. */
const MAX_BEATS = 40;
/** A client with more unread bytes is disconnected. */
const MAX_UNREAD_BYTES = 1024 * 1024;
/** The time after which the browser connects again, ms. */
const RETRY_MS = 2_000;

export interface LiveFeedParts {
  status(): Status;
  /** The daemon's time, ISO 8601. */
  now(): string;
  /** A status could not be made into a page. */
  onError(error: unknown): void;
}

export class LiveFeed {
  readonly #parts: LiveFeedParts;
  /** The clients, with the number of beats that each was sent. */
  readonly #clients = new Map<Writable, number>();
  /** The view that every client has. It is kept until a pass begins or ends, so that a new client does not render it again. */
  #base: View | undefined;
  #heart: NodeJS.Timeout | undefined;

  constructor(parts: LiveFeedParts) {
    this.#parts = parts;
  }

  /** Why no other client may join, or undefined. */
  full(): string | undefined {
    return this.#clients.size < MAX_CLIENTS
      ? undefined
      : `${MAX_CLIENTS} pages are live already, which is the limit; this one retries`;
  }

  /**
   * Sends server-sent events until the stream ends. `shown` is the version that the client has: with another one than the others have, the
   * client is sent `stale`, upon which it loads the page again.
   */
  join(shown: string | undefined, client: Writable): void {
    // Since `full` was called, the client may have gone or others may have joined.
    if (client.destroyed) return;
    if (this.full() !== undefined) {
      client.end();
      return;
    }
    // For a write to a client that has just gone.
    client.on('error', () => {});
    client.once('close', () => this.#forget(client));
    this.#clients.set(client, 0);
    this.#heart ??= setInterval(() => this.#beat(), BEAT_MS);
    this.#guarded(() => {
      client.write(`retry: ${RETRY_MS}\n\n`);
      // All clients have the same view: a new one gets that of the others, even if it is slightly older.
      this.#base ??= renderView(this.#parts.status());
      if (shown !== this.#base.shown) {
        this.#dismiss(client, 'stale');
        return;
      }
      const view = { ...this.#base, now: this.#parts.now() };
      client.write(update(view, { parts: view.parts, rows: new Map(), gone: [] }));
    });
  }

  /** A pass has begun or ended. */
  changed(): void {
    if (this.#clients.size === 0) this.#base = undefined;
    const before = this.#base;
    if (before === undefined) return;
    this.#guarded(() => {
      this.#base = renderView(this.#parts.status(), before);
      this.#sendAll(update(this.#base, differences(before, this.#base)));
    });
  }

  /** Keeps errors from the pass that has just ended. */
  #guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#parts.onError(error);
      for (const client of this.#clients.keys()) this.#cut(client);
      this.#base = undefined;
    }
  }

  #beat(): void {
    this.#sendAll(event('beat', {}));
    for (const [client, beats] of this.#clients) {
      this.#clients.set(client, beats + 1);
      if (beats + 1 >= MAX_BEATS) this.#dismiss(client, 'again');
    }
  }

  /** Ends a stream with a last event. A client that does not read it is disconnected after one beat. */
  #dismiss(client: Writable, word: string): void {
    client.end(event(word, {}));
    const deadline = setTimeout(() => client.destroy(), BEAT_MS);
    client.once('close', () => clearTimeout(deadline));
    this.#forget(client);
  }

  #sendAll(text: string): void {
    // One buffer for all clients, so that unread data is in memory once.
    const bytes = Buffer.from(text);
    for (const client of this.#clients.keys()) {
      if (client.writableLength > MAX_UNREAD_BYTES) this.#cut(client);
      else client.write(bytes);
    }
  }

  #cut(client: Writable): void {
    client.destroy();
    this.#forget(client);
  }

  #forget(client: Writable): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    clearInterval(this.#heart);
    this.#heart = undefined;
  }
}

interface Differences extends Pick<View, 'parts' | 'rows'> {
  readonly gone: readonly string[];
}

function differences(before: View, after: View): Differences {
  return {
    parts: changedIn(before.parts, after.parts),
    rows: before.rows === after.rows ? new Map() : changedIn(before.rows, after.rows),
    gone: before.rows === after.rows ? [] : [...before.rows.keys()].filter((key) => !after.rows.has(key)),
  };
}

function changedIn<Key>(before: ReadonlyMap<Key, string>, after: ReadonlyMap<Key, string>): ReadonlyMap<Key, string> {
  return new Map([...after].filter(([key, text]) => before.get(key) !== text));
}

function update({ shown, now }: View, { parts, rows, gone }: Differences): string {
  const data = { now, shown, parts: Object.fromEntries(parts), rows: [...rows.values()].join(''), gone };
  // The browser gives the id back when it connects again.
  return `id: ${shown}\n${event('update', data)}`;
}

/** Without a line end in the data: https://html.spec.whatwg.org/multipage/server-sent-events.html */
function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
