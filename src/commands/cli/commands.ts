/** One table of every command: what help, completions and the documents say of it, and which flags it takes. */

import { SHORTEST_PREFIX } from '../../status/find.ts';
import { inWords } from '../../text/names.ts';

/** A flag of commands. A flag of a setting is in the table of settings. */
export interface Flag {
  /** Without its dashes. */
  readonly long: string;
  /** One letter. */
  readonly short?: string;
  /** What stands for its value in help; a flag without a value is a switch. */
  readonly value?: string;
  /** Every value that it takes, where these are words. */
  readonly words?: readonly string[];
  readonly help: string;
}

interface Example {
  /** What it is for, in a few words. */
  readonly purpose: string;
  readonly command: string;
}

export interface CommandRow {
  /** At most 60 characters: the list of commands has it. */
  readonly brief: string;
  /** The first sentence of its help. */
  readonly sentence: string;
  /** What follows the name, beside flags: `[NAME ...]`. */
  readonly arguments: string;
  /** What the arguments are, and what else must be known; one paragraph. */
  readonly about: string;
  readonly flags: readonly Flag[];
  readonly examples: readonly [Example, Example];
  readonly exitCodes: readonly (readonly [code: number, meaning: string])[];
  /** Whether it takes the settings of the daemon. */
  readonly takesSettings: boolean;
}

function output(...words: readonly string[]): Flag {
  return {
    long: 'output',
    short: 'o',
    value: 'FORMAT',
    words,
    help: `${inWords(words)}; default: ${words[0]}`,
  };
}

const DAEMON: Flag = {
  long: 'daemon',
  value: 'HOST:PORT',
  help: 'the daemon to read from, if not the one at LISTEN',
};

const BAD: readonly [number, string] = [2, 'bad flag, argument or setting'];
const UNSEEN: readonly [number, string] = [4, 'no daemon found'];
const DONE = [[0, 'done'], [1, 'failed'], BAD] as const;

/** Of `status` and `explain`. */
const ABOUT_NAMES = `NAME is a machine ID or at least its first ${SHORTEST_PREFIX} characters, the name of a node or an address. It reads from the daemon on this machine; without one it observes once, and changes nothing.`;

