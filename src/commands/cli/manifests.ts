/** `kube-register manifests`: prints what is shipped for `kubectl apply -f -`. */

/** By name: what each is for. The file in deploy/ has the same name. */
const MANIFESTS = {
  rbac: 'the ServiceAccount of kube-register and its rights, for servers of v1.8 and later',
  'rbac-v1beta1': 'the same for servers of v1.6 and v1.7',
  pod: 'kube-register as a pod, for servers of v1.9 and later; apply rbac first',
} as const;

export type ManifestName = keyof typeof MANIFESTS;

export const manifestNames = Object.keys(MANIFESTS) as readonly ManifestName[];

/** The manifests one after the other; without a name, the list of all. No text ends with a line end. */
export async function manifestsText(names: readonly ManifestName[]): Promise<string> {
  if (names.length === 0) {
    const width = Math.max(...manifestNames.map((name) => name.length));
    return manifestNames.map((name) => `${name.padEnd(width)}  ${MANIFESTS[name]}`).join('\n');
  }
  // Loaded only here: nothing else needs the files.
  const { MANIFEST_FILES } = await import('./manifest-files.ts');
  return names.map((name) => (MANIFEST_FILES[`${name}.yaml`] ?? '').trimEnd()).join('\n---\n');
}
