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
}

const LOOK = 'src/reconcile/apply.ts';
const DEREGISTRATION = 'src/reconcile/deregistration.ts';
const REGISTRATION = 'src/reconcile/registration.ts';
const RESOLVE = 'src/reconcile/resolve.ts';
const UPKEEP = 'src/reconcile/upkeep.ts';
const LABELS = 'src/reconcile/labels.ts';
const MARKS = 'src/reconcile/marks.ts';
const MEMORY = 'src/reconcile/memory.ts';
const OBSERVE = 'src/reconcile/observe.ts';
const READER = 'src/reconcile/node-reader.ts';
const PLAN = 'src/reconcile/plan.ts';
const RECONCILER = 'src/reconcile/reconciler.ts';
const WITNESSES = 'src/reconcile/witnesses.ts';
const MACHINES = 'src/reconcile/machines.ts';
const NAMES = 'src/kubernetes/names.ts';

const ALIVE = "alive: isHeard({ kubelet }) || kubernetes === 'ready' || kubernetes === 'unread',";
const GRACE_MS = "graceMs: reason === 'unhealthy' ? policy.unhealthyGraceMs : policy.missingGraceMs,";

function mutant(sentence: string, mistake: string, ...edits: readonly (readonly [string, string, string])[]): Mutant {
  return { sentence, mistake, edits: edits.map(([file, from, to]) => ({ file, from, to })) };
}

