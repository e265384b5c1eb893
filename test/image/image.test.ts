/** The image of the Dockerfile, as buildah built it: what is in it, and that its own command does the daemon's work. */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { GOOD_END, labOfTest, settingsFor, startProgram } from '../integration/program.ts';
import { playStory } from '../integration/story.ts';
import { hold } from '../lab/faults.ts';
import { containerOf, healthCheck, printedIn, statusOf, stopContainer } from './container.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MIB = 1024 * 1024;
const image = inject('image');
/** What bounds memory: that of the C library, and of V8. */
const MEMORY = [
  'MALLOC_ARENA_MAX',
  'MALLOC_MMAP_THRESHOLD_',
  'MALLOC_TOP_PAD_',
  'MALLOC_TRIM_THRESHOLD_',
  'NODE_OPTIONS',
];
const HOME = 'opt/kube-register';
const home = join(image.root, HOME);

/** Every file below the folder, by its path from there. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted();
}

async function bytesOf(folder: string): Promise<number> {
  const sizes = (await filesOf(folder)).map(async (file) => (await lstat(join(folder, file))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

describe('the image', () => {
  it('starts the program as a plain user, and nothing that its base has left', () => {
    const { Entrypoint, Cmd, User, ExposedPorts } = image.config;
    expect([Entrypoint, Cmd ?? []]).toEqual([['/usr/local/bin/kube-register'], []]);
    expect(User).toBe('1000');
    expect(Object.keys(ExposedPorts)).toEqual(['10271/tcp']);
  });

  it('runs the Node that the tarball has too', async () => {
    const [inImage, script] = await Promise.all([
      printedIn(image, ['/opt/kube-register/lib/node', '--version']),
      readFile(join(ROOT, 'deploy/binary/fetch-node'), 'utf8'),
    ]);
    expect(inImage).toBe(`v${/^version=(.+)$/m.exec(script)?.[1]}`);
  });

  it('has what the tarball has, and links where the kernel, the loader and PATH look: no shell, no package manager', async () => {
    const files = await filesOf(image.root);
    expect(files.filter((file) => !file.startsWith(`${HOME}/`))).toEqual([
      'lib/x86_64-linux-gnu',
      'lib64/ld-linux-x86-64.so.2',
      'usr/local/bin/kube-register',
      'var/run',
    ]);
    const parts = new Set(files.flatMap((file) => /^opt\/kube-register\/(.*?)\//.exec(file)?.[1] ?? []));
    expect(parts).toEqual(new Set(['lib', 'licenses', 'program']));
  });

  it('runs a command beside the daemon by its name, as docker exec does', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    expect(await printedIn(image, ['kube-register', '--version'])).toBe(`kube-register ${version}`);
  });

  it('keeps no key, token or configuration of who built it', async () => {
    const files = await filesOf(home);
    expect(files.filter((file) => /(^|\/)\.npmrc$|(^|\/)\.env|\.(pem|key|p12)$/.test(file))).toEqual([]);
    const texts = await Promise.all(files.map((file) => readFile(join(home, file), 'latin1')));
    const secret = /_authToken|-----BEGIN [A-Z ]*PRIVATE KEY-----\s/;
    expect(files.filter((file, index) => file !== 'lib/node' && secret.test(texts[index] ?? ''))).toEqual([]);
    expect(image.history).not.toMatch(/npmrc|authToken|certificates/);
    expect(image.config.Env.map((each) => each.replace(/=.*/, ''))).toEqual(['PATH', ...MEMORY]);
  });

  it('is smaller than 130 MiB', async () => {
    const all = await bytesOf(image.root);
    console.log(`the image: ${(all / MIB).toFixed(0)} MiB`);
    expect(all / MIB).toBeLessThan(130);
  });
});

describe('the seccomp profile of docker 17.09', () => {
  it('ends the Node of the base at its start, and not that of the image', async () => {
    const script = [
      '-e',
      "new worker_threads.Worker('', { eval: true }).on('exit', (code) => console.log('a thread ended', code))",
    ];
    await expect(printedIn({ ...image, root: image.base }, ['/usr/local/bin/node', ...script])).rejects.toThrow();
    expect(await printedIn(image, ['/opt/kube-register/lib/node', ...script])).toBe('a thread ended 0');
  });
});

describe('the container', () => {
  it('registers, deregisters and is scraped as a plain user on read-only files without clone3, and SIGTERM to PID 1 ends it well', async () => {
    const { program } = await playStory((settings) => startProgram(settings, [], containerOf(image)));
    const status = statusOf(program.pid);
    expect(status.get('NSpid')?.split('\t')).toEqual([String(program.pid), '1']);
    expect([status.get('Uid'), status.get('Gid')]).toEqual(['1000\t1000\t1000\t1000', '1000\t1000\t1000\t1000']);
    expect(Number(`0x${status.get('CapEff')}`)).toBe(0);
    const mounts = await readFile(`/proc/${program.pid}/mounts`, 'utf8');
    expect(mounts.split('\n').map((line) => line.split(' ').slice(1, 4))).toContainEqual([
      '/',
      expect.any(String),
      expect.stringMatching(/^ro\b/),
    ]);
    expect(await stopContainer(program)).toEqual(GOOD_END);
  });

  it('is stopped before docker would kill it, though a server does not answer', async () => {
    const lab = await labOfTest();
    const { fault, release } = hold();
    onTestFinished(release);
    lab.fleet.faults.add(fault);
    const asked = lab.fleet.log.arrival();
    const program = startProgram(settingsFor(lab), [], containerOf(image));
    await asked;
    expect(await stopContainer(program)).toEqual(GOOD_END);
  });

  it('ends with 2 when its settings cannot be used, which is when the fleet unit leaves it', async () => {
    const { ended } = startProgram({ POLICY: 'foo' }, [], containerOf(image));
    expect(await ended).toMatchObject({ code: 2, stderr: expect.stringContaining('KUBE_REGISTER_POLICY="foo"') });
  });
});

describe('the health check', () => {
  it.each([
    ['0.0.0.0', 'on all addresses'],
    ['127.0.0.1', 'on loopback'],
    ['[::1]', 'on loopback of IPv6'],
  ])('is well while the daemon listens to %s, %s, and not when it has stopped', async (host) => {
    const lab = await labOfTest();
    const program = startProgram({ ...settingsFor(lab), LISTEN: `${host}:0` }, [], containerOf(image));
    const listen = `${host}:${new URL(await program.url()).port}`;
    expect(await healthCheck(image, listen)).toBe(0);
    await stopContainer(program);
    expect(await healthCheck(image, listen)).toBe(1);
  });

  it('is not well when the daemon says that it is not', async () => {
    const server = createServer((_, response) => response.writeHead(503).end('a pass hangs\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    expect(await healthCheck(image, `127.0.0.1:${port}`)).toBe(1);
  });

  it('has nothing to ask where the daemon does not listen', async () => {
    expect(await healthCheck(image, 'off')).toBe(0);
  });
});
