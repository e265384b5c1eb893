/** Reads the command, its arguments and its flags; the other arguments are flags of settings. */
import { quoteUnlessSecret } from '../../credentials/secret.ts';
import { asSettingName, FLAG, settingOfFlag, shownName, takesNext } from '../../settings/given.ts';
import { nearMiss } from '../../settings/near-miss.ts';
import { flagName, settingNames } from '../../settings/table.ts';
import { inWords } from '../../text/names.ts';
import type { Command, OutputFormat } from './command.ts';
import {
  type CommandName,
  commandNames,
  commandRow,
  DAEMON_ROW,
  type Flag,
  isCommandName,
  TOPICS,
  type Topic,
} from './commands.ts';
import { daemonUrl, selectorOf, valueProblem, verdictList } from './flag-values.ts';
import { manifestNames } from './manifests.ts';

export interface CommandLine {
  readonly command: Command;
  /** Flags of settings, to be read by readSettings. */
  readonly rest: readonly string[];
  /** One line each. */
  readonly mistakes: readonly string[];
}

/** The command is the first argument. Own code, because no parser of flags reads `-api-endpoint`, as the Go program has it, for --api-endpoint. */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const [first, ...others] = argv;
  if (first === undefined || first.startsWith('-')) return readDaemon(argv);
  // People who know other programs ask so.
  if (first === 'version') return { command: { name: 'version' }, rest: [], mistakes: [] };
  if (isCommandName(first)) return readCommand(first, others);
  const near = nearCommand(first);
  // Another word may be a value whose flag was forgotten.
  if (near === undefined && !/^[a-z]+$/.test(first)) return readDaemon(argv);
  const advice = near === undefined ? 'see kube-register --help' : `did you mean ${near}?`;
  const mistake = `${quoteUnlessSecret(first)}: unknown command; ${advice}`;
  return { command: { name: 'daemon' }, rest: [], mistakes: [mistake] };
}

function nearCommand(word: string): CommandName | undefined {
  const near = nearMiss(word, commandNames);
  const longer = word === '' ? [] : commandNames.filter((name) => name.startsWith(word));
  return commandNames.find((name) => name === near) ?? (longer.length === 1 ? longer[0] : undefined);
}

/** What is neither a flag of a command nor the name of one is left to readSettings, which reports it. */
function readDaemon(argv: readonly string[]): CommandLine {
  const { asked, rest, mistakes, others, words } = scan(argv, undefined);
  if (asked === 'help') return helpOn(undefined);
  if (asked === 'version') return { command: { name: 'version' }, rest: [], mistakes: [] };
  return {
    command: { name: 'daemon' },
    rest,
    mistakes: [
      ...mistakes,
      ...words.map((word) => `${word}: a command comes before its flags: kube-register ${word}`),
      ...others.map((flag) => `${shownName(flag)}: the daemon has no such flag, but ${takersOf(flag)}`),
    ],
  };
}

function readCommand(name: CommandName, argv: readonly string[]): CommandLine {
  const { asked, rest, mistakes, own, others, words } = scan(argv, name);
  if (asked === 'help') return helpOn(name);
  if (asked === 'version') return { command: { name: 'version' }, rest: [], mistakes: [] };
  const { command, problem } = commandOf(name, own, words);
  return {
    command,
    rest,
    mistakes: [
      ...mistakes,
      ...others.map((flag) => `${shownName(flag)}: ${unknownFlag(name, flag)}`),
      ...(problem === undefined ? [] : [`${name}: ${problem}`]),
    ],
  };
}

function helpOn(topic: Topic | undefined): CommandLine {
  return { command: { name: 'help', topic }, rest: [], mistakes: [] };
}

interface Scan {
  asked: 'help' | 'version' | undefined;
  /** Values of the command's own flags; a switch has an empty one. */
  readonly own: Map<string, string>;
  readonly rest: string[];
  /** Arguments that are neither flags nor values of them; for the daemon only names of commands. */
  readonly words: string[];
  /** Flags that the command does not take, as they were written. */
  readonly others: string[];
  readonly mistakes: string[];
}

