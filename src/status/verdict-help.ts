/** What each verdict means and what an operator can do, for the commands and the page. deploy/docs/verdicts.md is made of it. */
import type { MachineVerdict, NodeVerdict } from '../reconcile/plan/verdict.ts';

interface Help {
  readonly means: string;
  readonly mayDo: string;
}

/** By verdict of a node, in Markdown. */
export const NODE_HELP: Readonly<Record<NodeVerdict['name'], Help>> = {
  keep: { means: 'Its machine matches and it is alive.', mayDo: 'Nothing.' },
  adopt: {
    means: 'Unmanaged, alive, and matched with a machine: it becomes managed in this pass.',
    mayDo: 'Nothing; `ADOPT=false` if you do not want that.',
  },
  recognised: {
    means:
      'Unmanaged and matched with a machine, but not adopted: it is not alive yet, `ADOPT=false`, or the API server cannot change it.',
    mayDo: 'Nothing while it is alive; else start its kubelet.',
  },
  'probe-suspect': {
    means: 'The node is Ready, but its kubelet has been unreachable for ten minutes. Kept.',
    mayDo: 'Correct `HEALTHZ_URL` or the firewall; or find out why the controller manager does not mark a dead node.',
  },
  'not-posting': {
    means: 'Its kubelet is reachable, but the node has not been reporting for ten minutes. Kept.',
    mayDo:
      'That kubelet uses another name (correct `NODE_NAME`, or its `--hostname-override`) or cannot reach the API server (see its log).',
  },
  unmatched: {
    means: 'Alive, but its machine no longer matches. Kept.',
    mayDo: 'Stop the kubelet on that machine, or correct its metadata or `METADATA`.',
  },
  orphan: {
    means: 'Alive, but its machine is missing from fleet. Kept.',
    mayDo:
      'Restart fleet on that machine; or find out what else has its address: the reason has the URL and the answer. If the machine is gone: `kubectl delete node`.',
  },
  unheard: {
    means:
      'Not alive, but this process has no earlier answer from its kubelet, so it may be alive; or it has no usable address, or its status cannot be read. Kept.',
    mayDo: '`kubectl delete node NAME` if it is dead; correct `HEALTHZ_URL` if it is not.',
  },
  conflict: {
    means: 'Several nodes match its machine, or its machine ID or address alternates between two hosts. Kept.',
    mayDo:
      '`kubectl delete node NAME` for the nodes that are not in use; give each host its own `/etc/machine-id` and name.',
  },
  'in-grace': {
    means: 'Not alive; its grace period is running, and the reason says how much is over.',
    mayDo: 'Start its kubelet, or keep it: `kubectl annotate node NAME kube-register.io/keep=true`.',
  },
  queued: {
    means: 'Not alive; its grace period is over and it waits for its turn.',
    mayDo: 'Start its kubelet, or keep it: `kubectl annotate node NAME kube-register.io/keep=true`.',
  },
  deregister: { means: 'It is deregistered in this pass; in a dry run, it would be.', mayDo: 'Nothing.' },
  held: {
    means: 'Not alive, but the deletion guard is active. Kept.',
    mayDo: 'Find out why so many nodes are not alive; the message of the guard says what to do.',
  },
  vetoed: {
    means: 'Not alive, but `kube-register.io/keep` is set on it or it is cordoned. Kept.',
    mayDo:
      '`kubectl delete node NAME` if its machine is retired; else `kubectl uncordon NAME` or remove `keep` when you are done.',
  },
  spared: {
    means: 'Not alive, but the settings never let it be deregistered.',
    mayDo: '`kubectl delete node NAME` if it is gone for good.',
  },
  leaving: {
    means: 'It was deleted and waits for its finalizers.',
    mayDo: 'Check that the controllers of its finalizers run; if they no longer exist, remove the finalizers.',
  },
  'left-over': {
    means: 'Unmanaged and not reporting, and another node of its machine is reporting.',
    mayDo: '`kubectl delete node NAME` if it is not in use.',
  },
  foreign: {
    means:
      'Unmanaged, and no machine matches it; or managed by a kube-register with another `OWNER_ID`. Never touched.',
    mayDo: 'Nothing; `kubectl delete node NAME` if it is dead.',
  },
};

/** By verdict of a machine, in Markdown. */
export const MACHINE_HELP: Readonly<Record<MachineVerdict['name'], Help>> = {
  'not-selected': { means: 'Its metadata does not match `METADATA`.', mayDo: 'Nothing, or correct the metadata.' },
  unusable: {
    means: 'It matches, but fleet gives it no usable address, or several.',
    mayDo: 'Set its `public_ip` in fleet; several addresses mean that two hosts have the same `/etc/machine-id`.',
  },
  'has-node': {
    means:
      "It has its node, and the node's verdict says the rest. As a warning: its address or its node alternates between two hosts, or a kube-register with another `OWNER_ID` manages the node.",
    mayDo:
      'Nothing; where it is a warning, give each host its own `/etc/machine-id` and name, or the reason has the command.',
  },
  register: { means: 'It is registered in this pass; in a dry run, it would be.', mayDo: 'Nothing.' },
  waiting: {
    means: 'It has no node: its kubelet is not healthy yet, or, as a warning, an unpaired node may be its own.',
    mayDo:
      'Start its kubelet, or correct `HEALTHZ_URL`: the reason has each URL and its answer. If it names a node: run the command of the next step.',
  },
  conflict: {
    means: 'Its node, name or address belongs to another machine, or several nodes match it equally.',
    mayDo: 'Give each host its own `/etc/machine-id`, name and address; delete the nodes that are not in use.',
  },
  unnamed: {
    means: 'It has no name that the API server would take.',
    mayDo: 'Read the reason; choose another `NODE_NAME`.',
  },
  hidden: {
    means:
      'It is registered, but the API server (before v0.9) does not list it, because it does not reach its kubelet. Registered again after ten minutes if still not listed.',
    mayDo: 'Check that the API server reaches `http://NAME:10250/healthz`.',
  },
  undone: {
    means:
      'Something else deletes its node after each registration; it is registered again after 1, 2, 4 and up to 60 minutes.',
    mayDo: 'Find out what deletes it: a cloud controller deletes nodes that it does not know.',
  },
  refused: {
    means: 'The API server refused the content of the request; the same request is not repeated for ten minutes.',
    mayDo: 'Read the log line of the refusal.',
  },
};

/** Of a node with the verdict `keep` whose kubelet is unreachable. */
export const UNREACHABLE_HELP: Help = {
  means: 'Its machine matches and the node is reporting, but its kubelet is unreachable. Kept.',
  mayDo: 'See whether its kubelet runs; if it does, correct `HEALTHZ_URL` or the firewall.',
};

/** Of a machine with the verdict `register` whose registration failed. */
export const NOT_REGISTERED_HELP: Help = {
  means: 'It could not be registered; this is tried again.',
  mayDo: 'Repair what the API server answered: a right that is missing (`kube-register check`), or its own failure.',
};

/** What a verdict means, without backticks; empty for a verdict of a newer version. */
export function meaningOf(verdict: string): string {
  const tables: readonly Readonly<Record<string, Help>>[] = [NODE_HELP, MACHINE_HELP];
  const table = tables.find((help) => Object.hasOwn(help, verdict));
  return (table?.[verdict]?.means ?? '').replaceAll('`', '');
}
