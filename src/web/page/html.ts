/** Makes HTML out of texts that nobody vouches for: whatever is put into a template is escaped, unless a template made it. */

/** Text that is HTML already, and safe. Only `html` makes it. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Insert = string | number | Html | readonly Html[];

/** The only place for an insert is the text of an element, or an attribute's value in double quotes. */
export function html(strings: TemplateStringsArray, ...inserts: readonly Insert[]): Html {
  let text = strings[0] ?? '';
  for (const [index, insert] of inserts.entries()) text += written(insert) + (strings[index + 1] ?? '');
  return new Html(text);
}

function written(insert: Insert): string {
  if (insert instanceof Html) return insert.text;
  if (typeof insert === 'object') return insert.map(({ text }) => text).join('');
  return escaped(String(insert));
}

const SPECIAL = /[&<>"']/;

function escaped(text: string): string {
  return SPECIAL.test(text) ? text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`) : text;
}

export const NOTHING = new Html('');
