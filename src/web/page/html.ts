/** HTML templates that escape every inserted text, unless another template made it. */

/** Safe HTML, which only `html` makes. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Insert = string | number | Html | readonly Html[];

/** A template tag. Insert only into the text of an element or into an attribute value in double quotes. */
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
