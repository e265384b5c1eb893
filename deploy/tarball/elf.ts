/** Two changes of ELF files that are shipped: a libc that does without clone3, and a program without its symbol table. */

/** `mov $435, %eax; syscall`: 435 is clone3 on x86-64. */
const CALL = Buffer.from([0xb8, 0xb3, 0x01, 0x00, 0x00, 0x0f, 0x05]);
/** `mov $-38, %rax`: ENOSYS, as a kernel before 5.3 answers. */
const ANSWER = Buffer.from([0x48, 0xc7, 0xc0, 0xda, 0xff, 0xff, 0xff]);

/**
 * The libc with its one call of clone3 answered by ENOSYS, so that it creates threads by clone. glibc 2.34 and later do that by themselves on
 * ENOSYS alone, but the seccomp profiles of docker before 20.10.10 answer EPERM: https://github.com/moby/moby/issues/42680.
 * Throws when there is not exactly one such call.
 */
export function withoutClone3(libc: Buffer): Buffer {
  const at = libc.indexOf(CALL);
  if (at < 0) throw new Error('this libc has no call of clone3 that can be replaced; build on Debian 12');
  if (libc.indexOf(CALL, at + 1) >= 0)
    throw new Error('this libc has more than one call of clone3; build on Debian 12');
  const changed = Buffer.from(libc);
  ANSWER.copy(changed, at);
  return changed;
}

/** The offsets of the ELF-64 header and of the entries of its program header table, by elf(5). */
const HEADER = {
  magic: 0x7f454c46,
  phoff: 0x20,
  shoff: 0x28,
  phentsize: 0x36,
  phnum: 0x38,
  shentsize: 0x3a,
  shnum: 0x3c,
};
const SEGMENT = { offset: 0x08, filesz: 0x20 };

/**
 * The program without its sections: what follows the last segment, which is the symbol table, and the table of sections. Neither is loaded; only
 * debuggers and linkers read them.
 */
export function withoutSections(program: Buffer): Buffer {
  if (program.readUInt32BE(0) !== HEADER.magic) throw new Error('not an ELF file');
  const phoff = Number(program.readBigUInt64LE(HEADER.phoff));
  const ends = Array.from({ length: program.readUInt16LE(HEADER.phnum) }, (_, index) => {
    const entry = phoff + index * program.readUInt16LE(HEADER.phentsize);
    return Number(program.readBigUInt64LE(entry + SEGMENT.offset) + program.readBigUInt64LE(entry + SEGMENT.filesz));
  });
  const cut = Buffer.from(program.subarray(0, Math.max(...ends)));
  cut.writeBigUInt64LE(0n, HEADER.shoff);
  // The size of an entry, their number, and the index of their names.
  cut.fill(0, HEADER.shnum, HEADER.shnum + 4);
  return cut;
}
