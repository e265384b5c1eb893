/** What counts as having told a person: a warning that names a node or a machine and says what to do. */

import type { MachineVerdictName, NodeVerdictName, Verdict } from '../../src/reconcile/plan/verdict.ts';
import type { PassReport } from '../../src/reconcile/reconciler.ts';

/** Whatever the program says, these are verdicts on a cluster that is well, or that will be by itself. */
const NODE_WARNINGS: ReadonlySet<NodeVerdictName> = new Set<NodeVerdictName>([
  'probe-suspect',
  'not-posting',
  'unmatched',
  'orphan',
  'unheard',
  'conflict',
  'held',
  'leaving',
  'left-over',
  'recognised',
  'vetoed',
  'foreign',
]);
const MACHINE_WARNINGS: ReadonlySet<MachineVerdictName> = new Set<MachineVerdictName>([
  'has-node',
  'unusable',
  'waiting',
  'conflict',
  'unnamed',
  'hidden',
  'refused',
  'undone',
]);
/** The reason of these says what is to be mended, so that nothing follows. */
const NEEDS_NO_NEXT: ReadonlySet<string> = new Set<MachineVerdictName>(['unusable', 'unnamed', 'has-node']);
/** What is decided in these is not over. */
const PASSING: ReadonlySet<string> = new Set(['in-grace', 'queued', 'deregister', 'register', 'adopt', 'undone']);

/** What the last pass of a copy told. */
export class Told {
  readonly #report: PassReport | undefined;

  constructor(report: PassReport | undefined) {
    this.#report = report;
  }

  isNodeWarned(name: string): boolean {
    const verdict = this.#report?.seen?.plan.nodes.get(name);
    return verdict !== undefined && NODE_WARNINGS.has(verdict.name) && isWarning(verdict);
  }

  isMachineWarned(id: string): boolean {
    const verdict = this.#report?.seen?.plan.machines.get(id);
    return verdict !== undefined && MACHINE_WARNINGS.has(verdict.name) && isWarning(verdict);
  }

  /** A warning about something else, or a note, has the text in it. */
  isMentioned(text: string): boolean {
    const { nodes, machines, notes = [] } = this.#report?.seen?.plan ?? {};
    const verdicts: Verdict<string>[] = [...(nodes?.values() ?? []), ...(machines?.values() ?? [])];
    const warned = verdicts.filter((verdict) => isWarning(verdict) && verdict.name !== 'keep');
    return [...warned.map(({ reason, next = '' }) => `${reason}; ${next}`), ...notes.map((note) => note.text)].some(
      (each) => hasWord(each, text),
    );
  }

  /** Something is decided that has not come to its end. */
  get isPassing(): boolean {
    const { plan } = this.#report?.seen ?? {};
    if (plan === undefined) return true;
    const verdicts = [...plan.nodes.values(), ...plan.machines.values()];
    return plan.hold?.kind === 'returned' || verdicts.some(({ name }) => PASSING.has(name));
  }

  verdictOn(node: string): string {
    return this.#report?.seen?.plan.nodes.get(node)?.name ?? 'none';
  }

  /** The verdict with its reason, and what is known of the kubelet. */
  describe(node: string): string {
    const { nodes, evidence } = this.#report?.seen?.plan ?? {};
    const verdict = nodes?.get(node);
    return verdict === undefined
      ? 'none'
      : `${verdict.name}: ${verdict.reason}; ${evidence?.get(node)?.kubeletDetail ?? ''}`;
  }

  describeMachine(id: string): string {
    const verdict = this.#report?.seen?.plan.machines.get(id);
    return verdict === undefined ? 'none' : `${verdict.name}: ${verdict.reason}`;
  }

  /** By `node NAME` and `machine ID`. */
  verdicts(): ReadonlyMap<string, string> {
    const { nodes, machines } = this.#report?.seen?.plan ?? {};
    return new Map([
      ...[...(nodes ?? [])].map(([name, verdict]) => [`node ${name}`, verdict.name] as const),
      ...[...(machines ?? [])].map(([id, verdict]) => [`machine ${id}`, verdict.name] as const),
    ]);
  }
}

function isWarning({ name, isWarning: isMarked, next }: Verdict<string>): boolean {
  return isMarked === true && (next !== undefined || NEEDS_NO_NEXT.has(name));
}

function hasWord(text: string, word: string): boolean {
  const at = text.indexOf(word);
  if (at < 0) return false;
  const next = text.charAt(at + word.length);
  return !/[\w-]/.test(next) && !/\.\w/.test(text.slice(at + word.length, at + word.length + 2));
}
