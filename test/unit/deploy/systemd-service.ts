/** What systemd makes of the values in [Service]: its quoting, its specifiers, its variables, and the files of an EnvironmentFile. */
import { type Option, valuesOf } from './fleet-unit.ts';

type Env = Readonly<Record<string, string>>;

const ESCAPES: Readonly<Record<string, string>> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', s: ' ' },
  ...{ '\\': '\\', '"': '"', "'": "'" },
};

/** The words of a value, without their quotes. Throws an Error where systemd 220 and later give the line up. */
export function wordsOf(value: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  const characters = [...value.replaceAll(/\\\n/g, ' ')];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? '';
    if (character === '\\') {
      const escaped = ESCAPES[characters[++at] ?? ''];
      if (escaped === undefined) throw new Error(`invalid escape in: ${value}`);
      word = (word ?? '') + escaped;
    } else if (character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) {
      quote = character;
      word ??= '';
    } else if (quote === '' && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + character;
  }
  if (quote !== '') throw new Error(`unbalanced quotes in: ${value}`);
  return word === undefined ? words : [...words, word];
}

/** Throws an Error for a specifier that is not the unit's name or a percent sign: what it comes to depends on the machine. */
function specified(word: string, name: string): string {
  const stem = name.replace(/\.[^.]*$/, '');
  const [prefix = '', instance = ''] = stem.split(/@(.*)/s, 2);
  const specifiers: Readonly<Record<string, string>> = { '%': '%', n: name, N: stem, p: prefix, i: instance };
  return word.replaceAll(/%(.?)/g, (whole, specifier: string) => {
    const value = specifiers[specifier];
    if (value === undefined) throw new Error(`the specifier ${whole} in: ${word}`);
    return value;
  });
}

export interface Command {
  /** A `-` before the path: its failure is none. */
  readonly mayFail: boolean;
  readonly argv: readonly string[];
}

/** A command line such as that of ExecStart, in this environment. Throws an Error where systemd would not take it. */
export function commandOf(value: string, name: string, env: Env): Command {
  const [first = '', ...rest] = wordsOf(value).map((word) => specified(word, name));
  const [, prefix = '', path = ''] = /^([-@+!:]*)(.*)$/s.exec(first) ?? [];
  if (!path.startsWith('/')) throw new Error(`${path} is no absolute path`);
  return { mayFail: prefix.includes('-'), argv: [path, ...rest.flatMap((word) => withVariables(word, env))] };
}

/** `$X` alone is split into words, `${X}` is not split, `$$` is a dollar. */
function withVariables(word: string, env: Env): readonly string[] {
  const alone = /^\$([A-Za-z_]\w*)$/.exec(word)?.[1];
  if (alone !== undefined) return (env[alone] ?? '').split(/\s+/).filter((part) => part !== '');
  return [
    word.replaceAll(/\$\$|\$\{([A-Za-z_]\w*)\}/g, (whole, variable: string) =>
      whole === '$$' ? '$' : (env[variable] ?? ''),
    ),
  ];
}

/** What the lines Environment= set. An empty line forgets those before it. */
export function environmentOf(options: readonly Option[], name: string): Env {
  let env: Env = {};
  for (const value of valuesOf(options, 'Service', 'Environment')) {
    const pairs = wordsOf(value).map((word) => specified(word, name).split(/=(.*)/s, 2));
    env = value === '' ? {} : { ...env, ...Object.fromEntries(pairs) };
  }
  return env;
}

/** The variables of a file for EnvironmentFile=, as systemd 240 and later read it: there is no % and no $, only quotes and backslashes. */
export function environmentFile(text: string): Env {
  const variables = new Map<string, string>();
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    at += found?.[0].length ?? 0;
    return found?.[1];
  };
  while (at < text.length) {
    take(/\s+|[#;](?:\\[\s\S]|[^\\\n])*/y);
    const key = take(/([^\s#;=][^=\n]*)=/y)?.trim();
    if (key !== undefined) variables.set(key, valueInFile(take));
    else take(/[^\s#;][^\n]*/y);
  }
  return Object.fromEntries([...variables].filter(([key]) => /^[A-Za-z_]\w*$/.test(key)));
}

/** Quotes count at the start and after other quotes; then comes what is not quoted, to the end of the line. */
function valueInFile(take: (pattern: RegExp) => string | undefined): string {
  let value = '';
  for (;;) {
    take(/[^\S\n]+/y);
    const single = take(/'([^']*)'/y);
    const double = single === undefined ? take(/"((?:\\[\s\S]|[^"\\])*)"/y) : undefined;
    if (single === undefined && double === undefined) break;
    value += single ?? double?.replaceAll(/\\(?:\n|(["\\`$]))/g, '$1') ?? '';
  }
  const parts = (take(/((?:\\[\s\S]|[^\\\n])*)/y) ?? '').match(/\\[\s\S]|\s+|[^\\\s]+/g) ?? [];
  if (/^\s/.test(parts.at(-1) ?? '')) parts.pop();
  return value + parts.map((part) => part.replace(/^\\\n?/, '')).join('');
}
