/** Reads what is in deploy/cluster/: units as systemd and fleet do, and cluster.env as systemd does. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);

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

/** The lines NAME=value. Throws when there is a line that systemd would not take for what it looks like. */
export function variablesOf(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [, name, value] = /^([A-Z_]+)=([^\s"'$]+)$/.exec(line) ?? [];
      if (name === undefined || value === undefined) throw new Error(`not NAME=value: ${line}`);
      return [name, value];
    }),
  );
}

/** The keys and values of a section of a unit, in their order, with continued lines joined. */
export function section(text: string, name: string): [string, string][] {
  const uncommented = text.replaceAll(/^[#;].*\n/gm, '').replaceAll(/\\\n\s*/g, '');
  const body = new RegExp(`^\\[${name}\\]\\n((?:(?!\\[).*\\n)*)`, 'm').exec(uncommented)?.[1] ?? '';
  const lines = body.split('\n').filter((line) => line !== '');
  return lines.map((line) => [line.replace(/=.*/s, ''), line.replace(/^[^=]*=/, '')]);
}

/** The values of a key of [Service], in their order. */
export function values(text: string, key: string): string[] {
  return section(text, 'Service').flatMap(([name, value]) => (name === key ? [value] : []));
}

/** The variables that are used as ${NAME}, comments apart. */
export function used(text: string): string[] {
  const names = [...text.replaceAll(/^ *#.*$/gm, '').matchAll(/(?<!\$)\$\{(\w+)\}/g)].map(([, name = '']) => name);
  return [...new Set(names)].sort();
}

/** How a variable is used. */
export function use(name: string): string {
  return `$\{${name}}`;
}

/** What cluster.env says. */
export const variables = variablesOf(ofCluster('cluster.env'));
