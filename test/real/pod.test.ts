/** deploy/pod.yaml is taken by a real API server and kubectl, after deploy/rbac.yaml, and nothing of it is dropped. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { kubectlFor } from './kubectl.ts';
import { worldsOfThisFile } from './world.ts';

const { servers } = worldsOfThisFile();
const [RBAC, POD] = ['rbac.yaml', 'pod.yaml'].map((file) =>
  fileURLToPath(new URL(`../../deploy/${file}`, import.meta.url)),
);

it('is applied as it is written', async () => {
  const kubectl = await kubectlFor(servers);
  const said = await kubectl(`apply -f ${RBAC} -f ${POD}`);
  expect(said).toContain('deployment.apps/kube-register created');
  const stored = JSON.parse((await kubectl('-n kube-register get deployment kube-register -o json')).join('\n'));
  expect(stored.spec).toMatchObject(parse(await readFile(POD ?? '', 'utf8')).spec);
});
