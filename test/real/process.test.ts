/** The program itself, as systemd runs it, while things happen to the API server and to its rights. */
import { expect, it, onTestFinished, vi } from 'vitest';
import { GOOD_END, type Program, startProgram } from '../integration/program.ts';
import { WORKER, type World, worldsOfThisFile } from './world.ts';

const { open } = worldsOfThisFile();

/** The program at work in this world. It passes once at start, and then when it is told to. */
async function startIn(world: World, settings: Record<string, string> = {}): Promise<Program> {
  const program = startProgram({ ...world.settings, SYNC_INTERVAL: '1h', ...settings });
  await program.firstPass();
  // What is told of the pass may follow it, and must not get into what the test does next.
  await program.reached('kube_register_events_total', await program.metric('kube_register_registrations_total'));
  return program;
}

/** What went wrong, according to the log. */
function problems(program: Program): string[] {
  return program.log.filter(({ level }) => !['debug', 'info'].includes(level)).map(({ msg }) => msg);
}

it('registers, finds nothing to do, and ends in time and without a complaint', async () => {
  const world = await open();
  await world.addMachines(3);
  const program = await startIn(world);
  expect(await world.nodeNames()).toHaveLength(3);
  await program.pass();
  expect(await program.metric('kube_register_registrations_total')).toBe(3);
  expect(await program.metric('kube_register_managed_nodes')).toBe(3);
  expect(await program.metric('kube_register_up{target="kubernetes"}')).toBe(1);
  expect(problems(program)).toEqual([]);
  expect(await program.stop()).toEqual(GOOD_END);
  expect(program.stdout).not.toContain(world.token);
});

it('outlives an API server that is stopped and started', async () => {
  const world = await open();
  const [first] = await world.addMachines(3);
  const program = await startIn(world);
  const before = await world.nodes();

  await world.servers.stopApiServer();
  onTestFinished(() => world.servers.startApiServer());
  const newcomer = await world.addMachine();
  world.fleet.removeMachine(first?.id ?? '');
  await program.pass();
  await program.pass();
  expect(problems(program)).toEqual([
    `kubernetes at ${world.servers.url}: GET /api/v1/nodes: the connection was refused: does the API server listen there? ` +
      'check KUBE_REGISTER_API_ENDPOINT; nothing is changed until this succeeds; retried in 1s',
  ]);
  expect(await program.metric('kube_register_up{target="kubernetes"}')).toBe(0);
  expect(await program.metric('kube_register_up{target="fleet"}')).toBe(1);
  expect(await program.metric('kube_register_pass_failures_total{cause="kubernetes"}')).toBeGreaterThanOrEqual(2);
  expect((await program.get('/healthz')).status).toBe(200);

  await world.servers.startApiServer();
  await program.pass();
  await program.said(/^requests to the API server succeed again after /);
  expect(await program.metric('kube_register_up{target="kubernetes"}')).toBe(1);
  const after = await world.nodes();
  expect(after.filter(({ metadata }) => metadata.name !== newcomer.address)).toEqual(before);
  expect(after).toHaveLength(4);
  expect(await program.stop()).toEqual(GOOD_END);
});

it('finishes later what an API server did not live to do', async () => {
  const world = await open();
  const program = await startIn(world);
  const machines = await world.addMachines(300);
  program.signal('SIGUSR2');
  await vi.waitFor(async () => expect(await world.nodes()).not.toEqual([]), { timeout: 30_000, interval: 20 });
  await world.servers.stopApiServer();
  onTestFinished(() => world.servers.startApiServer());
  await program.reached('kube_register_passes_total', 2);

  await world.servers.startApiServer();
  await program.pass();
  expect((await world.nodeNames()).sort()).toEqual(machines.map(({ address }) => address).sort());
  await program.pass();
  expect((await program.status()).nodes.filter(({ verdict }) => verdict !== 'keep')).toEqual([]);
  expect(await program.stop()).toEqual(GOOD_END);
});

