/** A body that is made once for all who ask for it in the same moment, however many and however slowly they read. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Clock } from '../time/clock.ts';

/** To make one for 5,000 machines takes 0.1 s and some MB. What stands in it may be a second old. */
const FRESH_MS = 1_000;
/** The page of 5,000 machines is 30 times smaller then, for 6 ms; zlib's default takes twice as long for a fifth less. */
const ZIP = { level: 1 };

export class SharedBody {
  readonly bytes: Buffer;
  #zipped: Promise<Buffer> | undefined;

  constructor(text: string) {
    this.bytes = Buffer.from(text);
  }

  zipped(): Promise<Buffer> {
    this.#zipped ??= promisify(gzip)(this.bytes, ZIP);
    return this.#zipped;
  }
}

/** Makes the body anew when it is a second old, and when `version` is another one. */
export function shared(
  make: () => string,
  version: () => number,
  { monotonic }: Pick<Clock, 'monotonic'>,
): () => SharedBody {
  let last: { readonly body: SharedBody; readonly version: number; readonly madeMs: number } | undefined;
  return () => {
    const now = { version: version(), madeMs: monotonic() };
    if (last === undefined || last.version !== now.version || now.madeMs - last.madeMs >= FRESH_MS) {
      last = { ...now, body: new SharedBody(make()) };
    }
    return last.body;
  };
}
