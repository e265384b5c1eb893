/** The tarball, unpacked where there is a static busybox and nothing else, does all of the program's work on old kernels. */
import { chmodSync } from 'node:fs';
import { lstat, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { expectPage } from '../binary/page.ts';
import { GOOD_END, labOfTest, type Program, settingsFor, startProgram } from '../integration/program.ts';
import { playStory } from '../integration/story.ts';
import type { Lab } from '../lab/lab.ts';
import type { Kernel } from './confine.ts';
import { startNameServer } from './name-server.ts';
import { onKernel, printedOn } from './old-machine.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { root } = inject('machine');
const HOME = '/opt/kube-register';
const WORKER = { role: 'kubernetes' };
const API = 'api.lab.example';
const NAME_SERVER = '127.0.53.1';
const KERNELS: readonly Kernel[] = ['linux-3.17', 'linux-3.16'];
/** As CoreOS has it: modules that are not there, or are of another libc. */
const NSSWITCH = 'hosts: files usrfiles resolve myhostname dns\n';

const certificate = (name: string) => readFile(join(ROOT, 'test/certificates', name), 'utf8');

/** Puts a file into the root until the test is over. */
async function put(path: string, text: string): Promise<void> {
  await writeFile(join(root, path), text);
  onTestFinished(() => rm(join(root, path)));
}

/** Runs Node there, without the launcher. */
const nodeOn = (kernel: Kernel, script: string) => {
  const loader = [`${HOME}/lib/ld-linux-x86-64.so.2`, '--inhibit-cache', '--library-path', `${HOME}/lib`];
  return printedOn(kernel, ...loader, `${HOME}/lib/node`, '-e', script);
};

/** Runs a command to its end; a daemon may listen there. */
async function command(lab: Lab, flags: readonly string[], listen = 'off') {
  const program = startProgram({ ...settingsFor(lab), LISTEN: listen }, flags, onKernel('linux-3.17'));
  const { code, stderr } = await program.ended;
  return { code, stderr, stdout: program.stdout };
}

/** In MiB: the memory that the process has of its own, and what of it is files. */
async function memoryOf({ pid }: Program): Promise<{ own: number; files: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const [own = 0, files = 0] = ['RssAnon', 'RssFile'].map((name) => {
    return Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024);
  });
  return { own, files };
}

describe('the tarball', () => {
  it('has the program in a folder of its own, its unit and licenses with it, and a link for /opt/bin', async () => {
    expect((await readdir(join(root, 'opt'))).toSorted()).toEqual(['bin', 'kube-register']);
    expect(await readlink(join(root, 'opt/bin/kube-register'))).toBe('../kube-register/kube-register');
    const home = join(root, HOME);
    expect((await readdir(home)).toSorted()).toEqual([
      'kube-register',
      'kube-register.service',
      'lib',
      'licenses',
      'program',
    ]);
    const files = (await readdir(home, { recursive: true, withFileTypes: true })).filter((file) => file.isFile());
    const modes = files.map(async (file) => (await lstat(join(file.parentPath, file.name))).mode & 0o7777);
    expect(new Set(await Promise.all(modes))).toEqual(new Set([0o755, 0o644]));
  });

  it('has the license of each thing in it', async () => {
    const folder = join(root, HOME, 'licenses');
    const lines = (await readFile(join(folder, 'README'), 'utf8')).trim().split('\n');
    const named = lines.map((line) => line.slice(line.lastIndexOf(': ') + 2));
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((file) => file.isFile());
    const there = files.map((file) => join(file.parentPath, file.name).slice(folder.length + 1));
    expect([...named, 'README'].toSorted()).toEqual([...new Set(there)].toSorted());
    expect(named).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'node',
        'debian/libc6',
        'debian/LGPL-2.1',
        expect.stringMatching(/^npm\/zod@/),
      ]),
    );
  });
});

