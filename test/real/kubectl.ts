/** kubectl as a person at a terminal uses it, with the administrator's rights. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import type { Servers } from './servers.ts';

const run = promisify(execFile);

/** A kubeconfig file for whoever has this token. */
export async function writeKubeconfig(servers: Servers, name: string, token: string): Promise<string> {
  const file = join(servers.folder, `${name}.kubeconfig`);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'real', cluster: { server: servers.url, 'certificate-authority': servers.authority.caFile } }],
    users: [{ name, user: { token } }],
    contexts: [{ name: 'there', context: { cluster: 'real', user: name } }],
    'current-context': 'there',
  };
  await writeFile(file, stringify(config), { mode: 0o600 });
  return file;
}

/** What it prints, by lines. The command is a line without quotes. Rejects when it fails. */
export type Kubectl = (command: string) => Promise<string[]>;

export async function kubectlFor(servers: Servers): Promise<Kubectl> {
  const kubeconfig = await writeKubeconfig(servers, 'administrator', servers.adminToken);
  // It keeps what it learns of a server in the home.
  const options = { env: { HOME: servers.folder, PATH: process.env['PATH'] ?? '' } };
  return async (command) => {
    const args = [`--kubeconfig=${kubeconfig}`, ...command.split(' ')];
    const { stdout } = await run(servers.programs.kubectl, args, options);
    return stdout.split('\n').filter((line) => line !== '');
  };
}
