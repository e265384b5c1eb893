/** What each verdict means and what an operator may do about it: README's tables, for whoever asks the program instead. */
import type { MachineVerdict, NodeVerdict } from '../reconcile/verdict.ts';

interface Help {
  readonly means: string;
  readonly mayDo: string;
}

/** By verdict of a node. In the words of README, backticks included. */
export const NODE_HELP: Readonly<Record<NodeVerdict['name'], Help>> = {
  keep: { means: 'Its machine matches and it is alive.', mayDo: 'Nothing.' },
  adopt: {
    means: "A machine's, alive, and without a mark: it gets ours in this pass.",
    mayDo: 'Nothing; `ADOPT=false` if you do not want that.',
  },
  recognised: {
    means: "A machine's and without a mark, but not adopted: it is not alive yet, or `ADOPT=false`.",
    mayDo: 'Nothing, or start its kubelet.',
  },
  'probe-suspect': {
    means: 'Kubernetes calls it Ready while its kubelet does not answer us. Kept.',
    mayDo: 'Correct `HEALTHZ_URL`, or the firewall between.',
  },
  unmatched: {
    means: 'Alive, but its machine no longer matches. Kept.',
    mayDo: 'Find who runs a kubelet there, or correct `METADATA`.',
  },
  orphan: {
    means: 'Alive, but fleet does not list its machine. Kept.',
    mayDo: 'Look after fleet and etcd on that machine.',
  },
  'in-grace': {
    means: 'Not alive; its grace is running, and the reason says how far it is.',
    mayDo: 'Bring it back, or keep it with a veto.',
  },
  queued: { means: 'Its grace is over and it waits for its turn.', mayDo: 'Bring it back, or keep it with a veto.' },
  deregister: { means: 'It is deregistered in this pass; in a dry run, it would be.', mayDo: 'Nothing.' },
  held: {
    means: 'Not alive, but too many are gone at once: the mass guard holds.',
    mayDo: 'Find out why so many are gone; the message of the guard has the way out.',
  },
  vetoed: { means: 'Not alive, but you keep it or have cordoned it.', mayDo: 'Lift the veto when you are done.' },
  spared: {
    means: 'Not alive, but the settings never deregister it.',
    mayDo: '`kubectl delete node NAME` if it is gone for good.',
  },
  foreign: {
    means: 'No mark, and no machine comes to it: not ours to touch.',
    mayDo: 'Delete it yourself if it is dead.',
  },
};

/** By verdict of a machine. In the words of README, backticks included. */
export const MACHINE_HELP: Readonly<Record<MachineVerdict['name'], Help>> = {
  'not-selected': { means: 'Its metadata does not match `METADATA`.', mayDo: 'Nothing, or correct the metadata.' },
  unusable: {
    means: 'It matches, but fleet gives it no usable address, or several.',
    mayDo: 'Set its `public_ip` in fleet; several addresses mean a cloned `/etc/machine-id`.',
  },
  'has-node': { means: "It has its node; the node's verdict says the rest.", mayDo: 'Nothing.' },
  register: { means: 'It is registered in this pass; in a dry run, it would be.', mayDo: 'Nothing.' },
  waiting: {
    means: 'It has no node, and its kubelet is not healthy yet.',
    mayDo: 'Read the reason: it names every URL and what came of it.',
  },
  conflict: {
    means: "Its node, its name or its address is another machine's.",
    mayDo: 'Give each machine an id, a name and an address of its own.',
  },
  unnamed: {
    means: 'It has no name that the API server would take.',
    mayDo: 'Read the reason; choose another `NODE_NAME`.',
  },
  hidden: {
    means:
      'It is registered, but the API server (before v0.13) does not list it, for it does not reach its kubelet. Registered again after ten minutes if it is still not listed.',
    mayDo: "See that `http://NAME:10250/healthz` answers the API server's machine.",
  },
  refused: {
    means: 'The API server refused it for what the request says; the same request is not made again for ten minutes.',
    mayDo: 'Read the log line of the refusal.',
  },
};
