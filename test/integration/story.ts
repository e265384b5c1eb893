/** A day of the daemon, for every form in which it is shipped: nodes are registered, one is deregistered, and it is scraped. */
import { expect } from 'vitest';
import type { Lab, LabOptions } from '../lab/lab.ts';
import { labOfTest, type Program, settingsFor } from './program.ts';

const WORKER = { role: 'kubernetes' };

/** Plays it on such a lab with the program that `start` starts. It still runs then, and has three nodes left. */
export async function playStory(
  start: (settings: Record<string, string>, lab: Lab) => Program,
  options: LabOptions = {},
): Promise<{ lab: Lab; program: Program }> {
  const lab = await labOfTest(options);
  const [dying, ...others] = await lab.addMachines(4, WORKER);
  const other = await lab.addMachine({ metadata: { role: 'etcd' } });
  // Without a grace three passes in a row still have to see a node dead.
  const program = start({ ...settingsFor(lab), UNHEALTHY_GRACE: '0' }, lab);
  await program.firstPass();

  for (const { id, address } of others) {
    expect(lab.kubernetes.node(address)?.metadata.annotations).toMatchObject({ 'kube-register.io/machine-id': id });
  }
  expect(lab.kubernetes.nodes).toHaveLength(4);
  expect(lab.kubernetes.node(other.address)).toBeUndefined();
  expect(await program.metric('kube_register_registrations_total')).toBe(4);
  expect(await program.get('/readyz')).toEqual({ status: 200, body: 'ok\n' });

  // Only the silence of a kubelet that has answered since its node is there proves anything.
  await program.pass();
  await dying?.kubelet.stop();
  for (let pass = 1; pass <= 2; pass += 1) await program.pass();
  expect((await program.status()).nodes.map(({ verdict }) => verdict).toSorted()).toEqual([
    'in-grace',
    'keep',
    'keep',
    'keep',
  ]);
  await program.pass();
  expect(lab.kubernetes.nodes).toHaveLength(others.length);
  expect(lab.kubernetes.node(dying?.address ?? '')).toBeUndefined();
  expect(await program.metric('kube_register_deregistrations_total{reason="unhealthy"}')).toBe(1);
  return { lab, program };
}