export const MUTANTS: readonly Mutant[] = [
  // Section 3
  mutant(
    '3: a candidate matches the selector',
    'any machine with an address is one',
    [MACHINES, 'return machine.matches && machine.address !== undefined;', 'return machine.address !== undefined;'],
    [REGISTRATION, 'if (!machine.matches) {', 'if (false) {'],
  ),
  mutant('3: ... and it has a usable address', 'of two addresses the first is taken', [
    MACHINES,
    'address: others.length === 0 ? only : undefined,',
    'address: only,',
  ]),
  mutant('3: its node is the one that reports its machine id', 'machine ids are not looked at', [
    RESOLVE,
    '() => byMachineId.get(id) ?? [],',
    '() => [],',
  ]),
  mutant('3: ... or the one whose mark names it, if it is Ready or reports the address', 'marks are not looked at', [
    RESOLVE,
    '() => open(byMark.get(id)).filter((node) => isReady(node) || reports(node, address)),',
    '() => [],',
  ]),
  mutant(
    '3: ... or the one whose mark names it, if it is Ready or reports the address',
    'any node with its mark will do',
    [
      RESOLVE,
      '() => open(byMark.get(id)).filter((node) => isReady(node) || reports(node, address)),',
      '() => open(byMark.get(id)),',
    ],
  ),
  mutant('3: ... or the one of the name that NODE_NAME gives', 'names are not looked at', [
    RESOLVE,
    "() => (given !== undefined && 'name' in given ? open(byName.get(given.name)) : []),",
    '() => [],',
  ]),
  mutant('3: ... or the one that reports its address', 'addresses are not looked at', [
    RESOLVE,
    '() => open(byAddress.get(address)),',
    '() => [],',
  ]),
  mutant('3: empty values never match', 'an empty mark is a mark', [
    MARKS,
    'return node.annotations.get(MACHINE_ID) || undefined;',
    'return node.annotations.get(MACHINE_ID);',
  ]),
  mutant('3: a node whose machineID names another machine is matched by 1 alone', 'it is matched by all steps', [
    RESOLVE,
    "(found ?? []).filter(({ identity }) => identity.machineId === '' || identity.machineId === id);",
    '(found ?? []).filter(() => true);',
  ]),
  mutant(
    '3: a step that several nodes match decides only if one of them is Ready and reports the address',
    'the first of them is taken',
    [
      RESOLVE,
      'if (node !== undefined && others.length === 0) return { machine, node, step };',
      'if (fitting[0] !== undefined) return { machine, node: fitting[0], step };',
    ],
  ),
  mutant('3: ... else the next is asked', 'it is not', [
    RESOLVE,
    'for (const each of fitting) undecided.add(each);',
    "for (const each of fitting) undecided.add(each);\n    if (fitting.length > 0) return { kind: 'ambiguous', nodes: fitting };",
  ]),
  mutant('3: of two machines that come to one node the earlier step wins', 'the later one wins', [
    RESOLVE,
    'if (claim.step !== rival.step) return claim.step < rival.step;',
    'if (claim.step !== rival.step) return claim.step > rival.step;',
  ]),
  mutant('3: ... then the machine that its mark names', 'marks are not looked at', [
    RESOLVE,
    'if (mark === claim.machine.id) return true;\n  if (mark === rival.machine.id) return false;',
    '',
  ]),
  mutant('3: ... then the smallest id', 'the largest wins', [
    RESOLVE,
    'return claim.machine.id < rival.machine.id;',
    'return claim.machine.id > rival.machine.id;',
  ]),
  mutant("3: ... the other's verdict is conflict", 'it has no node', [
    RESOLVE,
    "if (winner !== undefined) conflicts.set(machine.id, { kind: 'taken', node, by: winner.machine });",
    '',
  ]),
  mutant('3: a node is read whole when its uid is new', 'it is not', [
    READER,
    'return this.read(this.#records.filter(({ uid, facts }) => facts === undefined && !this.#known.has(uid)));',
    'return Promise.resolve();',
  ]),
  mutant('3: ... and all that no machine came to before a machine is registered', 'they are not', [
    OBSERVE,
    'if (match === undefined && (registers || isClaimed(node))) return true;',
    '',
  ]),
  mutant('3: no phantom node is made beside a kubelet that registered itself', 'nodes are not listed again', [
    OBSERVE,
    '} else if (registers && !listedAgain && unlistable === undefined) {',
    '} else if (false) {',
  ]),
  mutant('3: a candidate without a node, whose kubelet is healthy, is registered', 'any answer will do', [
    REGISTRATION,
    "if (kubelet?.state !== 'healthy') {",
    "if (kubelet === undefined || kubelet.state === 'silent') {",
  ]),
  mutant('3: a candidate without a node, whose kubelet is healthy, is registered', 'it need not answer', [
    REGISTRATION,
    "if (kubelet?.state !== 'healthy') {",
    'if (false) {',
  ]),
  mutant('3: ... under the name its last node had', 'always under the name that NODE_NAME gives', [
    REGISTRATION,
    'if (last !== undefined && !taken.names.has(last)',
    'if (last === undefined && !taken.names.has(last ??  "")',
  ]),
  mutant('3: ... else under the name NODE_NAME gives', 'under its machine id', [
    'src/reconcile/naming.ts',
    "{ name: rule.kind === 'ip' ? machine.address : machine.id }",
    '{ name: machine.id }',
  ]),
  mutant('3: it gets name, address, marks and labels', 'it gets no mark for its address', [
    LABELS,
    '    [ADDRESS, machine.address],\n    [SINCE, since],',
    '    [SINCE, since],',
  ]),
  mutant('3: "already exists" is success', 'it is a failure', [
    LOOK,
    "return { action, result: 'unneeded', detail: 'it was registered already' };",
    "return { action, result: 'failed', detail: 'it was registered already' };",
  ]),
  mutant('3: a node without a mark is adopted once its kubelet answers or it is Ready', 'it never is', [
    UPKEEP,
    "if (isHeard(testimony) || testimony.kubernetes === 'ready') {",
    'if (false) {',
  ]),
  mutant('3: ... never a dead one', 'dead ones too', [
    UPKEEP,
    "if (isHeard(testimony) || testimony.kubernetes === 'ready') {",
    'if (true) {',
  ]),
  mutant('3: ... nothing else of it is changed', 'what an operator labelled is overwritten', [
    LABELS,
    'const foreign = [...labels.keys()].filter((key) => node.labels.has(key) && !written.has(key));',
    'const foreign: string[] = [];',
  ]),
  mutant('3: ADOPT=false recognises but never marks', 'it marks', [UPKEEP, '  if (!policy.adopt) {', '  if (false) {']),
  mutant('3: the annotation address goes with the mark', 'it stays what it was', [
    LABELS,
    '      [ADDRESS, machine.address],\n      [SINCE,',
    '      [ADDRESS, node.annotations.get(ADDRESS) ?? machine.address],\n      [SINCE,',
  ]),
  mutant('3: since is never rewritten', 'it is, whenever something else is', [
    LABELS,
    '[SINCE, node.annotations.get(SINCE) ?? since],',
    '[SINCE, node.labels.has(MANAGED) ? (node.annotations.get(SINCE) ?? since) : since],',
  ]),
  mutant('3: the label managed is put back when missing', 'it is not', [
    LABELS,
    "...ours, [MANAGED, 'true']]),",
    '...ours]),',
  ]),
  mutant(
    '3: a mark that names another machine is rewritten when fleet has not listed that one for three good passes',
    'at once',
    [UPKEEP, '(unlisted.get(mark) ?? 0) >= PASSES_TO_BELIEVE', '(unlisted.get(mark) ?? 0) >= 1'],
    [OBSERVE, 'const isToBeMarked =', 'const isToBeMarked = mark !== undefined ||'],
  ),
  mutant('3: ... not listed in a row', 'it counts passes in which it was listed', [
    PLAN,
    'if (mark !== undefined && !machines.has(mark)) unlisted',
    'if (mark !== undefined) unlisted',
  ]),
  mutant('3: NODE_LABELS copies fleet metadata keys to node labels', 'only at the registration', [
    LABELS,
    'const ours = new Map([...labels].filter(([key]) => !foreign.includes(key)));',
    'const ours = new Map([...labels].filter(([key]) => written.has(key)));',
  ]),
  mutant('3: ... cleaned to label syntax', 'as they are', [
    NAMES,
    "return text.replace(/[^-A-Za-z0-9_.]/gu, '-').replace(/^[-_.]+|(?<![-_.])[-_.]+$/g, '');",
    'return text;',
  ]),
  mutant('3: labels that we wrote go when the metadata key goes', 'they stay', [
    LABELS,
    'const gone = [...written].filter((key) => !ours.has(key));',
    'const gone: string[] = [];',
  ]),
  mutant('3: the annotation labels lists the keys that we wrote', 'it is left out', [
    LABELS,
    'if (labels.size > 0) annotations.set(LABELS, keyList(labels.keys()));',
    '',
  ]),

  // Section 4
  mutant('4: fleet lists it and it no longer matches', 'that is the same as not being listed', [
    WITNESSES,
    "return machine.matches ? 'matches' : 'no-match';",
    "return machine.matches ? 'matches' : 'not-listed';",
  ]),
  mutant('4: a kubelet that gives any HTTP answer at all is alive', 'only a healthy one is', [
    WITNESSES,
    "return kubelet === 'healthy' || kubelet === 'answers';",
    "return kubelet === 'healthy';",
  ]),
  mutant("4: it is asked at the machine's address", 'only where the node says it is', [
    WITNESSES,
    'const addresses = new Set(own?.address === undefined ? [] : [own.address]);',
    'const addresses = new Set<string>();',
  ]),
  mutant('4: ... or at the address the node carries', 'only at that of its machine', [
    WITNESSES,
    'if (tenant === undefined) addresses.add(address);',
    'if (tenant === undefined) continue;',
  ]),
  mutant('4: ... unless fleet gives that address to a machine', 'another machine answers for it', [
    WITNESSES,
    'const tenant = sight.machinesAt.get(address)?.find((machine) => machine !== own);',
    'const tenant = undefined as Machine | undefined;',
  ]),
  mutant('4: Kubernetes calls the node Ready, or does not, or keeps no conditions', 'no condition is Ready', [
    WITNESSES,
    ALIVE,
    "alive: isHeard({ kubelet }) || kubernetes === 'ready' || kubernetes === 'none' || kubernetes === 'unread',",
  ]),
  mutant('4: before v0.13 nothing is ever deleted, and nothing changed', 'minions are adopted', [
    UPKEEP,
    'if (adoption?.adopts === false || era.hidesMinions) continue;',
    'if (adoption?.adopts === false) continue;',
  ]),
  mutant('4: while the kubelet answers, a node is never deregistered', 'that decides nothing', [
    WITNESSES,
    ALIVE,
    "alive: kubernetes === 'ready' || kubernetes === 'unread',",
  ]),
  mutant('4: while Kubernetes calls it Ready, a node is never deregistered', 'that decides nothing', [
    WITNESSES,
    ALIVE,
    "alive: isHeard({ kubelet }) || kubernetes === 'unread',",
  ]),
  mutant(
    '4: who was not read is not judged',
    'he is dead',
    [WITNESSES, ALIVE, "alive: isHeard({ kubelet }) || kubernetes === 'ready',"],
    [OBSERVE, "return answer === undefined || answer.state === 'silent';", 'return false;'],
  ),
  mutant('4: alive and matching, only Kubernetes says so: probe-suspect', 'keep', [
    DEREGISTRATION,
    "return isHeard(testimony) || testimony.kubernetes === 'unread'",
    'return true',
  ]),
  mutant('4: alive and no longer matching: unmatched', 'it is deregistered like a dead one', [
    DEREGISTRATION,
    '    if (testimony.alive) {',
    "    if (testimony.alive && testimony.fleet !== 'no-match') {",
  ]),
  mutant('4: alive and not listed: orphan', 'it is deregistered like a dead one', [
    DEREGISTRATION,
    '    if (testimony.alive) {',
    "    if (testimony.alive && testimony.fleet !== 'not-listed') {",
  ]),
  mutant('4: not alive and matching: after UNHEALTHY_GRACE', 'after MISSING_GRACE', [
    DEREGISTRATION,
    GRACE_MS,
    'graceMs: policy.missingGraceMs,',
  ]),
  mutant('4: not alive and no longer matching: after MISSING_GRACE', 'after UNHEALTHY_GRACE', [
    DEREGISTRATION,
    GRACE_MS,
    "graceMs: reason !== 'machine-gone' ? policy.unhealthyGraceMs : policy.missingGraceMs,",
  ]),
  mutant('4: not alive and not listed: after MISSING_GRACE', 'after UNHEALTHY_GRACE', [
    DEREGISTRATION,
    GRACE_MS,
    "graceMs: reason !== 'metadata-changed' ? policy.unhealthyGraceMs : policy.missingGraceMs,",
  ]),
  mutant(
    '4: only a node with our mark is ever deleted',
    'any that has a machine or had one',
    [
      DEREGISTRATION,
      'if (testimony === undefined || mark === undefined) continue;',
      'if (testimony === undefined) continue;',
    ],
    [DEREGISTRATION, '{ reason, mark }', "{ reason, mark: mark ?? '' }"],
    [LOOK, 'if (mark === undefined || mark !== markOf(node))', 'if (mark !== markOf(node))'],
  ),
  mutant('4: one without it, dead and without a machine, is foreign', 'it has no verdict', [
    PLAN,
    'nodes.set(name, upkeep.verdicts.get(name) ?? deregistration.verdicts.get(name) ?? foreign(name));',
    'const verdict = upkeep.verdicts.get(name) ?? deregistration.verdicts.get(name);\n    if (verdict !== undefined) nodes.set(name, verdict);',
  ]),
  mutant('4: each row has its own grace', 'one goes on in another row', [
    MEMORY,
    'if (!isInRow(before, row))',
    'if (before === undefined)',
  ]),
  mutant('4: grace starts with the first good pass that sees the row', 'the time before it counts', [
    MEMORY,
    'return { ...row, watchedMs: 0, passes: 1, failures: 0 };',
    'return { ...row, watchedMs: elapsedMs, passes: 1, failures: 0 };',
  ]),
  mutant('4: ... and is dropped by a good pass that sees another', 'it is kept while the node is alive', [
    DEREGISTRATION,
    'graces: new Map(hold === undefined ? gone.map(({ node, grace }) => [node.uid, grace]) : []),',
    'graces: new Map(hold === undefined ? [...memory.graces, ...gone.map(({ node, grace }) => [node.uid, grace] as const)] : []),',
  ]),
  mutant('4: time between two good passes counts up to two intervals', 'all of it counts', [
    MEMORY,
    'return Math.min(Math.max(nowMs - memory.lastGoodMs, 0), 2 * intervalMs);',
    'return Math.max(nowMs - memory.lastGoodMs, 0);',
  ]),
  mutant('4: three good passes in a row must have seen the row', 'one will do', [
    DEREGISTRATION,
    'return Math.max(graceMs - grace.watchedMs, (PASSES_TO_BELIEVE - grace.passes) * intervalMs, 0);',
    'return Math.max(graceMs - grace.watchedMs, 0);',
  ]),
  mutant('4: monotonic clock', 'the time of day', [
    RECONCILER,
    'return { monotonicMs: clock.monotonic(), wall',
    'return { monotonicMs: clock.wall(), wall',
  ]),
  mutant('4: in memory: a restart starts it anew', 'another process goes on where one ended', [
    RECONCILER,
    '#memory: Memory = EMPTY_MEMORY;',
    'static shared: Memory = EMPTY_MEMORY;\n  get #memory() { return Reconciler.shared; }\n  set #memory(memory: Memory) { Reconciler.shared = memory; }',
  ]),
  mutant('4: gone are all marked nodes that are not alive, in grace or past it', 'only those past it', [
    DEREGISTRATION,
    'const hold = guard(gone.filter(({ node }) => !isKept(node)).length,',
    'const hold = guard(gone.filter((each) => !isKept(each.node) && remainingMs(each, policy.intervalMs) === 0).length,',
  ]),
  mutant('4: nodes with a veto count in neither number', 'they count', [
    DEREGISTRATION,
    'const hold = guard(gone.filter(({ node }) => !isKept(node)).length, managed - kept, policy);',
    'const hold = guard(gone.length, managed, policy);',
  ]),
  mutant('4: when gone > 1 and gone / managed > MAX_DEREGISTER_PERCENT', 'the limit is not looked at', [
    DEREGISTRATION,
    'if (!tooMany && gone < managed) return undefined;',
    'if (gone < managed) return undefined;',
  ]),
  mutant('4: ... more than one', 'one is enough', [DEREGISTRATION, 'const tooMany = gone > 1 && ', 'const tooMany = ']),
  mutant('4: ... or when all are gone', 'that is no matter', [
    DEREGISTRATION,
    'if (!tooMany && gone < managed) return undefined;',
    'if (!tooMany) return undefined;',
  ]),
  mutant('4: ... nothing is deregistered', 'it is only said', [
    DEREGISTRATION,
    'const chosen = hold === undefined ? choose(gone, managed, { policy, memory, now }) : new Set<Gone>();',
    'const chosen = choose(gone, managed, { policy, memory, now });',
  ]),
  mutant('4: no grace runs during a hold, and all start anew when it ends', 'they run', [
    DEREGISTRATION,
    'graces: new Map(hold === undefined ? gone.map(({ node, grace }) => [node.uid, grace]) : []),',
    'graces: new Map(gone.map(({ node, grace }) => [node.uid, grace])),',
  ]),
  mutant('4: 100 switches the guard off', 'it holds all the same when all are gone', [
    DEREGISTRATION,
    'if (neverDeregister !== undefined || maxDeregisterPercent >= 100 || gone === 0) return undefined;',
    'if (neverDeregister !== undefined || gone === 0) return undefined;',
  ]),
  mutant('4: registrations go on', 'not during a hold', [
    PLAN,
    'actions: [...registration.actions, ...staying, ...deregistration.actions],',
    'actions: deregistration.hold === undefined ? [...registration.actions, ...staying, ...deregistration.actions] : staying,',
  ]),
  mutant('4: at most 1 %, and at least one, are deregistered in a pass', 'all that are due', [
    DEREGISTRATION,
    'return new Set(due.slice(0, Math.max(1, Math.floor(managed / 100))));',
    'return new Set(due);',
  ]),
  mutant('4: ... at least one', 'none, of fewer than 100', [
    DEREGISTRATION,
    'return new Set(due.slice(0, Math.max(1, Math.floor(managed / 100))));',
    'return new Set(due.slice(0, Math.floor(managed / 100)));',
  ]),
  mutant('4: ... longest gone first', 'last gone first', [
    DEREGISTRATION,
    'b.grace.watchedMs - a.grace.watchedMs ||',
    'a.grace.watchedMs - b.grace.watchedMs ||',
  ]),
  mutant('4: the others are queued', 'they are said to be in grace', [
    DEREGISTRATION,
    "return { name: 'queued', reason, next: 'deregistered when its turn comes' };",
    "return { name: 'in-grace', reason, next: 'deregistered when its turn comes' };",
  ]),
  mutant('4: right before a delete its kubelet is asked once more', 'it is not', [
    LOOK,
    'if (answer !== undefined) return',
    'if (false && answer !== undefined) return',
  ]),
  mutant('4: ... and the node is read again: the same uid', 'any uid', [
    LOOK,
    "if (current.uid !== node.uid) return { detail: 'it is another node of the same name by now' };",
    '',
  ]),
  mutant('4: ... still our mark', 'any mark, or none', [
    LOOK,
    "if (mark === undefined || mark !== markOf(node)) return { detail: 'its mark is not the one we saw' };",
    '',
  ]),
  mutant('4: ... not Ready', 'Ready or not', [
    LOOK,
    "if (current.facts.ready === 'ready') return",
    'if (false) return',
  ]),
  mutant('4: ... without the veto', 'whoever keeps it', [
    LOOK,
    "if (isKept(current)) return { detail: 'kube-register.io/keep is set on it' };",
    '',
  ]),
  mutant('4: the veto kube-register.io/keep=true', 'it is heard in the last look alone, and not there either', [
    MARKS,
    "some((value) => value !== undefined && value !== 'false');",
    'some(() => false);',
  ]),
  mutant('4: ... not cordoned', 'cordoned or not', [
    LOOK,
    'if (current.facts.unschedulable) return',
    'if (false) return',
  ]),
  mutant('4: uid and resourceVersion go along as preconditions', 'none does', [
    'src/kubernetes/node-wire.ts',
    'preconditions: { uid, resourceVersion },',
    'preconditions: {},',
  ]),
  mutant('4: every write is harmless when the other copy has done it already', 'to find a node gone is a failure', [
    LOOK,
    ": { action, result: 'unneeded', detail: 'the node is gone, or another one has its name' };",
    ": { action, result: 'failed', detail: 'the node is gone, or another one has its name' };",
  ]),
  mutant(
    '4: POLICY=register-only never deregisters, nor does ONCE',
    'it does',
    [
      DEREGISTRATION,
      'return neverDeregister !== undefined || graceMs === Number.POSITIVE_INFINITY;',
      'return graceMs === Number.POSITIVE_INFINITY;',
    ],
    [DEREGISTRATION, 'if (policy.neverDeregister !== undefined) return', 'if (false) return'],
  ),
  mutant('4: DRY_RUN=true applies nothing', 'it applies all', [
    LOOK,
    "if (limits.dryRun) return actions.map((action) => ({ action, result: 'dry-run' }));",
    '',
  ]),
];
