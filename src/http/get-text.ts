/** One plain GET over http, for who asks another kube-register: no redirects, no proxies, a deadline and a cap. */
import axios, { isAxiosError } from 'axios';
import { onAbort } from '../on-abort.ts';

const MIB = 1024 * 1024;
/** The status of 5,000 machines has some 5 MiB. */
const MAX_BYTES = 64 * MIB;

export interface TextAnswer {
  readonly status: number;
  readonly body: string;
}

/** `refused`: nobody listens there. Otherwise the message is one sentence without a full stop. */
export class GetError extends Error {
  override readonly name = 'GetError';
  readonly refused: boolean;

  constructor(message: string, refused: boolean, options?: ErrorOptions) {
    super(message, options);
    this.refused = refused;
  }
}

/** Throws GetError. */
export async function getText(url: string, timeoutMs: number, signal: AbortSignal): Promise<TextAnswer> {
  if (signal.aborted) throw new GetError(INTERRUPTED, false);
  // Neither axios's `timeout`, which does not bound a body that drips, nor AbortSignal.timeout, which garbage collection takes away.
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), timeoutMs);
  const forget = onAbort(signal, () => end.abort());
  try {
    const { status, data } = await axios.get<unknown>(url, {
      adapter: 'http',
      proxy: false,
      maxRedirects: 0,
      maxContentLength: MAX_BYTES,
      decompress: false,
      responseType: 'text',
      // axios would parse what looks like JSON.
      transformResponse: (body) => body,
      validateStatus: () => true,
      headers: { 'User-Agent': 'kube-register', 'Accept-Encoding': 'identity' },
      signal: end.signal,
    });
    return { status, body: String(data) };
  } catch (error) {
    if (!isAxiosError(error)) throw error;
    const overdue = `no complete answer within ${timeoutMs / 1_000} s`;
    const problem = signal.aborted ? INTERRUPTED : end.signal.aborted ? overdue : problemOf(error.code, error.message);
    throw new GetError(problem, error.code === 'ECONNREFUSED', { cause: error });
  } finally {
    clearTimeout(timer);
    forget();
  }
}

const INTERRUPTED = 'interrupted';

function problemOf(code = '', message: string): string {
  if (code === 'ECONNREFUSED') return 'the connection was refused';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the host name cannot be resolved (${code})`;
  if (message.startsWith('maxContentLength')) return `the answer is larger than ${MAX_BYTES / MIB} MiB`;
  if (code.startsWith('HPE_')) return `the answer is not HTTP (${code})`;
  if (/aborted|hang up/.test(message) || code === 'ECONNRESET') {
    return 'the connection was closed before the answer was complete';
  }
  return code === '' || message.includes(code) ? message : `${message} (${code})`;
}
