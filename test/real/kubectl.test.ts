/** What we say and what kubectl shows are the same, and what a person does with kubectl is minded. */
import { expect, it } from 'vitest';
import { details, PASSES_OF_GRACE, startDaemon, told, verdictOf } from './daemon.ts';
import { kubectlFor, writeKubeconfig } from './kubectl.ts';
import { worldsOfThisFile } from './world.ts';

const { servers, open } = worldsOfThisFile();

/** kubectl writes each dot of a key with a backslash there. */
const MACHINE_ID = String.raw`kube-register\.io/machine-id`;

/** Three registered machines, and a node that is nobody's. */
async function threeAndAnother(settings?: Record<string, string>) {
  const world = await open();
  const machines = await world.addMachines(3);
  await world.putNode({ name: 'master', ready: true });
  const daemon = await startDaemon(world, settings);
  await daemon.pass();
  const [doomed] = machines;
  if (doomed === undefined) throw new Error('there is no machine');
  return { world, machines, doomed, daemon, kubectl: await kubectlFor(servers) };
}

it('shows our nodes when it is asked for the managed ones, with the machines that the status gives', async () => {
  const { machines, daemon, kubectl } = await threeAndAnother();
  await daemon.pass();
  const shown = await kubectl('get nodes -l kube-register.io/managed=true -o name');
  expect(shown).toEqual(machines.map(({ address }) => `node/${address}`));

  const columns = `NAME:.metadata.name,MACHINE:.metadata.annotations.${MACHINE_ID}`;
  const rows = await kubectl(`get nodes --no-headers -o custom-columns=${columns}`);
  const said = daemon.status.nodes.map(({ name, machine }) => `${name} ${machine ?? '<none>'}`);
  expect(rows.map((row) => row.replace(/ +/, ' ')).sort()).toEqual([...said].sort());
  expect(said).toHaveLength(4);
});

it("shows the labels that come from fleet's metadata", async () => {
  const { world, daemon, kubectl } = await threeAndAnother({ NODE_LABELS: 'zone' });
  const { address } = await world.addMachine({ role: 'kubernetes', zone: 'eu-1' });
  await daemon.pass();
  expect(await kubectl('get nodes -l zone=eu-1 -o name')).toEqual([`node/${address}`]);
});

it('shows a node of ours as not ready until its kubelet reports, and says in its description whose it is', async () => {
  const { world, doomed, kubectl } = await threeAndAnother();
  const status = async () => (await kubectl(`get node ${doomed.address} --no-headers`))[0]?.split(/ +/)[1];
  expect(await status()).toBe('Unknown');
  await world.report(doomed.address, { machineId: doomed.id, addresses: [doomed.address], ready: true });
  expect(await status()).toBe('Ready');
  const description = (await kubectl(`describe node ${doomed.address}`)).join('\n');
  expect(description).toContain(`kube-register.io/machine-id: ${doomed.id}`);
  expect(description).toMatch(new RegExp(`InternalIP: +${doomed.address}`));
});

it.each([
  ['annotate node NAME kube-register.io/keep=true', 'annotate node NAME kube-register.io/keep-'],
  ['label node NAME kube-register.io/keep=yes', 'label node NAME kube-register.io/keep-'],
  ['cordon NAME', 'uncordon NAME'],
])('keeps a dead node by `%s`, until `%s`', async (keep, release) => {
  const { world, doomed, daemon, kubectl } = await threeAndAnother();
  await kubectl(keep.replace('NAME', doomed.address));
  await world.destroy(doomed);
  expect(verdictOf(await daemon.passes(2 * PASSES_OF_GRACE), doomed.address)).toBe('vetoed');

  await kubectl(release.replace('NAME', doomed.address));
  expect(verdictOf(await daemon.pass(), doomed.address)).toBe('in-grace');
  await daemon.passes(PASSES_OF_GRACE - 3);
  expect(told(await daemon.pass())).toEqual([`deregister ${doomed.address}: done`]);
  expect(await kubectl('get nodes -l kube-register.io/managed=true -o name')).toHaveLength(2);
});

it('manages the nodes of a former OWNER_ID once their annotation is changed, as the verdicts advise', async () => {
  const { world, machines, doomed, kubectl } = await threeAndAnother();
  const daemon = await startDaemon(world, { OWNER_ID: 'west' });
  await world.destroy(doomed);
  const before = await daemon.passes(2 * PASSES_OF_GRACE);
  expect(machines.map(({ address }) => verdictOf(before, address))).toEqual(['foreign', 'foreign', 'foreign']);
  const advice = [...(before.seen?.plan.machines.values() ?? [])].map(({ next }) => next?.split(': kubectl ')[1]);
  expect(advice).toHaveLength(2);

  for (const command of advice) await kubectl(command ?? 'is missing');
  await kubectl(`annotate --overwrite node ${doomed.address} kube-register.io/owner=west`);
  expect(verdictOf(await daemon.pass(), doomed.address)).toBe('in-grace');
  await daemon.passes(PASSES_OF_GRACE - 3);
  expect(told(await daemon.pass())).toEqual([`deregister ${doomed.address}: done`]);
  expect(await kubectl('get nodes -l kube-register.io/managed=true -o name')).toHaveLength(2);
});

it('takes away by hand what the deletion guard holds, as the log advises, and the daemon minds its own business', async () => {
  const { world, machines, daemon, kubectl } = await threeAndAnother();
  for (const machine of machines) await world.destroy(machine);
  await daemon.passes(2 * PASSES_OF_GRACE);
  expect(daemon.log.join('')).toContain('kubectl delete node NAME');
  expect(await world.nodeNames()).toHaveLength(4);

  await kubectl(`delete node ${machines.map(({ address }) => address).join(' ')}`);
  const report = await daemon.pass();
  expect(told(report)).toEqual([]);
  expect(details(report)).toEqual([]);
  expect(await world.nodeNames()).toEqual(['master']);
});

it('shares its kubeconfig format with the daemon', async () => {
  const world = await open();
  const { address } = await world.addMachine();
  const kubeconfig = await writeKubeconfig(servers, 'kube-register', world.token);
  const { API_ENDPOINT: _, API_CA_FILE: __, API_TOKEN_FILE: ___, ...others } = world.settings;
  const daemon = await startDaemon({ settings: others }, { KUBECONFIG: kubeconfig });
  expect(told(await daemon.pass())).toEqual([`register ${address}: done`]);
});
