/** The mutants of src/reconcile/evidence that no test kills, in the order of the files in mutate.ts. */
import type { Survivor } from './change.ts';

/** Each with the reason why no test can kill it. */
export const SURVIVORS_OF_EVIDENCE: readonly Survivor[] = [
  {
    file: 'src/reconcile/evidence/node.ts',
    from: 'otherOwner: mark === undefined ? otherOwnerOf(record, ownerId) : undefined,',
    to: 'otherOwner: true ? otherOwnerOf(record, ownerId) : undefined,',
    why: 'it only saves time: a node with our mark has no other owner',
  },
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
    from: 'const answered = past.answered.get(other.uid) ?? [];',
    to: 'const answered = past.answered.get(other.uid) ?? ["Stryker was here!"];',
    why: 'fleet has no machine there',
  },
  {
    file: 'src/reconcile/evidence/endpoints.ts',
    from: "const machine = machines.get(machineIdOf(other) ?? '');",
    to: 'const machine = machines.get(machineIdOf(other) ?? "Stryker was here!");',
    why: 'no machine has either ID',
  },
  {
    file: 'src/reconcile/evidence/endpoints.ts',
    from: 'if (!addresses.has(node.name)) addUnlessAnothers(usableAddress(node.name));',
    to: 'if (true) addUnlessAnothers(usableAddress(node.name));',
    why: 'it only saves time: an address that is there is not added twice',
  },
  {
    file: 'src/reconcile/evidence/endpoints.ts',
    from: "add(usableAddress(node.mark?.address ?? ''));",
    to: 'add(usableAddress(node.mark?.address ?? "Stryker was here!"));',
    why: 'neither is an address',
  },
  {
    file: 'src/reconcile/evidence/endpoints.ts',
    from: 'if (uid !== undefined) for (const address of listedAt) addTo(addresses, uid, address);',
    to: 'if (true) for (const address of listedAt) addTo(addresses, uid, address);',
    why: 'no node has the uid undefined: the check is for the compiler',
  },
  {
    file: 'src/reconcile/evidence/endpoints.ts',
    from: "return ids.flatMap((id) => machines.get(id ?? '') ?? []);",
    to: 'return ids.flatMap((id) => machines.get(id ?? "Stryker was here!") ?? []);',
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
];
