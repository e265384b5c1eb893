/** The check of the settings: mistakes, or settings that are valid but risky. */
import { kubectlFileNote } from '../../settings/api-server.ts';
import type { Settings } from '../../settings/settings.ts';
import { type Finding, type Found, named, ok, warning } from './finding.ts';

/** A finding where the API server comes from a file of kubectl: the daemon does not read it. */
function checkKubectlFile({ api }: Pick<Settings, 'api'>): Found | undefined {
  const note = kubectlFileNote(api);
  if (note === undefined || api.kubeconfig === undefined) return undefined;
  return warning(`${note}, which the daemon does not read`, `KUBE_REGISTER_KUBECONFIG=${api.kubeconfig}`);
}

/** `warnings` are what the settings are warned of; `dryRun` is how that setting is spelled, where it is on. */
export function checkSettings(
  warnings: readonly string[],
  settings: Settings,
  dryRun: string | undefined,
): readonly Finding[] {
  const lines =
    dryRun === undefined
      ? warnings
      : [...warnings, `${dryRun}=true: the daemon logs what it would do, and changes nothing`];
  const kubectlFile = checkKubectlFile(settings);
  if (lines.length === 0 && kubectlFile === undefined) return [named('settings', ok('valid'))];
  const risky = lines.map((line) => {
    const setting = /^(--?[a-z-]+|KUBE_REGISTER_\w+)/.exec(line)?.[0] ?? '';
    return warning(line, setting.startsWith('-') ? `leave out ${setting}` : `unset ${setting}`);
  });
  return [...(kubectlFile === undefined ? [] : [kubectlFile]), ...risky].map((found) => named('settings', found));
}
