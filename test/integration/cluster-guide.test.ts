/** What the tutorial and the page on running its cluster quote of the log is what the program says to a lab of the same versions. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { LabMachine } from '../lab/lab.ts';
import { labOfTest, settingsFor, startProgram } from './program.ts';

const guide = ['docs/tutorial.md', 'cluster/README.md']
  .map((page) => readFileSync(new URL(`../../deploy/${page}`, import.meta.url), 'utf8'))
  .join('\n');
const WORKER = { role: 'kubernetes' };

/** The indented lines outside of the blocks of commands, but for settings. */
const quoted = [...guide.replaceAll(/```.*?```/gs, '').matchAll(/^ {4}(?! )(?!KUBE_REGISTER_)(.+)$/gm)].map(
  ([, line = '']) => line,
);
/** The machines that are registered there, in the order of the text: their addresses with their ids. */
const machines = [...guide.matchAll(/registered node (\S+) of machine (\S+)/g)].map(([, address = '', id = '']) => {
  return { address, id };
});

/** Without what depends on the grace. */
function timeless(message: string): string {
  return message.replaceAll(/\b(\d+[smh])+\b/g, 'TIME').replaceAll(/\b\d+ pass(es)?\b/g, 'N passes');
}

it('is word for word, but for how long it took', async () => {
  const lab = await labOfTest({ fleet: { version: '1.0.0' }, kubernetes: { version: 'v1.9.2' } });
  const joined: LabMachine[] = [];
  await lab.addMachine({ metadata: { role: 'etcd' } });
  for (const { id } of machines.slice(0, 2)) joined.push(await lab.addMachine({ id, metadata: WORKER }));
  const program = startProgram({ ...settingsFor(lab), MISSING_GRACE: '0' });
  await program.firstPass();

  const last = await lab.addMachine({ id: machines[2]?.id ?? '', metadata: WORKER });
  joined.push(last);
  await program.pass();
  for (const { address } of joined) lab.kubernetes.setReady(address, true);
  await program.pass();

  lab.fleet.removeMachine(last.id);
  await last.kubelet.stop();
  lab.kubernetes.setReady(last.address, 'unknown');
  for (let pass = 1; pass <= 3; pass += 1) await program.pass();
  expect(lab.kubernetes.node(last.address)).toBeUndefined();

  const said = joined.reduce(
    (text, { address }, index) => text.replaceAll(address, machines[index]?.address ?? ''),
    program.log.map(({ msg }) => timeless(msg)).join('\n'),
  );
  expect(quoted.length).toBeGreaterThan(5);
  expect(quoted.filter((line) => !said.split('\n').includes(timeless(line)))).toEqual([]);
});
