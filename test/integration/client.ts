/** HTTP clients as the daemon has them, for one test each. */
import { onTestFinished } from 'vitest';
import { createHttpClient } from '../../src/http/axios-client.ts';
import type { HttpClient } from '../../src/http/http-client.ts';
import type { Target } from '../../src/http/request-error.ts';

export interface ClientOptions {
  /** Bounds one request. */
  readonly requestMs?: number;
  /** Closes the client when the test has ended; a test that runs beside others has its own. */
  readonly atEnd?: (close: () => void) => void;
  readonly token?: string | undefined;
}

/** Without retries, so that what the servers do is seen at once. */
export function clientOf(target: Target, endpoint: string, options: ClientOptions = {}): HttpClient {
  const { requestMs: timeoutMs = 10_000, atEnd = onTestFinished, token } = options;
  const client = createHttpClient({
    target,
    endpoint,
    tls: { insecureSkipVerify: false },
    timeoutMs,
    token: async () => token,
    observer: { requestDone: () => {}, requestRetried: () => {} },
    retries: { count: 0, minMs: 1, maxMs: 1, budgetMs: 1 },
  });
  atEnd(() => client.close());
  return client;
}