/** By name, in the order of the list of commands. */
export const COMMANDS = {
  check: {
    brief: 'check all that an installation needs, and how to mend it',
    sentence: 'Checks everything that an installation needs, and prints what is wrong and how to mend it.',
    arguments: '',
    about: 'Sends requests to fleet, kubelets and the API server, and changes nothing. It may run beside a daemon.',
    flags: [
      output('text', 'json'),
      {
        long: 'unit',
        value: 'FILE',
        help: 'take the settings from this unit; - reads systemctl cat',
      },
    ],
    examples: [
      {
        purpose: 'With the settings of this shell and these flags',
        command: 'kube-register check --metadata role=worker',
      },
      {
        purpose: 'With the settings of the unit, as its files and drop-ins have them',
        command: 'systemctl cat kube-register.service | kube-register check --unit -',
      },
    ],
    exitCodes: [[0, 'nothing is wrong; there may be warnings'], [1, 'something is wrong'], BAD],
    takesSettings: true,
  },
  status: {
    brief: 'list machines and nodes, each with its verdict',
    sentence: 'Lists the machines and nodes, each with its verdict, the most urgent first.',
    arguments: '[NAME ...]',
    about: ABOUT_NAMES,
    flags: [
      output('text', 'wide', 'json', 'yaml', 'name'),
      { long: 'watch', short: 'w', help: 'show every pass, until interrupted' },
      { long: 'verdict', value: 'LIST', help: 'only these verdicts, separated by commas' },
      { long: 'trouble', help: 'only what needs attention' },
      { long: 'selector', short: 'l', value: 'SELECTOR', help: 'only machines with this metadata, as in METADATA' },
      DAEMON,
    ],
    examples: [
      { purpose: 'What needs attention, kept up to date', command: 'kube-register status --trouble --watch' },
      {
        purpose: 'The names of the nodes that the deletion guard keeps',
        command: 'kube-register status --verdict held -o name',
      },
    ],
    exitCodes: [...DONE, UNSEEN],
    takesSettings: true,
  },
  explain: {
    brief: 'show the evidence about one machine or node',
    sentence: 'Prints the evidence about one machine or node, the rule that applies, and what happens next.',
    arguments: 'NAME',
    about: ABOUT_NAMES,
    flags: [output('text', 'json', 'yaml'), DAEMON],
    examples: [
      { purpose: 'Why this node is kept or deregistered', command: 'kube-register explain 10.0.0.7' },
      {
        purpose: 'As the daemon on another machine sees it, where STATUS_ACCESS=all',
        command: 'kube-register explain 98aa5ab4 --daemon core-1:10271',
      },
    ],
    exitCodes: [...DONE, UNSEEN],
    takesSettings: true,
  },
  plan: {
    brief: 'observe once, change nothing, print what would be done',
    sentence: 'Observes once, changes nothing, and prints what would be done.',
    arguments: '',
    about: 'The plan is that of a first pass with these settings. Grace periods begin with the daemon.',
    flags: [output('text', 'wide', 'json', 'yaml', 'name')],
    examples: [
      { purpose: 'Before the daemon starts for the first time', command: 'kube-register plan' },
      { purpose: 'What another selector would change', command: 'kube-register plan --metadata role=worker -o wide' },
    ],
    exitCodes: [[0, 'nothing would be done'], [1, 'failed'], BAD, [3, 'something would be done']],
    takesSettings: true,
  },
  manifests: {
    brief: 'print manifests for kubectl apply, such as rbac',
    sentence: 'Prints manifests for kubectl apply, which this version is shipped with.',
    arguments: '[NAME ...]',
    about: 'NAME is rbac, rbac-v1beta1 or pod. Without NAME it says what each is for.',
    flags: [],
    examples: [
      { purpose: 'Which manifests there are', command: 'kube-register manifests' },
      {
        purpose: 'Grant the rights that the daemon needs',
        command: 'kube-register manifests rbac | kubectl apply -f -',
      },
    ],
    exitCodes: DONE,
    takesSettings: false,
  },
  completion: {
    brief: 'print completions for bash or zsh',
    sentence: 'Prints a script that completes commands, flags and their values.',
    arguments: 'bash|zsh',
    about: '',
    flags: [],
    examples: [
      { purpose: 'In this shell', command: 'source <(kube-register completion bash)' },
      {
        purpose: 'In every bash',
        command: 'kube-register completion bash > /etc/bash_completion.d/kube-register',
      },
    ],
    exitCodes: DONE,
    takesSettings: false,
  },
  help: {
    brief: 'help COMMAND, help settings, help verdicts, help daemon',
    sentence: 'Prints the help of a command, or of settings, verdicts or the daemon.',
    arguments: '[COMMAND|settings|verdicts|daemon]',
    about: '',
    flags: [],
    examples: [
      { purpose: 'Every setting', command: 'kube-register help settings' },
      { purpose: 'The flags of a command', command: 'kube-register help status' },
    ],
    exitCodes: DONE,
    takesSettings: false,
  },
} as const satisfies Readonly<Record<string, CommandRow>>;

export type CommandName = keyof typeof COMMANDS;

/** In the order of the table. */
export const commandNames = Object.keys(COMMANDS) as readonly CommandName[];

export function isCommandName(text: string): text is CommandName {
  return Object.hasOwn(COMMANDS, text);
}

/** The row of a command, without the types of its own texts. */
export function commandRow(name: CommandName): CommandRow {
  return COMMANDS[name];
}

/** The program without a command. */
export const DAEMON_ROW: CommandRow = {
  brief: 'keep nodes equal to machines',
  sentence: 'Without a command, kube-register runs as the daemon: it makes passes until a signal stops it.',
  arguments: '',
  about:
    'Settings are flags, or environment variables with the prefix KUBE_REGISTER_; the flag wins. The daemon reads neither KUBECONFIG nor ~/.kube/config: set KUBE_REGISTER_KUBECONFIG.',
  flags: [{ long: 'version', help: 'print the version' }],
  examples: [
    {
      purpose: 'On the machine of the API server',
      command: 'kube-register --metadata role=worker --api-endpoint http://127.0.0.1:8080',
    },
    { purpose: 'One pass, which does not deregister', command: 'kube-register --once --log-format pretty' },
  ],
  exitCodes: [[0, 'stopped by a signal, or done with --once'], [1, 'failed: the log says why'], BAD],
  takesSettings: true,
};

/** The arguments of `help` beside the names of commands. */
export const TOPICS = ['settings', 'verdicts', 'daemon'] as const;
export type Topic = CommandName | (typeof TOPICS)[number];
