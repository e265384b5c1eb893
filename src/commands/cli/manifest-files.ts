/** Reads the manifests that are shipped. `deploy/binary/bundle.ts` puts their contents into the bundle. */
import { readFileSync } from 'node:fs';

/** By file. */
export const MANIFEST_FILES: Readonly<Record<string, string>> = {
  'rbac.yaml': read('rbac.yaml'),
  'rbac-v1beta1.yaml': read('rbac-v1beta1.yaml'),
  'pod.yaml': read('pod.yaml'),
};

function read(name: string): string {
  return readFileSync(new URL(`../../../deploy/${name}`, import.meta.url), 'utf8');
}
