/** The text of --help: the table of settings, for people. */
import { COMMAND_FLAGS, COMMANDS } from './command-line.ts';
import { envName, flagName, rowOf, type SettingName, settingNames } from './table.ts';

const WIDTH = 120;
const MARGIN = '  ';
const INDENT = ' '.repeat(6);

const INTRODUCTION = `
Keeps the nodes of a Kubernetes API server equal to the healthy kubelet machines that CoreOS fleet knows.

Usage: kube-register [command] [--<setting>=<value> ...]

Without a command, kube-register runs as the daemon. Commands:

${list(Object.entries(COMMANDS))}

A command takes the settings of the daemon and these flags:

${list(COMMAND_FLAGS.map(({ flag, of, help }) => [flag, `${help} (${of.join(', ')})`]))}

Every setting is an environment variable and a flag; the flag wins. A flag takes one dash or two, and its value behind =
or a space. An empty value means the default, unless said otherwise. Durations are written 500ms, 45s, 5m or 1h30m; a
number alone is seconds.
`.trim();

const ENDING = `
-h, --help     print this text
--version      print the version

Exit codes
  0  stopped by a signal, or done
  1  failed
  2  a setting or a flag is invalid: one line for each
  3  plan: there is something to do
`.trim();

function list(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, meaning]) => `${MARGIN}${name.padEnd(width)}  ${meaning}`).join('\n');
}

export function helpText(): string {
  const lines = [INTRODUCTION, '', columns('Variable', 'Flag', 'Default')];
  let section = '';
  for (const name of settingNames) {
    const row = rowOf(name);
    if (row.section !== section) {
      section = row.section;
      lines.push('', section);
    }
    lines.push(...describe(name));
  }
  return `${[...lines, '', ENDING].join('\n')}\n`;
}

const envWidth = Math.max(...settingNames.map((name) => envName(name).length));
const flagWidth = Math.max(...settingNames.map((name) => flagName(name).length));

/** One line with both names and the default, which moves to a line of its own where it is too long; then the meaning. */
function describe(name: SettingName): string[] {
  const row = rowOf(name);
  const standard = row.default === undefined || row.default === '' ? 'not set' : row.default;
  const first = columns(envName(name), flagName(name), standard);
  const meaning = row.empty === undefined ? row.help : `${row.help} Empty: ${row.empty}.`;
  return [
    ...(first.length <= WIDTH ? [first] : [columns(envName(name), flagName(name), ''), INDENT + standard]),
    ...wrap(meaning),
  ];
}

function columns(variable: string, flag: string, standard: string): string {
  return `${MARGIN}${variable.padEnd(envWidth)}  ${flag.padEnd(flagWidth)}  ${standard}`.trimEnd();
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && `${INDENT}${line} ${word}`.length > WIDTH) {
      lines.push(INDENT + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, INDENT + line];
}
