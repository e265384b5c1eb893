/** `check --unit`: the settings that a systemd or fleet unit gives to the daemon, and the line on which each is set. */
import { readFileSync } from 'node:fs';
import { whyUnreadable } from '../../credentials/credential-file.ts';
import { ENV_PREFIX } from '../../settings/table.ts';
import { quote } from '../../text/quote.ts';
import { type Assignment, readEnvironmentFile } from './environment-file.ts';

/** The environment of the daemon, where each of its settings is set, and the flags of its command line. */
export interface UnitSettings {
  readonly env: Readonly<Record<string, string>>;
  /** By variable: `/etc/kube-register.env:3`. */
  readonly places: ReadonlyMap<string, string>;
  readonly flags: readonly string[];
  /** The line of the command line, where that has flags. */
  readonly flagsPlace: string | undefined;
  /** What a new setting is written into. */
  readonly file: string;
}

/** A unit, or a file that it names, cannot be read or is not understood. */
export class UnitError extends Error {
  override readonly name = 'UnitError';
}

/** A mistake in a setting, with the line on which that is set before it. */
export function placed(mistake: string, { places, flags, flagsPlace }: UnitSettings): string {
  const [name = ''] = new RegExp(`^(--?[\\w-]+|${ENV_PREFIX}\\w+)`).exec(mistake) ?? [];
  const isFlag = flags.some((word) => word.split('=')[0] === name);
  const place = isFlag ? flagsPlace : places.get(name);
  return place === undefined ? mistake : `${place}: ${mistake}`;
}

interface Entry {
  readonly key: string;
  readonly value: string;
  readonly file: string;
  readonly line: number;
}

const STANDARD_INPUT = 'the standard input';

/** Reads the unit at this path, `-` for the standard input, and its environment files. Throws UnitError. */
export function readUnit(path: string): UnitSettings {
  const name = path === '-' ? STANDARD_INPUT : path;
  const entries = serviceEntries(readText(path === '-' ? 0 : path, name), name);
  if (entries.length === 0) throw new UnitError(`--unit: ${quote(name)} has no section [Service]: it is no unit`);
  const assignments = [...inUnit(entries), ...inFiles(entries)];
  const places = new Map(assignments.map(({ name: variable, place }) => [variable, place]));
  const env = Object.fromEntries(assignments.map(({ name: variable, value }) => [variable, value]));
  return { env, places, ...flagsOf(entries, env), file: entries.at(-1)?.file ?? name };
}

function readText(source: string | 0, name: string): string {
  try {
    return readFileSync(source, 'utf8');
  } catch (error) {
    throw new UnitError(`--unit: ${quote(name)}: ${whyUnreadable(error)}`);
  }
}

