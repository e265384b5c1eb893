/** A container as a runtime starts it, as far as the program can tell: its own files, read only, PID 1, and a plain user. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Program, Shipped } from '../integration/program.ts';
import type { Image } from './build-image.ts';

/** How long `docker stop -t 8` of deploy/kube-register.service waits before it kills. */
const STOP_MS = 8_000;

/** What `chroot` itself is found with. */
const HOST = { PATH: process.env['PATH'] };

/** In namespaces of its own for mounts and processes; the network is the machine's, as with `--net=host`. */
const START = `set -e
mount --bind "$1" "$1"
mount -o remount,bind,ro "$1"
mount -t proc proc "$1/proc"
shift
exec chroot "$@"`;

/** The user's group has the same number. Docker looks that up in the image's /etc/passwd. Without a user it is root. */
function asUser({ User }: Image['config']): string {
  const user = User || '0';
  return `--userspec=${user}:${user}`;
}

/** The image's own command. */
export function containerOf({ root, config }: Image): Shipped {
  const command = [...config.Entrypoint, ...(config.Cmd ?? [])];
  const inside = ['env', `--chdir=${config.WorkingDir}`, ...config.Env, ...command];
  return {
    command: 'unshare',
    args: ['--mount', '--pid', '--fork', 'sh', '-c', START, 'sh', root, asUser(config), root, ...inside],
    pidBelow: childOf,
  };
}

/** The exit code of the image's health check, asked with this variable beside the image's own. */
export async function healthCheck({ root, config }: Image, listen: string): Promise<number> {
  const [kind, ...command] = config.Healthcheck.Test;
  if (kind !== 'CMD') throw new Error(`the health check is a ${kind} instead of a CMD`);
  const inside = ['env', ...config.Env, `KUBE_REGISTER_LISTEN=${listen}`, ...command];
  return promisify(execFile)('chroot', [asUser(config), root, ...inside], { env: HOST }).then(
    () => 0,
    (error: { code: number }) => error.code,
  );
}

/** What a command prints in the image. */
export async function printedIn({ root, config }: Image, ...command: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('chroot', [asUser(config), root, 'env', ...config.Env, ...command], {
    env: HOST,
  });
  return stdout.trim();
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
