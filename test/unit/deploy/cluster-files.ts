/** What is in deploy/cluster/, and the variables in it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { environmentFile } from './systemd-service.ts';

const root = new URL('../../../', import.meta.url);

/** The folder. */
export const CLUSTER = fileURLToPath(new URL('deploy/cluster/', root));

/** Where cluster.env is on a node. */
export const ENV_FILE = '/etc/kubernetes/cluster.env';

/** A file of the project, by its path from the top. */
export function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}

/** A file of the cluster, by its name. */
export function ofCluster(name: string): string {
  return read(`deploy/cluster/${name}`);
}

/** How a variable is used. */
export function use(name: string): string {
  return `$\{${name}}`;
}

/** The variables that are used so, comments apart, in order. */
export function used(text: string): string[] {
  const names = [...text.replaceAll(/^ *#.*$/gm, '').matchAll(/(?<!\$)\$\{(\w+)\}/g)].map(([, name = '']) => name);
  return [...new Set(names)].sort();
}

/** What cluster.env says. */
export const variables: ReadonlyMap<string, string> = new Map(
  Object.entries(environmentFile(ofCluster('cluster.env'))),
);
