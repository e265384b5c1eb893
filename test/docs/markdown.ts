/** Pages in Markdown: tables, and the parts of a page that are generated. */

/** Finds a generated part: its name and what it holds. */
const PART = /^<!-- generated: (?<name>[\w -]+) -->\n(?<text>.*?)^<!-- end of generated -->$/gms;

/** One row of a table; a cell holds Markdown on one line. */
export type TableRow = readonly string[];

/** A table with this heading. */
export function table(heading: TableRow, rows: readonly TableRow[]): string {
  const lines = [heading, heading.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.map(cell).join(' | ')} |\n`).join('');
}

/** Text as code. */
export function code(text: string): string {
  return `\`${text}\``;
}

/** The names of the generated parts of a page, in their order. */
export function partsOf(page: string): string[] {
  return [...page.matchAll(PART)].map(({ groups }) => groups?.['name'] ?? '');
}

/**
 * The page with each generated part written anew; `write` gets the name of the part and its text. Throws where a part has a name
 * that `write` does not know.
 */
export function fill(page: string, write: (part: string, text: string) => string | undefined): string {
  return page.replaceAll(PART, (...args) => {
    const { name, text: old } = args.at(-1) as { name: string; text: string };
    const text = write(name, old.replace(/^\n|\n$/g, ''));
    if (text === undefined) throw new Error(`no generated part is called "${name}"`);
    return `<!-- generated: ${name} -->\n\n${text}\n<!-- end of generated -->`;
  });
}

/** A pipe would end the cell, and `<word>` would be a tag, except in code. */
function cell(text: string): string {
  const parts = text.split('`');
  return parts
    .map((part, index) => (index % 2 === 0 ? part.replaceAll('<', '\\<') : part))
    .join('`')
    .replaceAll('|', '\\|');
}
