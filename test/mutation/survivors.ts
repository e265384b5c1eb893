/** The mutants that no test kills, each with the reason why none can. */

/** The lines that a mutant is on, before and after, each put on one line. */
export interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export const SURVIVORS: readonly (Change & { readonly why: string })[] = [
  {
    file: 'src/reconcile/resolve.ts',
    from: "if (winner !== undefined) conflicts.set(machine.id, { kind: 'taken', node, by: winner.machine });",
    to: "if (true) conflicts.set(machine.id, { kind: 'taken', node, by: winner.machine });",
    why: 'who lost a node lost it to a winner; the condition is for the compiler, which cannot know that',
  },
  {
    file: 'src/reconcile/resolve.ts',
    from: "file(byMark, markOf(node) ?? '', node);",
    to: 'file(byMark, markOf(node) ?? "Stryker was here!", node);',
    why: 'nodes without a mark are filed where no machine looks, for no machine has that id',
  },
  {
    file: 'src/reconcile/resolve.ts',
    from: 'if (claim.step !== rival.step) return claim.step < rival.step;',
    to: 'if (claim.step !== rival.step) return claim.step <= rival.step;',
    why: 'the steps differ here',
  },
  {
    file: 'src/reconcile/resolve.ts',
    from: 'return claim.machine.id < rival.machine.id;',
    to: 'return claim.machine.id <= rival.machine.id;',
    why: 'two machines have two ids',
  },
  {
    file: 'src/reconcile/witnesses.ts',
    from: "const carried = [...node.identity.addresses, usableAddress(node.annotations.get(ADDRESS) ?? '')];",
    to: 'const carried = [...node.identity.addresses, usableAddress(node.annotations.get(ADDRESS) ?? "Stryker was here!")];',
    why: 'the one text is as little an address as the other',
  },
  {
    file: 'src/reconcile/witnesses.ts',
    from: "return machines.get(identity.machineId) ?? machines.get(markOf({ annotations }) ?? '');",
    to: 'return machines.get(identity.machineId) ?? machines.get(markOf({ annotations }) ?? "Stryker was here!");',
    why: 'no machine has the one id or the other',
  },
  {
    file: 'src/reconcile/registration.ts',
    from: 'const machines = [...observation.machines.values()].sort((a, b) => (a.id < b.id ? -1 : 1));',
    to: 'const machines = [...observation.machines.values()].sort((a, b) => (a.id <= b.id ? -1 : 1));',
    why: 'two machines have two ids',
  },
  {
    file: 'src/reconcile/registration.ts',
    from: "return { name: 'unusable', reason: machine.problem ?? 'fleet gives it no address' };",
    to: 'return { name: \'unusable\', reason: machine.problem ?? "" };',
    why: 'the roster gives every machine without an address its problem; the other text is for the compiler',
  },
  {
    file: 'src/reconcile/upkeep.ts',
    from: 'if (testimony === undefined) continue;',
    to: 'if (false) continue;',
    why: 'every node that has a machine has its testimony; the condition is for the compiler, which cannot know that',
  },
  {
    file: 'src/reconcile/upkeep.ts',
    from: "return { adopts: false, verdict: { name: 'recognised', reason, next } };",
    to: "return { adopts: true, verdict: { name: 'recognised', reason, next } };",
    why: 'a server that hides minions is asked for no change, whatever this says',
  },
  {
    file: 'src/reconcile/deregistration.ts',
    from: 'if (testimony === undefined || mark === undefined) continue;',
    to: 'if (false || mark === undefined) continue;',
    why: 'every node with a mark has its testimony; the condition is for the compiler, which cannot know that',
  },
  {
    file: 'src/reconcile/deregistration.ts',
    from: "if (node.now?.unschedulable === true) return 'it is cordoned: somebody is at work there';",
    to: "if (node.now.unschedulable === true) return 'it is cordoned: somebody is at work there';",
    why: 'a node that was not read counts as alive, and nobody asks for its veto',
  },
  {
    file: 'src/reconcile/deregistration.ts',
    from: '(a.node.name < b.node.name ? -1 : 1),',
    to: '(a.node.name <= b.node.name ? -1 : 1),',
    why: 'two nodes have two names',
  },
];