it('takes an API server whose store hangs for one that does not answer, never for one without nodes', async () => {
  const world = await open();
  await world.addMachines(2);
  const program = await startIn(world, { API_TIMEOUT: '1s' });
  const before = await world.nodes();

  world.servers.freezeStore();
  onTestFinished(() => world.servers.thawStore());
  await program.pass();
  expect(problems(program)).toEqual([
    expect.stringMatching(/^kubernetes at https:.*no complete response within 1s \(KUBE_REGISTER_API_TIMEOUT\)/),
  ]);

  world.servers.thawStore();
  await vi.waitFor(() => world.nodes(), { timeout: 30_000 });
  await program.pass();
  await program.said(/^requests to the API server succeed again after /);
  expect(await world.nodes()).toEqual(before);
});

it('says which rights it has lost, changes nothing, and goes on when they are back', async () => {
  const world = await open();
  await world.addMachines(2);
  const program = await startIn(world);

  await world.rights.unbind(world.token);
  onTestFinished(() => world.rights.bind(world.token));
  await world.addMachine();
  await program.pass();
  expect(problems(program)).toEqual([
    expect.stringMatching(
      /403 Forbidden: nodes is forbidden: User "system:serviceaccount:kube-register:kube-register" cannot list .* does this user have the verb "list" on nodes\?/,
    ),
  ]);
  expect((await program.status()).kubernetes).toMatchObject({ up: false });
  expect(await world.nodeNames()).toHaveLength(2);

  await world.rights.bind(world.token);
  await program.pass();
  await program.said(/^requests to the API server succeed again after /);
  expect(await world.nodeNames()).toHaveLength(3);
});

it('says when its token is no good, and goes on with a new one as soon as it is in the file', async () => {
  const world = await open();
  await world.addMachine();
  const program = await startIn(world);

  await world.setToken('not-a-token-of-this-server');
  await world.addMachine();
  await program.pass();
  expect(problems(program)).toEqual([
    expect.stringMatching(/401 Unauthorized: the server rejects these credentials; check /),
  ]);
  expect(program.stdout).not.toContain('not-a-token-of-this-server');

  const renewed = await world.rights.token();
  await world.setToken(renewed);
  await program.pass();
  await program.said(/^requests to the API server succeed again after /);
  expect(await world.nodeNames()).toHaveLength(2);
  expect(program.stdout).not.toContain(renewed);
});

it('is harmless beside another one: each machine is registered once and each dead node goes once', async () => {
  const world = await open();
  const graces = { MISSING_GRACE: '0', UNHEALTHY_GRACE: '0' };
  const [one, two] = await Promise.all([startIn(world, graces), startIn(world, graces)]);
  const both = (act: (program: Program) => Promise<unknown>) => Promise.all([act(one), act(two)]);
  const sum = async (name: string) => (await both((program) => program.metric(name))).map(Number).reduce(add);

  const machines = await world.addMachines(20);
  await both((program) => program.pass());
  expect(await world.nodeNames()).toHaveLength(20);
  expect(one.lines(/^registered node /).length + two.lines(/^registered node /).length).toBe(20);
  await both((program) => program.pass());
  expect(await sum('kube_register_registration_failures_total')).toBe(0);

  const [dead] = machines;
  if (dead === undefined) throw new Error('there is no machine');
  await world.destroy(dead);
  while ((await world.nodeNames()).includes(dead.address)) await both((program) => program.pass());
  await both((program) => program.pass());
  expect(await world.nodeNames()).toHaveLength(19);
  expect(one.lines(/^deregistered node /).length + two.lines(/^deregistered node /).length).toBe(1);

  await dead.kubelet.start();
  world.fleet.setMachine({ id: dead.id, address: dead.address, metadata: WORKER });
  await both((program) => program.pass());
  await both((program) => program.pass());
  expect(await world.nodeNames()).toHaveLength(20);
  for (const program of [one, two]) {
    expect(program.log.filter(({ level }) => level === 'error')).toEqual([]);
    expect(await program.stop()).toMatchObject({ code: 0, signal: null });
  }
});

function add(a: number, b: number): number {
  return a + b;
}
