/** Which failed requests are sent again, and when. */
import { setTimeout as delay } from 'node:timers/promises';
import pRetry from 'p-retry';
import type { HttpAnswer, HttpRequest } from './http-client.ts';
import { RequestError } from './request-error.ts';

/** Waits double from `minMs` up to `maxMs`, with jitter; a server's Retry-After takes their place. */
export interface RetryOptions {
  /** Attempts after the first. */
  readonly count: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** In ms from the start of the first attempt: no attempt begins later. */
  readonly budgetMs: number;
}

/** The outcome of an attempt that may be sent again. It is thrown, because p-retry repeats only what throws. */
export class Retryable extends Error {
  readonly outcome: HttpAnswer | RequestError;
  /** From the header Retry-After. */
  readonly retryAfterMs: number | undefined;

  constructor(outcome: HttpAnswer | RequestError, retryAfterMs?: number) {
    super('retryable');
    this.outcome = outcome;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Sends a request until an attempt does not throw Retryable, or no retry is left: then it gives the last outcome. `attempt` gets the
 * number of the attempt, from 1. A GET is sent again after every Retryable; a POST or PATCH only after 429 with Retry-After. Throws
 * whatever else `attempt` throws.
 */
export async function withRetries(
  { method, signal }: Pick<HttpRequest, 'method' | 'signal'>,
  { count, minMs, maxMs, budgetMs }: RetryOptions,
  attempt: (number: number) => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  const started = performance.now();
  try {
    return await pRetry(attempt, {
      retries: count,
      minTimeout: minMs,
      maxTimeout: maxMs,
      maxRetryTime: budgetMs,
      randomize: true,
      signal,
      shouldRetry: async ({ error }) => {
        if (!(error instanceof Retryable) || !mayRepeat(method, error)) return false;
        if (error.retryAfterMs === undefined) return true;
        if (performance.now() - started + error.retryAfterMs > budgetMs) return false;
        await delay(error.retryAfterMs, undefined, { signal });
        return true;
      },
    });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Retryable)) throw error;
    if (error.outcome instanceof RequestError) throw error.outcome;
    return error.outcome;
  }
}

/** A server that answers 429 did nothing. A DELETE is never repeated: it rests on a check right before it. */
function mayRepeat(method: HttpRequest['method'], { outcome, retryAfterMs }: Retryable): boolean {
  if (method === 'GET') return true;
  return method !== 'DELETE' && outcome.status === 429 && retryAfterMs !== undefined;
}

/** The header Retry-After in ms. Undefined for its form with a date, which would need two clocks to agree. */
export function retryAfterMs(header: string): number | undefined {
  const seconds = header.trim();
  return /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1000 : undefined;
}
