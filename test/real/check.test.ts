/** What `kube-register check` finds on a real API server: nothing where all is granted, and each right that is taken away. */
import { expect, it, onTestFinished } from 'vitest';
import { checkInstallation } from '../../src/commands/check/check.ts';
import type { Finding } from '../../src/commands/check/finding.ts';
import { systemClock } from '../../src/time/clock.ts';
import { read } from '../unit/settings/read-settings.ts';
import { GRANTED_VERBS } from './rights.ts';
import { type World, worldsOfThisFile } from './world.ts';

const { servers, open } = worldsOfThisFile();

const USER = 'system:serviceaccount:kube-register:kube-register';
const NEVER = new AbortController().signal;

/** A world with two machines, one of them with its node, and another node. */
async function scene(): Promise<World> {
  const world = await open();
  const [machine] = await world.addMachines(2);
  if (machine === undefined) throw new Error('there is no machine');
  await world.putNode({ name: machine.address, addresses: [machine.address], ready: true });
  await world.putNode({ name: 'stranger' });
  return world;
}

/** Nothing that the check asks for is kept, and no finding tells the token. */
async function check(world: World, settings: Record<string, string> = {}): Promise<readonly Finding[]> {
  const before = await world.nodes();
  const installation = {
    settings: read([], { ...world.settings, LISTEN: 'off', ...settings }),
    warnings: [],
    spellings: new Map(),
  };
  const findings = await checkInstallation(installation, systemClock, NEVER);
  expect(await world.nodes()).toEqual(before);
  expect(JSON.stringify(findings)).not.toContain(world.token);
  return findings;
}

/** The states of what is not well. That others cannot be told without a port is so in all of these tests. */
function troubles(findings: readonly Finding[]): Record<string, string> {
  const all = findings.filter(({ check: name, state }) => state !== 'ok' && name !== 'other-daemons');
  return Object.fromEntries(all.map(({ check: name, state }) => [name, state]));
}

it('finds nothing where deploy/rbac.yaml was applied', async () => {
  const world = await scene();
  const findings = await check(world);
  expect(troubles(findings)).toEqual({});
  const told = new Map(findings.map(({ check: name, sentence }) => [name, sentence]));
  expect(told.get('api-server')).toMatch(
    /^reachable at https:.*, using API v1; registers, adopts, labels and deregisters$/,
  );
  expect(told.get('tls')).toBe("the server's certificate is verified");
  expect(told.get('credentials')).toBe(`a token of "${USER}" is sent; the API server accepts this`);
  expect(told.get('nodes')).toBe('2 nodes: adopt 1, foreign 1; a first pass would register 1, adopt 1');
  expect(told.get('clock')).toBe('within 5s of fleet and the API server');
});

const WITHOUT_NODES = { nodes: 'skipped', conflicts: 'skipped', 'machine-ids': 'skipped', 'pass-time': 'skipped' };

it.each(GRANTED_VERBS)('names the verb %s when it was taken away, and no other', async (verb) => {
  const world = await scene();
  await world.rights.takeAway(verb, world.token);
  onTestFinished(() => world.rights.giveBack(verb, world.token));
  const findings = await check(world);
  const unread = verb === 'list' || verb === 'get' ? WITHOUT_NODES : {};
  expect(troubles(findings)).toEqual({ [`right-${verb}-nodes`]: 'wrong', ...unread });
  expect(findings).toContainEqual(
    expect.objectContaining({
      check: `right-${verb}-nodes`,
      mend: 'kube-register manifests rbac | kubectl apply -f -',
    }),
  );
});

it('warns of the right to write Events when it was taken away', async () => {
  const world = await scene();
  await world.rights.unbindEvents(world.token);
  onTestFinished(() => world.rights.bindEvents(world.token));
  expect(troubles(await check(world))).toEqual({ 'right-create-events': 'warning' });
  expect(troubles(await check(world, { EVENTS: 'false' }))).toEqual({});
});

it('names all rights of a user to whom nothing was granted', async () => {
  const world = await scene();
  await world.rights.unbind(world.token);
  onTestFinished(() => world.rights.bind(world.token));
  const rights = GRANTED_VERBS.map((verb) => [`right-${verb}-nodes`, 'wrong']);
  expect(troubles(await check(world))).toEqual({ ...Object.fromEntries(rights), ...WITHOUT_NODES });
});

it.each([
  [
    'that the server does not know',
    async (world: World) => world.setToken('nobody'),
    {},
    /; the API server rejects this \(401\)$/,
  ],
  ['that are not sent', async () => undefined, { API_TOKEN_FILE: '' }, /^no credentials are sent; .* \(403\)$/],
])('names credentials %s', async (_, arrange, settings, sentence) => {
  const world = await scene();
  await arrange(world);
  const findings = await check(world, settings);
  const rights = [...GRANTED_VERBS.map((verb) => `right-${verb}-nodes`), 'right-create-events'];
  const skipped = Object.fromEntries(rights.map((right) => [right, 'skipped']));
  expect(troubles(findings)).toEqual({ credentials: 'wrong', ...skipped, ...WITHOUT_NODES });
  expect(findings.find(({ check: name }) => name === 'credentials')?.sentence).toMatch(sentence);
});

it('names an authority that is not known', async () => {
  const world = await scene();
  const findings = await check(world, { API_CA_FILE: '' });
  expect(findings.find(({ check: name }) => name === 'api-server')).toMatchObject({
    state: 'wrong',
    sentence: expect.stringContaining(
      `kubernetes at ${servers.url}: GET /version: the server's certificate is signed by`,
    ),
    mend: 'KUBE_REGISTER_API_CA_FILE=/path/of/its/ca.pem',
  });
});
