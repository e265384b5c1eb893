/** The checks of identity: machines at one address, machines and nodes that match several ways, and nodes with one machine ID. */

import type { Observation } from '../../../reconcile/evidence/liveness.ts';
import { isCandidate, type Machine, machinesByAddress } from '../../../reconcile/evidence/machines.ts';
import { isReporting } from '../../../reconcile/evidence/node.ts';
import type { Plan } from '../../../reconcile/plan/plan.ts';
import { plural } from '../../../text/plural.ts';
import { quote } from '../../../text/quote.ts';
import { examples, type Found, ok, warning, wrong } from '../finding.ts';
import { commandIn, isPlain } from '../mends.ts';

const OWN_ADDRESS = `echo 'public_ip="ADDRESS"' | sudo tee -a /etc/fleet/fleet.conf && sudo systemctl restart fleet # on each of them`;
/** A container needs the host's file; a cloned disk needs another one. */
const OWN_MACHINE_ID =
  '--volume=/etc/machine-id:/etc/machine-id:ro in the unit that runs the kubelet in a container; on a cloned host: rm /etc/machine-id && systemd-machine-id-setup && reboot';

/** `named` are machines that the check `names` is about. */
export function checkConflicts(
  { machines, pairing }: Observation,
  { machines: verdicts }: Plan,
  named: ReadonlySet<string>,
): readonly Found[] {
  const shared = sharedBy(machines);
  const atShared = new Set(shared.flatMap(([, tenants]) => tenants.map(({ id }) => id)));
  const others = [...verdicts].filter(([id, { name }]) => name === 'conflict' && !atShared.has(id) && !named.has(id));
  const ambiguous = others.filter(([id]) => pairing.conflicts.get(id)?.kind === 'ambiguous');
  const taken = others.filter(([id]) => pairing.conflicts.get(id)?.kind !== 'ambiguous');
  const each = (list: typeof others) => list.map(([id, { reason }]) => `${id}: ${reason}`);
  const found = [
    ...shared.map(([address, tenants]) =>
      wrong(
        `fleet lists ${address} for ${examples(
          plural(tenants.length, 'machine'),
          tenants.map(({ id }) => id),
        )}; none of them is registered`,
        OWN_ADDRESS,
      ),
    ),
    ...(ambiguous.length > 0
      ? [
          wrong(
            examples(`${plural(ambiguous.length, 'machine')} matched by several nodes`, each(ambiguous)),
            commandIn(ambiguous[0]?.[1].next) ?? 'kubectl get nodes -o wide',
          ),
        ]
      : []),
    ...(taken.length > 0
      ? [wrong(examples(plural(taken.length, 'machine'), each(taken)), 'fleetctl list-machines --full')]
      : []),
  ];
  return found.length > 0 ? found : [ok('no two machines share a node, a name or an address')];
}

/** Addresses that fleet gives to several machines, one of which may get a node. */
function sharedBy(machines: ReadonlyMap<string, Machine>): readonly (readonly [string, readonly Machine[]])[] {
  return [...machinesByAddress(machines.values())].filter(
    ([, tenants]) => tenants.length > 1 && tenants.some(isCandidate),
  );
}

/** Kubelets in containers report the machine ID of their image; clones report that of the disk they were made from. */
export function checkMachineIds({ nodes, era }: Observation): readonly Found[] {
  const reporters = new Map<string, string[]>();
  for (const node of nodes) {
    const id = node.facts?.machineId ?? '';
    if (id === '' || !isReporting(node, era)) continue;
    reporters.set(id, [...(reporters.get(id) ?? []), node.name]);
  }
  const repeated = [...reporters].filter(([, names]) => names.length > 1);
  if (repeated.length === 0) return [ok('no two nodes report the same machine ID')];
  return repeated.map(([id, names]) =>
    warning(
      `machine ID ${isPlain(id) ? id : quote(id)} is reported by ${examples(plural(names.length, 'node'), names)}; ` +
        'their kubelets run in containers that hide /etc/machine-id, or the hosts are clones; such nodes are matched only by address and name',
      OWN_MACHINE_ID,
    ),
  );
}
