/** Mutants of the rules of pairing and registration: which node is a machine's, when one is registered, and what is written on it. */
import { type Mutant, mutant, unseen } from './mutant.ts';

const ADDRESSES = 'src/network/address.ts';
const ALTERNATIONS = 'src/reconcile/plan/alternations.ts';
const APPLY = 'src/reconcile/apply/apply.ts';
const CHANGES = 'src/reconcile/plan/memory/changes.ts';
const DEREGISTRATION = 'src/reconcile/plan/deregistration.ts';
const KEPT = 'src/reconcile/plan/kept.ts';
const LABELS = 'src/reconcile/plan/labels.ts';
const LAST_CHECK = 'src/reconcile/apply/last-check.ts';
const MACHINES = 'src/reconcile/evidence/machines.ts';
const MARKS = 'src/reconcile/evidence/marks.ts';
const NODE = 'src/reconcile/evidence/node.ts';
const NODE_READER = 'src/reconcile/observe/node-reader.ts';
const OBSERVE = 'src/reconcile/observe/observe.ts';
const OBSTACLES = 'src/reconcile/plan/obstacles.ts';
const PAIR = 'src/reconcile/evidence/pair.ts';
const PLAN = 'src/reconcile/plan/plan.ts';
const RECONCILER = 'src/reconcile/reconciler.ts';
const REGISTRATION = 'src/reconcile/plan/registration.ts';

const UPKEEP = 'src/reconcile/plan/upkeep.ts';
const WRITES = 'src/reconcile/plan/memory/writes.ts';

