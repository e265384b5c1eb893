/** What a server tells beside its answers: what it calls itself, what it serves, and what time it has. */

import type { HttpAnswer, HttpClient, HttpRequest, RequestObserver } from '../../../http/http-client.ts';
import type { Clock } from '../../../time/clock.ts';

/** How far a server's clock is ahead of ours, in ms: somewhere between the two, for a Date has no fractions and an answer takes time. */
export interface Offset {
  readonly least: number;
  readonly most: number;
}

export interface Observed {
  /** The client that is listened to. */
  readonly http: HttpClient;
  /** What the server calls itself, where it does. */
  readonly software: () => string | undefined;
  /** The path of each answer of status 200, in order of arrival. */
  readonly served: readonly string[];
  /** As narrow as any answer told; undefined when none told the time. */
  readonly offset: () => Offset | undefined;
}

/** For clients of which nobody counts the requests. */
export const UNCOUNTED: RequestObserver = { requestDone: () => {}, requestRetried: () => {} };

/** Listens to all that is said through this client. */
export function observeClient(http: HttpClient, clock: Pick<Clock, 'wall'>): Observed {
  const served: string[] = [];
  let software: string | undefined;
  let offset: Offset | undefined;

  async function send(request: HttpRequest): Promise<HttpAnswer> {
    const sentAt = clock.wall();
    const answer = await http.send(request);
    if (answer.status === 200) served.push(request.path);
    software ??= answer.software;
    if (answer.date !== undefined) offset = narrower(offset, answer.date, sentAt, clock.wall());
    return answer;
  }

  const { target, server } = http;
  const failure: HttpClient['failure'] = (...what) => http.failure(...what);
  return {
    http: { target, server, ...(http.source && { source: http.source }), send, failure, close: () => http.close() },
    software: () => software,
    served,
    offset: () => offset,
  };
}

function narrower(before: Offset | undefined, date: number, sentAt: number, receivedAt: number): Offset {
  const now = { least: date - receivedAt, most: date + 1_000 - sentAt };
  return before === undefined || now.most - now.least < before.most - before.least ? now : before;
}
