/** One GET for requests to another kube-register: no credentials, no redirects, no proxies, a deadline and a size limit. */
import { Agent } from 'node:https';
import axios from 'axios';
import { Deadline } from '../network/deadline.ts';
import { formatDuration } from '../time/duration.ts';
import { readBody } from './read-body.ts';

const MIB = 1024 * 1024;
/** The status of 5,000 machines has some 5 MiB. */
const MAX_BYTES = 64 * MIB;

export interface TextAnswer {
  readonly status: number;
  readonly body: string;
  /** The value of a response header; `name` in small letters. */
  header(name: string): string | undefined;
}

/**
 * A GET without a response. `refused`: nothing listens there. `notHttp`: what listens there does not speak the protocol of the URL. The
 * message is one sentence without a full stop.
 */
export class GetError extends Error {
  override readonly name = 'GetError';
  readonly refused: boolean;
  readonly notHttp: boolean;

  constructor(message: string, refused: boolean, options: ErrorOptions & { readonly notHttp?: boolean } = {}) {
    super(message, options);
    this.refused = refused;
    this.notHttp = options.notHttp ?? false;
  }
}

/** Nothing secret is sent, and the response is trusted no more than one over http. */
const UNVERIFIED = new Agent({ rejectUnauthorized: false, keepAlive: false });

/** The certificate of an https server is not verified. Throws GetError. */
export async function getText(url: string, timeoutMs: number, signal: AbortSignal): Promise<TextAnswer> {
  if (signal.aborted) throw new GetError(INTERRUPTED, false);
  // The `timeout` of axios does not bound a body that drips.
  const deadline = new Deadline(signal, timeoutMs);
  try {
    const { status, data, headers } = await axios.get<unknown>(url, {
      adapter: 'http',
      proxy: false,
      httpsAgent: UNVERIFIED,
      maxRedirects: 0,
      decompress: false,
      responseType: 'stream',
      validateStatus: () => true,
      headers: { 'User-Agent': 'kube-register', 'Accept-Encoding': 'identity' },
      signal: deadline.signal,
    });
    const body = await readBody(data, MAX_BYTES);
    if (body === undefined) throw new GetError(`the response is larger than ${MAX_BYTES / MIB} MiB`, false);
    const header = (name: string) => {
      const value: unknown = headers[name];
      return typeof value === 'string' ? value : undefined;
    };
    return { status, body: body.toString('utf8'), header };
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    const overdue = `no complete response within ${formatDuration(timeoutMs)}`;
    const code = String(error.code);
    const problem = signal.aborted ? INTERRUPTED : deadline.hasPassed ? overdue : problemOf(code, error.message);
    const notHttp = !deadline.signal.aborted && (code === 'ECONNRESET' || code === 'EPROTO' || code.startsWith('HPE_'));
    throw new GetError(problem, code === 'ECONNREFUSED', { cause: error, notHttp });
  } finally {
    deadline.forget();
  }
}

const INTERRUPTED = 'interrupted';

function problemOf(code: string, message: string): string {
  if (code === 'ECONNREFUSED') return 'the connection was refused';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the host name cannot be resolved (${code})`;
  if (code.startsWith('HPE_')) return `the response is not HTTP (${code})`;
  if (/aborted|hang up/.test(message) || code === 'ECONNRESET') {
    return 'the connection was closed before the response was complete';
  }
  return code === '' || message.includes(code) ? message : `${message} (${code})`;
}
