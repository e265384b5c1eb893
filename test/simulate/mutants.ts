/** Mistakes that the program could have: at least one for each sentence of DESIGN sections 3 and 4 that a pass can break. */

/** Replaces a text that stands in the file exactly once. */
export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Mutant {
  /** DESIGN's, shortened. */
  readonly sentence: string;
  /** What the program does instead. */
  readonly mistake: string;
  /** More than one where two places guard the same rule. */
  readonly edits: readonly Edit[];
  /** Truth cannot see it: only the unit tests are run. */
  readonly isSeenByTests?: boolean;
}

const DEREGISTRATION = 'src/reconcile/deregistration.ts';
const LAST_CHECK = 'src/reconcile/last-check.ts';
const LIVENESS = 'src/reconcile/liveness.ts';
const NODE = 'src/reconcile/node.ts';
const PAIR = 'src/reconcile/pair.ts';
const REGISTRATION = 'src/reconcile/registration.ts';

function mutant(sentence: string, mistake: string, ...edits: readonly (readonly [string, string, string])[]): Mutant {
  return { sentence, mistake, edits: edits.map(([file, from, to]) => ({ file, from, to })) };
}

export const MUTANTS: readonly Mutant[] = [
  // Section 3
  mutant('3: a node that is leaving takes no claim', 'it takes claims', [
    PAIR,
    'if (node.leaving !== undefined) continue;',
    '',
  ]),
  mutant('3: waiting while an unpaired node may still be its own', 'it is registered at once', [
    REGISTRATION,
    'if (obstacle !== undefined) return obstacle;',
    '',
  ]),
  mutant(
    '3: a shared address is no sign of either',
    'it is a sign of both',
    [PAIR, '(!isAddressShared && reports(node, address))', 'reports(node, address)'],
    [PAIR, 'address: isAddressShared\n        ? NONE\n        : own(', 'address: own('],
    [REGISTRATION, 'if (isShared(observation, machine.address)) {', 'if (false) {'],
  ),

  // Section 4
  mutant('4: reporting: on v1.0 and later False too', 'only True is', [
    NODE,
    "return facts?.ready === 'false' && era.falseIsReporting;",
    'return false;',
  ]),
  mutant(
    '4: the kubelet is asked at every usable address in the node status and our annotation',
    "only at its machine's address, or its first",
    [LIVENESS, 'return all.map((address) =>', 'return all.slice(0, 1).map((address) =>'],
    [LAST_CHECK, 'return unasked === undefined', 'return true || unasked === undefined'],
  ),
  mutant('4: an answer of any kind is a sign of life', 'only a healthy kubelet is alive', [
    LIVENESS,
    "if (answer === undefined || answer.state === 'silent') continue;",
    "if (answer?.state !== 'healthy') continue;",
  ]),
  mutant("4: an answer is another node's only while that node is reporting", 'also when it is not', [
    LIVENESS,
    'if (!isReporting(node, era)) continue;\n    const addresses',
    'const addresses',
  ]),
  mutant('4: only if this process has heard the kubelet; else unheard', 'silence proves death', [
    DEREGISTRATION,
    "const needsAnswer = reason === 'unhealthy' || reason === 'metadata-changed';",
    'const needsAnswer = false;',
  ]),
  mutant('4: the last look: its kubelet at every address', 'no kubelet is asked once more', [
    LAST_CHECK,
    "if (answer === undefined || answer.state === 'silent') return undefined;",
    'if (true) return undefined;',
  ]),
  mutant('4: the last look: not reporting', 'a node that reports by now is deleted', [
    LAST_CHECK,
    "if (isReporting(current, era)) return { ...refused('it is reporting after all'), alive: true };",
    '',
  ]),
  mutant('4: nothing is sent when the last look took too long', 'however long it took', [
    LAST_CHECK,
    'if (tookMs > checkTimeoutMs + MARGIN_MS) {',
    'if (false) {',
  ]),
  mutant('4: ... by the monotonic or the wall clock', 'by the monotonic clock alone', [
    LAST_CHECK,
    'Math.max(clock.monotonic() - began.monotonic, Math.abs(clock.wall() - began.wall))',
    'clock.monotonic() - began.monotonic',
  ]),
  mutant('4: veto: cordoned', 'a cordoned node is deregistered', [
    DEREGISTRATION,
    "if (node.facts.unschedulable === true) return 'it is cordoned';",
    '',
  ]),
  mutant('4: pacing', 'all at once', [
    DEREGISTRATION,
    'ready.slice(0, Math.max(1, Math.floor(managed / 100)))',
    'ready',
  ]),
];
