/** Which command is asked for, and the flags of its own; what is left over are the flags of settings. */
import { quote } from '../quote.ts';
import { mayBeSecret, NOT_SHOWN } from '../secret.ts';
import { nearMiss } from './near-miss.ts';

/** What the program does beside being a daemon. Also what --help and README say of each. */
export const COMMANDS = {
  check: 'goes through everything an installation needs, and says what is wrong and how to mend it',
  status: 'prints the machines and nodes, and what is decided on each',
  explain: 'tells everything that is known of one machine or node, the rule that applies, and what comes next',
  plan: 'looks once, changes nothing, and prints what would be done',
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
  { flag: '-w, --watch', of: ['status'], help: 'goes on, and prints again after each pass' },
  {
    flag: '--daemon',
    of: ['status', 'explain'],
    help: 'host:port of the daemon to ask; else of LISTEN',
  },
] as const;

/** The command is the first argument, and the machine or node that `explain` is about the second. */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const [first, ...others] = argv;
  if (first === undefined || first.startsWith('-')) return { command: { name: 'daemon' }, rest: argv, mistakes: [] };
  const name = COMMAND_NAMES.find((known) => known === first);
  if (name === undefined) return unknownCommand(first, others, argv);
  const [second, ...behind] = others;
  if (name !== 'explain') return withFlags(name, others);
  if (second === undefined || second.startsWith('-')) {
    const asksForHelp = /^--?h(elp)?$/.test(second ?? '');
    const mistakes = asksForHelp
      ? []
      : ['explain: the id of a machine or the name of a node comes right behind it, as in explain 10.0.0.7'];
    return { command: { name: 'daemon' }, rest: others, mistakes };
  }
  return withFlags(name, behind, second);
}

/** What is no command at all may be a value behind a forgotten dash: whoever reads settings has a sentence for it. */
function unknownCommand(word: string, rest: readonly string[], argv: readonly string[]): CommandLine {
  const near = nearMiss(word, COMMAND_NAMES);
  const command: Command = { name: 'daemon' };
  if (near === undefined) return { command, rest: argv, mistakes: [] };
  return { command, rest, mistakes: [`${show(word)}: there is no such command; did you mean ${near}?`] };
}

interface OwnFlags {
  output: OutputFormat;
  watch: boolean;
  daemon?: string;
}

const OWN = /^--?(?<name>o|output|w|watch|daemon)(?:=(?<value>.*))?$/s;

function withFlags(name: CommandName, argv: readonly string[], subject = ''): CommandLine {
  const own: OwnFlags = { output: 'text', watch: false };
  const rest: string[] = [];
  const mistakes: string[] = [];
  const queue = [...argv];
  for (let argument = queue.shift(); argument !== undefined; argument = queue.shift()) {
    const match = OWN.exec(argument)?.groups;
    if (match === undefined || !isTakenBy(name, match['name'] ?? '')) rest.push(argument);
    else {
      const problem = take(own, match['name'] ?? '', match['value'], queue);
      if (problem !== undefined) mistakes.push(`${argument.split('=')[0]}: ${problem}`);
    }
  }
  return { command: commandOf(name, own, subject), rest, mistakes };
}

function isTakenBy(name: CommandName, flag: string): boolean {
  const long = flag === 'o' ? 'output' : flag === 'w' ? 'watch' : flag;
  return COMMAND_FLAGS.some((row) => row.flag.endsWith(`--${long}`) && row.of.some((taker) => taker === name));
}

/** Puts one flag where it belongs; what is wrong with it, or undefined. */
function take(own: OwnFlags, flag: string, given: string | undefined, queue: string[]): string | undefined {
  if (flag === 'w' || flag === 'watch') {
    own.watch = true;
    return given === undefined ? undefined : 'takes no value';
  }
  const value = given ?? (queue[0]?.startsWith('-') ? undefined : queue.shift());
  if (value === undefined) return 'needs a value';
  if (flag === 'daemon') {
    const url = daemonUrl(value);
    if (url === undefined) return `${show(value)}: must be host:port or http://host:port`;
    own.daemon = url;
    return undefined;
  }
  if (value !== 'text' && value !== 'json') return `${show(value)}: must be text or json`;
  own.output = value;
  return undefined;
}

/** That of LISTEN, if it is not set. */
const USUAL_PORT = 10_271;

function daemonUrl(text: string): string | undefined {
  const url = /^http:\/\//.test(text) ? text : `http://${text}`;
  if (!/^http:\/\/[^\s/?#@]+\/?$/.test(url) || !URL.canParse(url)) return undefined;
  return /:\d+\/?$/.test(url) ? new URL(url).origin : `${new URL(url).origin}:${USUAL_PORT}`;
}

function commandOf(name: CommandName, { output, watch, daemon }: OwnFlags, subject: string): Command {
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
