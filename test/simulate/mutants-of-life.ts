/** Mutants of the rules of life: whether a node is alive, and when it is deregistered. */
import { type Mutant, mutant, unseen } from './mutant.ts';

const APPLY = 'src/reconcile/apply/apply.ts';
const DEAD = 'src/reconcile/plan/dead.ts';
const DEREGISTRATION = 'src/reconcile/plan/deregistration.ts';
const ENDPOINTS = 'src/reconcile/evidence/endpoints.ts';
const GRACES = 'src/reconcile/plan/memory/graces.ts';
const GUARD = 'src/reconcile/plan/guard.ts';
const KEPT = 'src/reconcile/plan/kept.ts';
const LAST_CHECK = 'src/reconcile/apply/last-check.ts';
const LIVENESS = 'src/reconcile/evidence/liveness.ts';
const MARKS = 'src/reconcile/evidence/marks.ts';
const MEMORY = 'src/reconcile/plan/memory/memory.ts';
const PLAN = 'src/reconcile/plan/plan.ts';
const RECONCILER = 'src/reconcile/reconciler.ts';

export const MUTANTS_OF_LIFE: readonly Mutant[] = [
  // Section 4: alive
  mutant('4: alive when it is reporting', 'only when its kubelet answers', [
    LIVENESS,
    "alive: isUp || kubelet !== 'silent' ||",
    "alive: kubelet !== 'silent' ||",
  ]),
  mutant(
    '4: alive when its kubelet answers',
    'only when it is reporting',
    [LIVENESS, "alive: isUp || kubelet !== 'silent' || ready", "alive: isUp || kubelet === 'unasked' || ready"],
    [
      LAST_CHECK,
      "if (answer === undefined || answer.state === 'silent') return undefined;",
      'if (true) return undefined;',
    ],
  ),
  unseen('4: alive when that could not be found out: its kubelet was not asked', 'not asked is silent', [
    LIVENESS,
    "alive: isUp || kubelet !== 'silent' ||",
    "alive: isUp || (kubelet !== 'silent' && kubelet !== 'unasked') ||",
  ]),
  unseen('4: what was not read is alive', 'it is dead', [
    LIVENESS,
    "ready === 'unread' || ready === 'unreadable',",
    "ready === 'unreadable',",
  ]),
  unseen('4: a shape that we do not know is alive', 'it is dead', [
    LIVENESS,
    "ready === 'unread' || ready === 'unreadable',",
    "ready === 'unread',",
  ]),
  mutant(
    '4: the kubelet is asked at every usable address in the node status and our annotation',
    "only at its machine's address, or its first",
    [
      ENDPOINTS,
      '[...addresses].map((address): KubeletEndpoint =>',
      '[...addresses].slice(0, 1).map((address): KubeletEndpoint =>',
    ],
    [LAST_CHECK, 'return unchecked === undefined', 'return true || unchecked === undefined'],
  ),
  unseen('4: ... and at the one that is its name', 'not there', [
    ENDPOINTS,
    'if (!addresses.has(node.name)) addUnlessAnothers(usableAddress(node.name));',
    '',
  ]),
  unseen('4: ... and where it answered before', 'not where fleet has another machine', [
    ENDPOINTS,
    'answered.forEach(era.keepsConditions ? add : addUnlessAnothers);',
    'answered.forEach(addUnlessAnothers);',
  ]),
  unseen('4: ... but where nobody writes conditions, not where fleet has another machine', 'there too', [
    ENDPOINTS,
    'answered.forEach(era.keepsConditions ? add : addUnlessAnothers);',
    'answered.forEach(add);',
  ]),
  unseen('4: ... and at the machine whose ID it reports', 'at the one of its mark alone', [
    ENDPOINTS,
    'const ids = this.#pairing.byMachine.has(reported) ? [mark?.machineId] : [mark?.machineId, reported];',
    'const ids = [mark?.machineId];',
  ]),
  unseen('4: an answer at an address of two may be its own', 'not where it answered elsewhere', [
    ENDPOINTS,
    'isKnownElsewhere && owners.isBehindNat(address, node) && !answered.includes(address)',
    'isKnownElsewhere',
  ]),
  unseen("4: ... at a former address it is the other's", 'it may be its own', [
    ENDPOINTS,
    'if (reportsItsMachine(node, machine) && !isPresent(address)) return { address, otherNode };',
    '',
  ]),
  unseen('4: ... unless that is a former address', 'though it is', [
    ENDPOINTS,
    'isPresent(address) && owners.otherNodeAt(address, node) === undefined',
    'owners.otherNodeAt(address, node) === undefined',
  ]),
  unseen('4: ... also where fleet lists the machine of the other elsewhere', 'only by the ID that it reports', [
    ENDPOINTS,
    'const machine = this.#machineOf(other);',
    "const machine = this.#lists.machines.get(other.facts?.machineId ?? '');",
  ]),
  unseen('4: ... also where fleet lists the machine of the other elsewhere', 'only where both are listed', [
    ENDPOINTS,
    '? this.#isListedElsewhere(otherNode, address)',
    '? false',
  ]),
  mutant('4: ... and our annotation', 'not there', [
    ENDPOINTS,
    'if (!addresses.has(written)) add(usableAddress(written));',
    '',
  ]),
  mutant(
    '4: an answer of any kind is a sign of life',
    'only a healthy kubelet is alive',
    [
      LIVENESS,
      "if (answer === undefined || answer.state === 'silent') continue;",
      "if (answer?.state !== 'healthy') continue;",
    ],
    [
      LAST_CHECK,
      "if (answer === undefined || answer.state === 'silent') return undefined;",
      "if (answer?.state !== 'healthy') return undefined;",
    ],
  ),
  unseen("4: an answer is not this node's when another reporting node has the address", "it is everybody's", [
    ENDPOINTS,
    'if (otherNode === undefined) return { address, otherNode };',
    'return { address, otherNode: undefined };',
  ]),
  mutant("4: an answer is another node's only while that node is reporting", 'also when it is not', [
    ENDPOINTS,
    `if (!isReporting(node, era)) return;
    const addresses`,
    'const addresses',
  ]),
  mutant(
    '4: ... or is the node of the machine at the address and reports no address that is its alone',
    'whatever it reports',
    [ENDPOINTS, 'if (!owners.hasOwnAddress(node)) addTo(others, address, node);', 'addTo(others, address, node);'],
  ),
  mutant('4: of an address that fleet gives to two machines an answer may be its own', "it is another's", [
    ENDPOINTS,
    'if (isMachines && isShared(lists, address)) return { address, otherNode: undefined };',
    '',
  ]),
  mutant('4: ... and so may one where the node of another host has the address', "it is the other's", [
    ENDPOINTS,
    'return { address, otherNode, isContested };',
    'return { address, otherNode, isContested: false };',
  ]),
  unseen('4: an answer that may be its own keeps it and proves nothing', 'it counts as an answer', [
    LIVENESS,
    'if (isContested !== true) answeredAt = answeredAt.concat(address);',
    'answeredAt = answeredAt.concat(address);',
  ]),
  unseen('4: ... or at whose address its kubelet answered, while it has no node', 'it is not', [
    PLAN,
    ', ...perhapsPairs(observation, evidence, memory)]',
    ']',
  ]),
  unseen('4: where a kubelet answered holds for another server too', 'it is forgotten', [
    MEMORY,
    'held, answered, besideOthers };',
    'held, besideOthers };',
  ]),
  unseen('4: a left-over node with a veto is a warning', 'it is not', [
    KEPT,
    "if (row === 'left-over') return",
    "if (row === 'unhealthy') return",
  ]),
  unseen('4: a node that can be checked nowhere is a warning', 'it is not', [
    KEPT,
    'nowhereVerdict(row, input) ??',
    '',
  ]),
  unseen('4: the kubelet is asked where the machine is that was paired with the node last', 'it is not', [
    ENDPOINTS,
    'this.#lastAt.get(node.uid)?.forEach(add);',
    '',
  ]),

  // Section 4: the table
  mutant('4: another node of its machine reports: left-over', 'it is like any other', [
    DEREGISTRATION,
    "if (successor !== undefined) return 'left-over';",
    '',
  ]),
  unseen('4: left-over after MISSING_GRACE', 'after UNHEALTHY_GRACE', [
    DEAD,
    "const graceMs = reason === 'unhealthy' ?",
    "const graceMs = reason === 'unhealthy' || reason === 'left-over' ?",
  ]),
  unseen('4: machine-gone after MISSING_GRACE', 'after UNHEALTHY_GRACE', [
    DEAD,
    "const graceMs = reason === 'unhealthy' ?",
    "const graceMs = reason === 'unhealthy' || reason === 'machine-gone' ?",
  ]),
  unseen('4: unhealthy after UNHEALTHY_GRACE', 'after MISSING_GRACE', [
    DEAD,
    "const graceMs = reason === 'unhealthy' ? policy.unhealthyGraceMs : policy.missingGraceMs;",
    'const graceMs = policy.missingGraceMs;',
  ]),
  mutant('4: only if this process has heard the kubelet; else unheard', 'silence proves death', [
    KEPT,
    "const needsAnswer = reason === 'unhealthy' || reason === 'metadata-changed';",
    'const needsAnswer = false;',
  ]),
  unseen('4: ... metadata-changed too', 'only unhealthy', [
    KEPT,
    "const needsAnswer = reason === 'unhealthy' || reason === 'metadata-changed';",
    "const needsAnswer = reason === 'unhealthy';",
  ]),
  mutant('4: ... at an address that is asked now', 'anywhere', [
    KEPT,
    '!known.endpoints.some(({ address }) => answered.includes(address))',
    'answered.length === 0',
  ]),
  mutant('4: ... and has not given it the verdict probe-suspect since', 'that changes nothing', [
    DEREGISTRATION,
    'const heardAt = isSuspect ? [] : answeredAt;',
    'const heardAt = answeredAt;',
  ]),
  unseen('4: probe-suspect and not-posting after ten minutes', 'at once', [
    GRACES,
    'export const MISMATCH_MS = 10 * 60_000;',
    'export const MISMATCH_MS = 0;',
  ]),
  unseen('4: orphan is a warning', 'a note', [
    KEPT,
    `isWarning: true,
      };
    case 'matches':`,
    `};
    case 'matches':`,
  ]),

  // Section 4: veto, settings, guard
  mutant('4: veto: keep', 'a node that is kept is deregistered', [
    MARKS,
    "return [node.annotations.get(KEEP), node.labels.get(KEEP)].some((value) => value !== undefined && value !== 'false');",
    'return false;',
  ]),
  mutant(
    '4: veto: cordoned',
    'a cordoned node is deregistered',
    [KEPT, "if (node.facts.unschedulable === true) return 'the node is cordoned';", ''],
    [LAST_CHECK, "if (current.facts.unschedulable !== false) return refused('it is cordoned');", ''],
  ),
  unseen('4: a veto ends the grace, as life does', 'a grace goes on where it was', [
    DEREGISTRATION,
    'new Map(hold === undefined ? dead.map(({ node, grace }) => [node.uid, grace]) : [])',
    'new Map([...(hold === undefined ? memory.graces : []), ...(hold === undefined ? dead.map(({ node, grace }) => [node.uid, grace] as const) : [])])',
  ]),
  unseen('4: cordoned and missing from fleet is a warning with the command', 'it is not', [
    KEPT,
    "return fleet === 'not-listed' ? `if the machine",
    "return fleet === 'no-match' ? `if the machine",
  ]),
  mutant('4: POLICY=register-only', 'it deletes', [
    KEPT,
    'if (policy.neverDeregister !== undefined) {',
    'if (false) {',
  ]),
  mutant(
    '4: a grace that is never',
    'it passes',
    [KEPT, '=== Number.POSITIVE_INFINITY) {', '=== -1) {'],
    [
      DEAD,
      "const graceMs = reason === 'unhealthy' ? policy.unhealthyGraceMs : policy.missingGraceMs;",
      "const graceMs = Math.min(reason === 'unhealthy' ? policy.unhealthyGraceMs : policy.missingGraceMs, 180_000);",
    ],
  ),
  unseen('4: guard: more than MAX_DEREGISTER_PERCENT', 'that much or more', [
    GUARD,
    'return part * 100 > percent * whole;',
    'return part * 100 >= percent * whole;',
  ]),
  unseen('4: guard: nothing is rounded', 'percent are rounded', [
    GUARD,
    'return part * 100 > percent * whole;',
    'return Math.round((part * 100) / whole) > percent;',
  ]),
  unseen('4: guard: more than one', 'one suffices', [GUARD, 'notAlive.length > 1 && exceeds', 'exceeds']),
  unseen('4: guard: or all are', 'not even then', [
    GUARD,
    'if (!isTooMany && notAlive.length < counted) return undefined;',
    'if (!isTooMany) return undefined;',
  ]),
  unseen('4: guard: vetoed nodes count in neither number', 'they count', [
    DEREGISTRATION,
    'return veto === undefined && !isLeftOver;',
    'return !isLeftOver;',
  ]),
  unseen('4: guard: left-over nodes count in neither number', 'they count', [
    DEREGISTRATION,
    'return veto === undefined && !isLeftOver;',
    'return veto === undefined;',
  ]),
  unseen('4: guard: of the machines of deregistered nodes more than one came back', 'one suffices', [
    GUARD,
    'if (returned.length <= 1 || !exceeds',
    'if (returned.length <= 0 || !exceeds',
  ]),
  unseen('4: guard: ... and more than 5 %', 'more than one suffices', [
    GUARD,
    'if (returned.length <= 1 || !exceeds(returned.length, managed, RETURNED_PERCENT)) return undefined;',
    'if (returned.length <= 1) return undefined;',
  ]),
  unseen('4: guard: a hold lasts until its nodes are alive or deleted', 'until too few are left', [
    GUARD,
    'if (now !== undefined || held === undefined) return now;',
    'if (true) return now;',
  ]),
  unseen('4: guard: ... or all vetoed', 'also then', [GUARD, 'stillHeld.every(({ isVetoed }) => isVetoed)', 'false']),
  unseen('4: guard: ... and takes no others in', 'all that are not alive', [
    DEREGISTRATION,
    'if (hold.isLasting !== true) for',
    'if (true) for',
  ]),
  unseen('4: guard: ... measured against the number when it began', 'against that of now', [
    GUARD,
    'counted: held.counted, limit',
    'counted, limit',
  ]),
  unseen('4: guard: a left-over is one of the machine that its mark names', 'also of one whose ID it reports', [
    DEREGISTRATION,
    ' && node.mark.machineId === known.machineId;',
    ';',
  ]),
  unseen('4: guard: ... with a kubelet that answers', 'healthy or not', [
    DEREGISTRATION,
    "if (answer !== undefined && answer.state !== 'silent') return true;",
    'if (machines.has(id)) return true;',
  ]),
  unseen("4: guard: a left-over's machine is not one of these", 'it is', [
    RECONCILER,
    "if (reason !== 'left-over') {",
    'if (true) {',
  ]),
  unseen('4: guard: that hold lasts an hour more', 'ten minutes', [
    MEMORY,
    'const RETURN_MS = 60 * 60_000;',
    'const RETURN_MS = 10 * 60_000;',
  ]),
  unseen('4: all graces end with a hold', 'they go on', [
    DEREGISTRATION,
    'new Map(hold === undefined ? dead.map',
    'new Map(true ? dead.map',
  ]),

  // Section 4: grace and pacing
  unseen('4: unhealthy has a grace of its own', 'all share one', [
    GRACES,
    "return (a === 'unhealthy') === (b === 'unhealthy');",
    'return true;',
  ]),
  unseen('4: left-over, machine-gone and metadata-changed share one', 'each has its own', [
    GRACES,
    "return (a === 'unhealthy') === (b === 'unhealthy');",
    'return a === b;',
  ]),
  unseen('4: when one takes over the log says so', 'it does not', [
    DEREGISTRATION,
    'found.notes.push(newGrace(dead, before, input.now));',
    '',
  ]),
  unseen('4: at most two intervals count between two good passes', 'all that went by', [
    GRACES,
    'return Math.min(Math.max(nowMs - lastGoodMs, 0), 2 * intervalMs);',
    'return Math.max(nowMs - lastGoodMs, 0);',
  ]),
  unseen('4: three good passes in a row at the least', 'one', [
    DEAD,
    '(PASSES_TO_BELIEVE - grace.passes) * intervalMs, 0);',
    '0);',
  ]),
  unseen('4: the grace is watched to its end', 'it is not waited for', [
    DEAD,
    'return Math.max(graceMs - grace.watchedMs, (PASSES',
    'return Math.max((PASSES',
  ]),
  unseen('4: a pass that ran into its deadline is not a good one', 'it counts', [
    RECONCILER,
    'if (seen !== undefined) this.#memory = withoutProgress(this.#memory, before);',
    '',
  ]),
  mutant('4: pacing', 'all at once', [DEAD, 'ready.slice(0, Math.max(1, Math.floor(managed / 100)))', 'ready']),
  unseen('4: pacing: longest gone first', 'by name', [
    DEAD,
    `b.grace.watchedMs - a.grace.watchedMs ||
      b.grace.passes - a.grace.passes ||`,
    '',
  ]),
  unseen('4: pacing: those that failed before last', 'failed or not', [
    DEAD,
    'a.grace.failures - b.grace.failures ||',
    '',
  ]),

  // Section 4: the last look
  unseen('4: the last look: which API server it is', 'it is not asked', [
    LAST_CHECK,
    'if (now.abilities !== era.abilities) return',
    'if (false) return',
  ]),
  mutant('4: the last look: its kubelet at every address', 'no kubelet is asked once more', [
    LAST_CHECK,
    "if (answer === undefined || answer.state === 'silent') return undefined;",
    'if (true) return undefined;',
  ]),
  unseen('4: ... at every address', 'at the first', [
    LAST_CHECK,
    'Promise.all(endpoints.map(({ address }) => kubelets.check(address, begin))),',
    'Promise.all(endpoints.slice(0, 1).map(({ address }) => kubelets.check(address, begin))),',
  ]),
  mutant('4: the last look: not reporting', 'a node that reports by now is deleted', [
    LAST_CHECK,
    "if (isReporting(now, era)) return { ...refused('it is reporting again'), alive: true };",
    '',
  ]),
  unseen('4: the last look: not posted since it was read', 'Unknown is enough', [
    LAST_CHECK,
    'hasPosted: hasPosted(node.facts, current.facts)',
    'hasPosted: false',
  ]),
  unseen('4: the last look: same uid', 'whatever has the name', [
    LAST_CHECK,
    "if (current.uid !== node.uid) return refused('another node has its name now');",
    '',
  ]),
  mutant('4: the last look: our mark', 'marked or not', [
    LAST_CHECK,
    "if (current.mark?.machineId !== machineId) return refused('its kube-register annotations have changed');",
    '',
  ]),
  mutant('4: the last look: no keep', 'kept or not', [
    LAST_CHECK,
    "if (isKept(current)) return refused('kube-register.io/keep is set');",
    '',
  ]),
  mutant('4: the last look: not cordoned', 'cordoned or not', [
    LAST_CHECK,
    "if (current.facts.unschedulable !== false) return refused('it is cordoned');",
    '',
  ]),
  mutant('4: the last look: not leaving', 'leaving or not', [
    LAST_CHECK,
    "if (current.leaving !== undefined) return refused('it is being deleted already');",
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
  mutant(
    "4: an answer that was another node's is passed over only while that node still reports",
    'whatever that node does',
    [LAST_CHECK, 'isStillAt(otherNode, toNode(current, ownerId), address, era);', 'true;'],
    [LAST_CHECK, '    current !== undefined &&\n', ''],
  ),
  mutant('4: an address that the node reports by now and that was not asked is an objection', 'it is not', [
    LAST_CHECK,
    'return unchecked === undefined ?',
    'return true ?',
  ]),
  unseen('4: uid is a precondition', 'any uid', [
    APPLY,
    'clients.nodes.remove(name, uid, resourceVersion, options.finish)',
    "clients.nodes.remove(name, '', resourceVersion, options.finish)",
  ]),
  unseen('4: resourceVersion is a precondition', 'any version', [
    APPLY,
    'clients.nodes.remove(name, uid, resourceVersion, options.finish)',
    "clients.nodes.remove(name, uid, '', options.finish)",
  ]),
  unseen('4: what a server can do decides what is remembered', 'everything is remembered of every server', [
    MEMORY,
    'if (memory.abilities === undefined || memory.abilities === abilities) return memory;',
    'if (true) return memory;',
  ]),
];
