/** The commands that tell more of a machine or node, or change what happens to it, with its names filled in. */

import type { Status } from './document.ts';
import type { OverviewRow } from './overview.ts';

export interface Command {
  /** What it does, as in `show the node`. */
  readonly purpose: string;
  /** A line for a POSIX shell; names of other systems are quoted where they must be. */
  readonly command: string;
}

/** The commands for a row: first those that look, then those that change something. */
export function commandsFor({ machine, node }: OverviewRow, { rules }: Pick<Status, 'rules'>): readonly Command[] {
  const address = (machine ?? node)?.addresses[0];
  const name = node === undefined ? undefined : shellQuoted(node.name);
  const canGo = node?.mark != null && node.veto !== 'keep' && rules.neverDeregister === null;
  return [
    ...(name === undefined ? [] : [{ purpose: 'show the node', command: `kubectl describe node ${name}` }]),
    ...(address === undefined
      ? []
      : [
          {
            purpose: 'read the log of its kubelet',
            command: `ssh core@${shellQuoted(address)} journalctl -eu kubelet`,
          },
        ]),
    ...(machine === undefined
      ? []
      : [
          {
            purpose: 'show the machine in fleet',
            command: `fleetctl list-machines --full --no-legend | grep ${shellQuoted(machine.id)}`,
          },
        ]),
    ...(name !== undefined && canGo
      ? [{ purpose: 'keep it for now', command: `kubectl annotate node ${name} kube-register.io/keep=true` }]
      : []),
  ];
}

/** The text as one word of a POSIX shell. */
export function shellQuoted(text: string): string {
  return /^[\w.:@%+=/,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
