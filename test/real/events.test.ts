/** kubectl tells the story of a node: when it came, when it was adopted, when it went and why. */
import { expect, it, vi } from 'vitest';
import { type Daemon, PASSES_OF_GRACE, startDaemon } from './daemon.ts';
import { kubectlFor } from './kubectl.ts';
import { worldsOfThisFile } from './world.ts';

const { servers, open } = worldsOfThisFile();

/** Resolves when so many Events were written, and none in vain. */
async function written(daemon: Daemon, count: number): Promise<void> {
  await vi.waitFor(async () => expect(await daemon.metric('kube_register_events_total')).toBe(count), 10_000);
  expect(await daemon.metric('kube_register_event_failures_total')).toBe(0);
}

/** The columns, separated by one space. */
function plain(lines: readonly string[]): string[] {
  return lines.map((line) => line.trim().replace(/ +/g, ' '));
}

it('of its coming and going', async () => {
  const world = await open();
  const machines = await world.addMachines(3);
  const [doomed, adopted] = machines;
  if (doomed === undefined || adopted === undefined) throw new Error('there is no machine');
  await world.putNode({ name: 'worker-2', machineId: adopted.id, addresses: [adopted.address], ready: true });
  const daemon = await startDaemon(world);
  const kubectl = await kubectlFor(servers);
  const eventsIn = async (name: string) => {
    const description = plain(await kubectl(`describe node ${name}`));
    // Behind the headings.
    return description
      .slice(description.indexOf('Events:') + 3)
      .map((line) => line.replace(/ \S+ kube-register /, ' '));
  };

  await daemon.passes(2);
  await written(daemon, 3);
  const registered = `registered as the node of machine ${doomed.id} at ${doomed.address}: its kubelet is healthy`;
  expect(await eventsIn(doomed.address)).toEqual([`Normal Registered ${registered}`]);
  expect(await eventsIn('worker-2')).toEqual([
    `Normal Adopted adopted as the node of machine ${adopted.id} at ${adopted.address}: kube-register manages it now`,
  ]);

  await world.destroy(doomed);
  await daemon.passes(PASSES_OF_GRACE);
  await written(daemon, 4);
  const columns = '-o custom-columns=TYPE:.type,REASON:.reason,MESSAGE:.message --no-headers --sort-by=.lastTimestamp';
  const story = plain(await kubectl(`get events --field-selector involvedObject.name=${doomed.address} ${columns}`));
  expect(story).toEqual([
    `Normal Registered ${registered}`,
    `Warning Deregistered deregistered as the node of machine ${doomed.id}: machine-gone: missing from fleet for 2m of 2m, ` +
      'seen in 3 passes; kubelet unreachable; node Unknown',
  ]);
  const warnings = plain(await kubectl('get events --field-selector type=Warning --no-headers'));
  expect(warnings).toEqual([
    expect.stringMatching(`Warning Deregistered node/${doomed.address} deregistered as the node of machine `),
  ]);

  // A node that comes back is described with its earlier life.
  await doomed.kubelet.start();
  world.fleet.setMachine({ id: doomed.id, address: doomed.address, metadata: { role: 'kubernetes' } });
  await daemon.pass();
  await written(daemon, 5);
  const lives = (await eventsIn(doomed.address)).map((line) => line.split(' ')[1]);
  expect(lives.sort()).toEqual(['Deregistered', 'Registered', 'Registered']);
});

it('of being held', async () => {
  const world = await open();
  const machines = await world.addMachines(3);
  const daemon = await startDaemon(world);
  const kubectl = await kubectlFor(servers);
  await daemon.passes(2);
  for (const machine of machines) await world.destroy(machine);
  await daemon.passes(2);
  await written(daemon, 6);
  for (const { address } of machines) {
    const description = plain(await kubectl(`describe node ${address}`)).join('\n');
    expect(description).toMatch(
      /^Warning DeregistrationHeld \S+ kube-register missing from fleet; .*; deletion guard active: 3 of 3 managed nodes are not alive .*kubectl delete node NAME/m,
    );
  }
});
