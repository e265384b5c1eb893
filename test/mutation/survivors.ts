/** The mutants that no test kills, each with the reason why none can. */

/** The lines that a mutant is on, before and after, each put on one line. */
export interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export const SURVIVORS: readonly (Change & { readonly why: string })[] = [
  {
    file: 'src/reconcile/evidence/pair.ts',
    from: "for (const given of lists.names.values()) if ('name' in given) givenNames.add(given.name);",
    to: 'for (const given of lists.names.values()) if (true) givenNames.add(given.name);',
    why: 'no node has the name undefined: the check is for the compiler',
  },
  {
    file: 'src/reconcile/evidence/pair.ts',
    from: 'const candidates = [...lists.machines.values()].filter(isCandidate).sort((a, b) => (a.id < b.id ? -1 : 1));',
    to: 'const candidates = [...lists.machines.values()].filter(isCandidate).sort((a, b) => (a.id <= b.id ? -1 : 1));',
    why: 'two machines have two IDs',
  },
  {
    file: 'src/reconcile/evidence/pair.ts',
    from: "nodesAt(index.byName, givenName ?? ''),",
    to: 'nodesAt(index.byName, givenName ?? "Stryker was here!"),',
    why: 'no node has either name',
  },
  {
    file: 'src/reconcile/evidence/pair.ts',
    from: 'if (matching.length <= 1) return matching;',
    to: 'if (false) return matching;',
    why: 'it only saves time: the only one stays',
  },
  {
    file: 'src/reconcile/evidence/pair.ts',
    from: 'if (matching.length <= 1) return matching;',
    to: 'if (matching.length < 1) return matching;',
    why: 'it only saves time: the only one stays',
  },
  {
    file: 'src/reconcile/evidence/pair.ts',
    from: 'if (best.length <= 1) break;',
    to: 'if (false) break;',
    why: 'it only saves time: the only one stays',
  },
  {
    file: 'src/reconcile/evidence/pair.ts',
    from: 'if (best.length <= 1) break;',
    to: 'if (best.length < 1) break;',
    why: 'it only saves time: the only one stays',
  },
  {
    file: 'src/reconcile/evidence/endpoints.ts',
    from: 'if (address !== undefined && uid !== undefined) addTo(addresses, uid, address);',
    to: 'if (address !== undefined && true) addTo(addresses, uid, address);',
    why: 'no node has the uid undefined: the check is for the compiler',
  },
  {
    file: 'src/reconcile/evidence/endpoints.ts',
    from: "const written = usableAddress(node.mark?.address ?? '');",
    to: 'const written = usableAddress(node.mark?.address ?? "Stryker was here!");',
    why: 'neither is an address',
  },
  {
    file: 'src/reconcile/evidence/endpoints.ts',
    from: "const marked = machines.get(node.mark?.machineId ?? '')?.address;",
    to: 'const marked = machines.get(node.mark?.machineId ?? "Stryker was here!")?.address;',
    why: 'no machine has either ID',
  },
  {
    file: 'src/reconcile/evidence/endpoints.ts',
    from: "const machine = machines.get(machineIdOf(node) ?? '');",
    to: 'const machine = machines.get(machineIdOf(node) ?? "Stryker was here!");',
    why: 'no machine has either ID',
  },
  {
    file: 'src/reconcile/evidence/endpoints.ts',
    from: "const written = addresses.length === 0 ? usableAddress(node.mark?.address ?? '') : undefined;",
    to: 'const written = addresses.length === 0 ? usableAddress(node.mark?.address ?? "Stryker was here!") : undefined;',
    why: 'neither is an address',
  },
  {
    file: 'src/reconcile/evidence/endpoints.ts',
    from: 'if (written !== undefined) addTo(others, written, node);',
    to: 'if (true) addTo(others, written, node);',
    why: 'nothing is looked up at the address undefined: the check is for the compiler',
  },
  {
    file: 'src/reconcile/evidence/liveness.ts',
    from: 'if (id !== undefined && isReporting(node, era)) addTo(reporting, id, node);',
    to: 'if (true && isReporting(node, era)) addTo(reporting, id, node);',
    why: 'nodes without a machine are under no ID that is looked up',
  },
  {
    file: 'src/reconcile/evidence/liveness.ts',
    from: "const machine = machines.get(machineId ?? '');",
    to: 'const machine = machines.get(machineId ?? "Stryker was here!");',
    why: 'no machine has either ID',
  },
  {
    file: 'src/reconcile/evidence/liveness.ts',
    from: "successor: reporting.get(machineId ?? '')?.find((other) => other !== node),",
    to: 'successor: reporting.get(machineId ?? "Stryker was here!")?.find((other) => other !== node),',
    why: 'no machine has either ID',
  },
  {
    file: 'src/reconcile/evidence/liveness.ts',
    from: "const reported = facts?.machineId ?? '';",
    to: 'const reported = facts?.machineId ?? "Stryker was here!";',
    why: 'no machine has either ID',
  },
  {
    file: 'src/reconcile/evidence/liveness.ts',
    from: 'if (marked !== undefined && machines.has(marked)) return marked;',
    to: 'if (true && machines.has(marked)) return marked;',
    why: 'no machine has the ID undefined: the check is for the compiler',
  },
  {
    file: 'src/reconcile/evidence/liveness.ts',
    from: "if (best !== undefined && best.state !== 'silent') {",
    to: 'if (best !== undefined && true) {',
    why: 'a silent answer is never the best: the check is for the compiler',
  },
  {
    file: 'src/reconcile/evidence/liveness.ts',
    from: "if (best !== undefined && best.state !== 'silent') {",
    to: 'if (best !== undefined && best.state !== "") {',
    why: 'a silent answer is never the best: the check is for the compiler',
  },
  {
    file: 'src/reconcile/evidence/liveness.ts',
    from: "state === 'silent' || otherNode === undefined",
    to: "state === 'silent' || false",
    why: "an answer of the node's own kubelet was the best one before: the check is for the compiler",
  },
  {
    file: 'src/reconcile/plan/action.ts',
    from: "case 'deregister': return undefined;",
    to: "case 'deregister':",
    why: 'a function that ends returns undefined too',
  },
  {
    file: 'src/reconcile/plan/action.ts',
    from: "case 'deregister':",
    to: 'case "":',
    why: 'a function that ends returns undefined too',
  },
  {
    file: 'src/reconcile/plan/obstacles.ts',
    from: "const isElsewhere = machines.has(facts?.machineId ?? '') || machines.has(mark.machineId);",
    to: 'const isElsewhere = machines.has(facts?.machineId ?? "Stryker was here!") || machines.has(mark.machineId);',
    why: 'no machine has either ID',
  },
  {
    file: 'src/reconcile/plan/obstacles.ts',
    from: "const isElsewhere = machines.has(facts?.machineId ?? '') || machines.has(mark.machineId);",
    to: "const isElsewhere = machines.has(facts.machineId ?? '') || machines.has(mark.machineId);",
    why: 'a node that reports an address has facts: the check is for the compiler',
  },
  {
    file: 'src/reconcile/plan/obstacles.ts',
    from: 'const finalizers = leaving?.finalizers ?? [];',
    to: 'const finalizers = leaving?.finalizers ?? ["Stryker was here"];',
    why: 'it is asked only of a node that is being deleted',
  },
  {
    file: 'src/reconcile/plan/obstacles.ts',
    from: 'const finalizers = leaving?.finalizers ?? [];',
    to: 'const finalizers = leaving.finalizers ?? [];',
    why: 'it is asked only of a node that is being deleted',
  },
  {
    file: 'src/reconcile/plan/labels.ts',
    from: 'const gone = wanted.removesLabels ? unwanted : [];',
    to: 'const gone = wanted.removesLabels ? unwanted : ["Stryker was here"];',
    why: 'a label that the node does not have is not removed',
  },
  {
    file: 'src/reconcile/plan/alternations.ts',
    from: 'for (const node of ofMachines.size === 0 ? [] : nodes) {',
    to: 'for (const node of false ? [] : nodes) {',
    why: 'it only saves time: where nothing alternates nothing is found',
  },
  {
    file: 'src/reconcile/plan/alternations.ts',
    from: 'for (const node of ofMachines.size === 0 ? [] : nodes) {',
    to: 'for (const node of ofMachines.size === 0 ? ["Stryker was here"] : nodes) {',
    why: 'where nothing alternates nothing is found',
  },
  {
    file: 'src/reconcile/plan/alternations.ts',
    from: "ofMachines.get(machineIdOf(node) ?? '') ??",
    to: 'ofMachines.get(machineIdOf(node) ?? "Stryker was here!") ??',
    why: 'no machine has either ID',
  },
  {
    file: 'src/reconcile/plan/alternations.ts',
    from: 'if (found !== undefined && !ofNodes.has(node.name)) ofNodes.set(node.name, found);',
    to: 'if (true && !ofNodes.has(node.name)) ofNodes.set(node.name, found);',
    why: 'they are only looked up by name, so an undefined one is as none',
  },
  {
    file: 'src/reconcile/plan/alternations.ts',
    from: "return [node.facts?.machineId ?? '', ...[...addressesOf(node)].sort()].join(' ').trim();",
    to: 'return [node.facts?.machineId ?? "Stryker was here!", ...[...addressesOf(node)].sort()].join(\' \').trim();',
    why: 'a node that was read in this pass has facts: the check is for the compiler',
  },
  {
    file: 'src/reconcile/plan/alternations.ts',
    from: "return [node.facts?.machineId ?? '', ...[...addressesOf(node)].sort()].join(' ').trim();",
    to: "return [node.facts.machineId ?? '', ...[...addressesOf(node)].sort()].join(' ').trim();",
    why: 'a node that was read in this pass has facts: the check is for the compiler',
  },
  {
    file: 'src/reconcile/plan/alternations.ts',
    from: '[...changes].filter(([key, values]) => listed.has(key) || nowMs - (values.at(-1)?.atMs ?? 0) <= ALTERNATION_MS),',
    to: '[...changes].filter(([key, values]) => listed.has(key) || nowMs - (values.at(-1).atMs ?? 0) <= ALTERNATION_MS),',
    why: 'what is recorded has a value: the check is for the compiler',
  },
  {
    file: 'src/reconcile/plan/memory/changes.ts',
    from: 'if (returns < RETURNS || last === undefined || other === undefined) return undefined;',
    to: 'if (returns < RETURNS || false || other === undefined) return undefined;',
    why: 'values that returned twice are more than two: the check is for the compiler',
  },
  {
    file: 'src/reconcile/plan/memory/changes.ts',
    from: 'if (returns < RETURNS || last === undefined || other === undefined) return undefined;',
    to: 'if (returns < RETURNS || last === undefined || false) return undefined;',
    why: 'values that returned twice are more than two: the check is for the compiler',
  },
  {
    file: 'src/reconcile/plan/memory/changes.ts',
    from: 'if (last === undefined || before === undefined || nowMs - last.atMs >= UNSETTLED_MS) return false;',
    to: 'if (false || before === undefined || nowMs - last.atMs >= UNSETTLED_MS) return false;',
    why: 'where there is no last value there is none before it',
  },
  {
    file: 'src/reconcile/plan/dead.ts',
    from: '(a.node.name < b.node.name ? -1 : 1),',
    to: '(a.node.name <= b.node.name ? -1 : 1),',
    why: 'two nodes have two names',
  },
  {
    file: 'src/reconcile/plan/kept.ts',
    from: "const paired = pairing.byMachine.get(known.machineId ?? '')?.node;",
    to: 'const paired = pairing.byMachine.get(known.machineId ?? "Stryker was here!")?.node;',
    why: 'only a node whose machine fleet lists comes here, so it has an ID',
  },
  {
    file: 'src/reconcile/plan/deregistration.ts',
    from: 'if (verdict !== undefined) found.verdicts.set(node.name, verdict);',
    to: 'if (true) found.verdicts.set(node.name, verdict);',
    why: 'verdicts are only looked up by name, so an undefined one is as none',
  },
  {
    file: 'src/reconcile/plan/deregistration.ts',
    from: "const answer = kubelets.get(machines.get(id)?.address ?? '');",
    to: 'const answer = kubelets.get(machines.get(id)?.address ?? "Stryker was here!");',
    why: 'no kubelet has either address',
  },
  {
    file: 'src/reconcile/plan/plan.ts',
    from: "return machines.get(facts?.machineId ?? '')?.id;",
    to: 'return machines.get(facts?.machineId ?? "Stryker was here!")?.id;',
    why: 'no machine has either ID',
  },
  {
    file: 'src/reconcile/plan/plan.ts',
    from: "const successor = pairing.byMachine.get(reportedMachine(node, observation) ?? '')?.node;",
    to: 'const successor = pairing.byMachine.get(reportedMachine(node, observation) ?? "Stryker was here!")?.node;',
    why: 'no machine has either ID',
  },
  {
    file: 'src/reconcile/plan/plan.ts',
    from: 'if (memory.graces.size === 0) return memory;',
    to: 'if (false) return memory;',
    why: 'it only saves a copy: without grace periods no write is forgotten',
  },
];
