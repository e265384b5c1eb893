/** The nodes that need attention: one finding for each kind of trouble, with the command that resolves it. */

import type { Evidence, Observation } from '../../../reconcile/evidence/liveness.ts';
import { SINCE } from '../../../reconcile/evidence/marks.ts';
import type { Node } from '../../../reconcile/evidence/node.ts';
import { MISMATCH_MS } from '../../../reconcile/plan/memory/graces.ts';
import type { Plan } from '../../../reconcile/plan/plan.ts';
import { plural } from '../../../text/plural.ts';
import { examples, type Found, warning } from '../finding.ts';
import { commandIn, isPlain } from '../mends.ts';

/** `wallMs` is the wall clock of the observation, in ms since 1970. */
export function nodeWarnings(observation: Observation, plan: Plan, wallMs: number): readonly Found[] {
  return [
    ...unlistable(observation),
    ...held(plan),
    ...unreachable(plan),
    ...notPosting(observation, plan, wallMs),
    ...machinesWarned(plan),
    ...leaving(plan),
    ...leftOver(plan),
  ];
}

function unlistable({ unlistable: why }: Observation): readonly Found[] {
  if (why === undefined) return [];
  return [warning(`the nodes cannot be listed now: ${why}`, 'fleetctl list-units | grep kubelet')];
}

function held({ hold }: Plan): readonly Found[] {
  return hold === undefined ? [] : [warning(hold.message, 'kube-register status --verdict held')];
}

/** One observation does not show whether the health check fails or the node dies; both need attention. */
function unreachable(plan: Plan): readonly Found[] {
  const names = nodesOf(plan, (known) => known.isReporting && known.kubelet === 'silent');
  if (names.length === 0) return [];
  return [
    warning(
      `${examples(`${plural(names.length, 'node')} reporting while the kubelet is unreachable`, names)} (see kubelets)`,
      'KUBE_REGISTER_HEALTHZ_URL=http://{ip}:PORT/healthz',
    ),
  ];
}

function notPosting({ era, nodes }: Observation, plan: Plan, wallMs: number): readonly Found[] {
  if (!era.keepsConditions) return [];
  const isMeant = ({ isReporting, answeredAt, ready, successor }: Evidence) =>
    !isReporting && answeredAt.length > 0 && successor === undefined && ready !== 'unread' && ready !== 'unreadable';
  const isNew = new Set(nodes.filter((node) => isJustRegistered(node, wallMs)).map(({ name }) => name));
  const names = nodesOf(plan, isMeant).filter((name) => !isNew.has(name));
  const [first = ''] = names;
  if (names.length === 0) return [];
  return [
    warning(
      `${examples(`${plural(names.length, 'node')} not reporting while the kubelet is reachable`, names)}; ` +
        'that kubelet has just started, uses another name, or cannot reach the API server',
      `--hostname-override=${isPlain(first) ? first : 'NAME'} in the unit of that kubelet, or KUBE_REGISTER_NODE_NAME=ip`,
    ),
  ];
}

/** Its kubelet has never posted, and has not had the time that a pass gives it. */
function isJustRegistered({ annotations, facts }: Node, wallMs: number): boolean {
  return facts?.ready === 'none' && wallMs - Date.parse(annotations.get(SINCE) ?? '') < MISMATCH_MS;
}

function nodesOf({ evidence, nodes }: Plan, isMeant: (known: Evidence) => boolean): readonly string[] {
  return [...evidence]
    .filter(([name, known]) => nodes.get(name)?.name !== 'leaving' && isMeant(known))
    .map(([name]) => name);
}

/** Machines whose verdict is a warning, for each of these words. */
function machinesWarned({ machines }: Plan): readonly Found[] {
  const kinds = { waiting: 'with a healthy kubelet, not registered', 'has-node': 'whose node needs attention' };
  return Object.entries(kinds).flatMap(([verdict, what]) => {
    const found = [...machines].filter(([, { name, isWarning }]) => name === verdict && isWarning === true);
    const [first] = found;
    if (first === undefined) return [];
    const each = found.map(([id, { reason }]) => `${id}: ${reason}`);
    const mend = commandIn(first[1].next) ?? 'kubectl get nodes -o wide';
    return [warning(examples(`${plural(found.length, 'machine')} ${what}`, each), mend)];
  });
}

function leaving({ nodes }: Plan): readonly Found[] {
  const found = [...nodes].filter(([, { name }]) => name === 'leaving');
  const [first] = found;
  if (first === undefined) return [];
  const each = found.map(([name, { reason }]) => `${name}: ${reason}`);
  const fallback = "kubectl get nodes -o jsonpath='{.items[*].metadata.finalizers}'";
  return [
    warning(examples(`${plural(found.length, 'node')} being deleted`, each), commandIn(first[1].next) ?? fallback),
  ];
}

/** Nodes that are probably not in use. */
function leftOver({ nodes }: Plan): readonly Found[] {
  const found = [...nodes].filter(([, { name }]) => name === 'left-over');
  const [first] = found;
  if (first === undefined) return [];
  const each = found.map(([name, { reason }]) => `${name}: ${reason}`);
  return [
    warning(
      examples(`${plural(found.length, 'node')} left over`, each),
      commandIn(first[1].next) ?? 'kubectl get nodes -o wide',
    ),
  ];
}
