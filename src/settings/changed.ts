/** The settings that differ from their defaults, as the log shows them at start. */
import { mayBeSecret, NOT_SHOWN } from '../credentials/secret.ts';
import { onOneLine } from '../text/quote.ts';
import type { GivenSettings } from './given.ts';
import { rowOf, type SettingName, settingNames } from './table.ts';

/** A list of URLs is longer than most values. */
const LONGEST = 300;

/** The texts by name, in the order of the table. Secrets are files, of which this has the paths; what may be a secret itself is not shown. */
export function changedSettings(given: GivenSettings): ReadonlyMap<SettingName, string> {
  const changed = new Map<SettingName, string>();
  for (const name of settingNames) {
    const text = given.get(name)?.text;
    if (text === undefined || text === rowOf(name).default) continue;
    changed.set(name, mayBeSecret(text) ? NOT_SHOWN : onOneLine(text, LONGEST));
  }
  return changed;
}
