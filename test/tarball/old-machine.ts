/** A machine that has nothing, with an old kernel: the root of make-root.ts, in namespaces of its own for mounts and processes. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { childOf, START } from '../image/container.ts';
import type { Shipped } from '../integration/program.ts';
import type { Kernel } from './confine.ts';

const { root, confine } = inject('machine');

/** `nobody` where there is an /etc/passwd; here it is a number alone. */
const USER = '65534';

/** Starts a command of that root, by default the link in /opt/bin. */
export function onKernel(kernel: Kernel, ...command: string[]): Shipped {
  const inside = command.length === 0 ? ['/opt/bin/kube-register'] : command;
  const confined = [confine, kernel, 'chroot', `--userspec=${USER}:${USER}`, root, ...inside];
  return {
    command: 'unshare',
    args: ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', START, 'sh', root, ...confined],
    pidBelow: childOf,
  };
}

/** Resolves with what a command writes to standard output. Rejects unless it ends with 0. */
export async function printedOn(kernel: Kernel, ...command: string[]): Promise<string> {
  const shipped = onKernel(kernel, ...command);
  const env = { PATH: process.env['PATH'] };
  const { stdout, stderr } = await promisify(execFile)(shipped.command, [...shipped.args], { env });
  if (stderr !== '') throw new Error(stderr);
  return stdout;
}
