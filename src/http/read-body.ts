/** The body of an answer, in hardly more memory than it has bytes, however small the pieces are in which it comes. */
import { Readable } from 'node:stream';

/** Smaller pieces are copied into blocks, since a piece of one byte costs over a hundred by itself. */
const OWN_PART_BYTES = 16 * 1024;
/** A block has room for as much as there is so far, but for no more than this: V8 counts all of it, and collects the whole heap the sooner. */
const BLOCK_BYTES = 64 * 1024;

/**
 * Reads what axios gives for `responseType: 'stream'`. Undefined when it is longer than `maxBytes`: the rest is not read then. Rejects with the error of the stream, or with ECONNRESET
 * when it closes before its end.
 */
export function readBody(stream: unknown, maxBytes: number): Promise<Buffer | undefined> {
  if (!(stream instanceof Readable)) throw new TypeError('axios gave no stream');
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let block = Buffer.alloc(0);
    let used = 0;
    let total = 0;
    /** The part of the block that is not among the parts yet. */
    let from = 0;
    const closePart = () => {
      if (used > from) parts.push(block.subarray(from, used));
      from = used;
    };
    stream.on('data', (piece: Buffer) => {
      total += piece.length;
      if (total > maxBytes) {
        resolve(undefined);
        stream.destroy();
        return;
      }
      const isFirst = total === piece.length;
      if (isFirst || piece.length >= OWN_PART_BYTES) {
        closePart();
        parts.push(piece);
        return;
      }
      if (block.length - used < piece.length) {
        closePart();
        block = Buffer.allocUnsafeSlow(Math.min(2 * total, BLOCK_BYTES));
        used = 0;
        from = 0;
      }
      used += piece.copy(block, used);
    });
    stream.once('end', () => {
      closePart();
      const [only] = parts;
      resolve(parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, total));
    });
    // Stays attached: a destroyed stream may still emit an error.
    stream.on('error', reject);
    stream.once('close', () => reject(Object.assign(new Error('closed before its end'), { code: 'ECONNRESET' })));
  });
}