/** Sorts the arguments by what they are. `name` is undefined for the daemon. */
function scan(argv: readonly string[], name: CommandName | undefined): Scan {
  const row = name === undefined ? DAEMON_ROW : commandRow(name);
  const found: Scan = { asked: undefined, own: new Map(), rest: [], words: [], others: [], mistakes: [] };
  const queue = [...argv];
  for (let argument = queue.shift(); argument !== undefined; argument = queue.shift()) {
    const {
      written = '',
      name: flag = '',
      value,
    } = (argument === '--' ? undefined : FLAG.exec(argument)?.groups) ?? {};
    const question = questionOf(flag);
    const own = name === undefined ? undefined : row.flags.find((one) => isCalled(one, flag));
    const setting = row.takesSettings ? settingOfFlag(flag) : undefined;
    if (written === '') (name === undefined && !isCommandName(argument) ? found.rest : found.words).push(argument);
    else if (question !== undefined && value === undefined) found.asked = found.asked === 'help' ? 'help' : question;
    else if (question !== undefined) found.mistakes.push(`${written}: takes no value`);
    else if (own !== undefined) take(found, own, { written, value }, queue);
    else if (setting !== undefined) {
      found.rest.push(argument);
      if (value === undefined && takesNext(setting, queue[0])) found.rest.push(queue.shift() ?? '');
    } else {
      const known = flagsCalled(flag)[0]?.flag;
      if (name !== undefined || known !== undefined) found.others.push(written);
      else found.rest.push(argument);
      // What follows is most likely its value. It is not a mistake of its own, and may be a secret.
      const hasValue = value === undefined && known?.value !== undefined;
      if ((hasValue || (known === undefined && value === undefined)) && queue[0]?.startsWith('-') === false) {
        const next = queue.shift() ?? '';
        if (name === undefined && known === undefined) found.rest.push(next);
      }
    }
  }
  return found;
}

function questionOf(flag: string): 'help' | 'version' | undefined {
  if (flag === 'h' || flag === 'help') return 'help';
  return flag === 'version' ? 'version' : undefined;
}

const TWICE = 'is given twice, with different values';

/** Puts one flag of the command where it belongs, or says what is wrong with it. */
function take(
  { own, mistakes }: Scan,
  flag: Flag,
  { written, value: given }: { readonly written: string; readonly value: string | undefined },
  queue: string[],
): void {
  if (flag.value === undefined) {
    if (given === undefined) own.set(flag.long, '');
    else mistakes.push(`${written}: takes no value`);
    return;
  }
  const isNext = queue[0] !== undefined && (queue[0] === '-' || !queue[0].startsWith('-'));
  const value = given ?? (isNext ? queue.shift() : undefined);
  const problem = value === undefined ? 'needs a value' : valueProblem(flag, value);
  const before = own.get(flag.long);
  if (value === undefined || problem !== undefined) mistakes.push(`${written}: ${problem}`);
  else if (before === undefined || before === value) own.set(flag.long, value);
  else if (flag.long === 'verdict') own.set(flag.long, `${before},${value}`);
  else mistakes.push(`${written}: ${TWICE}`);
}

function isCalled({ long, short }: Flag, name: string): boolean {
  return name === long || name === short;
}

/** Every command with a flag of this name. */
function flagsCalled(name: string): readonly { readonly command: CommandName; readonly flag: Flag }[] {
  return commandNames.flatMap((command) =>
    commandRow(command)
      .flags.filter((flag) => isCalled(flag, name))
      .map((flag) => ({ command, flag })),
  );
}

/** `status and explain have`. */
function takersOf(written: string): string {
  const takers = flagsCalled(withoutDashes(written)).map(({ command }) => command);
  return `${inWords(takers, 'and')} ${takers.length === 1 ? 'has' : 'have'} it`;
}

