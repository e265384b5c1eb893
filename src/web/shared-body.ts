/** A response body that is made once for all clients that request it within a second. */
import { promisify } from 'node:util';
import type { Clock } from '../time/clock.ts';

/** How long a body is used again. Making one for 5,000 machines takes 0.1 s and some MB. */
const MAX_AGE_MS = 1_000;
/** Makes the page of 5,000 machines 30 times smaller in 6 ms; zlib's default level takes twice as long for a fifth less. */
const GZIP = { level: 1 };

/** zlib takes 3 MiB: it is loaded only when a client accepts gzip. */
async function zip(bytes: Buffer): Promise<Buffer> {
  const { gzip } = await import('node:zlib');
  return promisify(gzip)(bytes, GZIP);
}

/** A body, and the same compressed once it is needed. */
export class SharedBody {
  readonly bytes: Buffer;
  #gzipped: Promise<Buffer> | undefined;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  gzipped(): Promise<Buffer> {
    this.#gzipped ??= zip(this.bytes);
    return this.#gzipped;
  }
}

interface Making {
  readonly body: Promise<SharedBody>;
  /** That of the moment at which it was begun; undefined until then. */
  version: number | undefined;
  /** When it was made. */
  madeMs: number | undefined;
}

/**
 * Returns a function that makes the body again when it was made a second ago or `version` has changed, and else returns the last one. One is
 * made at a time. A body that cannot be made is not kept.
 */
export function shared(
  make: () => Promise<Buffer>,
  version: () => number,
  { monotonic }: Pick<Clock, 'monotonic'>,
): () => Promise<SharedBody> {
  let last: Making | undefined;
  /** Resolves when none is being made. */
  let free: Promise<unknown> = Promise.resolve();

  const forget = (made: Making) => {
    if (last === made) last = undefined;
  };
  const begin = (): Making => {
    const body = free.then(async () => {
      making.version = version();
      const bytes = await make();
      making.madeMs = monotonic();
      // Those of 5,000 machines have some MB.
      setTimeout(() => forget(making), MAX_AGE_MS).unref();
      return new SharedBody(bytes);
    });
    const making: Making = { body, version: undefined, madeMs: undefined };
    free = body.catch(() => forget(making));
    return making;
  };
  const isOld = ({ version: made, madeMs }: Making) =>
    (made !== undefined && made !== version()) || (madeMs !== undefined && monotonic() - madeMs >= MAX_AGE_MS);

  return () => {
    if (last === undefined || isOld(last)) last = begin();
    return last.body;
  };
}
