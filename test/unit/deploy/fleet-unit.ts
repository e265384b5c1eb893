/** A unit file as fleet 0.8 to 1.0 reads it: what fleet refuses, what it warns of, and what it takes and then ignores. */

/** The releases that test/recordings/fleet/unit-validation.json was made with. */
export const FLEETS = ['v0.8.3', 'v0.9.2', 'v0.11.8', 'v1.0.0'] as const;
export type Fleet = (typeof FLEETS)[number];

/** A line `key=value` below a `[section]`. A key that comes twice is two of them. */
export interface Option {
  readonly section: string;
  readonly key: string;
  readonly value: string;
}

/** What fleet does with a unit; each is empty when all is well. */
export interface Findings {
  /** In fleet's own words, as fleetctl and the API's 400 have them; the API does not see a syntax error, for it is given options. */
  readonly refusals: readonly string[];
  /** In the words of fleetctl, which starts the unit all the same. The API says nothing. */
  readonly warnings: readonly string[];
  /** In our words: what is taken without a word, and does not do what it says. */
  readonly silences: readonly string[];
}

/** Where fleet may put a unit, after %n, %N, %p and %i were replaced. */
export interface Placement {
  readonly machineOf: readonly string[];
  readonly machineId: string | undefined;
  /** `key=value`, those that count. */
  readonly machineMetadata: readonly string[];
  readonly conflicts: readonly string[];
  readonly replaces: readonly string[];
  readonly isGlobal: boolean;
}

/** systemd's LINE_MAX. */
const LINE_MAX = 2048;
const UNIT_TYPES = 'service socket busname target snapshot device mount automount swap timer path slice scope'.split(
  ' ',
);

/** Every spelling of every key; the recordings have all but X-ConditionMachineID and X-ConditionMachineBootID. */
const SPELLINGS = {
  MachineOf: ['X-ConditionMachineOf', 'MachineOf'],
  MachineMetadata: ['X-ConditionMachineMetadata', 'MachineMetadata'],
  MachineID: ['MachineID', 'X-ConditionMachineID', 'X-ConditionMachineBootID'],
  Conflicts: ['X-Conflicts', 'Conflicts'],
  Global: ['Global'],
  Replaces: ['Replaces'],
} as const;

/** From v0.11.6 on a continued value keeps its backslashes and line ends, and long lines are refused (coreos/fleet#1375). */
function keepsContinuations(fleet: Fleet): boolean {
  return fleet === 'v0.11.8' || fleet === 'v1.0.0';
}

/**
 * The options in the order of the file; go-systemd's `unit.Deserialize` is what fleet parses with. Comments are gone: of the file, this
 * is all that reaches systemd. Throws an Error in fleet's words.
 */
export function parse(text: string, fleet: Fleet = 'v1.0.0'): readonly Option[] {
  if (keepsContinuations(fleet) && text.split('\n').some((line) => Buffer.byteLength(line) >= LINE_MAX)) {
    throw new Error(`line too long (max ${LINE_MAX} bytes)`);
  }
  const options: Option[] = [];
  const rest = new Rest(text);
  let section: string | undefined;
  while (!rest.isEmpty()) {
    const first = rest.character();
    if (first === '[') section = readSection(rest);
    else if (first === '#' || first === ';') skipComment(rest);
    else if (section !== undefined && !/\s/.test(first)) options.push(readOption(first, rest, section, fleet));
  }
  return options;
}

/** What has not been read yet. */
class Rest {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  isEmpty(): boolean {
    return this.#at >= this.#text.length;
  }

  character(): string {
    return this.#text.charAt(this.#at++);
  }

  /** Up to the end, which is read too and left out; undefined when it never comes. */
  until(end: string): string | undefined {
    const found = this.#text.indexOf(end, this.#at);
    if (found < 0) return undefined;
    const read = this.#text.slice(this.#at, found);
    this.#at = found + end.length;
    return read;
  }

  line(): string {
    return this.until('\n') ?? this.all();
  }

  all(): string {
    const read = this.#text.slice(this.#at);
    this.#at = this.#text.length;
    return read;
  }
}

function readSection(rest: Rest): string {
  const section = rest.until(']');
  if (section === undefined) throw new Error('unable to find end of section');
  const garbage = rest.line().trim();
  if (garbage !== '') throw new Error(`found garbage after section name ${section}: ${garbage}`);
  return section;
}

function skipComment(rest: Rest): void {
  while (/\\ ?$/.test(rest.line())) if (rest.isEmpty()) return;
}

function readOption(first: string, rest: Rest, section: string, fleet: Fleet): Option {
  const key = rest.until('=');
  const unread = key ?? rest.all();
  if (/[\r\n]/.test(unread)) throw new Error('unexpected newline encountered while parsing option name');
  if (key === undefined) throw new Error('EOF');
  const value = keepsContinuations(fleet) ? continuedAsWritten(rest) : continuedAsOneLine(rest);
  return { section, key: (first + key).trim(), value: value.trim() };
}

