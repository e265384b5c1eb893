/** deploy/pod.yaml fits deploy/rbac.yaml, the settings of the program and the image; a real API server takes it in test/real. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { findGiven } from '../../../src/settings/given.ts';
import { read } from './cluster-files.ts';

const CONTAINER = z.object({
  image: z.string(),
  env: z.array(z.object({ name: z.string(), value: z.string() })),
  livenessProbe: z.object({ httpGet: z.object({ path: z.string() }) }),
  readinessProbe: z.object({ httpGet: z.object({ path: z.string() }) }),
  securityContext: z.object({ readOnlyRootFilesystem: z.literal(true), allowPrivilegeEscalation: z.literal(false) }),
  volumeMounts: z.array(z.object({ mountPath: z.string() })),
});
const POD = z.object({
  metadata: z.object({ namespace: z.string() }),
  spec: z.object({
    template: z.object({
      spec: z.object({ serviceAccountName: z.string(), containers: z.tuple([CONTAINER]) }),
    }),
  }),
});

const { metadata, spec } = POD.parse(parse(read('deploy/pod.yaml')));
const { serviceAccountName, containers } = spec.template.spec;
const [container] = containers;

describe('the pod', () => {
  it('is the user that rbac.yaml gives its rights', () => {
    const objects = parseAllDocuments(read('deploy/rbac.yaml')).map((document) => document.toJS());
    expect(objects).toContainEqual(
      expect.objectContaining({
        kind: 'ServiceAccount',
        metadata: { name: serviceAccountName, namespace: metadata.namespace },
      }),
    );
  });

  it('has settings that the program takes, and sees the socket that socket-folder.conf makes', () => {
    const env = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
    expect(findGiven([], env).mistakes).toEqual([]);
    const [, socket = ''] = /^ListenStream=(.*)$/m.exec(read('deploy/socket-folder.conf')) ?? [];
    expect(env['KUBE_REGISTER_FLEET_ENDPOINT']).toBe(`unix://${socket}`);
    expect(container.volumeMounts.map(({ mountPath }) => `${mountPath}/fleet.sock`)).toEqual([socket]);
  });

  it('runs the image of this version, and is asked whether it lives and whether it works', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
    expect(container.image).toBe(`kube-register:${version}`);
    expect(container.livenessProbe.httpGet.path).toBe('/healthz');
    expect(container.readinessProbe.httpGet.path).toBe('/readyz');
  });
});
