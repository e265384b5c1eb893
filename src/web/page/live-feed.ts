/** Sends the open pages what each pass changes, as server-sent events, to a limited number of clients that read them. */
import type { Writable } from 'node:stream';
import type { Status } from '../../status/document.ts';
import { forEach, inTurns, type Steps } from '../../time/steps.ts';
import { encodeSteps } from '../encode.ts';
import { type View, viewSteps } from './render.ts';

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
  statusSteps(): Steps<Status>;
  /** The daemon's time, ISO 8601. */
  now(): string;
  /** A status could not be made into a page. */
  onError(error: unknown): void;
}

export class LiveFeed {
  readonly #parts: LiveFeedParts;
  /** The clients, with the number of beats that each was sent. */
  readonly #clients = new Map<Writable, number>();
  /** Clients that wait for the first view, with the version that each shows. */
  readonly #waiting = new Map<Writable, string | undefined>();
  /** The view that every other client has. It is kept until a pass begins or ends, so that a new client does not render it again. */
  #base: View | undefined;
  /** The status may be another one than that of `#base`. */
  #isOutdated = false;
  #isRendering = false;
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
    client.write(`retry: ${RETRY_MS}\n\n`);
    // All clients have the same view: a new one gets that of the others, even if it is slightly older.
    if (this.#base !== undefined) {
      this.#welcome(client, shown, this.#base);
      return;
    }
    this.#waiting.set(client, shown);
    void this.#catchUp();
  }

  /** A pass has begun or ended. */
  changed(): void {
    this.#isOutdated = true;
    if (this.#clients.size > 0) void this.#catchUp();
    else this.#base = undefined;
  }

  /** Sends what has changed since the last view, one view after another, until the last is that of the present status. */
  async #catchUp(): Promise<void> {
    if (this.#isRendering) return;
    this.#isRendering = true;
    try {
      while ((this.#isOutdated || this.#base === undefined) && this.#clients.size > 0) {
        this.#isOutdated = false;
        const { view, sent } = await inTurns(this.#nextView(this.#base));
        this.#base = view;
        if (sent !== undefined) this.#sendAll(sent);
        for (const [client, shown] of this.#waiting) this.#welcome(client, shown, view);
      }
    } catch (error) {
      this.#parts.onError(error);
      for (const client of this.#clients.keys()) this.#cut(client);
      this.#isOutdated = true;
    }
    this.#isRendering = false;
    if (this.#isOutdated) this.#base = undefined;
  }

  /** The view of the status, and the event that makes it of the one before. */
  *#nextView(before: View | undefined): Steps<{ readonly view: View; readonly sent: Buffer | undefined }> {
    const view = yield* viewSteps(yield* this.#parts.statusSteps(), before);
    if (before === undefined) return { view, sent: undefined };
    return { view, sent: yield* encodeSteps(updateTexts(view, yield* differences(before, view))) };
  }

  /** Sends a new client all that is not in the table, or sends it away where its table is another one. */
  #welcome(client: Writable, shown: string | undefined, base: View): void {
    this.#waiting.delete(client);
    if (shown !== base.shown) {
      this.#dismiss(client, 'stale');
      return;
    }
    const view = { ...base, now: this.#parts.now() };
    client.write([...updateTexts(view, { parts: view.parts, rows: [], gone: [] })].join(''));
  }

  #beat(): void {
    this.#sendAll(Buffer.from(event('beat', {})));
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

  /** One buffer for all clients, so that unread data is in memory once. */
  #sendAll(bytes: Buffer): void {
    for (const client of this.#clients.keys()) {
      if (this.#waiting.has(client)) continue;
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
    this.#waiting.delete(client);
    if (this.#clients.size > 0) return;
    clearInterval(this.#heart);
    this.#heart = undefined;
  }
}

interface Differences {
  readonly parts: ReadonlyMap<string, string>;
  /** The HTML of the rows that are new or others than before, in order. */
  readonly rows: readonly string[];
  /** Keys of rows. */
  readonly gone: readonly string[];
}

function* differences(before: View, after: View): Steps<Differences> {
  const parts = new Map([...after.parts].filter(([name, text]) => before.parts.get(name) !== text));
  const rows: string[] = [];
  if (before.rows === after.rows) return { parts, rows, gone: [] };
  yield* forEach(after.rows, ([key, text]) => {
    if (before.rows.get(key) !== text) rows.push(text);
  });
  return { parts, rows, gone: [...before.rows.keys()].filter((key) => !after.rows.has(key)) };
}

/** The event in texts, one for each row. */
function* updateTexts({ shown, now }: View, { parts, rows, gone }: Differences): Iterable<string> {
  const data = { now, shown, parts: Object.fromEntries(parts), gone };
  // The browser gives the id back when it connects again.
  yield `id: ${shown}\nevent: update\ndata: ${JSON.stringify(data).slice(0, -1)},"rows":"`;
  for (const row of rows) yield JSON.stringify(row).slice(1, -1);
  yield '"}\n\n';
}

/** Without a line end in the data: https://html.spec.whatwg.org/multipage/server-sent-events.html */
function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
