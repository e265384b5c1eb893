/** Rights that the daemon needs and has lost: a clear error that names the verb, and work as before once they are back. */
import { expect, it, onTestFinished, vi } from 'vitest';
import { type Daemon, details, PASSES_OF_GRACE, startDaemon, told } from './daemon.ts';
import { type Machine, type World, worldsOfThisFile } from './world.ts';

const { open } = worldsOfThisFile();

const USER = 'system:serviceaccount:kube-register:kube-register';

interface Scene {
  readonly world: World;
  readonly daemon: Daemon;
  readonly machine: Machine;
}

/** Two machines that are registered, and a daemon from which this verb will be taken. */
async function scene(verb: string): Promise<Scene> {
  const world = await open();
  const [machine] = await world.addMachines(2);
  if (machine === undefined) throw new Error('there is no machine');
  const daemon = await startDaemon(world);
  // The first pass registers, the second reads what it registered.
  await daemon.passes(2);
  onTestFinished(() => world.rights.giveBack(verb, world.token));
  return { world, daemon, machine };
}

/** The part of an error that says what to do. */
function advice(verb: string): string {
  return (
    `cannot ${verb} resource "nodes" in API group "" at the cluster scope: does this user have the verb "${verb}" on nodes? ` +
    'A ClusterRole with this rule grants all that is needed: ' +
    '{apiGroups: [""], resources: ["nodes"], verbs: ["get", "list", "create", "patch", "delete"]}'
  );
}

it.each([
  ['list', async () => undefined, 'GET /api/v1/nodes: answered 403 Forbidden: nodes is forbidden'],
  [
    'get',
    async ({ world }: Scene) => world.putNode({ name: 'newcomer' }),
    'GET /api/v1/nodes/newcomer: answered 403 Forbidden: nodes "newcomer" is forbidden',
  ],
])('without the verb %s a pass fails, says why, and changes nothing', async (verb, prepare, said) => {
  const all = await scene(verb);
  const { world, daemon } = all;
  await world.rights.takeAway(verb, world.token);
  await world.addMachine();
  await prepare(all);
  const before = await world.nodes();

  const report = await daemon.attempt();
  expect(report.seen).toBeUndefined();
  expect([...report.failures]).toEqual([
    ['kubernetes', `kubernetes at ${world.servers.url}: ${said}: User "${USER}" ${advice(verb)}`],
  ]);
  expect(await world.nodes()).toEqual(before);

  await world.rights.giveBack(verb, world.token);
  expect((await daemon.pass()).outcomes).toHaveLength(1);
});

it.each([
  [
    'create',
    async ({ world }: Scene) => {
      const { address } = await world.addMachine();
      return { name: address, path: '', failed: 'register', subject: 'nodes is' };
    },
  ],
  [
    'patch',
    async ({ world, machine: { address } }: Scene) => {
      await world.patchNode(address, { metadata: { annotations: { 'kube-register.io/machine-id': null } } });
      return { name: address, path: `/${address}`, failed: 'adopt', subject: `nodes "${address}" is` };
    },
  ],
  [
    'delete',
    async ({ world, daemon, machine }: Scene) => {
      await world.addMachines(2);
      await world.destroy(machine);
      await daemon.passes(PASSES_OF_GRACE - 2);
      const { address } = machine;
      return { name: address, path: `/${address}`, failed: 'deregister', subject: `nodes "${address}" is` };
    },
  ],
])('without the verb %s that alone fails and says why; the next pass with it does the work', async (verb, prepare) => {
  const all = await scene(verb);
  const { world, daemon } = all;
  const { name, path, failed, subject } = await prepare(all);
  await world.rights.takeAway(verb, world.token);

  const report = await daemon.attempt();
  expect(told(report)).toEqual([`${failed} ${name}: failed`]);
  expect(report.failures.size).toBe(0);
  const method = { create: 'POST', patch: 'PATCH', delete: 'DELETE' }[verb];
  expect(details(report)).toEqual([
    `kubernetes at ${world.servers.url}: ${method} /api/v1/nodes${path}: answered 403 Forbidden: ${subject} forbidden: User "${USER}" ${advice(verb)}`,
  ]);

  await world.rights.giveBack(verb, world.token);
  expect(told(await daemon.pass())).toEqual([`${failed} ${name}: done`]);
});

it('without the right to write Events everything else is done, and a sentence says what is missing, now and then again', async () => {
  const world = await open();
  await world.rights.unbindEvents(world.token);
  onTestFinished(() => world.rights.bindEvents(world.token));
  const daemon = await startDaemon(world);
  const failures = (count: number) =>
    vi.waitFor(async () => expect(await daemon.metric('kube_register_event_failures_total')).toBe(count), 10_000);
  const machines = await world.addMachines(3);
  await daemon.pass();
  await failures(3);
  await daemon.pass();
  const [doomed] = machines;
  if (doomed === undefined) throw new Error('there is no machine');
  await world.destroy(doomed);
  expect(told(await daemon.passes(PASSES_OF_GRACE - 1))).toEqual([`deregister ${doomed.address}: done`]);
  await failures(4);
  const warnings = daemon.log.map((line) => JSON.parse(line)).filter(({ msg }) => /\bEvents?\b/.test(msg));
  const problem =
    `an Event was not written: kubernetes at ${world.servers.url}: POST /api/v1/namespaces/default/events: answered 403 Forbidden: ` +
    `events is forbidden: User "${USER}" cannot create resource "events" in API group "" in the namespace "default": ` +
    'does this user have the verb "create" on events in the namespace default? A Role there with this rule grants it: ' +
    '{apiGroups: [""], resources: ["events"], verbs: ["create"]}; nodes are still registered and deregistered';
  expect(warnings.map(({ level, msg }) => `${level}: ${msg.replace(/for \d+m/, 'for minutes')}`)).toEqual([
    `warn: ${problem}`,
    `warn: still, for minutes (4 times): ${problem}`,
  ]);
  expect(await world.events()).toEqual([]);

  await world.rights.bindEvents(world.token);
  const { address } = await world.addMachine();
  await daemon.pass();
  await vi.waitFor(async () => {
    expect((await world.events()).map(({ involvedObject }) => involvedObject.name)).toEqual([address]);
  }, 10_000);
});
