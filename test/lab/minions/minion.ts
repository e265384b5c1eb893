/** A minion as the API servers before v0.10 keep and write it. */
import { z } from 'zod';
import type { Release } from './releases.ts';

interface Resources {
  readonly capacity?: Readonly<Record<string, number | string>> | undefined;
}

export interface Minion {
  readonly id: string;
  readonly uid: string;
  /** Grows with every write. */
  readonly revision: number;
  readonly creationTimestamp: string;
  readonly hostIP: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly resources: Resources;
}

const pairs = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});

/** What a client sends; unknown fields are dropped. */
export const MINION_INPUT = z.object({
  kind: z.string().default(''),
  apiVersion: z.string().default(''),
  id: z.string().default(''),
  hostIP: z.string().optional(),
  labels: pairs,
  annotations: pairs,
  resources: z.object({ capacity: z.record(z.string(), z.union([z.number(), z.string()])).optional() }).optional(),
});

export interface Form {
  readonly release: Release;
  readonly api: string;
  readonly resource: string;
}

/** The object of a GET, or with `isCreated` the answer to a create. `ready` is what the server found out; undefined where it does not tell. */
export function minionOf(
  minion: Minion,
  form: Form,
  { isCreated = false, ready }: { readonly isCreated?: boolean; readonly ready?: boolean | undefined } = {},
) {
  const { release } = form;
  const saysRevision = release.hasRevision && (!isCreated || release.createSaysRevision);
  return {
    kind: 'Minion',
    id: minion.id,
    ...(release.hasUid && { uid: minion.uid }),
    creationTimestamp: release.hasRevision ? minion.creationTimestamp : null,
    ...(release.hasRevision && { selfLink: linkOf(minion.id, form) }),
    ...(saysRevision && { resourceVersion: minion.revision }),
    apiVersion: form.api,
    ...contentOf(minion, release, ready),
  };
}

/** The item of a list. */
export function itemOf(minion: Minion, form: Form, ready: boolean | undefined) {
  const { release } = form;
  return {
    // v0.4.4 stores a name with a slash under a key that it cannot read back: the item has no id.
    ...(isGhost(minion, release) ? {} : { id: minion.id }),
    ...(release.hasUid && { uid: minion.uid }),
    creationTimestamp: release.hasRevision && !isGhost(minion, release) ? minion.creationTimestamp : null,
    ...(release.itemsHaveLinks && { selfLink: linkOf(minion.id, form) }),
    ...(release.hasRevision && { resourceVersion: minion.revision }),
    ...contentOf(minion, release, ready),
  };
}

export function isGhost({ id }: Minion, { createAsks }: Release): boolean {
  return createAsks === 'stores' && id.includes('/');
}

export function listLink({ api, resource, release }: Form): string {
  // v0.4.4 writes the links of v1beta2 as those of v1beta1.
  return `/api/${release.listsApis ? api : 'v1beta1'}/${resource}`;
}

function linkOf(id: string, form: Form): string {
  return `${listLink(form)}/${encodeURI(id).replace(/[!]/g, '%21')}`;
}

function contentOf(
  { hostIP, labels, annotations, resources }: Minion,
  { keeps, empty, cpuAsText }: Release,
  ready: boolean | undefined,
) {
  return {
    ...(keeps.annotations && Object.keys(annotations).length > 0 && { annotations }),
    ...(keeps.hostIp && hostIP !== undefined && { hostIP }),
    ...empty,
    ...('resources' in empty && { resources: cpuAsText ? withCpuAsText(resources) : resources }),
    ...(ready !== undefined && { status: { conditions: [conditionOf(ready)] } }),
    ...(keeps.labels && Object.keys(labels).length > 0 && { labels }),
  };
}

/** v0.9.3 with nothing at the kubelet's port: `None`. What a kubelet that answers comes to is in its source (healthy_registry.go). */
function conditionOf(ready: boolean): object {
  return { kind: 'Ready', status: ready ? 'Full' : 'None', lastTransitionTime: null };
}

function withCpuAsText({ capacity }: Resources): Resources {
  if (capacity?.['cpu'] === undefined) return { capacity };
  return { capacity: { ...capacity, cpu: String(capacity['cpu']) } };
}