/** What the command says of a flag that it does not take. */
function unknownFlag(name: CommandName, written: string): string {
  const { flags, takesSettings } = commandRow(name);
  const flag = withoutDashes(written);
  const see = `see kube-register ${name} --help`;
  const near = nearFlag(flag, flags, takesSettings);
  const isElsewhere = flagsCalled(flag).length > 0;
  if (near !== undefined && !isElsewhere) return `unknown flag; did you mean ${near}?`;
  const elsewhere = isElsewhere ? `, but ${takersOf(written)}` : '';
  const names = flags.map(({ long, short }) => (short === undefined ? `--${long}` : `-${short}, --${long}`));
  const all = [...names, ...(takesSettings ? ['the settings'] : [])];
  const takes = all.length === 0 ? `${name} takes none` : `${name} takes ${inWords(all, 'and')}`;
  return `${name} has no such flag${elsewhere}; ${takes}: ${see}`;
}

function nearFlag(flag: string, flags: readonly Flag[], takesSettings: boolean): string | undefined {
  const names = [...flags.map(({ long }) => long), 'help', ...(takesSettings ? settingNames : [])].map(asSettingName);
  const near = nearMiss(asSettingName(flag), names);
  return near === undefined ? undefined : flagName(near);
}

function withoutDashes(written: string): string {
  return written.replace(/^--?/, '');
}

interface Built {
  readonly command: Command;
  readonly problem: string | undefined;
}

function commandOf(name: CommandName, own: ReadonlyMap<string, string>, words: readonly string[]): Built {
  const daemon = daemonUrl(own.get('daemon') ?? '');
  const asks = daemon === undefined ? {} : { daemon };
  const output = own.get('output') as OutputFormat | undefined;
  switch (name) {
    case 'check':
      return none({ name, output: output === 'json' ? 'json' : 'text', unit: own.get('unit') }, words);
    case 'plan':
      return none({ name, output: output ?? 'text' }, words);
    case 'status': {
      const verdict = own.get('verdict');
      const filter = {
        names: words,
        verdicts: verdict === undefined ? [] : verdictList(verdict),
        trouble: own.has('trouble'),
        selector: selectorOf(own.get('selector')),
      };
      const isEmpty = words.includes('');
      const command = { name, output: output ?? 'text', watch: own.has('watch'), ...filter, ...asks };
      return { command, problem: isEmpty ? 'a name is empty' : undefined };
    }
    case 'explain': {
      const [subject = ''] = words;
      const format = output === 'json' || output === 'yaml' ? output : 'text';
      const missing = 'needs a machine ID, a node name or an address, as in: explain 10.0.0.7';
      const problem = subject === '' ? missing : tooMany(words, 1);
      return { command: { name, output: format, subject, ...asks }, problem };
    }
    default:
      return offlineCommand(name, words);
  }
}

/** The commands that need neither settings nor servers. */
function offlineCommand(name: 'manifests' | 'completion' | 'help', words: readonly string[]): Built {
  const [word] = words;
  if (name === 'manifests') {
    const manifests = words.flatMap((one) => manifestNames.find((known) => known === one) ?? []);
    const unknown = words.find((one) => !manifestNames.some((known) => known === one));
    const problem =
      unknown === undefined
        ? undefined
        : `no manifest ${quoteUnlessSecret(unknown)}; there are ${inWords(manifestNames, 'and')}`;
    return { command: { name, manifests }, problem };
  }
  if (name === 'completion') {
    const isShell = word === 'bash' || word === 'zsh';
    const problem = isShell ? tooMany(words, 1) : 'needs a shell: bash or zsh';
    return { command: { name, shell: word === 'zsh' ? 'zsh' : 'bash' }, problem };
  }
  const topics = [...commandNames, ...TOPICS];
  const topic = topics.find((one) => one === word);
  if (word === undefined || topic !== undefined) return { command: { name, topic }, problem: tooMany(words, 1) };
  const near = nearMiss(word, topics);
  const advice = near === undefined ? `there is help on ${inWords(topics, 'and')}` : `did you mean ${near}?`;
  return { command: { name, topic: undefined }, problem: `no help on ${quoteUnlessSecret(word)}; ${advice}` };
}

function none(command: Command, words: readonly string[]): Built {
  return { command, problem: tooMany(words, 0) };
}

function tooMany(words: readonly string[], most: number): string | undefined {
  const extra = words[most];
  if (extra === undefined) return undefined;
  // A forgotten dash must not show the value behind the name.
  return `unexpected argument ${quoteUnlessSecret(extra.replace(/=.*/s, '=…'))}; flags and settings begin with --`;
}
