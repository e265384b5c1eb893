/** deploy/prometheus/ and deploy/grafana/ before a real Prometheus and its promtool, with the program on a real API server. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { freePort } from '../integration/free-port.ts';
import { type Program, startProgram } from '../integration/program.ts';
import { dashboardQueries } from '../unit/deploy/dashboard.ts';
import { findPrograms } from './programs.ts';
import { DEPLOYED, type Prometheus, startPrometheus } from './prometheus-server.ts';
import { type World, worldsOfThisFile } from './world.ts';

const RULE_TESTS = fileURLToPath(new URL('prometheus/rules.test.yml', import.meta.url));

const { servers, open } = worldsOfThisFile();

interface Scene {
  readonly world: World;
  readonly program: Program;
  /** Where the program listens. */
  readonly target: string;
  /** Another machine, on which nothing runs. */
  readonly elsewhere: string;
  readonly prometheus: Prometheus;
}

/** The program passes every second, and Prometheus scrapes the two machines that it may run on. */
async function scraped(): Promise<Scene> {
  const world = await open();
  await world.addMachines(3);
  const [target, elsewhere] = [`127.0.0.1:${await freePort()}`, `127.0.0.2:${await freePort()}`];
  const program = startAt(target, world);
  const prometheus = await startPrometheus(servers.programs, [target, elsewhere]);
  return { world, program, target, elsewhere, prometheus };
}

function startAt(listen: string, world: World): Program {
  return startProgram({ ...world.settings, SYNC_INTERVAL: '1s', LISTEN: listen });
}

/** Selects each series that the program has from the start, as /metrics writes them. */
async function knownSeries(): Promise<string[]> {
  const { body } = await createMetrics('0').exposition();
  const series = [...body.matchAll(/^((?:kube_register|process)_\w+(?:\{.*\})?) /gm)].map(([, each = '']) => each);
  return series.filter((each) => !each.startsWith('kube_register_build_info'));
}

describe('promtool', () => {
  /** What it prints, and its exit code. */
  async function promtool(args: readonly string[], input = ''): Promise<{ code: number; said: string }> {
    return new Promise((resolve) => {
      const child = execFile(findPrograms().promtool, args, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), said: stdout + stderr });
      });
      child.stdin?.end(input);
    });
  }

  it('finds nothing wrong with the rules', async () => {
    const { code, said } = await promtool(['check', 'rules', '--lint-fatal', join(DEPLOYED, 'rules.yml')]);
    expect(said).toContain('SUCCESS');
    expect(code).toBe(0);
  });

  it('finds nothing wrong with the scrape config and the list of targets', async () => {
    const { code, said } = await promtool(['check', 'config', '--lint-fatal', join(DEPLOYED, 'prometheus.yml')]);
    expect(said).toContain('prometheus.yml is valid');
    expect(code).toBe(0);
  });

  it('sees each alert fire on the series that must make it fire, and on no others', async () => {
    const { code, said } = await promtool(['test', 'rules', RULE_TESTS]);
    expect(said).toContain('SUCCESS');
    expect(code).toBe(0);
  });

  it('finds nothing wrong with the metrics, but with three that prom-client names badly and other dashboards know', async () => {
    const { body } = await createMetrics('0').exposition();
    const { said } = await promtool(['check', 'metrics'], body);
    expect(said.trim().split('\n').sort()).toEqual(
      ['handles', 'requests', 'resources'].map(
        (what) => `nodejs_active_${what}_total non-counter metrics should not have "_total" suffix`,
      ),
    );
  });
});

describe('a real Prometheus that scrapes the program', () => {
  it('has every series that is known from the start, and an answer for each rule and each query of the dashboard', async () => {
    const { prometheus, target } = await scraped();
    const [info] = await prometheus.answer('kube_register_build_info');
    expect(info?.metric).toMatchObject({ job: 'kube-register', instance: target });
    for (const series of await knownSeries()) await prometheus.answer(series);
    expect(await prometheus.answer('kube_register_managed_nodes == 3')).toHaveLength(1);

    for (const query of await dashboardQueries('kube-register')) await prometheus.answer(query);

    const rules = await prometheus.rules();
    const recorded = rules.map(({ name }) => name).filter((name) => name.includes(':'));
    expect(recorded.length).toBeGreaterThan(10);
    for (const name of recorded) await prometheus.answer(`{__name__="${name}"}`);
    expect((await prometheus.rules()).filter(({ health }) => health !== 'ok')).toEqual([]);
    expect(await prometheus.query('ALERTS{alertstate="firing"}')).toEqual([]);
  });

  it('finds it again when fleet has moved it to another machine, and raises no alarm', async () => {
    const { world, prometheus, program, target, elsewhere } = await scraped();
    await prometheus.answer(`kube_register_managed_nodes{instance="${target}"} == 3`);
    await program.stop();
    await prometheus.answer(`up{instance="${target}"} == 0`);
    startAt(elsewhere, world);
    await prometheus.answer(`kube_register_managed_nodes{instance="${elsewhere}"} == 3`);
    expect(await prometheus.query('kube_register_managed_nodes')).toHaveLength(1);
    await prometheus.answer('changes(job:kube_register_start_time_seconds:max[5m]) == 1');
    await prometheus.answer('last_over_time(job_state:kube_register_machines:max{state="matched"}[5m]) == 3');
    expect(await prometheus.query('ALERTS{alertstate="firing"}')).toEqual([]);
  });

  it('tells of a node that cannot be registered', async () => {
    const { world, prometheus, program } = await scraped();
    await prometheus.answer('kube_register_managed_nodes == 3');
    onTestFinished(() => world.rights.giveBack('create', world.token));
    await world.rights.takeAway('create', world.token);
    await world.addMachine();
    await vi.waitFor(async () => expect(program.lines(/^could not register node /)).not.toEqual([]), 30_000);
    const alerts = await prometheus.answer('ALERTS{alertstate="firing"}');
    expect(alerts.map(({ metric }) => metric)).toEqual([
      expect.objectContaining({ alertname: 'KubeRegisterActionsFailing', action: 'register' }),
    ]);
  });
});

it('the copy that Prometheus runs with here differs from what is installed in two lines only', async () => {
  const config = await readFile(join(DEPLOYED, 'prometheus.yml'), 'utf8');
  expect(config.match(/_interval: 15s$/gm)).toHaveLength(2);
});
