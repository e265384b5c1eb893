/** Bounds how deep a JSON text is nested: each level costs the parser some 80 bytes of memory for one byte of text. */

/** Objects of Kubernetes and fleet have about ten levels. */
export const MOST_LEVELS = 100;
/** Shorter texts are parsed without a check. */
const HARMLESS_LENGTH = 256 * 1024;

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
/** `[` and `{` differ in one bit, and so do `]` and `}`. */
const [OPENING, CLOSING, EITHER] = [0x7b, 0x7d, 0x20];

/** As JSON.parse, which it is for texts of the usual depth. Throws SyntaxError for deeper ones too. */
export function parseNested(text: string): unknown {
  if (text.length > HARMLESS_LENGTH && isDeeper(text, MOST_LEVELS)) {
    throw new SyntaxError(`JSON with more than ${MOST_LEVELS} levels of nesting`);
  }
  return JSON.parse(text);
}

/** Whether more than `most` brackets are open at once, outside of strings. */
export function isDeeper(text: string, most: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
      if (at === -1) return false;
    } else if ((code | EITHER) === OPENING) {
      depth += 1;
      if (depth > most) return true;
    } else if ((code | EITHER) === CLOSING) depth -= 1;
  }
  return false;
}

/** The index of the quote that ends the string which begins at `start`; -1 where none does. */
function endOfString(text: string, start: number): number {
  let at = text.indexOf('"', start + 1);
  while (at !== -1 && isEscaped(text, at)) at = text.indexOf('"', at + 1);
  return at;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}
