/** What has to occur in a simulation for it to show anything: every verdict, reason, hold and refused last look. */
import { MACHINE_VERDICTS, NODE_VERDICTS, REASONS } from '../../src/reconcile/verdict.ts';

const EXPECTED: readonly string[] = [
  ...[...NODE_VERDICTS, ...MACHINE_VERDICTS].map((verdict) => `verdict ${verdict}`),
  ...REASONS.map((reason) => `deregistered: ${reason}`),
  ...['register', 'adopt', 'label', 'deregister'].flatMap((action) => [
    `${action} done`,
    `${action} failed`,
    `${action} dry-run`,
  ]),
  'register unneeded',
  'deregister unneeded',
  ...[
    'its kubelet answers after all',
    'it is another node of the same name by now',
    'its mark is not the one we saw',
    'Kubernetes calls it Ready after all',
    'kube-register.io/keep is set on it',
    'it is cordoned: somebody is at work there',
    'it, or the API server, changed between the last look and the delete',
  ].map((objection) => `last look: ${objection}`),
  'held',
  'observation failed',
];

/** What never occurred. */
export function missing(counts: ReadonlyMap<string, number>): readonly string[] {
  return EXPECTED.filter((what) => !counts.has(what));
}
