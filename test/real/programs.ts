/** The programs that the tests need, and where they are on this machine. */
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

type Name = 'etcd' | 'kube-apiserver' | 'kubectl' | 'openssl' | 'prometheus' | 'promtool' | 'systemd-analyze';

/** The path of each program. */
export type Programs = Readonly<Record<Name, string>>;

/**
 * The servers in KUBEBUILDER_ASSETS where that is set, else those that `test/real/setup` left in the cache; kubectl from there or
 * from the PATH; Prometheus from the cache or from the PATH. Throws an Error that names all that is missing and how to get it.
 */
export function findPrograms(): Programs {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  const folder = assets || cacheFolder('kubernetes-1.20');
  const prometheusFolder = cacheFolder('prometheus');
  const path = (process.env['PATH'] ?? '').split(delimiter);
  const missing: Name[] = [];
  const find = (name: Name, places: readonly string[]): string => {
    const found = places.map((place) => join(place, name)).find(isProgram);
    if (found === undefined) missing.push(name);
    return found ?? name;
  };
  const programs: Programs = {
    etcd: find('etcd', [folder]),
    'kube-apiserver': find('kube-apiserver', [folder]),
    kubectl: find('kubectl', [folder, ...path]),
    openssl: find('openssl', path),
    prometheus: find('prometheus', [prometheusFolder, ...path]),
    promtool: find('promtool', [prometheusFolder, ...path]),
    'systemd-analyze': find('systemd-analyze', path),
  };
  if (missing.length > 0) {
    const advice = assets
      ? 'put them there, or run `npm run test:real:setup`, for the servers without KUBEBUILDER_ASSETS'
      : 'run `npm run test:real:setup` (about 10 minutes), or let KUBEBUILDER_ASSETS name a folder that has them';
    throw new Error(
      `test:real needs programs that are missing: ${missing.join(', ')} ` +
        `(the servers are looked for in ${folder}, kubectl there and in the PATH, prometheus and promtool in ${prometheusFolder} ` +
        `and in the PATH, the others in the PATH); ${advice}`,
    );
  }
  return programs;
}

/** As in `test/real/setup`. */
function cacheFolder(name: string): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kube-register', name);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
