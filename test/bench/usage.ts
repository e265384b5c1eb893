/** What a process has cost so far, as the kernel counts it. Linux only. */
import { readFile } from 'node:fs/promises';

/** The kernel tells CPU time in hundredths of a second, on every architecture. */
const MS_PER_TICK = 10;
const KIB_PER_MIB = 1024;

export interface Usage {
  /** User and system time of all threads. */
  readonly cpuMs: number;
  readonly rssMiB: number;
  /** The largest RSS that it ever had. */
  readonly peakMiB: number;
}

export async function usageOf(pid: number): Promise<Usage> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  // The name, in parentheses, may hold spaces; the state, which is field 3, follows it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  const mib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / KIB_PER_MIB;
  return { cpuMs: (field(14) + field(15)) * MS_PER_TICK, rssMiB: mib('VmRSS'), peakMiB: mib('VmHWM') };
}
