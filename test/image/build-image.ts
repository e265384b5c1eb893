/** Has buildah build the Dockerfile before the tests, lays the image out as a folder, and takes both away after them. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { z } from 'zod';
import { compileConfine } from '../tarball/confine.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BUILDAH = fileURLToPath(new URL('buildah', import.meta.url));
const CACHE = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kube-register', 'image');

/** What a container is started with: https://github.com/opencontainers/image-spec/blob/main/config.md, and Docker's health check. */
const CONFIG = z.object({
  User: z.string(),
  Env: z.array(z.string()),
  Entrypoint: z.array(z.string()),
  Cmd: z.array(z.string()).nullable(),
  WorkingDir: z.string().optional(),
  ExposedPorts: z.record(z.string(), z.unknown()),
  Healthcheck: z.object({ Test: z.array(z.string()) }),
});
const INSPECTED = z.object({ Docker: z.object({ config: CONFIG, history: z.array(z.unknown()) }) });

export interface Image {
  /** The folder with all its files. */
  readonly root: string;
  /** The same of the image that the Dockerfile starts from. */
  readonly base: string;
  readonly config: z.infer<typeof CONFIG>;
  /** The commands that made it, as everybody can read them who has the image. */
  readonly history: string;
  /** The program of confine.c. */
  readonly confine: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    image: Image;
  }
}

export default function buildImage(project: TestProject): () => void {
  const name = `localhost/kube-register-test:${process.pid}`;
  const base = baseImage();
  const folder = mkdtempSync(join(tmpdir(), 'kube-register-confine-'));
  const confine = compileConfine(folder);
  build(name);
  const containers = [name, base].map((image) => buildah('from', '--pull-never', image));
  const [root = '', baseRoot = ''] = containers.map((container) => buildah('mount', container));
  const { config, history } = INSPECTED.parse(JSON.parse(buildah('inspect', '--type', 'image', name))).Docker;
  project.provide('image', { root, base: baseRoot, config, history: JSON.stringify(history), confine });
  return () => {
    buildah('rm', ...containers);
    buildah('rmi', name);
    rmSync(folder, { recursive: true });
  };
}

/** Its name. Ends the run when it is not there: these tests never skip. */
function baseImage(): string {
  const name = /^ARG NODE_IMAGE=(.+)$/m.exec(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))?.[1];
  const image = `localhost/${name}`;
  try {
    if (process.getuid?.() !== 0) throw new Error('images are built by root here');
    if (buildah('images', '--quiet', image) === '') throw new Error(`there is no image ${image}`);
    return image;
  } catch (error) {
    process.stderr.write(
      `${error instanceof Error ? error.message : error}. Run npm run test:image:setup as root first.\n`,
    );
    process.exit(1);
  }
}

/** The default format drops HEALTHCHECK. The files of npm's configuration are there while RUN runs, and in no image. */
function build(name: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'kube-register-image-'));
  try {
    const certificates = '/run/npm-certificates.pem';
    const npmrc = join(folder, 'npmrc');
    const { lines, cafile } = npmConfig();
    const all = cafile === undefined ? lines : [...lines, `cafile=${certificates}`];
    writeFileSync(npmrc, `${all.join('\n')}\n`, { mode: 0o600 });
    const volumes = [`${npmrc}:/root/.npmrc:ro`, `${join(CACHE, 'npm')}:/root/.npm`];
    if (cafile !== undefined) volumes.push(`${cafile}:${certificates}:ro`);
    const mounts = volumes.map((volume) => `--volume=${volume}`);
    const how = ['--isolation=chroot', '--format=docker', '--pull-never', '--no-cache', ...mounts];
    execFileSync(BUILDAH, ['build', ...how, `--tag=${name}`, ROOT], { stdio: ['ignore', 'inherit', 'inherit'] });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** How npm reaches its registry here: what is in the user's file, and what else the environment says. */
function npmConfig(): { lines: string[]; cafile: string | undefined } {
  const text = execFileSync('npm', ['config', 'ls', '--json', '--long'], { cwd: ROOT, encoding: 'utf8' });
  const { userconfig, cafile, ...reach } = z
    .object({
      userconfig: z.string(),
      cafile: z.string().nullish(),
      registry: z.string(),
      proxy: z.string().nullish(),
      'https-proxy': z.string().nullish(),
    })
    .parse(JSON.parse(text));
  const written = existsSync(userconfig) ? readFileSync(userconfig, 'utf8').split('\n') : [];
  const pairs = Object.entries(reach).flatMap(([key, value]) => (value ? [`${key}=${value}`] : []));
  // Whoever is trusted by Node itself here has to be trusted there too.
  return { lines: [...written, ...pairs], cafile: cafile || process.env['NODE_EXTRA_CA_CERTS'] || undefined };
}

/** What it prints. */
function buildah(...args: string[]): string {
  return execFileSync(BUILDAH, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
}
