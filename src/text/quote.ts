/** Makes strings from other systems safe to show: on one line, without control characters. */

/** Longer strings are cut, in characters. */
const MAX_LENGTH = 64;

/**
 * Quotes a text as JSON does, cut at 64 characters. Whatever could move a cursor, end a line or change the reading direction is
 * escaped: control and format characters, line separators, lone surrogates.
 */
export function quote(text: string): string {
  const cut = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  return escapeControls(JSON.stringify(cut));
}

/** Most texts have nothing but this, which is found sooner than whether they have a control character. */
const SPECIAL = /[^\n -~]/;

/**
 * Escapes control and format characters in JSON, except line ends; a parser reads the same value. JSON itself escapes only those below
 * U+0020, but terminals obey others too (U+009B begins a command), and bidirectional marks reorder what a person reads.
 */
export function escapeControls(json: string): string {
  if (!SPECIAL.test(json)) return json;
  return json.replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}

/** The text in single quotes, as one word of a POSIX shell. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Puts a text on one line and cuts it at `maxLength` characters; control and format characters and runs of space become one space. */
export function onOneLine(text: string, maxLength: number): string {
  const line = text
    .slice(0, 2 * maxLength)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return line.length > maxLength ? `${line.slice(0, maxLength - 1)}…` : line;
}
