/** A pipe that is full and that nobody reads, until somebody does: the log of a daemon whose reader has stalled. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

export interface StalledPipe {
  /** For the process that is to write. */
  readonly fd: number;
  /** What was written since it was full, as far as it is there. */
  read(): string;
  /** Nobody holds it any more. */
  close(): void;
}

/** The folder is for its file. */
export function stalledPipe(folder: string): StalledPipe {
  const path = join(folder, 'log');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, O_RDONLY | O_NONBLOCK);
  const writer = openSync(path, O_WRONLY | O_NONBLOCK);
  let filling = fill(writer);
  closeSync(writer);
  // As a shell has it, which opens it to block.
  const fd = openSync(path, O_WRONLY);
  return {
    fd,
    read() {
      const bytes = drain(reader);
      const skipped = Math.min(filling, bytes.length);
      filling -= skipped;
      return bytes.subarray(skipped).toString('utf8');
    },
    close() {
      for (const each of [reader, fd]) closeSync(each);
    },
  };
}

function fill(writer: number): number {
  let filled = 0;
  for (const size of [4_096, 1]) {
    try {
      for (;;) filled += writeSync(writer, Buffer.alloc(size, '.'));
    } catch {
      // It is full, for this size.
    }
  }
  return filled;
}

function drain(reader: number): Buffer {
  const parts: Buffer[] = [];
  try {
    for (;;) {
      const part = Buffer.alloc(64 * 1_024);
      const length = readSync(reader, part);
      if (length === 0) break;
      parts.push(part.subarray(0, length));
    }
  } catch {
    // It is empty.
  }
  return Buffer.concat(parts);
}