describe.each(KERNELS)('on %s, where there is nothing else', (kernel) => {
  it('sees that kernel', async () => {
    expect(await printedOn(kernel, '/bin/uname', '-r')).toBe(`${kernel.replace('linux-', '')}.0\n`);
    expect(await nodeOn(kernel, 'console.log(os.release())')).toBe(`${kernel.replace('linux-', '')}.0\n`);
  });

  it('registers, deregisters and is scraped over TLS, by a name, and from a unix socket, and SIGTERM ends it well', async () => {
    await startNameServer(NAME_SERVER, API, '127.0.0.1');
    await put('etc/resolv.conf', `nameserver ${NAME_SERVER}\n`);
    if (kernel === 'linux-3.16') await put('etc/nsswitch.conf', NSSWITCH);
    const [key, cert] = await Promise.all([certificate('names.key'), certificate('names.pem')]);
    await put('etc/ca.pem', cert);
    let startedAt = 0;
    const { program } = await playStory(
      (settings, lab) => {
        // As systemd makes fleet's socket.
        chmodSync(join(root, 'run/fleet.sock'), 0o666);
        const { port } = new URL(lab.kubernetes.url);
        const more = {
          FLEET_ENDPOINT: 'unix:///run/fleet.sock',
          API_ENDPOINT: `https://${API}:${port}`,
          API_CA_FILE: '/etc/ca.pem',
        };
        startedAt = Date.now();
        return startProgram({ ...settings, ...more }, [], onKernel(kernel));
      },
      { fleet: { socket: join(root, 'run/fleet.sock') }, kubernetes: { tls: { key, cert } } },
    );
    // Its filter is that of confine.
    expect(await readFile(`/proc/${program.pid}/status`, 'utf8')).toMatch(/^Seccomp:\s+2$/m);
    const { own, files } = await memoryOf(program);
    const startMs = Date.parse(program.lines(/has started/)[0]?.time ?? '') - startedAt;
    console.log(`${kernel}: logs its start after ${startMs} ms; ${own} MiB of memory and ${files} MiB of files`);
    // 30 it is; with what the bundle leaves out, and without the flags of the launcher and of the daemon, it is 48 or more.
    expect(own).toBeLessThan(42);
    expect(await program.stop()).toEqual(GOOD_END);
  });

  it('shows its page', async () => {
    const program = startProgram(settingsFor(await labOfTest()), [], onKernel(kernel));
    await expectPage(program);
    expect(await program.stop()).toEqual(GOOD_END);
  });
});

describe('where there is nothing else', () => {
  it('has random numbers, and the CAs of its Node', async () => {
    const script = `console.log(crypto.randomBytes(16).toString('hex'), tls.rootCertificates.length > 100)`;
    const printed = await Promise.all(KERNELS.flatMap((kernel) => [nodeOn(kernel, script), nodeOn(kernel, script)]));
    expect(new Set(printed).size).toBe(printed.length);
    for (const line of printed) expect(line).toMatch(/^[0-9a-f]{32} true\n$/);
  });

  it('looks a name up, and says when there is none', async () => {
    await startNameServer(NAME_SERVER, 'another.example', '127.0.0.1');
    await put('etc/resolv.conf', `nameserver ${NAME_SERVER}\n`);
    const lab = await labOfTest();
    const { code, stdout } = await command({ ...lab, kubernetes: { url: `http://${API}:1` } } as Lab, ['check']);
    expect(code).toBe(1);
    expect(stdout).toContain(API);
    expect(stdout).toMatch(/ENOTFOUND|no such name|not found|does not resolve/i);
  });

  it('runs every command', async () => {
    const lab = await labOfTest();
    const { id, address } = await lab.addMachine({ metadata: WORKER });
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    expect(await command(lab, ['--version'])).toEqual({ code: 0, stdout: `kube-register ${version}\n`, stderr: '' });
    expect(await command(lab, ['--help'])).toMatchObject({ code: 0, stderr: '' });
    expect(await command(lab, ['plan'])).toMatchObject({ code: 3, stdout: expect.stringContaining(address) });
    expect(await command(lab, ['check'])).toMatchObject({ code: 0, stdout: expect.stringContaining('fleet') });
    expect(await command(lab, ['manifests', 'rbac'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('kind:'),
    });
    expect(await command(lab, ['--policy=foo'])).toMatchObject({ code: 2, stderr: expect.stringContaining('foo') });

    const daemon = startProgram(settingsFor(lab), [], onKernel('linux-3.17'));
    await daemon.firstPass();
    const { host } = new URL(await daemon.url());
    const shown = { code: 0, stderr: '', stdout: expect.stringContaining(address) };
    expect(await command(lab, ['status'], host)).toMatchObject(shown);
    expect(await command(lab, ['explain', id], host)).toMatchObject(shown);
  });

  it('reads a kubeconfig and writes for people, by parts that it loads only then', async () => {
    const lab = await labOfTest();
    const cluster = `{ name: lab, cluster: { server: '${lab.kubernetes.url}' } }`;
    await put(
      'etc/kubeconfig',
      `current-context: lab\ncontexts: [{ name: lab, context: { cluster: lab, user: lab } }]\nclusters: [${cluster}]\nusers: [{ name: lab, user: {} }]\n`,
    );
    const { API_ENDPOINT: _, ...settings } = settingsFor(lab);
    const more = { KUBECONFIG: '/etc/kubeconfig', ONCE: 'true', LOG_FORMAT: 'pretty' };
    const program = startProgram({ ...settings, ...more }, [], onKernel('linux-3.17'));
    expect(await program.ended).toEqual(GOOD_END);
    expect(program.stdout).toMatch(/INFO.*runs one pass/);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('ends well by %s', async (signal) => {
    const program = startProgram(settingsFor(await labOfTest()), [], onKernel('linux-3.17'));
    await program.said(/has started/);
    program.signal(signal);
    expect(await program.ended).toEqual(GOOD_END);
  });
});
