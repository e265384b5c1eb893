/** A real Prometheus that runs with the files of deploy/prometheus/, and what it answers. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, vi } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { freePort } from '../integration/free-port.ts';
import type { Programs } from './programs.ts';
import { ServerProcess } from './server-process.ts';

/** What an operator installs. */
export const DEPLOYED = fileURLToPath(new URL('../../deploy/prometheus/', import.meta.url));
/** Prometheus looks up its targets every 5 s at the start, and a rate needs two scrapes. */
const PATIENCE = { timeout: 45_000, interval: 250 };

const SAMPLE = z.object({
  metric: z.record(z.string(), z.string()),
  value: z.tuple([z.number(), z.string()]).transform(([, value]) => Number(value)),
});
const VECTOR = z.object({ data: z.object({ resultType: z.literal('vector'), result: z.array(SAMPLE) }) });
const RULES = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        rules: z.array(z.object({ name: z.string(), health: z.string(), lastError: z.string().default('') })),
      }),
    ),
  }),
});
type Sample = z.infer<typeof SAMPLE>;

/**
 * Scrapes these targets and judges its rules every second instead of every 15 s; nothing else of the files is changed. It is gone when
 * the test is.
 */
export async function startPrometheus(programs: Programs, targets: readonly string[]): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'kube-register-prometheus-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(DEPLOYED, folder, { recursive: true });
  const config = join(folder, 'prometheus.yml');
  await writeFile(config, (await readFile(config, 'utf8')).replaceAll('_interval: 15s', '_interval: 1s'));
  await writeFile(join(folder, 'targets.yml'), stringify([{ targets }]));

  const listen = `127.0.0.1:${await freePort()}`;
  const url = `http://${listen}`;
  const server = new ServerProcess({
    program: programs.prometheus,
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${listen}`,
      '--log.level=warn',
    ],
    logFile: join(folder, 'prometheus.log'),
    isReady: async () => (await fetch(`${url}/-/ready`)).ok,
  });
  onTestFinished(() => server.kill());
  await server.start();
  return new Prometheus(url);
}

export class Prometheus {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** What it answers now. Throws when it does not understand the query. */
  async query(expression: string): Promise<readonly Sample[]> {
    const path = `/api/v1/query?${new URLSearchParams({ query: expression })}`;
    return VECTOR.parse(await this.#get(path)).data.result;
  }

  /** Resolves with what it answers as soon as that is something, and a number. */
  async answer(expression: string): Promise<readonly Sample[]> {
    return vi.waitFor(async () => {
      const numbers = (await this.query(expression)).filter(({ value }) => !Number.isNaN(value));
      expect(numbers, `nothing came of the query ${expression}`).not.toEqual([]);
      return numbers;
    }, PATIENCE);
  }

  /** Every rule that it has loaded, and how it fares with it. */
  async rules(): Promise<readonly { readonly name: string; readonly health: string; readonly lastError: string }[]> {
    return RULES.parse(await this.#get('/api/v1/rules')).data.groups.flatMap(({ rules }) => rules);
  }

  async #get(path: string): Promise<unknown> {
    const response = await fetch(this.#url + path);
    const body = await response.text();
    if (!response.ok) throw new Error(`Prometheus answered ${path} with ${response.status}: ${body}`);
    return JSON.parse(body);
  }
}
