/** The check of the settings: mistakes, or settings that are valid but risky. */
import { CHECK_NAMES, type Finding, named, ok, skippedBy, warning, wrong } from './finding.ts';

/** Each mistake is a line that says what is allowed. With one nothing else can be checked. */
export function mistakesFound(lines: readonly string[]): readonly Finding[] {
  const others = CHECK_NAMES.filter((check) => check !== 'settings');
  return [
    ...lines.map((line) => named('settings', wrong(line, 'kube-register --help'))),
    ...others.map((check) => named(check, skippedBy('settings'))),
  ];
}

/** `warnings` are what the settings are warned of; `dryRun` is how that setting is spelled, where it is on. */
export function checkSettings(warnings: readonly string[], dryRun: string | undefined): readonly Finding[] {
  const lines =
    dryRun === undefined
      ? warnings
      : [...warnings, `${dryRun}=true: the daemon logs what it would do, and changes nothing`];
  if (lines.length === 0) return [named('settings', ok('valid'))];
  return lines.map((line) => {
    const setting = /^(--?[a-z-]+|KUBE_REGISTER_\w+)/.exec(line)?.[0] ?? '';
    return named('settings', warning(line, setting.startsWith('-') ? `leave out ${setting}` : `unset ${setting}`));
  });
}
