/** The body of an answer, in hardly more memory than it has bytes, however small the pieces are in which it comes. */
import { Readable } from 'node:stream';

/** Pieces smaller than a quarter of a block are copied into one: a piece of one byte costs over a hundred by itself. */
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
      if (piece.length >= BLOCK_BYTES / 4) {
        closePart();
        parts.push(piece);
        return;
      }
      if (block.length - used < piece.length) {
        closePart();
        block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
        used = 0;
        from = 0;
      }
      used += piece.copy(block, used);
    });
    stream.once('end', () => {
      closePart();
      resolve(Buffer.concat(parts, total));
    });
    // Stays attached: a destroyed stream may still emit an error.
    stream.on('error', reject);
    stream.once('close', () => reject(Object.assign(new Error('closed before its end'), { code: 'ECONNRESET' })));
  });
}
