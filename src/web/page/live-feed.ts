/** Tells the pages that are open what a pass has changed. Few may listen, and none that does not read. */
import type { Writable } from 'node:stream';
import type { Status } from '../../status/document.ts';
import { renderView, type View } from './render.ts';

const MOST_CLIENTS = 8;
const BEAT_MS = 15_000;
/** After ten minutes a stream ends, and the page asks for the next. One that does not read loses its place, which nobody could tell sooner. */
const MOST_BEATS = 40;
/** What a client may leave unread before it gets more. */
const MOST_UNREAD_BYTES = 1024 * 1024;
/** What the browser waits before it asks again. */
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
  /** With how many beats each has heard. */
  readonly #clients = new Map<Writable, number>();
  /** What every client has. It outlives them until a pass begins or ends: who comes and goes must not have it made each time. */
  #base: View | undefined;
  #heart: NodeJS.Timeout | undefined;

  constructor(parts: LiveFeedParts) {
    this.#parts = parts;
  }

  /** Why nobody else may listen, or undefined. */
  full(): string | undefined {
    return this.#clients.size < MOST_CLIENTS
      ? undefined
      : `${MOST_CLIENTS} pages are live already; this one tries again`;
  }

  /**
   * Sends server-sent events from now on, until the stream ends. `shown` is what the client has: unless it is what everybody has,
   * the client is told to load the page anew.
   */
  join(shown: string | undefined, client: Writable): void {
    // Gone, or overtaken, since it was asked whether there is room.
    if (client.destroyed) return;
    if (this.full() !== undefined) {
      client.end();
      return;
    }
    // A write to a client that has just gone.
    client.on('error', () => {});
    client.once('close', () => this.#forget(client));
    this.#clients.set(client, 0);
    this.#heart ??= setInterval(() => this.#beat(), BEAT_MS);
    this.#guarded(() => {
      client.write(`retry: ${RETRY_MS}\n\n`);
      // All clients have the same at any time: who joins gets what the others have, though it may be a little older.
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

  /** What goes wrong here must not reach the pass that has just ended. */
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
      if (beats + 1 >= MOST_BEATS) this.#dismiss(client, 'again');
    }
  }

  /** With a last word. Its place is free at once, and who does not take even that word is cut. */
  #dismiss(client: Writable, word: string): void {
    client.end(event(word, {}));
    const deadline = setTimeout(() => client.destroy(), BEAT_MS);
    client.once('close', () => clearTimeout(deadline));
    this.#forget(client);
  }

  #sendAll(text: string): void {
    // One buffer for all, so that what several slow clients have not read is in memory once.
    const bytes = Buffer.from(text);
    for (const client of this.#clients.keys()) {
      if (client.writableLength > MOST_UNREAD_BYTES) this.#cut(client);
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
