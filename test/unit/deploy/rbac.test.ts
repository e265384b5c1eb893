/** deploy/rbac.yaml and its twin for v1.6 and v1.7 grant the same, and each names the API version that its servers have. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

const OBJECT = z.looseObject({ apiVersion: z.string(), kind: z.string() });

/** The objects of a file below deploy/. */
function objectsOf(file: string): readonly z.infer<typeof OBJECT>[] {
  const text = readFileSync(new URL(`../../../deploy/${file}`, import.meta.url), 'utf8');
  return z.array(OBJECT).parse(parseAllDocuments(text).map((document) => document.toJS()));
}

describe('the rights', () => {
  it.each([
    ['rbac.yaml', 'rbac.authorization.k8s.io/v1'],
    ['rbac-v1beta1.yaml', 'rbac.authorization.k8s.io/v1beta1'],
  ])('of %s are of %s', (file, apiVersion) => {
    const versions = objectsOf(file).map((object) => object.apiVersion);
    expect([...new Set(versions)]).toEqual(['v1', apiVersion]);
  });

  it('are the same in both', () => {
    const withoutVersion = (file: string) => objectsOf(file).map(({ apiVersion: _, ...rest }) => rest);
    expect(withoutVersion('rbac-v1beta1.yaml')).toEqual(withoutVersion('rbac.yaml'));
    expect(withoutVersion('rbac.yaml').map(({ kind }) => kind)).toContain('ClusterRole');
  });
});
