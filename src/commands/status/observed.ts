/** A status that one pass of a command has observed, without what only a daemon knows or does. */
import type { NodeStatus, Status } from '../../status/document.ts';
import { graceOf } from '../../status/grace-of.ts';
import { formatDuration } from '../../time/duration.ts';

type Verdict = Pick<NodeStatus, 'verdict' | 'reason' | 'since' | 'next' | 'due'>;

/** One pass does not know since when anything is so, and nothing is due, since no daemon watches. */
export function asObserved(status: Status): Status {
  const { machines, nodes, fleet, kubernetes, pass, guard } = status;
  return {
    ...status,
    source: 'observation',
    // What the settings of a daemon say is not known here.
    dryRun: false,
    fleet: { ...fleet, since: null },
    kubernetes: { ...kubernetes, since: null },
    guard: {
      ...guard,
      message: guard.message?.replace(/^deletion guard active:/, 'deletion guard would be active:') ?? null,
    },
    pass: { ...pass, last: pass.last && { ...pass.last, actions: [] }, next: null },
    machines: machines.map((machine) => ({
      ...machine,
      ...withoutDaemon(machine, 'would be registered by a daemon'),
      kubelet: machine.kubelet && { ...machine.kubelet, since: null },
    })),
    nodes: nodes.map((node) => ({ ...node, ...withoutDaemon(node, nextOfNode(node, status)) })),
  };
}

/** Verdicts that say what a daemon does, and not what is to be done about it. */
const DONE_BY_DAEMON: ReadonlySet<string> = new Set(['register', 'adopt', 'deregister', 'in-grace', 'queued']);

function withoutDaemon({ verdict, reason, next }: Verdict, byDaemon: string): Verdict {
  return {
    verdict,
    reason: reason.replace(/ for \S+ of \S+, seen in \d+ pass(es)?/, ''),
    since: null,
    next: DONE_BY_DAEMON.has(verdict) ? byDaemon : next,
    due: null,
  };
}

function nextOfNode({ verdict, evidence }: NodeStatus, { rules }: Status): string {
  if (verdict === 'adopt') return 'would be adopted by a daemon';
  const [setting, graceMs] = graceOf(evidence, rules);
  const grace = graceMs === null ? '' : ` after ${formatDuration(graceMs)} of watched time (${setting})`;
  return `would be deregistered by a daemon${grace}`;
}
