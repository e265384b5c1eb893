/** The check of what the operator set: the mistakes, or what is likely to be regretted. */
import { because, CHECK_NAMES, type Finding, named, ok, warning, wrong } from './finding.ts';

/** Each mistake is a line that says what is allowed. With one nothing else can be checked. */
export function mistakesFound(lines: readonly string[]): readonly Finding[] {
  const others = CHECK_NAMES.filter((check) => check !== 'settings');
  return [
    ...lines.map((line) => named('settings', wrong(line, 'kube-register --help'))),
    ...others.map((check) => named(check, because('settings'))),
  ];
}

/** `regrets` are what the settings are warned of; `dryRun` is how that setting is spelled, where it is on. */
export function checkSettings(regrets: readonly string[], dryRun: string | undefined): readonly Finding[] {
  const lines =
    dryRun === undefined ? regrets : [...regrets, `${dryRun}=true: the daemon says what it would do, and does nothing`];
  if (lines.length === 0) return [named('settings', ok('can be read, and go together'))];
  return lines.map((line) => {
    const setting = /^(--?[a-z-]+|KUBE_REGISTER_\w+)/.exec(line)?.[0] ?? '';
    return named('settings', warning(line, setting.startsWith('-') ? `leave out ${setting}` : `unset ${setting}`));
  });
}
