/** kubectl as the judge: what works with a kubeconfig there works here, and what fails there fails here, or the table says why not. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { checkInstallation } from '../../src/commands/check/check.ts';
import type { Finding } from '../../src/commands/check/finding.ts';
import { systemClock } from '../../src/time/clock.ts';
import { type Fleet, startFleet } from '../lab/fleet.ts';
import { read } from '../unit/settings/read-settings.ts';
import { KubectlLab } from './kubectl-lab.ts';
import { serversOfThisFile } from './servers.ts';
import type { Variant } from './variant.ts';
import { FILES } from './variants-of-files.ts';
import { OLD_SERVERS, TLS } from './variants-of-tls.ts';

const VARIANTS = [...FILES, ...TLS];

/** Findings about the machines, of which there are none. */
const ABOUT_OTHERS: ReadonlySet<string> = new Set(['fleet', 'machines', 'kubelets']);

/** What each says; undefined where it works. */
interface Outcome {
  readonly kubectl: string | undefined;
  readonly here: string | undefined;
}

const servers = serversOfThisFile();
const outcomes = new Map<Variant, Outcome>();
let lab: KubectlLab;
let fleet: Fleet;

beforeAll(async () => {
  lab = await KubectlLab.open(servers);
  fleet = await startFleet();
  const two = pLimit(2);
  await Promise.all(VARIANTS.map((variant, index) => two(() => tryOut(variant, `variant-${index}`))));
}, 300_000);

afterAll(async () => {
  lab.fronts.close();
  await fleet.close();
});

async function tryOut(variant: Variant, folder: string): Promise<void> {
  const bench = await lab.bench(folder);
  const content = await variant.make(bench);
  const isText = typeof content === 'string' || Buffer.isBuffer(content);
  const file = await bench.write('config', isText ? content : stringify(content, { lineWidth: 0 }));
  outcomes.set(variant, {
    kubectl: await byKubectl(file, variant.command),
    here: await byThisProgram(file, variant.settings),
  });
}

async function byKubectl(kubeconfig: string, command = 'get --raw /api/v1/nodes'): Promise<string | undefined> {
  // A home of its own: nothing of this machine's user is read.
  const options = { env: { HOME: servers.folder, PATH: process.env['PATH'] ?? '' }, timeout: 30_000 };
  const args = ['--request-timeout=10s', `--kubeconfig=${kubeconfig}`, ...command.split(' ')];
  const running = promisify(execFile)(servers.programs.kubectl, args, options);
  // Without credentials it asks for a user name.
  running.child.stdin?.end();
  return running.then(
    () => undefined,
    (error: unknown) => String(Object(error).stderr).trim(),
  );
}

async function byThisProgram(kubeconfig: string, settings: Variant['settings']): Promise<string | undefined> {
  const findings = await check({ KUBECONFIG: kubeconfig, FLEET_ENDPOINT: fleet.endpoint, ...settings });
  return findings.find(({ check, state }) => state === 'wrong' && !ABOUT_OTHERS.has(check))?.sentence;
}

function check(variables: Record<string, string>): Promise<readonly Finding[]> {
  const installation = { settings: read([], { LISTEN: 'off', ...variables }), warnings: [], spellings: new Map() };
  return checkInstallation(installation, systemClock, new AbortController().signal);
}

function outcomeOf(variant: Variant): Outcome {
  const outcome = outcomes.get(variant);
  if (outcome === undefined) throw new Error(`${variant.name} was not tried`);
  return outcome;
}

const word = (problem: string | undefined) => (problem === undefined ? 'works' : 'fails');

describe('a kubeconfig works here as it does with kubectl, or it is said why not', () => {
  it.each(VARIANTS)('$name', (variant) => {
    const { kubectl, here } = outcomeOf(variant);
    const said = `kubectl: ${kubectl ?? 'works'}\nkube-register: ${here ?? 'works'}`;
    expect(word(here) !== word(kubectl), said).toBe(variant.differs !== undefined);
    if (variant.says !== undefined) expect(here).toMatch(variant.says);
  });

  it('and where kubectl alone works, a sentence says what to do', () => {
    const refused = VARIANTS.filter(
      (variant) => word(outcomeOf(variant).kubectl) !== 'fails' && outcomeOf(variant).here,
    );
    expect(refused.filter(({ says }) => says === undefined)).toEqual([]);
    expect(refused.length).toBeGreaterThan(0);
  });

  it('and the table in kubectl-table.md is true', async () => {
    const rows = VARIANTS.map((variant) => {
      const { kubectl, here } = outcomeOf(variant);
      return `| ${variant.name} | ${word(kubectl)} | ${word(here)} | ${variant.differs ?? ''} |`;
    });
    await expect(`${HEAD}\n${rows.join('\n')}\n`).toMatchFileSnapshot('kubectl-table.md');
  });
});

const HEAD = `# kubectl and kube-register with the same kubeconfig

For developers. \`npm run test:real\` gives each of these kubeconfig files to kubectl 1.20 (Debian 12) and to kube-register, against a real
API server, and compares the outcome with this table. \`npm run test:real -- -u\` writes it anew.

| kubeconfig or server | kubectl | kube-register | why they differ |
| --- | --- | --- | --- |`;

describe('a fleet behind old TLS', () => {
  it.each(OLD_SERVERS)('with $name is reached with FLEET_LEGACY_TLS, which the error names without', async (old) => {
    const bench = await lab.bench(`fleet ${old.name}`);
    const { ca, ...tls } = await old.make(bench);
    const endpoint = await lab.fronts.start({ tls, target: fleet.endpoint });
    const variables = {
      FLEET_ENDPOINT: endpoint,
      FLEET_CA_FILE: await bench.write('ca.pem', ca),
      API_ENDPOINT: servers.url,
    };
    const fleetIn = (findings: readonly Finding[]) => findings.find(({ check }) => check === 'fleet');
    expect(fleetIn(await check(variables))).toMatchObject({
      state: 'wrong',
      sentence: expect.stringContaining('KUBE_REGISTER_FLEET_LEGACY_TLS=true'),
    });
    expect(fleetIn(await check({ ...variables, FLEET_LEGACY_TLS: 'true' }))).toMatchObject({ state: 'ok' });
  });
});
