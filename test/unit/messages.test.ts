/** Holds every message of the program in one file, messages.snap, so that a reviewer reads them in one sitting. */
import { readdirSync, readFileSync } from 'node:fs';
import { transformSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { parseAst } from 'vitest/node';

const SOURCE = new URL('../../src/', import.meta.url);

const HEADER = `Every message of the program: the strings of src that have two words or more, by file, in the order of the file.
What the program inserts is shown as …, the end of a line as ⏎. HTML tags are left out.
Read a change of this file as an operator would who has seen nothing else: what does it mean, and what is to be done?
To update it: npx vitest run --project unit test/unit/messages.test.ts -u`;

/** Has spaces, and is for programs: headers of HTTP, CSS, the names of statements. */
const FOR_PROGRAMS = [
  /^use strict$/,
  /^default-src /,
  /^\S+ '(none|self)'$/,
  /^(text|application|image)\/\S+; /,
  /^(User-Agent|Connection): \S+$/,
  /^Host: …:…$/,
  /^Authorization: Bearer …$/,
  /^Bearer …$/,
  /^GET … HTTP/,
  /^SYS:/,
  // The source of a regular expression.
  /^\^\(/,
];

type Tree = Readonly<Record<string, unknown>>;

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null;
}

interface Piece {
  /** The text, with `…` for each insert. */
  readonly text: string;
  /** What is inserted: it may hold messages of its own. */
  readonly inserts: readonly unknown[];
}

const INSERT = '…';

/** The text of a string, a template, or a sum of them; undefined for another expression. */
function pieceOf(tree: unknown): Piece | undefined {
  if (!isTree(tree)) return undefined;
  if (tree['type'] === 'Literal' && typeof tree['value'] === 'string') return { text: tree['value'], inserts: [] };
  if (tree['type'] === 'TemplateLiteral' && Array.isArray(tree['quasis']) && Array.isArray(tree['expressions'])) {
    const quasis = tree['quasis'].map((quasi: { value: { cooked: string } }) => quasi.value.cooked);
    return { text: quasis.join(INSERT), inserts: tree['expressions'] };
  }
  if (tree['type'] !== 'BinaryExpression' || tree['operator'] !== '+') return undefined;
  const sides = [tree['left'], tree['right']];
  const pieces = sides.map(pieceOf);
  if (pieces.every((piece) => piece === undefined)) return undefined;
  return {
    text: pieces.map((piece) => piece?.text ?? INSERT).join(''),
    inserts: pieces.flatMap((piece, index) => piece?.inserts ?? [sides[index]]),
  };
}

function* textsIn(tree: unknown): Iterable<string> {
  if (Array.isArray(tree)) {
    for (const branch of tree) yield* textsIn(branch);
    return;
  }
  if (!isTree(tree) || tree['type'] === 'ImportDeclaration') return;
  const piece = pieceOf(tree);
  if (piece !== undefined) {
    yield piece.text;
    yield* textsIn(piece.inserts);
    return;
  }
  for (const branch of Object.values(tree)) yield* textsIn(branch);
}

/** Two words, one of which may be an insert, with a space between them. */
function isMessage(text: string): boolean {
  const words = text.split(/\s+/).filter((word) => /\p{L}{2}|…/u.test(word));
  return words.length >= 2 && /\p{L}{2}/u.test(text) && !FOR_PROGRAMS.some((pattern) => pattern.test(text));
}

/** Templates of the page hold HTML; elsewhere `<key>` stands for a value. */
function withoutTags(text: string): string {
  return text.replace(/<\/?[a-z][^<>]*>/gi, ' ');
}

/** The messages of one file, each once, in the order of the source. */
function messagesIn(source: string, file = ''): readonly string[] {
  const program = parseAst(transformSync(source, { loader: 'ts' }).code);
  const texts = [...textsIn(program)];
  const messages = (file.startsWith('web/page/') ? texts.map(withoutTags) : texts).filter(isMessage);
  return [...new Set(messages.map((text) => text.trim().replace(/ *\n\s*/g, ' ⏎ ')))];
}

describe('the messages of the program', () => {
  it('are those of messages.snap; to update: npx vitest run --project unit test/unit/messages.test.ts -u', async () => {
    const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const parts = files.sort().flatMap((file) => {
      const messages = messagesIn(readFileSync(new URL(file, SOURCE), 'utf8'), file);
      return messages.length === 0 ? [] : [[`## ${file}`, ...messages].join('\n')];
    });
    expect(parts.length).toBeGreaterThan(50);
    await expect([HEADER, ...parts, ''].join('\n\n')).toMatchFileSnapshot('./messages.snap');
  });

  it('are found in strings, templates and sums, and not in imports, expressions, names or comments', () => {
    const insert = (expression: string) => ['$', '{', expression, '}'].join('');
    expect(messagesIn("import x from 'two words';")).toEqual([]);
    expect(messagesIn("const pattern = /two words/; // 'two words'")).toEqual([]);
    expect(messagesIn("const name = 'KUBE_REGISTER_LISTEN'; type Kind = 'two words';")).toEqual([]);
    expect(messagesIn("say('the node is gone');")).toEqual(['the node is gone']);
    expect(messagesIn("say('the node ' + name + ' is gone');")).toEqual(['the node … is gone']);
    expect(messagesIn(`say(\`node ${insert('a')}: ${insert("b ? 'it is gone' : 'late'")}\`);`)).toEqual([
      'node …: …',
      'it is gone',
    ]);
    expect(messagesIn("say('<p class=big>No machines</p>');", 'web/page/rows.ts')).toEqual(['No machines']);
  });
});
