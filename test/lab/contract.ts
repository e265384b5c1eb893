/** Whether the lab answers as the real server did: replays recorded exchanges and tells every difference. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Exchange, RecordedRequest, RecordedResponse } from './recording.ts';

/** What need not be equal. */
export interface Tolerance {
  /** The headers that are compared, in lower case. */
  readonly headers: readonly string[];
  /** Keys whose values the server makes up: wherever the recording repeats one, the lab must repeat its own. */
  readonly made: ReadonlySet<string>;
  /** Keys whose values must only be of the same type. */
  readonly loose: ReadonlySet<string>;
  /** Keys that the lab leaves out. */
  readonly ignored: ReadonlySet<string>;
}

/**
 * Sends the request of an exchange to the lab, with the lab's values in place of the recorded ones.
 * Returns one line for every difference, with the place and both values.
 */
export async function replay(
  url: string,
  exchange: Exchange,
  made: MadeValues,
  tolerance: Tolerance,
): Promise<string[]> {
  const { request, response } = exchange;
  if (request === undefined || response === undefined) return ['the recording has no parsed request and response'];
  return differences(response, await ask(url, made.translate(request)), made, tolerance);
}

/** Every difference between the recorded response and the lab's. Learns the values that the lab made up. */
export function differences(
  recorded: RecordedResponse,
  lab: RecordedResponse,
  made: MadeValues,
  tolerance: Tolerance,
): string[] {
  const found: string[] = [];
  const compare = (place: string, before: unknown, now: unknown) => {
    if (before !== now) found.push(`${place}: recorded ${show(before)}, lab ${show(now)}`);
  };

  /** `key` is the last member on the way here, for the items of a list the list's. */
  function walk(place: string, key: string, before: unknown, now: unknown): void {
    if (typeOf(before) !== typeOf(now)) compare(place, before, now);
    else if (isList(before) && isList(now)) {
      compare(`${place}.length`, before.length, now.length);
      for (const [index, item] of before.slice(0, now.length).entries()) {
        walk(`${place}[${index}]`, key, item, now[index]);
      }
    } else if (isObject(before) && isObject(now)) {
      for (const member of new Set([...Object.keys(before), ...Object.keys(now)])) {
        if (!tolerance.ignored.has(member)) walk(`${place}.${member}`, member, before[member], now[member]);
      }
    } else if (tolerance.made.has(key)) {
      const known = made.pair(key, String(before), String(now));
      if (!known) found.push(`${place}: recorded ${show(before)} is not always the lab's ${show(now)}`);
    } else if (!tolerance.loose.has(key)) compare(place, made.ofLab(key, before), now);
  }

  compare('status', recorded.status, lab.status);
  for (const header of tolerance.headers) compare(`header ${header}`, recorded.headers[header], lab.headers[header]);
  walk('body', '', parsed(recorded.body), parsed(lab.body));
  return found;
}

/** Values that each server makes up for itself (a uid, a token): which one of the lab stands for which recorded one. */
export class MadeValues {
  readonly #labs = new Map<string, string>();
  readonly #recorded = new Map<string, string>();

  /** False when either of them is already paired with another. */
  pair(key: string, recorded: string, lab: string): boolean {
    const [ofRecorded, ofLab] = [`${key} ${recorded}`, `${key} ${lab}`];
    const fits = (this.#labs.get(ofRecorded) ?? lab) === lab && (this.#recorded.get(ofLab) ?? recorded) === recorded;
    if (fits) {
      this.#labs.set(ofRecorded, lab);
      this.#recorded.set(ofLab, recorded);
    }
    return fits;
  }

  /** The lab's value for a recorded one; what was never paired is the same for both. */
  ofLab(key: string, recorded: unknown): unknown {
    return this.#labs.get(`${key} ${recorded}`) ?? recorded;
  }

  /** The request that asks the lab for what the recorded one asked the real server for. */
  translate({ path, body, ...request }: RecordedRequest): RecordedRequest {
    return { ...request, path: this.#inPath(path), body: this.#inBody('', body) };
  }

  /** In the last segment a name, and after `continue=` a token. */
  #inPath(path: string): string {
    return path
      .replace(/(?<=\/)[^/?]+(?=\?|$)/, (name) => String(this.ofLab('name', name)))
      .replace(/(?<=[?&]continue=)[^&]+/, (token) => String(this.ofLab('continue', token)));
  }

  #inBody(key: string, value: unknown): unknown {
    if (isList(value)) return value.map((item) => this.#inBody(key, item));
    if (isObject(value)) {
      return Object.fromEntries(Object.entries(value).map(([member, inner]) => [member, this.#inBody(member, inner)]));
    }
    return this.ofLab(key, value);
  }
}

function ask(url: string, { method, path, headers, body }: RecordedRequest): Promise<RecordedResponse> {
  return new Promise((resolve, reject) => {
    const sent = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
    // Node sends the body of a DELETE without a length unless it is told.
    const framed = body === undefined ? headers : { ...headers, 'Content-Length': String(Buffer.byteLength(sent)) };
    const asked = httpRequest(url, { method, path, headers: framed }, (response) => resolve(received(response)));
    asked.on('error', reject);
    asked.end(sent);
  });
}

async function received(response: IncomingMessage): Promise<RecordedResponse> {
  const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
  return { status: response.statusCode ?? 0, headers, body: await text(response) };
}

/** JSON as a value, anything else as text. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !isList(value);
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return isList(value) ? 'list' : typeof value;
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const shown = JSON.stringify(value);
  return shown.length > 200 ? `${shown.slice(0, 200)}…` : shown;
}
