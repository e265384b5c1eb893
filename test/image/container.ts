/** A container as a runtime starts it, as far as the program can tell: its own files, read only, PID 1, and a plain user. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Program, Shipped } from '../integration/program.ts';
import type { Image } from './build-image.ts';

/** How long `docker stop -t 8` of deploy/kube-register.service waits before it kills. */
const STOP_MS = 8_000;

/** By its path: the PATH is that of the image. */
const CHROOT = '/usr/sbin/chroot';

/** In namespaces of its own for mounts and processes; the network is the machine's, as with `--net=host`. */
export const START = `set -e
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
mount -t proc proc "$1/proc"
shift
exec "$@"`;

/** The user's group has the same number. Docker looks that up in the image's /etc/passwd. Without a user it is root. */
function asUser({ User }: Image['config']): string {
  const user = User || '0';
  return `--userspec=${user}:${user}`;
}

/** A command in the image as docker 17.09 runs it: with the image's variables and these, as its user, and with that docker's seccomp profile. */
function inContainer(
  { root, config, confine }: Image,
  command: readonly string[],
  env: readonly string[] = [],
): string[] {
  const confined = [confine, 'docker-17.09', CHROOT, asUser(config), root];
  return ['/usr/bin/env', `--chdir=${config.WorkingDir || '/'}`, ...config.Env, ...env, ...confined, ...command];
}

/** The image's own command. */
export function containerOf(image: Image): Shipped {
  const { root, config } = image;
  const inside = inContainer(image, [...config.Entrypoint, ...(config.Cmd ?? [])]);
  return {
    command: 'unshare',
    args: ['--mount', '--pid', '--fork', 'sh', '-c', START, 'sh', root, ...inside],
    pidBelow: childOf,
  };
}

/** What a command prints in the image, without any variable of this machine. Rejects unless it ends with 0. */
export async function printedIn(
  image: Image,
  command: readonly string[],
  env: readonly string[] = [],
): Promise<string> {
  const [file = '', ...args] = inContainer(image, command, env);
  const { stdout } = await promisify(execFile)(file, args, { env: {} });
  return stdout.trim();
}

/** The exit code of the image's health check, asked with this variable beside the image's own. */
export async function healthCheck(image: Image, listen: string): Promise<number> {
  const [kind, ...command] = image.config.Healthcheck.Test;
  if (kind !== 'CMD') throw new Error(`the health check is a ${kind} instead of a CMD`);
  return printedIn(image, command, [`KUBE_REGISTER_LISTEN=${listen}`]).then(
    () => 0,
    (error: { code: number }) => error.code,
  );
}

/** Ends it as `docker stop` does: who does not heed SIGTERM in time is killed. */
export async function stopContainer(program: Program): ReturnType<Program['stop']> {
  const kill = setTimeout(() => program.signal('SIGKILL'), STOP_MS);
  const ending = await program.stop();
  clearTimeout(kill);
  return ending;
}

/** The lines of /proc/<pid>/status by their names. */
export function statusOf(pid: number | undefined): ReadonlyMap<string, string> {
  const lines = readFileSync(`/proc/${pid}/status`, 'utf8').split('\n');
  return new Map(lines.map((line) => [line.split(':')[0] ?? '', line.replace(/^[^:]*:\s*/, '')]));
}

/** The first child of the process; undefined when it has none. */
export function childOf(pid: number): number | undefined {
  try {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
    return child ? Number(child) : undefined;
  } catch {
    return undefined;
  }
}