function continuedAsOneLine(rest: Rest): string {
  let value = '';
  for (;;) {
    const line = rest.line();
    if (!line.endsWith('\\')) return value + line;
    value += `${line.slice(0, -1)} `;
  }
}

function continuedAsWritten(rest: Rest): string {
  let value = '';
  for (;;) {
    const line = rest.line();
    if (line.trim() === '') return value;
    value += line;
    if (!line.endsWith('\\')) return value;
    value += '\n';
  }
}

/** What fleet writes for systemd: nothing but the options, grouped by their sections. */
export function serialize(options: readonly Option[]): string {
  const sections = new Map<string, string[]>();
  for (const { section, key, value } of options) {
    sections.set(section, [...(sections.get(section) ?? []), `${key}=${value}`]);
  }
  return [...sections].map(([section, lines]) => [`[${section}]`, ...lines, ''].join('\n')).join('\n');
}

/** The values of a key, in the order of the file. */
export function valuesOf(options: readonly Option[], section: string, key: string): readonly string[] {
  return options.filter((option) => option.section === section && option.key === key).map(({ value }) => value);
}

/** The requirements of [X-Fleet] by their keys, as they are written. */
function requirementsOf(options: readonly Option[]): ReadonlyMap<string, readonly string[]> {
  const requirements = new Map<string, readonly string[]>();
  for (const { section, key, value } of options) {
    if (section === 'X-Fleet') requirements.set(key, [...(requirements.get(key) ?? []), ...severalValues(value)]);
  }
  return requirements;
}

/** `"a" "b"` is two values; what is not quoted at both of its ends is one, whatever is in it. */
function severalValues(value: string): readonly string[] {
  if (!value.startsWith('"') || !value.endsWith('"')) return [value];
  const values = [''];
  let isQuoted = false;
  for (const character of value) {
    if (character === '"') isQuoted = !isQuoted;
    else if (character === ' ' && !isQuoted) values.push('');
    else values.push((values.pop() ?? '') + character);
  }
  return values;
}

/** Where fleet may put the unit. Throws like `parse`. */
export function placementOf(name: string, text: string, fleet: Fleet = 'v1.0.0'): Placement {
  return placed(requirementsOf(parse(text, fleet)), fleet, (value) => replaced(value, name));
}

function placed(
  requirements: ReadonlyMap<string, readonly string[]>,
  fleet: Fleet,
  replace: (value: string) => string,
): Placement {
  const of = (key: keyof typeof SPELLINGS) =>
    SPELLINGS[key].flatMap((spelling) => requirements.get(spelling) ?? []).map(replace);
  const isNewest = fleet === 'v1.0.0';
  return {
    machineOf: of('MachineOf'),
    machineId: of('MachineID')[0],
    machineMetadata: of('MachineMetadata').filter(isPair),
    conflicts: isNewest ? of('Conflicts').flatMap((line) => line.split(/\s+/)) : of('Conflicts'),
    replaces: isNewest ? of('Replaces') : [],
    isGlobal: isTrue(of('Global').at(-1) ?? '', fleet),
  };
}

function isPair(value: string): boolean {
  const parts = value.split('=');
  return parts.length === 2 && parts.every((part) => part !== '');
}

function isTrue(value: string, fleet: Fleet): boolean {
  return (fleet === 'v1.0.0' ? ['true', 'yes', '1', 'on', 't'] : ['true']).includes(value.toLowerCase());
}

/** `kube-register@1.service` has the prefix kube-register and the instance 1. */
function replaced(value: string, name: string): string {
  const stem = name.slice(0, name.lastIndexOf('.'));
  const [prefix = '', ...instance] = stem.split('@');
  return value
    .replaceAll('%n', name)
    .replaceAll('%N', stem)
    .replaceAll('%p', prefix)
    .replaceAll('%i', instance.join('@'));
}

/** What these releases of fleet do with the unit; the findings of all of them, each once. */
export function validateForFleet(name: string, text: string, fleets: readonly Fleet[] = FLEETS): Findings {
  const each = fleets.map((fleet) => validateFor(fleet, name, text));
  const all = (kind: keyof Findings) => [...new Set(each.flatMap((findings) => findings[kind]))];
  return { refusals: all('refusals'), warnings: all('warnings'), silences: all('silences') };
}