/** What stands in the sections [Service]. `systemctl cat` writes the path of each file before it. */
function serviceEntries(text: string, name: string): readonly Entry[] {
  const entries: Entry[] = [];
  const lines = text.split('\n');
  let [file, first, section] = [name, 0, ''];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at]?.trim() ?? '';
    const header = name === STANDARD_INPUT ? headerAt(lines, at) : undefined;
    if (header !== undefined) [file, first] = [header, at + 1];
    if (/^[#;]|^$/.test(line)) continue;
    section = /^\[(.+)\]$/.exec(line)?.[1] ?? section;
    const start = at;
    let whole = line;
    while (whole.endsWith('\\') && at + 1 < lines.length) {
      at += 1;
      const next = lines[at]?.trim() ?? '';
      if (!/^[#;]/.test(next)) whole = `${whole.slice(0, -1)} ${next}`;
    }
    const { key, value } = /^(?<key>\w+)\s*=\s*(?<value>.*)$/s.exec(whole)?.groups ?? {};
    if (section === 'Service' && key !== undefined)
      entries.push({ key, value: value ?? '', file, line: start + 1 - first });
  }
  return entries;
}

/** The path in a comment before a section; another comment may have a path, too. */
function headerAt(lines: readonly string[], at: number): string | undefined {
  const path = /^# (\/\S+)\s*$/.exec(lines[at] ?? '')?.[1];
  if (path === undefined) return undefined;
  const next = lines.slice(at + 1).find((line) => !/^\s*([#;]|$)/.test(line));
  return next?.trim().startsWith('[') === true ? path : undefined;
}

interface Placed extends Pick<Assignment, 'name' | 'value'> {
  readonly place: string;
}

/** An empty Environment= takes back those before it. */
function inUnit(entries: readonly Entry[]): readonly Placed[] {
  let found: Placed[] = [];
  for (const { key, value, file, line } of entries) {
    if (key !== 'Environment') continue;
    if (value === '') found = [];
    for (const word of wordsOf(value)) {
      const [, name, text] = /^([^=]+)=(.*)$/s.exec(word) ?? [];
      if (name === undefined || text === undefined) continue;
      const isSetting = name.startsWith(ENV_PREFIX);
      const place = `${file}:${line}`;
      found.push({ name, value: isSetting ? withoutSpecifiers(text, place) : text.replaceAll('%%', '%'), place });
    }
  }
  return found;
}

/** These win over Environment=. A file with a dash before its path may be missing. */
function inFiles(entries: readonly Entry[]): readonly Placed[] {
  let found: Placed[] = [];
  for (const { key, value, file, line } of entries) {
    if (key !== 'EnvironmentFile') continue;
    if (value === '') found = [];
    const path = value.replace(/^-/, '');
    if (path === '') continue;
    if (/[*?[%]/.test(path))
      throw new UnitError(
        `--unit: ${file}:${line}: EnvironmentFile=${quote(path)}: patterns and specifiers are not read`,
      );
    const text = textOfFile(path, value.startsWith('-'), `${file}:${line}`);
    for (const { name, value: set, line: at } of readEnvironmentFile(text))
      found.push({ name, value: set, place: `${path}:${at}` });
  }
  return found;
}

function textOfFile(path: string, mayBeMissing: boolean, place: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isMissing && mayBeMissing) return '';
    throw new UnitError(`--unit: ${place}: ${quote(path)}: ${whyUnreadable(error)}`);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', s: ' ' };

/** Words as systemd splits them: blanks between them, quotes around them or parts of them, escapes as in C. */
function wordsOf(text: string): readonly string[] {
  const words = text.matchAll(/(?:\\.|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s"'\\])+/gs);
  return [...words].map(([word]) =>
    word
      .replace(
        /"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'/gs,
        (_, double?: string, single?: string) => double ?? single ?? '',
      )
      .replace(/\\(.)/gs, (_, character: string) => ESCAPES[character] ?? character),
  );
}

/** The text with `%%` as `%`. Throws UnitError where systemd would put something else in the place of a specifier. */
function withoutSpecifiers(text: string, place: string): string {
  const specifier = /%(?!%)./.exec(text.replaceAll('%%', ''))?.[0];
  if (specifier !== undefined)
    throw new UnitError(`--unit: ${place}: the specifier ${quote(specifier)} is not read; write its value`);
  return text.replaceAll('%%', '%');
}

/** What follows the program on its command line; with a shell or another program around it, nothing can be said. */
function flagsOf(entries: readonly Entry[], env: UnitSettings['env']): Pick<UnitSettings, 'flags' | 'flagsPlace'> {
  const line = entries.findLast(({ key, value }) => key === 'ExecStart' && value !== '');
  const [program = '', ...words] = wordsOf(line?.value ?? '');
  if (line === undefined || !/(^|\/)kube-register$/.test(program.replace(/^[-@:+!]+/, '')))
    return { flags: [], flagsPlace: undefined };
  const flagsPlace = `${line.file}:${line.line}`;
  return { flags: words.flatMap((word) => withVariables(withoutSpecifiers(word, flagsPlace), env)), flagsPlace };
}

/** As systemd: `${NAME}` is the value in its place, `$NAME` alone is the words of the value, and `$$` is `$`. */
function withVariables(word: string, env: UnitSettings['env']): readonly string[] {
  const alone = /^\$(\w+)$/.exec(word)?.[1];
  if (alone !== undefined) return wordsOf(env[alone] ?? '');
  return [word.replace(/\$(?:\$|\{(\w+)\})/g, (_, name?: string) => (name === undefined ? '$' : (env[name] ?? '')))];
}
