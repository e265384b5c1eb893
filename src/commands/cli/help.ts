/** The texts of help: of the program, a command, the settings, the verdicts and the daemon. None is wider than 80 columns. */
import { envName, flagName, rowOf, type SettingName, settingNames } from '../../settings/table.ts';
import { MACHINE_HELP, NODE_HELP } from '../../status/verdict-help.ts';
import { wrap } from '../terminal/layout.ts';
import { type CommandRow, commandNames, commandRow, DAEMON_ROW, type Flag, type Topic } from './commands.ts';

const WIDTH = 80;
const MARGIN = '  ';
const INDENT = ' '.repeat(6);

/** The help on a topic; without one, of the program. */
export function helpText(topic: Topic | undefined): string {
  switch (topic) {
    case undefined:
      return programHelp();
    case 'settings':
      return settingsHelp();
    case 'verdicts':
      return verdictsHelp();
    case 'daemon':
      return commandHelp('kube-register', DAEMON_ROW);
    default:
      return commandHelp(`kube-register ${topic}`, commandRow(topic));
  }
}

/** One screen of 80 columns and 24 lines. */
function programHelp(): string {
  const common = settingNames.filter((name) => rowOf(name).brief !== undefined);
  const width = Math.max(...common.map((name) => flagName(name).length));
  const settings = common.map((name) => {
    const { brief = '', default: standard } = rowOf(name);
    const first = `${MARGIN}${flagName(name).padEnd(width)}  ${brief}`;
    return standard === undefined || standard === '' ? first : `${first} (${standard})`;
  });
  return [
    "Registers a CoreOS fleet's healthy kubelet machines as nodes of Kubernetes.",
    'Usage: kube-register [COMMAND] [--SETTING VALUE ...]     no COMMAND: the daemon',
    ...columns(commandNames.map((name) => [name, commandRow(name).brief])),
    '',
    `Often set, as a flag or a variable such as ${envName('METADATA')}:`,
    ...settings,
    '',
    `All ${settingNames.length}: kube-register help settings. A command: kube-register COMMAND --help.`,
  ].join('\n');
}

/** The form of a command line: the program with its command, and what may follow. */
export function usageOf(program: string, row: CommandRow): string {
  const words = [
    program,
    row.arguments,
    row.flags.some(({ long }) => long !== 'version') ? '[FLAGS]' : '',
    row.takesSettings ? '[--SETTING VALUE ...]' : '',
  ];
  return words.filter((word) => word !== '').join(' ');
}

/** At most one screen of 80 columns. */
function commandHelp(program: string, row: CommandRow): string {
  const { sentence, about, flags, examples, exitCodes, takesSettings } = row;
  return [
    ...wrap(sentence, WIDTH),
    `Usage: ${usageOf(program, row)}`,
    ...(about === '' ? [] : ['', ...wrap(about, WIDTH)]),
    '',
    'Examples:',
    ...examples.flatMap(({ purpose, command }) => [`${MARGIN}# ${purpose}`, `${MARGIN}${command}`]),
    '',
    takesSettings ? 'Flags, beside those of kube-register help settings:' : 'Flags:',
    ...columns([...flags, HELP].map((flag) => [spelled(flag), flag.help])),
    '',
    ...wrap(`Exit codes: ${exitCodes.map(([code, meaning]) => `${code} ${meaning}`).join('; ')}`, WIDTH),
  ].join('\n');
}

const HELP: Flag = { long: 'help', short: 'h', help: 'print this text' };

/** `-o, --output FORMAT`; a flag without a letter is indented alike. */
function spelled({ long, short, value }: Flag): string {
  const name = short === undefined ? `    --${long}` : `-${short}, --${long}`;
  return value === undefined ? name : `${name} ${value}`;
}

/** Two columns; the second is wrapped. */
function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  const indent = MARGIN.length + width + 2;
  return rows.flatMap(([name, meaning]) => {
    const [first = '', ...rest] = wrap(meaning, WIDTH - indent);
    return [`${MARGIN}${name.padEnd(width)}  ${first}`, ...rest.map((line) => ' '.repeat(indent) + line)];
  });
}

const ABOUT_SETTINGS =
  'Every setting is an environment variable and a flag; the flag wins. A flag takes one dash or two, and its value behind = or a space. An empty value means the default, unless said otherwise. Durations are written 500ms, 45s, 5m or 1h30m; a number alone is seconds.';

function settingsHelp(): string {
  const lines = ['The settings of the daemon, which check, status, explain and plan take too.', ''];
  lines.push(...wrap(ABOUT_SETTINGS, WIDTH));
  let section = '';
  for (const name of settingNames) {
    const row = rowOf(name);
    if (row.section !== section) {
      section = row.section;
      lines.push('', section);
    }
    lines.push(...settingLines(name));
  }
  return lines.join('\n');
}

/** Both names; then the default and the meaning. */
function settingLines(name: SettingName): readonly string[] {
  const { default: standard, empty, help } = rowOf(name);
  const isSet = standard !== undefined && standard !== '';
  const meaning = empty === undefined ? help : `${help} Empty: ${empty}.`;
  return [
    `${MARGIN}${envName(name)}, ${flagName(name)}`,
    `${INDENT}Default: ${isSet ? standard : 'not set'}`,
    ...wrap(meaning, WIDTH - INDENT.length).map((line) => INDENT + line),
  ];
}

function verdictsHelp(): string {
  const section = (title: string, table: typeof MACHINE_HELP | typeof NODE_HELP) => [
    title,
    ...columns(
      Object.entries(table).map(([verdict, { means, mayDo }]) => {
        const both = mayDo === 'Nothing.' ? means : `${means} ${mayDo}`;
        return [verdict, both.replaceAll('`', '')];
      }),
    ),
  ];
  return [
    'The verdicts of status, what each means, and what you may do.',
    '',
    ...section('Nodes', NODE_HELP),
    '',
    ...section('Machines', MACHINE_HELP),
  ].join('\n');
}
