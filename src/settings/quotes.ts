/** Finds quotation marks around a value, which a shell would have removed. */
import type { SettingName } from './table.ts';

const AT_AN_EDGE = /(^|[,=(:\s])["']|["']($|[,)\s])/;
const AROUND_A_WORD = /(^|[,=(\s])(?<mark>["']).*?\k<mark>($|[,)\s])/;

/** What is wrong, or undefined. Only metadata may have a quotation mark of its own: in a value, not around one. */
export function quotesProblem(name: SettingName, text: string): string | undefined {
  const pattern = name === 'METADATA' ? AROUND_A_WORD : AT_AN_EDGE;
  return pattern.test(text)
    ? 'contains quotation marks, which docker --env-file does not remove: write the value without them'
    : undefined;
}
