/** Reads the command and its flags; the other arguments are flags of settings. */

import { mayBeSecret, NOT_SHOWN } from '../credentials/secret.ts';
import { quote } from '../text/quote.ts';
import { nearMiss } from './near-miss.ts';

/** What the program does beside being a daemon. Also what --help and README say of each. */
export const COMMANDS = {
  check: 'checks everything that an installation needs, and prints what is wrong and how to mend it',
  status: 'prints the machines and nodes, each with its verdict',
  explain: 'prints the evidence about one machine or node, the rule that applies, and what happens next',
  plan: 'observes once, changes nothing, and prints what would be done',
} as const;

type CommandName = keyof typeof COMMANDS;
const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];

type OutputFormat = 'text' | 'json';

/** `daemon` is the http:// URL of the one to ask, where it is given. */
export type Command =
  | { readonly name: 'daemon' }
  | { readonly name: 'check'; readonly output: OutputFormat }
  | { readonly name: 'status'; readonly output: OutputFormat; readonly watch: boolean; readonly daemon?: string }
  | { readonly name: 'explain'; readonly output: OutputFormat; readonly subject: string; readonly daemon?: string }
  | { readonly name: 'plan'; readonly output: OutputFormat };

export interface CommandLine {
  readonly command: Command;
  /** Flags of settings, to be read by readSettings. */
  readonly rest: readonly string[];
  /** One line each. */
  readonly mistakes: readonly string[];
}

/** The flags of commands, for help and README; each is taken by the commands that are named. */
export const COMMAND_FLAGS = [
  { flag: '-o, --output', of: ['check', 'status', 'explain', 'plan'], help: 'text, or json for programs' },
  { flag: '-w, --watch', of: ['status'], help: 'prints again after each pass, until interrupted' },
  {
    flag: '--daemon',
    of: ['status', 'explain'],
    help: 'host:port of the daemon; the default is that of LISTEN',
  },
] as const;

/** The command is the first argument. `explain` is about the first argument behind it that is neither a flag nor the value of one. */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const [first, ...others] = argv;
  if (first === undefined || first.startsWith('-')) return { command: { name: 'daemon' }, rest: argv, mistakes: [] };
  const name = COMMAND_NAMES.find((known) => known === first);
  return name === undefined ? unknownCommand(first, others, argv) : withFlags(name, others);
}

/** A word that is like no command may be a flag without its dashes: readSettings reports it. */
function unknownCommand(word: string, rest: readonly string[], argv: readonly string[]): CommandLine {
  const command: Command = { name: 'daemon' };
  // People who know other programs ask so.
  if (word === 'help' || word === 'version') return { command, rest: [`--${word}`, ...rest], mistakes: [] };
  const near = nearMiss(word, COMMAND_NAMES);
  if (near === undefined) return { command, rest: argv, mistakes: [] };
  return { command, rest, mistakes: [`${show(word)}: unknown command; did you mean ${near}?`] };
}

interface Own {
  output?: OutputFormat;
  watch?: boolean;
  daemon?: string;
  subject?: string;
}

const OWN = /^--?(?<name>o|output|w|watch|daemon)(?:=(?<value>.*))?$/s;

function withFlags(name: CommandName, argv: readonly string[]): CommandLine {
  const own: Own = {};
  const rest: string[] = [];
  const mistakes: string[] = [];
  const queue = [...argv];
  for (let argument = queue.shift(); argument !== undefined; argument = queue.shift()) {
    const { name: flag = '', value } = OWN.exec(argument)?.groups ?? {};
    if (flag !== '' && isTakenBy(name, flag)) {
      const problem = take(own, flag, value, queue);
      if (problem !== undefined) mistakes.push(`${argument.split('=')[0]}: ${problem}`);
    } else if (name === 'explain' && own.subject === undefined && !argument.startsWith('-')) own.subject = argument;
    else {
      rest.push(argument);
      // What follows a flag of a setting is most likely its value.
      if (argument.startsWith('-') && !argument.includes('=') && queue[0]?.startsWith('-') === false) {
        rest.push(queue.shift() ?? '');
      }
    }
  }
  const asksForHelp = rest.some((argument) => /^--?(h|help|version)$/.test(argument));
  if (name === 'explain' && !own.subject && !asksForHelp) {
    mistakes.push('explain: needs a machine ID, a node name or an address, as in: explain 10.0.0.7');
  }
  return { command: commandOf(name, own), rest, mistakes };
}

function isTakenBy(name: CommandName, flag: string): boolean {
  const long = flag === 'o' ? 'output' : flag === 'w' ? 'watch' : flag;
  return COMMAND_FLAGS.some((row) => row.flag.endsWith(`--${long}`) && row.of.some((taker) => taker === name));
}

/** Puts one flag where it belongs; what is wrong with it, or undefined. */
function take(own: Own, flag: string, given: string | undefined, queue: string[]): string | undefined {
  if (flag === 'w' || flag === 'watch') {
    own.watch = true;
    return given === undefined ? undefined : 'takes no value';
  }
  const value = given ?? (queue[0]?.startsWith('-') ? undefined : queue.shift());
  if (value === undefined) return 'needs a value';
  if (flag === 'daemon') {
    const url = daemonUrl(value);
    if (url === undefined) return `${show(value)}: must be host:port or http://host:port`;
    if (own.daemon !== undefined && own.daemon !== url) return TWICE;
    own.daemon = url;
    return undefined;
  }
  if (value !== 'text' && value !== 'json') return `${show(value)}: must be text or json`;
  if (own.output !== undefined && own.output !== value) return TWICE;
  own.output = value;
  return undefined;
}

const TWICE = 'is given twice, with different values';
/** That of LISTEN, if it is not set. */
const USUAL_PORT = 10_271;

/** A number alone would be an address to URL: `10271` is 0.0.40.31. */
function daemonUrl(text: string): string | undefined {
  const url = /^http:\/\//.test(text) ? text : `http://${text}`;
  const { host = '', port } =
    /^http:\/\/(?<host>\[[^\s/?#@]+\]|[^\s/?#@:]+)(?::(?<port>\d+))?\/?$/.exec(url)?.groups ?? {};
  if (/^\d*$/.test(host) || port === '0' || !URL.canParse(url)) return undefined;
  return `http://${new URL(url).hostname}:${port ?? USUAL_PORT}`;
}

function commandOf(name: CommandName, { output = 'text', watch = false, daemon, subject = '' }: Own): Command {
  const asked = daemon === undefined ? {} : { daemon };
  switch (name) {
    case 'check':
    case 'plan':
      return { name, output };
    case 'status':
      return { name, output, watch, ...asked };
    case 'explain':
      return { name, output, subject, ...asked };
  }
}

function show(text: string): string {
  return mayBeSecret(text) ? NOT_SHOWN : quote(text);
}
