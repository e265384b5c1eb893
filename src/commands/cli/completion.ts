/** `kube-register completion`: scripts for bash and zsh, made of the tables of commands and settings. */
import { flagName, rowOf, settingNames } from '../../settings/table.ts';
import { type CommandName, commandNames, commandRow, type Flag, TOPICS } from './commands.ts';
import { VERDICTS } from './flag-values.ts';
import { manifestNames } from './manifests.ts';

/** zsh runs completions of bash once it is told to, so that one script serves both. */
const HEADS = {
  bash: ['# Completion of kube-register for bash: source it.'],
  zsh: [
    '# Completion of kube-register for zsh: source it.',
    '(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }',
    'autoload -Uz bashcompinit && bashcompinit',
  ],
} as const;

/** The script of a shell. It does not end with a line end. */
export function completionScript(shell: 'bash' | 'zsh'): string {
  const settings = settingNames.map(flagName).join(' ');
  return [
    ...HEADS[shell],
    '_kube_register() {',
    `  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} offers`,
    // bash takes --flag=value for three words.
    `  if [[ $current == = ]]; then current=; elif [[ $previous == = ]]; then previous=\${COMP_WORDS[COMP_CWORD-2]}; fi`,
    `  local settings='${settings}'`,
    '  case "$command $previous" in',
    ...commandNames.flatMap((name) => commandRow(name).flags.flatMap((flag) => valueLine(name, flag))),
    ...settingLines(),
    '    *)',
    '      case $command in',
    ...commandNames.map((name) => `        ${name}) offers="${wordsBehind(name)}" ;;`),
    '        *) offers="--help --version $settings" ;;',
    '      esac',
    `      [[ $COMP_CWORD != 1 ]] || offers="${commandNames.join(' ')} --help --version $settings" ;;`,
    '  esac',
    '  COMPREPLY=($(compgen -W "$offers" -- "$current"))',
    '}',
    'complete -F _kube_register kube-register',
  ].join('\n');
}

/** What a command can be followed by, `$settings` among it. */
function wordsBehind(name: CommandName): string {
  const { flags, takesSettings } = commandRow(name);
  const words = [...argumentsOf(name), ...flags.map(({ long }) => `--${long}`), '--help'];
  return [...words, ...(takesSettings ? ['$settings'] : [])].join(' ');
}

function argumentsOf(name: CommandName): readonly string[] {
  switch (name) {
    case 'help':
      return [...commandNames, ...TOPICS];
    case 'manifests':
      return manifestNames;
    case 'completion':
      return ['bash', 'zsh'];
    default:
      return [];
  }
}

/** The values of a command's flag, where it has one. */
function valueLine(command: CommandName, { long, short, value, words }: Flag): readonly string[] {
  if (value === undefined) return [];
  const names = [`--${long}`, ...(short === undefined ? [] : [`-${short}`])];
  const offered = long === 'verdict' ? VERDICTS : (words ?? []);
  return [
    caseOf(
      names.map((name) => `"${command} ${name}"`),
      value === 'FILE' ? 'file' : offered,
    ),
  ];
}

/** The values of settings: files, or what only a person knows. A switch needs none. */
function settingLines(): readonly string[] {
  const patterns = (kind: 'file' | 'text') =>
    settingNames.filter((name) => rowOf(name).kind === kind).map((name) => `*" ${flagName(name)}"`);
  return [caseOf(patterns('file'), 'file'), caseOf(patterns('text'), [])];
}

function caseOf(patterns: readonly string[], values: readonly string[] | 'file'): string {
  const offer = values === 'file' ? 'COMPREPLY=($(compgen -f -- "$current")); return' : `offers='${values.join(' ')}'`;
  return `    ${patterns.join('|')}) ${offer} ;;`;
}
