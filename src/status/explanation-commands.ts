/** The commands that tell more of a machine or node, or change what happens to it, with its names and addresses filled in. */

import { quoteForShell } from '../text/quote.ts';
import type { MachineStatus, NodeStatus, Status } from './document.ts';
import type { OverviewRow } from './overview.ts';

export interface Command {
  /** What it does, as in `show the node`. */
  readonly purpose: string;
  /** A line for a POSIX shell; names of other systems are quoted where they must be. */
  readonly command: string;
}

type Context = Pick<Status, 'rules' | 'kubernetes'>;
type Row = Pick<OverviewRow, 'machine' | 'node'>;

/** Verdicts of nodes that a person deletes where they are of no use. */
const DELETABLE: ReadonlySet<string> = new Set([
  'in-grace',
  'queued',
  'held',
  'unheard',
  'spared',
  'vetoed',
  'left-over',
  'probe-suspect',
]);
const LOST_BY_FLEET: ReadonlySet<string> = new Set(['orphan']);

/** The commands for a row: first those that look, then those that change something. Equal ones are there once. */
export function commandsFor(row: Row, status: Context): readonly Command[] {
  const { machine, node } = row;
  const commands = [
    ...(node === undefined ? [] : [{ purpose: 'show the node', command: `kubectl describe node ${word(node.name)}` }]),
    ...(machine === undefined ? [] : fleetCommands(machine)),
    ...kubeletCommands(row),
    watchCommand(row),
    ...(node === undefined ? [] : nodeCommands(node, status)),
    ...[machine, node].flatMap((one) => (one === undefined ? [] : remedies(one))),
  ];
  const seen = new Set<string>();
  return commands.filter(({ command }) => !command.includes(NO_WORD) && !seen.has(command) && seen.add(command));
}

function fleetCommands({ id, verdict, warning }: MachineStatus): readonly Command[] {
  return [
    { purpose: 'show the machine in fleet', command: listCommand(id) },
    ...(verdict === 'register' && warning
      ? [{ purpose: 'is the API server healthy?', command: 'kubectl get --raw /healthz' }]
      : []),
    ...(verdict === 'unusable'
      ? [{ purpose: 'read its fleet settings', command: `fleetctl ssh ${word(id)} cat /etc/fleet/fleet.conf` }]
      : []),
  ];
}

function listCommand(id: string): string {
  return `fleetctl list-machines --full --no-legend | grep ${word(id)}`;
}

/** The health check by hand, and what runs on the machine; to start what does not. */
function kubeletCommands({ machine, node }: Row): readonly Command[] {
  const address = (machine ?? node)?.addresses[0];
  if (address === undefined) return [];
  const ssh = `ssh core@${word(address)}`;
  const state = machine?.kubelet?.state ?? node?.evidence?.kubelet;
  const url = /https?:\/\/[^\s,;()]+/.exec(machine?.kubelet?.detail ?? node?.evidence?.kubeletDetail ?? '')?.[0];
  const log = { purpose: 'read the log of its kubelet', command: `${ssh} journalctl -u kubelet -n 50 --no-pager` };
  if (node !== undefined && LOST_BY_FLEET.has(node.verdict)) {
    return [
      ...(node.mark === null
        ? []
        : [{ purpose: 'does fleet list its machine again?', command: listCommand(node.mark) }]),
      { purpose: 'is etcd healthy? without it fleet lists some machines or none', command: 'etcdctl cluster-health' },
      { purpose: 'is fleet running there?', command: `${ssh} systemctl status fleet` },
      { purpose: 'start it again', command: `${ssh} sudo systemctl restart fleet` },
    ];
  }
  if (node?.verdict === 'unmatched') {
    return [log, { purpose: 'stop its kubelet', command: `${ssh} sudo systemctl stop kubelet` }];
  }
  if (state !== 'silent' && state !== 'answers') return [log];
  return [
    ...(url === undefined ? [] : [{ purpose: 'check its health by hand', command: `curl -sSk -m 5 ${word(url)}` }]),
    { purpose: 'is its kubelet running?', command: `${ssh} systemctl status kubelet` },
    log,
    { purpose: 'start its kubelet', command: `${ssh} sudo systemctl restart kubelet` },
  ];
}

function watchCommand({ machine, node }: Row): Command {
  const name = word(node?.name ?? machine?.id ?? '');
  return { purpose: 'watch it', command: `kube-register status --watch ${name}` };
}

/** What changes the fate of a node. Servers that cannot update a node take neither annotation nor cordon. */
function nodeCommands(node: NodeStatus, { rules, kubernetes }: Context): readonly Command[] {
  const name = word(node.name);
  const isOld = /using API v1beta[12]$/.test(kubernetes.server ?? '');
  const isLeaving = node.leaving !== null;
  const canGo = node.mark !== null && node.veto !== 'keep' && rules.neverDeregister === null && !isLeaving && !isOld;
  const isDead = DELETABLE.has(node.verdict);
  return [
    ...(canGo
      ? [
          {
            purpose: 'keep the node, whatever happens',
            command: `kubectl annotate node ${name} kube-register.io/keep=true`,
          },
        ]
      : []),
    ...(node.veto === 'keep'
      ? [{ purpose: 'no longer keep the node', command: `kubectl annotate node ${name} kube-register.io/keep-` }]
      : []),
    ...(node.veto === 'cordoned' ? [{ purpose: 'end the cordon', command: `kubectl uncordon ${name}` }] : []),
    ...(isDead && !isLeaving
      ? [{ purpose: 'if the machine is gone for good: delete the node', command: `kubectl delete node ${name}` }]
      : []),
  ];
}

/** The commands of kubectl at the end of what the verdict says a person can do. */
function remedies({ next }: Pick<NodeStatus, 'next'>): readonly Command[] {
  const found = [...(next ?? '').matchAll(/(?:^|; )(?<purpose>[^:;]*): (?<command>kubectl [^;]+)/g)];
  return found
    .map(({ groups: { purpose = '', command = '' } = {} }) => ({ purpose, command }))
    .filter(({ command }) => canBePasted(command));
}

/** Whether a command in a text has only names that a shell takes as they are. The text may hold those of other systems. */
export function canBePasted(command: string): boolean {
  return /^[\w .:/='{}",-]+$/.test(command);
}

/** Stands for a text that no command can have; no command with it is shown. */
const NO_WORD = '\0';

/** The text as one word of a POSIX shell. A text with control characters, or one that would be read as a flag, is none. */
export function word(text: string): string {
  if (text === '' || text.startsWith('-') || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text)) return NO_WORD;
  return /^[\w.:@%+=/,-]+$/.test(text) ? text : quoteForShell(text);
}
