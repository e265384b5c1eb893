/** What a process has cost so far, as the kernel counts it. Linux only. */
import { readdir, readFile } from 'node:fs/promises';

const NS_PER_MS = 1e6;
const KIB_PER_MIB = 1024;

export interface Usage {
  /** User and system time of all threads that there are. */
  readonly cpuMs: number;
  readonly rssMiB: number;
  /** The largest RSS that it ever had. */
  readonly peakMiB: number;
}

export async function usageOf(pid: number): Promise<Usage> {
  const [cpuMs, status] = await Promise.all([cpuMsOf(pid), readFile(`/proc/${pid}/status`, 'utf8')]);
  const mib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / KIB_PER_MIB;
  return { cpuMs, rssMiB: mib('VmRSS'), peakMiB: mib('VmHWM') };
}

/**
 * The sum of all threads, of which the kernel tells ns. `/proc/PID/stat` has hundredths of a second: a twentieth of a pass over 1,000 machines.
 * https://docs.kernel.org/scheduler/sched-stats.html
 */
async function cpuMsOf(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  // The kernel's own threads for io_uring end when they have nothing to do.
  const ended = () => '0';
  const times = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(ended)),
  );
  return times.reduce((sum, time) => sum + Number(time.split(' ')[0]), 0) / NS_PER_MS;
}
