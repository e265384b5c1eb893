/** A real systemd as PID 1 of namespaces of its own, in a root of its own: it can change nothing of this machine. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished, vi } from 'vitest';

const PATIENCE = { timeout: 30_000, interval: 50 };

/** In a cgroup of its own below systemd's hierarchy, which is removed at the end. The time limit is for a test that was killed. */
const CONFINE = `set -e
mount --make-rprivate /
mount -t cgroup -o none,name=systemd cgroup "$1/cgroup"
own="$1/cgroup/kube-register-test-$$"
mkdir "$own"
echo $$ >"$own/cgroup.procs"
timeout -s KILL 300 unshare --mount --pid --fork --kill-child --uts --ipc --cgroup sh -c "$2" sh "$1/root" || true
echo $$ >"$1/cgroup/cgroup.procs"
find "$own" -depth -type d -exec rmdir {} ';'`;

/**
 * Of the machine it has /usr and /dev, and its own units alone: the machine's would clean up /tmp and more. A systemd in a container leaves
 * the kernel's settings alone, and these are read only besides.
 */
const BOOT = `set -e
mount --make-rprivate /
mount --bind "$1" "$1"
cd "$1"
for link in bin sbin lib lib64; do ln -s "usr/$link" "$link"; done
ln -s ../run var/run
mount --bind /usr usr
mount -o remount,ro,bind usr
mount --rbind /dev dev
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,ro,bind proc/sys
mount -t sysfs -o ro sys sys
mount -t tmpfs tmpfs sys/fs/cgroup
mkdir sys/fs/cgroup/systemd
mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
mount --bind run run
pivot_root . old
umount -l old
exec env -i container=other PATH=/usr/sbin:/usr/bin SYSTEMD_UNIT_PATH=/units:/run/systemd/system \\
  /lib/systemd/systemd --system --unit=idle.target --show-status=no`;

const FOLDERS = [
  'usr',
  'etc',
  'dev',
  'proc',
  'sys',
  'run',
  'tmp',
  'var/tmp',
  'opt/bin',
  'old',
  'units',
  'root',
  'home',
];
/** What every unit depends on, empty. */
const TARGETS = ['idle', 'sysinit', 'basic', 'shutdown', 'umount', 'final'];

/** A file of the new root: its text, or the file or folder that it is a copy of. All files with a text can be executed. */
export type RootFile = { readonly text: string } | { readonly copyOf: string };

/** Boots with these files, by their absolute paths; units are in /units. It is gone when the test is over. */
export async function bootSystemd(files: Readonly<Record<string, RootFile>>): Promise<Systemd> {
  if (process.getuid?.() !== 0) throw new Error('systemd is booted by root here: run test:systemd as root');
  const folder = await mkdtemp(join(tmpdir(), 'kube-register-systemd-'));
  const root = join(folder, 'root');
  await mkdir(join(folder, 'cgroup'));
  for (const path of FOLDERS) await mkdir(join(root, path), { recursive: true });
  await chmod(join(root, 'tmp'), 0o1777);
  const systemd = new Systemd(root);
  await systemd.put('/etc/machine-id', { text: '' });
  for (const path of ['/etc/passwd', '/etc/group']) await systemd.put(path, { copyOf: path });
  for (const name of TARGETS) {
    await systemd.put(`/units/${name}.target`, { text: '[Unit]\nDefaultDependencies=no\n' });
  }
  for (const [path, file] of Object.entries(files)) await systemd.put(path, file);
  onTestFinished(async () => {
    await systemd.powerOff();
    await rm(folder, { recursive: true });
  });
  await systemd.boot();
  return systemd;
}

export class Systemd {
  readonly #root: string;
  #outside: ChildProcess | undefined;
  #said = '';

  constructor(root: string) {
    this.#root = root;
  }

  /** Where the file is for this process. */
  path(inside: string): string {
    return join(this.#root, inside);
  }

  async put(inside: string, file: RootFile): Promise<void> {
    const path = this.path(inside);
    await mkdir(dirname(path), { recursive: true });
    if ('copyOf' in file) return cp(file.copyOf, path, { recursive: true, verbatimSymlinks: true });
    // Not through a link.
    await rm(path, { force: true });
    await writeFile(path, file.text);
    await chmod(path, 0o755);
  }

  async boot(): Promise<void> {
    const outside = spawn('unshare', ['--mount', 'sh', '-c', CONFINE, 'sh', dirname(this.#root), BOOT], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [outside.stdout, outside.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        this.#said += chunk;
      });
    }
    this.#outside = outside;
    await vi
      .waitFor(() => this.systemctl('is-active', 'idle.target'), PATIENCE)
      .catch((error) => {
        throw new Error(`systemd did not boot: ${error}\n${this.#said}`);
      });
  }

  /** All of its processes end at once. */
  async powerOff(): Promise<void> {
    const outside = this.#outside;
    if (outside === undefined || outside.exitCode !== null) return;
    const ended = once(outside, 'close');
    const pid = this.#pid();
    if (pid === undefined) outside.kill('SIGKILL');
    else process.kill(pid, 'SIGKILL');
    await ended;
  }

  /** The pid of PID 1; undefined when it is not there yet. */
  #pid(): number | undefined {
    let pid = this.#outside?.pid;
    while (pid !== undefined) {
      if (read(`/proc/${pid}/comm`).trim() === 'systemd') return pid;
      const [child] = read(`/proc/${pid}/task/${pid}/children`).split(' ');
      pid = child ? Number(child) : undefined;
    }
    return undefined;
  }

  /** What a command prints that is run beside it. Rejects when it fails. */
  async run(...command: readonly string[]): Promise<string> {
    const pid = this.#pid();
    if (pid === undefined) throw new Error('systemd does not run');
    const args = ['--target', String(pid), '--mount', '--pid', '--', ...command];
    const { stdout } = await promisify(execFile)('nsenter', args);
    return stdout;
  }

  systemctl(...args: readonly string[]): Promise<string> {
    return this.run('systemctl', ...args);
  }

  /** The properties of a unit, by the names that `systemctl show` has for them. */
  async show(unit: string): Promise<Readonly<Record<string, string>>> {
    const lines = (await this.systemctl('show', unit)).split('\n');
    return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s, 2)));
  }

  /** Resolves with the properties once they pass; rejects with the last failure. */
  async until(unit: string, check: (properties: Readonly<Record<string, string>>) => void): Promise<void> {
    await vi.waitFor(async () => check(await this.show(unit)), PATIENCE);
  }

  /** What a file of it has now; nothing when it is not there. */
  async text(inside: string): Promise<string> {
    return readFile(this.path(inside), 'utf8').catch(() => '');
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
