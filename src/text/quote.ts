/** Shows a string that somebody else chose to a person, on one line and without surprises. */

/** More of a hostile string than this tells a person nothing new. */
const LONGEST = 64;

/**
 * The text in double quotes as JSON has it, cut at 64 characters. Everything that could move a cursor, end a line or
 * turn the reading direction is escaped: control and format characters, line separators, lone surrogates.
 */
export function quote(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return escapeControls(JSON.stringify(cut));
}

/**
 * JSON escapes only the controls below U+0020. Terminals obey others too (U+009B begins a command), and marks of writing
 * direction make a line read as another: all are escaped but the ends of lines, which changes nothing for who parses the JSON.
 */
export function escapeControls(json: string): string {
  return json.replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}

/** The text on one line of at most so many characters: control and format characters and runs of space become one space. */
export function onOneLine(text: string, longest: number): string {
  const line = text
    .slice(0, 2 * longest)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}