export const MUTANTS_OF_PAIRING: readonly Mutant[] = [
  // Section 2
  mutant(
    '2: only a complete observation is planned with',
    'a failed list of machines is an empty one',
    [
      OBSERVE,
      "if (fleet.status === 'rejected' || kubernetes.status === 'rejected') throw new ObservationError(failures);",
      "if (kubernetes.status === 'rejected') throw new ObservationError(failures);",
    ],
    [
      OBSERVE,
      'return { ...fleet.value, listing: kubernetes.value };',
      "return { ...(fleet.status === 'fulfilled' ? fleet.value : { machines: new Map(), skippedRecords: 0 }), listing: kubernetes.value };",
    ],
  ),

  // Section 3: words
  unseen('3: a candidate has exactly one usable address', 'of several addresses the first is its own', [
    MACHINES,
    'address: isOne ? only : undefined,',
    'address: only,',
  ]),
  unseen('3: 127.0.0.1 and ::1 are not usable', 'they are', [
    ADDRESSES,
    "{ addresses: /^(127\\.0\\.0\\.1|::1)$/, as: 'loopback' },",
    '',
  ]),
  mutant(
    '3: a shared address is no sign of either',
    'it is a sign of both',
    [PAIR, '(!isAddressShared && reports(node, address))', 'reports(node, address)'],
    [
      PAIR,
      `address: isAddressShared
      ? NONE
      : own(`,
      'address: own(',
    ],
    [REGISTRATION, 'if (!isShared(observation, machine.address)) return undefined;', 'if (true) return undefined;'],
  ),
  mutant('3: reporting: on v1.0 and later False too', 'only True is', [
    NODE,
    "return (facts?.ready === 'false' || hasPosted) && era.falseIsReporting;",
    'return hasPosted && era.falseIsReporting;',
  ]),
  mutant('3: reporting: before v1.0 False is not', 'it is there too', [
    NODE,
    "return (facts?.ready === 'false' || hasPosted) && era.falseIsReporting;",
    "return facts?.ready === 'false' || hasPosted;",
  ]),
  unseen('3: reporting: Unknown in two passes, and its kubelet has posted between them', 'Unknown is never reporting', [
    NODE,
    "return (facts?.ready === 'false' || hasPosted) && era.falseIsReporting;",
    "return facts?.ready === 'false' && era.falseIsReporting;",
  ]),
  unseen('3: reporting: before v0.9 by being listed', 'by its condition there too', [
    NODE,
    "if (era.hidesMinions || facts?.ready === 'true') return true;",
    "if (facts?.ready === 'true') return true;",
  ]),
  unseen(
    '3: its machine: else the one whose id it reports, or that its mark names',
    'what it reports is believed before its mark',
    [PAIR, 'if (marked !== undefined && machines.has(marked)) return marked;', ''],
  ),
  mutant('3: a node that is leaving takes no claim', 'it takes claims', [
    PAIR,
    'if (node.leaving !== undefined) return;',
    '',
  ]),
  mutant(
    '3: a node that is leaving gets no turn',
    'it is deleted in every pass',
    [DEREGISTRATION, 'if (node.leaving !== undefined) {', 'if (false) {'],
    [LAST_CHECK, "if (current.leaving !== undefined) return refused('it is being deleted already');", ''],
  ),

  // Section 3: claims
  mutant('3: a node that reports the id of a listed machine can be of no other', "it can be another's", [
    PAIR,
    'facts !== undefined && facts.machineId !== id && machines.has(facts.machineId);',
    'false;',
  ]),
  mutant('3: id: and is reporting or reports the address', 'its id suffices', [
    PAIR,
    '(node) => isReporting(node, era) || (!isAddressShared && reports(node, address)),',
    '() => true,',
  ]),
  mutant('3: address: and is reporting, or has the given name, or bears its mark', 'its address suffices', [
    PAIR,
    '(node) => isReporting(node, era) || node.name === givenName || isMarked(node),',
    '() => true,',
  ]),
  mutant("3: name: and reports no other candidate's address", 'its name suffices', [
    PAIR,
    '(!isAddressShared || isMarked(node)) && !reportsAnyOf(node, machine, isCandidateAt),',
    '!isAddressShared || isMarked(node),',
  ]),
  mutant('3: mark: under an own-name', 'under any name', [
    PAIR,
    `hasOwnName(node, givenNames) &&
        isReporting(node, era) &&`,
    'isReporting(node, era) &&',
  ]),
  mutant('3: mark: is reporting', 'reporting or not', [
    PAIR,
    `hasOwnName(node, givenNames) &&
        isReporting(node, era) &&`,
    'hasOwnName(node, givenNames) &&',
  ]),
  mutant('3: mark: and reports no address of another machine', 'whatever address it reports', [
    PAIR,
    `isReporting(node, era) &&
        !reportsAnyOf(node, machine, (each) => machinesAt.has(each)),`,
    'isReporting(node, era),',
  ]),
  mutant('3: several nodes: the only one reporting', 'reporting or not is alike', [
    PAIR,
    `    (node) => isReporting(node, era),
    (node) => reports`,
    '    (node) => reports',
  ]),
  mutant("3: several nodes: else the only one at the machine's address", 'at its address or not is alike', [
    PAIR,
    `    (node) => reports(node, machine.address),
`,
    '',
  ]),
  mutant('3: several nodes: else the only one with its mark', 'marked or not is alike', [
    PAIR,
    `    (node) => node.mark?.machineId === machine.id,
  ];`,
    '  ];',
  ]),
  mutant('3: else the machine is in conflict', 'it takes the first of them', [
    PAIR,
    'if (others.length > 0) {',
    'if (false) {',
  ]),
  mutant('3: none of the nodes in conflict is deregistered', 'they are', [
    KEPT,
    'if (observation.pairing.contested.has(node.name)) {',
    'if (false) {',
  ]),
  mutant('3: several machines: the one that its mark names', 'the smallest id', [
    PAIR,
    'if (rival === undefined || node.mark?.machineId === machine.id) {',
    'if (rival === undefined) {',
  ]),

  // Section 3: reading
  unseen('3: ... when its kubelet is silent', 'not then', [
    OBSERVE,
    'return known !== undefined && known.answeredAt.length === 0;',
    'return false;',
  ]),
  unseen('3: ... when two claims meet at it', 'not then', [OBSERVE, 'pairing.claimedTwice.has(node.name) ||', '']),
  unseen('3: ... when it was not reporting the last time', 'not then', [
    OBSERVE,
    ' || !isReporting(node, era)) return true;',
    ') return true;',
  ]),
  unseen('3: ... when a write rests on it', 'not then', [OBSERVE, 'written.has(node.name) ||', '']),
  unseen('3: ... once in ten minutes', 'never again', [NODE_READER, 'nowMs - atMs >= READ_VALID_MS', 'false']),
  unseen('3: more than 100 to read: one whole list', 'each by itself', [
    NODE_READER,
    'if (wanted.length > MAX_SINGLE_READS) {',
    'if (false) {',
  ]),

  // Section 3: registering
  mutant('3: a machine whose kubelet is healthy is registered', 'whatever its kubelet says', [
    REGISTRATION,
    "if (kubelet?.state !== 'healthy') {",
    'if (false) {',
  ]),
  mutant('3: under the name that its last own-name node had', 'always under the given name', [
    REGISTRATION,
    "if (last?.origin === 'own-name' && !taken.has(last.name) && nodeNameProblem(last.name) === undefined) {",
    'if (false) {',
  ]),
  mutant('3: waiting while an unpaired node may still be its own', 'it is registered at once', [
    REGISTRATION,
    'if (obstacle !== undefined) return obstacle;',
    '',
  ]),
  mutant('3: waiting: a node with its id', 'registered', [
    OBSTACLES,
    'if (isInUse && facts?.machineId === machine.id) return',
    'if (false) return',
  ]),
  mutant('3: waiting: a node with its mark', 'registered', [
    OBSTACLES,
    'if (isInUse && mark?.machineId === machine.id) return',
    'if (false) return',
  ]),
  mutant('3: waiting: an unmarked node that reports its address', 'registered', [
    OBSTACLES,
    'if (mark === undefined) return `is unmanaged',
    'if (false) return `is unmanaged',
  ]),
  mutant('3: waiting: an own-name that reports its address and whose machine is not listed', 'registered', [
    OBSTACLES,
    'return isItsOwnName && !isElsewhere ?',
    'return false ?',
  ]),
  mutant('3: waiting: a node of its name that is leaving', 'registered', [
    OBSTACLES,
    'if (node.leaving !== undefined && (node.name === lastName || node.name === givenName)) return',
    'if (false) return',
  ]),
  mutant("3: a name held by another machine's node is a conflict", 'a request', [
    REGISTRATION,
    'if (holder !== undefined) return nameTaken(given.name, holder, observation);',
    '',
  ]),
  unseen('3: already exists is success', 'it has failed', [
    APPLY,
    "return { action, result: 'unneeded', detail: 'it was registered already' };",
    "return { action, result: 'failed', detail: 'it was registered already' };",
  ]),

  // Section 3: adopting and marks
  mutant('3: adopted once it is alive', 'alive or not', [
    UPKEEP,
    'if (known.isReporting || known.answeredAt.length > 0) return { writes',
    'if (true) return { writes',
  ]),
  mutant('3: ADOPT=false never marks', 'it marks', [
    UPKEEP,
    `const obstacle = policy.adopt
`,
    `const obstacle = true
`,
  ]),
  unseen('3: a mark is rewritten after three good passes', 'at once', [
    UPKEEP,
    '(rematched.get(node.uid)?.passes ?? 0) >= PASSES_TO_BELIEVE',
    '(rematched.get(node.uid)?.passes ?? 0) >= 1',
  ]),
  unseen('3: the address is written later only where the node reports none itself', 'whenever it changes', [
    UPKEEP,
    'followsAddress: !known.hasOwnAddress || ',
    'followsAddress: true || ',
  ]),
  mutant('3: the address is written later where the node reports none itself', 'never', [
    UPKEEP,
    'followsAddress: !known.hasOwnAddress || ',
    'followsAddress: ',
  ]),
  unseen('3: ... or its kubelet answers at the address of its machine, which it does not report', 'not then', [
    UPKEEP,
    ' || leadsNowhere(pair, known)',
    '',
  ]),
  unseen('3: ... or does not report now', 'only then', [
    UPKEEP,
    'answeredAt.includes(machine.address) && !(isReporting && reports(node, machine.address))',
    'answeredAt.includes(machine.address) && !isReporting',
  ]),
  unseen('3: origin: own-name where the kubelet chose the name', 'always named', [
    UPKEEP,
    "hasOwnName(node, givenNames) ? ('own-name' as const) : ('named' as const)",
    "'named' as const",
  ]),
  mutant('3: a node of another owner is never touched', 'it is ours', [
    MARKS,
    "if (machineId === '' || (annotations.get(OWNER) || DEFAULT_OWNER) !== ownerId) return undefined;",
    "if (machineId === '') return undefined;",
  ]),
  mutant('3: only keys that we wrote ever change', 'any key that metadata has', [
    LABELS,
    'node.labels.has(key) && !written.has(key)',
    'false',
  ]),
  unseen('3: a key that no machine has takes no label away', 'it does', [
    UPKEEP,
    'removesLabels: absentKeys.length === 0,',
    'removesLabels: true,',
  ]),
  unseen('3: every patch carries the resourceVersion', 'none does', [
    APPLY,
    'nodes.update(node.name, node.uid, node.resourceVersion, change, finish)',
    "nodes.update(node.name, node.uid, '', change, finish)",
  ]),
  unseen('3: a conflict is read and decided again', 'the same is written again', [
    APPLY,
    'const again = changeFor(current, wanted).change;',
    'const again = change;',
  ]),

  // Section 3: what others undo, and turns
  mutant('3: what others undo is done again after a growing time', 'at once each time', [
    WRITES,
    'const pauseMs = write.times < 2 ? 0 : Math.min(2 ** (write.times - 2) * MINUTE, HOUR);',
    'const pauseMs = 0;',
  ]),
  unseen('3: ... at once the first time', 'after a minute', [
    WRITES,
    'write.times < 2 ? 0 : Math.min(2 ** (write.times - 2) * MINUTE, HOUR)',
    'Math.min(2 ** (write.times - 1) * MINUTE, HOUR)',
  ]),
  unseen('3: ... 60 minutes at the longest', 'longer each time', [
    WRITES,
    'Math.min(2 ** (write.times - 2) * MINUTE, HOUR);',
    '2 ** (write.times - 2) * MINUTE;',
  ]),
  unseen('3: ... forgotten once it has stood for an hour', 'never forgotten', [
    WRITES,
    'nowMs - Math.max(atMs, missingAtMs) <= HOUR',
    'true',
  ]),
  unseen('3: not what the other copy rightly deleted', 'that too', [
    PLAN,
    'if (!listed.has(uid) && memory.graces.has(uid)) writes',
    'if (false) writes',
  ]),
  unseen('3: not what we took away', 'that too', [
    RECONCILER,
    'writes.delete(`register ',
    'new Map(writes).delete(`register ',
  ]),
  mutant('3: what goes A, B, A, B is in no row of section 4 and is not written', 'it is like any other', [
    CHANGES,
    'if (returns < RETURNS || last === undefined || other === undefined) return undefined;',
    'if (true) return undefined;',
  ]),
  unseen('3: ... within an hour', 'ever', [
    CHANGES,
    '(all[index + 1]?.atMs ?? nowMs) >= nowMs - ALTERNATION_MS',
    'true',
  ]),
  unseen('3: ... A, B, A, B', 'A, B, A', [CHANGES, 'const RETURNS = 2;', 'const RETURNS = 1;']),
  unseen('3: a node of either is in no row', 'only the machine is', [
    ALTERNATIONS,
    'if (found !== undefined && !ofNodes.has(node.name)) ofNodes.set(node.name, found);',
    '',
  ]),
];
