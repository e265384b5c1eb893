/** One plain GET over http, for who asks another kube-register: no redirects, no proxies, a deadline and a cap. */
import axios, { isAxiosError } from 'axios';

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

  constructor(message: string, refused: boolean, options: ErrorOptions) {
    super(message, options);
    this.refused = refused;
  }
}

/** Throws GetError. */
export async function getText(url: string, timeoutMs: number, signal: AbortSignal): Promise<TextAnswer> {
  try {
    const { status, data } = await axios.get<unknown>(url, {
      adapter: 'http',
      proxy: false,
      maxRedirects: 0,
      maxContentLength: MAX_BYTES,
      responseType: 'text',
      // axios would parse what looks like JSON.
      transformResponse: (body) => body,
      validateStatus: () => true,
      headers: { 'User-Agent': 'kube-register' },
      // axios's own `timeout` does not bound a body that drips.
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    return { status, body: String(data) };
  } catch (error) {
    if (!isAxiosError(error)) throw error;
    const refused = error.code === 'ECONNREFUSED';
    throw new GetError(problemOf(error.code, error.message, timeoutMs, signal), refused, { cause: error });
  }
}

function problemOf(code: string | undefined, message: string, timeoutMs: number, signal: AbortSignal): string {
  if (signal.aborted) return 'interrupted';
  if (code === 'ERR_CANCELED') return `no complete answer within ${timeoutMs / 1_000} s`;
  if (code === 'ECONNREFUSED') return 'the connection was refused';
  return `${message}${code === undefined || message.includes(code) ? '' : ` (${code})`}`;
}