function validateFor(fleet: Fleet, name: string, text: string): Findings {
  let options: readonly Option[];
  try {
    options = parse(text, fleet);
  } catch (error) {
    return { refusals: [String(error).replace('Error: ', '')], warnings: [], silences: [] };
  }
  const requirements = requirementsOf(options);
  // fleet judges what is written before it replaces anything.
  const refusal = wrongName(name) ?? contradiction(placed(requirements, fleet, String), fleet);
  if (refusal !== undefined) return { refusals: [refusal], warnings: [], silences: [] };
  const known = Object.entries(SPELLINGS).flatMap(([key, spellings]): readonly string[] =>
    key === 'Replaces' && fleet !== 'v1.0.0' ? [] : spellings,
  );
  const unknown = [...requirements.keys()].filter((key) => !known.includes(key));
  return {
    refusals: [],
    warnings: unknown.map((key) => `unrecognized requirement in [X-Fleet] section: "${key}"`),
    silences: [...silencesOf(requirements, name, fleet), ...silencesOfText(text, options, fleet)],
  };
}

function wrongName(name: string): string | undefined {
  const dot = name.lastIndexOf('.');
  if (name === '') return 'unit name cannot be empty';
  if (Buffer.byteLength(name) > 256) return 'unit name exceeds maximum length (256)';
  if (dot < 0) return 'unit name must contain "."';
  if (dot === name.length - 1) return 'unit name cannot end in "."';
  const type = name.slice(dot + 1);
  if (!UNIT_TYPES.includes(type)) return `invalid unit type: "${type}"`;
  const wrong = /[^0-9A-Za-z:\-_.\\@]/u.exec(name.slice(0, dot))?.[0];
  if (wrong !== undefined) return `invalid character '${wrong}' in unit name`;
  return name.startsWith('@') ? 'unit name cannot start in "@"' : undefined;
}

/** Requirements that cannot go together; fleet tells the first. */
function contradiction(placement: Placement, fleet: Fleet): string | undefined {
  const { machineOf, conflicts, isGlobal } = placement;
  for (const peer of machineOf) {
    const conflict = conflicts.find((glob) => matches(glob, peer));
    if (conflict !== undefined) return `unresolvable requirements: peer "${peer}" matches conflict "${conflict}"`;
  }
  const has = {
    MachineID: placement.machineId !== undefined,
    Peers: machineOf.length > 0,
    Conflicts: conflicts.length > 0,
    Global: isGlobal,
    Replaces: placement.replaces.length > 0,
  };
  const enemies: [keyof typeof has, keyof typeof has][] = [
    ['MachineID', 'Peers'],
    ['MachineID', 'Conflicts'],
    ['MachineID', 'Global'],
    ['Global', 'Peers'],
    fleet === 'v1.0.0' ? ['Global', 'Replaces'] : ['Global', 'Conflicts'],
    ['Conflicts', 'Replaces'],
  ];
  const [one, other] = enemies.find(([a, b]) => has[a] && has[b]) ?? [];
  return one && `${one} cannot be used with ${other}`;
}

/** Go's `path.Match`, where no name has a slash. */
function matches(glob: string, name: string): boolean {
  const pattern = glob.replaceAll(/\[\^?[^\]]+\]|[\s\S]/g, (part) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    return part.length > 1 ? part : part.replace(/[\\^$.|+()[\]{}]/, '\\$&');
  });
  return new RegExp(`^${pattern}$`).test(name);
}

function* silencesOf(
  requirements: ReadonlyMap<string, readonly string[]>,
  name: string,
  fleet: Fleet,
): Iterable<string> {
  for (const [key, values] of requirements) {
    const isOne = (of: keyof typeof SPELLINGS) => SPELLINGS[of].some((spelling) => spelling === key);
    for (const value of values.map((text) => replaced(text, name))) {
      const line = `${key}=${value}`;
      if (isOne('MachineOf') && wrongName(value) !== undefined) yield `${line} is no name of a unit: never scheduled`;
      if (isOne('MachineMetadata') && !isPair(value)) yield `${line} is no key=value: ignored`;
      if (isOne('Global') && isTrue(value, 'v1.0.0') && !isTrue(value, fleet))
        yield `${line} is not global in ${fleet}`;
      if (isOne('Conflicts') && /\s/.test(value) && fleet !== 'v1.0.0') yield `${line} is one glob in ${fleet}`;
    }
  }
}

function* silencesOfText(text: string, options: readonly Option[], fleet: Fleet): Iterable<string> {
  for (const section of new Set(options.map((option) => option.section))) {
    if (/^(x-)?fleet$/i.test(section) && section !== 'X-Fleet') yield `[${section}] is not [X-Fleet]: ignored`;
  }
  if (/^\s*[#;].*\\ ?$/m.test(text)) yield 'a comment that ends in a backslash takes the next line with it';
  if (/^\s*[^#;\s].*\\\n\s*[#;]/m.test(text)) yield 'a comment within a continued value is part of it';
  if (keepsContinuations(fleet)) return;
  for (const { key, value } of options) {
    const length = Buffer.byteLength(`${key}=${value}`);
    if (length >= LINE_MAX) yield `${key} is one line of ${length} bytes in ${fleet}: systemd cuts it at ${LINE_MAX}`;
  }
}
