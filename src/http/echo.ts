/** Takes a secret out of what a server sends back, however the server escaped it. */

/** Stands for the secret. */
const PIECE = '[token]';
/** Stands for a whole text in which the secret is escaped. */
const WHOLE = '(not shown: it holds the token)';
/** A shorter text is in many others by chance, as in names of nodes and keys of JSON. */
const SHORTEST = 6;
/** So many layers of escaping are looked under. */
const LAYERS = 8;

/**
 * JSON and its like (`\u0041`, `\x41`, `\101`, `\/`), percent-encoding and HTML, one character at a time. Hexadecimal may be in
 * either case.
 */
const ESCAPE =
  /\\u(?<json>[0-9a-f]{4})|(?:\\x|%)(?<byte>[0-9a-f]{2})|\\(?<octal>[0-7]{3})|&#x(?<hex>[0-9a-f]{1,6});?|&#(?<decimal>\d{1,7});?|&(?<name>quot|apos|amp|lt|gt);|\\(?<plain>["'\\/])/gi;
const NAMED: Readonly<Record<string, string>> = { quot: '"', apos: "'", amp: '&', lt: '<', gt: '>' };
/** What escapes consist of: where one of these is escaped, there is one layer more. */
const OF_ESCAPES = '0123456789abcdefABCDEFuxX#;%&\\';

/**
 * Returns what hides the secret in a text: as it is, as base64 (within a longer text too) and as hexadecimal it is replaced; a text in
 * which it is escaped is not shown at all.
 */
export function secretHider(secret: string): (text: string) => string {
  if (secret.length < SHORTEST) return (text) => text;
  const forms = [secret, ...encodings(secret)];
  const escapes = escapesOf(secret);
  return (text) => {
    const without = forms.reduce((rest, form) => rest.replaceAll(form, PIECE), text);
    return escapes.test(without) && holdsEscaped(without, forms) ? WHOLE : without;
  };
}

function holdsEscaped(text: string, forms: readonly string[]): boolean {
  let before = text;
  for (let layer = 0; layer < LAYERS; layer += 1) {
    const after = before.replace(ESCAPE, readEscape);
    if (after === before) return false;
    if (forms.some((form) => after.includes(form))) return true;
    before = after;
  }
  return false;
}

function readEscape(written: string, ...rest: readonly unknown[]): string {
  const { json, byte, octal, hex, decimal, name, plain }: Partial<Record<string, string>> = Object(rest.at(-1));
  if (plain !== undefined) return plain;
  if (name !== undefined) return NAMED[name.toLowerCase()] ?? written;
  const sixteen = json ?? byte ?? hex;
  const code =
    sixteen === undefined ? Number.parseInt(octal ?? decimal ?? '', octal ? 8 : 10) : Number.parseInt(sixteen, 16);
  // A token is visible ASCII.
  return code > 0x20 && code < 0x7f ? String.fromCharCode(code) : written;
}

/** Finds out fast that a text has no escape of a character of the secret: an answer may be long, and hardly any has one. */
function escapesOf(secret: string): RegExp {
  const characters = [...new Set(secret + OF_ESCAPES)];
  const hex = characters.map((character) => character.charCodeAt(0).toString(16)).join('|');
  const octal = characters.map((character) => character.charCodeAt(0).toString(8).padStart(3, '0')).join('|');
  const plain = characters.filter((character) => `"'\\/`.includes(character)).map((character) => `\\${character}`);
  const names = Object.keys(NAMED).filter((name) => characters.includes(NAMED[name] ?? ''));
  return new RegExp(
    `(?:\\\\u00|\\\\x|%)(?:${hex})|&(?:#|${names.join('|')};)|\\\\(?:${octal}|${plain.join('|')})`,
    'i',
  );
}

/** In base64 a text looks different by where it begins; only the characters that it alone decides are searched for. */
function encodings(secret: string): readonly string[] {
  const hex = Buffer.from(secret).toString('hex');
  const base64 = [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
    return bytes.toString('base64').slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6));
  });
  const base64url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  return [...new Set([hex, hex.toUpperCase(), ...base64, ...base64url])];
}
