/** Records what responses say about a server: its software, the paths that it serves, and its clock. */

import type { HttpAnswer, HttpClient, HttpRequest, RequestObserver } from '../../../http/http-client.ts';
import type { Clock } from '../../../time/clock.ts';

/** How far a server's clock is ahead of ours, in ms: between the two, because a Date has whole seconds and a request takes time. */
export interface Offset {
  readonly least: number;
  readonly most: number;
}

export interface Observed {
  /** The client that records. */
  readonly http: HttpClient;
  /** The header Server of the first response that has one. */
  readonly software: () => string | undefined;
  /** The path of each answer of status 200, in order of arrival. */
  readonly served: readonly string[];
  /** The narrowest offset of all responses; undefined when none had a Date. */
  readonly offset: () => Offset | undefined;
}

/** For clients without metrics. */
export const NO_METRICS: RequestObserver = { requestDone: () => {}, requestRetried: () => {} };

/** Wraps a client and records its responses. */
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
