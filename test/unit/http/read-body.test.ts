import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { readBody } from '../../../src/http/read-body.ts';

const MIB = 1024 * 1024;

describe('a body', () => {
  it('is what came, in whatever pieces', async () => {
    const sizes = fc.array(fc.oneof(fc.nat(9), fc.nat(20_000), fc.constantFrom(16_383, 16_384, 65_536, 70_000)));
    await fc.assert(
      fc.asyncProperty(sizes, async (lengths) => {
        let next = 0;
        const pieces = lengths.map((length) => Buffer.from(Array.from({ length }, () => (next = (next + 1) % 251))));
        const whole = Buffer.concat(pieces);
        expect((await readBody(Readable.from(pieces, { objectMode: false }), whole.length))?.equals(whole)).toBe(true);
        if (whole.length > 0) {
          expect(await readBody(Readable.from(pieces, { objectMode: false }), whole.length - 1)).toBeUndefined();
        }
      }),
      { numRuns: 50 },
    );
  });

  it('is not read beyond what it may have', async () => {
    let pieces = 0;
    const endless = new Readable({
      read() {
        pieces += 1;
        this.push(Buffer.alloc(1_024));
      },
    });
    expect(await readBody(endless, MIB)).toBeUndefined();
    expect(endless.destroyed).toBe(true);
    expect(pieces).toBeLessThan(1_100);
  });

  it('costs little more than it has, in pieces of one byte', async () => {
    const stream = new PassThrough();
    const read = readBody(stream, 4 * MIB);
    const before = process.memoryUsage();
    for (let left = 2 * MIB; left > 0; left -= 1) {
      if (!stream.write(Buffer.from('x'))) await once(stream, 'drain');
    }
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    stream.end();
    expect((await read)?.length).toBe(2 * MIB);
    expect(arrayBuffers + heapUsed - before.arrayBuffers - before.heapUsed).toBeLessThan(60 * MIB);
  }, 60_000);

  it('is not copied where it comes in one piece, and else takes room for no more than twice its bytes', async () => {
    const room = vi.spyOn(Buffer, 'allocUnsafeSlow');
    const piece = Buffer.from('all of it');
    const parts = [piece, Buffer.from(' and'), Buffer.from(' more')];
    expect(await readBody(Readable.from([piece], { objectMode: false }), MIB)).toBe(piece);
    expect(String(await readBody(Readable.from(parts, { objectMode: false }), MIB))).toBe('all of it and more');
    const sizes = room.mock.calls.map(([size]) => size);
    room.mockRestore();
    expect(sizes).toEqual([2 * 'all of it and'.length]);
  });

  it('that breaks off is none', async () => {
    const broken = new PassThrough();
    const reading = readBody(broken, MIB);
    broken.write('half');
    broken.destroy();
    await expect(reading).rejects.toMatchObject({ code: 'ECONNRESET' });

    const failed = new PassThrough();
    const readingAgain = readBody(failed, MIB);
    failed.destroy(new Error('why'));
    await expect(readingAgain).rejects.toThrow('why');
  });

  it('can only be a stream', () => {
    expect(() => readBody('text', MIB)).toThrow(TypeError);
  });
});
